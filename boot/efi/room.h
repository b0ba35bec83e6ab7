/* SPDX-License-Identifier: GPL-2.0-only */
/* Is there memory for the hypervisor, and where it must be? */
#ifndef BP_EFI_ROOM_H
#define BP_EFI_ROOM_H

#include "image.h"
#include "load.h"

/* First: the image's place is memory, and nobody is given it from now on. */
EFI_STATUS room_for_image(const struct image_plan *p);

/*
 * With all in memory: enough is left for what Bedplate keeps (memmap.h), and for the
 * kernel where it unpacks itself.
 */
EFI_STATUS room_for_rest(const struct image_plan *p, const struct loaded *l);

#endif
