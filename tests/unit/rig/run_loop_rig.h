/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Run loop, vCPU states and runqueues on one CPU, and a second one that does what a test makes it do;
 * with a model of Linux in domain 0 that shares its time among tasks: those that compute and
 * those that sit in RUN.  One tick is one nanosecond.
 */
#ifndef TESTS_UNIT_RUN_LOOP_RIG_H
#define TESTS_UNIT_RUN_LOOP_RIG_H

#include "hv/core/machine/cpu.h"
#include "hv/core/memory/domain.h"
#include "hv/core/vcpu/run.h"

#define US	1000ull
#define MS	1000000ull
#define STEP	(10 * US)
#define TICK	(4 * MS)
#define GUESTS	3
#define TASKS	4

extern struct cpu cpu, other_cpu, *here;
extern struct vcpu d0, other_d0, vm[GUESTS];
extern bool irq[GUESTS + 2];		/* interrupt pending: guests, d0, other_d0 */
extern u32 kicks, self_kicks, notices;	/* interrupts sent */
extern u32 looks;			/* at an APIC, before entries */
extern bool nmi_comes;			/* from another CPU, while vm[0]'s is looked at */
extern bool nmi_masked;		/* what the back end says of each */
extern u32 machine_checks;		/* raised in domain 0 */
extern int timers_resumed;
extern u8 injected[8];			/* vectors, the first of so many: */
extern u32 injections, windows, nmis;
extern u64 ran[GUESTS + 1];		/* ticks, of guests and d0 */

/* What a vCPU does in a step; NULL spins.  The exit that it ends with. */
extern void (*guest_step[GUESTS])(struct vcpu *v);
extern void (*pending_exit)(struct vcpu *v);
/* What the other CPU does while this one waits for it. */
extern void (*while_waiting)(void);

/* Domain 0's own timer, if it has one. */
extern u64 next_tick;
extern bool ticking;
/* Each so often the machine stands still so long, as under SMIs or a busy emulator. */
extern u64 stall;

struct task {
	int guest;		/* -1: computes */
	u64 vruntime;
	bool blocked;		/* sleeps until a service event */
};
extern struct task task[TASKS];
extern int tasks;
extern u64 task_ran[TASKS];
extern u64 exits_seen[BP_EXIT_NESTED + 1];	/* what RUN told its callers */

int setup(void **state);
/* irq[n], seen by the loop, too. */
void raise_irq(int n);
void advance(u64 ticks);
/* The loop, for so long. */
void run_until(u64 ticks);
/* v goes on on the other CPU; a thread of that CPU's domain 0 made RUN from STOPPED. */
s64 run_over_there(struct vcpu *v);

#endif
