// SPDX-License-Identifier: GPL-2.0-only
/*
 * The PIT of a VM: i8254 counters behind a mutex, channel 0's interrupts from
 * an hrtimer.  The hrtimer's handler owns ->timer while it runs; programming
 * stops it first, under the mutex, which the handler never takes.
 *
 * A tick that finds IRQ 0 still waiting in the PIC is kept and given when the
 * guest has served that one (reinjection), unless the VMM wants none.  Through the
 * IOAPIC the tick is an edge, whose EOI nobody reports: it is sent when due.
 */
#include <linux/hrtimer.h>
#include <linux/slab.h>

#include "compat.h"
#include "i8254.h"
#include "irqchip_priv.h"

#define PIT_GSI		0

struct bp_pit_dev {
	struct bp_irq *irq;
	bool speaker;		/* port 0x61 is ours; constant */

	struct mutex lock;	/* ->pit, and starting the timer */
	struct bp_pit pit;

	struct bp_pit_timer timer;
	struct hrtimer hrtimer;
	atomic_t kept;		/* ticks waiting for the PIC */
	bool lose;		/* none is kept */
};

static s64 now_ns(void)
{
	return ktime_get_ns();
}

/* Any context; also a kept tick's second try. */
static void tick(struct bp_pit_dev *dev)
{
	bool waiting = bp_chips_pic_irq0(dev->irq);
	int status = bp_gsi_pulse(dev->irq, BP_IRQ_SRC_PIT, PIT_GSI);

	if (status < 0)		/* masked: nobody counts ticks */
		atomic_set(&dev->kept, 0);
	else if (status == 0 && waiting && !READ_ONCE(dev->lose))
		atomic_add_unless(&dev->kept, 1, INT_MAX);
}

static enum hrtimer_restart expired(struct hrtimer *hrtimer)
{
	struct bp_pit_dev *dev = container_of(hrtimer, struct bp_pit_dev,
					      hrtimer);
	s64 deadline;

	tick(dev);
	if (!bp_pit_timer_next(&dev->timer, now_ns(), &deadline))
		return HRTIMER_NORESTART;
	hrtimer_set_expires(hrtimer, ns_to_ktime(deadline));
	return HRTIMER_RESTART;
}

/* Channel 0 has a new count or mode.  dev->lock is held. */
static void restart(struct bp_pit_dev *dev)
{
	s64 deadline;

	hrtimer_cancel(&dev->hrtimer);
	atomic_set(&dev->kept, 0);
	if (bp_pit_timer_load(&dev->timer, &dev->pit, &deadline))
		hrtimer_start(&dev->hrtimer, ns_to_ktime(deadline),
			      HRTIMER_MODE_ABS_HARD);
}

/* The PIT, whole, or NULL: bp_pit_create() publishes it by cmpxchg(). */
static struct bp_pit_dev *pit_of(struct bp_irq *irq)
{
	return smp_load_acquire(&irq->pit); /* pairs with cmpxchg() */
}

void bp_pit_ack(struct bp_irq *irq)
{
	struct bp_pit_dev *dev = pit_of(irq);

	if (dev && atomic_dec_if_positive(&dev->kept) >= 0)
		tick(dev);
}

static u8 read_byte(struct bp_pit_dev *dev, u16 port)
{
	if (port == BP_PIT_PORT_SPEAKER)
		return bp_pit_speaker_read(&dev->pit, now_ns());
	return bp_pit_read(&dev->pit, port - BP_PIT_PORT, now_ns());
}

static void write_byte(struct bp_pit_dev *dev, u16 port, u8 val)
{
	if (port == BP_PIT_PORT_SPEAKER)
		bp_pit_speaker_write(&dev->pit, val, now_ns());
	else if (bp_pit_write(&dev->pit, port - BP_PIT_PORT, val, now_ns()))
		restart(dev);
}

/* An access touches one port, whatever its size, as in KVM. */
bool bp_pit_pio(struct bp_irq *irq, u16 port, unsigned int size, bool write,
		u8 *data)
{
	struct bp_pit_dev *dev = pit_of(irq);

	if (!dev || (port == BP_PIT_PORT_SPEAKER && !dev->speaker))
		return false;
	mutex_lock(&dev->lock);
	if (write) {
		write_byte(dev, port, data[0]);
	} else {
		memset(data, 0, size);
		data[0] = read_byte(dev, port);
	}
	mutex_unlock(&dev->lock);
	return true;
}

int bp_pit_get(struct bp_irq *irq, struct kvm_pit_state2 *state)
{
	struct bp_pit_dev *dev = pit_of(irq);

	if (!dev)
		return -ENXIO;
	mutex_lock(&dev->lock);
	bp_pit_get_state(&dev->pit, state);
	mutex_unlock(&dev->lock);
	return 0;
}

int bp_pit_put(struct bp_irq *irq, const struct kvm_pit_state2 *state)
{
	struct bp_pit_dev *dev = pit_of(irq);

	if (!dev)
		return -ENXIO;
	mutex_lock(&dev->lock);
	bp_pit_set_state(&dev->pit, state, now_ns());
	restart(dev);
	mutex_unlock(&dev->lock);
	return 0;
}

int bp_pit_reinject(struct bp_irq *irq, bool reinject)
{
	struct bp_pit_dev *dev = pit_of(irq);

	if (!dev)
		return -ENXIO;
	mutex_lock(&dev->lock);
	WRITE_ONCE(dev->lose, !reinject);
	if (!reinject)
		atomic_set(&dev->kept, 0);
	mutex_unlock(&dev->lock);
	return 0;
}

int bp_pit_create(struct bp_irq *irq, u32 flags)
{
	struct bp_pit_dev *dev;

	if (READ_ONCE(irq->pit))
		return -EEXIST;
	if (bp_irq_mode(irq) != BP_IRQ_KERNEL)
		return -ENOENT;
	dev = kzalloc(sizeof(*dev), GFP_KERNEL_ACCOUNT);
	if (!dev)
		return -ENOMEM;
	dev->irq = irq;
	dev->speaker = flags & KVM_PIT_SPEAKER_DUMMY;
	mutex_init(&dev->lock);
	hrtimer_setup(&dev->hrtimer, expired, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_HARD);
	bp_pit_init(&dev->pit, now_ns());
	if (cmpxchg(&irq->pit, NULL, dev)) {
		kfree(dev);
		return -EEXIST;
	}
	return 0;
}

void bp_pit_destroy(struct bp_irq *irq)
{
	struct bp_pit_dev *dev = irq->pit;

	if (!dev)
		return;
	hrtimer_cancel(&dev->hrtimer);
	kfree(dev);
	irq->pit = NULL;
}
