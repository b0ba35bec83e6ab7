/* SPDX-License-Identifier: GPL-2.0-only */
/* System Management Mode: an SMI, what its handler sees and does, and the way back. */
#include "late.h"
#include "prot.h"

#include <stdlib.h>

#define SMBASE		(HIGH + 0x20000)
#define SMRAM		0x10000			/* bytes from SMBASE on */
#define PAGE		4096
#define SLOT		(1 << 16 | 1)		/* of the second address space */
#define AREA		0xfe00
#define SMM_STAGE	0x51
#define MSR_SMBASE	0x9e
#define MSR_SMI_COUNT	0x34
#define MSI_SELF	0xfee00000
#define DM_SMI		(2 << 8)
#define DM_INIT		(5 << 8)
#define EFER_NXE	0x800

/* Offsets in AMD64's save area (APM vol. 2, table 10-2), and in the P6's. */
#define A64_SMBASE	0xff00
#define A64_REVISION	0xfefc
#define A64_CR0		0xff58
#define A64_RFLAGS	0xff70
#define A64_RIP		0xff78
#define A64_CS		0xfe10
#define A32_REVISION	0xfefc
#define A32_EIP		0xfff0
#define A32_EDI		0xffec
#define A32_CR0		0xfffc

/* Handlers: real mode, at SMBASE + 0x8000; and protected-mode code of the cases. */
asm(".pushsection .rodata\n"
    "smm_blob:\n"
    ".code16\n"
    "smm_report:\n"
    "	mov $" STR(PORT_SYNC) ", %dx\n"
    "	mov $" STR(SMM_STAGE) ", %eax\n"
    "	out %eax, %dx\n"
    "	rsm\n"
    /* Report, with what is at GPA_SCRATCH; write to MMIO, and to this address space. */
    "smm_reach:\n"
    "	mov $" STR(PORT_SYNC) ", %dx\n"
    "	mov $" STR(SMM_STAGE) ", %eax\n"
    "	mov $" STR(GPA_SCRATCH) ", %ebx\n"
    "	addr32 mov (%ebx), %ecx\n"
    "	out %eax, %dx\n"
    "	mov $" STR(GPA_MMIO) ", %ebx\n"
    "	addr32 mov %ecx, (%ebx)\n"
    "	addr32 mov (%ebx), %ecx\n"
    "	out %eax, %dx\n"
    "	addr32 rsm\n"
    ".code32\n"
    "smm_outside:\n"
    "	rsm\n"
    "	hlt\n"
    "smm_undefined:\n"
    SYNC(1)
    "	hlt\n"
    "smm_count:\n"
    "	inc %edi\n"
    SYNC(1)
    SYNC(2)
    "	hlt\n"
    ".code64\n"
    "smm_end:\n"
    ".popsection\n");
extern const uint8_t smm_blob[], smm_report[], smm_reach[], smm_outside[], smm_undefined[], smm_count[], smm_end[];

#define AT(name) ((uint32_t)(CODE + (smm_##name - smm_blob)))

static uint8_t *smram;

/* Where a vCPU finds its handler; there is no other memory in SMM. */
static void handler(const uint8_t *code, int flags)
{
	if (check_cap(kvm_fd, KVM_CAP_X86_SMM) <= 0)
		SKIP("no SMM");
	CHECK(check_cap(kvm_fd, KVM_CAP_MULTI_ADDRESS_SPACE) > 1);
	smram = mem_new(SMRAM);
	memcpy(smram + 0x8000, code, smm_end - code);
	CHECK_EQ(vm_slot(vm, SLOT, SMBASE, SMRAM, smram, flags), 0);
	set_msr(v, MSR_SMBASE, SMBASE);
}

static void in_long_mode(const uint8_t *code)
{
	vm = vm_new(G_script, 1, 0);
	v = &vm->vcpu[0];
	handler(code, 0);
	op_add(vm, OP_WRITE, 4, 0xfee000f0, 0x1ff);	/* the local APIC is on */
	op_add(vm, OP_SYNC, 0, 1, 0);
}

static void in_protected_mode(const uint8_t *code)
{
	prot_new(smm_blob, smm_end - smm_blob, 0);
	handler(code, 0);
}

static void smi(void) { CHECK_EQ(ioctl(v->fd, KVM_SMI), 0); }

static struct kvm_vcpu_events events(void)
{
	struct kvm_vcpu_events e;

	CHECK_EQ(ioctl(v->fd, KVM_GET_VCPU_EVENTS, &e), 0);
	CHECK(e.flags & KVM_VCPUEVENT_VALID_SMM);
	return e;
}

static uint64_t area64(int offset) { return *(uint64_t *)(smram + offset); }
static uint32_t area32(int offset) { return *(uint32_t *)(smram + offset); }

/* The handler has reported, or reports next. */
static void in_handler(void)
{
	run_exit(v, KVM_EXIT_IO);
	CHECK_EQ(*(uint32_t *)expect_io(v, 1, 4, PORT_SYNC), SMM_STAGE);
	CHECK_EQ(v->run->flags & KVM_RUN_X86_SMM, KVM_RUN_X86_SMM);
	CHECK_EQ(events().smi.smm, 1);
}

/* The handler's registers, what it finds saved, and that all of it comes back. */
TEST(smm, state)
{
	struct kvm_regs before;
	struct kvm_sregs old, s;
	struct kvm_vcpu_events e;

	in_long_mode(smm_report);
	run_sync(v, 1);
	v->run->immediate_exit = 1;
	CHECK_EQ(run_once(v), -EINTR);			/* past the OUT */
	v->run->immediate_exit = 0;
	before = regs();
	old = sregs();
	smi();
	CHECK_EQ(events().smi.pending, 1);
	CHECK_EQ(events().smi.smm, 0);
	in_handler();
	e = events();
	CHECK_EQ(e.smi.pending, 0);
	CHECK_EQ(e.smi.smm_inside_nmi, 0);
	CHECK_EQ(e.nmi.masked, 1);
	CHECK_EQ(e.interrupt.shadow, 0);
	s = sregs();
	CHECK_EQ(s.cs.base, SMBASE);
	CHECK_EQ(s.cs.selector, (SMBASE >> 4) & 0xffff);
	CHECK_EQ(s.cs.limit, 0xffffffff);
	CHECK_EQ(s.ds.base, 0);
	CHECK_EQ(s.ss.limit, 0xffffffff);
	CHECK_EQ(s.cr0 & 0x8000000d, 0);
	CHECK_EQ(s.cr4, 0);
	CHECK_EQ(s.efer, 0);
	CHECK_EQ(s.idt.limit, 0);
	CHECK_EQ(regs().rflags, 2);
	CHECK_EQ(regs().r8, before.r8);

	CHECK_EQ(area64(A64_RIP), before.rip);
	CHECK_EQ(area64(A64_RFLAGS), before.rflags);
	CHECK_EQ(area64(A64_CR0), old.cr0);
	CHECK_EQ(area32(A64_SMBASE), SMBASE);
	CHECK_EQ(area32(A64_REVISION), 0x20064);
	CHECK_EQ(*(uint16_t *)(smram + A64_CS), old.cs.selector);
	for (int i = 0; i < 8; i++)
		CHECK_EQ(area64(0xff80 + 8 * i), (&before.r8)[7 - i]);
	run_done(v);
	CHECK_EQ(v->run->flags & KVM_RUN_X86_SMM, 0);
	s = sregs();
	CHECK_EQ(s.cr3, old.cr3);
	CHECK_EQ(s.cr4, old.cr4);
	CHECK_EQ(s.efer, old.efer);
	CHECK_EQ(s.cs.l, 1);
	CHECK(!memcmp(&s.tr, &old.tr, sizeof(s.tr)));
	e = events();
	CHECK_EQ(e.smi.smm, 0);
	CHECK_EQ(e.nmi.masked, 0);
	CHECK_EQ(get_msr(v, MSR_SMI_COUNT), 1);
}

/* A guest without long mode has the older layout; and the handler may change what it finds. */
TEST(smm, legacy_area)
{
	struct kvm_cpuid2 *c;
	struct kvm_regs before;
	struct kvm_sregs s;

	in_protected_mode(smm_report);
	c = cpuid_for(0);
	((struct kvm_cpuid_entry2 *)cpuid_find(c, 0x80000001, 0))->edx &= ~(1u << 29);
	CHECK_EQ(ioctl(v->fd, KVM_SET_CPUID2, c), 0);
	prot_start(AT(count));
	before = regs();
	s = sregs();
	s.efer |= EFER_NXE;
	CHECK_EQ(ioctl(v->fd, KVM_SET_SREGS, &s), 0);
	smi();
	in_handler();
	CHECK_EQ(area32(A32_REVISION), 0x20000);
	CHECK_EQ(area32(A32_EIP), before.rip);
	CHECK_EQ(area32(A32_EDI), before.rdi);
	CHECK_EQ(area32(A32_CR0) & 1, 1);
	*(uint32_t *)(smram + A32_EDI) = 41;
	run_sync(v, 1);
	CHECK_EQ(regs().rdi, 42);
	CHECK_EQ(sregs().cs.selector, SEL_CODE);
	CHECK_EQ(sregs().efer & EFER_NXE, EFER_NXE);
	CHECK_EQ(regs().rbp, before.rbp);
}

/* The same address is other memory in SMM, and devices are the same. */
TEST(smm, address_space)
{
	uint32_t *own = mem_new(0x1000), *data;

	in_long_mode(smm_reach);
	*own = 0x5151;
	*(uint32_t *)(vm->mem + GPA_SCRATCH) = 0x1111;
	CHECK_EQ(vm_slot(vm, SLOT + 1, GPA_SCRATCH, 0x1000, own, 0), 0);
	CHECK_EQ(vm_slot(vm, SLOT + 2, GPA_SCRATCH, 0x1000, own, 0), -EEXIST);
	struct gop *read = op_add(vm, OP_READ, 4, GPA_SCRATCH, 0);
	smi();
	in_handler();
	CHECK_EQ(regs().rcx, 0x5151);
	run_exit(v, KVM_EXIT_MMIO);
	CHECK_EQ(v->run->mmio.phys_addr, GPA_MMIO);
	CHECK_EQ(v->run->mmio.is_write, 1);
	data = (uint32_t *)v->run->mmio.data;
	CHECK_EQ(*data, 0x5151);
	run_exit(v, KVM_EXIT_MMIO);
	CHECK_EQ(v->run->mmio.is_write, 0);
	*data = 0x7272;
	in_handler();
	CHECK_EQ(regs().rcx, 0x7272);
	/* The slot that goes takes its memory along. */
	CHECK_EQ(vm_slot(vm, SLOT + 1, GPA_SCRATCH, 0, own, 0), 0);
	run_sync(v, 1);
	smi();
	run_exit(v, KVM_EXIT_MMIO);
	CHECK_EQ(v->run->mmio.phys_addr, GPA_SCRATCH);
	*data = 0x3333;
	in_handler();
	CHECK_EQ(regs().rcx, 0x3333);
	run_exit(v, KVM_EXIT_MMIO);
	run_exit(v, KVM_EXIT_MMIO);
	in_handler();
	run_done(v);
	CHECK_EQ(read->val, 0x1111);
}

/* A second SMI comes when the first is done, before the NMI that waits as well. */
TEST(smm, next_smi_waits)
{
	struct kvm_vcpu_events e;

	in_long_mode(smm_report);
	smi();
	in_handler();
	smi();
	CHECK_EQ(ioctl(v->fd, KVM_NMI), 0);
	CHECK_EQ(events().smi.pending, 1);
	in_handler();
	CHECK_EQ(get_msr(v, MSR_SMI_COUNT), 2);
	e = events();
	CHECK_EQ(e.smi.pending, 0);
	CHECK_EQ(e.nmi.pending, 1);
	e.nmi.pending = 0;
	e.flags = KVM_VCPUEVENT_VALID_NMI_PENDING;
	CHECK_EQ(ioctl(v->fd, KVM_SET_VCPU_EVENTS, &e), 0);
	CHECK_EQ(events().smi.smm, 1);
	run_sync(v, 1);
	run_done(v);
}

/* NMIs that were blocked when the SMI came are blocked when it is over. */
TEST(smm, inside_nmi)
{
	struct kvm_vcpu_events e;

	in_long_mode(smm_report);
	run_sync(v, 1);
	v->run->immediate_exit = 1;
	CHECK_EQ(run_once(v), -EINTR);
	v->run->immediate_exit = 0;
	e = events();
	e.nmi.masked = 1;
	e.flags = 0;
	CHECK_EQ(ioctl(v->fd, KVM_SET_VCPU_EVENTS, &e), 0);
	smi();
	in_handler();
	CHECK_EQ(events().smi.smm_inside_nmi, 1);
	run_done(v);
	CHECK_EQ(events().nmi.masked, 1);
	CHECK_EQ(events().smi.smm_inside_nmi, 0);
}

/* INIT waits, too, and whoever waits for SIPI cannot be in SMM. */
TEST(smm, init_is_latched)
{
	struct kvm_mp_state mp = { KVM_MP_STATE_INIT_RECEIVED };
	struct kvm_vcpu_events e;

	in_long_mode(smm_report);
	op_add(vm, OP_SYNC, 0, 2, 0);
	run_sync(v, 1);
	smi();
	in_handler();
	CHECK_ERRNO(ioctl(v->fd, KVM_SET_MP_STATE, &mp), EINVAL);
	CHECK_EQ(signal_msi(vm, MSI_SELF, DM_INIT | 0x4000), 1);
	e = events();
	CHECK_EQ(e.smi.latched_init, 1);
	e.smi.latched_init = 0;
	e.flags = KVM_VCPUEVENT_VALID_SMM;
	CHECK_EQ(ioctl(v->fd, KVM_SET_VCPU_EVENTS, &e), 0);
	CHECK_EQ(events().smi.latched_init, 0);
	run_sync(v, 2);
	mp.mp_state = KVM_MP_STATE_INIT_RECEIVED;
	CHECK_EQ(ioctl(v->fd, KVM_SET_MP_STATE, &mp), 0);
	e = events();
	e.smi.pending = 1;
	e.flags = KVM_VCPUEVENT_VALID_SMM;
	CHECK_ERRNO(ioctl(v->fd, KVM_SET_VCPU_EVENTS, &e), EINVAL);
}

/* After RSM the CPU starts anew, where the firmware is: outside SMM. */
TEST(smm, init_comes_after)
{
	static const uint8_t start[] = { 0xba, PORT_SYNC & 0xff, PORT_SYNC >> 8, 0x66, 0xb8, 0x77, 0, 0, 0, 0x66, 0xef, 0xf4 };
	uint8_t *rom = mem_new(0x10000);

	in_long_mode(smm_report);
	memcpy(rom + 0xfff0, start, sizeof(start));
	CHECK_EQ(vm_slot(vm, 5, 0xffff0000, 0x10000, rom, 0), 0);
	run_sync(v, 1);
	smi();
	in_handler();
	smi();						/* INIT takes it along */
	CHECK_EQ(events().smi.pending, 1);
	CHECK_EQ(signal_msi(vm, MSI_SELF, DM_INIT | 0x4000), 1);
	CHECK_EQ(events().smi.latched_init, 1);
	run_sync(v, 0x77);
	CHECK_EQ(events().smi.pending, 0);
	CHECK_EQ(v->run->flags & KVM_RUN_X86_SMM, 0);
	CHECK_EQ(events().smi.smm, 0);
	CHECK_EQ(events().nmi.masked, 0);
}

/* An NMI waits, too, and is delivered where the guest goes on. */
TEST(smm, nmi_comes_after)
{
	in_protected_mode(smm_report);
	trap_gate(2, AT(undefined));
	prot_start(AT(count));
	smi();
	in_handler();
	CHECK_EQ(ioctl(v->fd, KVM_NMI), 0);
	CHECK_EQ(events().nmi.pending, 1);
	run_sync(v, 1);
	CHECK_EQ(events().smi.smm, 0);
	CHECK_EQ(events().nmi.masked, 1);
	CHECK_EQ(regs().rdi, 0x9abcdef0);		/* not an instruction before it */
}

/* One that user space makes pending by the vCPU's state. */
TEST(smm, pending_by_state)
{
	struct kvm_vcpu_events e;

	in_long_mode(smm_report);
	e = events();
	e.smi.pending = 1;
	e.flags = KVM_VCPUEVENT_VALID_SMM;
	CHECK_EQ(ioctl(v->fd, KVM_SET_VCPU_EVENTS, &e), 0);
	in_handler();
	run_sync(v, 1);
	run_done(v);
}

/* By the local APIC: the guest's own, and a message from a device. */
TEST(smm, by_apic)
{
	in_long_mode(smm_report);
	op_add(vm, OP_WRITE, 4, 0xfee00300, 0x44000 | DM_SMI);	/* to itself */
	op_add(vm, OP_SYNC, 0, 2, 0);
	run_sync(v, 1);
	in_handler();
	run_sync(v, 2);
	CHECK(signal_msi(vm, MSI_SELF, DM_SMI) >= 0);
	in_handler();
	run_done(v);
	CHECK_EQ(get_msr(v, MSR_SMI_COUNT), 2);
}

/* HLT is over with an SMI, whatever IF says. */
TEST(smm, wakes)
{
	struct kvm_mp_state mp = { KVM_MP_STATE_HALTED };

	in_long_mode(smm_report);
	run_sync(v, 1);
	v->run->immediate_exit = 1;
	CHECK_EQ(run_once(v), -EINTR);
	v->run->immediate_exit = 0;
	CHECK_EQ(ioctl(v->fd, KVM_SET_MP_STATE, &mp), 0);
	smi();
	in_handler();
	CHECK_EQ(ioctl(v->fd, KVM_GET_MP_STATE, &mp), 0);
	CHECK_EQ(mp.mp_state, KVM_MP_STATE_RUNNABLE);
	run_done(v);
}

/* In a thread that sleeps in KVM_RUN: one of the messages finds it halted. */
TEST(smm, wakes_from_sleep)
{
	uint64_t seen;

	in_long_mode(smm_report);
	run_sync(v, 1);
	op_add(vm, OP_HLT, 0, 0, 0);
	op_add(vm, OP_WRITE, 8, GPA_SCRATCH, 1);
	volatile uint64_t *done = (uint64_t *)(vm->mem + GPA_SCRATCH);
	*done = 0;
	thread_start(v);
	for (int i = 0; !*done && i < 1000; i++) {
		CHECK(signal_msi(vm, MSI_SELF, DM_SMI) >= 0);
		sleep_ms(10);
	}
	CHECK_EQ(*done, 1);
	thread_join(v);
	seen = get_msr(v, MSR_SMI_COUNT);
	CHECK(seen >= 1);
}

/* The handler moves the next one's place by what it leaves in the save area. */
TEST(smm, relocation)
{
	uint8_t *other = mem_new(SMRAM);

	in_long_mode(smm_report);
	memcpy(other + 0x8000, smm_report, smm_end - smm_report);
	CHECK_EQ(vm_slot(vm, SLOT + 1, SMBASE + SMRAM, SMRAM, other, 0), 0);
	op_add(vm, OP_SYNC, 0, 2, 0);
	smi();
	in_handler();
	*(uint32_t *)(smram + A64_SMBASE) = SMBASE + SMRAM;
	CHECK_EQ(get_msr(v, MSR_SMBASE), SMBASE);
	run_sync(v, 1);
	CHECK_EQ(get_msr(v, MSR_SMBASE), SMBASE + SMRAM);
	smi();
	in_handler();
	CHECK_EQ(sregs().cs.base, SMBASE + SMRAM);
	CHECK_EQ(*(uint32_t *)(other + A64_SMBASE), SMBASE + SMRAM);
	run_sync(v, 2);
	run_done(v);
}

/* The save area comes late, at an SMI and at RSM: it is saved, and taken back, once. */
TEST(smm, late_area)
{
	const uint64_t last = SMRAM / PAGE - 1;
	uint8_t area[PAGE];
	struct kvm_regs before;
	struct late l;

	in_long_mode(smm_report);
	op_add(vm, OP_SYNC, 0, 2, 0);
	run_sync(v, 1);
	v->run->immediate_exit = 1;
	CHECK_EQ(run_once(v), -EINTR);			/* past the OUT */
	v->run->immediate_exit = 0;
	before = regs();
	l = late_again(smram + last * PAGE);
	smi();
	late_interrupts(v, &l, 0);
	CHECK(events().smi.pending && !events().smi.smm);
	late_bring(&l, 0, NULL);
	in_handler();
	CHECK_EQ(area64(A64_RIP), before.rip);
	memcpy(area, l.mem, PAGE);
	late_take(&l, 0);
	late_interrupts(v, &l, 0);
	CHECK(events().smi.smm);
	late_bring(&l, 0, area);
	run_sync(v, 2);
	CHECK(!events().smi.smm);
	CHECK_EQ(get_msr(v, MSR_SMI_COUNT), 1);
	run_done(v);
}

/* A guest's guest: so do the VMCB and the host save area of the hypervisor. */
TEST(smm, late_in_l2)
{
	const struct kvm_cpuid_entry2 *e = cpuid_find(cpuid_for(0), 0x80000001, 0);
	struct late_page vmcb = { 0 }, save = { 0 };
	struct kvm_regs before;

	if (!e || !(e->ecx & 1 << 2))
		SKIP("guests have no SVM");
	vm = vm_new(G_svm_state, 1, 0);
	v = &vm->vcpu[0];
	handler(smm_report, 0);
	run_sync(v, 1);
	run_sync(v, 2);					/* of L2 */
	v->run->immediate_exit = 1;
	CHECK_EQ(run_once(v), -EINTR);			/* past the OUT */
	v->run->immediate_exit = 0;
	before = regs();
	late_hold(&vmcb, vm->mem + GPA_SCRATCH);
	late_hold(&save, vm->mem + GPA_SCRATCH + PAGE);
	smi();
	late_waits(v, &save);
	CHECK(events().smi.pending && !events().smi.smm);
	late_waits(v, &vmcb);
	in_handler();
	CHECK_EQ(area64(A64_RIP), before.rip);
	late_hold(&vmcb, vm->mem + GPA_SCRATCH);
	late_hold(&save, vm->mem + GPA_SCRATCH + PAGE);
	late_waits(v, &vmcb);
	CHECK(events().smi.smm);
	late_waits(v, &save);
	run_sync(v, 3);
	CHECK_EQ(get_msr(v, MSR_SMI_COUNT), 1);
	run_sync(v, 4);
	run_done(v);
}

/* What is no state ends the guest, and nothing else. */
TEST(smm, bad_area)
{
	in_long_mode(smm_report);
	smi();
	in_handler();
	*(uint64_t *)(smram + A64_CR0) = 0x80000000;	/* paging without protection */
	run_exit(v, KVM_EXIT_SHUTDOWN);
}

/* An instruction that has read a device becomes RSM before it is executed again with the answer. */
TEST(smm, becomes_rsm)
{
	static const uint8_t rsm[] = { 0x0f, 0xaa };

	if (access("/sys/kernel/bedplate", F_OK))
		SKIP("KVM does not decode it again");
	in_long_mode(smm_reach);
	CHECK_EQ(vm_slot(vm, SLOT + 1, GPA_SCRATCH, PAGE, mem_new(PAGE), 0), 0);
	smi();
	in_handler();
	run_exit(v, KVM_EXIT_MMIO);
	CHECK(v->run->mmio.is_write);
	run_exit(v, KVM_EXIT_MMIO);
	CHECK(!v->run->mmio.is_write);
	memcpy(smram + 0x8000 + (regs().rip & 0x7fff), rsm, sizeof(rsm));
	run_sync(v, 1);
	CHECK(!events().smi.smm);
	run_done(v);
}

TEST(smm, rsm_outside)
{
	in_protected_mode(smm_report);
	trap_gate(6, AT(undefined));
	prot_start(AT(outside));
	run_sync(v, 1);
}

/* Nor does an address lead there that no memory can have, by whatever else takes addresses. */
TEST(smm, no_way_in)
{
	static const uint8_t zero[0x1000];
	const uint64_t there = 1ull << 63 | (SMBASE + 0x3000) | 1;

	struct kvm_cpuid2 *c = cpuid_for(0);

	in_long_mode(smm_report);
	((struct kvm_cpuid_entry2 *)cpuid_find(c, 0x40000001, 0))->eax = 0x31237648; /* Hyper-V */
	CHECK_EQ(ioctl(v->fd, KVM_SET_CPUID2, c), 0);
	struct gop *id = op_add(vm, OP_WRMSR, 0, 0x40000000, 1);
	struct gop *hypercalls = op_add(vm, OP_WRMSR, 0, 0x40000001, there);
	struct gop *assist = op_add(vm, OP_WRMSR, 0, 0x40000073, there);

	memset(smram + 0x3000, 0, 0x1000);
	smi();						/* so that SMRAM is mapped */
	in_handler();
	run_sync(v, 1);
	run_done(v);
	CHECK_EQ(id->vec, TRAP_NONE);
	CHECK_EQ(hypercalls->vec, 13);
	CHECK_EQ(assist->vec, 13);
	CHECK(!memcmp(smram + 0x3000, zero, sizeof(zero)));
}

/* The guest may read the count alone. */
TEST(smm, msrs)
{
	in_long_mode(smm_report);
	struct gop *base = op_add(vm, OP_RDMSR, 0, MSR_SMBASE, 0);
	struct gop *count = op_add(vm, OP_RDMSR, 0, MSR_SMI_COUNT, 99);
	struct gop *set = op_add(vm, OP_WRMSR, 0, MSR_SMI_COUNT, 0);

	smi();
	in_handler();
	run_sync(v, 1);
	run_done(v);
	CHECK_EQ(base->vec, 13);
	CHECK_EQ(count->vec, TRAP_NONE);
	CHECK_EQ(count->val, 1);
	CHECK_EQ(set->vec, 13);
	set_msr(v, MSR_SMI_COUNT, 7);
	CHECK_EQ(get_msr(v, MSR_SMI_COUNT), 7);
}

/* Each address space has its own log; the SMI writes, and the handler. */
TEST(smm, dirty_log)
{
	uint64_t bits = 0;
	struct kvm_dirty_log log = { .slot = SLOT, .dirty_bitmap = &bits };

	vm = vm_new(G_script, 1, 0);
	v = &vm->vcpu[0];
	op_add(vm, OP_SYNC, 0, 1, 0);
	handler(smm_report, KVM_MEM_LOG_DIRTY_PAGES);
	smi();
	in_handler();
	CHECK_EQ(ioctl(vm->fd, KVM_GET_DIRTY_LOG, &log), 0);
	/* KVM counts what it maps for writing, too. */
	CHECK_EQ(bits & ~(1 << 8), 1 << 15);
	log.slot = 1 << 16 | 5;
	CHECK_ERRNO(ioctl(vm->fd, KVM_GET_DIRTY_LOG, &log), ENOENT);
	log.slot = 2 << 16 | 1;
	CHECK_ERRNO(ioctl(vm->fd, KVM_GET_DIRTY_LOG, &log), EINVAL);
	CHECK_EQ(vm_slot(vm, 2 << 16 | 1, HIGH, 0x1000, smram, 0), -EINVAL);
	run_sync(v, 1);
	run_done(v);
}

/* Another VM goes on in the midst of the handler. */
TEST(smm, moved)
{
	struct vm *from;
	struct kvm_vcpu_events e;
	struct kvm_sregs s;
	struct kvm_regs r;
	uint8_t *area;

	in_long_mode(smm_report);
	run_sync(v, 1);
	smi();
	in_handler();
	v->run->immediate_exit = 1;
	CHECK_EQ(run_once(v), -EINTR);
	r = regs();
	s = sregs();
	e = events();
	from = vm;
	area = smram;
	vm = vm_new(G_script, 1, 0);
	v = &vm->vcpu[0];
	handler(smm_report, 0);
	memcpy(smram, area, SMRAM);
	memcpy(vm->mem, from->mem, RAM_SIZE);
	vm_free(from);
	CHECK_EQ(ioctl(v->fd, KVM_SET_SREGS, &s), 0);
	CHECK_EQ(ioctl(v->fd, KVM_SET_REGS, &r), 0);
	CHECK_EQ(ioctl(v->fd, KVM_SET_VCPU_EVENTS, &e), 0);
	CHECK_EQ(events().smi.smm, 1);
	run_done(v);
	CHECK_EQ(events().smi.smm, 0);
}
