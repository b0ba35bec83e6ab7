// SPDX-License-Identifier: GPL-2.0-only
/* The firmware's memory; the contract is in pages.h. */
#include "pages.h"
#include "app.h"
#include "hv/core/lib/string.h"
#include "say.h"

#define MAX_PIECES	64
/* Ranges that may come up between asking for the map's size and leaving. */
#define MAP_SPARE	64

static struct {
	EFI_PHYSICAL_ADDRESS start;
	u64 pages;
} piece[MAX_PIECES];
static u32 nr_pieces;

/* The firmware's memory map. */
static void *buffer;
static UINTN room;

static EFI_STATUS take(EFI_ALLOCATE_TYPE how, EFI_MEMORY_TYPE type, u64 pages,
		       EFI_PHYSICAL_ADDRESS *addr)
{
	EFI_STATUS status = EFI_OUT_OF_RESOURCES;

	if (nr_pieces < MAX_PIECES)
		status = efi_boot->AllocatePages(how, type, pages, addr);
	if (EFI_ERROR(status))
		return status;
	piece[nr_pieces].start = *addr;
	piece[nr_pieces++].pages = pages;
	return EFI_SUCCESS;
}

EFI_STATUS pages_get(void **out, u64 bytes, EFI_MEMORY_TYPE type, const char *what)
{
	EFI_PHYSICAL_ADDRESS addr = SZ_4G - 1;
	u64 pages = ALIGN_UP(max(bytes, 1ull), PAGE_SIZE) >> PAGE_SHIFT;

	/* A file may say that it has any size. */
	if (bytes >= SZ_4G || EFI_ERROR(take(AllocateMaxAddress, type, pages, &addr)))
		return fail(EFI_OUT_OF_RESOURCES, "too little memory below 4 GiB for %s (%llu KiB)",
			    what, (bytes >> 10) + 1);
	*out = (void *)(uintptr_t)addr;
	return EFI_SUCCESS;
}

EFI_STATUS pages_hold(const struct efi_map *map, hpa_t start, hpa_t end)
{
	EFI_MEMORY_DESCRIPTOR d;
	EFI_PHYSICAL_ADDRESS from, to;
	u64 off;

	for (off = 0; off < map->bytes; off += map->desc_size) {
		memcpy(&d, (const u8 *)map->descs + off, sizeof(d));
		from = max((hpa_t)d.PhysicalStart, start);
		to = min((hpa_t)d.PhysicalStart + (d.NumberOfPages << PAGE_SHIFT), end);
		if (d.Type != EfiConventionalMemory || from >= to)
			continue;
		if (EFI_ERROR(take(AllocateAddress, EfiLoaderData, (to - from) >> PAGE_SHIFT, &from)))
			return fail(EFI_OUT_OF_RESOURCES,
				    "the firmware does not give the memory at 0x%llx, where the hypervisor goes",
				    (u64)from);
	}
	return EFI_SUCCESS;
}

void pages_release(void)
{
	while (nr_pieces) {
		nr_pieces--;
		efi_boot->FreePages(piece[nr_pieces].start, piece[nr_pieces].pages);
	}
	if (buffer)
		efi_boot->FreePool(buffer);
	buffer = NULL;
	room = 0;
}

EFI_STATUS pages_map(struct efi_map *map, UINTN *key)
{
	UINTN bytes = room, desc_size = 0;
	UINT32 version = 0;
	EFI_STATUS status;

	for (;;) {
		status = efi_boot->GetMemoryMap(&bytes, buffer, key, &desc_size, &version);
		if (status != EFI_BUFFER_TOO_SMALL)
			break;
		if (buffer)
			efi_boot->FreePool(buffer);
		room = bytes += MAP_SPARE * desc_size;
		if (EFI_ERROR(efi_boot->AllocatePool(EfiLoaderData, room, &buffer))) {
			buffer = NULL;
			room = 0;
			return fail(EFI_OUT_OF_RESOURCES, "no memory for the firmware's memory map");
		}
	}
	if (EFI_ERROR(status))
		return fail(status, "the firmware gives no memory map");
	*map = (struct efi_map){ buffer, bytes, desc_size, version };
	return EFI_SUCCESS;
}
