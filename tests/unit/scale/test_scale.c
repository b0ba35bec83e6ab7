// SPDX-License-Identifier: GPL-2.0-only
/*
 * What scheduler, timers and wake-ups cost as there are more vCPUs, in instructions.
 *
 *	test_scale		the growth is as it is to be
 *	test_scale --table	the table, and a machine with 256 guests of four vCPUs
 */
// SOURCES: tests/unit/rig/scale_rig.c hv/core/vcpu/vcpu.c hv/core/vcpu/halt.c hv/core/vcpu/sched.c hv/core/vcpu/sched_math.c hv/core/machine/timer.c hv/core/lib/tree.c hv/core/apic/vlapic.c hv/core/apic/vlapic_post.c hv/core/apic/vlapic_deliver.c hv/core/apic/vlapic_state.c hv/core/apic/vlapic_timer.c
// CFLAGS: -O2 -fno-sanitize=all -include core_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "hv/core/machine/timer.h"
#include "scale_rig.h"
#include "steps.h"

#define US		1000ull
#define MS		1000000ull
#define ROUNDS		16
#define VECTOR		0x40

/* The mean, and the longest. */
struct cost {
	u64 mean, most;
};

static u64 taken[4096], nr_taken;

static void note(u64 steps)
{
	if (nr_taken < ARRAY_SIZE(taken))
		taken[nr_taken++] = steps;
}

static struct cost result(void)
{
	struct cost c = { 0 };
	u64 i, sum = 0;

	for (i = 0; i < nr_taken; i++) {
		sum += taken[i];
		c.most = max(c.most, taken[i]);
	}
	if (nr_taken)
		c.mean = (sum + nr_taken / 2) / nr_taken;
	nr_taken = 0;
	return c;
}

/* ---- one CPU, on whose queue n vCPUs wait, each with another past ---- */

static struct cpu *crowd(u32 n)
{
	struct cpu *c;
	u32 i;

	rig_make(1, n + 2, n + 2);
	c = rig_cpu[0];
	for (i = 0; i < n + 1; i++) {
		rig_vcpu[i]->sched.weight = 50 + rig_random(100);
		rig_runnable(rig_vcpu[i]);
		host_tsc += 1 + rig_random(1000);
	}
	/* Each has had a turn or two, as far as there is time for that. */
	for (i = 0; i < 2 * n; i++) {
		struct vcpu *v = rig_take(c);

		host_tsc += 10 * US + rig_random(1000000);
		rig_preempt(c, v);
	}
	return c;
}

static struct cost pick(u32 n)
{
	struct cpu *c = crowd(n);
	struct vcpu *v;
	u32 i;

	for (i = 0; i < ROUNDS; i++) {
		note(STEPS(v = sched_take(c)));
		c->current = v;
		host_tsc += 10 * US + rig_random(1000000);
		rig_preempt(c, v);
	}
	return result();
}

static struct cost preempt(u32 n)
{
	struct cpu *c = crowd(n);
	struct vcpu *v;
	u32 i;

	for (i = 0; i < ROUNDS; i++) {
		v = rig_take(c);
		host_tsc += 10 * US + rig_random(1000000);
		note(STEPS(rig_preempt(c, v)));
	}
	return result();
}

static struct cost look(u32 n)
{
	struct cpu *c = crowd(n);
	struct vcpu *v;
	u32 i;

	for (i = 0; i < ROUNDS; i++) {
		v = rig_take(c);
		host_tsc += 10 * US + rig_random(1000000);
		note(STEPS(sched_should_yield(c)));
		rig_preempt(c, v);
	}
	return result();
}

static struct cost wake(u32 n)
{
	struct cpu *c = crowd(n);
	struct vcpu *v, *sleeper = rig_vcpu[n + 1];
	u32 i;

	for (i = 0; i < ROUNDS; i++) {
		v = rig_take(c);
		host_tsc += 10 * US + rig_random(1000000);
		vlapic_set_irr(sleeper, VECTOR, false);
		note(STEPS(vcpu_kick(sleeper)));
		rig_eat(sleeper);
		rig_dequeue(sleeper);
		rig_preempt(c, v);
	}
	return result();
}

/* ---- one CPU with n timers ---- */

static struct hv_timer timer[RIG_VCPUS + 1];

static void nothing(struct hv_timer *t)
{
	(void)t;
}

static u64 sometime(void)
{
	return host_tsc + 10 * US + rig_random(100000000);
}

static void clocks(u32 n)
{
	u32 i;

	rig_make(1, 0, 1);
	for (i = 0; i <= n; i++) {
		timer_init(&timer[i], nothing);
		if (i < n)
			timer_arm(&timer[i], sometime());
	}
}

static struct cost set(u32 n)
{
	u32 i;

	clocks(n);
	for (i = 0; i < ROUNDS; i++) {
		u64 deadline = sometime();

		note(STEPS(timer_arm(&timer[n], deadline)));
		timer_cancel(&timer[n]);
	}
	return result();
}

static struct cost cancel(u32 n)
{
	u32 i, k;

	clocks(n);
	for (i = 0; i < ROUNDS; i++) {
		k = rig_random(n);
		note(STEPS(timer_cancel(&timer[k])));
		timer_arm(&timer[k], sometime());
	}
	return result();
}

static struct cost expire(u32 n)
{
	u32 i, k;

	clocks(n);
	for (i = 0; i < ROUNDS; i++) {
		host_tsc = rig_hardware[0];
		note(STEPS(timer_interrupt()));
		for (k = 0; k < n; k++)
			if (!timer[k].cpu)
				timer_arm(&timer[k], sometime());
	}
	return result();
}

/* Timers that were set in order, and are all due at the same time: the whole of it. */
static struct cost expire_all(u32 n)
{
	u32 i;

	rig_make(1, 0, 1);
	for (i = 0; i < n; i++) {
		timer_init(&timer[i], nothing);
		timer_arm(&timer[i], host_tsc + 10);
	}
	host_tsc += 10;
	note(STEPS(timer_interrupt()));
	return result();
}

/* ---- an IPI to all of n halted vCPUs, in all ---- */

static struct cost broadcast_on(u32 n, u32 nr)
{
	rig_make(nr, n + 1, n + 1);
	rig_vcpu[0]->state = VCPU_RUNNING;
	rig_here->current = rig_vcpu[0];
	note(STEPS(vlapic_deliver(&rig_dom[0], rig_vcpu[0], 0, false, SHORT_OTHERS, DM_FIXED,
				  VECTOR, false)));
	return result();
}

static struct cost broadcast(u32 n)
{
	return broadcast_on(n, 1);
}

static struct cost broadcast_8(u32 n)
{
	return broadcast_on(n, 8);
}

static struct cost broadcast_64(u32 n)
{
	return broadcast_on(n, 64);
}

static const struct row {
	const char *name;
	struct cost (*fn)(u32 n);
	bool all;			/* n operations: the cost of one is what counts */
	u32 limit;			/* at 1,000 at most that times the cost at 10, in tenths; 0: any */
} rows[] = {
	{ "pick, of n that wait", pick, false, 25 },
	{ "preempt, to n that wait", preempt, false, 25 },
	{ "look whether to yield to one of n", look, false, 25 },
	{ "wake one, beside n that wait", wake, false, 25 },
	{ "timer set, beside n", set, false, 25 },
	{ "timer cancelled, of n", cancel, false, 25 },
	{ "timer due, of n", expire, false, 25 },
	{ "n timers due at once", expire_all, true, 25 },
	{ "IPI to n halted vCPUs, 1 CPU", broadcast, true, 25 },
	{ "IPI to n halted vCPUs, 8 CPUs", broadcast_8, true, 0 },
	{ "IPI to n halted vCPUs, 64 CPUs", broadcast_64, true, 0 },
};

static void growth(void **state)
{
	const struct row *r;
	u64 few, many;

	(void)state;
	for (r = rows; r < rows + ARRAY_SIZE(rows); r++) {
		if (!r->limit)
			continue;
		few = r->fn(10).mean;
		many = r->fn(1000).mean;
		if (r->all)
			many /= 100;
		print_message("%s: %llu at 10, %llu at 1000\n", r->name, few, many);
		if (many * 10 > few * r->limit)
			fail_msg("%s: %llu at 10, but %llu at 1000", r->name, few, many);
	}
}

/* Counting is exact: two counts of the same are the same. */
static void counts_repeat(void **state)
{
	struct cost a = wake(100), b = wake(100);

	(void)state;
	assert_int_equal(a.mean, b.mean);
	assert_int_equal(a.most, b.most);
}

/* Whoever makes an IPI for all is not deaf for longer than 64 of them take. */
static void interrupts_in_between(void **state)
{
	(void)state;
	broadcast_on(63, 8);
	assert_int_equal(rig_windows, 0);
	broadcast_on(1000, 8);
	assert_int_equal(rig_windows, 1000 / 64);
	assert_int_equal(rig_cpu[3]->rq.nr, 125);
}

/* Periodic, it ticks where its vCPU runs, and misses nothing by the move. */
static void timer_follows(void **state)
{
	struct vcpu *v;
	u64 next;

	(void)state;
	rig_make(2, 2, 2);
	v = rig_vcpu[0];
	vlapic_write(v, APIC_REG_TIMER_DIV, 0xb);
	vlapic_write(v, APIC_REG_LVT_TIMER, LVT_PERIODIC | VECTOR);
	vlapic_write(v, APIC_REG_TIMER_INIT, MS);
	next = v->apic.timer.node.key;
	assert_ptr_equal(v->apic.timer.cpu, rig_cpu[0]);
	rig_runnable(v);
	rig_move(v, rig_cpu[1]);
	assert_ptr_equal(v->apic.timer.cpu, rig_cpu[0]);
	rig_here = rig_cpu[1];
	assert_ptr_equal(rig_take(rig_cpu[1]), v);
	assert_ptr_equal(v->apic.timer.cpu, rig_cpu[1]);
	assert_int_equal(v->apic.timer.node.key, next);
	assert_int_equal(rig_hardware[1], next);
	host_tsc = next;
	timer_interrupt();
	assert_int_equal(vlapic_pending(v), VECTOR);
	assert_ptr_equal(v->apic.timer.cpu, rig_cpu[1]);
	assert_int_equal(v->apic.timer.node.key, next + MS);
	/* Its ticks stop while it waits with one pending, and go on where it has a CPU again. */
	rig_preempt(rig_cpu[1], v);
	rig_move(v, rig_cpu[0]);
	host_tsc = next + MS;
	timer_interrupt();
	assert_null(v->apic.timer.cpu);
	rig_here = rig_cpu[0];
	assert_ptr_equal(rig_take(rig_cpu[0]), v);
	assert_ptr_equal(v->apic.timer.cpu, rig_cpu[0]);
	assert_int_equal(v->apic.timer.node.key, next + 2 * MS);
}

/* A one-shot timer that fires on its way is not set again by it. */
static void one_shot_fires_on_its_way(void **state)
{
	struct vcpu *v;

	(void)state;
	rig_make(2, 2, 2);
	v = rig_vcpu[0];
	vlapic_write(v, APIC_REG_TIMER_DIV, 0xb);
	vlapic_write(v, APIC_REG_LVT_TIMER, VECTOR);
	vlapic_write(v, APIC_REG_TIMER_INIT, MS);
	rig_runnable(v);
	rig_move(v, rig_cpu[1]);
	host_tsc += MS;
	timer_interrupt();
	assert_null(v->apic.timer.cpu);
	rig_here = rig_cpu[1];
	assert_ptr_equal(rig_take(rig_cpu[1]), v);
	assert_null(v->apic.timer.cpu);
	assert_int_equal(vlapic_pending(v), VECTOR);
}

#define LINE(type, field)	(offsetof(type, field) / CACHE_LINE)
#define APART(type, a, b)	assert_int_not_equal(LINE(type, a), LINE(type, b))

/* What others write, and what a CPU looks at or writes at each exit. */
static void lines_apart(void **state)
{
	(void)state;
	assert_int_equal(sizeof(struct cpu) % CACHE_LINE, 0);
	APART(struct cpu, guest_dom, resched);
	APART(struct cpu, guest_gen, rq);
	APART(struct cpu, current, rq);
	APART(struct cpu, guest_gen, timers);
	APART(struct cpu, slice.cpu, timers.lock);
	APART(struct cpu, slice.cpu, rq.nr);
	APART(struct cpu, watch.suspect, guest_gen);
	APART(struct vcpu, lock, dom);
	APART(struct vcpu, lock, regs);
	APART(struct vcpu, state, regs);
	APART(struct vcpu, sched.runtime, regs);
	APART(struct domain, tlb_gen, lock);
	APART(struct domain, tlb_gen, npt.leaves);
	APART(struct domain, tlb_gen, pool);
	APART(struct domain, clock_ns, pool);
	APART(struct domain, few[0], lock);
	APART(struct domain, more, lock);
}

/* ---- 256 guests of four vCPUs ---- */

enum { OP_PICK, OP_HALT, OP_SET, OP_CLOCK, OP_IPI, OPS };

static const char *const op_names[OPS] = {
	"pick", "halt", "timer set (APIC register)", "timer interrupt", "IPI to the guest's others",
};

static struct {
	u64 n, sum, most;
} op[OPS];

static void count(int o, u64 steps)
{
	op[o].n++;
	op[o].sum += steps;
	op[o].most = max(op[o].most, steps);
}

/* A turn on CPU c: it takes one, which computes a while, and halts with its timer set. */
static void turn(struct cpu *c)
{
	struct vcpu *v;

	rig_here = c;
	if (rig_hardware[c->index] && rig_hardware[c->index] <= host_tsc) {
		rig_hardware[c->index] = 0;
		count(OP_CLOCK, STEPS(timer_interrupt()));
	}
	c->resched = false;
	count(OP_PICK, STEPS(v = sched_take(c)));
	if (!v)
		return;
	c->current = v;
	v->mp_state = KVM_MP_STATE_RUNNABLE;
	rig_eat(v);
	host_tsc += rig_random(50000) / nr_cpus;
	if (!rig_random(4))
		count(OP_IPI, STEPS(vlapic_deliver(v->dom, v, 0, false, SHORT_OTHERS, DM_FIXED,
						   VECTOR, false)));
	count(OP_SET, STEPS(vlapic_write(v, APIC_REG_TIMER_INIT, 100000 + rig_random(20000000))));
	v->mp_state = KVM_MP_STATE_HALTED;
	count(OP_HALT, STEPS(vcpu_block(v)));
}

static void machine(u32 n)
{
	u32 i, turns;

	rig_make(n, RIG_VCPUS, RIG_VCPUS / RIG_DOMS);
	memset(op, 0, sizeof(op));
	for (i = 0; i < RIG_VCPUS; i++) {
		vlapic_write(rig_vcpu[i], APIC_REG_TIMER_DIV, 0xb);
		vlapic_write(rig_vcpu[i], APIC_REG_LVT_TIMER, VECTOR + 1);
		rig_runnable(rig_vcpu[i]);
	}
	for (turns = 0; turns < 2048; turns++)
		turn(rig_cpu[turns % n]);
	printf("\n256 guests with 1,024 vCPUs on %u CPU%s, %llu kicks between CPUs:\n", n,
	       n > 1 ? "s" : "", rig_ipis);
	for (i = 0; i < OPS; i++)
		printf("  %-28s %6llu times %8llu each %8llu at most\n", op_names[i], op[i].n,
		       op[i].n ? op[i].sum / op[i].n : 0, op[i].most);
}

static int table(void)
{
	static const u32 sizes[] = { 10, 100, 1000 };
	const struct row *r;
	struct cost c;
	u32 i;

	printf("%-36s", "instructions, mean (longest)");
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		printf("%18u", sizes[i]);
	printf("\n");
	for (r = rows; r < rows + ARRAY_SIZE(rows); r++) {
		printf("%-36s", r->name);
		for (i = 0; i < ARRAY_SIZE(sizes); i++) {
			c = r->fn(sizes[i]);
			printf("%10llu (%5llu)", c.mean, c.most);
		}
		printf("\n");
	}
	machine(1);
	machine(8);
	machine(64);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_repeat),
		cmocka_unit_test(growth), cmocka_unit_test(interrupts_in_between),
		cmocka_unit_test(timer_follows), cmocka_unit_test(one_shot_fires_on_its_way),
		cmocka_unit_test(lines_apart),
	};

	steps_init();
	if (argc > 1 && !strcmp(argv[1], "--table"))
		return table();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
