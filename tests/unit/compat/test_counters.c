// SPDX-License-Identifier: GPL-2.0-only
/* VCPU_COUNTERS: what of a vCPU the service VM gets to see. */
// SOURCES: compat/kvm-abi/counters.c hv/core/vcpu/exit_name.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "compat/kvm-abi/server.h"
#include "hv/core/machine/cpu.h"
#include "hv/core/machine/tsc.h"
#include "hv/core/vcpu/vcpu.h"

u64 tsc_khz = 2000000;

static struct vcpu *v;
static struct cpu home;
static struct bp_vcpu_counters *c;

static int make(void **state __unused)
{
	v = calloc(1, sizeof(*v));
	c = malloc(sizeof(*c));
	memset(c, 0xff, sizeof(*c));
	return !v || !c;
}

static int drop(void **state __unused)
{
	free(v);
	free(c);
	return 0;
}

static void tells_time_and_place(void **state __unused)
{
	home.index = 7;
	v->home = &home;
	v->sched.runtime = 6000000000;
	v->sched.weight = 300;
	v->steal_tsc = 5000;
	v->stolen_ns = 99;
	vcpu_counters(v, c);
	assert_int_equal(c->run_ns, 3000000000);
	assert_int_equal(c->wait_ns, 2000);
	assert_int_equal(c->stolen_ns, 99);
	assert_int_equal(c->cpu, 7);
	assert_int_equal(c->weight, 300);
}

/* One that has never run has no home. */
static void new_one(void **state __unused)
{
	vcpu_counters(v, c);
	assert_int_equal(c->run_ns, 0);
	assert_int_equal(c->cpu, 0);
	assert_int_equal(c->state, BP_VCPU_STOPPED);
}

static void tells_states(void **state __unused)
{
	static const u8 shown[] = {
		[VCPU_STOPPED] = BP_VCPU_STOPPED, [VCPU_CLAIMED] = BP_VCPU_STOPPED,
		[VCPU_RUNNABLE] = BP_VCPU_RUNNABLE, [VCPU_RUNNING] = BP_VCPU_RUNNING,
		[VCPU_HALTED] = BP_VCPU_HALTED, [VCPU_INRUN] = BP_VCPU_INRUN,
		[VCPU_DEAD] = BP_VCPU_STOPPED,
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(shown); i++) {
		v->state = i;
		vcpu_counters(v, c);
		assert_int_equal(c->state, shown[i]);
	}
}

static void counts_by_reason(void **state __unused)
{
	u32 i;

	for (i = 0; i < VM_EXIT_REASONS; i++)
		v->exits[i] = i + 1;
	vcpu_counters(v, c);
	assert_int_equal(c->nr_exits, VM_EXIT_REASONS);
	for (i = 0; i < BP_EXIT_COUNTERS; i++)
		assert_int_equal(c->exits[i], i < VM_EXIT_REASONS ? i + 1 : 0);
}

/* Each reason has a name of its own, which a reader can make one word of. */
static void names_reasons(void **state __unused)
{
	u32 i, k;

	for (i = 0; i < VM_EXIT_REASONS; i++) {
		assert_string_not_equal(vm_exit_name(i), "?");
		assert_null(strchr(vm_exit_name(i), '\n'));
		for (k = 0; k < i; k++)
			assert_string_not_equal(vm_exit_name(i), vm_exit_name(k));
	}
	assert_string_equal(vm_exit_name(VM_EXIT_REASONS), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(tells_time_and_place, make, drop),
		cmocka_unit_test_setup_teardown(new_one, make, drop),
		cmocka_unit_test_setup_teardown(tells_states, make, drop),
		cmocka_unit_test_setup_teardown(counts_by_reason, make, drop),
		cmocka_unit_test(names_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
