/* SPDX-License-Identifier: GPL-2.0-only */
/* MSRs that user space wants to hear of, and which there are. */
#include "test.h"

#include <stdlib.h>

#define MSR_NOBODYS	0x4bd00042	/* no CPU and no hypervisor has it */
#define MSR_FS_BASE	0xc0000100
#define MSR_SFMASK	0xc0000084
#define MSR_EFER	0xc0000080
#define MSR_APIC_ID	0x802
#define EFER_LME	0x100

static void to_user(struct vm *vm, uint64_t reasons)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_X86_USER_SPACE_MSR, .args = { reasons } };

	CHECK_EQ(ioctl(vm->fd, KVM_ENABLE_CAP, &cap), 0);
}

static void expect_msr(struct vcpu *v, uint32_t exit, uint32_t msr, uint64_t reason)
{
	run_exit(v, exit);
	CHECK_EQ(v->run->msr.index, msr);
	CHECK_EQ(v->run->msr.reason, reason);
	CHECK_EQ(v->run->msr.error, 0);
}

/* An MSR that there is not: without an exit #GP, with one what user space answers. */
TEST(msr, unknown)
{
	struct vm *vm = vm_new(G_script, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	struct gop *none, *wr, *rd, *err, *inval;

	if (check_cap(vm->fd, KVM_CAP_X86_USER_SPACE_MSR) <= 0)
		SKIP("no KVM_CAP_X86_USER_SPACE_MSR");
	none = op_add(vm, OP_RDMSR, 0, MSR_NOBODYS, 0);
	op_add(vm, OP_SYNC, 0, 1, 0);
	wr = op_add(vm, OP_WRMSR, 0, MSR_NOBODYS, 0x1122334455667788);
	rd = op_add(vm, OP_RDMSR, 0, MSR_NOBODYS, 0);
	err = op_add(vm, OP_RDMSR, 0, MSR_NOBODYS, 0);
	op_add(vm, OP_SYNC, 0, 2, 0);
	inval = op_add(vm, OP_WRMSR, 0, MSR_EFER, ~0ull);
	run_sync(v, 1);
	CHECK_EQ(none->vec, 13);
	to_user(vm, KVM_MSR_EXIT_REASON_UNKNOWN);
	expect_msr(v, KVM_EXIT_X86_WRMSR, MSR_NOBODYS, KVM_MSR_EXIT_REASON_UNKNOWN);
	CHECK_EQ(v->run->msr.data, 0x1122334455667788);
	expect_msr(v, KVM_EXIT_X86_RDMSR, MSR_NOBODYS, KVM_MSR_EXIT_REASON_UNKNOWN);
	v->run->msr.data = 0x8877665544332211;
	expect_msr(v, KVM_EXIT_X86_RDMSR, MSR_NOBODYS, KVM_MSR_EXIT_REASON_UNKNOWN);
	v->run->msr.error = 1;
	run_sync(v, 2);
	CHECK_EQ(wr->vec, TRAP_NONE);
	CHECK_EQ(rd->vec, TRAP_NONE);
	CHECK_EQ(rd->val, 0x8877665544332211);
	CHECK_EQ(err->vec, 13);
	CHECK_EQ(err->err, 0);
	to_user(vm, KVM_MSR_EXIT_REASON_INVAL);
	expect_msr(v, KVM_EXIT_X86_WRMSR, MSR_EFER, KVM_MSR_EXIT_REASON_INVAL);
	CHECK_EQ(v->run->msr.data, ~0ull);
	run_done(v);
	CHECK_EQ(inval->vec, TRAP_NONE);
}

/* The answer is taken by a KVM_RUN that does not enter the guest. */
TEST(msr, answered_at_once)
{
	struct vm *vm = vm_new(G_script, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	struct kvm_regs before, after;
	struct gop *rd;

	if (check_cap(vm->fd, KVM_CAP_X86_USER_SPACE_MSR) <= 0)
		SKIP("no KVM_CAP_X86_USER_SPACE_MSR");
	rd = op_add(vm, OP_RDMSR, 0, MSR_NOBODYS, 0);
	to_user(vm, KVM_MSR_EXIT_REASON_UNKNOWN);
	expect_msr(v, KVM_EXIT_X86_RDMSR, MSR_NOBODYS, KVM_MSR_EXIT_REASON_UNKNOWN);
	CHECK_EQ(ioctl(v->fd, KVM_GET_REGS, &before), 0);
	v->run->msr.data = 0x123456789abcdef0;
	v->run->immediate_exit = 1;
	CHECK_EQ(run_once(v), -EINTR);
	v->run->immediate_exit = 0;
	CHECK_EQ(ioctl(v->fd, KVM_GET_REGS, &after), 0);
	CHECK_EQ(after.rip, before.rip + 2);
	CHECK_EQ(after.rax, 0x9abcdef0);
	CHECK_EQ(after.rdx, 0x12345678);
	run_done(v);
	CHECK_EQ(rd->val, 0x123456789abcdef0);
}

static void filter_one(struct vm *vm, uint32_t flags, uint32_t access, uint32_t msr, uint8_t allowed)
{
	uint64_t bits = allowed;
	struct kvm_msr_filter f = {
		.flags = flags,
		.ranges = { { .flags = access, .nmsrs = 1, .base = msr, .bitmap = (uint8_t *)&bits } },
	};

	CHECK_EQ(ioctl(vm->fd, KVM_X86_SET_MSR_FILTER, &f), 0);
}

/* What is filtered is user space's, or #GP; also what the CPU has without an exit otherwise. */
TEST(msr, filter)
{
	struct vm *vm = vm_new(G_script, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	struct gop *write, *fs, *gone, *back;

	if (check_cap(vm->fd, KVM_CAP_X86_MSR_FILTER) <= 0)
		SKIP("no KVM_CAP_X86_MSR_FILTER");
	write = op_add(vm, OP_WRMSR, 0, MSR_FS_BASE, 0x1234000);
	fs = op_add(vm, OP_RDMSR, 0, MSR_FS_BASE, 0);
	op_add(vm, OP_SYNC, 0, 1, 0);
	gone = op_add(vm, OP_RDMSR, 0, MSR_FS_BASE, 0);
	op_add(vm, OP_SYNC, 0, 2, 0);
	back = op_add(vm, OP_RDMSR, 0, MSR_FS_BASE, 0);
	to_user(vm, KVM_MSR_EXIT_REASON_FILTER);
	filter_one(vm, KVM_MSR_FILTER_DEFAULT_ALLOW, KVM_MSR_FILTER_READ, MSR_FS_BASE, 0);
	expect_msr(v, KVM_EXIT_X86_RDMSR, MSR_FS_BASE, KVM_MSR_EXIT_REASON_FILTER);
	v->run->msr.data = 0x5678;
	run_sync(v, 1);
	CHECK_EQ(write->vec, TRAP_NONE);
	CHECK_EQ(fs->val, 0x5678);
	CHECK_EQ(get_msr(v, MSR_FS_BASE), 0x1234000);		/* not for the VMM */
	to_user(vm, 0);
	run_sync(v, 2);
	CHECK_EQ(gone->vec, 13);
	filter_one(vm, KVM_MSR_FILTER_DEFAULT_ALLOW, KVM_MSR_FILTER_READ, MSR_FS_BASE, 1);
	run_done(v);
	CHECK_EQ(back->val, 0x1234000);
}

/* Nothing is allowed but one MSR, and those of the x2APIC. */
TEST(msr, filter_deny)
{
	struct vm *vm = vm_new(G_script, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	struct gop *mask, *apic, *efer;

	if (check_cap(vm->fd, KVM_CAP_X86_MSR_FILTER) <= 0)
		SKIP("no KVM_CAP_X86_MSR_FILTER");
	set_msr(v, 0x1b, 0xfee00d00);
	op_add(vm, OP_SYNC, 0, 1, 0);
	mask = op_add(vm, OP_WRMSR, 0, MSR_SFMASK, 0x4700);
	apic = op_add(vm, OP_RDMSR, 0, MSR_APIC_ID, 1);
	op_add(vm, OP_SYNC, 0, 2, 0);
	efer = op_add(vm, OP_RDMSR, 0, MSR_EFER, 0);
	run_sync(v, 1);					/* start-up code writes EFER */
	filter_one(vm, KVM_MSR_FILTER_DEFAULT_DENY, KVM_MSR_FILTER_WRITE, MSR_SFMASK, 1);
	run_sync(v, 2);
	CHECK_EQ(mask->vec, TRAP_NONE);
	CHECK_EQ(get_msr(v, MSR_SFMASK), 0x4700);
	CHECK_EQ(apic->vec, TRAP_NONE);
	CHECK_EQ(apic->val, 0);
	to_user(vm, KVM_MSR_EXIT_REASON_FILTER);
	expect_msr(v, KVM_EXIT_X86_RDMSR, MSR_EFER, KVM_MSR_EXIT_REASON_FILTER);
	v->run->msr.data = EFER_LME;
	run_done(v);
	CHECK_EQ(efer->val, EFER_LME);
}

static void *loop_thread(void *arg)
{
	struct vcpu *v = arg;

	expect_msr(v, KVM_EXIT_X86_RDMSR, MSR_FS_BASE, KVM_MSR_EXIT_REASON_FILTER);
	v->run->msr.data = v->vm->p->arg[1];
	run_done(v);
	return NULL;
}

/* A filter that comes while the guest runs. */
TEST(msr, filter_while_running)
{
	struct vm *vm = vm_new(G_msrloop, 1, 0);
	pthread_t thread;

	if (check_cap(vm->fd, KVM_CAP_X86_MSR_FILTER) <= 0)
		SKIP("no KVM_CAP_X86_MSR_FILTER");
	vm->p->arg[0] = MSR_FS_BASE;
	vm->p->arg[1] = 0x4242;
	to_user(vm, KVM_MSR_EXIT_REASON_FILTER);
	CHECK_EQ(pthread_create(&thread, NULL, loop_thread, &vm->vcpu[0]), 0);
	wait_while((volatile uint64_t *)&vm->p->res[0], 0);
	for (int i = 0; i < 10; i++)
		filter_one(vm, KVM_MSR_FILTER_DEFAULT_ALLOW, KVM_MSR_FILTER_WRITE, MSR_FS_BASE, i & 1);
	filter_one(vm, KVM_MSR_FILTER_DEFAULT_ALLOW, KVM_MSR_FILTER_READ, MSR_FS_BASE, 0);
	CHECK_EQ(pthread_join(thread, NULL), 0);
}

TEST(msr, filter_errors)
{
	struct vm *vm = vm_new(G_script, 1, 0);
	struct kvm_enable_cap cap = { .cap = KVM_CAP_X86_USER_SPACE_MSR };
	uint64_t bits = 0;
	struct kvm_msr_filter f = { .flags = KVM_MSR_FILTER_DEFAULT_DENY };

	if (check_cap(vm->fd, KVM_CAP_X86_MSR_FILTER) <= 0)
		SKIP("no KVM_CAP_X86_MSR_FILTER");
	CHECK_ERRNO(ioctl(vm->fd, KVM_X86_SET_MSR_FILTER, NULL), EFAULT);
	CHECK_ERRNO(ioctl(vm->fd, KVM_X86_SET_MSR_FILTER, &f), EINVAL);	/* that would deny all */
	f.flags = 2;
	CHECK_ERRNO(ioctl(vm->fd, KVM_X86_SET_MSR_FILTER, &f), EINVAL);
	f.flags = 0;
	CHECK_EQ(ioctl(vm->fd, KVM_X86_SET_MSR_FILTER, &f), 0);
	f.ranges[3] = (struct kvm_msr_filter_range){ .nmsrs = 1, .bitmap = (uint8_t *)&bits };
	CHECK_ERRNO(ioctl(vm->fd, KVM_X86_SET_MSR_FILTER, &f), EINVAL);	/* no kind of access */
	f.ranges[3].flags = 4;
	CHECK_ERRNO(ioctl(vm->fd, KVM_X86_SET_MSR_FILTER, &f), EINVAL);
	f.ranges[3].flags = 3;
	f.ranges[3].nmsrs = KVM_MSR_FILTER_MAX_BITMAP_SIZE * 8 + 1;
	CHECK_ERRNO(ioctl(vm->fd, KVM_X86_SET_MSR_FILTER, &f), EINVAL);
	f.ranges[3].nmsrs = 1;
	f.ranges[3].bitmap = (uint8_t *)1;
	CHECK_ERRNO(ioctl(vm->fd, KVM_X86_SET_MSR_FILTER, &f), EFAULT);
	f.ranges[3].bitmap = (uint8_t *)&bits;
	CHECK_EQ(ioctl(vm->fd, KVM_X86_SET_MSR_FILTER, &f), 0);
	cap.args[0] = 8;
	CHECK_ERRNO(ioctl(vm->fd, KVM_ENABLE_CAP, &cap), EINVAL);
	cap.args[0] = 7;
	CHECK_EQ(ioctl(vm->fd, KVM_ENABLE_CAP, &cap), 0);
}

/* MSRs that name features: each listed one has a value, as the machine would show it. */
TEST(msr, features)
{
	struct kvm_msr_list *l = calloc(1, sizeof(*l) + 256 * sizeof(l->indices[0]));
	struct { struct kvm_msrs h; struct kvm_msr_entry e[2]; } m = { .h.nmsrs = 2 };

	if (check_cap(kvm_fd, KVM_CAP_GET_MSR_FEATURES) <= 0)
		SKIP("no KVM_CAP_GET_MSR_FEATURES");
	CHECK_ERRNO(ioctl(kvm_fd, KVM_GET_MSR_FEATURE_INDEX_LIST, l), E2BIG);
	CHECK(l->nmsrs && l->nmsrs < 256);
	CHECK_EQ(ioctl(kvm_fd, KVM_GET_MSR_FEATURE_INDEX_LIST, l), 0);
	for (uint32_t i = 0; i < l->nmsrs; i++) {
		m.e[0] = (struct kvm_msr_entry){ .index = l->indices[i], .data = 0x1122 };
		m.e[1].index = MSR_NOBODYS;
		CHECK_EQ(ioctl(kvm_fd, KVM_GET_MSRS, &m), 1);
	}
	m.h.nmsrs = 256;
	CHECK_ERRNO(ioctl(kvm_fd, KVM_GET_MSRS, &m), E2BIG);
}

#define MSR_PLATFORM_INFO	0xce

/* The VMM writes it, the guest reads it, or cannot. */
TEST(msr, platform_info)
{
	struct vm *vm = vm_new(G_script, 1, 0);
	struct kvm_enable_cap cap = { .cap = KVM_CAP_MSR_PLATFORM_INFO };
	struct vcpu *v = &vm->vcpu[0];
	struct gop *before, *write, *after;

	if (check_cap(vm->fd, KVM_CAP_MSR_PLATFORM_INFO) <= 0)
		SKIP("no KVM_CAP_MSR_PLATFORM_INFO");
	before = op_add(vm, OP_RDMSR, 0, MSR_PLATFORM_INFO, 0);
	write = op_add(vm, OP_WRMSR, 0, MSR_PLATFORM_INFO, 0);
	op_add(vm, OP_SYNC, 0, 1, 0);
	after = op_add(vm, OP_RDMSR, 0, MSR_PLATFORM_INFO, 0);
	CHECK_EQ(get_msr(v, MSR_PLATFORM_INFO), 1u << 31);
	set_msr(v, MSR_PLATFORM_INFO, 0x8000ff00);
	run_sync(v, 1);
	CHECK_EQ(before->vec, TRAP_NONE);
	CHECK_EQ(before->val, 0x8000ff00);
	CHECK_EQ(write->vec, 13);
	CHECK_EQ(ioctl(vm->fd, KVM_ENABLE_CAP, &cap), 0);
	run_done(v);
	CHECK_EQ(after->vec, 13);
}

/* A new VM's TSC begins at 0; what the VMM writes to its vCPUs, one after the other, is one TSC. */
TEST(msr, tsc)
{
	struct vm *vm = vm_new(G_script, 2, 0);
	uint64_t khz = ioctl(vm->vcpu[0].fd, KVM_GET_TSC_KHZ, 0), diff, a, b;

	CHECK(get_msr(&vm->vcpu[0], 0x10) < 20 * khz * 1000);
	CHECK_EQ(get_msr(&vm->vcpu[0], 0x3b), 0);
	set_msr(&vm->vcpu[0], 0x10, 1ull << 50);
	sleep_ms(200);
	set_msr(&vm->vcpu[1], 0x10, 1ull << 50);
	a = get_msr(&vm->vcpu[0], 0x10);
	b = get_msr(&vm->vcpu[1], 0x10);
	diff = b - a;
	CHECK(a > (1ull << 50) + 150 * khz && diff < 100 * khz);
	CHECK_EQ(get_msr(&vm->vcpu[1], 0x3b), 0);
}
