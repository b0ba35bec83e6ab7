// SPDX-License-Identifier: GPL-2.0-only
/* Memory for the hypervisor; the contract is in room.h. */
#include "room.h"
#include "app.h"
#include "efimap.h"
#include "pages.h"
#include "say.h"

/* Of the frame table: a word a frame, and one for each group of 512 of those, twice. */
#define TABLE_FAN	512

static struct mem_map ranges;

/* The map as it would be if we left now. */
static EFI_STATUS read_map(struct efi_map *map)
{
	UINTN key;
	EFI_STATUS status = pages_map(map, &key);
	const char *err;

	if (EFI_ERROR(status))
		return status;
	err = efimap_ranges(map, &ranges);
	return err ? fail(EFI_UNSUPPORTED, "the firmware's memory map: %s", err) : EFI_SUCCESS;
}

EFI_STATUS room_for_image(const struct image_plan *p)
{
	struct efi_map map;
	EFI_STATUS status = read_map(&map);

	if (EFI_ERROR(status))
		return status;
	if (!efimap_is_ram(&ranges, p->start, p->end))
		return fail(EFI_OUT_OF_RESOURCES,
			    "0x%llx to 0x%llx, where the hypervisor goes, is not all memory that the firmware leaves",
			    p->start, p->end - 1);
	return pages_hold(&map, p->start, p->end);
}

static u64 table_bytes(u64 top)
{
	u64 words = top + (top / TABLE_FAN + 1) + (top / TABLE_FAN / TABLE_FAN + 1);

	return ALIGN_UP(words * sizeof(u64), PAGE_SIZE);
}

static struct mem_range range_of(const struct blob *b)
{
	hpa_t start = (uintptr_t)b->data;

	return (struct mem_range){ start, ALIGN_UP(start + b->bytes, PAGE_SIZE), MEM_RESERVED };
}

/* As memmap_init() does it: clear of what boot services have, if there is room for that. */
static bool plan_pool(const struct efi_map *map, const struct mem_range *used, u32 nr,
		      struct mem_plan *plan)
{
	static struct mem_map all;
	u64 table = table_bytes(memmap_ram_end(&ranges) >> PAGE_SHIFT);

	all = ranges;
	if (efimap_keep(map, &ranges) && memmap_plan(&ranges, used, nr, table, plan))
		return true;
	ranges = all;
	return memmap_plan(&ranges, used, nr, table, plan);
}

EFI_STATUS room_for_rest(const struct image_plan *p, const struct loaded *l)
{
	struct mem_range used[] = {
		{ p->start, p->end, MEM_RESERVED }, range_of(&l->kernel), range_of(&l->initrd),
		{ 0, 0, MEM_RESERVED },		/* Bedplate's block, once that is known */
	};
	struct mem_plan plan;
	struct efi_map map;
	EFI_STATUS status = read_map(&map);

	if (EFI_ERROR(status))
		return status;
	if (!memmap_normalise(&ranges))
		return fail(EFI_UNSUPPORTED, "the firmware's memory map has too many ranges");
	if (!plan_pool(&map, used, ARRAY_SIZE(used), &plan))
		return fail(EFI_OUT_OF_RESOURCES,
			    "too little memory: no room for Bedplate's %llu MiB below 4 GiB (the machine has %llu MiB)",
			    (plan.pool_bytes + plan.frame_table_bytes) >> 20, plan.ram_bytes >> 20);
	used[3].start = plan.block_start;
	used[3].end = plan.block_end;
	if (!linux_place_kernel(&l->linux_image, &ranges, used, ARRAY_SIZE(used)))
		return fail(EFI_OUT_OF_RESOURCES,
			    "too little memory: no room for the kernel, which needs %llu KiB",
			    l->linux_image.room >> 10);
	return EFI_SUCCESS;
}
