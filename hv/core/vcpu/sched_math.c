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

/* What it adds to rq->ahead with @weight; modulo 2^64, as all of it. */
static u64 ahead(const struct runqueue *rq, const struct sched_entity *se, u64 weight)
{
	return (se->vruntime - rq->vtime) * weight;
}

u64 sched_vtime(struct runqueue *rq)
{
	const struct sched_entity *curr = rq->curr;
	u64 sum = rq->ahead, weight = rq->weight, step;

	if (curr) {
		sum += ahead(rq, curr, curr->weight);
		weight += curr->weight;
	}
	if (weight) {
		step = (s64)sum / (s64)weight;
		rq->vtime += step;
		rq->ahead -= step * rq->weight;
	}
	return rq->vtime;
}

void sched_queue(struct runqueue *rq, struct sched_entity *se)
{
	se->node.key = se->deadline;
	se->node.val = se->vruntime;
	tree_insert(&rq->queue, &se->node);
	rq->ahead += ahead(rq, se, se->weight);
	rq->weight += se->weight;
	rq->nr++;
}

void sched_unqueue(struct runqueue *rq, struct sched_entity *se)
{
	tree_remove(&rq->queue, &se->node);
	rq->ahead -= ahead(rq, se, se->weight);
	rq->weight -= se->weight;
	rq->nr--;
}

void sched_reweigh(struct runqueue *rq, struct sched_entity *se, u32 weight, bool queued)
{
	u64 more = (u64)weight - se->weight;

	if (queued) {
		rq->ahead += ahead(rq, se, more);
		rq->weight += more;
	}
	se->weight = weight;
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

static void place_at(struct runqueue *rq, struct sched_entity *se, u64 v)
{
	u64 oldest = v - weighted(se, se->slice) * DONOR_SLICES;

	if (!se->donating)
		se->vruntime = v + debt(rq, se, v);
	else if ((s64)(se->vruntime - oldest) < 0)
		se->vruntime = oldest;
	se->donating = false;
	se->rq = rq;
	renew_deadline(se);
}

void sched_place(struct runqueue *rq, struct sched_entity *se)
{
	place_at(rq, se, sched_vtime(rq));
}

/* With nobody else there V is where the running one is, so it neither leads nor lags. */
void sched_replace(struct runqueue *rq, struct sched_entity *se)
{
	rq->vtime = rq->curr->vruntime;
	rq->curr->lag = 0;
	rq->curr = se;
	place_at(rq, se, rq->vtime);
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
	struct tree_node *n = tree_first(&rq->queue, sched_vtime(rq));

	if (!n && rq->queue.root)
		n = tree_first(&rq->queue, rq->queue.root->least);
	return n ? container_of(n, struct sched_entity, node) : NULL;
}

u64 sched_ticks_left(struct runqueue *rq)
{
	const struct sched_entity *curr = rq->curr;
	u64 v = sched_vtime(rq), total = rq->weight + curr->weight, least;
	s64 left = (s64)(curr->deadline - curr->vruntime) * curr->weight;

	/* V goes on by SCHED_WEIGHT_ONE / total for each tick. */
	if (tree_least_before(&rq->queue, curr->deadline, &least))
		left = min(left, (s64)(least - v) * (s64)total);
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
