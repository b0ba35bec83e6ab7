// SPDX-License-Identifier: GPL-2.0-only
/* Fault records of VT-d units, and the peace that floods of them get. */
// SOURCES: hv/iommu/vtd.c hv/iommu/vtd_queue.c hv/iommu/vtd_tables.c hv/iommu/vtd_pasid.c hv/iommu/vtd_irt.c hv/iommu/vtd_fault.c tests/unit/rig/vtd_rig.c
// CFLAGS: -include vtd_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "vtd_rig.h"

#define READ		BIT(62)
#define RECORD(sid, reason, type)	((sid) | (u64)(reason) << 32 | (type))

static void start(u32 units)
{
	rig_start(units);
	iommu_dmar.unit[units - 1].segment = 3;
	assert_null(vtd_driver.probe(&iommu_caps));
	assert_int_equal(vtd_driver.start(0x1000, true), 0);
	assert_false(rig_timer());
}

static void told(u32 i, u16 segment, u16 bdf, u64 addr, bool write, bool interrupt, u32 code)
{
	const struct iommu_fault *f = &rig_told[i];

	assert_true(i < rig_nr_told);
	assert_int_equal(f->dev.segment, segment);
	assert_int_equal(f->dev.bdf, bdf);
	assert_int_equal(f->addr, addr);
	assert_int_equal(f->write, write);
	assert_int_equal(f->interrupt, interrupt);
	assert_int_equal(f->code, code);
	assert_non_null(f->what);
}

static void tells_what_happened(void **state __unused)
{
	start(2);
	rig_fault(&rig[1], 0xabcdef1234567000, RECORD(0x1234, 5, 0));
	assert_int_equal(rig[1].nr_msi, 1);
	rig_fault(&rig[1], 0x5000, RECORD(0x0008, 6, READ));
	rig_fault(&rig[0], 0xffff000000000000, RECORD(0xff, 0x22, 0));
	rig_fault(&rig[0], 0, RECORD(0xffff, 0xee, READ));
	vtd_driver.interrupt();
	assert_int_equal(rig_nr_told, 4);
	told(0, 0, 0xff, 0xffff, true, true, 0x22);
	told(1, 0, 0xffff, 0, false, false, 0xee);
	told(2, 3, 0x1234, 0xabcdef1234567000, true, false, 5);
	told(3, 3, 0x0008, 0x5000, false, false, 6);
	assert_string_equal(rig_told[0].what, "entry not present");
	assert_string_equal(rig_told[1].what, "fault");
	assert_string_equal(rig_told[2].what, "no right to write");
	assert_int_equal(rig_get(&rig[1], VTD_FSTS, 4) & (VTD_FSTS_PPF | VTD_FSTS_PFO), 0);
}

/* One by one, so that the oldest is anywhere; the timer ends the peace each time. */
static void goes_round_the_records(void **state __unused)
{
	u32 i, n = 0;

	start(1);
	for (i = 0; i < 100; i++) {
		rig_fault(&rig[0], i * PAGE_SIZE, RECORD(i, 2, READ));
		rig_fault(&rig[0], i * PAGE_SIZE, RECORD(i, 2, 0));
		if (i % 3 == 0)
			rig_fault(&rig[0], i * PAGE_SIZE, RECORD(i, 2, 0));
		assert_int_equal(rig[0].nr_msi, i + 1);
		vtd_driver.interrupt();
		n += i % 3 == 0 ? 3 : 2;
		assert_int_equal(rig_nr_told, n);
		told(n - 1, 3, (u16)i, i * PAGE_SIZE, true, false, 2);
		assert_true(rig_timer());
		assert_false(rig_timer());
	}
	assert_int_equal(rig_lost, 0);
}

/* What comes while the interrupt is masked is found by the timer; then it works again. */
static void misses_none(void **state __unused)
{
	start(1);
	rig_fault(&rig[0], 0, RECORD(1, 2, 0));
	vtd_driver.interrupt();
	rig_fault(&rig[0], 0, RECORD(2, 2, 0));
	assert_int_equal(rig[0].nr_msi, 1);
	assert_true(rig_timer());
	assert_int_equal(rig_nr_told, 2);
	assert_true(rig_timer());
	assert_int_equal(rig[0].nr_msi, 2);	/* was pending */
	vtd_driver.interrupt();
	assert_false(rig_timer());
	rig_fault(&rig[0], 0, RECORD(3, 2, 0));
	assert_int_equal(rig[0].nr_msi, 3);
}

static void counts_what_was_lost(void **state __unused)
{
	u32 i;

	start(1);
	for (i = 0; i < 20; i++)
		rig_fault(&rig[0], 0, RECORD(i, 2, 0));
	vtd_driver.interrupt();
	assert_int_equal(rig_nr_told, 8);
	assert_int_equal(rig_lost, 1);
	told(7, 3, 7, 0, true, false, 2);
	assert_int_equal(rig_get(&rig[0], VTD_FSTS, 4) & (VTD_FSTS_PPF | VTD_FSTS_PFO), 0);
	rig_fault(&rig[0], 0, RECORD(99, 2, 0));
	assert_true(rig_timer());
	told(8, 3, 99, 0, true, false, 2);
}

static void again_at_once(struct rig_unit *m)
{
	rig_fault(m, 0, RECORD(7, 2, 0));
}

/* A device that never ends keeps us busy for one round of the records each time. */
static void is_not_kept_busy(void **state __unused)
{
	u32 i;

	start(1);
	rig[0].on_clear = again_at_once;
	rig_fault(&rig[0], 0, RECORD(7, 2, 0));
	vtd_driver.interrupt();
	for (i = 1; i < 100; i++) {
		assert_int_equal(rig[0].nr_msi, 1);
		assert_true(rig_nr_told <= i * 8);
		assert_true(rig_timer());
	}
	rig[0].on_clear = NULL;
	while (rig_timer())
		;
	assert_int_equal(rig_get(&rig[0], VTD_FECTL, 4), 0);
	assert_int_equal(rig_get(&rig[0], VTD_FSTS, 4) & (VTD_FSTS_PPF | VTD_FSTS_PFO), 0);
}

/* What firmware left, from before the interrupt was ours. */
static void looks_at_the_start(void **state __unused)
{
	rig_start(1);
	rig_fault(&rig[0], 0, RECORD(7, 2, 0));
	assert_null(vtd_driver.probe(&iommu_caps));
	assert_int_equal(vtd_driver.start(0x1000, true), 0);
	assert_int_equal(rig_nr_told, 1);
	assert_true(rig_timer());
	vtd_driver.interrupt();
	assert_int_equal(rig_get(&rig[0], VTD_FECTL, 4), 0);
}

static void is_the_boot_cpus_work(void **state __unused)
{
	start(1);
	rig_fault(&rig[0], 0, RECORD(7, 2, 0));
	rig_cpu = 1;
	vtd_driver.interrupt();
	assert_int_equal(rig_nr_told, 0);
	rig_cpu = 0;
	vtd_driver.interrupt();
	assert_int_equal(rig_nr_told, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_what_happened),
		cmocka_unit_test(goes_round_the_records),
		cmocka_unit_test(misses_none),
		cmocka_unit_test(counts_what_was_lost),
		cmocka_unit_test(is_not_kept_busy),
		cmocka_unit_test(looks_at_the_start),
		cmocka_unit_test(is_the_boot_cpus_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
