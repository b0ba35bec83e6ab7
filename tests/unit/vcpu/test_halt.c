// SPDX-License-Identifier: GPL-2.0-only
/* Polling before a halt: for how long, for whose sake it ends, and what is learnt.  One tick is 1 ns. */
// SOURCES: hv/core/vcpu/halt.c
// CFLAGS: -include core_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "hv/core/machine/cpu.h"
#include "hv/core/machine/tsc.h"
#include "hv/core/vcpu/halt.h"
#include "hv/core/vcpu/run.h"
#include "hv/core/vcpu/vcpu.h"

#define US	1000ull
#define MAX	(200 * US)
#define ROUND	50		/* ticks of one look */

u64 tsc_khz = 1000000;
u64 host_tsc;

static struct cpu cpu;
static struct vcpu d0, v;
static struct bp_vcpu_page page;
static u64 begin, event_at;
static void (*meanwhile)(void);		/* at each interrupt window */

struct cpu *this_cpu(void)
{
	return &cpu;
}

bool vcpu_has_work(struct vcpu *w)
{
	assert_ptr_equal(w, &v);
	assert_int_equal(w->mp_state, KVM_MP_STATE_HALTED);
	return host_tsc - begin >= event_at;
}

void host_pause(void)
{
	host_tsc += ROUND;
}

void host_irq_window(void)
{
	if (meanwhile)
		meanwhile();
}

static int setup(void **state __unused)
{
	cpu = (struct cpu){ .dom0 = &d0 };
	d0 = (struct vcpu){ .state = VCPU_HALTED };
	v = (struct vcpu){ .page = &page, .mp_state = KVM_MP_STATE_HALTED, .msr.poll_control = 1 };
	v.halt.ticks = MAX;
	page = (struct bp_vcpu_page){ .poll_ns = MAX };
	begin = host_tsc = 1000;
	event_at = 3 * US;
	meanwhile = NULL;
	return 0;
}

/* Result: ticks that it took; @found: what it says. */
static u64 poll(bool found)
{
	begin = host_tsc;
	assert_int_equal(halt_poll(&v), found);
	assert_int_equal(v.halt.begun, begin);
	return host_tsc - begin;
}

static void finds_what_comes(void **state __unused)
{
	assert_in_range(poll(true), 3 * US, 3 * US + ROUND);
	event_at = 0;
	assert_int_equal(poll(true), 0);
}

static void ends_in_time(void **state __unused)
{
	event_at = ~0ull;
	assert_in_range(poll(false), MAX, MAX + ROUND);
	v.halt.ticks = 10 * US;
	assert_in_range(poll(false), 10 * US, 10 * US + ROUND);
	/* The page's word is the service VM's: any. */
	v.halt.ticks = ~0ull;
	page.poll_ns = ~0u;
	assert_in_range(poll(false), BP_POLL_MAX_NS, BP_POLL_MAX_NS + ROUND);
	page.poll_ns = 0;
	assert_int_equal(poll(false), 0);
}

static void somebody_waits(void) { cpu.rq.nr = 1; }
static void time_to_choose(void) { cpu.resched = true; }
static void pause_wanted(void) { v.pause_req = true; }
static void move_wanted(void) { v.move_to = &cpu; }

static void gives_way(void **state __unused)
{
	static void (*const what[])(void) = {
		somebody_waits, time_to_choose, pause_wanted, move_wanted,
	};

	for (u32 i = 0; i < ARRAY_SIZE(what); i++) {
		setup(NULL);
		meanwhile = what[i];
		assert_int_equal(poll(false), ROUND);
	}
}

static void needs_an_idle_cpu(void **state __unused)
{
	static const struct {
		enum vcpu_state state;
		bool ours, alone, polls;
	} c[] = {
		{ VCPU_HALTED, false, false, true },
		{ VCPU_INRUN, true, true, true },
		{ VCPU_INRUN, true, false, false },
		{ VCPU_INRUN, false, true, false },
		{ VCPU_RUNNABLE, false, false, false },
		{ VCPU_RUNNING, false, false, false },
	};

	for (u32 i = 0; i < ARRAY_SIZE(c); i++) {
		setup(NULL);
		d0.state = c[i].state;
		d0.target = c[i].ours ? &v : NULL;
		page.poll_in_run = c[i].alone;
		if (!poll(c[i].polls))
			assert_false(c[i].polls);
	}
	/* A CPU that domain 0 does not have is idle. */
	setup(NULL);
	cpu.dom0 = NULL;
	poll(true);
}

static void not_for_all(void **state __unused)
{
	v.msr.poll_control = 0;		/* MSR_KVM_POLL_CONTROL: the guest polled itself */
	assert_int_equal(poll(false), 0);
	setup(NULL);
	v.page = NULL;			/* domain 0's */
	assert_false(halt_poll(&v));
}

static void learns(void **state __unused)
{
	struct halt_poll h = { .max = MAX };
	u32 i;

	halt_learn(&h, 150 * US);
	assert_int_equal(h.ticks, 10 * US);
	for (i = 1; i <= 4; i++) {
		halt_learn(&h, 150 * US);
		assert_int_equal(h.ticks, 10 * US << i);
	}
	/* It is found by polling now: enough. */
	halt_learn(&h, 150 * US);
	assert_int_equal(h.ticks, 160 * US);
	halt_learn(&h, 170 * US);
	assert_int_equal(h.ticks, MAX);
	for (i = 1; i <= 4; i++) {
		halt_learn(&h, 3000 * US);
		assert_int_equal(h.ticks, MAX >> i);
	}
	halt_learn(&h, 3000 * US);
	assert_int_equal(h.ticks, 0);
	halt_learn(&h, 3000 * US);
	assert_int_equal(h.ticks, 0);
	/* Less is allowed than before. */
	h.ticks = MAX;
	h.max = 20 * US;
	halt_learn(&h, 15 * US);
	assert_int_equal(h.ticks, 20 * US);
	h.max = 0;
	halt_learn(&h, 1);
	assert_int_equal(h.ticks, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(finds_what_comes, setup),
		cmocka_unit_test_setup(ends_in_time, setup),
		cmocka_unit_test_setup(gives_way, setup),
		cmocka_unit_test_setup(needs_an_idle_cpu, setup),
		cmocka_unit_test_setup(not_for_all, setup),
		cmocka_unit_test_setup(learns, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
