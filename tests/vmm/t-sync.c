/* SPDX-License-Identifier: GPL-2.0-only */
/* State that travels with KVM_RUN, and the second forms of state ioctls. */
#include "test.h"

#include <stdlib.h>

/* Port 0x5f0 is left; then the guest shows the registers that it has. */
TEST(sync, regs)
{
	struct vm *vm = vm_new(G_regs, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	struct kvm_sync_regs *s = &v->run->s.regs;
	struct kvm_vcpu_events e;
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	CHECK_EQ(check_cap(kvm_fd, KVM_CAP_SYNC_REGS), KVM_SYNC_X86_VALID_FIELDS);
	CHECK_EQ(check_cap(vm->fd, KVM_CAP_SYNC_REGS), KVM_SYNC_X86_VALID_FIELDS);
	v->run->kvm_valid_regs = KVM_SYNC_X86_VALID_FIELDS;
	run_sync(v, 1);
	CHECK_EQ(s->regs.rbx, 0x1000000000000003);
	CHECK_EQ(s->sregs.cr3, GPA_TABLES);
	CHECK_EQ(ioctl(v->fd, KVM_GET_REGS, &regs), 0);
	CHECK_EQ(ioctl(v->fd, KVM_GET_SREGS, &sregs), 0);
	CHECK_EQ(ioctl(v->fd, KVM_GET_VCPU_EVENTS, &e), 0);
	CHECK(!memcmp(&regs, &s->regs, sizeof(regs)));
	CHECK(!memcmp(&sregs, &s->sregs, sizeof(sregs)));
	CHECK(!memcmp(&e, &s->events, sizeof(e)));

	/* Clean registers are not taken, and what is not asked for is not given. */
	s->regs.rbx = 0xbad;
	s->regs.r15 = 0x2015;
	s->sregs.cr2 = 0x3000;
	v->run->kvm_valid_regs = 0;
	v->run->kvm_dirty_regs = KVM_SYNC_X86_SREGS;
	v->run->immediate_exit = 1;
	CHECK_EQ(run_once(v), -EINTR);
	CHECK_EQ(v->run->kvm_dirty_regs, 0);
	CHECK_EQ(ioctl(v->fd, KVM_GET_REGS, &regs), 0);
	CHECK_EQ(regs.rbx, 0x1000000000000003);
	CHECK_EQ(ioctl(v->fd, KVM_GET_SREGS, &sregs), 0);
	CHECK_EQ(sregs.cr2, 0x3000);
	CHECK_EQ(s->regs.rbx, 0xbad);

	/* What is dirty is taken. */
	s->regs = regs;
	s->regs.r15 = 0x2015;
	v->run->immediate_exit = 0;
	v->run->kvm_dirty_regs = KVM_SYNC_X86_REGS;
	run_done(v);
	CHECK_EQ(vm->p->res[15], 0x2015);
}

/* An NMI that is made pending this way comes. */
TEST(sync, events)
{
	struct vm *vm = vm_new(G_nmi, 1, 0);
	struct vcpu *v = &vm->vcpu[0];

	v->run->kvm_valid_regs = KVM_SYNC_X86_EVENTS;
	run_sync(v, 1);
	CHECK_EQ(v->run->s.regs.events.nmi.pending, 0);
	v->run->s.regs.events.nmi.pending = 1;
	v->run->s.regs.events.flags = KVM_VCPUEVENT_VALID_NMI_PENDING;
	v->run->kvm_dirty_regs = KVM_SYNC_X86_EVENTS;
	run_sync(v, 2);
	CHECK_EQ(v->run->s.regs.events.nmi.masked, 1);
	CHECK_EQ(ioctl(v->fd, KVM_NMI, 0), 0);
	run_done(v);
}

TEST(sync, errors)
{
	struct vm *vm = vm_new(G_regs, 1, 0);
	struct vcpu *v = &vm->vcpu[0];

	for (int bit = 3; bit < 32; bit++) {
		v->run->kvm_valid_regs = 1ull << bit;
		CHECK_EQ(run_once(v), -EINVAL);
		v->run->kvm_valid_regs = 0;
		v->run->kvm_dirty_regs = 1ull << bit;
		CHECK_EQ(run_once(v), -EINVAL);
		v->run->kvm_dirty_regs = 0;
	}
	v->run->kvm_valid_regs = KVM_SYNC_X86_VALID_FIELDS;
	run_sync(v, 1);
	v->run->s.regs.sregs.cr4 |= 1ull << 40;		/* no such bit */
	v->run->kvm_dirty_regs = KVM_SYNC_X86_SREGS;
	CHECK_EQ(run_once(v), -EINVAL);
	v->run->s.regs.events.flags = ~0u;
	v->run->kvm_dirty_regs = KVM_SYNC_X86_EVENTS;
	CHECK_EQ(run_once(v), -EINVAL);
	v->run->kvm_dirty_regs = 0;
	run_done(v);
}

TEST(state, xsave2)
{
	struct vm *vm = vm_new(G_fpregs, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	int size = check_cap(vm->fd, KVM_CAP_XSAVE2);
	struct kvm_xsave first;
	uint8_t *x;

	CHECK(size >= (int)sizeof(first));
	x = malloc(size);
	vm->p->arg[0] = 0x11000000;
	run_sync(v, 1);
	CHECK_EQ(ioctl(v->fd, KVM_GET_XSAVE, &first), 0);
	CHECK_EQ(ioctl(v->fd, KVM_GET_XSAVE2, x), 0);
	CHECK(!memcmp(x, &first, sizeof(first)));
	memset(x + 160, 0x5a, 16);			/* XMM0 */
	CHECK_EQ(ioctl(v->fd, KVM_SET_XSAVE, x), 0);
	run_sync(v, 2);
	CHECK(!memcmp(vm->mem + GPA_SCRATCH2, x + 160, 16));
	run_done(v);
	CHECK_ERRNO(ioctl(v->fd, KVM_GET_XSAVE2, NULL), EFAULT);
}

/* The VM's file tells what its vCPUs have. */
TEST(state, tsc_khz)
{
	struct vm *vm = vm_new(G_script, 1, 0);
	int khz = ioctl(vm->fd, KVM_GET_TSC_KHZ, 0);

	CHECK(khz > 0);
	CHECK_EQ(ioctl(vm->vcpu[0].fd, KVM_GET_TSC_KHZ, 0), khz);
	CHECK_EQ(ioctl(vm->fd, KVM_SET_TSC_KHZ, khz), 0);
	CHECK_EQ(ioctl(vm->fd, KVM_SET_TSC_KHZ, 0), 0);
	CHECK_EQ(ioctl(vm->fd, KVM_GET_TSC_KHZ, 0), khz);
	CHECK_EQ(ioctl(vm->vcpu[0].fd, KVM_SET_TSC_KHZ, khz), 0);
}
