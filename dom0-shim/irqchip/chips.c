// SPDX-License-Identifier: GPL-2.0-only
/*
 * PIC and IOAPIC of a VM: locking, the wires to Bedplate and the guest's
 * accesses.  What happens after the lock is dropped - telling the PIT and
 * irqfds that an interrupt has been served - is collected under it.
 */
#include "irqchip_priv.h"

static struct bp_irqchip *from_ioapic(struct bp_ioapic *ioapic)
{
	return container_of(ioapic, struct bp_irqchip, ioapic);
}

/* ---- wires to Bedplate; chip lock held ---- */

static int deliver(struct bp_ioapic *ioapic, u64 address, u32 data)
{
	return bp_hc_msi(from_ioapic(ioapic)->vm->dom, address, data);
}

static void defer(struct bp_ioapic *ioapic)
{
	schedule_delayed_work(&from_ioapic(ioapic)->retry,
			      msecs_to_jiffies(10));
}

static const struct bp_ioapic_ops ioapic_ops = {
	.deliver = deliver,
	.defer = defer,
};

/* Bedplate looks at the vCPU's LVT0; without the vCPU nobody listens yet. */
static void update_intr(struct bp_irqchip *ic)
{
	if (ic->pic.output == ic->intr)
		return;
	ic->intr = ic->pic.output;
	bp_hc_extint(ic->vm->dom, 0, ic->intr);
}

/* ---- the PIC ---- */

/* End an operation on the PIC, then tell who waits for served interrupts. */
static void pic_unlock(struct bp_irqchip *ic, unsigned long flags)
{
	unsigned long acked = ic->pic.acked;
	unsigned int pin;
	u32 gsi;

	ic->pic.acked = 0;
	update_intr(ic);
	raw_spin_unlock_irqrestore(&ic->lock, flags);

	for_each_set_bit(pin, &acked, BP_PIC_PINS) {
		gsi = bp_gsi_of_pic(ic, pin);
		if (pin == 0)
			bp_pit_ack(ic);
		if (gsi != BP_ROUTING_NONE)
			bp_irqfd_ack(ic, gsi);
	}
}

/* A wider access reaches the following ports, as on the ISA bus. */
static int pic_read(struct bp_vcpu *vcpu, struct bp_io_device *dev, u64 addr,
		    int len, void *val)
{
	struct bp_irqchip *ic = container_of(dev, struct bp_irqchip, pic_dev);
	unsigned long flags;
	u8 *byte = val;
	int i;

	raw_spin_lock_irqsave(&ic->lock, flags);
	for (i = 0; i < len; i++)
		byte[i] = bp_pic_owns(addr + i) ?
			  bp_pic_read(&ic->pic, addr + i) : 0xff;
	pic_unlock(ic, flags);
	return 0;
}

static int pic_write(struct bp_vcpu *vcpu, struct bp_io_device *dev, u64 addr,
		     int len, const void *val)
{
	struct bp_irqchip *ic = container_of(dev, struct bp_irqchip, pic_dev);
	const u8 *byte = val;
	unsigned long flags;
	int i;

	raw_spin_lock_irqsave(&ic->lock, flags);
	for (i = 0; i < len; i++)
		if (bp_pic_owns(addr + i))
			bp_pic_write(&ic->pic, addr + i, byte[i]);
	pic_unlock(ic, flags);
	return 0;
}

static const struct bp_io_ops pic_ops = {
	.read = pic_read,
	.write = pic_write,
};

int bp_irqchip_extint(struct bp_vcpu *vcpu)
{
	struct bp_irqchip *ic = bp_irqchip_of(vcpu->vm);
	unsigned long flags;
	int vector = -1;

	if (!ic || !ic->chips)
		return -1;
	raw_spin_lock_irqsave(&ic->lock, flags);
	if (ic->pic.output)
		vector = bp_pic_intack(&ic->pic);
	pic_unlock(ic, flags);
	return vector;
}

void bp_irqchip_vcpu_created(struct bp_vcpu *vcpu)
{
	struct bp_irqchip *ic = bp_irqchip_of(vcpu->vm);
	unsigned long flags;

	if (!ic || !ic->chips || vcpu->index != 0)
		return;
	raw_spin_lock_irqsave(&ic->lock, flags);
	if (ic->intr)
		bp_hc_extint(ic->vm->dom, 0, 1);
	raw_spin_unlock_irqrestore(&ic->lock, flags);
}

bool bp_chips_pic_irq0(struct bp_irqchip *ic)
{
	const struct kvm_pic_state *master = &ic->pic.chip[0];
	unsigned long flags;
	bool held;

	raw_spin_lock_irqsave(&ic->lock, flags);
	held = master->irr & ~master->imr & BIT(0);
	raw_spin_unlock_irqrestore(&ic->lock, flags);
	return held;
}

/* ---- the IOAPIC ---- */

static int ioapic_read(struct bp_vcpu *vcpu, struct bp_io_device *dev, u64 addr,
		       int len, void *val)
{
	struct bp_irqchip *ic = container_of(dev, struct bp_irqchip, ioapic_dev);
	unsigned long flags;
	u64 data;

	raw_spin_lock_irqsave(&ic->lock, flags);
	data = bp_ioapic_read(&ic->ioapic, addr - BP_IOAPIC_BASE);
	raw_spin_unlock_irqrestore(&ic->lock, flags);
	memcpy(val, &data, len);
	return 0;
}

static int ioapic_write(struct bp_vcpu *vcpu, struct bp_io_device *dev,
			u64 addr, int len, const void *val)
{
	struct bp_irqchip *ic = container_of(dev, struct bp_irqchip, ioapic_dev);
	unsigned long flags;
	u32 data = 0;

	memcpy(&data, val, min_t(int, len, sizeof(data)));
	raw_spin_lock_irqsave(&ic->lock, flags);
	bp_ioapic_write(&ic->ioapic, addr - BP_IOAPIC_BASE, data);
	raw_spin_unlock_irqrestore(&ic->lock, flags);
	return 0;
}

static const struct bp_io_ops ioapic_dev_ops = {
	.read = ioapic_read,
	.write = ioapic_write,
};

static void retry_work(struct work_struct *work)
{
	struct bp_irqchip *ic = container_of(to_delayed_work(work),
					     struct bp_irqchip, retry);
	unsigned long flags;

	raw_spin_lock_irqsave(&ic->lock, flags);
	bp_ioapic_retry(&ic->ioapic);
	raw_spin_unlock_irqrestore(&ic->lock, flags);
}

/* The device is told first: it may lower its pin before the pin is looked at. */
static void ioapic_eoi(struct bp_irqchip *ic, u8 vector)
{
	unsigned long flags, pins;
	unsigned int pin;
	u32 gsi;

	raw_spin_lock_irqsave(&ic->lock, flags);
	pins = bp_ioapic_pins_of(&ic->ioapic, vector);
	raw_spin_unlock_irqrestore(&ic->lock, flags);

	for_each_set_bit(pin, &pins, BP_IOAPIC_PINS) {
		gsi = bp_gsi_of_ioapic(ic, pin);
		if (gsi != BP_ROUTING_NONE)
			bp_irqfd_ack(ic, gsi);
		raw_spin_lock_irqsave(&ic->lock, flags);
		bp_ioapic_eoi(&ic->ioapic, pin);
		raw_spin_unlock_irqrestore(&ic->lock, flags);
	}
}

bool bp_irqchip_eoi(struct bp_vcpu *vcpu, u8 vector)
{
	struct bp_irqchip *ic = bp_irqchip_of(vcpu->vm);

	if (!ic)
		return false;
	if (!ic->chips)
		return true;
	ioapic_eoi(ic, vector);
	return false;
}

/* ---- both ---- */

int bp_chips_set(struct bp_irqchip *ic, const struct bp_route *route,
		 unsigned int source, bool level)
{
	unsigned long flags;
	int ret;

	raw_spin_lock_irqsave(&ic->lock, flags);
	if (route->chip == KVM_IRQCHIP_IOAPIC) {
		ret = bp_ioapic_set(&ic->ioapic, route->pin, source, level);
	} else {
		ret = bp_pic_set(&ic->pic, route->pin, source, level);
		update_intr(ic);
	}
	raw_spin_unlock_irqrestore(&ic->lock, flags);
	return ret;
}

int bp_chips_get(struct bp_irqchip *ic, struct kvm_irqchip *state)
{
	unsigned long flags;
	int ret = 0;

	raw_spin_lock_irqsave(&ic->lock, flags);
	switch (state->chip_id) {
	case KVM_IRQCHIP_PIC_MASTER:
	case KVM_IRQCHIP_PIC_SLAVE:
		bp_pic_get_state(&ic->pic, state->chip_id, &state->chip.pic);
		break;
	case KVM_IRQCHIP_IOAPIC:
		bp_ioapic_get_state(&ic->ioapic, &state->chip.ioapic);
		break;
	default:
		ret = -EINVAL;
	}
	raw_spin_unlock_irqrestore(&ic->lock, flags);
	return ret;
}

int bp_chips_put(struct bp_irqchip *ic, const struct kvm_irqchip *state)
{
	unsigned long flags;
	int ret = 0;

	raw_spin_lock_irqsave(&ic->lock, flags);
	switch (state->chip_id) {
	case KVM_IRQCHIP_PIC_MASTER:
	case KVM_IRQCHIP_PIC_SLAVE:
		bp_pic_set_state(&ic->pic, state->chip_id, &state->chip.pic);
		update_intr(ic);
		break;
	case KVM_IRQCHIP_IOAPIC:
		bp_ioapic_set_state(&ic->ioapic, &state->chip.ioapic);
		break;
	default:
		ret = -EINVAL;
	}
	raw_spin_unlock_irqrestore(&ic->lock, flags);
	return ret;
}

/* Accesses that start inside a range; the PIC's own code sees to the rest. */
static int register_pic(struct bp_irqchip *ic)
{
	static const u16 ports[] = { BP_PIC_PORT_MASTER, BP_PIC_PORT_SLAVE,
				     BP_PIC_PORT_ELCR };
	int i, ret = 0;

	for (i = 0; i < ARRAY_SIZE(ports) && !ret; i++)
		ret = bp_bus_register(ic->vm, BP_BUS_PIO, ports[i], 2,
				      &ic->pic_dev);
	return ret;
}

int bp_chips_create(struct bp_irqchip *ic)
{
	int ret;

	bp_pic_init(&ic->pic);
	bp_ioapic_init(&ic->ioapic, &ioapic_ops);
	INIT_DELAYED_WORK(&ic->retry, retry_work);
	ic->pic_dev.ops = &pic_ops;
	ic->ioapic_dev.ops = &ioapic_dev_ops;

	ret = register_pic(ic);
	if (!ret)
		ret = bp_bus_register(ic->vm, BP_BUS_MMIO, BP_IOAPIC_BASE,
				      BP_IOAPIC_SIZE, &ic->ioapic_dev);
	if (ret)
		bp_bus_unregister(ic->vm, BP_BUS_PIO, &ic->pic_dev);
	return ret;
}

void bp_chips_stop(struct bp_irqchip *ic)
{
	cancel_delayed_work_sync(&ic->retry);
}
