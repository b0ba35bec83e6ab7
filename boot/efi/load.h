/* SPDX-License-Identifier: GPL-2.0-only */
/* Domain 0's kernel and initrds, from the volume into memory. */
#ifndef BP_EFI_LOAD_H
#define BP_EFI_LOAD_H

#include "boot/linux_image.h"
#include "conf.h"
#include "volume.h"

/* Bytes below 4 GiB, on a page of their own. */
struct blob {
	u8 *data;
	u64 bytes;
};

struct loaded {
	struct blob kernel;
	struct linux_image linux_image;		/* what the kernel says of itself */
	u16 kernel_path[NAME_PATH_MAX];
	struct blob initrd;			/* all of them, as Linux wants them */
	struct blob part[CONF_MAX_INITRDS];	/* each, within that */
};

/* All that @e names; the kernel is a bzImage that Bedplate can start. */
EFI_STATUS load_entry(const struct conf_entry *e, struct loaded *l);

#endif
