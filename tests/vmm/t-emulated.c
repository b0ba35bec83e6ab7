/* SPDX-License-Identifier: GPL-2.0-only */
/* What the processor lacks and its guests may have: KVM_GET_EMULATED_CPUID. */
#include "prot.h"

#include <cpuid.h>
#include <stdlib.h>

#define MSR_TSC_AUX	0xc0000103
#define DATA		(GPA_SCRATCH + 0x4000)
#define MOVBE		(1u << 22)	/* leaf 1 ECX */
#define RDPID		(1u << 22)	/* leaf 7 ECX */

#define PLACE(name) ".globl emulated_" #name "\nemulated_" #name ":\n"

asm(".pushsection .rodata\n.code32\n"
    PLACE(blob)
    PLACE(movbe) "movbe " STR(DATA) ", %ebx\n movbe %bx, " STR(DATA + 8) "\n" SYNC(1)
    PLACE(movbe_mmio) "movbe " STR(GPA_MMIO) ", %ebx\n movbe %ebx, " STR(GPA_MMIO + 8) "\n" SYNC(1)
    PLACE(rdpid) "rdpid %ebx\n" SYNC(1)
    PLACE(handler) "pop %ebx\n" SYNC(2)
    PLACE(end)
    ".code64\n.popsection");

extern const uint8_t emulated_blob[], emulated_end[];
#define AT(name) ({ extern const uint8_t emulated_##name[]; (uint32_t)(CODE + (emulated_##name - emulated_blob)); })

static bool processor_has(uint32_t leaf, uint32_t bit)
{
	uint32_t a, b, c, d;

	return __get_cpuid_count(leaf, 0, &a, &b, &c, &d) && c & bit;
}

static long get(struct kvm_cpuid2 *c, uint32_t nent)
{
	c->nent = nent;
	return ioctl(kvm_fd, KVM_GET_EMULATED_CPUID, c);
}

static struct kvm_cpuid2 *table(void)
{
	struct kvm_cpuid2 *c = calloc(1, sizeof(*c) + CPUID_MAX * sizeof(c->entries[0]));

	CHECK(c);
	if (check_cap(kvm_fd, KVM_CAP_EXT_EMUL_CPUID) <= 0)
		SKIP("no KVM_CAP_EXT_EMUL_CPUID");
	return c;
}

TEST(emulated, list)
{
	struct kvm_cpuid2 *c = table();
	uint32_t a, b, cx, d;

	CHECK_EQ(get(c, 10), 0);
	CHECK_EQ(c->nent, 3);
	CHECK_EQ(c->entries[0].function, 0);
	CHECK_EQ(c->entries[0].eax, 7);
	CHECK_EQ(c->entries[1].function, 1);
	CHECK_EQ(c->entries[1].ecx, MOVBE);
	CHECK_EQ(c->entries[2].function, 7);
	CHECK_EQ(c->entries[2].flags, KVM_CPUID_FLAG_SIGNIFCANT_INDEX);
	CHECK(__get_cpuid(0x80000001, &a, &b, &cx, &d));
	CHECK_EQ(c->entries[2].ecx, d & 1u << 27 ? RDPID : 0);	/* RDTSCP */
}

TEST(emulated, list_refused)
{
	struct kvm_cpuid2 *c = table();

	CHECK_ERRNO(get(c, 0), E2BIG);
	CHECK_ERRNO(get(c, 3), E2BIG);
	CHECK_EQ(get(c, 4), 0);
	c->entries[5].padding[2] = 1;
	CHECK_EQ(get(c, 5), 0);
	CHECK_ERRNO(get(c, 6), EINVAL);
	CHECK_ERRNO(ioctl(kvm_fd, KVM_GET_EMULATED_CPUID, 0), EFAULT);
}

/* The guest's CPUID says that it has the feature, or not. */
static void setup(uint32_t eip, uint32_t leaf, uint32_t bit, bool has)
{
	struct kvm_cpuid2 *c = cpuid_for(0);

	free(table());
	prot_new(emulated_blob, emulated_end - emulated_blob, 0);
	for (uint32_t i = 0; i < c->nent; i++)
		if (c->entries[i].function == leaf && !c->entries[i].index)
			c->entries[i].ecx = (c->entries[i].ecx & ~bit) | (has ? bit : 0);
	CHECK_EQ(ioctl(v->fd, KVM_SET_CPUID2, c), 0);
	prot_start(eip);
	trap_gate(6, AT(handler));
}

static void expect_undefined(uint32_t eip)
{
	run_sync(v, 2);
	CHECK_EQ(regs().rbx, eip);
}

TEST(emulated, movbe)
{
	uint32_t was = 0x12345678;
	uint16_t stored;

	setup(AT(movbe), 1, MOVBE, true);
	memcpy(vm->mem + DATA, &was, sizeof(was));
	run_sync(v, 1);
	CHECK_EQ(regs().rbx, 0x78563412);
	memcpy(&stored, vm->mem + DATA + 8, sizeof(stored));
	CHECK_EQ(stored, 0x1234);
}

TEST(emulated, movbe_mmio)
{
	static const uint8_t le[4] = { 1, 2, 3, 4 };

	setup(AT(movbe_mmio), 1, MOVBE, true);
	run_exit(v, KVM_EXIT_MMIO);
	CHECK_EQ(v->run->mmio.phys_addr, GPA_MMIO);
	CHECK_EQ(v->run->mmio.is_write, 0);
	CHECK_EQ(v->run->mmio.len, 4);
	memcpy(v->run->mmio.data, le, sizeof(le));
	run_exit(v, KVM_EXIT_MMIO);
	CHECK_EQ(v->run->mmio.phys_addr, GPA_MMIO + 8);
	CHECK_EQ(v->run->mmio.is_write, 1);
	CHECK_EQ(memcmp(v->run->mmio.data, le, sizeof(le)), 0);
	run_sync(v, 1);
	CHECK_EQ(regs().rbx, 0x01020304);
}

TEST(emulated, rdpid)
{
	setup(AT(rdpid), 7, RDPID, true);
	set_msr(v, MSR_TSC_AUX, 0x1234567);
	run_sync(v, 1);
	CHECK_EQ(regs().rbx, 0x1234567);
}

/* What neither the processor nor the guest has raises #UD. */
TEST(emulated, not_offered)
{
	setup(AT(rdpid), 7, RDPID, false);
	if (processor_has(7, RDPID) && processor_has(1, MOVBE))
		SKIP("the processor has all of it");
	if (!processor_has(7, RDPID))
		expect_undefined(AT(rdpid));
	if (!processor_has(1, MOVBE)) {
		setup(AT(movbe), 1, MOVBE, false);
		expect_undefined(AT(movbe));
	}
}

/* The emulator goes on without the quirk that mends hypercalls. */
TEST(emulated, without_quirk)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_DISABLE_QUIRKS2,
				      .args = { KVM_X86_QUIRK_FIX_HYPERCALL_INSN } };

	setup(AT(rdpid), 7, RDPID, true);
	CHECK_EQ(ioctl(vm->fd, KVM_ENABLE_CAP, &cap), 0);
	set_msr(v, MSR_TSC_AUX, 5);
	run_sync(v, 1);
	CHECK_EQ(regs().rbx, 5);
}
