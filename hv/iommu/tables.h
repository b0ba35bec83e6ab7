/* SPDX-License-Identifier: GPL-2.0-only */
/* Firmware's two tables, found and read. Boot CPU. */
#ifndef HV_IOMMU_TABLES_H
#define HV_IOMMU_TABLES_H

#include "lib/types.h"

enum iommu_kind { IOMMU_NONE, IOMMU_INTEL, IOMMU_AMD };

/* Which of iommu_dmar and iommu_ivrs is filled; constant after iommu_read_tables(). */
extern enum iommu_kind iommu_kind;

/* Fill one of them; both are logged, and errors too. */
void iommu_read_tables(void);

/* As which device the machine's I/O APIC @i asks; NULL: the table does not say. */
const struct iommu_source *iommu_ioapic(u32 i);
/*
 * Does it say so of each, and on AMD's of the southbridge's among them?  Those of which it
 * does not would be mute, and Linux remaps no interrupts then.
 */
bool iommu_ioapics_known(void);

#endif
