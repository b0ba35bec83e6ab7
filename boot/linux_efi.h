/* SPDX-License-Identifier: GPL-2.0-only */
/* UEFI's memory map as domain 0 gets it. Pure, tested on the host. */
#ifndef BP_BOOT_LINUX_EFI_H
#define BP_BOOT_LINUX_EFI_H

#include "hv/core/machine/boot_info.h"

/*
 * Write firmware's descriptors to @out (NULL: only count), with all that lies in one of
 * @cut's ranges (page aligned, in any order) as descriptors of their own, reserved. Order,
 * attributes and what is unknown in a descriptor are kept; those that efi_map_get()
 * refuses are left out. Returns the bytes written.
 */
u32 linux_efi_map(const struct boot_efi *e, const struct mem_range *cut, u32 nr_cuts, void *out);

#endif
