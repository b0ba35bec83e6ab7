/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of irqchip/ share; the core sees irqchip.h only.
 */
#ifndef BEDPLATE_IRQCHIP_PRIV_H
#define BEDPLATE_IRQCHIP_PRIV_H

#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "../shim.h"
#include "i8259.h"
#include "ioapic.h"
#include "irqchip.h"
#include "routing.h"

struct bp_pit_dev;

struct bp_irqchip {
	struct bp_vm *vm;
	bool chips;			/* not split: all the chips are here */

	raw_spinlock_t lock;		/* chip lock: the next four */
	struct bp_pic pic;
	struct bp_ioapic ioapic;
	bool intr;			/* PIC output as Bedplate knows it */
	u32 resampled;			/* GSIs acknowledged, see chips.c */
	struct delayed_work retry;	/* IOAPIC pins after a storm */

	struct bp_io_device pic_dev;
	struct bp_io_device ioapic_dev;

	struct mutex routing_lock;	/* writers; readers: vm->srcu */
	struct bp_routing __rcu *routing;

	struct mutex irqfd_mutex;	/* assigning and deassigning */
	spinlock_t irqfd_lock;		/* the list; irqs off; readers: vm->srcu */
	struct list_head irqfds;

	struct bp_pit_dev *pit;		/* set once, under vm->lock */
};

/* vm->irqchip, completely made, or NULL. */
static inline struct bp_irqchip *bp_irqchip_of(struct bp_vm *vm)
{
	return smp_load_acquire(&vm->irqchip);
}

/* ---- chips.c: PIC and IOAPIC ---- */
int bp_chips_create(struct bp_irqchip *ic);
void bp_chips_stop(struct bp_irqchip *ic);
/* Drive one pin.  KVM's status.  Any context. */
int bp_chips_set(struct bp_irqchip *ic, const struct bp_route *route,
		 unsigned int source, bool level);
/* Does the PIC hold a request for IRQ 0 that it will deliver? */
bool bp_chips_pic_irq0(struct bp_irqchip *ic);
/* -EINVAL: no such chip. */
int bp_chips_get(struct bp_irqchip *ic, struct kvm_irqchip *state);
int bp_chips_put(struct bp_irqchip *ic, const struct kvm_irqchip *state);

/* ---- gsi.c: routing ---- */
/* The first table; vm->irqchip is not published yet. */
int bp_gsi_init(struct bp_irqchip *ic);
int bp_gsi_set_routing(struct bp_irqchip *ic,
		       const struct kvm_irq_routing_entry *entries, u32 n);
int bp_gsi_set(struct bp_irqchip *ic, unsigned int source, u32 gsi, bool level);
/* High and low again: what an irqfd and the PIT do. */
int bp_gsi_pulse(struct bp_irqchip *ic, unsigned int source, u32 gsi);
int bp_gsi_signal_msi(struct bp_irqchip *ic, const struct kvm_msi *msi);
/* GSI that leads to a pin, or BP_ROUTING_NONE.  Takes vm->srcu itself. */
u32 bp_gsi_of_pic(struct bp_irqchip *ic, unsigned int pin);
u32 bp_gsi_of_ioapic(struct bp_irqchip *ic, unsigned int pin);

/* ---- irqfd.c ---- */
int bp_irqfd(struct bp_irqchip *ic, const struct kvm_irqfd *args);
/* The interrupt of @gsi has been served.  No locks held but vm->srcu. */
void bp_irqfd_ack(struct bp_irqchip *ic, u32 gsi);
void bp_irqfd_release(struct bp_irqchip *ic);
int bp_irqfd_module_init(void);
void bp_irqfd_module_exit(void);

/* ---- pit.c ---- */
/* vm->lock is held.  -EEXIST, -ENOENT, -ENOMEM. */
int bp_pit_create(struct bp_irqchip *ic, u32 flags);
void bp_pit_destroy(struct bp_irqchip *ic);
/* The PIC has served IRQ 0.  No locks held but vm->srcu. */
void bp_pit_ack(struct bp_irqchip *ic);
/* -ENXIO: no PIT. */
int bp_pit_get(struct bp_irqchip *ic, struct kvm_pit_state2 *state);
int bp_pit_put(struct bp_irqchip *ic, const struct kvm_pit_state2 *state);

#endif
