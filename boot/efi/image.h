/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hypervisor's image, build/bedplate.elf, which lies in the application: where it
 * goes and what stands there. Pure, tested on the host.
 */
#ifndef BP_EFI_IMAGE_H
#define BP_EFI_IMAGE_H

#include "hv/core/lib/types.h"

struct image_plan {
	hpa_t start, end;	/* whole pages, below 4 GiB */
	hpa_t entry;		/* multiboot2's, in 32-bit mode */
};

/* Read the headers of @len bytes at @elf. NULL, or what is wrong in a few words. */
const char *image_plan(const void *elf, u64 len, struct image_plan *p);

/* The bytes of [p->start, p->end), into @to; after image_plan() found nothing wrong. */
void image_fill(const void *elf, const struct image_plan *p, void *to);

#endif
