// SPDX-License-Identifier: GPL-2.0-only
/*
 * The scheduler's arithmetic over simulated time: shares, latency, sleepers,
 * donors.  One tick is one nanosecond.
 */
// SOURCES: hv/core/vcpu/sched_math.c hv/core/lib/tree.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "hv/core/machine/cpu.h"
#include "hv/core/vcpu/sched.h"

#define US		1000ull
#define MS		1000000ull
#define MAX_TASKS	16

static struct runqueue rq;
static struct sched_entity task[MAX_TASKS];
static bool queued[MAX_TASKS];
static u64 worst_wait[MAX_TASKS], since[MAX_TASKS];
static u64 now;
static bool need_resched;		/* somebody better came */
static u64 look_again;			/* when the slice timer fires */

static void start(u64 vtime)
{
	memset(&rq, 0, sizeof(rq));
	memset(task, 0, sizeof(task));
	memset(queued, 0, sizeof(queued));
	memset(worst_wait, 0, sizeof(worst_wait));
	rq.vtime = vtime;
	now = 0;
}

static int setup(void **state)
{
	(void)state;
	start(0);
	return 0;
}

static void make(int i, u32 weight, u64 slice)
{
	task[i].weight = weight;
	task[i].slice = slice;
}

static void arm(void)
{
	if (rq.curr && rq.nr)
		look_again = now + max(sched_ticks_left(&rq), 50 * US);
}

static void enqueue(int i, bool place)
{
	if (place)
		sched_place(&rq, &task[i]);
	sched_queue(&rq, &task[i]);
	queued[i] = true;
	since[i] = now;
	if (sched_preempts(&rq, &task[i]))
		need_resched = true;
	else
		arm();
}

static int pick(void)
{
	struct sched_entity *se = sched_choose(&rq);
	int i;

	if (!se)
		return -1;
	need_resched = false;
	i = se - task;
	sched_unqueue(&rq, se);
	queued[i] = false;
	rq.curr = se;
	arm();
	if (now - since[i] > worst_wait[i])
		worst_wait[i] = now - since[i];
	return i;
}

static int current(void)
{
	return rq.curr ? rq.curr - task : -1;
}

/* The running one gives way if another should run, as the run loop does. */
static void reschedule(void)
{
	struct sched_entity *se, *curr = rq.curr;

	if (curr) {
		if (!need_resched && now < look_again)
			return;
		need_resched = false;
		se = sched_choose(&rq);
		if (!se || !sched_preempts(&rq, se)) {
			arm();
			return;
		}
		sched_displace(&rq, curr);
		rq.curr = NULL;
		enqueue(curr - task, false);
	}
	pick();
}

static void run_for(u64 ticks)
{
	if (rq.curr)
		sched_charge_ticks(rq.curr, ticks);
	now += ticks;
}

static void stop_current(void)
{
	struct sched_entity *curr = rq.curr;

	sched_displace(&rq, curr);
	rq.curr = NULL;
}

static u64 ran(int i)
{
	return task[i].runtime;
}

static void assert_share(int i, u64 total, u32 permille, u32 slack)
{
	u64 got = ran(i) * 1000 / total;

	if (got + slack < permille || got > permille + slack)
		fail_msg("task %d has %llu permille, not %u", i, got, permille);
}

/* Everybody always wants to run. */
static void spin(int n, u64 total, u64 step)
{
	int i;

	for (i = 0; i < n; i++)
		enqueue(i, true);
	while (now < total) {
		reschedule();
		run_for(step);
	}
}

static void equal_weights_share_equally(void **state)
{
	(void)state;
	make(0, 100, 250 * US);
	make(1, 100, 4 * MS);
	make(2, 100, 4 * MS);
	spin(3, 3000 * MS, 50 * US);
	assert_share(0, now, 333, 5);
	assert_share(1, now, 333, 5);
	assert_share(2, now, 333, 5);
}

static void shares_follow_weights(void **state)
{
	(void)state;
	make(0, 100, 250 * US);
	make(1, 200, 4 * MS);
	make(2, 700, 4 * MS);
	spin(3, 4000 * MS, 50 * US);
	assert_share(0, now, 100, 5);
	assert_share(1, now, 200, 5);
	assert_share(2, now, 700, 5);
}

static void extreme_weights_starve_nobody(void **state)
{
	(void)state;
	make(0, 1, 4 * MS);
	make(1, SCHED_WEIGHT_MAX, 4 * MS);
	make(2, SCHED_WEIGHT_MAX, 250 * US);
	spin(3, 400000 * MS, 1 * MS);
	assert_true(ran(0) > 0);
	assert_true(ran(0) * 10000 / now <= 5);
	assert_share(1, now, 500, 10);
	assert_share(2, now, 500, 10);
}

/* A vCPU that sleeps half of the time takes no more than it asks for, nor loses. */
static void sleeper_is_served(void **state)
{
	u64 wake = 0, busy = 0;

	(void)state;
	make(0, 100, 250 * US);
	make(1, 100, 4 * MS);
	make(2, 100, 4 * MS);
	enqueue(1, true);
	enqueue(2, true);
	/* Task 0: 100 us of work each millisecond. */
	while (now < 2000 * MS) {
		if (!queued[0] && current() != 0 && now >= wake) {
			enqueue(0, true);
			busy = 100 * US;
		}
		reschedule();
		run_for(10 * US);
		if (current() == 0) {
			busy -= 10 * US;
			if (!busy) {
				stop_current();
				wake = ALIGN_UP(now + 1, 1 * MS);
				pick();
			}
		}
	}
	print_message("share %llu, worst wait %llu us\n", ran(0) * 1000 / now, worst_wait[0] / US);
	assert_share(0, now, 100, 10);
	assert_share(1, now, 450, 10);
	assert_share(2, now, 450, 10);
	assert_true(worst_wait[0] <= 750 * US);
}

/* Sleeping is no way to more than one's share. */
static void sleeping_earns_nothing(void **state)
{
	u64 wake = 0, busy = 0;

	(void)state;
	make(0, 100, 250 * US);
	make(1, 100, 4 * MS);
	enqueue(1, true);
	/* Task 0 runs 5 ms, whenever it has been off the CPU for 100 us. */
	while (now < 2000 * MS) {
		if (!queued[0] && current() != 0 && now >= wake) {
			enqueue(0, true);
			busy = 5 * MS;
		}
		reschedule();
		run_for(20 * US);
		if (current() == 0) {
			busy -= 20 * US;
			if (!busy) {
				stop_current();
				wake = now + 100 * US;
				pick();
			}
		}
	}
	assert_true(ran(0) * 1000 / now <= 510);
	assert_true(ran(0) * 1000 / now >= 440);
}

/* A short slice that wakes at odd moments waits no longer than a few slices. */
static void short_slice_wakes_soon(void **state)
{
	u32 seed = 1;
	u64 wake = 3 * MS, busy = 0;
	int i;

	(void)state;
	make(0, 100, 250 * US);
	for (i = 1; i < 8; i++)
		make(i, 100, 4 * MS);
	for (i = 1; i < 8; i++)
		enqueue(i, true);
	while (now < 4000 * MS) {
		if (!queued[0] && current() != 0 && now >= wake) {
			enqueue(0, true);
			busy = 60 * US;
		}
		reschedule();
		run_for(20 * US);
		if (current() == 0) {
			busy -= 20 * US;
			if (!busy) {
				stop_current();
				seed = seed * 1103515245 + 12345;
				wake = now + MS + (seed >> 16) * 100;
				pick();
			}
		}
	}
	/* Its share (1/8) is never used up: it is eligible at each wake-up. */
	print_message("worst wait %llu us\n", worst_wait[0] / US);
	assert_true(worst_wait[0] <= 2000 * US);
}

static void nobody_waits_long(void **state)
{
	int i;

	(void)state;
	make(0, 100, 250 * US);
	for (i = 1; i < 6; i++)
		make(i, 100, 4 * MS);
	spin(6, 2000 * MS, 50 * US);
	for (i = 0; i < 6; i++)
		assert_true(worst_wait[i] <= 6 * 4 * MS);
}

/* A donor keeps its claim, up to the bound. */
static void donor_keeps_claim(void **state)
{
	u64 before;

	(void)state;
	make(0, 100, 250 * US);
	make(1, 100, 4 * MS);
	make(2, 100, 4 * MS);
	spin(3, 60 * MS, 50 * US);
	while (current() != 0) {
		reschedule();
		run_for(50 * US);
	}
	before = ran(0);
	stop_current();
	task[0].donating = true;
	pick();
	/* 10 ms for the others: a claim of 5 ms. */
	for (u64 end = now + 10 * MS; now < end;) {
		reschedule();
		run_for(50 * US);
	}
	enqueue(0, true);
	assert_false(task[0].donating);
	for (u64 end = now + 5 * MS; now < end;) {
		reschedule();
		run_for(50 * US);
	}
	assert_true(ran(0) - before >= 4 * MS);
}

static void claim_is_bounded(void **state)
{
	u64 before, until = 0;

	(void)state;
	make(0, 100, 250 * US);
	make(1, 100, 4 * MS);
	spin(2, 10 * MS, 50 * US);
	while (current() != 0) {
		reschedule();
		run_for(50 * US);
	}
	stop_current();
	task[0].donating = true;
	pick();
	before = now;
	while (now < before + 10000 * MS) {
		reschedule();
		run_for(1 * MS);
	}
	enqueue(0, true);
	before = now;
	while (now < before + 500 * MS) {
		reschedule();
		run_for(50 * US);
		if (current() == 1 && !until)
			until = now - before;
	}
	/* The other one waits for 400 slices' worth and a slice, not for seconds. */
	assert_true(until && until <= 102 * MS);
}

/* vruntimes that wrap around do not upset the order. */
static void vruntime_wraps(void **state)
{
	(void)state;
	start(-20 * MS);
	make(0, 100, 250 * US);
	make(1, 100, 4 * MS);
	make(2, 300, 4 * MS);
	spin(3, 1000 * MS, 50 * US);
	assert_true(task[0].vruntime < 1000 * MS);
	assert_share(0, now, 200, 8);
	assert_share(1, now, 200, 8);
	assert_share(2, now, 600, 8);
}

/* A century of ticks at the smallest weight: the product must not overflow. */
static void long_run_does_not_overflow(void **state)
{
	u64 day = 86400ull * 1000 * MS * 4;	/* at 4 GHz */

	(void)state;
	make(0, SCHED_WEIGHT_MAX, 4 * MS);
	make(1, 1, 4 * MS);
	enqueue(0, true);
	enqueue(1, true);
	pick();
	for (int i = 0; i < 1000; i++) {
		u64 was = rq.curr->vruntime;

		sched_charge_ticks(rq.curr, day);
		assert_int_equal(rq.curr->vruntime - was,
				 day * SCHED_WEIGHT_ONE / rq.curr->weight);
	}
}

/* Idle for long, then newcomers: nobody has to pay for the past. */
static void newcomer_starts_at_v(void **state)
{
	(void)state;
	make(0, 100, 4 * MS);
	make(1, 100, 4 * MS);
	spin(1, 5000 * MS, 1 * MS);
	enqueue(1, true);
	assert_int_equal(task[1].vruntime, task[0].vruntime);
	for (u64 end = now + 100 * MS; now < end;) {
		reschedule();
		run_for(100 * US);
	}
	assert_true(ran(1) >= 45 * MS && ran(1) <= 55 * MS);
}

/* A debt is kept over a short sleep, but no more than a bounded one. */
static void debt_is_bounded(void **state)
{
	(void)state;
	make(0, 100, 1 * MS);
	make(1, 100, 4 * MS);
	enqueue(0, true);
	enqueue(1, true);
	pick();
	run_for(100 * MS);
	stop_current();
	assert_true(task[0].lag < 0 || task[1].lag < 0);
	assert_true(task[0].lag >= -(s64)(4 * MS));
	assert_true(task[1].lag >= -(s64)(16 * MS));
}

/* ---- the same by going through all that wait, in the order of their coming ---- */

static int waiting[MAX_TASKS], nr_waiting;

static u64 plain_vtime(void)
{
	u64 base = rq.vtime, weight = 0;
	s64 sum = 0;
	int i;

	for (i = 0; i < nr_waiting; i++) {
		const struct sched_entity *se = &task[waiting[i]];

		sum += (s64)(se->vruntime - base) * se->weight;
		weight += se->weight;
	}
	if (rq.curr) {
		sum += (s64)(rq.curr->vruntime - base) * rq.curr->weight;
		weight += rq.curr->weight;
	}
	return weight ? base + sum / (s64)weight : base;
}

static bool later(u64 a, u64 b)
{
	return (s64)(a - b) > 0;
}

/* Of those that become eligible at the same time, whichever has the earlier deadline. */
static struct sched_entity *plain_choice(u64 v)
{
	struct sched_entity *best = NULL, *first = NULL;
	int i;

	for (i = 0; i < nr_waiting; i++) {
		struct sched_entity *se = &task[waiting[i]];

		if (!first || later(first->vruntime, se->vruntime) ||
		    (first->vruntime == se->vruntime && later(first->deadline, se->deadline)))
			first = se;
		if (!later(se->vruntime, v) && (!best || later(best->deadline, se->deadline)))
			best = se;
	}
	return best ? best : first;
}

static u64 plain_left(u64 v)
{
	const struct sched_entity *se, *curr = rq.curr;
	s64 left = (s64)(curr->deadline - curr->vruntime) * curr->weight;
	u64 total = curr->weight;
	int i;

	for (i = 0; i < nr_waiting; i++)
		total += task[waiting[i]].weight;
	for (i = 0; i < nr_waiting; i++) {
		se = &task[waiting[i]];
		if (later(curr->deadline, se->deadline))
			left = min(left, (s64)(se->vruntime - v) * (s64)total);
	}
	return left <= 0 ? 0 : (u64)left / SCHED_WEIGHT_ONE;
}

static void compare(void)
{
	u64 v = plain_vtime();

	assert_int_equal(sched_vtime(&rq), v);
	assert_int_equal(rq.nr, nr_waiting);
	v = plain_vtime();
	assert_ptr_equal(sched_choose(&rq), plain_choice(v));
	if (rq.curr) {
		v = plain_vtime();
		assert_int_equal(sched_ticks_left(&rq), plain_left(v));
	}
}

static u32 seed_of_all = 11;

static u32 any(u32 below)
{
	seed_of_all = seed_of_all * 1664525 + 1013904223;
	return (seed_of_all >> 8) % below;
}

static void goes_out(int k)
{
	sched_unqueue(&rq, &task[waiting[k]]);
	queued[waiting[k]] = false;
	memmove(&waiting[k], &waiting[k + 1], (--nr_waiting - k) * sizeof(waiting[0]));
}

static void comes_in(int i, bool place)
{
	if (place)
		sched_place(&rq, &task[i]);
	sched_queue(&rq, &task[i]);
	waiting[nr_waiting++] = i;
	queued[i] = true;
}

static void do_something(void)
{
	int i = any(MAX_TASKS), k = nr_waiting ? any(nr_waiting) : 0;
	struct sched_entity *se;

	switch (any(6)) {
	case 0:				/* one wakes */
		if (!queued[i] && rq.curr != &task[i])
			comes_in(i, true);
		break;
	case 1:				/* one is stopped */
		if (!nr_waiting)
			break;
		sched_displace(&rq, &task[waiting[k]]);
		goes_out(k);
		break;
	case 2:				/* the nice value of one is new */
		sched_reweigh(&rq, &task[i], 1 + any(any(2) ? 200 : SCHED_WEIGHT_MAX), queued[i]);
		break;
	case 3:				/* it halts, or gives its CPU away */
		if (!rq.curr)
			break;
		rq.curr->donating = !any(3);
		stop_current();
		break;
	case 4:				/* it is preempted */
		se = sched_choose(&rq);
		if (!se)
			break;
		if (rq.curr) {
			i = current();
			sched_displace(&rq, rq.curr);
			rq.curr = NULL;
			comes_in(i, false);
			se = sched_choose(&rq);
		}
		for (k = 0; &task[waiting[k]] != se; k++)
			;
		goes_out(k);
		rq.curr = se;
		break;
	default:
		run_for(any(2 * MS));
	}
}

static void as_by_going_through_all(void **state)
{
	int i;

	(void)state;
	start(-200 * MS);
	nr_waiting = 0;
	for (i = 0; i < MAX_TASKS; i++)
		make(i, 1 + any(300), (i % 3 ? 4 * MS : 250 * US));
	for (i = 0; i < 20000; i++) {
		do_something();
		compare();
	}
	assert_true(rq.vtime < BIT(62));	/* it has wrapped */
}

/* Whoever became eligible since somebody looked last is not forgotten until the slice ends. */
static void eligible_already(void **state)
{
	u64 left;

	(void)state;
	make(0, 100, 4 * MS);
	make(1, 100, 250 * US);
	enqueue(0, true);
	pick();
	run_for(1 * MS);
	sched_place(&rq, &task[1]);
	task[1].vruntime += 100 * US;		/* it has a small debt */
	task[1].deadline += 100 * US;
	sched_queue(&rq, &task[1]);
	left = sched_ticks_left(&rq);
	assert_true(left && left < 1 * MS);
	run_for(left + 10 * US);
	assert_int_equal(sched_ticks_left(&rq), 0);
	assert_true(sched_preempts(&rq, &task[1]));
}

static u64 dice(void)
{
	static u64 x = 88172645463325252ull;

	x ^= x << 13;
	x ^= x >> 7;
	return x ^= x << 17;
}

static void assert_same(const struct sched_entity *a, const struct sched_entity *b)
{
	assert_int_equal(a->vruntime, b->vruntime);
	assert_int_equal(a->deadline, b->deadline);
	assert_int_equal(a->lag, b->lag);
	assert_int_equal(a->donating, b->donating);
	assert_ptr_equal(a->rq, b->rq);
}

/* One who leaves to another, with nobody else there: as in two steps. */
static void replaced_as_in_two_steps(void **state)
{
	(void)state;
	for (int i = 0; i < 10000; i++) {
		u64 base = dice();
		struct sched_entity was[2];
		u64 vtime;

		start(base);
		for (int k = 0; k < 2; k++) {
			make(k, 1 + dice() % SCHED_WEIGHT_MAX, 1 * MS + dice() % (5 * MS));
			task[k].vruntime = base + dice() % (40 * MS) - 20 * MS;
			task[k].deadline = task[k].vruntime + dice() % (5 * MS);
			task[k].donating = dice() & 1;
			task[k].lag = -(s64)(dice() % (10 * MS));
			task[k].rq = dice() & 1 ? &rq : NULL;
		}
		memcpy(was, task, sizeof(was));
		rq.curr = &task[0];
		sched_replace(&rq, &task[1]);
		assert_ptr_equal(rq.curr, &task[1]);
		vtime = rq.vtime;

		task[2] = was[0];
		task[3] = was[1];
		rq = (struct runqueue){ .vtime = base, .curr = &task[2] };
		sched_displace(&rq, &task[2]);
		rq.curr = NULL;
		sched_place(&rq, &task[3]);
		assert_int_equal(rq.vtime, vtime);
		assert_same(&task[0], &task[2]);
		assert_same(&task[1], &task[3]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(equal_weights_share_equally, setup),
		cmocka_unit_test_setup(shares_follow_weights, setup),
		cmocka_unit_test_setup(extreme_weights_starve_nobody, setup),
		cmocka_unit_test_setup(sleeper_is_served, setup),
		cmocka_unit_test_setup(sleeping_earns_nothing, setup),
		cmocka_unit_test_setup(short_slice_wakes_soon, setup),
		cmocka_unit_test_setup(nobody_waits_long, setup),
		cmocka_unit_test_setup(donor_keeps_claim, setup),
		cmocka_unit_test_setup(claim_is_bounded, setup),
		cmocka_unit_test_setup(vruntime_wraps, setup),
		cmocka_unit_test_setup(long_run_does_not_overflow, setup),
		cmocka_unit_test_setup(newcomer_starts_at_v, setup),
		cmocka_unit_test_setup(debt_is_bounded, setup),
		cmocka_unit_test_setup(as_by_going_through_all, setup),
		cmocka_unit_test_setup(eligible_already, setup),
		cmocka_unit_test_setup(replaced_as_in_two_steps, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
