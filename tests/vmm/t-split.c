/* SPDX-License-Identifier: GPL-2.0-only */
/* Only local APICs in the kernel: PIC and IOAPIC are the VMM's (split irqchip). */
#include "test.h"

#include <sys/eventfd.h>

static int enable_split(int fd, uint64_t pins, uint32_t flags)
{
	struct kvm_enable_cap c = { .cap = KVM_CAP_SPLIT_IRQCHIP, .flags = flags, .args = { pins } };

	return ioctl(fd, KVM_ENABLE_CAP, &c);
}

static int new_vm(void)
{
	int fd = ioctl(kvm_fd, KVM_CREATE_VM, 0);

	CHECK(fd >= 0);
	return fd;
}

TEST(split, refused)
{
	int fd = new_vm();

	CHECK_ERRNO(enable_split(fd, 4097, 0), EINVAL);
	CHECK_ERRNO(enable_split(fd, 24, 1), EINVAL);
	CHECK_EQ(enable_split(fd, 4096, 0), 0);
	CHECK_ERRNO(enable_split(fd, 24, 0), EEXIST);
	CHECK_ERRNO(ioctl(fd, KVM_CREATE_IRQCHIP, 0), EEXIST);
	fd = new_vm();
	CHECK_EQ(ioctl(fd, KVM_CREATE_IRQCHIP, 0), 0);
	CHECK_ERRNO(enable_split(fd, 24, 0), EEXIST);
	fd = new_vm();
	CHECK(ioctl(fd, KVM_CREATE_VCPU, 0) >= 0);
	CHECK_ERRNO(enable_split(fd, 24, 0), EEXIST);
}

TEST(split, no_chips)
{
	struct { struct kvm_irq_routing h; struct kvm_irq_routing_entry e; } r = {
		.h.nr = 1, .e = { .type = KVM_IRQ_ROUTING_IRQCHIP },
	};
	struct kvm_irqchip chip = { .chip_id = KVM_IRQCHIP_IOAPIC };
	struct kvm_irqfd f = { .fd = eventfd(0, 0), .resamplefd = eventfd(0, 0) };
	struct kvm_pit_config pit = { 0 };
	struct kvm_pit_state2 state;
	int fd = new_vm();

	CHECK_ERRNO(ioctl(fd, KVM_IRQFD, &f), EINVAL);
	CHECK_EQ(enable_split(fd, 24, 0), 0);
	CHECK_ERRNO(ioctl(fd, KVM_GET_IRQCHIP, &chip), ENXIO);
	CHECK_ERRNO(ioctl(fd, KVM_SET_IRQCHIP, &chip), ENXIO);
	CHECK_ERRNO(ioctl(fd, KVM_CREATE_PIT2, &pit), ENOENT);
	CHECK_ERRNO(ioctl(fd, KVM_GET_PIT2, &state), ENXIO);
	CHECK_ERRNO(ioctl(fd, KVM_SET_GSI_ROUTING, &r), EINVAL);
	CHECK_EQ(ioctl(fd, KVM_IRQFD, &f), 0);
	f.fd = eventfd(0, 0);
	f.flags = KVM_IRQFD_FLAG_RESAMPLE;
	CHECK_ERRNO(ioctl(fd, KVM_IRQFD, &f), EINVAL);
}

static int interrupt(struct vcpu *v, uint32_t vector)
{
	struct kvm_interrupt irq = { .irq = vector };

	return ioctl(v->fd, KVM_INTERRUPT, &irq);
}

TEST(split, interrupt)
{
	struct vm *vm = vm_new(G_extint, 1, VM_SPLIT);
	struct vcpu *v = &vm->vcpu[0];

	CHECK_ERRNO(interrupt(v, 256), EINVAL);
	run_sync(v, 1);
	CHECK_EQ(v->run->if_flag, 0);
	CHECK_EQ(v->run->ready_for_interrupt_injection, 0);
	v->run->request_interrupt_window = 1;
	run_exit(v, KVM_EXIT_IRQ_WINDOW_OPEN);
	CHECK_EQ(v->run->if_flag, 1);
	CHECK_EQ(v->run->ready_for_interrupt_injection, 1);
	v->run->request_interrupt_window = 0;
	CHECK_EQ(interrupt(v, 0x61), 0);
	CHECK_ERRNO(interrupt(v, 0x62), EEXIST);
	run_sync(v, 2);
	CHECK_EQ(interrupt(v, 0x61), 0);
	run_sync(v, 3);
	CHECK_EQ(interrupt(v, 0x61), 0);
	run_done(v);
	CHECK_EQ(vm->p->res[0], 3);
}

TEST(split, interrupt_with_pic)
{
	struct vm *vm = vm_new(G_spin, 1, 0);

	CHECK_ERRNO(interrupt(&vm->vcpu[0], 0x61), ENXIO);
}

/* An EOI is reported for vectors of the pins alone. */
TEST(split, eoi_of_pins)
{
	struct vm *vm = vm_new(G_level_eoi, 1, VM_SPLIT);
	struct vcpu *v = &vm->vcpu[0];
	struct { struct kvm_irq_routing h; struct kvm_irq_routing_entry e; } r = {
		.h.nr = 1,
		.e = { .gsi = 24, .type = KVM_IRQ_ROUTING_MSI,
		       .u.msi = { .address_lo = 0xfee00000, .data = 0xc051 } },
	};

	vm->p->arg[0] = 1;
	CHECK_EQ(ioctl(vm->fd, KVM_SET_GSI_ROUTING, &r), 0);
	run_sync(v, 1);
	CHECK(signal_msi(vm, 0xfee00000, 0xc051) > 0);
	run_done(v);
}
