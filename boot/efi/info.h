/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writer of the multiboot2 information structure (specification 2.0, 3.6), with which
 * Bedplate starts as it does from GRUB. boot/multiboot2.c reads it. Pure, tested on the
 * host.
 */
#ifndef BP_EFI_INFO_H
#define BP_EFI_INFO_H

#include "efimap.h"
#include "hv/core/machine/boot_info.h"

/* Of this project: Secure Boot is on. No payload. */
#define INFO_SECURE_BOOT	0x42500001u

struct info {
	u8 *buf;		/* aligned to 8 bytes */
	u32 size, used;
	bool full;		/* something did not fit */
};

void info_begin(struct info *i, void *buf, u32 size);
void info_cmdline(struct info *i, const char *line);
void info_loader(struct info *i, const char *name);
/* @end may be @start: no bytes. Below 4 GiB. */
void info_module(struct info *i, hpa_t start, hpa_t end, const char *line);
void info_framebuffer(struct info *i, const struct boot_framebuffer *fb);
void info_rsdp(struct info *i, const void *rsdp, u32 len);
void info_system_table(struct info *i, hpa_t table);
void info_flag(struct info *i, u32 type);
void info_memory(struct info *i, const struct mem_map *m);
void info_efi_map(struct info *i, const struct efi_map *m);
/* False: @size is too small. */
bool info_end(struct info *i);

/* What info_memory() and info_efi_map() take. */
u64 info_maps_bytes(const struct mem_map *m, u64 efi_bytes);

#endif
