// SPDX-License-Identifier: GPL-2.0-only
/* The virtual local APIC: its timer. */
// SOURCES: tests/unit/rig/vlapic_rig.c hv/core/apic/vlapic.c hv/core/apic/vlapic_post.c hv/core/apic/vlapic_deliver.c hv/core/apic/vlapic_state.c hv/core/apic/vlapic_timer.c
// CFLAGS: -include core_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "vlapic_rig.h"

static void one_shot(void **state)
{
	(void)state;
	vlapic_write(&v[0], APIC_REG_TIMER_DIV, 0xb);
	vlapic_write(&v[0], APIC_REG_LVT_TIMER, 0xec);
	vlapic_write(&v[0], APIC_REG_TIMER_INIT, 100000);
	assert_int_equal(reg(&v[0], APIC_REG_TIMER_CUR), 100000);
	pass(100000);
	assert_int_equal(reg(&v[0], APIC_REG_TIMER_CUR), 50000);
	assert_int_equal(vlapic_pending(&v[0]), -1);
	pass(100000);
	assert_int_equal(vlapic_pending(&v[0]), 0xec);
	assert_int_equal(reg(&v[0], APIC_REG_TIMER_CUR), 0);
	assert_null(v[0].apic.timer.cpu);
	assert_int_equal(kicked[0], 1);
	/* INIT = 0 stops it. */
	vlapic_write(&v[0], APIC_REG_TIMER_INIT, 100000);
	vlapic_write(&v[0], APIC_REG_TIMER_INIT, 0);
	assert_null(v[0].apic.timer.cpu);
}

static void dividers(void **state)
{
	static const u8 code[] = { 0xb, 0, 1, 2, 3, 8, 9, 0xa };
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(code); i++) {
		vlapic_write(&v[0], APIC_REG_TIMER_DIV, code[i]);
		vlapic_write(&v[0], APIC_REG_TIMER_INIT, 1000000);
		assert_int_equal(v[0].apic.timer.node.key - host_tsc, 2000000ull << i);
	}
}

/* The undivided clock as the VMM has it; the longest count is cut, and fits. */
static void bus_clock(void **state)
{
	(void)state;
	dom.apic_bus_ns = 40;
	vlapic_init(&v[0], 0, true);
	vlapic_write(&v[0], APIC_REG_SVR, 0x1ff);
	vlapic_write(&v[0], APIC_REG_TIMER_DIV, 0);		/* 2 */
	vlapic_write(&v[0], APIC_REG_TIMER_INIT, 1000);
	assert_int_equal(v[0].apic.timer.node.key - host_tsc, 1000 * 2 * 40 * 2);
	pass(80000);
	assert_int_equal(reg(&v[0], APIC_REG_TIMER_CUR), 500);
	v[0].apic.bus_ns = ~0u;
	vlapic_write(&v[0], APIC_REG_TIMER_DIV, 0xa);		/* 128 */
	vlapic_write(&v[0], APIC_REG_TIMER_INIT, ~0u);
	assert_true(v[0].apic.timer.node.key - host_tsc > 1ull << 56);
	assert_true(reg(&v[0], APIC_REG_TIMER_CUR) > 0);
	dom.apic_bus_ns = 0;
}

static void periodic(void **state)
{
	u64 last;
	u32 i;

	(void)state;
	vlapic_write(&v[0], APIC_REG_TIMER_DIV, 0xb);
	vlapic_write(&v[0], APIC_REG_LVT_TIMER, LVT_PERIODIC | 0xec);
	vlapic_write(&v[0], APIC_REG_TIMER_INIT, 1000000);
	last = host_tsc;
	for (i = 1; i <= 10; i++) {
		pass(2000000);
		assert_int_equal(kicked[0], i);
		assert_int_equal(v[0].apic.timer.node.key - last, (i + 1) * 2000000ull);
	}
	/* Late by many periods: one tick, not a burst. */
	host_tsc += 100 * 2000000ull;
	v[0].apic.timer.cpu = NULL;
	v[0].apic.timer.fn(&v[0].apic.timer);
	assert_int_equal(kicked[0], 11);
	assert_true(v[0].apic.timer.node.key > host_tsc);
	/* Masked: it counts, and raises nothing. */
	vlapic_ack(&v[0], 0xec);
	vlapic_eoi(&v[0]);
	vlapic_write(&v[0], APIC_REG_LVT_TIMER, LVT_MASKED | LVT_PERIODIC | 0xec);
	pass(4000000);
	assert_int_equal(vlapic_pending(&v[0]), -1);
}

/* However a guest gets there, it cannot have ticks in a row without end. */
static void no_tick_storm(void **state)
{
	u64 start;

	(void)state;
	vlapic_write(&v[0], APIC_REG_TIMER_DIV, 0xb);
	vlapic_write(&v[0], APIC_REG_LVT_TIMER, LVT_PERIODIC | 0xec);
	vlapic_write(&v[0], APIC_REG_TIMER_INIT, 1);
	start = kicked[0];
	pass(tsc_khz);
	assert_true(kicked[0] - start <= 5);
	/* One-shot first, then made periodic while it counts. */
	vlapic_write(&v[0], APIC_REG_LVT_TIMER, 0xec);
	vlapic_write(&v[0], APIC_REG_TIMER_INIT, 100);
	vlapic_write(&v[0], APIC_REG_LVT_TIMER, LVT_PERIODIC | 0xec);
	start = kicked[0];
	pass(tsc_khz);
	assert_true(kicked[0] - start <= 6);
}

/*
 * A vCPU without a CPU has one tick pending, and then none that costs the CPU where its timer
 * is; with a CPU it has the next one when it would have had it.
 */
static void no_ticks_for_nobody(void **state __unused)
{
	struct kvm_lapic_state s;
	u64 begin = host_tsc;

	vlapic_write(&v[0], APIC_REG_TIMER_DIV, 0xb);
	vlapic_write(&v[0], APIC_REG_LVT_TIMER, LVT_PERIODIC | 0xec);
	vlapic_write(&v[0], APIC_REG_TIMER_INIT, 1000000);
	v[0].state = VCPU_HALTED;
	pass(100 * 2000000ull + 500000);
	assert_int_equal(kicked[0], 2);
	assert_int_equal(vlapic_pending(&v[0]), 0xec);
	v[0].state = VCPU_RUNNING;
	vlapic_timer_resume(&v[0]);
	assert_int_equal(v[0].apic.timer.node.key - begin, 101 * 2000000ull);
	vlapic_timer_resume(&v[0]);
	assert_int_equal(v[0].apic.timer.node.key - begin, 101 * 2000000ull);
	/* Once more as long as it runs, taken or not, and masked. */
	vlapic_write(&v[0], APIC_REG_LVT_TIMER, LVT_MASKED | LVT_PERIODIC | 0xec);
	pass(10 * 2000000ull);
	assert_int_equal(kicked[0], 12);
	v[0].state = VCPU_STOPPED;
	pass(100 * 2000000ull);
	assert_int_equal(kicked[0], 13);
	/* Its count is told where it is. */
	vlapic_get_state(&v[0], &s);
	assert_int_equal(*(u32 *)(s.regs + APIC_REG_TIMER_CUR), 750000);
	pass(10 * 2000000ull);
	assert_int_equal(kicked[0], 14);
	/* Stopped, it does not go on. */
	vlapic_write(&v[0], APIC_REG_TIMER_INIT, 0);
	vlapic_timer_resume(&v[0]);
	assert_null(v[0].apic.timer.cpu);
}

static void deadline_mode(void **state)
{
	u64 val;

	(void)state;
	v[0].tsc_offset = -500000ull;
	vlapic_wrmsr(&v[0], MSR_TSC_DEADLINE, host_tsc);
	assert_null(v[0].apic.timer.cpu);		/* not in that mode: ignored */
	vlapic_write(&v[0], APIC_REG_LVT_TIMER, LVT_DEADLINE | 0xec);
	vlapic_wrmsr(&v[0], MSR_TSC_DEADLINE, host_tsc - 500000 + 1000);
	assert_int_equal(v[0].apic.timer.node.key, host_tsc + 1000);
	vlapic_rdmsr(&v[0], MSR_TSC_DEADLINE, &val);
	assert_int_equal(val, host_tsc - 500000 + 1000);
	assert_int_equal(reg(&v[0], APIC_REG_TIMER_CUR), 0);
	pass(1000);
	assert_int_equal(vlapic_pending(&v[0]), 0xec);
	vlapic_rdmsr(&v[0], MSR_TSC_DEADLINE, &val);
	assert_int_equal(val, 0);
	vlapic_ack(&v[0], 0xec);
	vlapic_eoi(&v[0]);
	/* In the past: at once. */
	vlapic_wrmsr(&v[0], MSR_TSC_DEADLINE, 5);
	assert_int_equal(vlapic_pending(&v[0]), 0xec);
	/* 0 disarms, and so does leaving the mode. */
	vlapic_wrmsr(&v[0], MSR_TSC_DEADLINE, host_tsc + 1000000);
	vlapic_wrmsr(&v[0], MSR_TSC_DEADLINE, 0);
	assert_null(v[0].apic.timer.cpu);
	vlapic_wrmsr(&v[0], MSR_TSC_DEADLINE, host_tsc + 1000000);
	vlapic_write(&v[0], APIC_REG_LVT_TIMER, 0xec);
	assert_null(v[0].apic.timer.cpu);
}

static void state_keeps_count(void **state)
{
	struct kvm_lapic_state s;

	(void)state;
	vlapic_write(&v[0], APIC_REG_TIMER_DIV, 0xb);
	vlapic_write(&v[0], APIC_REG_LVT_TIMER, 0xec);
	vlapic_write(&v[0], APIC_REG_TIMER_INIT, 1000000);
	pass(500000);
	vlapic_get_state(&v[0], &s);
	pass(100 * 1000000);
	vlapic_ack(&v[0], 0xec);
	vlapic_eoi(&v[0]);
	vlapic_set_state(&v[0], &s);
	assert_int_equal(reg(&v[0], APIC_REG_TIMER_CUR), 750000);
	pass(1500000 - 2);
	assert_int_equal(vlapic_pending(&v[0]), -1);
	pass(2);
	assert_int_equal(vlapic_pending(&v[0]), 0xec);
}

/* A one-shot count that is over does not begin again by a save and restore. */
static void state_of_expired_timer(void **state)
{
	struct kvm_lapic_state s;

	(void)state;
	vlapic_write(&v[0], APIC_REG_TIMER_DIV, 0xb);
	vlapic_write(&v[0], APIC_REG_LVT_TIMER, 0xec);
	vlapic_write(&v[0], APIC_REG_TIMER_INIT, 1000);
	pass(10000);
	vlapic_ack(&v[0], 0xec);
	vlapic_eoi(&v[0]);
	vlapic_get_state(&v[0], &s);
	vlapic_set_state(&v[0], &s);
	pass(1000000);
	assert_int_equal(vlapic_pending(&v[0]), -1);
}

#define T(name) cmocka_unit_test_setup(name, rig_setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(one_shot), T(dividers), T(bus_clock), T(periodic), T(no_tick_storm), T(no_ticks_for_nobody),
		T(deadline_mode), T(state_keeps_count), T(state_of_expired_timer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
