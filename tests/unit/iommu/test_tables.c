// SPDX-License-Identifier: GPL-2.0-only
/* Whether firmware's tables name an IOMMU at all. */
// SOURCES: hv/iommu/tables.c hv/iommu/sources.c hv/iommu/dmar.c hv/iommu/ivrs.c hv/iommu/ivrs_devs.c hv/core/lib/printf.c tests/unit/rig/dmar_rig.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "dmar_rig.h"
#include "hv/core/machine/acpi.h"
#include "hv/core/machine/paging.h"
#include "hv/iommu/tables.h"

struct acpi_info acpi_info;

const struct acpi_table *acpi_find(const struct acpi_info *info, const char *sig)
{
	return !strcmp(sig, "DMAR") ? &info->table[0] : NULL;
}

void *memremap(hpa_t pa __unused, u64 bytes __unused)
{
	return buf;
}

static enum iommu_kind read_tables(void)
{
	finish();
	acpi_info.table[0] = (struct acpi_table){ "DMAR", 0x7000, len };
	iommu_kind = IOMMU_NONE;
	iommu_read_tables();
	return iommu_kind;
}

/* Firmware whose IOMMUs are off leaves the head of the table, or regions too: that confines nobody. */
static void no_unit(void **state __unused)
{
	begin(39, 1);
	assert_int_equal(read_tables(), IOMMU_NONE);
	begin(39, 1);
	rmrr(0, 0x7f000000, 0x7fffffff);
	assert_int_equal(read_tables(), IOMMU_NONE);
	assert_null(iommu_reserved(0));
}

static void units(void **state __unused)
{
	build_qemu();
	assert_int_equal(read_tables(), IOMMU_INTEL);
}

static void torn(void **state __unused)
{
	build_qemu();
	finish();
	buf[9] ^= 1;
	acpi_info.table[0].len = len;
	iommu_kind = IOMMU_NONE;
	iommu_read_tables();
	assert_int_equal(iommu_kind, IOMMU_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_unit), cmocka_unit_test(units), cmocka_unit_test(torn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
