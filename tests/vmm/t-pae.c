/* SPDX-License-Identifier: GPL-2.0-only */
/* PAE paging: its four top entries, which the processor loads with CR0, CR3 and CR4. */
#include "prot.h"

#define ROOT	(HIGH + 0xfe0)			/* in a page that nothing has touched */
#define DIR	(GPA_SCRATCH + 0x10000)		/* 2 MiB pages of PAE */
#define FAR	(GPA_SCRATCH + 0x4000)		/* pointer for a far jump */
#define TSS1	(GPA_SCRATCH + 0x3200)
#define SEL_TSS1	0x20
#define DIR32	(GPA_SCRATCH + 0x11000)		/* 4 MiB pages, and at its end a PAE root */

#define CR0_PG		0x80000000u
#define CR0_CD_NW	0x60000000u
#define CR0_NE		0x20u
#define CR4_PSE		0x10
#define CR4_PAE		0x20
#define CR4_MCE		0x40
#define PAGE_LARGE	0x83			/* present, writable */
#define PDPTE_RESERVED	0x20

#define PLACE(name) ".globl pae_" #name "\npae_" #name ":\n"

asm(".pushsection .rodata\n.code32\n"
    PLACE(blob)
    /* Paging on together with bits that a hypervisor may keep for itself, so that it has to do it. */
    PLACE(cr0) "mov %cr0, %eax\n and $0x9fffffff, %eax\n or $0x80000020, %eax\n"
    PLACE(cr0_here) "mov %eax, %cr0\n" SYNC(1)
    PLACE(cr4) "mov %cr4, %eax\n or $0x60, %eax\n"
    PLACE(cr4_here) "mov %eax, %cr4\n" SYNC(1)
    PLACE(on) SYNC(1)
    PLACE(jmp) "ljmp *" STR(FAR) "\n" SYNC(3)
    PLACE(handler) "pop %ebx\n pop %ecx\n" SYNC(2)
    PLACE(end)
    ".code64\n.popsection");

extern const uint8_t pae_blob[], pae_end[];
#define AT(name) ({ extern const uint8_t pae_##name[]; (uint32_t)(CODE + (pae_##name - pae_blob)); })

static uint8_t *high;				/* the slot at HIGH */

static void put(void *root, uint64_t pdpte3)
{
	uint64_t e[4] = { DIR | 1, 0, 0, pdpte3 };

	memcpy(root, e, sizeof(e));
}

/* Protected mode, about to begin at @eip with this CR3 and CR4, its PAE tables ready. */
static void setup(uint32_t eip, uint32_t cr3, uint32_t cr4)
{
	uint64_t *dir;
	struct kvm_sregs s;

	prot_new(pae_blob, pae_end - pae_blob, 0);
	high = mem_new(0x2000);
	CHECK_EQ(vm_slot(vm, 2, HIGH, 0x2000, high, 0), 0);
	dir = (uint64_t *)(vm->mem + DIR);
	dir[0] = PAGE_LARGE;
	dir[1] = 0x200000 | PAGE_LARGE;
	put(high + 0xfe0, 0);
	prot_start(eip);
	trap_gate(13, AT(handler));
	s = sregs();
	s.cr3 = cr3;
	s.cr4 = cr4;
	CHECK_EQ(ioctl(v->fd, KVM_SET_SREGS, &s), 0);
}

static void expect_fault(uint32_t eip)
{
	run_sync(v, 2);
	CHECK_EQ(regs().rbx, 0);
	CHECK_EQ(regs().rcx, eip);
}

TEST(pae, cr0)
{
	setup(AT(cr0), ROOT, CR4_PAE);
	run_sync(v, 1);
	CHECK_EQ(sregs().cr0 & (CR0_PG | CR0_CD_NW | CR0_NE), CR0_PG | CR0_NE);
	CHECK_EQ(sregs().cr3, ROOT);
}

/* AMD's processors look at the top entries when they need them, under nested paging. */
TEST(pae, cr0_reserved)
{
	if (is_amd())
		SKIP("an AMD processor");
	setup(AT(cr0), ROOT, CR4_PAE);
	put(high + 0xfe0, PDPTE_RESERVED | 1);
	expect_fault(AT(cr0_here));
	CHECK_EQ(sregs().cr0 & CR0_PG, 0);
	setup(AT(cr0), ROOT, CR4_PAE);
	put(high + 0xfe0, PDPTE_RESERVED);		/* not present: no matter */
	run_sync(v, 1);
}

/* From 32-bit paging: its directory lies before the PAE root in one page. */
static void with_directory(uint64_t pdpte3)
{
	uint32_t *dir;
	struct kvm_sregs s;

	setup(AT(cr4), DIR32 | 0xfe0, CR4_PSE);
	dir = (uint32_t *)(vm->mem + DIR32);
	dir[0] = PAGE_LARGE;
	put(vm->mem + (DIR32 | 0xfe0), pdpte3);
	s = sregs();
	s.cr0 |= CR0_PG;
	CHECK_EQ(ioctl(v->fd, KVM_SET_SREGS, &s), 0);
}

TEST(pae, cr4)
{
	with_directory(0);
	run_sync(v, 1);
	CHECK_EQ(sregs().cr4, CR4_PSE | CR4_PAE | CR4_MCE);
}

TEST(pae, cr4_reserved)
{
	if (is_amd())
		SKIP("an AMD processor");
	with_directory(PDPTE_RESERVED | 1);
	expect_fault(AT(cr4_here));
	CHECK_EQ(sregs().cr4, CR4_PSE);
}

/* A VMM sets the state of a guest that pages already; its memory comes later. */
TEST(pae, set_sregs)
{
	struct kvm_sregs s;

	setup(AT(on), ROOT, CR4_PAE);
	s = sregs();
	s.cr0 |= CR0_PG;
	CHECK_EQ(ioctl(v->fd, KVM_SET_SREGS, &s), 0);
	run_sync(v, 1);
	CHECK_EQ(sregs().cr3, ROOT);
}

/* A task with a root of its own, in another page that nothing has touched. */
static void to_task(uint64_t pdpte3)
{
	uint32_t t[26] = { [7] = HIGH + 0x1020, [8] = AT(on), [9] = 2, [14] = STACK0, [18] = SEL_DATA,
			   [19] = SEL_CODE, [20] = SEL_DATA, [21] = SEL_DATA };
	struct kvm_sregs s;

	setup(AT(jmp), ROOT, CR4_PAE);
	memcpy(vm->mem + TSS1, t, sizeof(t));
	*(uint32_t *)(vm->mem + FAR + 4) = SEL_TSS1;
	descriptor(SEL_TSS1, TSS1, 0x67, AR_TSS32);
	put(high + 0x1020, pdpte3);
	s = sregs();
	s.cr0 |= CR0_PG;
	CHECK_EQ(ioctl(v->fd, KVM_SET_SREGS, &s), 0);
}

TEST(pae, task)
{
	to_task(0);
	run_sync(v, 1);
	CHECK_EQ(sregs().cr3, HIGH + 0x1020);
	CHECK_EQ(sregs().tr.selector, SEL_TSS1);
	if (is_amd())
		return;
	to_task(PDPTE_RESERVED | 1);
	expect_fault(AT(jmp));
	CHECK_EQ(sregs().tr.selector, SEL_TSS0);
}

/* The root is where there is no memory: the guest cannot go on, and no harm is done. */
TEST_LIMIT(pae, no_memory, 10)
{
	struct kvm_sregs s;

	setup(AT(on), GPA_MMIO, CR4_PAE);
	s = sregs();
	s.cr0 |= CR0_PG;
	CHECK_EQ(ioctl(v->fd, KVM_SET_SREGS, &s), 0);
	CHECK_EQ(run_once(v), 0);
	CHECK(v->run->exit_reason == KVM_EXIT_INTERNAL_ERROR || v->run->exit_reason == KVM_EXIT_SHUTDOWN);
	vm_free(vm);
}

/* The second form of the special registers has the top entries: from memory, or as they are set. */
TEST(pae, sregs2)
{
	struct kvm_sregs2 s2, back;
	struct kvm_sregs s;

	if (ioctl(kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_SREGS2) <= 0)
		SKIP("no KVM_CAP_SREGS2");
	setup(AT(on), ROOT, CR4_PAE);
	CHECK_EQ(ioctl(v->fd, KVM_GET_SREGS2, &s2), 0);
	s = sregs();
	CHECK_EQ(s2.flags, 0);
	CHECK(!memcmp(&s, &s2, offsetof(struct kvm_sregs2, flags)));
	s2.flags = KVM_SREGS2_FLAGS_PDPTRS_VALID;		/* which it does not use */
	CHECK_ERRNO(ioctl(v->fd, KVM_SET_SREGS2, &s2), EINVAL);
	s2.flags = 2;
	CHECK_ERRNO(ioctl(v->fd, KVM_SET_SREGS2, &s2), EINVAL);
	s2.flags = 0;
	s2.cr0 |= CR0_PG;
	CHECK_EQ(ioctl(v->fd, KVM_SET_SREGS2, &s2), 0);
	CHECK_EQ(ioctl(v->fd, KVM_GET_SREGS2, &back), 0);
	CHECK_EQ(back.flags, KVM_SREGS2_FLAGS_PDPTRS_VALID);
	CHECK_EQ(back.pdptrs[0], DIR | 1);
	CHECK_EQ(back.pdptrs[3], 0);
	CHECK_EQ(back.cr0, s2.cr0);
	run_sync(v, 1);
	if (is_amd())
		return;
	setup(AT(on), ROOT, CR4_PAE);
	memset(high, 0, 0x2000);			/* not to be looked at */
	CHECK_EQ(ioctl(v->fd, KVM_SET_SREGS2, &back), 0);
	run_sync(v, 1);
}
