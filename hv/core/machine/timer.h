/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One-shot timers on the physical local APIC timer, per CPU.
 *
 * A timer is armed on the calling CPU and fires there; fn runs in root mode
 * with interrupts off and no lock held, and may re-arm the timer.  A struct
 * hv_timer is owned by its vCPU (or CPU); arming and cancelling the same
 * timer from two CPUs at once must be excluded by the owner (v->lock, or
 * the vCPU being RUNNING here).
 */
#ifndef HV_CORE_TIMER_H
#define HV_CORE_TIMER_H

#include "cpu.h"

void timer_init(struct hv_timer *t, void (*fn)(struct hv_timer *t));
void timer_queue_init(struct timer_queue *q);
/* Fire at TSC value `deadline` on this CPU; replaces an earlier arming. */
void timer_arm(struct hv_timer *t, u64 deadline);
/*
 * After it returns fn does not run any more, unless it was running on
 * another CPU already: then waits for it.  Never call it with a lock held that fn takes.
 * True: it was armed, or fn has just armed it again.
 */
bool timer_cancel(struct hv_timer *t);
/* Armed on another CPU, it fires on this one instead.  As timer_cancel(). */
void timer_move(struct hv_timer *t);
/* The physical timer interrupt: run what is due, program the next. */
void timer_interrupt(void);

#endif
