/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory of the firmware's that the application holds, and gives back if it fails. */
#ifndef BP_EFI_PAGES_H
#define BP_EFI_PAGES_H

#include "efimap.h"
#include "uefi.h"

/*
 * @bytes in whole pages below 4 GiB, outside of what was held; @what is for the line
 * that says that there is none.
 */
EFI_STATUS pages_get(void **out, u64 bytes, EFI_MEMORY_TYPE type, const char *what);

/* Keep what is free of [start, end), so that nobody is given it. */
EFI_STATUS pages_hold(const struct efi_map *map, hpa_t start, hpa_t end);

/* Give back all that the two above took. */
void pages_release(void);

/* The firmware's map now, and the key that ExitBootServices() wants; @map stays ours. */
EFI_STATUS pages_map(struct efi_map *map, UINTN *key);

#endif
