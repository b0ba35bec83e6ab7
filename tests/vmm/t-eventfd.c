/* SPDX-License-Identifier: GPL-2.0-only */
/* ioeventfd and irqfd. */
#include "test.h"

#include <poll.h>
#include <sys/eventfd.h>

static int efd_new(void)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	CHECK(fd >= 0);
	return fd;
}

static uint64_t efd_now(int fd)
{
	uint64_t n;

	return read(fd, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

static int ioeventfd(struct vm *vm, int fd, uint64_t addr, uint32_t len, uint32_t flags, uint64_t match)
{
	struct kvm_ioeventfd e = { .datamatch = match, .addr = addr, .len = len, .fd = fd, .flags = flags };

	return ioctl(vm->fd, KVM_IOEVENTFD, &e) < 0 ? -errno : 0;
}

static void io_match(uint32_t flags, uint64_t addr, int op)
{
	struct vm *vm = vm_new(G_script, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	int any = efd_new(), three = efd_new(), four = efd_new();

	CHECK_EQ(ioeventfd(vm, any, addr, 2, flags, 0), 0);
	CHECK_EQ(ioeventfd(vm, three, addr + 8, 4, flags | KVM_IOEVENTFD_FLAG_DATAMATCH, 3), 0);
	CHECK_EQ(ioeventfd(vm, four, addr + 8, 4, flags | KVM_IOEVENTFD_FLAG_DATAMATCH, 4), 0);
	CHECK_EQ(ioeventfd(vm, any, addr + 8, 4, flags | KVM_IOEVENTFD_FLAG_DATAMATCH, 4), -EEXIST);

	for (int i = 0; i < 5; i++)
		op_add(vm, op, 2, addr, i);
	op_add(vm, op, 4, addr + 8, 3);
	op_add(vm, op, 4, addr + 8, 4);
	op_add(vm, op, 4, addr + 8, 4);
	op_add(vm, OP_SYNC, 0, 1, 0);
	op_add(vm, op, 1, addr, 0x55);		/* another length */
	op_add(vm, op, 4, addr + 8, 5);		/* another value */
	op_add(vm, OP_SYNC, 0, 2, 0);
	op_add(vm, op, 2, addr, 0x66);		/* taken away by then */
	run_sync(v, 1);
	/* Signalled by now, whichever CPU of the service VM has done it. */
	CHECK_EQ(efd_now(any), 5);
	CHECK_EQ(efd_now(three), 1);
	CHECK_EQ(efd_now(four), 2);
	for (int i = 0; i < 2; i++)
		run_exit(v, op == OP_OUT ? KVM_EXIT_IO : KVM_EXIT_MMIO);
	run_sync(v, 2);
	CHECK_EQ(efd_now(any) + efd_now(three) + efd_now(four), 0);
	CHECK_EQ(ioeventfd(vm, any, addr, 2, flags | KVM_IOEVENTFD_FLAG_DEASSIGN, 0), 0);
	CHECK_EQ(ioeventfd(vm, any, addr, 2, flags | KVM_IOEVENTFD_FLAG_DEASSIGN, 0), -ENOENT);
	run_exit(v, op == OP_OUT ? KVM_EXIT_IO : KVM_EXIT_MMIO);
	run_done(v);
	CHECK_EQ(efd_now(any), 0);
}

TEST(eventfd, pio) { io_match(KVM_IOEVENTFD_FLAG_PIO, PORT_TEST, OP_OUT); }
TEST(eventfd, mmio) { io_match(0, GPA_MMIO, OP_WRITE); }

/* Length 0: a write of any length, and in one case any value. */
TEST(eventfd, any_length)
{
	struct vm *vm = vm_new(G_script, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	int fd = efd_new();

	CHECK_EQ(ioeventfd(vm, fd, GPA_MMIO + 0x100, 0, 0, 0), 0);
	CHECK_EQ(ioeventfd(vm, fd, PORT_TEST, 0, KVM_IOEVENTFD_FLAG_PIO, 0), 0);
	CHECK_EQ(ioeventfd(vm, fd, GPA_MMIO, 0, KVM_IOEVENTFD_FLAG_DATAMATCH, 1), -EINVAL);
	CHECK_EQ(ioeventfd(vm, fd, GPA_MMIO, 3, 0, 0), -EINVAL);
	CHECK_EQ(ioeventfd(vm, fd, GPA_MMIO, 4, 0x100, 0), -EINVAL);
	CHECK_EQ(ioeventfd(vm, -1, GPA_MMIO, 4, 0, 0), -EBADF);
	for (int i = 0; i < 4; i++)
		op_add(vm, OP_WRITE, 1 << i, GPA_MMIO + 0x100, i);
	for (int i = 0; i < 3; i++)
		op_add(vm, OP_OUT, 1 << i, PORT_TEST, i);
	op_add(vm, OP_READ, 4, GPA_MMIO + 0x100, 0);	/* reads still exit */
	run_exit(v, KVM_EXIT_MMIO);
	CHECK_EQ(v->run->mmio.is_write, 0);
	CHECK_EQ(efd_now(fd), 7);
	run_done(v);
}

static int irqfd(struct vm *vm, int fd, uint32_t gsi, uint32_t flags)
{
	struct kvm_irqfd f = { .fd = fd, .gsi = gsi, .flags = flags };

	return ioctl(vm->fd, KVM_IRQFD, &f) < 0 ? -errno : 0;
}

static void efd_signal(int fd)
{
	uint64_t one = 1;

	CHECK_EQ(write(fd, &one, 8), 8);
}

/* One through the IOAPIC's pin, one through an MSI route, while the guest halts. */
/* More than Bedplate matches itself. One that goes makes room for another. */
TEST(eventfd, many)
{
	struct vm *vm = vm_new(G_script, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	static const int written[] = { 0, 126, 127, 128, 299 };
	int fd[300];

	for (int i = 0; i < 300; i++) {
		fd[i] = efd_new();
		CHECK_EQ(ioeventfd(vm, fd[i], GPA_MMIO, 4, KVM_IOEVENTFD_FLAG_DATAMATCH, i), 0);
	}
	for (int stage = 1; stage < 3; stage++) {
		for (int i = 0; i < 5; i++)
			op_add(vm, OP_WRITE, 4, GPA_MMIO, written[i]);
		op_add(vm, OP_SYNC, 0, stage, 0);
	}
	op_add(vm, OP_WRITE, 4, GPA_MMIO, 0);
	run_sync(v, 1);
	for (int i = 0; i < 300; i++)
		CHECK_EQ(efd_now(fd[i]), i == 0 || (i >= 126 && i <= 128) || i == 299);
	for (int i = 1; i < 100; i++)
		CHECK_EQ(ioeventfd(vm, fd[i], GPA_MMIO, 4,
				   KVM_IOEVENTFD_FLAG_DATAMATCH | KVM_IOEVENTFD_FLAG_DEASSIGN, i), 0);
	run_sync(v, 2);
	for (int i = 0; i < 5; i++)
		CHECK_EQ(efd_now(fd[written[i]]), 1);
	for (int i = 0; i < 300; i++)
		CHECK_EQ(ioeventfd(vm, fd[i], GPA_MMIO, 4,
				   KVM_IOEVENTFD_FLAG_DATAMATCH | KVM_IOEVENTFD_FLAG_DEASSIGN, i),
			 i > 0 && i < 100 ? -ENOENT : 0);
	run_exit(v, KVM_EXIT_MMIO);
	run_done(v);
	for (int i = 0; i < 300; i++)
		close(fd[i]);
}

TEST(eventfd, irqfd)
{
	struct vm *vm = vm_new(G_irqcount, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	int pin_fd = efd_new(), msi_fd = efd_new();
	struct { struct kvm_irq_routing h; struct kvm_irq_routing_entry e[2]; } r = {
		.h.nr = 2,
		.e = { { .gsi = 10, .type = KVM_IRQ_ROUTING_IRQCHIP, .u.irqchip = { KVM_IRQCHIP_IOAPIC, 10 } },
		       { .gsi = 40, .type = KVM_IRQ_ROUTING_MSI,
			 .u.msi = { .address_lo = 0xfee00000, .data = 0x51 } } },
	};

	vm->p->arg[0] = 4;
	vm->p->arg[1] = 10;
	CHECK_EQ(ioctl(vm->fd, KVM_SET_GSI_ROUTING, &r), 0);
	CHECK_EQ(irqfd(vm, pin_fd, 10, 0), 0);
	CHECK_EQ(irqfd(vm, msi_fd, 40, 0), 0);
	CHECK_EQ(irqfd(vm, msi_fd, 40, 0), -EBUSY);
	CHECK_EQ(irqfd(vm, -1, 40, 0), -EBADF);
	run_sync(v, 1);
	for (int i = 0; i < 2; i++) {
		efd_signal(pin_fd);
		run_sync(v, 2 + 2 * i);
		efd_signal(msi_fd);
		run_sync(v, 3 + 2 * i);
		CHECK_EQ(vm->p->res[0], 1 + i);
		CHECK_EQ(vm->p->res[1], 1 + i);
	}
	CHECK_EQ(irqfd(vm, msi_fd, 40, KVM_IRQFD_FLAG_DEASSIGN), 0);
	efd_signal(msi_fd);
	CHECK_EQ(efd_now(msi_fd), 1);			/* nobody takes it any more */
	run_done(v);
}

/* An irqfd wakes a halted vCPU from another thread, as vhost would. */
struct signaller {
	int fd;
	volatile uint64_t *count;	/* the interrupts that the guest took */
};

static void *signal_later(void *arg)
{
	struct signaller *s = arg;

	for (int i = 0; i < 5; i++) {
		sleep_ms(20);
		efd_signal(s->fd);
		wait_while(s->count, i);	/* two before it is taken would be one */
	}
	return NULL;
}

TEST(eventfd, irqfd_wakes)
{
	struct vm *vm = vm_new(G_hlt, 1, 0);
	struct signaller s = { efd_new(), &vm->p->res[0] };
	struct { struct kvm_irq_routing h; struct kvm_irq_routing_entry e[1]; } r = {
		.h.nr = 1,
		.e = { { .gsi = 5, .type = KVM_IRQ_ROUTING_MSI,
			 .u.msi = { .address_lo = 0xfee00000, .data = 0x51 } } },
	};
	pthread_t t;

	vm->p->arg[0] = 5;
	CHECK_EQ(ioctl(vm->fd, KVM_SET_GSI_ROUTING, &r), 0);
	CHECK_EQ(irqfd(vm, s.fd, 5, 0), 0);
	run_sync(&vm->vcpu[0], 1);
	CHECK_EQ(pthread_create(&t, NULL, signal_later, &s), 0);
	run_done(&vm->vcpu[0]);
	pthread_join(t, NULL);
	CHECK_EQ(vm->p->res[0], 5);
}
