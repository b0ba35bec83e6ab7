// SPDX-License-Identifier: GPL-2.0-only
/* The event log of AMD IOMMUs: what is told, wrap, overflow, late entries, storms. */
// SOURCES: hv/iommu/amdvi.c hv/iommu/sources.c hv/iommu/amdvi_cmd.c hv/iommu/amdvi_dte.c hv/iommu/amdvi_irt.c hv/iommu/amdvi_log.c hv/iommu/amdvi_msi.c hv/iommu/ivrs_devs.c tests/unit/rig/amdvi_rig.c
// CFLAGS: -include amdvi_rig.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "hv/iommu/amdvi_unit.h"

#define EVENT(code, dev)	((u64)(code) << 60 | (dev))
#define FAULT			EVENT(AMDVI_IO_PAGE_FAULT, 0x0108)
#define ROOM			(AMDVI_RING_ENTRIES - 1)

static int start(void **state __unused)
{
	rig_init(AMDVI_EFR_IA | AMDVI_EFR_GA);
	assert_null(amdvi_driver.probe(&iommu_caps));
	return amdvi_driver.start(0x1000, true);
}

static void told(const char *what, bool write, bool interrupt, u64 addr)
{
	assert_non_null(strstr(rig_fault.what, what));
	assert_int_equal(rig_fault.write, write);
	assert_int_equal(rig_fault.interrupt, interrupt);
	assert_int_equal(rig_fault.addr, addr);
}

static void one(u64 lo, u64 hi)
{
	u32 before = rig_faults;

	rig_event(1, lo, hi, false);
	amdvi_driver.interrupt();
	assert_int_equal(rig_faults, before + 1);
}

static void kinds(void **state __unused)
{
	u32 code;

	one(FAULT | AMDVI_EVT_RW, 0xabc000);
	told("not mapped", true, false, 0xabc000);
	assert_int_equal(rig_fault.dev.bdf, 0x0108);
	assert_int_equal(rig_fault.code, 2);
	one(FAULT, 0xabc000);
	told("not mapped", false, false, 0xabc000);
	one(FAULT | AMDVI_EVT_I | AMDVI_EVT_RW, 0xfdf8000000);
	told("not mapped", true, true, 0);
	one(EVENT(AMDVI_INVALID_DEVICE_REQUEST, 9) | 5ull << 57, 0xfdf8000000);
	told("no device may make", false, true, 0);
	one(EVENT(AMDVI_INVALID_DEVICE_REQUEST, 9) | 2ull << 57, 0x80);
	told("no device may make", false, false, 0x80);
	for (code = 1; code < 16; code++)
		if (code != AMDVI_ILLEGAL_COMMAND_ERROR && code != AMDVI_COMMAND_HARDWARE_ERROR &&
		    code != AMDVI_EVENT_COUNTER_ZERO)
			one(EVENT(code, 9), 0);
	rig_event(1, EVENT(AMDVI_ILLEGAL_COMMAND_ERROR, 0), 0x10, false);
	rig_event(1, EVENT(AMDVI_COMMAND_HARDWARE_ERROR, 0), 0x10, false);
	rig_event(1, EVENT(AMDVI_EVENT_COUNTER_ZERO, 0), 0x10, false);
	code = rig_faults;
	amdvi_driver.interrupt();
	assert_int_equal(rig_faults, code);
	assert_int_equal(rig_lost, 0);
}

static void nothing(void **state __unused)
{
	amdvi_driver.interrupt();
	assert_int_equal(rig_faults, 0);
	assert_int_equal(rig_lost, 0);
}

/* Both units, many times around, without a storm. */
static void wraps(void **state __unused)
{
	u32 i, k;

	for (i = 0; i < 100; i++) {
		for (k = 0; k < 30; k++)
			rig_event(i & 1, FAULT, i * 30 + k, false);
		amdvi_driver.interrupt();
		assert_int_equal(rig_fault.addr, i * 30 + k - 1);
	}
	assert_int_equal(rig_faults, 3000);
	assert_int_equal(rig_lost, 0);
	assert_int_equal(rig_unit[0].lost + rig_unit[1].lost, 0);
}

/* Each event that comes after the log was read interrupts again. */
static void interrupts_again(void **state __unused)
{
	rig_event(0, FAULT, 1, false);
	rig_event(0, FAULT, 2, false);
	assert_int_equal(rig_unit[0].interrupts, 1);
	amdvi_driver.interrupt();
	rig_event(0, FAULT, 3, false);
	assert_int_equal(rig_unit[0].interrupts, 2);
}

static void overflow(void **state __unused)
{
	u32 i;

	for (i = 0; i < ROOM + 10; i++)
		rig_event(0, FAULT, i, false);
	assert_int_equal(rig_unit[0].lost, 10);
	amdvi_driver.interrupt();
	assert_int_equal(rig_faults, ROOM);
	assert_int_equal(rig_fault.addr, ROOM - 1);
	assert_int_equal(rig_lost, 1);
	assert_int_equal(*rig_reg(0, AMDVI_STATUS) & (AMDVI_EVENT_OVERFLOW | AMDVI_EVENT_LOG_RUN),
			 AMDVI_EVENT_LOG_RUN);
	one(FAULT, 0x77);
	assert_int_equal(rig_fault.addr, 0x77);
}

/* The tail moves before the entry is there; or it never comes. */
static void late_entries(void **state __unused)
{
	rig_event(0, FAULT, 0x55, true);
	amdvi_driver.interrupt();
	assert_int_equal(rig_faults, 1);
	assert_int_equal(rig_fault.addr, 0x55);
	rig_event(0, 0, 0, false);
	rig_event(0, FAULT, 0x66, false);
	amdvi_driver.interrupt();
	assert_int_equal(rig_faults, 2);
	assert_int_equal(rig_lost, 1);
	assert_int_equal(rig_fault.addr, 0x66);
}

/* What was there a round before is not taken for it. */
static void late_after_wrap(void **state __unused)
{
	u32 i;

	for (i = 0; i < AMDVI_RING_ENTRIES; i++)
		one(FAULT, i);
	rig_event(1, FAULT, 0x5555, true);
	amdvi_driver.interrupt();
	assert_int_equal(rig_fault.addr, 0x5555);
}

/* A tail that is nonsense ends nowhere else. */
static void wild_tail(void **state __unused)
{
	*rig_reg(0, AMDVI_EVT_TAIL) = 0xfffffffffffffff0ull;
	*rig_reg(0, AMDVI_STATUS) |= AMDVI_EVENT_LOG_INT;
	amdvi_driver.interrupt();
	assert_int_equal(rig_faults, 0);
	assert_int_equal(rig_lost, ROOM);
}

/* The bit comes back at the moment when it is cleared, and nothing would interrupt again. */
static void bit_comes_back(void **state __unused)
{
	rig_unit[0].storm = 1;
	one(FAULT, 1);
	rig_event(0, FAULT, 2, false);
	amdvi_driver.interrupt();
	assert_false(*rig_reg(0, AMDVI_STATUS) & AMDVI_EVENT_LOG_INT);
	assert_false(amdvi_units[0].muted);
}

/* A bit that cannot be cleared does not hold the CPU: the unit is muted, then looked at again. */
static void stuck_bit(void **state __unused)
{
	rig_unit[0].storm = ~0u;
	rig_event(0, FAULT, 1, false);
	amdvi_driver.interrupt();
	assert_true(amdvi_units[0].muted);
	assert_false(*rig_reg(0, AMDVI_CONTROL) & AMDVI_EVENT_INT_EN);
	amdvi_driver.flush(1);
	assert_true(amdvi_units[0].muted);
	rig_unit[0].storm = 0;
	rig_now += 1000000;
	amdvi_driver.flush(1);
	assert_false(amdvi_units[0].muted);
	assert_true(*rig_reg(0, AMDVI_CONTROL) & AMDVI_EVENT_INT_EN);
	one(FAULT, 0x99);
	assert_false(amdvi_units[0].muted);
}

/* A device that does not stop: what comes while the unit is muted is lost, and that is said. */
static void too_many(void **state __unused)
{
	u32 i, k, before;

	for (i = 0; i < 20 && !amdvi_units[0].muted; i++) {
		for (k = 0; k < ROOM + 1; k++)
			rig_event(0, FAULT, k, false);
		amdvi_driver.interrupt();
	}
	assert_in_range(rig_faults, 4096, 4096 + ROOM);
	before = rig_unit[0].interrupts;
	for (k = 0; k < 2 * ROOM; k++)
		rig_event(0, FAULT, k, false);
	assert_int_equal(rig_unit[0].interrupts, before);
	rig_now += 1000000;
	before = rig_faults;
	i = rig_lost;
	amdvi_driver.flush(1);
	assert_int_equal(rig_faults, before + ROOM);
	assert_int_equal(rig_lost, i + 1);
	one(FAULT, 0x99);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(kinds, start),
		cmocka_unit_test_setup(nothing, start),
		cmocka_unit_test_setup(wraps, start),
		cmocka_unit_test_setup(interrupts_again, start),
		cmocka_unit_test_setup(overflow, start),
		cmocka_unit_test_setup(late_entries, start),
		cmocka_unit_test_setup(late_after_wrap, start),
		cmocka_unit_test_setup(wild_tail, start),
		cmocka_unit_test_setup(bit_comes_back, start),
		cmocka_unit_test_setup(stuck_bit, start),
		cmocka_unit_test_setup(too_many, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
