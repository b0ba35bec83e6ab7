/* SPDX-License-Identifier: GPL-2.0-only */
/* The frame buffer that the firmware's console is on (UEFI 2.10, 12.9). */
#ifndef BP_EFI_DISPLAY_H
#define BP_EFI_DISPLAY_H

#include "hv/core/machine/boot_info.h"

/* Its present mode; type BOOT_FB_NONE: there is none that memory accesses reach. */
struct boot_framebuffer display_find(void);

#endif
