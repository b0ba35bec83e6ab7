// SPDX-License-Identifier: GPL-2.0-only
/* How a CPU with nothing to run waits. */
// SOURCES: hv/core/machine/idle.c
// CFLAGS: -include core_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "hv/core/machine/cmdline.h"
#include "hv/core/machine/cpu.h"
#include "hv/core/machine/idle.h"
#include "hv/core/machine/tsc.h"

u64 host_tsc = 1000000, tsc_khz = 2000000;	/* 2 GHz */
struct hv_options hv_options;
static struct cpu cpu;
static u32 halts, windows, asked = IDLE_HLT;
static const void *watched;

/* As a server of 2021 has it: C1, C1E and C6, which MWAIT calls C3. */
static struct idle_enum machine = {
	.one_ecx = BIT(3), .mwait_ecx = 3, .mwait_edx = 0x2020, .power_eax = BIT(2),
	.ext7_edx = BIT(8),
};

struct cpu *this_cpu(void) { return &cpu; }
void host_idle(void) { halts++; }
void host_irq_window(void) { windows++; }
void host_monitor(const void *p) { watched = p; }

void host_mwait(u32 hint)
{
	assert_non_null(watched);
	asked = hint;
}

struct cpuid host_cpuid(u32 leaf, u32 sub __unused)
{
	switch (leaf) {
	case 0:
		return (struct cpuid){ .eax = 0x16 };
	case 0x80000000:
		return (struct cpuid){ .eax = 0x80000008 };
	case 1:
		return (struct cpuid){ .ecx = machine.one_ecx };
	case 5:
		return (struct cpuid){ .ecx = machine.mwait_ecx, .edx = machine.mwait_edx };
	case 6:
		return (struct cpuid){ .eax = machine.power_eax };
	case 0x80000007:
		return (struct cpuid){ .edx = machine.ext7_edx };
	}
	return (struct cpuid){ 0 };
}

static void waits(void)
{
	halts = windows = 0;
	watched = NULL;
	asked = IDLE_HLT;
	idle_wait();
}

/* First of all: a state is asked for only with idle=deep. */
static void halts_by_default(void **state __unused)
{
	idle_init();
	waits();
	assert_int_equal(halts, 1);
	assert_int_equal(asked, IDLE_HLT);
}

static void chooses(void **state __unused)
{
	struct idle_enum e = machine;

	assert_int_equal(idle_choose(&e), 0x20);
	e.mwait_edx = 0x11142120;			/* a notebook's, up to C10 */
	assert_int_equal(idle_choose(&e), 0x60);
	e.mwait_edx = 0x11;				/* C1 only */
	assert_int_equal(idle_choose(&e), 0);
	e.mwait_edx = 1;				/* C0 is none */
	assert_int_equal(idle_choose(&e), IDLE_HLT);
}

static void needs_all_of_it(void **state __unused)
{
	struct idle_enum e = machine;

	e.one_ecx = 0;
	assert_int_equal(idle_choose(&e), IDLE_HLT);
	e = machine;
	e.mwait_ecx = 1;
	assert_int_equal(idle_choose(&e), IDLE_HLT);
	e.mwait_ecx = 2;
	assert_int_equal(idle_choose(&e), IDLE_HLT);
	e = machine;
	e.power_eax = (u32)~BIT(2);
	assert_int_equal(idle_choose(&e), IDLE_HLT);
	e = machine;
	e.ext7_edx = (u32)~BIT(8);
	assert_int_equal(idle_choose(&e), IDLE_HLT);
}

static void deep_if_it_lasts(void **state __unused)
{
	hv_options.idle_deep = 1;
	idle_init();
	cpu.timers.programmed = 0;			/* none */
	waits();
	assert_int_equal(asked, 0x20);
	assert_int_equal(windows, 1);
	assert_int_equal(halts, 0);
	cpu.timers.programmed = host_tsc + 2000000;	/* in a millisecond */
	waits();
	assert_int_equal(asked, 0x20);
	cpu.timers.programmed = host_tsc + 1999999;
	waits();
	assert_int_equal(asked, IDLE_HLT);
	assert_int_equal(halts, 1);
	cpu.timers.programmed = host_tsc - 5;		/* due */
	waits();
	assert_int_equal(halts, 1);
	machine.power_eax = 0;
	idle_init();
	cpu.timers.programmed = 0;
	waits();
	assert_int_equal(halts, 1);
}

#define T(f) cmocka_unit_test(f)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(halts_by_default), T(chooses), T(needs_all_of_it), T(deep_if_it_lasts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
