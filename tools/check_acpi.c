// SPDX-License-Identifier: GPL-2.0-only
/* Firmware's tables: CPUs, and IOMMUs by the readers that Bedplate has. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "hv/core/machine/acpi.h"
#include "hv/iommu/dmar.h"
#include "hv/iommu/ivrs.h"
#include "machine.h"
#include "madt.h"

#define TABLES		"/sys/firmware/acpi/tables/"
#define F1_ECX_X2APIC	BIT(21)
#define ERR_LEN		128

static void check_madt(struct check *c)
{
	struct madt_cpus cpus;
	size_t len;
	char *table = file_read(TABLES "APIC", &len);
	bool fine = table && madt_parse((const u8 *)table, len, &cpus);

	free(table);
	if (!table && errno != ENOENT)
		check_row(c, CHECK_WARNING, "CPUs", "the MADT cannot be read (%s)", strerror(errno));
	else if (!table)
		check_row(c, CHECK_NO, "CPUs", "there is no MADT: Bedplate needs ACPI");
	else if (!fine)
		check_row(c, CHECK_NO, "CPUs", "the MADT is torn");
	else if (cpus.enabled > ACPI_MAX_CPUS)
		check_row(c, CHECK_NO, "CPUs", "%u, and Bedplate takes %u", cpus.enabled, ACPI_MAX_CPUS);
	else if (cpus.highest > 254 && !(machine_cpuid(1, 0).ecx & F1_ECX_X2APIC))
		check_row(c, CHECK_NO, "CPUs", "APIC IDs up to %u, and no x2APIC mode", cpus.highest);
	else
		check_row(c, CHECK_OK, "CPUs", "%u, APIC IDs up to %u", cpus.enabled, cpus.highest);
}

/* Counts of the table's units; false: not usable, and why. */
static bool parse_dmar(const char *table, u32 len, u32 *units, char *why)
{
	struct dmar *d = must(malloc(sizeof(*d)));
	bool fine = dmar_parse(table, len, d, why, ERR_LEN);

	*units = fine ? d->nr_units : 0;
	free(d);
	return fine;
}

static bool parse_ivrs(const char *table, u32 len, u32 *units, char *why)
{
	struct ivrs *d = must(malloc(sizeof(*d)));
	bool fine = ivrs_parse(table, len, d, why, ERR_LEN);

	*units = fine ? d->nr_units : 0;
	free(d);
	return fine;
}

static void judge_table(struct check *c, const char *name, const char *table, u32 len)
{
	char why[ERR_LEN] = "";
	u32 units = 0;

	if (!(c->intel ? parse_dmar : parse_ivrs)(table, len, &units, why))
		check_row(c, CHECK_WARNING, "IOMMU", "%s: firmware's table is wrong: %s; devices could reach all memory",
			  name, why);
	else if (!units)
		check_row(c, CHECK_WARNING, "IOMMU", "%s has no unit: devices could reach all memory", name);
	else
		check_row(c, CHECK_OK, "IOMMU", "%s with %u unit%s", c->intel ? "VT-d" : "AMD-Vi", units,
			  units > 1 ? "s" : "");
}

/* Bedplate shows the service VM tables of its own making; `bedplate info` tells of the units. */
static void check_iommu(struct check *c)
{
	const char *name = c->intel ? "DMAR" : "IVRS", *setup = c->intel ? "VT-d" : "IOMMU";
	size_t len;
	char *table;

	if (c->on_bedplate)
		return;
	table = file_read(c->intel ? TABLES "DMAR" : TABLES "IVRS", &len);
	if (table)
		judge_table(c, name, table, len);
	else if (errno != ENOENT)
		check_row(c, CHECK_WARNING, "IOMMU", "the table %s cannot be read (%s)", name, strerror(errno));
	else
		check_row(c, CHECK_WARNING, "IOMMU",
			  "none, or switched off: devices could reach all memory; look for \"%s\" in firmware's setup",
			  setup);
	free(table);
}

void check_acpi(struct check *c)
{
	check_madt(c);
	check_iommu(c);
}
