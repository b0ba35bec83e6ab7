// SPDX-License-Identifier: GPL-2.0-only
/* What a flood of faults leaves in the log: some lines a second, and how many were left out. */
// SOURCES:
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "hv/core/machine/log.h"

static u32 nr_lines;
static char last[128], before_last[128];

static void __printf(1, 2) keep_line(const char *fmt, ...)
{
	va_list ap;

	memcpy(before_last, last, sizeof(last));
	va_start(ap, fmt);
	vsnprintf(last, sizeof(last), fmt, ap);
	va_end(ap);
	nr_lines++;
}

#undef log_at
#define log_at(level, ...)	keep_line(__VA_ARGS__)
#include "hv/iommu/faults.c"

static u64 clock_us = 5000000;

u64 tsc_uptime_us(void)
{
	return clock_us;
}

static void fault(bool interrupt, bool write)
{
	struct iommu_fault f = {
		.dev = { .segment = 1, .bdf = 0x0203 }, .addr = 0xabc000, .write = write,
		.interrupt = interrupt, .code = 5, .what = "no right",
	};

	iommu_fault(&f);
}

static void says_who_and_where(void **state __unused)
{
	u64 before = iommu_fault_count();

	clock_us += PERIOD_US;
	fault(false, true);
	assert_string_equal(last, "IOMMU: 0001:02:00.3: write at 0xabc000 blocked: no right (5)");
	fault(false, false);
	assert_string_equal(last, "IOMMU: 0001:02:00.3: read at 0xabc000 blocked: no right (5)");
	fault(true, false);
	assert_string_equal(last,
			    "IOMMU: 0001:02:00.3: interrupt blocked, entry 0xabc000: no right (5)");
	assert_int_equal(iommu_fault_count(), before + 3);
}

static void flood_is_moderated_and_counted(void **state __unused)
{
	u64 before = iommu_fault_count();
	u32 i;

	clock_us += PERIOD_US;
	nr_lines = 0;
	for (i = 0; i < 1000; i++)
		fault(false, true);
	assert_int_equal(nr_lines, LINES);
	iommu_faults_lost(7);
	assert_int_equal(nr_lines, LINES);
	assert_int_equal(iommu_fault_count(), before + 1007);

	clock_us += PERIOD_US - 1;
	fault(false, true);
	assert_int_equal(nr_lines, LINES);
	clock_us++;
	fault(false, true);
	assert_int_equal(nr_lines, LINES + 2);
	assert_string_equal(last, "IOMMU: 0001:02:00.3: write at 0xabc000 blocked: no right (5)");
	assert_int_equal(iommu_fault_count(), before + 1009);
}

static void says_how_many_were_left_out(void **state __unused)
{
	u32 i;

	clock_us += PERIOD_US;
	for (i = 0; i < LINES + 3; i++)
		fault(true, false);
	clock_us += PERIOD_US;
	nr_lines = 0;
	/* The line of those left out comes before the new fault's. */
	fault(true, false);
	assert_int_equal(nr_lines, 2);
	assert_string_equal(before_last, "IOMMU: 3 more faults");
	clock_us += PERIOD_US;
	fault(true, false);
	assert_int_equal(nr_lines, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_who_and_where),
		cmocka_unit_test(flood_is_moderated_and_counted),
		cmocka_unit_test(says_how_many_were_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
