// SPDX-License-Identifier: GPL-2.0-only
/* VT-d's scalable mode: when it is chosen, wide descriptors, PASID tables. */
// SOURCES: hv/iommu/vtd.c hv/iommu/vtd_queue.c hv/iommu/vtd_tables.c hv/iommu/vtd_pasid.c hv/iommu/vtd_irt.c hv/iommu/vtd_fault.c tests/unit/rig/vtd_rig.c
// CFLAGS: -include vtd_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "vtd_calls.h"
#include "hv/core/machine/cmdline.h"

#define SM	(VTD_ECAP_SMTS | VTD_ECAP_SSTS | VTD_ECAP_SMPWC)

/* Units that have both modes; @mode: what the boot option says. */
static void scalable_units(u32 units, u32 mode)
{
	u32 i;

	rig_start(units);
	for (i = 0; i < units; i++)
		change(i, VTD_ECAP, 0, SM);
	hv_options.vtd = mode;
}

static void chooses(u32 mode, bool scalable)
{
	hv_options.vtd = mode;
	assert_null(probe());
	assert_int_equal(vtd_scalable, scalable);
}

static void chooses_a_mode(void **state __unused)
{
	scalable_units(2, VTD_AUTO);
	chooses(VTD_AUTO, false);
	chooses(VTD_LEGACY, false);
	chooses(VTD_SCALABLE, true);
	change(1, VTD_ECAP, VTD_ECAP_SSTS, 0);
	chooses(VTD_SCALABLE, false);
	change(1, VTD_ECAP, VTD_ECAP_SMTS, VTD_ECAP_SSTS);
	chooses(VTD_SCALABLE, false);
	change(1, VTD_ECAP, 0, VTD_ECAP_SMTS);
	/* What firmware left counts if it translates. */
	rig_set(&rig[1], VTD_RTADDR, 8, 0x5000 | MODE);
	chooses(VTD_AUTO, false);
	rig_set(&rig[1], VTD_GSTS, 4, VTD_TE);
	chooses(VTD_AUTO, true);
	chooses(VTD_LEGACY, false);
	rig_set(&rig[1], VTD_RTADDR, 8, 0x5000 | VTD_RTADDR_TTM);
	chooses(VTD_AUTO, false);
}

static void asks_whether_walks_snoop(void **state __unused)
{
	scalable_units(1, VTD_SCALABLE);
	assert_null(probe());
	assert_false(iommu_caps.noncoherent);
	change(0, VTD_ECAP, VTD_ECAP_SMPWC, 0);
	assert_null(probe());
	assert_true(iommu_caps.noncoherent);
	chooses(VTD_LEGACY, false);
	assert_false(iommu_caps.noncoherent);
}

/* So it never stops: no protected regions are needed, and there are none. */
static void goes_on_in_the_mode_that_firmware_left(void **state __unused)
{
	left_on(MODE, VTD_CAP_PHMR | VTD_CAP_PLMR, 0);
	change(0, VTD_ECAP, 0, SM);
	rig_set(&rig[0], VTD_IQA, 8, 0x7000 | VTD_IQA_DW);
	is_taken_over();
	assert_true(vtd_scalable);
}

/* Asked for the other one, all memory is protected meanwhile. */
static void changes_the_mode_as_asked(void **state __unused)
{
	left_on(MODE, 0, 0);
	change(0, VTD_ECAP, 0, SM);
	hv_options.vtd = VTD_LEGACY;
	is_taken_over();
	assert_false(vtd_scalable);
	left_on(0, 0, 0);
	change(0, VTD_ECAP, 0, SM);
	hv_options.vtd = VTD_SCALABLE;
	is_taken_over();
	assert_true(vtd_scalable);
}

/* Descriptors are of 32 bytes, and the queue goes round all the same. */
static void has_wide_descriptors(void **state __unused)
{
	u32 i, from;

	scalable_units(2, VTD_SCALABLE);
	start(true);
	from = rig[1].nr_descs;
	for (i = 0; i < 1000; i++)
		vtd_driver.flush((u16)(i * 7));
	assert_int_equal(rig[1].nr_descs, from + 1000);
	for (i = 0; i < 1000; i++)
		assert_int_equal(rig[1].desc[from + i], 0xe2 | (u64)(u16)(i * 7) << 16);
}

/* Context, PASID cache, and accesses by what was there. */
static void was_told_scalable(u32 unit, u32 from, u16 bdf, u16 was)
{
	struct rig_unit *m = &rig[unit];

	assert_int_equal(m->nr_descs, from + (was ? 3 : 2));
	assert_int_equal(m->desc[from], 0x31 | (u64)was << 16 | (u64)bdf << 32);
	assert_int_equal(m->desc[from + 1], 0x07 | (u64)was << 16);
	if (was)
		assert_int_equal(m->desc[from + 2], 0xe2 | (u64)was << 16);
}

/* @bdf and what it is told from its neighbours by: the other half of the bus. */
static void attaches_scalable(u32 ecap_off, u16 bdf)
{
	u32 from, i, pages;
	u16 was;

	scalable_units(2, VTD_SCALABLE);
	change(1, VTD_ECAP, ecap_off, 0);
	start(true);
	is_domain0s(0);
	from = rig[0].nr_descs;
	pages = rig_pages_left;
	assert_int_equal(attach(0, bdf, ROOT, IOMMU_TAG(0), &was), 0);
	assert_int_equal(was, IOMMU_TAG(0));
	assert_int_equal(rig[0].nr_descs, from);
	assert_int_equal(rig_pages_left, pages);

	assert_int_equal(attach(0, bdf, OTHER, 9, &was), 0);
	assert_int_equal(was, IOMMU_TAG(0));
	was_told_scalable(0, from, bdf, IOMMU_TAG(0));
	was_told_scalable(1, from, bdf, IOMMU_TAG(0));
	for (i = bdf % STRIDE; i < 0x10000; i += STRIDE)
		translates(1, (u16)i, i == bdf ? OTHER : ROOT, i == bdf ? 9 : IOMMU_TAG(0));
	assert_int_equal(rig_pages_left, pages - 3);

	/* A second device of the domain's, and the first one again. */
	assert_int_equal(attach(0, bdf ^ 1, OTHER, 9, &was), 0);
	assert_int_equal(attach(0, bdf, OTHER, 9, &was), 0);
	assert_int_equal(was, 9);
	translates(0, bdf, OTHER, 9);
	translates(0, bdf ^ 1, OTHER, 9);
	assert_int_equal(rig_pages_left, pages - 5);

	from = rig[1].nr_descs;
	assert_int_equal(attach(0, bdf, 0, 0, &was), 0);
	assert_int_equal(was, 9);
	was_told_scalable(1, from, bdf, 9);
	blocks(0, bdf);
	blocks(1, bdf);
	translates(0, bdf ^ 1, OTHER, 9);
	from = rig[1].nr_descs;
	assert_int_equal(attach(0, bdf, OTHER, 10, &was), 0);
	assert_int_equal(was, 0);
	was_told_scalable(1, from, bdf, 0);
	assert_int_equal(attach(0, bdf, ROOT, IOMMU_TAG(0), &was), 0);
	assert_int_equal(was, 10);
	assert_int_equal(attach(0, bdf ^ 1, ROOT, IOMMU_TAG(0), &was), 0);
	is_domain0s(0);
	is_domain0s(1);
	assert_int_equal(rig_pages_left, pages - 1);
}

static void attaches_by_pasid_tables(void **state __unused)
{
	attaches_scalable(0, 0x1234);
	attaches_scalable(0, 0x12b4);
	attaches_scalable(0, 0x0000);
	attaches_scalable(VTD_ECAP_C, 0xffff);
	attaches_scalable(VTD_ECAP_SC, 0x1234);
}

static void writes_pasid_tables_past_the_caches(void **state __unused)
{
	u16 was;

	scalable_units(1, VTD_SCALABLE);
	change(0, VTD_ECAP, VTD_ECAP_C | VTD_ECAP_SMPWC, 0);
	start(true);
	is_domain0s(0);
	assert_int_equal(attach(0, 0x1234, OTHER, 9, &was), 0);
	translates(0, 0x1234, OTHER, 9);
}

/* Domain 0 can name all IDs there are: they do not take all of the pool. */
static void makes_so_many_pasid_tables(void **state __unused)
{
	u32 given = 0, i;
	u16 was;

	scalable_units(1, VTD_SCALABLE);
	start(false);
	for (i = 0; i < 0x100; i++)
		given += !attach(0, (u16)i, OTHER, 9, &was);
	assert_int_equal(given, 0x100);
	for (; i < 0x300; i++)
		given += !attach(0, (u16)i, OTHER, 9, &was);
	assert_in_range(given, 500, 512);
	assert_int_equal(attach(0, 0x300, OTHER, 9, &was), -ENOMEM);
	assert_int_equal(attach(0, 0, ROOT, IOMMU_TAG(0), &was), 0);
	assert_int_equal(attach(0, 0x300, OTHER, 9, &was), 0);
	for (i = 0; i <= 0x300; i++)
		assert_int_equal(attach(0, (u16)i, ROOT, IOMMU_TAG(0), &was), 0);
	is_domain0s(0);
}

/* Each page that it could want missing in turn. */
static void changes_nothing_without_pasid_tables(void **state __unused)
{
	u16 was;
	u32 n;

	for (n = 0; n < 3; n++) {
		scalable_units(1, VTD_SCALABLE);
		start(true);
		rig_pages_left = n;
		assert_int_equal(attach(0, 0x0321, OTHER, 9, &was), -ENOMEM);
		assert_int_equal(rig_pages_left, n);
		is_domain0s(0);
	}
	assert_null(probe());
	for (n = 0; n < 5; n++) {
		scalable_units(1, VTD_SCALABLE);
		assert_null(probe());
		rig_pages_left = n;
		assert_int_equal(vtd_driver.start(ROOT, false), -ENOMEM);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chooses_a_mode),
		cmocka_unit_test(asks_whether_walks_snoop),
		cmocka_unit_test(goes_on_in_the_mode_that_firmware_left),
		cmocka_unit_test(changes_the_mode_as_asked),
		cmocka_unit_test(has_wide_descriptors),
		cmocka_unit_test(attaches_by_pasid_tables),
		cmocka_unit_test(writes_pasid_tables_past_the_caches),
		cmocka_unit_test(makes_so_many_pasid_tables),
		cmocka_unit_test(changes_nothing_without_pasid_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
