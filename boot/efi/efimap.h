/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The firmware's memory map (UEFI 2.10, 7.2) as ranges of the types that multiboot2
 * and Linux's e820 share. Pure, tested on the host.
 */
#ifndef BP_EFI_MAP_H
#define BP_EFI_MAP_H

#include "hv/core/machine/memmap.h"

/* As GetMemoryMap() gives it; descriptors are desc_size apart. */
struct efi_map {
	const void *descs;
	u64 bytes;
	u64 desc_size;
	u32 desc_version;
};

/*
 * Every byte that the firmware describes, by its type once boot services are gone, sorted; neighbours of one type are one
 * range. NULL, or what is wrong in a few words.
 */
const char *efimap_ranges(const struct efi_map *in, struct mem_map *out);

/* efi_map_keep() of efi_map.h: reserve what boot services have. */
bool efimap_keep(const struct efi_map *in, struct mem_map *m);

/* Is all of [start, end) memory that the firmware, the loader or nobody uses? */
bool efimap_is_ram(const struct mem_map *m, hpa_t start, hpa_t end);

#endif
