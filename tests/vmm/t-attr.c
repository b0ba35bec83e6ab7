/* SPDX-License-Identifier: GPL-2.0-only */
/* Attributes of the system's and vCPUs' files, machine checks and the clock's mark. */
#include "test.h"

#include <x86intrin.h>

static int attr(int fd, unsigned long cmd, uint32_t group, uint64_t nr, void *p)
{
	struct kvm_device_attr a = { .group = group, .attr = nr, .addr = (uintptr_t)p };

	return ioctl(fd, cmd, &a);
}

TEST(attr, system)
{
	uint64_t xcr0 = 0;

	if (check_cap(kvm_fd, KVM_CAP_SYS_ATTRIBUTES) <= 0)
		SKIP("no KVM_CAP_SYS_ATTRIBUTES");
	CHECK_EQ(attr(kvm_fd, KVM_HAS_DEVICE_ATTR, 0, KVM_X86_XCOMP_GUEST_SUPP, NULL), 0);
	CHECK_EQ(attr(kvm_fd, KVM_GET_DEVICE_ATTR, 0, KVM_X86_XCOMP_GUEST_SUPP, &xcr0), 0);
	CHECK_EQ(xcr0 & 3, 3);
	CHECK_ERRNO(attr(kvm_fd, KVM_HAS_DEVICE_ATTR, 0, 77, NULL), ENXIO);
	CHECK_ERRNO(attr(kvm_fd, KVM_GET_DEVICE_ATTR, 7, 0, &xcr0), ENXIO);
	CHECK_ERRNO(attr(kvm_fd, KVM_GET_DEVICE_ATTR, 0, KVM_X86_XCOMP_GUEST_SUPP, (void *)1), EFAULT);
}

TEST(attr, tsc_offset)
{
	struct vm *vm = vm_new(G_script, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	uint64_t off = -(180ull << 30), back = 0, lo, hi;

	if (check_cap(vm->fd, KVM_CAP_VCPU_ATTRIBUTES) <= 0)
		SKIP("no KVM_CAP_VCPU_ATTRIBUTES");
	CHECK_EQ(attr(v->fd, KVM_HAS_DEVICE_ATTR, KVM_VCPU_TSC_CTRL, KVM_VCPU_TSC_OFFSET, NULL), 0);
	CHECK_ERRNO(attr(v->fd, KVM_HAS_DEVICE_ATTR, KVM_VCPU_TSC_CTRL, 5, NULL), ENXIO);
	CHECK_ERRNO(attr(v->fd, KVM_HAS_DEVICE_ATTR, 5, 0, NULL), ENXIO);
	CHECK_EQ(attr(v->fd, KVM_SET_DEVICE_ATTR, KVM_VCPU_TSC_CTRL, KVM_VCPU_TSC_OFFSET, &off), 0);
	CHECK_EQ(attr(v->fd, KVM_GET_DEVICE_ATTR, KVM_VCPU_TSC_CTRL, KVM_VCPU_TSC_OFFSET, &back), 0);
	CHECK_EQ(back, off);
	lo = __rdtsc() + off;
	op_add(vm, OP_RDMSR, 0, 0x10, 0);
	run_done(v);
	hi = __rdtsc() + off;
	CHECK(vm->ops[0].val - lo <= hi - lo);
}

/* A guest that was stopped hears of it in its clock. */
TEST(attr, clock_stopped)
{
	struct vm *vm = vm_new(G_script, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	volatile uint8_t *flags = vm->mem + GPA_SCRATCH + 29;

	if (check_cap(vm->fd, KVM_CAP_KVMCLOCK_CTRL) <= 0)
		SKIP("no KVM_CAP_KVMCLOCK_CTRL");
	CHECK_ERRNO(ioctl(v->fd, KVM_KVMCLOCK_CTRL, 0), EINVAL);
	op_add(vm, OP_WRMSR, 0, 0x4b564d01, GPA_SCRATCH | 1);
	for (int i = 1; i <= 4; i++)
		op_add(vm, OP_SYNC, 0, i, 0);
	run_sync(v, 1);
	run_sync(v, 2);
	CHECK_EQ(*flags & 2, 0);
	CHECK_EQ(ioctl(v->fd, KVM_KVMCLOCK_CTRL, 0), 0);
	run_sync(v, 3);
	CHECK_EQ(*flags & 2, 2);
	*flags &= ~2;
	run_sync(v, 4);
	CHECK_EQ(*flags & 2, 0);
}

#define MCI_VAL		(1ull << 63)
#define MCI_OVER	(1ull << 62)
#define MCI_UC		(1ull << 61)
#define MCI_EN		(1ull << 60)
#define MCI_PCC		(1ull << 57)

/* Corrected errors are written down; one that is not is a #MC, or the end without CR4.MCE. */
TEST(attr, machine_check)
{
	struct vm *vm = vm_new(G_script, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	struct kvm_x86_mce m = { .bank = 3, .status = MCI_VAL | MCI_EN | 0x11, .addr = 0x1234000 };
	uint64_t cap = 10 | 1 << 8;
	struct kvm_sregs s;

	CHECK_EQ(ioctl(v->fd, KVM_X86_SETUP_MCE, &cap), 0);
	CHECK_EQ(ioctl(v->fd, KVM_X86_SET_MCE, &m), 0);
	CHECK_EQ(get_msr(v, 0x401 + 4 * 3), m.status);
	CHECK_EQ(get_msr(v, 0x402 + 4 * 3), 0x1234000);
	CHECK_EQ(ioctl(v->fd, KVM_X86_SET_MCE, &m), 0);
	CHECK_EQ(get_msr(v, 0x401 + 4 * 3), m.status | MCI_OVER);
	m.bank = 10;
	CHECK_ERRNO(ioctl(v->fd, KVM_X86_SET_MCE, &m), EINVAL);
	m.bank = 4;
	m.status = MCI_EN;
	CHECK_ERRNO(ioctl(v->fd, KVM_X86_SET_MCE, &m), EINVAL);
	op_add(vm, OP_SYNC, 0, 1, 0);
	run_sync(v, 1);
	CHECK_EQ(ioctl(v->fd, KVM_GET_SREGS, &s), 0);
	s.cr4 |= 0x40;
	CHECK_EQ(ioctl(v->fd, KVM_SET_SREGS, &s), 0);
	m.status = MCI_VAL | MCI_UC | MCI_EN | MCI_PCC | 0x22;
	m.mcg_status = 5;				/* MCIP, RIPV */
	CHECK_EQ(ioctl(v->fd, KVM_X86_SET_MCE, &m), 0);
	CHECK_EQ(get_msr(v, 0x17a), 5);
	CHECK_EQ(get_msr(v, 0x401 + 4 * 4), m.status);
	CHECK_EQ(run_once(v), 0);
	CHECK_EQ(v->run->exit_reason, KVM_EXIT_IO);
	CHECK_EQ(v->run->io.port, PORT_FAIL);
	CHECK_EQ(vm->p->fail_vec, 18);
	CHECK_EQ(ioctl(v->fd, KVM_X86_SET_MCE, &m), 0);	/* once more, while one is handled */
	run_exit(v, KVM_EXIT_SHUTDOWN);
}
