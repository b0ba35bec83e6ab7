/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that firmware wants devices to reach as it is, out of its tables: RMRR in DMAR (VT-d
 * specification, 8.4), IVMD in IVRS (48882, ch. 5.2.2). Pure.
 */
#ifndef BEDPLATE_IOMMU_REGIONS_H
#define BEDPLATE_IOMMU_REGIONS_H

#include "../os.h"

#define BP_REGION_DEPTH	8

struct bp_region {
	u64 start, len;		/* bytes, whole pages */
	bool read, write;
	bool excluded;		/* IVMD: not translated at all */
	u16 segment;
	/* Whose: Intel's have a way from @bus over @depth - 1 bridges, AMD's IDs. */
	u8 depth;		/* 0: AMD's */
	u8 bus;
	u8 path[BP_REGION_DEPTH];	/* device << 3 | function */
	bool below;		/* it is a bridge: and all behind it */
	u16 first, last;
};

/*
 * @fn for each region, once for each device that it names. @table is a whole DMAR or IVRS of
 * @len bytes, whatever is in it; what is torn ends it.
 */
void bp_regions(const void *table, u32 len, void (*fn)(void *ctx, const struct bp_region *r),
		void *ctx);

#endif
