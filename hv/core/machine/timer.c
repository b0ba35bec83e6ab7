// SPDX-License-Identifier: GPL-2.0-only
/* One-shot timers; the contract is in timer.h. */
#include "timer.h"

#include "lapic.h"
#include "lib/atomic.h"
#include "lib/x86.h"

void timer_init(struct hv_timer *t, void (*fn)(struct hv_timer *t))
{
	INIT_LIST_HEAD(&t->node);
	t->cpu = NULL;
	t->last = NULL;
	t->fn = fn;
	t->deadline = 0;
}

void timer_queue_init(struct timer_queue *q)
{
	spin_lock_init(&q->lock);
	INIT_LIST_HEAD(&q->head);
	q->programmed = 0;
	q->running = NULL;
}

/* q->lock held, on the queue's own CPU. */
static void program_head(struct timer_queue *q)
{
	struct hv_timer *t;

	if (list_empty(&q->head)) {
		q->programmed = 0;	/* a stray interrupt does no harm */
		return;
	}
	t = list_first_entry(&q->head, struct hv_timer, node);
	if (q->programmed == t->deadline)
		return;
	q->programmed = t->deadline;
	lapic_timer_program(t->deadline);
}

static void insert_sorted(struct timer_queue *q, struct hv_timer *t)
{
	struct list_head *pos;

	for (pos = q->head.next; pos != &q->head; pos = pos->next)
		if (t->deadline < list_entry(pos, struct hv_timer, node)->deadline)
			break;
	list_add_tail(&t->node, pos);
}

void timer_arm(struct hv_timer *t, u64 deadline)
{
	struct cpu *c = this_cpu();
	struct timer_queue *q = &c->timers;

	if (t->last != c)
		timer_cancel(t);
	t->last = c;
	spin_lock(&q->lock);
	if (t->cpu)
		list_del(&t->node);
	t->deadline = max(deadline, 1ull);	/* 0 says "none" in q->programmed */
	t->cpu = c;
	insert_sorted(q, t);
	/* A later head than programmed costs one early interrupt at most. */
	if (!q->programmed || t->deadline < q->programmed)
		program_head(q);
	spin_unlock(&q->lock);
}

/*
 * fn may arm the timer again while we wait for it, on the same CPU: so look
 * until it neither runs nor waits there.
 */
void timer_cancel(struct hv_timer *t)
{
	struct cpu *c = t->last;
	bool running;

	if (!c)
		return;
	for (;;) {
		spin_lock(&c->timers.lock);
		if (t->cpu) {
			list_del(&t->node);
			t->cpu = NULL;
		}
		running = c->timers.running == t;
		spin_unlock(&c->timers.lock);
		if (!running || c == this_cpu())
			return;
		pause();
	}
}

void timer_interrupt(void)
{
	struct timer_queue *q = &this_cpu()->timers;
	struct hv_timer *t;

	spin_lock(&q->lock);
	q->programmed = 0;
	while (!list_empty(&q->head)) {
		t = list_first_entry(&q->head, struct hv_timer, node);
		if (t->deadline > rdtsc())
			break;
		list_del(&t->node);
		t->cpu = NULL;
		WRITE_ONCE(q->running, t);
		spin_unlock(&q->lock);
		t->fn(t);
		spin_lock(&q->lock);
		WRITE_ONCE(q->running, NULL);
	}
	program_head(q);
	spin_unlock(&q->lock);
}
