// SPDX-License-Identifier: GPL-2.0-only
/* The timer queue of a CPU, on a local APIC timer of the test's own. */
// SOURCES: hv/core/machine/timer.c hv/core/lib/tree.c
// CFLAGS: -include core_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "hv/core/machine/lapic.h"
#include "hv/core/machine/timer.h"

#define N	32

u64 host_tsc;
struct cpu *cpus[MAX_CPUS];
u32 nr_cpus = 2;

static struct cpu cpu[2], *self;
static struct hv_timer t[N];
static u64 hardware;		/* when the timer interrupts; 0 = not */
static u32 programs, order[4 * N], fired;
static int waits;

struct cpu *this_cpu(void)
{
	return self;
}

void lapic_timer_program(u64 deadline)
{
	hardware = deadline;
	programs++;
}

/*
 * timer_cancel() waits for the other CPU, which gets on with it here: the
 * function arms its timer again, and returns.
 */
void host_pause(void)
{
	assert_int_equal(cpu[1].timers.lock.next, cpu[1].timers.lock.owner);
	waits--;
	if (waits == 3) {
		self = &cpu[1];
		timer_arm(&t[0], host_tsc + 100);
		self = &cpu[0];
	}
	if (!waits)
		cpu[1].timers.running = NULL;
}

static void note(struct hv_timer *x)
{
	assert_null(x->cpu);
	assert_ptr_equal(self->timers.running, x);
	assert_int_equal(self->timers.lock.next, self->timers.lock.owner);
	assert_true(x->node.key <= host_tsc);
	order[fired++] = x - t;
}

static void rearm(struct hv_timer *x)
{
	note(x);
	if (fired < 10)
		timer_arm(x, x->node.key + 100);
}

static int setup(void **state)
{
	u32 i;

	(void)state;
	memset(cpu, 0, sizeof(cpu));
	for (i = 0; i < 2; i++) {
		timer_queue_init(&cpu[i].timers);
		cpus[i] = &cpu[i];
	}
	for (i = 0; i < N; i++)
		timer_init(&t[i], note);
	self = &cpu[0];
	host_tsc = 1000;
	hardware = 0;
	programs = fired = 0;
	return 0;
}

/* The hardware's one shot, whenever it is due up to `end`. */
static void pass_until(u64 end)
{
	while (hardware && hardware <= end) {
		host_tsc = max(host_tsc, hardware);
		hardware = 0;
		timer_interrupt();
	}
	host_tsc = end;
}

static void in_order_of_deadlines(void **state)
{
	u32 i;

	(void)state;
	for (i = 0; i < N; i++)
		timer_arm(&t[i], 2000 + (i * 7 % N) * 10);
	pass_until(1999);
	assert_int_equal(fired, 0);
	pass_until(10000);
	assert_int_equal(fired, N);
	for (i = 1; i < N; i++)
		assert_true(t[order[i - 1]].node.key < t[order[i]].node.key);
	assert_int_equal(hardware, 0);
}

static void equal_deadlines_first_come(void **state)
{
	u32 i;

	(void)state;
	for (i = 0; i < 5; i++)
		timer_arm(&t[i], 2000);
	pass_until(2000);
	for (i = 0; i < 5; i++)
		assert_int_equal(order[i], i);
}

static void arming_anew_replaces(void **state)
{
	(void)state;
	timer_arm(&t[0], 2000);
	assert_int_equal(hardware, 2000);
	timer_arm(&t[0], 1500);
	assert_int_equal(hardware, 1500);
	timer_arm(&t[0], 3000);
	pass_until(2999);
	assert_int_equal(fired, 0);
	pass_until(3000);
	assert_int_equal(fired, 1);
}

static void cancelled_does_not_fire(void **state)
{
	(void)state;
	timer_arm(&t[0], 2000);
	timer_arm(&t[1], 3000);
	timer_cancel(&t[0]);
	assert_null(t[0].cpu);
	timer_cancel(&t[0]);
	pass_until(5000);
	assert_int_equal(fired, 1);
	assert_int_equal(order[0], 1);
}

static void past_deadline_fires(void **state)
{
	(void)state;
	timer_arm(&t[0], 5);
	pass_until(host_tsc);
	assert_int_equal(fired, 1);
	timer_arm(&t[1], 0);
	pass_until(host_tsc);
	/* 0 is no deadline for the hardware, but long past nevertheless. */
	timer_arm(&t[2], host_tsc + 10);
	pass_until(host_tsc + 10);
	assert_int_equal(fired, 3);
}

static void function_may_arm_again(void **state)
{
	(void)state;
	timer_init(&t[0], rearm);
	timer_arm(&t[0], 2000);
	pass_until(100000);
	assert_int_equal(fired, 10);
	assert_null(t[0].cpu);
	assert_null(cpu[0].timers.running);
}

static void early_interrupt_is_harmless(void **state)
{
	(void)state;
	timer_arm(&t[0], 5000);
	hardware = 0;
	timer_interrupt();
	assert_int_equal(fired, 0);
	assert_int_equal(hardware, 5000);
	timer_cancel(&t[0]);
	timer_interrupt();
	assert_int_equal(fired, 0);
}

/* A vCPU that moved: its timer goes with the next arming, or by a cancel. */
static void other_cpu(void **state)
{
	(void)state;
	timer_arm(&t[0], 2000);
	self = &cpu[1];
	timer_arm(&t[0], 2500);
	assert_ptr_equal(t[0].cpu, &cpu[1]);
	assert_null(cpu[0].timers.tree.root);
	self = &cpu[0];
	timer_cancel(&t[0]);
	assert_null(cpu[1].timers.tree.root);
	/* Cancel waits for a function that runs on the other CPU. */
	cpu[1].timers.running = &t[0];
	waits = 5;
	timer_cancel(&t[0]);
	assert_int_equal(waits, 0);
	assert_null(t[0].cpu);
	assert_null(cpu[1].timers.tree.root);
	/* And so does arming it here, or it would be in two queues. */
	self = &cpu[1];
	timer_arm(&t[0], 5000);
	self = &cpu[0];
	cpu[1].timers.running = &t[0];
	waits = 5;
	timer_arm(&t[0], 5000);
	assert_int_equal(waits, 0);
	assert_ptr_equal(t[0].cpu, &cpu[0]);
	assert_null(cpu[1].timers.tree.root);
}

/* It fires here then, once, when it would have fired there. */
static void moves(void **state)
{
	(void)state;
	timer_move(&t[0]);			/* it was never armed */
	timer_arm(&t[0], 2000);
	timer_arm(&t[1], 3000);
	self = &cpu[1];
	timer_move(&t[0]);
	assert_ptr_equal(t[0].cpu, &cpu[1]);
	assert_int_equal(t[0].node.key, 2000);
	assert_ptr_equal(cpu[0].timers.tree.root, &t[1].node);
	timer_move(&t[0]);			/* it is here */
	assert_ptr_equal(t[0].cpu, &cpu[1]);
	pass_until(2500);
	assert_int_equal(fired, 1);
	self = &cpu[0];
	timer_move(&t[0]);			/* it has fired */
	assert_null(t[0].cpu);
	/* Its function runs on the other CPU, and arms it again: that is what moves. */
	self = &cpu[1];
	timer_arm(&t[0], 5000);
	self = &cpu[0];
	cpu[1].timers.running = &t[0];
	waits = 5;
	timer_move(&t[0]);
	assert_int_equal(waits, 0);
	assert_ptr_equal(t[0].cpu, &cpu[0]);
	assert_int_equal(t[0].node.key, host_tsc + 100);
	assert_null(cpu[1].timers.tree.root);
}

/* The function of the first takes the second away, and sets the third anew. */
static void meddle(struct hv_timer *x)
{
	note(x);
	if (x != &t[0])
		return;
	assert_true(timer_cancel(&t[1]));
	assert_false(timer_cancel(&t[1]));
	timer_arm(&t[2], host_tsc + 500);
}

static void cancelled_while_others_fire(void **state)
{
	u32 i;

	(void)state;
	for (i = 0; i < 4; i++) {
		timer_init(&t[i], meddle);
		timer_arm(&t[i], 2000);
	}
	pass_until(2100);
	assert_int_equal(fired, 2);
	assert_int_equal(order[0], 0);
	assert_int_equal(order[1], 3);
	pass_until(2500);
	assert_int_equal(fired, 3);
	assert_int_equal(order[2], 2);
}

/* What is in a guest's power to ask for: it holds up nobody else's. */
static void far_ones_are_last(void **state)
{
	(void)state;
	timer_arm(&t[0], ~0ull);
	timer_arm(&t[1], 1ull << 63);
	timer_arm(&t[2], host_tsc + (1ull << 63) - 1);
	timer_arm(&t[3], 0);
	timer_arm(&t[4], host_tsc + 10);
	pass_until(host_tsc + 10);
	assert_int_equal(fired, 2);
	assert_int_equal(order[0], 3);
	assert_int_equal(order[1], 4);
	pass_until(1ull << 60);
	assert_int_equal(fired, 2);
}

static void random_use(void **state)
{
	u32 seed = 5, i, k, armed;

	(void)state;
	for (i = 0; i < 20000; i++) {
		seed = seed * 1664525 + 1013904223;
		k = (seed >> 16) % N;
		if (seed & 0x80)
			timer_arm(&t[k], host_tsc + (seed >> 8) % 1000);
		else
			timer_cancel(&t[k]);
		fired = 0;
		if (!(i % 3))
			pass_until(host_tsc + (seed >> 20) % 200);
		for (k = armed = 0; k < N; k++) {
			armed += t[k].cpu != NULL;
			assert_true(!t[k].cpu || t[k].node.key > host_tsc || i % 3);
		}
		/* Whatever is armed, the hardware will tell in time. */
		if (armed)
			assert_true(hardware && hardware <=
				    max(tree_first(&cpu[0].timers.tree, 0)->key, host_tsc));
	}
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(in_order_of_deadlines), T(equal_deadlines_first_come),
		T(arming_anew_replaces), T(cancelled_does_not_fire),
		T(past_deadline_fires), T(function_may_arm_again),
		T(early_interrupt_is_harmless), T(other_cpu), T(moves),
		T(cancelled_while_others_fire), T(far_ones_are_last), T(random_use),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
