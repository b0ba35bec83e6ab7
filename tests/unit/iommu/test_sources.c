// SPDX-License-Identifier: GPL-2.0-only
/* Does firmware's table name all I/O APICs? Linux remaps all interrupts or none. */
// SOURCES: hv/iommu/sources.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "hv/core/machine/acpi.h"
#include "hv/iommu/dmar.h"
#include "hv/iommu/ivrs.h"
#include "hv/iommu/tables.h"
#include "hv/iommu/unit.h"

#define SOUTHBRIDGE	0x00a0

struct dmar iommu_dmar;
struct ivrs iommu_ivrs;
struct acpi_info acpi_info;

/* Two I/O APICs, 8 and 9, and what the table says of number 8 is @kind. */
static bool known(enum iommu_kind which, enum iommu_source_kind kind, u16 bdf)
{
	struct iommu_source *s = which == IOMMU_INTEL ? iommu_dmar.source : iommu_ivrs.source;

	iommu_kind = which;
	acpi_info.nr_ioapics = 2;
	acpi_info.ioapic[0].id = 8;
	acpi_info.ioapic[1].id = 9;
	iommu_dmar.nr_sources = which == IOMMU_INTEL ? 2 : 0;
	iommu_ivrs.nr_sources = which == IOMMU_AMD ? 2 : 0;
	s[0] = (struct iommu_source){ IOMMU_IOAPIC, 9, 0, { 0, 0x1000 } };
	s[1] = (struct iommu_source){ kind, 8, 0, { 0, bdf } };
	return iommu_ioapics_known();
}

static void intels(void **state __unused)
{
	assert_true(known(IOMMU_INTEL, IOMMU_IOAPIC, 0xf8));
	assert_int_equal(iommu_ioapic(0)->dev.bdf, 0xf8);
	assert_int_equal(iommu_ioapic(1)->dev.bdf, 0x1000);
	assert_false(known(IOMMU_INTEL, IOMMU_HPET, 0xf8));
	assert_null(iommu_ioapic(0));
}

static void amds(void **state __unused)
{
	assert_true(known(IOMMU_AMD, IOMMU_IOAPIC, SOUTHBRIDGE));
	assert_false(known(IOMMU_AMD, IOMMU_HPET, SOUTHBRIDGE));
	assert_false(known(IOMMU_AMD, IOMMU_IOAPIC, SOUTHBRIDGE + 1));
	known(IOMMU_AMD, IOMMU_IOAPIC, SOUTHBRIDGE);
	iommu_ivrs.source[1].dev.segment = 1;
	assert_false(iommu_ioapics_known());
}

static void of_a_machine_without_any(void **state __unused)
{
	known(IOMMU_INTEL, IOMMU_IOAPIC, 0);
	acpi_info.nr_ioapics = 0;
	assert_true(iommu_ioapics_known());
	known(IOMMU_AMD, IOMMU_IOAPIC, SOUTHBRIDGE);
	acpi_info.nr_ioapics = 0;
	assert_false(iommu_ioapics_known());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(intels),
		cmocka_unit_test(amds),
		cmocka_unit_test(of_a_machine_without_any),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
