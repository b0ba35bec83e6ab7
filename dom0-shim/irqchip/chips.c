// SPDX-License-Identifier: GPL-2.0-only
/*
 * PIC and IOAPIC of a VM: locking, the wires to Bedplate and the guest's
 * accesses.  What happens after the lock is dropped - telling the PIT and
 * irqfds that an interrupt has been served - is collected under it.
 */
#include "irqchip_priv.h"

static struct bp_irq *from_ioapic(struct bp_ioapic *ioapic)
{
	return container_of(ioapic, struct bp_irq, ioapic);
}

/* ---- wires to Bedplate; chip lock held ---- */

static int deliver(struct bp_ioapic *ioapic, u64 address, u32 data)
{
	return bp_irq_message(from_ioapic(ioapic), address, data);
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
static void update_intr(struct bp_irq *irq)
{
	if (irq->pic.output == irq->intr)
		return;
	irq->intr = irq->pic.output;
	bp_hc_extint(irq->dom, 0, irq->intr);
}

/* ---- the PIC ---- */

/* End an operation on the PIC, then tell who waits for served interrupts. */
static void pic_unlock(struct bp_irq *irq, unsigned long flags)
	__releases(&irq->lock)
{
	unsigned long acked = irq->pic.acked;
	unsigned int pin;
	u32 gsi;

	irq->pic.acked = 0;
	update_intr(irq);
	raw_spin_unlock_irqrestore(&irq->lock, flags);

	for_each_set_bit(pin, &acked, BP_PIC_PINS) {
		gsi = bp_gsi_of_pic(irq, pin);
		if (pin == 0)
			bp_pit_ack(irq);
		if (gsi != BP_ROUTING_NONE)
			bp_irqfd_ack(irq, gsi);
	}
}

/* A wider access reaches the following ports, as on the ISA bus. */
void bp_chips_pic_read(struct bp_irq *irq, u16 port, unsigned int size, u8 *data)
{
	unsigned long flags;
	unsigned int i;

	raw_spin_lock_irqsave(&irq->lock, flags);
	for (i = 0; i < size; i++)
		data[i] = bp_pic_owns(port + i) ?
			  bp_pic_read(&irq->pic, port + i) : 0xff;
	pic_unlock(irq, flags);
}

void bp_chips_pic_write(struct bp_irq *irq, u16 port, unsigned int size,
			const u8 *data)
{
	unsigned long flags;
	unsigned int i;

	raw_spin_lock_irqsave(&irq->lock, flags);
	for (i = 0; i < size; i++)
		if (bp_pic_owns(port + i))
			bp_pic_write(&irq->pic, port + i, data[i]);
	pic_unlock(irq, flags);
}

int bp_irq_ack(struct bp_irq *irq)
{
	unsigned long flags;
	int vector = -1;

	if (bp_irq_mode(irq) != BP_IRQ_KERNEL)
		return -1;
	raw_spin_lock_irqsave(&irq->lock, flags);
	if (irq->pic.output)
		vector = bp_pic_intack(&irq->pic);
	pic_unlock(irq, flags);
	return vector;
}

void bp_irq_vcpu_created(struct bp_irq *irq, u32 vcpu)
{
	unsigned long flags;

	if (vcpu != 0)
		return;
	raw_spin_lock_irqsave(&irq->lock, flags);
	if (irq->intr)
		bp_hc_extint(irq->dom, 0, 1);
	raw_spin_unlock_irqrestore(&irq->lock, flags);
}

bool bp_chips_pic_irq0(struct bp_irq *irq)
{
	const struct kvm_pic_state *master = &irq->pic.chip[0];
	unsigned long flags;
	bool held;

	raw_spin_lock_irqsave(&irq->lock, flags);
	held = master->irr & ~master->imr & BIT(0);
	raw_spin_unlock_irqrestore(&irq->lock, flags);
	return held;
}

/* ---- the IOAPIC ---- */

/* Registers are 32 bits wide; other sizes touch their low bytes. */
void bp_chips_ioapic_read(struct bp_irq *irq, u32 offset, unsigned int size,
			  void *data)
{
	unsigned long flags;
	u64 val;

	raw_spin_lock_irqsave(&irq->lock, flags);
	val = bp_ioapic_read(&irq->ioapic, offset);
	raw_spin_unlock_irqrestore(&irq->lock, flags);
	memcpy(data, &val, size);
}

void bp_chips_ioapic_write(struct bp_irq *irq, u32 offset, unsigned int size,
			   const void *data)
{
	unsigned long flags;
	u32 val = 0;

	memcpy(&val, data, min_t(unsigned int, size, sizeof(val)));
	raw_spin_lock_irqsave(&irq->lock, flags);
	bp_ioapic_write(&irq->ioapic, offset, val);
	raw_spin_unlock_irqrestore(&irq->lock, flags);
}

static void retry_work(struct work_struct *work)
{
	struct bp_irq *irq = container_of(to_delayed_work(work),
					     struct bp_irq, retry);
	unsigned long flags;

	raw_spin_lock_irqsave(&irq->lock, flags);
	bp_ioapic_retry(&irq->ioapic);
	raw_spin_unlock_irqrestore(&irq->lock, flags);
}

/* The device is told first: it may lower its pin before the pin is looked at. */
static void ioapic_eoi(struct bp_irq *irq, u8 vector)
{
	unsigned long flags, pins;
	unsigned int pin;
	u32 gsi;

	raw_spin_lock_irqsave(&irq->lock, flags);
	pins = bp_ioapic_pins_of(&irq->ioapic, vector);
	raw_spin_unlock_irqrestore(&irq->lock, flags);

	for_each_set_bit(pin, &pins, BP_IOAPIC_PINS) {
		gsi = bp_gsi_of_ioapic(irq, pin);
		if (gsi != BP_ROUTING_NONE)
			bp_irqfd_ack(irq, gsi);
		raw_spin_lock_irqsave(&irq->lock, flags);
		bp_ioapic_eoi(&irq->ioapic, pin);
		raw_spin_unlock_irqrestore(&irq->lock, flags);
	}
}

bool bp_irq_eoi(struct bp_irq *irq, u8 vector)
{
	enum bp_irq_mode mode = bp_irq_mode(irq);

	if (mode == BP_IRQ_KERNEL)
		ioapic_eoi(irq, vector);
	return mode == BP_IRQ_SPLIT && bp_gsi_level_vector(irq, vector);
}

/* ---- both ---- */

int bp_chips_set(struct bp_irq *irq, const struct bp_route *route,
		 unsigned int source, bool level)
{
	unsigned long flags;
	int ret;

	raw_spin_lock_irqsave(&irq->lock, flags);
	if (route->chip == KVM_IRQCHIP_IOAPIC) {
		ret = bp_ioapic_set(&irq->ioapic, route->pin, source, level);
	} else {
		ret = bp_pic_set(&irq->pic, route->pin, source, level);
		update_intr(irq);
	}
	raw_spin_unlock_irqrestore(&irq->lock, flags);
	return ret;
}

int bp_chips_get(struct bp_irq *irq, struct kvm_irqchip *state)
{
	unsigned long flags;
	int ret = 0;

	raw_spin_lock_irqsave(&irq->lock, flags);
	switch (state->chip_id) {
	case KVM_IRQCHIP_PIC_MASTER:
	case KVM_IRQCHIP_PIC_SLAVE:
		bp_pic_get_state(&irq->pic, state->chip_id, &state->chip.pic);
		break;
	case KVM_IRQCHIP_IOAPIC:
		bp_ioapic_get_state(&irq->ioapic, &state->chip.ioapic);
		break;
	default:
		ret = -EINVAL;
	}
	raw_spin_unlock_irqrestore(&irq->lock, flags);
	return ret;
}

int bp_chips_put(struct bp_irq *irq, const struct kvm_irqchip *state)
{
	unsigned long flags;
	int ret = 0;

	raw_spin_lock_irqsave(&irq->lock, flags);
	switch (state->chip_id) {
	case KVM_IRQCHIP_PIC_MASTER:
	case KVM_IRQCHIP_PIC_SLAVE:
		bp_pic_set_state(&irq->pic, state->chip_id, &state->chip.pic);
		update_intr(irq);
		break;
	case KVM_IRQCHIP_IOAPIC:
		bp_ioapic_set_state(&irq->ioapic, &state->chip.ioapic);
		break;
	default:
		ret = -EINVAL;
	}
	raw_spin_unlock_irqrestore(&irq->lock, flags);
	return ret;
}

void bp_chips_init(struct bp_irq *irq)
{
	raw_spin_lock_init(&irq->lock);
	bp_pic_init(&irq->pic);
	bp_ioapic_init(&irq->ioapic, &ioapic_ops);
	INIT_DELAYED_WORK(&irq->retry, retry_work);
}

void bp_chips_stop(struct bp_irq *irq)
{
	cancel_delayed_work_sync(&irq->retry);
}
