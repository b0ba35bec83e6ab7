// SPDX-License-Identifier: GPL-2.0-only
/* The arithmetic of the scheduler; see sched.h. */
#include "machine/cpu.h"
#include "sched.h"

static u64 weighted(const struct sched_entity *se, u64 ticks)
{
	return ticks * SCHED_WEIGHT_ONE / se->weight;
}

/* A debt of more than this many slices is forgiven while asleep. */
#define DEBT_SLICES	4
/* The claim that a donor can save up, in slices. */
#define DONOR_SLICES	400

u64 sched_vtime(struct runqueue *rq)
{
	struct sched_entity *se;
	u64 base = rq->vtime;
	s64 sum = 0;
	u64 weight = 0;

	list_for_each_entry(se, &rq->queue, node) {
		sum += (s64)(se->vruntime - base) * se->weight;
		weight += se->weight;
	}
	if (rq->curr) {
		sum += (s64)(rq->curr->vruntime - base) * rq->curr->weight;
		weight += rq->curr->weight;
	}
	if (weight)
		rq->vtime = base + sum / (s64)weight;
	return rq->vtime;
}

static void renew_deadline(struct sched_entity *se)
{
	se->deadline = se->vruntime + weighted(se, se->slice);
}

void sched_charge_ticks(struct sched_entity *se, u64 ticks)
{
	se->runtime += ticks;
	se->vruntime += weighted(se, ticks);
	if ((s64)(se->vruntime - se->deadline) >= 0)
		renew_deadline(se);
}

/* How far beyond V it still is: what V did not catch up with while it slept. */
static u64 debt(const struct runqueue *rq, const struct sched_entity *se, u64 v)
{
	s64 ahead = (s64)(se->vruntime - v);

	if (se->rq != rq)
		return -se->lag;
	return ahead <= 0 ? 0 : min((u64)ahead, weighted(se, se->slice) * DEBT_SLICES);
}

void sched_place(struct runqueue *rq, struct sched_entity *se)
{
	u64 v = sched_vtime(rq), oldest = v - weighted(se, se->slice) * DONOR_SLICES;

	if (!se->donating)
		se->vruntime = v + debt(rq, se, v);
	else if ((s64)(se->vruntime - oldest) < 0)
		se->vruntime = oldest;
	se->donating = false;
	se->rq = rq;
	renew_deadline(se);
}

void sched_displace(struct runqueue *rq, struct sched_entity *se)
{
	s64 lag = (s64)(sched_vtime(rq) - se->vruntime);
	s64 floor = -(s64)weighted(se, se->slice) * DEBT_SLICES;

	/* Sleeping earns nothing; what was overdrawn stays overdrawn. */
	se->lag = lag > 0 ? 0 : max(lag, floor);
}

struct sched_entity *sched_choose(struct runqueue *rq)
{
	struct sched_entity *se, *best = NULL, *first = NULL;
	u64 v = sched_vtime(rq);

	list_for_each_entry(se, &rq->queue, node) {
		if (!first || (s64)(se->vruntime - first->vruntime) < 0)
			first = se;
		if ((s64)(se->vruntime - v) > 0)
			continue;
		if (!best || (s64)(se->deadline - best->deadline) < 0)
			best = se;
	}
	return best ? best : first;
}

u64 sched_ticks_left(struct runqueue *rq)
{
	const struct sched_entity *se, *curr = rq->curr;
	u64 v = sched_vtime(rq), total = curr->weight;
	s64 left = (s64)(curr->deadline - curr->vruntime) * curr->weight, wait;

	list_for_each_entry(se, &rq->queue, node)
		total += se->weight;
	/* V goes on by SCHED_WEIGHT_ONE / total for each tick. */
	list_for_each_entry(se, &rq->queue, node) {
		wait = (s64)(se->vruntime - v);
		if (wait > 0 && (s64)(se->deadline - curr->deadline) < 0)
			left = min(left, wait * (s64)total);
	}
	return left <= 0 ? 0 : (u64)left / SCHED_WEIGHT_ONE;
}

bool sched_preempts(struct runqueue *rq, const struct sched_entity *se)
{
	const struct sched_entity *curr = rq->curr;
	u64 v = sched_vtime(rq);

	if (!curr)
		return true;
	if ((s64)(se->vruntime - v) > 0)
		return false;
	if ((s64)(curr->vruntime - v) > 0)
		return true;
	return (s64)(se->deadline - curr->deadline) < 0;
}
