/* SPDX-License-Identifier: GPL-2.0-only */
/* Reader of the multiboot2 information structure (specification 2.0, ch. 3.6). */
#ifndef BP_BOOT_MULTIBOOT2_H
#define BP_BOOT_MULTIBOOT2_H

#include "hv/core/machine/boot_info.h"

#define MB2_BOOT_MAGIC	0x36d76289
#define MB2_MAX_SIZE	(128 * 1024)

/*
 * Read @len bytes at @mbi, which must be all that total_size says and stay where
 * they are: strings in @bi point into them. Returns NULL, or what is wrong with
 * it in a few words. Pure.
 */
const char *mb2_parse(const void *mbi, u32 len, struct boot_info *bi);

#endif
