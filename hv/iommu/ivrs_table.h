/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The IVRS as it lies in memory: header and units (48882, ch. 5.2). For its reader
 * (ivrs.c), and for who changes what it says (virt/virt_ivrs.c).
 */
#ifndef HV_IOMMU_IVRS_TABLE_H
#define HV_IOMMU_IVRS_TABLE_H

#include "lib/types.h"

/* ACPI's header and IVinfo; blocks follow */
struct ivrs_table {
	char sig[4];
	u32 length;
	u8 revision;
	u8 checksum;
	u8 oem[26];
	u32 info;
	u8 reserved[8];
} __packed;
static_assert(sizeof(struct ivrs_table) == 48, "specification");

/* What every block begins with */
struct ivrs_block {
	u8 type;
	u8 flags;
	u16 length;
	u16 id;			/* of the IOMMU or of a device */
} __packed;
static_assert(sizeof(struct ivrs_block) == 6, "specification");

/* I/O Virtualization Hardware Definition; device entries follow */
struct ivrs_ivhd {
	struct ivrs_block b;
	u16 cap;
	u64 regs;
	u16 segment;
	u16 info;
	u32 features;
	u64 efr;		/* this and the rest: not in type 10h */
	u64 efr2;
} __packed;
static_assert(sizeof(struct ivrs_ivhd) == 40, "specification");
static_assert(offsetof(struct ivrs_ivhd, efr) == 24, "specification");
#define IVHD_10			0x10
#define IVHD_11			0x11
#define IVHD_40			0x40

#endif
