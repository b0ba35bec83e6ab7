// SPDX-License-Identifier: GPL-2.0-only
/* Each CPU watches the next: who gets an NMI, and when it is no false alarm. */
// SOURCES:
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "hv/core/lib/string.h"

struct trap_frame;
static void ended(const char *fmt, ...);
#define BP_CORE_PANIC_H
#define panic(...)		ended(__VA_ARGS__)
#define panic_frame(f, ...)	return ((void)(f), ended(__VA_ARGS__), true)
#define ASSERT(c)		assert_true(c)

#include "hv/core/machine/watchdog.c"

#define NR	3

struct cpu *cpus[MAX_CPUS];
u32 nr_cpus;
struct hv_options hv_options;
u64 tsc_khz = 1000;
static struct cpu cpu[NR];
static struct cpu *self;
static u64 now, armed;
static int nmis, ends;
static u32 nmi_to;

struct cpu *this_cpu(void) { return self; }
u64 hv_tsc(void) { return now; }
void lapic_send_nmi(u32 apic_id) { nmis++; nmi_to = apic_id; }
static void ended(const char *fmt __unused, ...) { ends++; }

void timer_init(struct hv_timer *t, void (*fn)(struct hv_timer *t))
{
	t->fn = fn;
}

void timer_arm(struct hv_timer *t, u64 deadline)
{
	assert_ptr_equal(t, &self->watch.timer);
	armed = deadline;
}

static void beat(u32 i)
{
	self = &cpu[i];
	self->watch.timer.fn(&self->watch.timer);
}

static int power_on(void **state __unused)
{
	u32 i;

	memset(cpu, 0, sizeof(cpu));
	nr_cpus = NR;
	hv_options.watchdog = 8;
	for (i = 0; i < NR; i++) {
		cpu[i].index = i;
		cpu[i].apic_id = 10 + i;
		cpus[i] = &cpu[i];
	}
	nmis = ends = 0;
	armed = 0;
	now = 5000;
	for (i = 0; i < NR; i++) {
		self = &cpu[i];
		watchdog_start();
	}
	return 0;
}

static void all_is_well(void **state __unused)
{
	u32 i;

	for (i = 0; i < 300; i++)
		beat(i % NR);
	assert_int_equal(nmis, 0);
	assert_int_equal(armed, 5000 + 2 * 1000000);	/* two seconds, four looks */
}

static void one_hangs(void **state __unused)
{
	u32 i;

	for (i = 0; i < 4; i++) {
		beat(0);
		beat(1);
		beat(2);
	}
	for (i = 0; i < 6; i++) {
		assert_int_equal(nmis, i > LOOKS + 1);
		beat(0);
		beat(1);
	}
	assert_int_equal(nmis, 1);
	assert_int_equal(nmi_to, 12);
	self = &cpu[2];
	assert_true(watchdog_nmi(NULL));
	assert_int_equal(ends, 1);
}

/* It beat after all, before the NMI came: nobody else is to see that NMI. */
static void false_alarm(void **state __unused)
{
	u32 i;

	self = &cpu[2];
	assert_false(watchdog_nmi(NULL));
	for (i = 0; i < LOOKS + 2; i++)
		beat(1);
	assert_int_equal(nmis, 1);
	beat(2);
	assert_true(watchdog_nmi(NULL));
	assert_false(watchdog_nmi(NULL));
	assert_int_equal(ends, 0);
	beat(1);
	beat(1);
	assert_int_equal(nmis, 1);
}

static void answers_to_nothing(void **state __unused)
{
	u32 i;

	for (i = 0; i < 2 * (LOOKS + 1) + 1; i++) {
		assert_int_equal(ends, 0);
		beat(1);
	}
	beat(1);
	assert_int_equal(ends, 1);
}

/* All of the machine stood still for long: the first to go on does not blame the others. */
static void machine_stood_still(void **state __unused)
{
	now += 1000000000;
	beat(0);
	beat(0);
	beat(1);
	beat(2);
	assert_int_equal(nmis, 0);
}

static void off_or_alone(void **state __unused)
{
	armed = 0;
	hv_options.watchdog = 0;
	watchdog_start();
	assert_int_equal(armed, 0);
	hv_options.watchdog = 8;
	nr_cpus = 1;
	watchdog_start();
	assert_int_equal(armed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(all_is_well, power_on),
		cmocka_unit_test_setup(one_hangs, power_on),
		cmocka_unit_test_setup(false_alarm, power_on),
		cmocka_unit_test_setup(answers_to_nothing, power_on),
		cmocka_unit_test_setup(machine_stood_still, power_on),
		cmocka_unit_test_setup(off_or_alone, power_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
