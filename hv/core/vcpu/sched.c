// SPDX-License-Identifier: GPL-2.0-only
/* Runqueues; the contract is in sched.h. */
#include "lib/atomic.h"
#include "lib/x86.h"
#include "machine/cpu.h"
#include "machine/lapic.h"
#include "machine/tsc.h"
#include "run.h"
#include "vcpu.h"

static struct vcpu *entity_vcpu(struct sched_entity *se)
{
	return container_of(se, struct vcpu, sched);
}

static void slice_end(struct hv_timer *t)
{
	(void)t;
	this_cpu()->resched = true;
}

void sched_init_cpu(struct cpu *c)
{
	c->rq = (struct runqueue){ 0 };
	spin_lock_init(&c->rq.lock, LOCK_RUNQUEUE);
	timer_queue_init(&c->timers);
	timer_init(&c->slice, slice_end);
}

void sched_init_vcpu(struct vcpu *v, bool is_dom0)
{
	u64 us = is_dom0 ? SCHED_SLICE_DOM0_US : SCHED_SLICE_GUEST_US;

	v->sched.weight = SCHED_WEIGHT_ONE;
	v->sched.slice = us * (tsc_khz / 1000);
}

/*
 * Where others wait, the slice timer ends a stretch long before this: what is
 * beyond, nobody had (firmware or an emulator stopped the machine) or wanted.
 */
static u64 stretch_max(void)
{
	return 2 * SCHED_SLICE_GUEST_US * (tsc_khz / 1000);
}

/* rq->lock held. */
static void charge_current(struct runqueue *rq)
{
	struct sched_entity *se = rq->curr;
	u64 now, ticks, most;

	if (!se)
		return;
	now = rdtsc();
	if (now > se->exec_start) {
		ticks = now - se->exec_start;
		most = stretch_max();
		sched_charge_ticks(se, min(ticks, most));
		se->runtime += ticks - min(ticks, most);
	}
	se->exec_start = now;
}

/* Let the running entity be interrupted when it is time to choose again. */
static void arm_slice(struct cpu *c)
{
	struct runqueue *rq = &c->rq;
	u64 left = 0, start = 0;

	spin_lock(&rq->lock);
	if (rq->curr && rq->nr) {
		start = rq->curr->exec_start;
		left = max(sched_ticks_left(rq), (u64)tsc_khz / 20);
	}
	spin_unlock(&rq->lock);
	if (left)
		timer_arm(&c->slice, start + left);
}

/* v->lock held.  Its timer is to come, too. */
static void set_home(struct vcpu *v, struct cpu *c)
{
	if (likely(v->home == c))
		return;
	v->home = c;
	v->apic.timer_waits = true;
}

void sched_enqueue(struct cpu *c, struct vcpu *v, bool requeue)
{
	struct runqueue *rq = &c->rq;
	bool preempt;

	set_home(v, c);
	v->runnable_since = rdtsc();
	spin_lock(&rq->lock);
	charge_current(rq);
	if (!requeue)
		sched_place(rq, &v->sched);
	sched_queue(rq, &v->sched);
	preempt = sched_preempts(rq, &v->sched);
	spin_unlock(&rq->lock);
	if (preempt) {
		WRITE_ONCE(c->resched, true);
		if (c != this_cpu())
			lapic_send_ipi(c->apic_id, VECTOR_KICK);
	} else if (c == this_cpu()) {
		arm_slice(c);
	} else {
		lapic_send_ipi(c->apic_id, VECTOR_KICK);	/* to arm its slice */
	}
}

void sched_dequeue(struct vcpu *v)
{
	struct runqueue *rq = &v->home->rq;

	spin_lock(&rq->lock);
	sched_displace(rq, &v->sched);
	sched_unqueue(rq, &v->sched);
	spin_unlock(&rq->lock);
}

void sched_start(struct cpu *c, struct vcpu *v, bool place)
{
	struct runqueue *rq = &c->rq;

	set_home(v, c);
	spin_lock(&rq->lock);
	if (place)
		sched_place(rq, &v->sched);
	rq->curr = &v->sched;
	v->sched.exec_start = rdtsc();
	spin_unlock(&rq->lock);
	arm_slice(c);
}

/*
 * What is on the queue is alive and RUNNABLE here.  Its lock comes before the queue's, so
 * who holds it may be about to take it off: then nothing of it is ours to look at.
 */
struct vcpu *sched_take(struct cpu *c)
{
	struct runqueue *rq = &c->rq;
	struct sched_entity *se;
	struct vcpu *v;

	for (;;) {
		spin_lock(&rq->lock);
		se = sched_choose(rq);
		if (!se || spin_trylock(&entity_vcpu(se)->lock))
			break;
		spin_unlock(&rq->lock);
		pause();
	}
	if (se)
		sched_unqueue(rq, se);
	spin_unlock(&rq->lock);
	if (!se)
		return NULL;
	v = entity_vcpu(se);
	v->state = VCPU_RUNNING;
	sched_start(c, v, false);
	spin_unlock(&v->lock);
	return v;
}

void sched_stop(struct cpu *c, struct vcpu *v)
{
	struct runqueue *rq = &c->rq;

	spin_lock(&rq->lock);
	charge_current(rq);
	sched_displace(rq, &v->sched);
	rq->curr = NULL;
	spin_unlock(&rq->lock);
}

bool sched_hand_over(struct cpu *c, struct vcpu *from, struct vcpu *to)
{
	struct runqueue *rq = &c->rq;
	bool alone;

	spin_lock(&rq->lock);
	alone = !rq->nr;
	if (likely(alone)) {
		charge_current(rq);
		sched_replace(rq, &to->sched);
		to->sched.exec_start = from->sched.exec_start;
		set_home(to, c);
	}
	spin_unlock(&rq->lock);
	return alone;
}

bool sched_should_yield(struct cpu *c)
{
	struct runqueue *rq = &c->rq;
	struct sched_entity *se;
	bool yield = false;

	if (!READ_ONCE(rq->nr))
		return false;
	spin_lock(&rq->lock);
	charge_current(rq);
	se = sched_choose(rq);
	if (se)
		yield = sched_preempts(rq, se);
	spin_unlock(&rq->lock);
	if (!yield)
		arm_slice(c);
	return yield;
}

void sched_set_weight(struct vcpu *v, u32 weight)
{
	struct runqueue *rq = &v->home->rq;

	spin_lock(&rq->lock);
	sched_reweigh(rq, &v->sched, weight, v->state == VCPU_RUNNABLE);
	spin_unlock(&rq->lock);
}
