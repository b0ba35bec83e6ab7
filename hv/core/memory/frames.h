/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who owns each frame of RAM, and how often guests map it.  Every mapping in
 * a second-level table, every frame shared with domain 0 and every donation
 * passes through here, and each of these is decided by one compare-and-swap.
 *
 * For each 4 KiB frame there is a word (owner, count).  For each 2 MiB and
 * 1 GiB block there is one too: (frames in it that are not domain 0's, count
 * of large mappings).  So a large mapping costs one operation, not 512.
 *
 * The invariants, for every frame f:
 *   1. owner(f) != DOM0 implies count(f) = 0, and count = 0 of both blocks
 *      around f: nobody but its owner can reach it.
 *   2. A count rises only while the whole frame or block is domain 0's.
 *   3. f leaves domain 0 only by frame_donate(), which counts it into both
 *      blocks first, and is refused while either of them or f is mapped.
 *
 * Callers flush TLBs between the removal of a mapping and frame_put(), and
 * between frame_donate() and the first use: counts and owners then speak for
 * TLBs as well as for tables.
 *
 * All functions but the boot ones may be called on any CPU, with any locks.
 */
#ifndef HV_CORE_FRAMES_H
#define HV_CORE_FRAMES_H

#include "lib/types.h"

#define BP_OWNER_DOM0	0u		/* 1..MAX_DOMAINS-1: donated to that domain */
#define BP_OWNER_HV	0xfffffffeu	/* Bedplate's image and pool */
#define BP_OWNER_NONE	0xffffffffu	/* no RAM: MMIO, firmware, hole */

/* Totals over all domains, for struct bp_hv_stats. */
struct frame_stats {
	u64 donated;		/* frames */
	u64 mapped;		/* references by guests' tables, in 4 KiB frames */
	u64 shared;		/* references by rings, vCPU pages, state frames */
};

/*
 * Boot: memory that the table needs for RAM that ends at frame @top, and its
 * start, with every frame BP_OWNER_NONE.  @mem is page-aligned and belongs to
 * Bedplate.
 */
u64 frames_bytes(u64 top);
void frames_init(void *mem, u64 top);
/*
 * BSP, before hv_start(): all of it in the memory that memmap_init() kept. RAM is
 * domain 0's but for what Bedplate owns, the rest nobody's.
 */
void frames_start(void);
/* Boot: give frames to BP_OWNER_DOM0, _HV or _NONE. Beyond top: ignored. */
void frames_set(u64 pfn, u64 n, u32 owner);

/* Boot: a frame after @pfn, which is below the top; all before it have @pfn's owner. */
u64 frames_alike(u64 pfn);

/* First frame above all RAM. */
u64 frames_top(void);

/* BP_OWNER_NONE above the top. */
u32 frame_owner(u64 pfn);
/* References to the 4 KiB frame itself, without the blocks around it. */
u32 frame_count(u64 pfn);

/*
 * Take a reference for a guest's mapping of 2^order frames (0, 9, 18; pfn
 * aligned).  -EPERM: not all of them are domain 0's.  -EBUSY: too many
 * references.  frame_put() gives it back, after the flush.
 */
int frame_get_mapped(u64 pfn, u32 order);
void frame_put(u64 pfn, u32 order);
/*
 * A mapping of 2^order frames (9 or 18) becomes 512 smaller ones: its reference becomes
 * one to each part.  -EBUSY: one has too many; nothing has changed.
 */
int frame_split(u64 pfn, u32 order);

/*
 * The same for a frame of domain 0 that Bedplate itself reads or writes for
 * longer than a call: ring, vCPU page, state frame.
 */
int frame_get_shared(u64 pfn);
void frame_put_shared(u64 pfn);

/*
 * Pass a frame from domain 0 to domain @dom.  -EPERM not domain 0's (as when
 * it is listed twice), -EBUSY mapped or shared.
 */
int frame_donate(u64 pfn, u32 dom);
/* Pass a frame of domain @dom back to domain 0. */
void frame_return(u64 pfn, u32 dom);

void frames_stats(struct frame_stats *s);

/*
 * Boot: never map [hpa, hpa + len), widened to whole pages, for anybody: the
 * local APIC, IOMMU registers.  -ENOMEM when there are too many ranges.
 */
int frame_mmio_protect(hpa_t hpa, u64 len);
/*
 * Is frame @pfn in such a range?  *end = the first frame after @pfn with
 * another answer (at most).
 */
bool frame_mmio_protected(u64 pfn, u64 *end);

#endif
