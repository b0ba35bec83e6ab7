// SPDX-License-Identifier: GPL-2.0-only
/* One-shot timers; the contract is in timer.h. */
#include "timer.h"

#include "lapic.h"
#include "lib/atomic.h"
#include "lib/x86.h"

void timer_init(struct hv_timer *t, void (*fn)(struct hv_timer *t))
{
	*t = (struct hv_timer){ .fn = fn };
}

void timer_queue_init(struct timer_queue *q)
{
	*q = (struct timer_queue){ 0 };
	spin_lock_init(&q->lock, LOCK_TIMERS);
}

/* Equal deadlines: the one that was armed first. */
static struct hv_timer *first(const struct timer_queue *q)
{
	struct tree_node *n = tree_head(&q->tree);

	return n ? container_of(n, struct hv_timer, node) : NULL;
}

/* q->lock held, on the queue's own CPU; t is the first. */
static void program(struct timer_queue *q, const struct hv_timer *t)
{
	if (!t) {
		q->programmed = 0;	/* a stray interrupt does no harm */
		return;
	}
	if (q->programmed == t->node.key)
		return;
	q->programmed = t->node.key;
	lapic_timer_program(t->node.key);
}

/* q->lock held: t waits in no queue. */
static void take_out(struct timer_queue *q, struct hv_timer *t)
{
	if (t->cpu)
		tree_remove(&q->tree, &t->node);
	t->cpu = NULL;
}

/* A tree's keys are less than 2^63 apart; 0 says "none" in q->programmed. */
#define DEADLINE_MAX	(~0ull >> 1)

void timer_arm(struct hv_timer *t, u64 deadline)
{
	struct cpu *c = this_cpu();
	struct timer_queue *q = &c->timers;

	if (t->last != c)
		timer_cancel(t);
	t->last = c;
	spin_lock(&q->lock);
	take_out(q, t);
	t->node.key = min(max(deadline, 1ull), DEADLINE_MAX);
	t->cpu = c;
	tree_insert(&q->tree, &t->node);
	/*
	 * A later head than programmed costs one early interrupt at most, an earlier one is
	 * this.  While functions run nothing is programmed, and then what is first.
	 */
	if (!q->running && (!q->programmed || t->node.key < q->programmed))
		program(q, t);
	spin_unlock(&q->lock);
}

/*
 * fn may arm the timer again while we wait for it, on the same CPU: so look
 * until it neither runs nor waits there.
 */
bool timer_cancel(struct hv_timer *t)
{
	struct cpu *c = t->last;
	bool running, armed = false;

	/* Nobody else arms it or runs it here. */
	if (!c || (!t->cpu && c == this_cpu()))
		return false;
	for (;;) {
		spin_lock(&c->timers.lock);
		armed |= t->cpu != NULL;
		take_out(&c->timers, t);
		running = c->timers.running == t;
		spin_unlock(&c->timers.lock);
		if (!running || c == this_cpu())
			return armed;
		pause();
	}
}

void timer_move(struct hv_timer *t)
{
	if (t->last && t->last != this_cpu() && timer_cancel(t))
		timer_arm(t, t->node.key);
}

void timer_interrupt(void)
{
	struct timer_queue *q = &this_cpu()->timers;
	struct hv_timer *t;

	spin_lock(&q->lock);
	q->programmed = 0;
	while ((t = first(q)) && t->node.key <= rdtsc()) {
		take_out(q, t);
		WRITE_ONCE(q->running, t);
		spin_unlock(&q->lock);
		t->fn(t);
		spin_lock(&q->lock);
		WRITE_ONCE(q->running, NULL);
	}
	program(q, t);
	spin_unlock(&q->lock);
}
