/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef HV_CORE_CMOS_H
#define HV_CORE_CMOS_H

#include "lib/types.h"

/*
 * Seconds since 1970 (UTC) from the real-time clock; boot only, before
 * domain 0 owns ports 0x70 and 0x71.  0 when the clock makes no sense.
 */
u64 cmos_wall_seconds(void);

/* Days since 1970-01-01 of a civil date; pure. */
u64 civil_days(u32 year, u32 month, u32 day);

#endif
