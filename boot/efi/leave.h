/* SPDX-License-Identifier: GPL-2.0-only */
/* Out of boot services and into Bedplate. */
#ifndef BP_EFI_LEAVE_H
#define BP_EFI_LEAVE_H

#include "image.h"
#include "info.h"
#include "uefi.h"

struct departure {
	struct image_plan plan;
	const void *elf;	/* the image, in the application */
	void *stage;		/* what goes to plan.start, below 4 GiB */
	void *code;		/* a page that runs handover.S */
	struct info info;	/* what is known before the last memory map */
};

/* Memory for all of it, and the image in its staging place; info is begun. */
EFI_STATUS leave_prepare(struct departure *d);

/*
 * Ends boot services and enters Bedplate. Returns only if that has not begun; if the
 * firmware then cannot go through with it, the machine is reset.
 */
EFI_STATUS leave(struct departure *d);

#endif
