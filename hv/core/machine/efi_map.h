/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * UEFI's memory map as the loader got it (UEFI 2.10, 7.2.3): descriptors that may be in any
 * order, overlap, and be of more bytes than are known here. Pure, tested on the host.
 */
#ifndef BP_CORE_EFI_MAP_H
#define BP_CORE_EFI_MAP_H

#include "boot_info.h"

/* Types of memory that are told apart here; all others are firmware's. */
#define EFI_RESERVED		0
#define EFI_LOADER_CODE		1
#define EFI_LOADER_DATA		2
#define EFI_BOOT_CODE		3
#define EFI_BOOT_DATA		4
#define EFI_RUNTIME_CODE	5
#define EFI_RUNTIME_DATA	6
#define EFI_CONVENTIONAL	7
#define EFI_UNUSABLE		8
#define EFI_ACPI_RECLAIM	9
#define EFI_ACPI_NVS		10

#define EFI_MEMORY_WB		BIT(3)	/* may be mapped write-back */
#define EFI_MEMORY_SP		BIT(18)	/* for a special purpose: whoever knows that may use it */

struct efi_desc {
	u32 type;
	u32 reserved;
	u64 start;
	u64 virt;
	u64 pages;		/* of 4 KiB */
	u64 attr;
};
static_assert(sizeof(struct efi_desc) == 40, "specification");

/*
 * NULL, or what is wrong with e->map_bytes and e->desc_bytes in a few words. The
 * functions below want a map that passed, or none.
 */
const char *efi_map_check(const struct boot_efi *e);

/* The type (memmap.h) of such memory, once boot services are gone. */
u32 efi_map_type(const struct efi_desc *d);

/* Number of descriptors. */
u32 efi_map_nr(const struct boot_efi *e);

/*
 * Read descriptor @i. False if it describes nothing: it is empty, or ends above the
 * physical addresses that there can be (52 bits).
 */
bool efi_map_get(const struct boot_efi *e, u32 i, struct efi_desc *d);

/* Add what it says to @m, which need not be normalised. False: more ranges than fit. */
bool efi_map_add(const struct boot_efi *e, struct mem_map *m);

/*
 * Reserve in the normalised map @m what boot services left behind: it is RAM that nobody
 * needs later, but firmware's configuration tables may lie in it. False: more ranges
 * than fit.
 */
bool efi_map_keep(const struct boot_efi *e, struct mem_map *m);

/* End of the highest memory (no device's) that firmware keeps and that is write-back; or 0. */
hpa_t efi_map_end(const struct boot_efi *e);

#endif
