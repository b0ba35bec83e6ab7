/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A vCPU that halts may keep its CPU for a while, in the hope that what it waits for comes
 * soon; as KVM's halt polling, and with its figures.  For how long at most says
 * bp_vcpu_page.poll_ns; how long it is worth is learnt from how long its halts were.
 */
#ifndef HV_CORE_HALT_H
#define HV_CORE_HALT_H

#include "lib/types.h"

struct vcpu;

#define HALT_POLL_FIRST_NS	10000	/* of one whose halts have become short */

/* What is known of its halts; the CPU's that runs it, or under v->lock while it is HALTED. */
struct halt_poll {
	u64 begun;			/* TSC: the last halt */
	u64 ticks;			/* it is polled for so long */
	u64 max;			/* as the page said then */
};

/*
 * exit.c: the current vCPU halts.  True: something for it has come.  Interrupts are taken
 * meanwhile (irq_window()), so no lock is held; it ends when anybody else wants the CPU.
 */
bool halt_poll(struct vcpu *v);
/* vcpu.c, v->lock held: a halt is over that was not found by polling, after @ticks of the TSC. */
void halt_learn(struct halt_poll *h, u64 ticks);

#endif
