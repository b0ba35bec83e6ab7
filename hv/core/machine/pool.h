/* SPDX-License-Identifier: GPL-2.0-only */
/* Start of the pool; memmap.h has what the rest calls. */
#ifndef BP_CORE_POOL_H
#define BP_CORE_POOL_H

#include "lib/types.h"

/* BSP, once: the pool is @frames frames from @start on, in the direct map. */
void pool_init(hpa_t start, u64 frames);
/* BSP, before hv_start(): one more range is Bedplate's. */
void memmap_add_bedplate(hpa_t start, hpa_t end);

#endif
