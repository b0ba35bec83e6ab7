/* SPDX-License-Identifier: GPL-2.0-only */
/* Interrupts of one CPU: PIC, IOAPIC, PIT, MSI, local APIC, NMI, shadows. */
#include "test.h"

static void pic(int irq, int level)
{
	struct vm *vm = vm_new(G_pic, 1, 0);
	struct vcpu *v = &vm->vcpu[0];

	vm->p->arg[0] = irq;
	vm->p->arg[1] = level;
	run_sync(v, 1);
	irq_line(vm, irq, 1);
	if (level) {
		run_sync(v, 3);			/* the third: EOI with the line high came back */
		irq_line(vm, irq, 0);
		run_sync(v, 2);
	} else {
		run_sync(v, 2);
		irq_line(vm, irq, 1);		/* no new edge */
		irq_line(vm, irq, 0);
		irq_line(vm, irq, 1);
	}
	run_done(v);
	CHECK_EQ(vm->p->res[0], level ? 3 : 2);
}

TEST(irq, pic_edge) { pic(5, 0); }
TEST(irq, pic_level) { pic(5, 1); }
TEST(irq, pic_slave_level) { pic(11, 1); }

static void ioapic(int pin, int level)
{
	struct vm *vm = vm_new(G_ioapic, 1, 0);
	struct vcpu *v = &vm->vcpu[0];

	vm->p->arg[0] = pin;
	vm->p->arg[1] = level;
	run_sync(v, 1);
	irq_line(vm, pin, 1);
	if (level) {
		run_sync(v, 3);			/* the second: EOI with the line high came back */
		irq_line(vm, pin, 0);
		run_sync(v, 2);
		run_done(v);
		CHECK_EQ(vm->p->res[1] & (1 << 14), 0);	/* remote IRR is clear */
	} else {
		run_sync(v, 2);
		irq_line(vm, pin, 1);		/* no new edge */
		irq_line(vm, pin, 0);
		irq_line(vm, pin, 1);
		run_done(v);
	}
	CHECK_EQ(vm->p->res[0], 2);
}

TEST(irq, ioapic_edge) { ioapic(9, 0); }
TEST(irq, ioapic_level) { ioapic(10, 1); }
TEST(irq, ioapic_pin23) { ioapic(23, 1); }

static void route(struct vm *vm, int n, struct kvm_irq_routing_entry *e)
{
	struct { struct kvm_irq_routing h; struct kvm_irq_routing_entry e[4]; } r = { .h.nr = n };

	memcpy(r.e, e, n * sizeof(*e));
	CHECK_EQ(ioctl(vm->fd, KVM_SET_GSI_ROUTING, &r), 0);
}

static struct kvm_irq_routing_entry msi_route(int gsi, uint32_t vec)
{
	return (struct kvm_irq_routing_entry){
		.gsi = gsi, .type = KVM_IRQ_ROUTING_MSI, .u.msi = { .address_lo = 0xfee00000, .data = vec },
	};
}

TEST(irq, msi)
{
	struct vm *vm = vm_new(G_irqcount, 1, 0);
	struct vcpu *v = &vm->vcpu[0];
	struct kvm_irq_routing_entry e = msi_route(30, 0x52);

	vm->p->arg[0] = 3;
	CHECK(signal_msi(vm, 0xfee00000, 0x51) <= 0);	/* its APIC is not enabled yet */
	run_sync(v, 1);
	CHECK(signal_msi(vm, 0xfee00000, 0x51) > 0);
	run_sync(v, 2);
	CHECK(signal_msi(vm, 0xfee05000, 0x51) <= 0);	/* nobody has APIC id 5 */
	CHECK(signal_msi(vm, 0xfee00000, 0x52) > 0);
	run_sync(v, 3);
	CHECK_EQ(vm->p->res[0], 1);
	CHECK_EQ(vm->p->res[1], 1);
	route(vm, 1, &e);
	irq_line(vm, 30, 1);
	run_sync(v, 4);
	CHECK_EQ(vm->p->res[1], 2);
	run_done(v);
}

static void timer(int x2apic)
{
	struct vm *vm = vm_new(G_timer, 1, 0);

	vm->p->x2apic = x2apic;
	vm->p->arg[0] = 20000000;		/* 20 ms: KVM's APIC bus has a cycle of 1 ns */
	run_done(&vm->vcpu[0]);
	CHECK(vm->p->res[1] >= 6);
}

TEST(irq, timer_xapic) { timer(0); }
TEST(irq, timer_x2apic) { timer(1); }

TEST(irq, timer_deadline)
{
	struct vm *vm = vm_new(G_deadline, 1, 0);

	if (check_cap(kvm_fd, KVM_CAP_TSC_DEADLINE_TIMER) <= 0)
		SKIP("no TSC deadline timer");
	vm->p->arg[0] = 10000000;
	run_done(&vm->vcpu[0]);
}

static void one_guest(enum guest_id g, int x2apic, uint64_t arg)
{
	struct vm *vm = vm_new(g, 1, 0);

	vm->p->x2apic = x2apic;
	vm->p->arg[0] = arg;
	run_done(&vm->vcpu[0]);
}

TEST(irq, self_ipi_xapic) { one_guest(G_selfipi, 0, 0); }
TEST(irq, self_ipi_x2apic) { one_guest(G_selfipi, 1, 0); }
TEST(irq, priority_xapic) { one_guest(G_tpr, 0, 0); }
TEST(irq, priority_x2apic) { one_guest(G_tpr, 1, 0); }
TEST(irq, movss_shadow) { one_guest(G_movss, 1, 1000000); }

TEST(irq, sti_shadow)
{
	struct vm *vm = vm_new(G_stishadow, 1, 0);

	vm->p->x2apic = 1;
	for (int i = 0; i < 20; i++)
		run_sync(&vm->vcpu[0], 0x77);
	run_done(&vm->vcpu[0]);
}

TEST(irq, nmi)
{
	struct vm *vm = vm_new(G_nmi, 1, 0);
	struct vcpu *v = &vm->vcpu[0];

	run_sync(v, 1);
	CHECK_EQ(ioctl(v->fd, KVM_NMI, 0), 0);
	run_sync(v, 2);
	CHECK_EQ(ioctl(v->fd, KVM_NMI, 0), 0);
	run_done(v);
	CHECK_EQ(vm->p->res[0], 2);
	CHECK_EQ(vm->p->res[1], 1);
}

TEST(irq, pit)
{
	struct vm *vm = vm_new(G_pit, 1, VM_PIT);
	uint64_t start, took;

	vm->p->arg[0] = 20;
	start = now_ns();
	run_done(&vm->vcpu[0]);
	took = now_ns() - start;
	CHECK(vm->p->res[0] >= 20);
	CHECK(took >= 19 * 5 * 1000000ull);
	test_note("20 ticks at 200 Hz took %llu ms", (unsigned long long)took / 1000000);
}

static uint64_t late_ticks(struct vm *vm)
{
	vm->p->arg[0] = ioctl(vm->vcpu[0].fd, KVM_GET_TSC_KHZ, 0) * 500ull;	/* 100 ticks */
	run_sync(&vm->vcpu[0], 1);
	usleep(600000);				/* that is 120 ticks */
	run_done(&vm->vcpu[0]);
	return vm->p->res[0];
}

/* Ticks that the guest could not take come when it can, unless the VMM does not want that. */
TEST(irq, pit_reinject)
{
	struct vm *vm = vm_new(G_pitlate, 1, VM_PIT);
	struct kvm_reinject_control off = { .pit_reinject = 0 };
	uint64_t kept = late_ticks(vm), lost;

	CHECK(kept > 110);
	if (check_cap(vm->fd, KVM_CAP_REINJECT_CONTROL) <= 0)
		SKIP("no KVM_REINJECT_CONTROL");
	vm = vm_new(G_pitlate, 1, VM_PIT);
	CHECK_ERRNO(ioctl(vm->fd, KVM_REINJECT_CONTROL, NULL), EFAULT);
	CHECK_EQ(ioctl(vm->fd, KVM_REINJECT_CONTROL, &off), 0);
	lost = late_ticks(vm);
	CHECK(lost >= 1 && lost <= 110);
	vm = vm_new(G_script, 1, 0);
	CHECK_ERRNO(ioctl(vm->fd, KVM_REINJECT_CONTROL, &off), ENXIO);
}

TEST(irq, port61)
{
	struct vm *vm = vm_new(G_port61, 1, VM_PIT);
	int khz = ioctl(vm->vcpu[0].fd, KVM_GET_TSC_KHZ, 0);

	CHECK(khz > 0);
	/* 8191 ticks at 1.193182 MHz; a tenth for what the rates are measured with. */
	vm->p->arg[0] = 8191ull * khz * 1000 / 1193182 * 9 / 10;
	run_done(&vm->vcpu[0]);
	CHECK(vm->p->res[0] >= vm->p->arg[0]);
}

/* The chips' state is readable, settable and tells what the guest did. */
TEST(irq, chip_state)
{
	struct vm *vm = vm_new(G_ioapic, 1, VM_PIT);
	struct kvm_irqchip c = { .chip_id = KVM_IRQCHIP_IOAPIC };
	struct kvm_pit_state2 pit;

	vm->p->arg[0] = 9;
	run_sync(&vm->vcpu[0], 1);
	CHECK_EQ(ioctl(vm->fd, KVM_GET_IRQCHIP, &c), 0);
	CHECK_EQ(c.chip.ioapic.redirtbl[9].fields.vector, 0x51);
	CHECK_EQ(c.chip.ioapic.redirtbl[9].fields.mask, 0);
	CHECK_EQ(c.chip.ioapic.redirtbl[8].fields.mask, 1);
	c.chip.ioapic.redirtbl[8].fields.vector = 0x51;
	c.chip.ioapic.redirtbl[8].fields.mask = 0;
	CHECK_EQ(ioctl(vm->fd, KVM_SET_IRQCHIP, &c), 0);
	irq_line(vm, 8, 1);
	run_sync(&vm->vcpu[0], 2);
	c.chip_id = KVM_IRQCHIP_PIC_SLAVE;
	CHECK_EQ(ioctl(vm->fd, KVM_GET_IRQCHIP, &c), 0);
	c.chip_id = 3;
	CHECK_ERRNO(ioctl(vm->fd, KVM_GET_IRQCHIP, &c), EINVAL);
	CHECK_EQ(ioctl(vm->fd, KVM_GET_PIT2, &pit), 0);
	CHECK_EQ(ioctl(vm->fd, KVM_SET_PIT2, &pit), 0);
}
