/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Physical memory: the machine's map, Bedplate's share of it, the pool of
 * 4 KiB frames and the frame table.
 *
 * Bedplate takes at most 32 MiB + 0.5 % of RAM, where that has no great holes: its
 * image, one block at the top of the biggest RAM region below 4 GiB that holds pool
 * and frame table (a big one lies right above 4 GiB: the same NUMA node as a rule, and
 * nothing that can be unplugged), 2 MiB in that region's middle for the log, and the AP
 * trampoline's page if a CPU did not come up. All else is domain 0's.
 */
#ifndef BP_CORE_MEMMAP_H
#define BP_CORE_MEMMAP_H

#include "lib/types.h"

/* Types of memory: the numbers that multiboot2 and e820 share. */
#define MEM_RAM		1
#define MEM_RESERVED	2
#define MEM_ACPI	3
#define MEM_NVS		4
#define MEM_BAD		5

#define MEM_MAX_RANGES	1024	/* firmware of big servers gives hundreds */

struct mem_range {
	hpa_t start, end;	/* [start, end) */
	u32 type;
};

struct mem_map {
	u32 nr;
	struct mem_range r[MEM_MAX_RANGES];	/* sorted, disjoint once normalised */
};

struct boot_info;

/* What memmap_plan() decides. */
struct mem_plan {
	hpa_t block_start, block_end;	/* pool, and frame table if that is small */
	hpa_t table_start;		/* frame table: in the block or above 4 GiB */
	u64 pool_bytes;
	u64 frame_table_bytes;
	u64 ram_bytes;
};

/* Pure functions, tested on the host. */

/*
 * Sort, and cut overlaps: the more restrictive type wins. RAM is rounded
 * inwards to pages, all else outwards. False: more ranges than fit.
 */
bool memmap_normalise(struct mem_map *m);
/* Give [start, end) the type @type. False: more ranges than fit. */
bool memmap_set(struct mem_map *m, hpa_t start, hpa_t end, u32 type);
/*
 * Of a normalised map: RAM from @limit on is no longer any, nor is RAM so far up that the frame
 * table, which has a word for each frame below as well, would eat what it gains. Result: bytes.
 */
u64 memmap_trim(struct mem_map *m, hpa_t limit);
/* Type at @pa; MEM_RESERVED in holes. */
u32 memmap_type(const struct mem_map *m, hpa_t pa);
/* Is any of [start, end) RAM? The map need not be normalised. */
bool memmap_has_ram(const struct mem_map *m, hpa_t start, hpa_t end);
/*
 * Where Bedplate's block goes, with @frame_table_bytes (whole pages) in it.
 * @used: image and modules, which it must avoid. False: too little memory.
 */
bool memmap_plan(const struct mem_map *m, const struct mem_range *used, u32 nr_used,
		 u64 frame_table_bytes, struct mem_plan *plan);
u64 memmap_ram_bytes(const struct mem_map *m);
/* The middle of the biggest RAM below 4 GiB, rounded up to 2 MiB; 0: there is none. */
hpa_t memmap_middle(const struct mem_map *m);
/* End of the highest RAM. */
hpa_t memmap_ram_end(const struct mem_map *m);
/*
 * Highest (@top) or lowest free address of @len bytes in RAM within
 * [min, max), aligned to @align (a power of two) and clear of @used.
 * 0: none (address 0 is never given).
 */
hpa_t memmap_find(const struct mem_map *m, const struct mem_range *used, u32 nr_used,
		  hpa_t min, hpa_t max, u64 len, u64 align, bool top);

/* The machine's map as firmware gave it, normalised; constant after boot. */
extern struct mem_map machine_map;
/*
 * The same less memory that UEFI's tables may lie in: where Bedplate, and domain 0's kernel,
 * are put.
 */
extern struct mem_map free_map;
/* End of all RAM and of what of firmware's is like it: what the frame table is for. */
extern hpa_t memmap_top;
/* What Bedplate owns; constant once hv_start() is called. */
extern struct mem_range bp_ranges[5];
extern u32 nr_bp_ranges;

/* The machine's map less Bedplate's ranges (reserved there): domain 0's. */
void memmap_domain0(struct mem_map *out);

/*
 * BSP, on the boot page tables: choose Bedplate's memory, with room for a frame
 * table of @table_bytes(first frame above all RAM). Fatal if there is too little.
 */
void memmap_init(const struct boot_info *bi, u64 (*table_bytes)(u64 top));
/* Memory for last_log_init(); NULL: there was no room. */
void *memmap_last_log(void);
/* The room for it. */
void *memmap_frame_table(void);

/*
 * Pool of 4 KiB frames: zeroed, given as direct-map pointers. NULL when none
 * is left. Any CPU. Freeing what is not allocated panics.
 */
void *page_alloc(void);
void page_free(void *page);
/* @n contiguous frames (first fit); free with pages_free() and the same @n. */
void *pages_alloc(u32 n);
void pages_free(void *pages, u32 n);

extern u64 pool_total, pool_free;	/* frames */

#endif
