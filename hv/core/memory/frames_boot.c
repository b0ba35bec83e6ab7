// SPDX-License-Identifier: GPL-2.0-only
/* The frame table as it is at the start; the contract is in frames.h. */
#include "frames.h"
#include "machine/memmap.h"

static void set_range(const struct mem_range *r, u32 owner)
{
	frames_set(r->start >> PAGE_SHIFT, (r->end - r->start) >> PAGE_SHIFT, owner);
}

void frames_start(void)
{
	u32 i;

	frames_init(memmap_frame_table(), memmap_top >> PAGE_SHIFT);
	for (i = 0; i < machine_map.nr; i++)
		if (machine_map.r[i].type == MEM_RAM)
			set_range(&machine_map.r[i], BP_OWNER_DOM0);
	for (i = 0; i < nr_bp_ranges; i++)
		set_range(&bp_ranges[i], BP_OWNER_HV);
}
