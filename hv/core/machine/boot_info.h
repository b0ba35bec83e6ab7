/* SPDX-License-Identifier: GPL-2.0-only */
/* What the loader told us, in a form that no longer depends on the loader. */
#ifndef BP_BOOT_INFO_H
#define BP_BOOT_INFO_H

#include "lib/types.h"
#include "memmap.h"

#define BOOT_MAX_MODULES	8
#define BOOT_RSDP_MAX		36

struct boot_module {
	hpa_t start, end;
	const char *cmdline;
};

enum boot_fb_type { BOOT_FB_INDEXED = 0, BOOT_FB_RGB = 1, BOOT_FB_TEXT = 2, BOOT_FB_NONE };

struct boot_framebuffer {
	enum boot_fb_type type;
	hpa_t addr;
	u32 pitch, width, height;	/* text: in characters */
	u8 bpp;
	u8 red_pos, red_size, green_pos, green_size, blue_pos, blue_size;
};

/* UEFI as the loader left it, after ExitBootServices(). */
struct boot_efi {
	hpa_t system_table;		/* of 64-bit firmware; else 0 */
	const u8 *map;			/* its memory map: efi_map.h */
	u32 map_bytes;			/* 0: not told */
	u32 desc_bytes;
	u32 desc_version;
	bool secure_boot;		/* it is on */
};

struct boot_info {
	const char *loader;		/* name, "" if not told */
	const char *cmdline;		/* ours */
	struct mem_map map;		/* as told: not normalised */
	u32 nr_wrapped;			/* ranges of it that went past 2^64: RAM is left out */
	u32 nr_modules;
	struct boot_module module[BOOT_MAX_MODULES];
	struct boot_framebuffer fb;
	u32 rsdp_len;			/* 0: none told */
	u8 rsdp[BOOT_RSDP_MAX];		/* a copy; the newer version, if both */
	bool efi;			/* booted by UEFI */
	struct boot_efi uefi;
};

#endif
