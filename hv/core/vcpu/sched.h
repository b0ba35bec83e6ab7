/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Proportional-share scheduling of vCPUs on one physical CPU: earliest
 * eligible virtual deadline first.
 *
 * Each runnable vCPU has a virtual run time that advances with what it
 * consumed, divided by its weight.  The queue's virtual time V is the
 * weighted mean of them.  Who is behind V (has lag >= 0) is eligible; of
 * those the one with the earliest virtual deadline (run time + slice) runs.
 * So shares follow weights, and a vCPU with a short slice (domain 0) is
 * served soon after it wakes, but not beyond its share.  Who sleeps earns
 * nothing by it.  A CPU given away by RUN is no sleep: domain 0 keeps its
 * claim meanwhile (up to a bound), or its other processes would get a share of
 * what Linux gave them only.
 *
 * sched_math.c is pure and tested on the host; sched.c owns queues and locks.
 */
#ifndef HV_CORE_SCHED_H
#define HV_CORE_SCHED_H

#include "lib/tree.h"
#include "lib/types.h"

struct cpu;
struct runqueue;
struct vcpu;

#define SCHED_WEIGHT_ONE	100	/* one share, as cgroup2's cpu.weight */
#define SCHED_WEIGHT_MAX	10000
#define SCHED_SLICE_DOM0_US	250
#define SCHED_SLICE_GUEST_US	4000

/* All guarded by the lock of the home CPU's runqueue. */
struct sched_entity {
	struct tree_node node;		/* in rq->queue while RUNNABLE */
	u32 weight;
	u64 slice;			/* TSC ticks it asks for at a time */
	u64 vruntime;			/* TSC ticks * SCHED_WEIGHT_ONE / weight */
	u64 deadline;			/* vruntime + slice, weighted */
	struct runqueue *rq;		/* whose virtual time ->vruntime is in */
	s64 lag;			/* V - vruntime when it left rq, <= 0 */
	bool donating;			/* it left by RUN and keeps its place */
	u64 exec_start;			/* TSC when it was last charged */
	u64 runtime;			/* TSC ticks consumed in all */
};

/*
 * ---- pure (sched_math.c); rq->lock held where rq is named ----
 *
 * The queue is a tree by deadline with vruntime as its second value, and what V is made of
 * is kept up to date: none of these goes through the queue.
 */

/* Into the queue, and out of it.  Meanwhile only sched_reweigh() changes the entity. */
void sched_queue(struct runqueue *rq, struct sched_entity *se);
void sched_unqueue(struct runqueue *rq, struct sched_entity *se);
/* @queued: it is in the queue. */
void sched_reweigh(struct runqueue *rq, struct sched_entity *se, u32 weight, bool queued);
/* V of the queue with its running entity. */
u64 sched_vtime(struct runqueue *rq);
/* Charge `ticks` of CPU time; renews the deadline when the slice is used up. */
void sched_charge_ticks(struct sched_entity *se, u64 ticks);
/*
 * Enter (leave) the competition on rq: placed at V, or later by the debt it
 * had.  On the queue that it left the debt shrinks as V goes on meanwhile.
 */
void sched_place(struct runqueue *rq, struct sched_entity *se);
void sched_displace(struct runqueue *rq, struct sched_entity *se);
/* Both in one: rq->curr leaves, @se is placed and becomes it.  The queue is empty. */
void sched_replace(struct runqueue *rq, struct sched_entity *se);
/*
 * The queued entity to run next, NULL when the queue is empty: the earliest deadline of those
 * that are eligible, and if none is, of those that are so first.  Of equals, who came first.
 */
struct sched_entity *sched_choose(struct runqueue *rq);
/*
 * After how many ticks of rq->curr (not NULL) to choose again: its slice ends,
 * or one with an earlier deadline becomes eligible, or is so already.
 */
u64 sched_ticks_left(struct runqueue *rq);
/* Should `se`, just queued, run instead of rq->curr? */
bool sched_preempts(struct runqueue *rq, const struct sched_entity *se);

/* ---- queues (sched.c) ---- */

/* Boot, before a timer is armed on @c: its timers too. */
void sched_init_cpu(struct cpu *c);
void sched_init_vcpu(struct vcpu *v, bool is_dom0);
/*
 * v->lock held, state just set to RUNNABLE, home = c: queue it, and make c
 * look if it should run it (kick when c is another CPU).  requeue = it was
 * running here until now and keeps its place.
 */
void sched_enqueue(struct cpu *c, struct vcpu *v, bool requeue);
/* v->lock held, state RUNNABLE: take it off its queue. */
void sched_dequeue(struct vcpu *v);
/*
 * This CPU: take the next vCPU off the queue and make it RUNNING here, in one step for
 * all others, who may destroy what is on no queue; NULL when there is none.  No lock held.
 */
struct vcpu *sched_take(struct cpu *c);
/*
 * v->lock held, state just set to RUNNING here.  place = it was not queued
 * before, so give it its place in the competition.
 */
void sched_start(struct cpu *c, struct vcpu *v, bool place);
/* v->lock held: the RUNNING v of this CPU is about to leave that state. */
void sched_stop(struct cpu *c, struct vcpu *v);
/*
 * As sched_stop(c, from) and sched_start(c, to, true), in one and shorter.  False: another
 * waits for this CPU, and nothing was done.
 */
bool sched_hand_over(struct cpu *c, struct vcpu *from, struct vcpu *to);
/* v->lock held: change its share. */
void sched_set_weight(struct vcpu *v, u32 weight);
/* Would another vCPU of this CPU's queue run now instead of the current? */
bool sched_should_yield(struct cpu *c);

#endif
