// SPDX-License-Identifier: GPL-2.0-only
/* The machine's memory and Bedplate's share of it. */
#include "memmap.h"
#include "boot_info.h"
#include "efi_map.h"
#include "last_log.h"
#include "lib/x86.h"
#include "log.h"
#include "paging.h"
#include "panic.h"
#include "pool.h"

extern const char image_start[], image_end[];

struct mem_map machine_map, free_map;
hpa_t memmap_top;
struct mem_range bp_ranges[5];
u32 nr_bp_ranges;

static hpa_t frame_table, last_log;

void memmap_add_bedplate(hpa_t start, hpa_t end)
{
	ASSERT(nr_bp_ranges < ARRAY_SIZE(bp_ranges));
	bp_ranges[nr_bp_ranges++] = (struct mem_range){ start, end, MEM_RESERVED };
}

void memmap_domain0(struct mem_map *out)
{
	u32 i;

	*out = machine_map;
	for (i = 0; i < nr_bp_ranges; i++)
		if (!memmap_set(out, bp_ranges[i].start, bp_ranges[i].end, MEM_RESERVED))
			fatal("the memory map has too many ranges");
}

static void log_map(void)
{
	static const char *const names[] = { "?", "RAM", "reserved", "ACPI", "NVS", "bad" };
	const struct mem_range *r;
	u32 i;

	for (i = 0; i < machine_map.nr; i++) {
		r = &machine_map.r[i];
		log_debug("memory %012llx-%012llx %s", r->start, r->end - 1,
			  names[r->type]);
	}
}

/* Image and modules: what the block must stay clear of. */
static u32 collect_used(const struct boot_info *bi, struct mem_range *used)
{
	u32 i, n = 0;

	used[n++] = bp_ranges[0];
	for (i = 0; i < bi->nr_modules; i++)
		used[n++] = (struct mem_range){ ALIGN_DOWN(bi->module[i].start, PAGE_SIZE),
						ALIGN_UP(bi->module[i].end, PAGE_SIZE), 0 };
	return n;
}

/* What the direct map, the CPU's address lines or the frame table cannot reach is left unused. */
static void trim(void)
{
	u64 lines = BIT(cpuid(0x80000008).eax & 0xff);
	u64 gone = memmap_trim(&machine_map, min(lines, (u64)DIRECT_MAP_SIZE));

	if (gone)
		log_warn("%llu MiB of RAM lie too far up and stay unused: RAM ends at 0x%llx now",
			 gone >> 20, memmap_ram_end(&machine_map));
}

static void find_top(const struct boot_info *bi)
{
	memmap_top = memmap_ram_end(&machine_map);
	/* A table for a wild address would take all memory. */
	memmap_top = max(memmap_top, min(efi_map_end(&bi->uefi), ALIGN_UP(memmap_top, SZ_1G)));
}

/* Where UEFI's boot services were is taken only if there is no room elsewhere. */
static bool plan_block(const struct boot_info *bi, u64 table_bytes, struct mem_plan *plan)
{
	struct mem_range used[BOOT_MAX_MODULES + 1];
	u32 n = collect_used(bi, used);

	free_map = machine_map;
	if (efi_map_keep(&bi->uefi, &free_map) &&
	    memmap_plan(&free_map, used, n, table_bytes, plan))
		return true;
	free_map = machine_map;
	if (bi->uefi.map_bytes)
		log_warn("memory of UEFI's boot services is used: tables in there may be lost");
	return memmap_plan(&machine_map, used, n, table_bytes, plan);
}

/*
 * In the middle, as firmware and loaders take memory from the ends. A whole large page, so that
 * domain 0's table is not cut up.
 */
static void place_last_log(const struct boot_info *bi)
{
	struct mem_range used[BOOT_MAX_MODULES + 2];
	u32 n = collect_used(bi, used);

	static_assert(LAST_LOG_BYTES <= SZ_2M, "it fits");
	used[n++] = bp_ranges[1];
	last_log = memmap_find(&free_map, used, n, memmap_middle(&machine_map), SZ_4G, SZ_2M,
			       SZ_2M, false);
	if (last_log)
		memmap_add_bedplate(last_log, last_log + SZ_2M);
}

void *memmap_last_log(void)
{
	return last_log ? phys_to_virt(last_log) : NULL;
}

void memmap_init(const struct boot_info *bi, u64 (*table_bytes)(u64 top))
{
	struct mem_plan plan;
	u64 share, ft_bytes;

	machine_map = bi->map;
	if (!memmap_normalise(&machine_map))
		fatal("the memory map has too many ranges");
	log_map();
	trim();
	memmap_add_bedplate((u64)(uintptr_t)image_start - IMAGE_BASE,
			    (u64)(uintptr_t)image_end - IMAGE_BASE);
	find_top(bi);
	ft_bytes = table_bytes(memmap_top >> PAGE_SHIFT);
	if (!plan_block(bi, ALIGN_UP(ft_bytes, PAGE_SIZE), &plan))
		fatal("too little memory: no room for Bedplate's %llu MiB below 4 GiB"
		      " (the machine has %llu MiB)",
		      (plan.pool_bytes + plan.frame_table_bytes) >> 20,
		      plan.ram_bytes >> 20);
	memmap_add_bedplate(plan.block_start, plan.block_end);
	place_last_log(bi);
	pool_init(plan.block_start, plan.pool_bytes >> PAGE_SHIFT);
	frame_table = plan.table_start;
	if (frame_table > plan.block_end)
		memmap_add_bedplate(frame_table, frame_table + ALIGN_UP(ft_bytes, PAGE_SIZE));
	share = plan.pool_bytes + ft_bytes + bp_ranges[0].end - bp_ranges[0].start +
		(last_log ? SZ_2M : 0);
	log_info("%llu MiB of RAM; Bedplate keeps %llu KiB",
		 memmap_ram_bytes(&machine_map) >> 20, share >> 10);
}

void *memmap_frame_table(void)
{
	return phys_to_virt(frame_table);
}
