// SPDX-License-Identifier: GPL-2.0-only
/* Out of boot services and into Bedplate; the contract is in leave.h. */
#include "leave.h"
#include "app.h"
#include "boot/multiboot2.h"
#include "hv/core/lib/string.h"
#include "pages.h"
#include "say.h"

/* Access rights of pages, where the firmware guards them (UEFI 2.10, 37.7). */
#define ATTRIBUTE_GUID { 0xf4560cf6, 0x40ec, 0x4b4a, { 0xa1, 0x92, 0xbf, 0x1d, 0x57, 0xd0, 0xb1, 0x89 } }

struct memory_attribute {
	EFI_STATUS (EFIAPI *get)(struct memory_attribute *, EFI_PHYSICAL_ADDRESS, UINT64, UINT64 *);
	EFI_STATUS (EFIAPI *set)(struct memory_attribute *, EFI_PHYSICAL_ADDRESS, UINT64, UINT64);
	EFI_STATUS (EFIAPI *clear)(struct memory_attribute *, EFI_PHYSICAL_ADDRESS, UINT64, UINT64);
};

#define TRIES	8	/* firmware changes its map once while it leaves, if at all */

/* handover.S: from 64-bit mode with paging; it moves itself nowhere. */
extern const u8 handover[], handover_end[];
typedef void handover_fn(u64 to, const void *from, u64 dwords, const void *info, u64 entry);

static EFI_STATUS make_code(void **code)
{
	static const EFI_GUID guid = ATTRIBUTE_GUID;
	struct memory_attribute *attr = app_protocol(NULL, &guid);
	u64 bytes = ALIGN_UP((u64)(handover_end - handover), PAGE_SIZE);
	EFI_STATUS status = pages_get(code, bytes, EfiLoaderCode, "the way into the hypervisor");

	if (EFI_ERROR(status))
		return status;
	if (attr)
		attr->clear(attr, (uintptr_t)*code, bytes, EFI_MEMORY_RO | EFI_MEMORY_XP | EFI_MEMORY_RP);
	memcpy(*code, handover, handover_end - handover);
	return EFI_SUCCESS;
}

EFI_STATUS leave_prepare(struct departure *d)
{
	void *info;
	EFI_STATUS status = pages_get(&d->stage, d->plan.end - d->plan.start, EfiLoaderData,
				      "the hypervisor");

	if (!EFI_ERROR(status))
		status = pages_get(&info, MB2_MAX_SIZE, EfiLoaderData, "the boot information");
	if (!EFI_ERROR(status))
		status = make_code(&d->code);
	if (EFI_ERROR(status))
		return status;
	image_fill(d->elf, &d->plan, d->stage);
	info_begin(&d->info, info, MB2_MAX_SIZE);
	return EFI_SUCCESS;
}

/* @info as it was, and the maps of this moment behind. NULL, or what is wrong. */
static const char *add_maps(struct info *info, const struct efi_map *map)
{
	static struct mem_map ranges;
	const char *err = efimap_ranges(map, &ranges);

	if (err)
		return err;
	info_memory(info, &ranges);
	info_efi_map(info, map);
	return info_end(info) ? NULL : "it has too many ranges";
}

/* After the first try no boot service but those for memory may be called. */
static EFI_STATUS give_up(bool tried, EFI_STATUS status)
{
	if (!tried)
		return status;
	for (;;)
		efi->RuntimeServices->ResetSystem(EfiResetCold, status, 0, NULL);
}

EFI_STATUS leave(struct departure *d)
{
	const struct info before = d->info;
	struct efi_map map;
	const char *err;
	EFI_STATUS status;
	UINTN key;
	u32 i;

	for (i = 0; i < TRIES; i++) {
		status = pages_map(&map, &key);
		if (EFI_ERROR(status))
			return give_up(i, status);
		d->info = before;
		err = add_maps(&d->info, &map);
		if (err && !i)
			fail(EFI_UNSUPPORTED, "the firmware's memory map: %s", err);
		if (err)
			return give_up(i, EFI_UNSUPPORTED);
		if (!EFI_ERROR(efi_boot->ExitBootServices(app_image, key)))
			((handover_fn *)d->code)(d->plan.start, d->stage,
						 (d->plan.end - d->plan.start) / 4, d->info.buf,
						 d->plan.entry);
	}
	return give_up(true, EFI_LOAD_ERROR);
}
