// SPDX-License-Identifier: GPL-2.0-only
/* The VT-d driver against a model of the units: capabilities, take-over, tables, queue. */
// SOURCES: hv/iommu/vtd.c hv/iommu/vtd_queue.c hv/iommu/vtd_tables.c hv/iommu/vtd_pasid.c hv/iommu/vtd_irt.c hv/iommu/vtd_fault.c tests/unit/rig/vtd_rig.c
// CFLAGS: -include vtd_host.h
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "vtd_calls.h"
#include "hv/core/machine/cmdline.h"
#include "hv/core/machine/lapic.h"

/* ---- capabilities ---- */

static void finds_what_all_can_do(void **state __unused)
{
	rig_start(2);
	assert_null(probe());
	assert_string_equal(iommu_caps.name, "VT-d");
	assert_ptr_equal(iommu_caps.format, &npt_format_vtd_snoop);
	assert_int_equal(iommu_caps.max_order, 18);
	assert_int_equal(iommu_caps.tags, 65536);
	assert_true(!iommu_caps.noncoherent && iommu_caps.remaps && iommu_caps.x2apic);
	assert_true(iommu_caps.snoops);

	rig_start(2);
	change(1, VTD_CAP, VTD_CAP_1G | 7, 2);
	change(0, VTD_ECAP, VTD_ECAP_C | VTD_ECAP_SC, 0);
	change(1, VTD_ECAP, VTD_ECAP_EIM, 0);
	assert_null(probe());
	assert_ptr_equal(iommu_caps.format, &npt_format_vtd);
	assert_int_equal(iommu_caps.max_order, 9);
	assert_int_equal(iommu_caps.tags, 256);
	assert_true(iommu_caps.noncoherent && iommu_caps.remaps && !iommu_caps.x2apic);
	assert_false(iommu_caps.snoops);

	rig_start(2);
	change(0, VTD_CAP, VTD_CAP_2M, 0);
	change(1, VTD_ECAP, VTD_ECAP_IR, 0);
	assert_null(probe());
	assert_int_equal(iommu_caps.max_order, 0);
	assert_true(!iommu_caps.remaps && !iommu_caps.x2apic);
}

static void heeds_firmware(void **state __unused)
{
	rig_start(1);
	iommu_dmar.x2apic_opt_out = true;
	assert_null(probe());
	assert_true(iommu_caps.remaps && !iommu_caps.x2apic);
	iommu_dmar.x2apic_opt_out = false;
	rig_ioapics_known = false;
	assert_null(probe());
	assert_true(!iommu_caps.remaps && !iommu_caps.x2apic);
	rig_ioapics_known = true;
	iommu_dmar.intr_remap = false;
	assert_null(probe());
	assert_true(!iommu_caps.remaps && !iommu_caps.x2apic);
}

static void refuse(u32 reg, u64 off, u64 on, const char *why)
{
	rig_start(2);
	change(1, reg, off, on);
	assert_string_equal(probe(), why);
}

static void refuses_with_a_reason(void **state __unused)
{
	refuse(VTD_ECAP, VTD_ECAP_QI, 0, "no queued invalidation");
	refuse(VTD_CAP, VTD_CAP_SAGAW_48, BIT(9), "no page tables of 4 levels");
	refuse(VTD_CAP, 0, VTD_CAP_RWBF, "write buffers that must be flushed");
	refuse(VTD_CAP, 0, 0x3ffull << 24, "fault records outside of its registers");
	refuse(VTD_CAP, 0, ~0ull, "there are no registers");
	refuse(VTD_VER, ~0ull, 0, "there are no registers");
}

/* ---- taking over ---- */

static void starts_what_is_off(void **state __unused)
{
	u32 i;

	rig_start(2);
	start(true);
	for (i = 0; i < 2; i++) {
		assert_int_equal(rig_get(&rig[i], VTD_GSTS, 4) & VTD_LASTING, VTD_TE | VTD_QIE | VTD_IRE);
		is_domain0s(i);
		assert_int_equal(rig[i].irta & 0xfff, VTD_IRTA_S_MAX);
		assert_false(rig[i].iec_stale);
		assert_int_equal(rig_get(&rig[i], VTD_FECTL, 4), 0);
		assert_int_equal(rig_get(&rig[i], VTD_FEDATA, 4), VECTOR_IOMMU);
		assert_int_equal(rig_get(&rig[i], VTD_FEADDR, 4), 0xfee34000);
		assert_int_equal(rig_get(&rig[i], VTD_FEUADDR, 4), 0x1200);
	}
	assert_int_equal(rig[0].root, rig[1].root);
	assert_int_not_equal(rig[0].irta, rig[1].irta);
}

static void leaves_interrupts_alone(void **state __unused)
{
	rig_start(1);
	change(0, VTD_GSTS, 0, VTD_IRE);	/* with firmware's table, which goes away */
	rig[0].irta = 0x1000;
	start(false);
	assert_int_equal(rig_get(&rig[0], VTD_GSTS, 4) & VTD_LASTING, VTD_TE | VTD_QIE);
	is_domain0s(0);
}

/* As firmware may leave a unit: all on, by its own tables. */
static void takes_over_while_it_translates(void **state __unused)
{
	left_on(0, 0, 0);
	is_taken_over();
	left_on(MODE, 0, VTD_CAP_ESRTPS);
	is_taken_over();
}

static void protects_memory_while_the_mode_changes(void **state __unused)
{
	left_on(MODE, 0, 0);
	is_taken_over();
	left_on(VTD_RTADDR_TTM, 0, 0);
	rig_set(&rig[0], VTD_PMEN, 4, VTD_PMEN_EPM | VTD_PMEN_PRS);
	rig_set(&rig[0], VTD_PLMLIMIT, 4, 0xffffff);
	is_taken_over();
}

/* Without regions there is no other way; the log says so. */
static void changes_the_mode_without_regions(void **state __unused)
{
	left_on(MODE, VTD_CAP_PHMR, 0);
	rig[0].confined = false;
	is_taken_over();
}

static void ends_firmwares_protection(void **state __unused)
{
	rig_start(1);
	rig_set(&rig[0], VTD_PMEN, 4, VTD_PMEN_EPM | VTD_PMEN_PRS);
	rig_set(&rig[0], VTD_PLMLIMIT, 4, ~0u);
	rig_set(&rig[0], VTD_PHMBASE, 8, SZ_4G);
	rig_set(&rig[0], VTD_PHMLIMIT, 8, ~0ull);
	rig[0].confined = true;
	is_taken_over();
}

/* A queue that is stuck is none to wait for, and its error none of ours. */
static void takes_over_a_queue_that_is_stuck(void **state __unused)
{
	left_on(0, 0, 0);
	rig_set(&rig[0], VTD_IQT, 8, 0x140);
	rig_set(&rig[0], VTD_FSTS, 4, VTD_FSTS_IQE);
	is_taken_over();
}

static void says_that_it_cannot_start(void **state __unused)
{
	u32 n;

	rig_start(2);
	assert_null(probe());
	rig[1].dead = true;
	assert_int_equal(vtd_driver.start(ROOT, true), -EIO);
	rig_start(1);
	assert_null(probe());
	rig[0].deaf = true;
	assert_int_equal(vtd_driver.start(ROOT, true), -EIO);
	assert_false(rig_get(&rig[0], VTD_GSTS, 4) & VTD_TE);
	/* Context and root table, queue, table of interrupts. */
	for (n = 0; n < 3 + VTD_IRTES / 256; n++) {
		rig_start(1);
		assert_null(probe());
		rig_pages_left = n;
		assert_int_equal(vtd_driver.start(ROOT, true), -ENOMEM);
	}
	rig_pages_left = 0;
	rig_start(1);
	rig_pages_left = n;
	start(true);
}

/* ---- the queue ---- */

static void goes_round_the_queue(void **state __unused)
{
	u32 i, from;

	rig_start(2);
	start(true);
	from = rig[1].nr_descs;
	for (i = 0; i < 1000; i++)
		vtd_driver.flush((u16)(i * 7));
	assert_int_equal(rig[1].nr_descs, from + 1000);
	assert_int_equal(rig[0].nr_descs, rig[1].nr_descs);
	for (i = 0; i < 1000; i++) {
		assert_int_equal(rig[0].desc[from + i], 0xe2 | (u64)(u16)(i * 7) << 16);
		assert_int_equal(rig[1].desc[from + i], rig[0].desc[from + i]);
	}
}

static void drains_as_the_unit_can(void **state __unused)
{
	rig_start(1);
	change(0, VTD_CAP, VTD_CAP_DRD | VTD_CAP_DWD, 0);
	start(true);
	vtd_driver.flush(5);
	assert_int_equal(rig[0].desc[rig[0].nr_descs - 1], 0x50022);
}

static void flush_in_child(void)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		signal(SIGABRT, SIG_DFL);
		fclose(stderr);
		vtd_driver.flush(1);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void panics_when_a_unit_fails(void **state __unused)
{
	rig_start(2);
	start(true);
	rig[1].deaf = true;
	flush_in_child();
	rig[1].deaf = false;
	rig[1].broken = true;
	flush_in_child();
}

/* In SMM, or where the machine is emulated: what the unit did meanwhile counts. */
static void outlives_a_stop_of_the_machine(void **state __unused)
{
	u32 before;

	rig_start(1);
	start(true);
	before = rig[0].nr_descs;
	rig[0].stopped = true;
	vtd_driver.flush(1);
	assert_false(rig[0].stopped);
	assert_int_equal(rig[0].nr_descs, before + 1);
}

/* ---- devices ---- */

/* What was told to the unit since @from: its context by @was, and accesses by that. */
static void was_told(u32 unit, u32 from, u16 bdf, u16 was)
{
	struct rig_unit *m = &rig[unit];

	assert_int_equal(m->nr_descs, from + (was ? 2 : 1));
	assert_int_equal(m->desc[from], 0x31 | (u64)was << 16 | (u64)bdf << 32);
	if (was)
		assert_int_equal(m->desc[from + 1], 0xe2 | (u64)was << 16);
}

static void attaches(bool coherent)
{
	u32 from, bdf, pages;
	u16 was;

	rig_start(3);
	if (!coherent)
		change(1, VTD_ECAP, VTD_ECAP_C, 0);
	iommu_dmar.unit[2].segment = 7;
	iommu_dmar.unit[1].rest = true;
	start(true);
	assert_int_equal(rig[0].root, rig[1].root);
	assert_int_not_equal(rig[0].root, rig[2].root);
	from = rig[0].nr_descs;
	pages = rig_pages_left;

	assert_int_equal(attach(0, 0x1234, ROOT, IOMMU_TAG(0), &was), 0);
	assert_int_equal(was, IOMMU_TAG(0));
	assert_int_equal(rig[0].nr_descs, from);
	assert_int_equal(rig_pages_left, pages);

	assert_int_equal(attach(0, 0x1234, OTHER, 9, &was), 0);
	assert_int_equal(was, IOMMU_TAG(0));
	was_told(0, from, 0x1234, IOMMU_TAG(0));
	was_told(1, from, 0x1234, IOMMU_TAG(0));
	assert_int_equal(rig[2].nr_descs, from);
	for (bdf = 0; bdf < 0x10000; bdf++) {
		translates(1, (u16)bdf, bdf == 0x1234 ? OTHER : ROOT, bdf == 0x1234 ? 9 : IOMMU_TAG(0));
		translates(2, (u16)bdf, ROOT, IOMMU_TAG(0));
	}

	from = rig[0].nr_descs;
	assert_int_equal(attach(0, 0x1234, 0, 0, &was), 0);
	assert_int_equal(was, 9);
	was_told(0, from, 0x1234, 9);
	blocks(0, 0x1234);
	blocks(1, 0x1234);
	translates(0, 0x1235, ROOT, IOMMU_TAG(0));

	from = rig[0].nr_descs;
	assert_int_equal(attach(0, 0x1234, OTHER, 10, &was), 0);
	assert_int_equal(was, 0);
	was_told(0, from, 0x1234, 0);
	assert_int_equal(attach(0, 0x1234, ROOT, IOMMU_TAG(0), &was), 0);
	assert_int_equal(was, 10);
	is_domain0s(0);
	assert_int_equal(rig_pages_left, pages - 1);
}

static void attaches_devices(void **state __unused)
{
	attaches(true);
}

static void writes_past_the_caches(void **state __unused)
{
	attaches(false);
}

static void knows_devices_that_are_behind_no_unit(void **state __unused)
{
	u16 was;

	rig_start(2);
	iommu_dmar.unit[1].rest = false;
	iommu_dmar.unit[1].dev.first = 1;
	iommu_dmar.unit[1].dev.nr = 1;
	iommu_dmar.scope[1] = (struct dmar_scope){ .type = DMAR_ENDPOINT, .bus = 3, .depth = 1,
						   .path = { 0x21 } };
	start(true);
	assert_int_equal(attach(0, 0x0321, OTHER, 9, &was), 0);
	assert_int_equal(attach(0, 0x0008, OTHER, 9, &was), -ENODEV);
	assert_int_equal(attach(0, 0x0322, OTHER, 9, &was), -ENODEV);
	assert_int_equal(attach(1, 0x0321, OTHER, 9, &was), -ENODEV);
	translates(1, 0x0322, ROOT, IOMMU_TAG(0));
}

/* Which buses are behind a bridge the table does not say. */
static void takes_a_bridge_for_all_that_may_be_behind(void **state __unused)
{
	u16 was;

	rig_start(2);
	iommu_dmar.unit[1].rest = false;
	iommu_dmar.unit[1].dev.first = 1;
	iommu_dmar.unit[1].dev.nr = 1;
	iommu_dmar.scope[1] = (struct dmar_scope){ .type = DMAR_BRIDGE, .depth = 1, .path = { 8 } };
	start(true);
	assert_int_equal(attach(0, 0x0321, OTHER, 9, &was), 0);
	translates(1, 0x0321, OTHER, 9);
	assert_int_equal(attach(1, 0x0321, OTHER, 9, &was), -ENODEV);
}

static void changes_nothing_without_memory(void **state __unused)
{
	u16 was;

	rig_start(1);
	start(true);
	rig_pages_left = 0;
	assert_int_equal(attach(0, 0x0321, OTHER, 9, &was), -ENOMEM);
	is_domain0s(0);
}

/* Units may look at its low bits only, and take it for another domain's. */
static void uses_no_tag_that_is_too_high(void **state __unused)
{
	u32 from;
	u16 was;

	rig_start(1);
	change(0, VTD_CAP, 7, 2);
	start(true);
	from = rig[0].nr_descs;
	assert_int_equal(attach(0, 0x0321, OTHER, 256, &was), -ENOSPC);
	vtd_driver.flush(256);
	assert_int_equal(rig[0].nr_descs, from);
	is_domain0s(0);
	assert_int_equal(attach(0, 0x0321, OTHER, 255, &was), 0);
	translates(0, 0x0321, OTHER, 255);
	vtd_driver.flush(255);
	assert_int_equal(rig[0].nr_descs, from + 3);
}

/* ---- interrupts ---- */

static void keeps_tables_of_interrupts(void **state __unused)
{
	struct rig_unit *m = &rig[1];
	struct vtd_entry e;
	u32 from;

	rig_start(2);
	change(1, VTD_ECAP, VTD_ECAP_C | 15ull << 20, 8ull << 20);
	start(true);
	e = rig_see(m, (m->irta & PAGE_MASK) + 0xffff * 16);
	assert_true(!e.lo && !e.hi);
	vtd_irte_set(1, 0xffff, 0x1122334455667701, 0x99aabbccddeeff00);
	e = rig_see(m, (m->irta & PAGE_MASK) + 0xffff * 16);
	assert_true(e.lo == 0x1122334455667701 && e.hi == 0x99aabbccddeeff00);
	e = rig_see(&rig[0], (rig[0].irta & PAGE_MASK) + 0xffff * 16);
	assert_true(!e.lo && !e.hi);

	from = m->nr_descs;
	vtd_irte_flush(1, 0xffff, 0);
	vtd_irte_flush(1, 0x4100, 8);
	vtd_irte_flush(1, 0x4110, 8);		/* not aligned */
	vtd_irte_flush(1, 0x4000, 9);		/* more than the unit can */
	vtd_irte_flush(1, 0, 16);
	assert_int_equal(m->desc[from], 0xffff00000014);
	assert_int_equal(m->desc[from + 1], 0x410040000014);
	assert_int_equal(m->desc[from + 2], 4);
	assert_int_equal(m->desc[from + 3], 4);
	assert_int_equal(m->desc[from + 4], 4);
	assert_int_equal(m->nr_descs, from + 5);
	assert_true(vtd_ecap(1) != vtd_ecap(0) && vtd_cap(1) == vtd_cap(0));
}

static void changes_how_entries_name_cpus(void **state __unused)
{
	hpa_t table;

	rig_start(1);
	start(true);
	table = rig[0].irta;
	vtd_irt_mode(0, true);
	assert_int_equal(rig[0].irta, table | VTD_IRTA_EIME);
	assert_false(rig[0].iec_stale);
	vtd_irt_mode(0, false);
	assert_int_equal(rig[0].irta, table);
	assert_true(rig_get(&rig[0], VTD_GSTS, 4) & VTD_IRE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_all_can_do),
		cmocka_unit_test(heeds_firmware),
		cmocka_unit_test(refuses_with_a_reason),
		cmocka_unit_test(starts_what_is_off),
		cmocka_unit_test(leaves_interrupts_alone),
		cmocka_unit_test(takes_over_while_it_translates),
		cmocka_unit_test(protects_memory_while_the_mode_changes),
		cmocka_unit_test(changes_the_mode_without_regions),
		cmocka_unit_test(ends_firmwares_protection),
		cmocka_unit_test(takes_over_a_queue_that_is_stuck),
		cmocka_unit_test(says_that_it_cannot_start),
		cmocka_unit_test(goes_round_the_queue),
		cmocka_unit_test(drains_as_the_unit_can),
		cmocka_unit_test(panics_when_a_unit_fails),
		cmocka_unit_test(outlives_a_stop_of_the_machine),
		cmocka_unit_test(attaches_devices),
		cmocka_unit_test(writes_past_the_caches),
		cmocka_unit_test(knows_devices_that_are_behind_no_unit),
		cmocka_unit_test(takes_a_bridge_for_all_that_may_be_behind),
		cmocka_unit_test(changes_nothing_without_memory),
		cmocka_unit_test(uses_no_tag_that_is_too_high),
		cmocka_unit_test(keeps_tables_of_interrupts),
		cmocka_unit_test(changes_how_entries_name_cpus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
