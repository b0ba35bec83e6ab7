/* SPDX-License-Identifier: GPL-2.0-only */
/* Firmware's two tables, found and read. Boot CPU. */
#ifndef HV_IOMMU_TABLES_H
#define HV_IOMMU_TABLES_H

enum iommu_kind { IOMMU_NONE, IOMMU_INTEL, IOMMU_AMD };

/* Which of iommu_dmar and iommu_ivrs is filled; both are logged, and errors too. */
enum iommu_kind iommu_read_tables(void);

#endif
