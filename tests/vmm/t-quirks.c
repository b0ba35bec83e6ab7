/* SPDX-License-Identifier: GPL-2.0-only */
/* What KVM does as it should not, until a VMM tells it otherwise; and other wishes of VMMs. */
#include "test.h"

#define APIC_PAGE	0xfee00000
#define MSR_APIC_BASE		0x1b
#define MSR_UCODE_REV		0x8b
#define MSR_PLATFORM_INFO	0xce
#define MSR_ARCH_CAPABILITIES	0x10a

static int enable(struct vm *vm, uint32_t nr, uint64_t arg)
{
	struct kvm_enable_cap cap = { .cap = nr, .args = { arg } };

	return ioctl(vm->fd, KVM_ENABLE_CAP, &cap);
}

static uint64_t quirks(void)
{
	int mask = check_cap(kvm_fd, KVM_CAP_DISABLE_QUIRKS2);

	if (mask <= 0)
		SKIP("no KVM_CAP_DISABLE_QUIRKS2");
	return mask;
}

TEST(quirks, mask)
{
	struct vm *vm = vm_new(G_script, 1, 0);
	uint64_t mask = quirks();

	CHECK_EQ(mask & ~(uint64_t)KVM_X86_QUIRK_IGNORE_GUEST_PAT, 0x5ff);
	CHECK_ERRNO(enable(vm, KVM_CAP_DISABLE_QUIRKS2, 1ull << 40), EINVAL);
	CHECK_EQ(enable(vm, KVM_CAP_DISABLE_QUIRKS, 1ull << 40), 0);	/* the first form minds not */
	CHECK_EQ(enable(vm, KVM_CAP_DISABLE_QUIRKS2, mask), 0);
}

/* OUT to port 0x7e is over when user space hears of it. */
TEST(quirks, out_7e)
{
	for (int off = 0; off < 2; off++) {
		struct vm *vm = vm_new(G_script, 1, 0);
		struct vcpu *v = &vm->vcpu[0];
		struct kvm_regs before, after;

		if (off)
			CHECK_EQ(enable(vm, KVM_CAP_DISABLE_QUIRKS2, quirks()), 0);
		op_add(vm, OP_OUT, 1, 0x7e, 0x42);
		run_exit(v, KVM_EXIT_IO);
		CHECK_EQ(*(uint8_t *)expect_io(v, 1, 1, 0x7e), 0x42);
		CHECK_EQ(ioctl(v->fd, KVM_GET_REGS, &before), 0);
		v->run->immediate_exit = 1;
		CHECK_EQ(run_once(v), -EINTR);
		v->run->immediate_exit = 0;
		CHECK_EQ(ioctl(v->fd, KVM_GET_REGS, &after), 0);
		CHECK_EQ(after.rip - before.rip, off);
		run_done(v);
	}
}

/* In x2APIC mode nothing is in the APIC's page; the VMM hears of that if it wants to. */
TEST(quirks, apic_hole)
{
	for (int off = 0; off < 2; off++) {
		struct vm *vm = vm_new(G_script, 1, 0);
		struct vcpu *v = &vm->vcpu[0];
		struct gop *rd;

		if (off)
			CHECK_EQ(enable(vm, KVM_CAP_DISABLE_QUIRKS2, quirks()), 0);
		set_msr(v, MSR_APIC_BASE, APIC_PAGE | 0xd00);
		rd = op_add(vm, OP_READ, 4, APIC_PAGE + 0x20, 0);
		if (off) {
			run_exit(v, KVM_EXIT_MMIO);
			CHECK_EQ(v->run->mmio.phys_addr, APIC_PAGE + 0x20);
			memset(v->run->mmio.data, 0x11, 4);
		}
		run_done(v);
		CHECK_EQ(rd->val, off ? 0x11111111 : 0xffffffff);
	}
}

/* LINT0 of the bootstrap processor is open for the PIC from the start. */
TEST(quirks, lint0)
{
	for (int off = 0; off < 2; off++) {
		struct vm *vm = vm_new(G_script, 0, 0);
		struct kvm_lapic_state l;
		uint32_t lint0;
		int fd;

		if (off)
			CHECK_EQ(enable(vm, KVM_CAP_DISABLE_QUIRKS2, quirks()), 0);
		fd = ioctl(vm->fd, KVM_CREATE_VCPU, 0);
		CHECK(fd >= 0);
		CHECK_EQ(ioctl(fd, KVM_GET_LAPIC, &l), 0);
		memcpy(&lint0, l.regs + 0x350, 4);
		CHECK_EQ(lint0, off ? 0x10000 : 0x700);
	}
}

/* MSRs that name features are KVM's before the VMM sets them, or 0. */
TEST(quirks, feature_msrs)
{
	for (int off = 0; off < 2; off++) {
		struct vm *vm = vm_new(G_script, 0, 0);
		struct vcpu v = { .vm = vm };
		bool intel;

		if (off)
			CHECK_EQ(enable(vm, KVM_CAP_DISABLE_QUIRKS2, quirks()), 0);
		v.fd = ioctl(vm->fd, KVM_CREATE_VCPU, 0);
		CHECK(v.fd >= 0);
		CHECK_EQ(get_msr(&v, MSR_PLATFORM_INFO), off ? 0 : 1ull << 31);
		intel = cpuid_find(cpuid_for(0), 0, 0)->ebx == 0x756e6547;	/* "Genu" */
		CHECK_EQ(get_msr(&v, MSR_UCODE_REV), off ? 0 : intel ? 1ull << 32 : 0x01000065);
		if (off)
			CHECK_EQ(get_msr(&v, MSR_ARCH_CAPABILITIES), 0);
	}
}

/* A guest that halts without an exit goes on when an interrupt comes. */
TEST(quirks, hlt_without_exit)
{
	struct vm *vm = vm_new(G_hlt, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	int can = check_cap(kvm_fd, KVM_CAP_X86_DISABLE_EXITS);

	if (can <= 0 || !(can & KVM_X86_DISABLE_EXITS_HLT))
		SKIP("HLT exits");
	CHECK_ERRNO(enable(vm, KVM_CAP_X86_DISABLE_EXITS, 0x100), EINVAL);
	CHECK_EQ(enable(vm, KVM_CAP_X86_DISABLE_EXITS, can), 0);
	vm->p->arg[0] = 1;
	run_sync(v, 1);
	CHECK(signal_msi(vm, APIC_PAGE, 0x51) > 0);
	run_done(v);
}

/* Paravirtual MSRs that CPUID does not offer are there, unless the VMM wants CPUID to count. */
TEST(quirks, enforce_pv_cpuid)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_ENFORCE_PV_FEATURE_CPUID, .args = { 1 } };
	struct vm *vm = vm_new(G_script, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	struct kvm_cpuid2 *c = cpuid_for(0);
	struct gop *before, *after;

	if (check_cap(kvm_fd, KVM_CAP_ENFORCE_PV_FEATURE_CPUID) <= 0)
		SKIP("no KVM_CAP_ENFORCE_PV_FEATURE_CPUID");
	for (uint32_t i = 0; i < c->nent; i++)
		if (c->entries[i].function == 0x40000001)
			c->entries[i].eax = 0;
	CHECK_EQ(ioctl(v->fd, KVM_SET_CPUID2, c), 0);
	before = op_add(vm, OP_RDMSR, 0, 0x4b564d03, 0);	/* steal time */
	op_add(vm, OP_SYNC, 0, 1, 0);
	after = op_add(vm, OP_RDMSR, 0, 0x4b564d03, 0);
	run_sync(v, 1);
	CHECK_EQ(before->vec, TRAP_NONE);
	cap.flags = 1;
	CHECK_ERRNO(ioctl(v->fd, KVM_ENABLE_CAP, &cap), EINVAL);
	cap.flags = 0;
	CHECK_EQ(ioctl(v->fd, KVM_ENABLE_CAP, &cap), 0);
	run_done(v);
	CHECK_EQ(after->vec, 13);
}
