/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Linux's boot protocol (Documentation/arch/x86/boot.rst): what a bzImage says,
 * and the boot_params page ("zero page"). Pure, tested on the host.
 */
#ifndef BP_BOOT_LINUX_IMAGE_H
#define BP_BOOT_LINUX_IMAGE_H

#include "hv/core/machine/boot_info.h"

struct linux_image {
	u32 setup_bytes;	/* real-mode part, boot sector included */
	u64 kernel_bytes;	/* protected-mode part, after it */
	u64 room;		/* what it needs from its load address on */
	u64 pref_address;
	u64 alignment;
	bool relocatable;
	u64 initrd_max;		/* highest address of the initrd's last byte */
	u32 cmdline_max;	/* without the NUL */
};

/* What goes into boot_params besides the image's own header. */
struct linux_params {
	hpa_t kernel;		/* load address */
	hpa_t initrd;
	u64 initrd_bytes;
	hpa_t cmdline;
	hpa_t rsdp;		/* 0: Linux looks itself */
	const struct mem_map *map;
	void *more;		/* linux_more_bytes() for ranges that boot_params has no room for */
	hpa_t more_pa;
	const struct boot_framebuffer *fb;
	bool efi;
	const struct boot_efi *uefi;	/* NULL: no run-time services */
	hpa_t efi_map;			/* domain 0's copy, below 4 GiB */
	u32 efi_map_bytes;
};

#define LINUX_BOOT_PARAMS_SIZE	4096

/* Check a bzImage of @len bytes. NULL, or what is wrong with it in a few words. */
const char *linux_check_image(const void *image, u64 len, struct linux_image *li);

/* Load address: the preferred one if that is free, else what fits; 0: none. */
hpa_t linux_place_kernel(const struct linux_image *li, const struct mem_map *map,
			 const struct mem_range *used, u32 nr_used);

/* Bytes that Linux needs outside of boot_params to be told of @map; 0: none. */
u32 linux_more_bytes(const struct mem_map *map);

/* Fill the boot_params page @bp from a checked @image. */
void linux_fill_params(void *bp, const void *image, const struct linux_params *p);

#endif
