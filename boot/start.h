/* SPDX-License-Identifier: GPL-2.0-only */
/* From the loader's hands to domain 0: main.c, then start.c. */
#ifndef BP_BOOT_START_H
#define BP_BOOT_START_H

#include "hv/core/lib/types.h"

struct boot_info;
struct hv_ops;

/* Which one this machine gets.  Whether it can run there is its probe() to say. */
const struct hv_ops *back_end(void);

/* From entry.S. */
noreturn void hv_main(u32 magic, u32 info);

/* Start domain 0 on this machine: BSP, all APs waiting. */
noreturn void hv_start(const struct boot_info *bi);

#endif
