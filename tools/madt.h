/* SPDX-License-Identifier: GPL-2.0-only */
/* CPUs in the MADT (ACPI 6.5, 5.2.12), as firmware's file under /sys has it. */
#ifndef BEDPLATE_MADT_H
#define BEDPLATE_MADT_H

#include "tool.h"

struct madt_cpus {
	u32 enabled;
	u32 later;		/* not enabled, but could be plugged in */
	u32 highest;		/* APIC ID of those that are enabled */
};

/* False: the table is torn. */
bool madt_parse(const u8 *table, size_t len, struct madt_cpus *out);

#endif
