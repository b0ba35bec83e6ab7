// SPDX-License-Identifier: GPL-2.0-only
/* The AMD-Vi driver on units in software: features, take-over, commands, devices, interrupt tables. */
// SOURCES: hv/iommu/amdvi.c hv/iommu/sources.c hv/iommu/amdvi_cmd.c hv/iommu/amdvi_dte.c hv/iommu/amdvi_irt.c hv/iommu/amdvi_log.c hv/iommu/amdvi_msi.c hv/iommu/ivrs_devs.c tests/unit/rig/amdvi_rig.c
// CFLAGS: -include amdvi_rig.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "hv/core/machine/acpi.h"
#include "hv/iommu/amdvi.h"
#include "hv/iommu/amdvi_unit.h"

#define ROOT		0x12345000ull
#define OTHER		0x6789a000ull
#define FEATURES	(AMDVI_EFR_IA | AMDVI_EFR_GA | 2u << 10)
#define DOM0		IOMMU_TAG(0)
#define TRANSLATES	(AMDVI_DTE_V | AMDVI_DTE_TV | AMDVI_DTE_IR | AMDVI_DTE_IW | 4u << 9)

static const struct pci_id nic = { 0, 0x0100 }, bridged = { 0, 0x0301 }, stranger = { 0, 0x9000 };

static void add(u16 first, u16 last, u8 dte, bool aliased, u16 alias)
{
	const struct ivrs_devs d = {
		.first = first, .last = last, .dte = dte, .aliased = aliased, .alias = alias,
		.units = 1,
	};

	assert_true(ivrs_add_devs(&iommu_ivrs, &d));
}

/* Some devices, a PCI bridge at 00:14.4 with bus 3 behind it, and the southbridge. */
static void machine(u64 efr)
{
	rig_init(efr);
	add(0x0000, 0x01ff, 0, false, 0);
	add(0x00a0, 0x00a0, 0xd7, false, 0);
	add(0x00a4, 0x00a4, 0, false, 0);
	add(0x0300, 0x03ff, 0, true, 0x00a4);
	acpi_info.nr_ioapics = 1;
	acpi_info.ioapic[0].id = 7;
	iommu_ivrs.nr_sources = 1;
	iommu_ivrs.source[0] = (struct iommu_source){ IOMMU_IOAPIC, 7, 0, { 0, 0x00a0 } };
}

static void probed(u64 efr)
{
	machine(efr);
	assert_null(amdvi_driver.probe(&iommu_caps));
}

static void started(u64 efr, bool remap)
{
	probed(efr);
	assert_int_equal(amdvi_driver.start(ROOT, remap), 0);
}

static const struct amdvi_dte *dte(u16 id)
{
	const struct amdvi_dte *t = phys_to_virt(*rig_reg(0, AMDVI_DEV_TABLE) & 0xffffffffff000ull);

	return &t[id];
}

static void has(u16 id, hpa_t root, u16 tag)
{
	assert_int_equal(dte(id)->q[0], root ? TRANSLATES | root : AMDVI_DTE_V | AMDVI_DTE_TV);
	assert_int_equal(dte(id)->q[1] & ~AMDVI_DTE_SYSMGT(3), tag);
}

/* ---- features ---- */

static void features(void **state __unused)
{
	probed(FEATURES);
	assert_string_equal(iommu_caps.name, "AMD-Vi");
	assert_ptr_equal(iommu_caps.format, &npt_format_amdvi);
	assert_int_equal(iommu_caps.max_order, 18);
	assert_int_equal(iommu_caps.tags, 65536);
	assert_false(iommu_caps.noncoherent);
	assert_true(iommu_caps.remaps);
	assert_false(iommu_caps.x2apic);
	assert_int_equal(amdvi_efr(), FEATURES);
	assert_true(amdvi_irte_wide());
}

static void features_are_common(void **state __unused)
{
	machine(FEATURES | AMDVI_EFR_XT);
	*rig_reg(1, AMDVI_EFR) = AMDVI_EFR_XT;
	assert_null(amdvi_driver.probe(&iommu_caps));
	assert_int_equal(amdvi_efr(), AMDVI_EFR_XT);
	assert_false(amdvi_irte_wide());
	assert_false(iommu_caps.x2apic);
}

/* What firmware says of them does not count. */
static void register_is_the_truth(void **state __unused)
{
	machine(FEATURES);
	iommu_ivrs.unit[0].has_efr = true;
	iommu_ivrs.unit[0].efr = FEATURES | AMDVI_EFR_XT;
	assert_null(amdvi_driver.probe(&iommu_caps));
	assert_false(iommu_caps.x2apic);
}

static void refused(void **state __unused)
{
	machine(FEATURES | 3u << 10);
	assert_non_null(strstr(amdvi_driver.probe(&iommu_caps), "page tables"));
	machine(FEATURES);
	*rig_reg(1, AMDVI_STATUS) = ~0ull;
	assert_non_null(strstr(amdvi_driver.probe(&iommu_caps), "no registers"));
}

static void sources_must_be_known(void **state __unused)
{
	machine(FEATURES);
	acpi_info.nr_ioapics = 2;
	acpi_info.ioapic[1].id = 8;
	assert_null(amdvi_driver.probe(&iommu_caps));
	assert_false(iommu_caps.remaps);
	machine(FEATURES);
	iommu_ivrs.source[0].dev.bdf = 0x00a1;
	assert_null(amdvi_driver.probe(&iommu_caps));
	assert_false(iommu_caps.remaps);
}

/* ---- start ---- */

static void is_started(u32 i)
{
	u64 control = *rig_reg(i, AMDVI_CONTROL);

	assert_true(control & AMDVI_IOMMU_EN);
	assert_true(control & AMDVI_CMD_BUF_EN);
	assert_true(control & AMDVI_COHERENT);
	assert_true(control & AMDVI_EVENT_LOG_EN);
	assert_true(control & AMDVI_EVENT_INT_EN);
	assert_true(control & AMDVI_HT_TUN_EN);		/* its capability has a tunnel */
	assert_false(control & (AMDVI_PPR_EN | AMDVI_GA_LOG_EN | AMDVI_DEV_TBL_SEG_EN));
	assert_false(*rig_reg(i, AMDVI_EXCL_BASE) & 1);
	assert_true(rig_unit[i].forgot_all);
	assert_int_equal(*rig_reg(0, AMDVI_DEV_TABLE), *rig_reg(i, AMDVI_DEV_TABLE));
}

static void start_from_reset(void **state __unused)
{
	u32 i;

	started(FEATURES, true);
	for (i = 0; i < RIG_UNITS; i++)
		is_started(i);
	for (i = 0; i <= 0xffff; i++) {
		has((u16)i, ROOT, DOM0);
		assert_int_equal(dte((u16)i)->q[2], AMDVI_DTE_IV);
	}
	/* Firmware asks for all passes and SysMgt 01b; SysMgt it gets. */
	assert_int_equal(dte(0x00a0)->q[1], DOM0 | AMDVI_DTE_SYSMGT(1));
	assert_int_equal(dte(0x00a4)->q[1], DOM0);
	assert_int_equal(rig_pages, 512 + 3 * RIG_UNITS);
}

static void start_without_remapping(void **state __unused)
{
	started(FEATURES, false);
	assert_int_equal(dte(0x00a0)->q[2], 0);
	assert_int_equal(amdvi_irt_make(nic, 9), -ENODEV);
}

/* Firmware left it on, with all logs running: the rig fails the test if it is ever off. */
static void start_from_on(void **state __unused)
{
	const u64 on = AMDVI_IOMMU_EN | AMDVI_CMD_BUF_EN | AMDVI_EVENT_LOG_EN |
		       AMDVI_EVENT_INT_EN | AMDVI_DEV_TBL_SEG_EN | AMDVI_PPR_EN | BIT(22);

	probed(FEATURES);
	*rig_reg(0, AMDVI_EXCL_BASE) = 0x1000 | 1;
	mmio_write64(rig_reg(0, AMDVI_CONTROL), on);
	mmio_write64(rig_reg(1, AMDVI_CONTROL), on);
	*rig_reg(0, AMDVI_STATUS) |= AMDVI_EVENT_OVERFLOW | AMDVI_EVENT_LOG_INT;
	assert_int_equal(amdvi_driver.start(ROOT, true), 0);
	is_started(0);
	is_started(1);
	assert_true(*rig_reg(0, AMDVI_CONTROL) & BIT(22));
	assert_true(*rig_reg(0, AMDVI_STATUS) & AMDVI_EVENT_LOG_RUN);
}

static void start_flags(void **state __unused)
{
	probed(FEATURES);
	rig_unit[0].config[0x40 / 4] = 0x09 << 24 | RIG_MSI_CAP << 8 | 0x0f;	/* no tunnel */
	iommu_ivrs.unit[0].flags = IVHD_PASS_PW | IVHD_ISOC;
	assert_int_equal(amdvi_driver.start(ROOT, true), 0);
	assert_int_equal(*rig_reg(0, AMDVI_CONTROL),
			 AMDVI_IOMMU_EN | AMDVI_EVENT_LOG_EN | AMDVI_EVENT_INT_EN |
			 AMDVI_PASS_PW | AMDVI_COHERENT | AMDVI_ISOC | AMDVI_CMD_BUF_EN |
			 AMDVI_GA_EN);
}

static void start_by_loops(void **state __unused)
{
	u32 i;

	started(AMDVI_EFR_GA, true);
	for (i = 0; i <= 0xffff; i++) {
		assert_true(rig_unit[1].devtab[i]);
		assert_true(rig_unit[1].int_table[i]);
		assert_true(rig_unit[1].pages[i]);
	}
}

/* With SNPSup marks may be stored in one range only. */
static void start_with_snp(void **state __unused)
{
	started(FEATURES | AMDVI_EFR_SNP, true);
	assert_int_equal(*rig_reg(0, AMDVI_EXCL_BASE), virt_to_phys(amdvi_units[0].done));
	assert_int_equal(*rig_reg(0, AMDVI_EXCL_LIMIT), virt_to_phys(amdvi_units[0].done));
}

static void start_fails(void **state __unused)
{
	probed(FEATURES);
	rig_unit[1].dead = true;
	assert_int_equal(amdvi_driver.start(ROOT, true), -EIO);
	probed(FEATURES);
	rig_unit[1].stuck = true;
	*rig_reg(1, AMDVI_STATUS) = AMDVI_EVENT_LOG_RUN;
	assert_int_equal(amdvi_driver.start(ROOT, true), -EIO);
	probed(FEATURES);
	rig_unit[0].locked = true;
	assert_int_equal(amdvi_driver.start(ROOT, true), -EIO);
	probed(FEATURES);
	rig_pages_limit = 3 * RIG_UNITS + 511;
	assert_int_equal(amdvi_driver.start(ROOT, true), -ENOMEM);
	probed(FEATURES);
	rig_pages_limit = 5;
	assert_int_equal(amdvi_driver.start(ROOT, true), -ENOMEM);
}

static void interrupt_by_msi(void **state __unused)
{
	const u32 *msi = &rig_unit[1].config[RIG_MSI_CAP / 4];

	started(FEATURES, true);
	assert_int_equal(msi[0] >> 16 & 0x71, 1);	/* on, one message */
	assert_int_equal(msi[1], 0xfee03000u);
	assert_int_equal(msi[2], 0);
	assert_int_equal(msi[3], 0xfb);
	assert_int_equal(msi[4], 0);			/* not masked */
}

static void interrupt_by_x2apic(void **state __unused)
{
	started(FEATURES | AMDVI_EFR_XT, true);
	assert_true(iommu_caps.x2apic);
	assert_true(*rig_reg(0, AMDVI_CONTROL) & AMDVI_XT_EN);
	assert_true(*rig_reg(0, AMDVI_CONTROL) & AMDVI_INT_CAP_XT_EN);
	assert_int_equal(*rig_reg(0, AMDVI_XT_GEN_INT), 3ull << 8 | 0xfbull << 32);
	assert_false(rig_unit[0].config[RIG_MSI_CAP / 4] >> 16 & 1);
}

/* A loop of capabilities, and none at all: events are not seen, the rest works. */
static void interrupt_by_nothing(void **state __unused)
{
	probed(FEATURES);
	rig_unit[0].config[0x40 / 4] = 0x40 << 8 | 0x0f;
	rig_unit[1].config[1] = 0;
	assert_int_equal(amdvi_driver.start(ROOT, true), 0);
	assert_false(*rig_reg(0, AMDVI_CONTROL) & AMDVI_EVENT_INT_EN);
	assert_false(*rig_reg(1, AMDVI_CONTROL) & AMDVI_EVENT_INT_EN);
}

/* ---- commands ---- */

static void flush_tells_all(void **state __unused)
{
	started(FEATURES, true);
	amdvi_driver.flush(77);
	assert_int_equal(rig_unit[0].pages[77], 1);
	assert_int_equal(rig_unit[1].pages[77], 1);
}

/* Many times around the ring, by a unit that lets it fill. */
static void ring_wraps(void **state __unused)
{
	u32 i, n = 0, lazy;

	started(FEATURES, true);
	for (lazy = 0; lazy < 2; lazy++) {
		rig_unit[1].lazy = lazy;
		for (i = 0; i < 1000; i++, n++)
			amdvi_tell(AMDVI_INV_DEVTAB_ENTRY | 5, 0);
		amdvi_settle();
		assert_int_equal(rig_unit[0].devtab[5], n);
		assert_int_equal(rig_unit[1].devtab[5], n);
	}
	for (i = 0; i < 1000; i++)
		amdvi_driver.flush(9);
	assert_int_equal(rig_unit[1].pages[9], 1000);
}

/* ---- devices ---- */

static void attach(void **state __unused)
{
	u16 was = 99;

	started(FEATURES, true);
	assert_int_equal(amdvi_driver.attach(nic, OTHER, 5, &was), 0);
	assert_int_equal(was, DOM0);
	has(nic.bdf, OTHER, 5);
	has((u16)(nic.bdf + 1), ROOT, DOM0);
	assert_int_equal(rig_unit[0].devtab[nic.bdf], 1);
	assert_int_equal(rig_unit[1].devtab[nic.bdf], 1);
	assert_int_equal(rig_unit[1].pages[DOM0], 1);
	assert_int_equal(amdvi_driver.attach(nic, 0, 6, &was), 0);
	assert_int_equal(was, 5);
	has(nic.bdf, 0, 0);
	assert_int_equal(dte(nic.bdf)->q[2], AMDVI_DTE_IV);
	assert_int_equal(amdvi_driver.attach(nic, ROOT, DOM0, &was), 0);
	assert_int_equal(was, 0);
	has(nic.bdf, ROOT, DOM0);
}

static void attach_refuses(void **state __unused)
{
	const struct pci_id unit = { 0, RIG_UNIT_ID(0) }, elsewhere = { 1, nic.bdf };
	u16 was;

	started(FEATURES, true);
	assert_int_equal(amdvi_driver.attach(stranger, OTHER, 5, &was), -ENODEV);
	assert_int_equal(amdvi_driver.attach(unit, OTHER, 5, &was), -ENODEV);
	assert_int_equal(amdvi_driver.attach(elsewhere, OTHER, 5, &was), -ENODEV);
	has(stranger.bdf, ROOT, DOM0);
	has(unit.bdf, ROOT, DOM0);
}

/* Those with one alias, and the alias, go together. */
static void attach_aliased(void **state __unused)
{
	const struct pci_id alias = { 0, 0x00a4 }, other = { 0, 0x03f8 };
	u16 was;

	started(FEATURES, true);
	assert_int_equal(amdvi_driver.attach(bridged, OTHER, 5, &was), 0);
	assert_int_equal(was, DOM0);
	has(alias.bdf, OTHER, 5);
	has(bridged.bdf, OTHER, 5);
	has(other.bdf, OTHER, 5);
	has(0x0400, ROOT, DOM0);
	assert_int_equal(rig_unit[0].devtab[alias.bdf], 1);
	assert_int_equal(rig_unit[0].devtab[0x03ff], 1);
	assert_int_equal(amdvi_driver.attach(other, ROOT, 6, &was), 0);
	assert_int_equal(was, 5);
	assert_int_equal(amdvi_driver.attach(alias, ROOT, DOM0, &was), 0);
	assert_int_equal(was, 6);
	has(bridged.bdf, ROOT, DOM0);
}

/* An alias that has another: it goes with that one, and nobody else changes what it has. */
static void attach_chained(void **state __unused)
{
	const struct pci_id end = { 0, 0x00a4 }, middle = { 0, 0x0300 }, first = { 0, 0x0400 };
	u16 was;

	machine(FEATURES);
	add(first.bdf, 0x04ff, 0, true, middle.bdf);
	assert_null(amdvi_driver.probe(&iommu_caps));
	assert_int_equal(amdvi_driver.start(ROOT, true), 0);
	assert_int_equal(amdvi_driver.attach(end, OTHER, 5, &was), 0);
	has(middle.bdf, OTHER, 5);
	was = 77;
	assert_int_equal(amdvi_driver.attach(first, ROOT, 6, &was), -ENODEV);
	assert_int_equal(was, 77);
	has(middle.bdf, OTHER, 5);
	has(first.bdf, ROOT, DOM0);
	assert_int_equal(amdvi_driver.attach(middle, ROOT, DOM0, &was), 0);
	assert_int_equal(was, 5);
	has(end.bdf, ROOT, DOM0);
	has(middle.bdf, ROOT, DOM0);
}

/* One that is its own alias, as in a range behind a bridge, is in no chain. */
static void attach_own_alias(void **state __unused)
{
	const struct pci_id self = { 0, 0x0400 }, other = { 0, 0x0401 };
	u16 was;

	machine(FEATURES);
	add(self.bdf, 0x04ff, 0, true, self.bdf);
	assert_null(amdvi_driver.probe(&iommu_caps));
	assert_int_equal(amdvi_driver.start(ROOT, true), 0);
	assert_int_equal(amdvi_driver.attach(other, OTHER, 5, &was), 0);
	has(self.bdf, OTHER, 5);
	assert_int_equal(amdvi_driver.attach(self, ROOT, DOM0, &was), 0);
	assert_int_equal(was, 5);
	has(other.bdf, ROOT, DOM0);
}

/* What firmware wants of a chip is domain 0's. */
static void settings_are_domain0s(void **state __unused)
{
	const struct pci_id southbridge = { 0, 0x00a0 };
	u16 was;

	started(FEATURES, true);
	assert_int_equal(amdvi_driver.attach(southbridge, OTHER, 5, &was), 0);
	assert_int_equal(dte(0x00a0)->q[1], 5);
	assert_int_equal(amdvi_driver.attach(southbridge, ROOT, DOM0, &was), 0);
	assert_int_equal(dte(0x00a0)->q[1], DOM0 | AMDVI_DTE_SYSMGT(1));
}

/* ---- interrupt tables ---- */

static u64 *table(u16 id)
{
	return (u64 *)phys_to_virt(dte(id)->q[2] & AMDVI_DTE_INT_ROOT);
}

static void irt_wide(void **state __unused)
{
	u32 before;

	started(FEATURES, true);
	before = rig_pages;
	assert_int_equal(amdvi_irte_set(nic, 0, 1, 2), -EINVAL);
	assert_int_equal(amdvi_irt_make(nic, 9), 0);
	assert_int_equal(rig_pages, before + 2);
	assert_int_equal(dte(nic.bdf)->q[2] & ~AMDVI_DTE_INT_ROOT,
			 AMDVI_DTE_IV | 9 << 1 | AMDVI_DTE_INT_REMAP);
	assert_int_equal(rig_unit[1].devtab[nic.bdf], 1);
	assert_int_equal(rig_unit[1].int_table[nic.bdf], 1);
	assert_int_equal(amdvi_irte_set(nic, 511, 0x11, 0x22), 0);
	assert_int_equal(table(nic.bdf)[1022], 0x11);
	assert_int_equal(table(nic.bdf)[1023], 0x22);
	assert_int_equal(amdvi_irte_set(nic, 512, 0x11, 0x22), -EINVAL);
	assert_int_equal(amdvi_irte_set(nic, ~0u, 0x11, 0x22), -EINVAL);
	amdvi_irt_flush(nic);
	assert_int_equal(rig_unit[0].int_table[nic.bdf], 2);
	has(nic.bdf, ROOT, DOM0);
	assert_int_equal(amdvi_irt_make(nic, 5), 0);
	assert_int_equal(rig_pages, before + 1);
	assert_int_equal(table(nic.bdf)[1], 0);
	amdvi_irt_drop(nic);
	assert_int_equal(rig_pages, before);
	assert_int_equal(dte(nic.bdf)->q[2], AMDVI_DTE_IV);
	assert_int_equal(amdvi_irte_set(nic, 0, 1, 2), -EINVAL);
	amdvi_irt_drop(nic);
	assert_int_equal(rig_pages, before);
}

static void irt_narrow(void **state __unused)
{
	u32 before;

	started(AMDVI_EFR_IA, true);
	before = rig_pages;
	assert_int_equal(amdvi_irt_make(nic, 9), 0);
	assert_int_equal(rig_pages, before + 1);
	assert_int_equal(amdvi_irte_set(nic, 3, 0xffffffff55667788ull, 0x22), 0);
	assert_int_equal(table(nic.bdf)[1], 0x5566778800000000ull);
	assert_int_equal(table(nic.bdf)[2], 0);
	amdvi_irt_drop(nic);
}

static void irt_refuses(void **state __unused)
{
	const struct amdvi_dte *e;
	u64 was;

	started(FEATURES, true);
	assert_int_equal(amdvi_irt_make(stranger, 9), -ENODEV);
	assert_int_equal(amdvi_irt_make((struct pci_id){ 0, RIG_UNIT_ID(1) }, 9), -ENODEV);
	assert_int_equal(amdvi_irt_make(nic, AMDVI_IRTE_ORDER_MAX + 1), -EINVAL);
	assert_int_equal(amdvi_irt_make(nic, 0), 0);
	e = dte(nic.bdf);
	was = e->q[2];
	rig_pages_limit = rig_pages + 1;
	assert_int_equal(amdvi_irt_make(nic, 9), -ENOMEM);
	assert_int_equal(e->q[2], was);
	amdvi_irt_drop(nic);
	amdvi_irt_drop(stranger);
}

/* Attaching leaves interrupts, and the other way round. */
static void halves_are_apart(void **state __unused)
{
	u64 half;
	u16 was;

	started(FEATURES, true);
	assert_int_equal(amdvi_irt_make(nic, 4), 0);
	half = dte(nic.bdf)->q[2];
	assert_int_equal(amdvi_driver.attach(nic, OTHER, 5, &was), 0);
	assert_int_equal(dte(nic.bdf)->q[2], half);
	amdvi_irt_drop(nic);
	has(nic.bdf, OTHER, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(features),
		cmocka_unit_test(features_are_common),
		cmocka_unit_test(register_is_the_truth),
		cmocka_unit_test(refused),
		cmocka_unit_test(sources_must_be_known),
		cmocka_unit_test(start_from_reset),
		cmocka_unit_test(start_without_remapping),
		cmocka_unit_test(start_from_on),
		cmocka_unit_test(start_flags),
		cmocka_unit_test(start_by_loops),
		cmocka_unit_test(start_with_snp),
		cmocka_unit_test(start_fails),
		cmocka_unit_test(interrupt_by_msi),
		cmocka_unit_test(interrupt_by_x2apic),
		cmocka_unit_test(interrupt_by_nothing),
		cmocka_unit_test(flush_tells_all),
		cmocka_unit_test(ring_wraps),
		cmocka_unit_test(attach),
		cmocka_unit_test(attach_refuses),
		cmocka_unit_test(attach_aliased),
		cmocka_unit_test(attach_chained),
		cmocka_unit_test(attach_own_alias),
		cmocka_unit_test(settings_are_domain0s),
		cmocka_unit_test(irt_wide),
		cmocka_unit_test(irt_narrow),
		cmocka_unit_test(irt_refuses),
		cmocka_unit_test(halves_are_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
