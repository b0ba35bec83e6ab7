/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of irqchip/ share; the core sees irqchip.h only.
 */
#ifndef BEDPLATE_IRQCHIP_PRIV_H
#define BEDPLATE_IRQCHIP_PRIV_H

#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/srcu.h>
#include <linux/workqueue.h>

#include "../channel/hypercall.h"
#include "i8259.h"
#include "ioapic.h"
#include "irqchip.h"
#include "routing.h"

struct bp_pit_dev;

struct bp_irq {
	u32 dom;			/* Bedplate's id of the domain; constant */
	enum bp_irq_mode mode;		/* set once, under the VM's lock */
	u32 pins;			/* split: GSIs of user space's IOAPIC; constant with mode */
	bool x2apic;			/* messages have 32-bit IDs */
	u64 exact;			/* BP_MSI_EXACT or 0 */

	raw_spinlock_t lock;		/* chip lock: the next three */
	struct bp_pic pic;
	struct bp_ioapic ioapic;
	bool intr;			/* PIC output as Bedplate knows it */
	struct delayed_work retry;	/* IOAPIC pins after a storm */

	struct srcu_struct srcu;	/* readers of routing and irqfds */
	struct mutex routing_lock;	/* writers of routing */
	struct bp_routing __rcu *routing; /* NULL: empty */

	struct mutex irqfd_mutex;	/* assigning and deassigning */
	spinlock_t irqfd_lock;		/* writers of the list; irqs off */
	struct list_head irqfds;

	struct bp_pit_dev *pit;		/* set once, by cmpxchg */
};

/* ---- irqchip.c: any context; KVM's status of it, or -EINVAL ---- */
long bp_irq_message(struct bp_irq *irq, u64 address, u32 data);

/* ---- chips.c: PIC and IOAPIC ---- */
void bp_chips_init(struct bp_irq *irq);
void bp_chips_stop(struct bp_irq *irq);
/* Drive one pin.  KVM's status.  Any context. */
int bp_chips_set(struct bp_irq *irq, const struct bp_route *route,
		 unsigned int source, bool level);
/* Does the PIC hold a request for IRQ 0 that is not masked? */
bool bp_chips_pic_irq0(struct bp_irq *irq);
/* -EINVAL: no such chip. */
int bp_chips_get(struct bp_irq *irq, struct kvm_irqchip *state);
int bp_chips_put(struct bp_irq *irq, const struct kvm_irqchip *state);
/* The guest's accesses. */
void bp_chips_pic_read(struct bp_irq *irq, u16 port, unsigned int size,
		       u8 *data);
void bp_chips_pic_write(struct bp_irq *irq, u16 port, unsigned int size,
			const u8 *data);
void bp_chips_ioapic_read(struct bp_irq *irq, u32 offset, unsigned int size,
			  void *data);
void bp_chips_ioapic_write(struct bp_irq *irq, u32 offset, unsigned int size,
			   const void *data);

/* ---- gsi.c: routing ---- */
/* -EINVAL as bp_routing_fill(), -ENOMEM.  The old table is out of use then. */
int bp_gsi_set_routing(struct bp_irq *irq,
		       const struct kvm_irq_routing_entry *entries, u32 n,
		       bool chips);
int bp_gsi_set_default(struct bp_irq *irq);
void bp_gsi_free(struct bp_irq *irq);
/* High and low again, as an irqfd and the PIT do it.  KVM's status of high. */
int bp_gsi_pulse(struct bp_irq *irq, unsigned int source, u32 gsi);
int bp_gsi_signal_msi(struct bp_irq *irq, const struct kvm_msi *msi);
/* GSI that leads to a pin, or BP_ROUTING_NONE. */
u32 bp_gsi_of_pic(struct bp_irq *irq, unsigned int pin);
u32 bp_gsi_of_ioapic(struct bp_irq *irq, unsigned int pin);
/* Does a pin of user space's IOAPIC send @vector, level-triggered? */
bool bp_gsi_level_vector(struct bp_irq *irq, u8 vector);

/* ---- irqfd.c ---- */
void bp_irqfd_init(struct bp_irq *irq);
int bp_irqfd(struct bp_irq *irq, const struct kvm_irqfd *args);
/* The interrupt of @gsi has been served.  Process context. */
void bp_irqfd_ack(struct bp_irq *irq, u32 gsi);

/* ---- pit.c ---- */
/* -EEXIST a PIT exists, -ENOENT no chips, -ENOMEM. */
int bp_pit_create(struct bp_irq *irq, u32 flags);
void bp_pit_destroy(struct bp_irq *irq);
/* The PIC has served IRQ 0. */
void bp_pit_ack(struct bp_irq *irq);
/* -ENXIO: no PIT. */
int bp_pit_get(struct bp_irq *irq, struct kvm_pit_state2 *state);
int bp_pit_put(struct bp_irq *irq, const struct kvm_pit_state2 *state);
/* Are ticks kept that the PIC cannot take?  They are by default. */
int bp_pit_reinject(struct bp_irq *irq, bool reinject);
/* Ports 0x40-0x43 and 0x61.  false: not ours. */
bool bp_pit_pio(struct bp_irq *irq, u16 port, unsigned int size, bool write,
		u8 *data);

#endif
