/* SPDX-License-Identifier: GPL-2.0-only */
/* The time stamp counter and its frequency. */
#ifndef BP_CORE_TSC_H
#define BP_CORE_TSC_H

#include "lib/types.h"

/* kHz; 0 until tsc_init(), constant from then on. */
extern u64 tsc_khz;

/* BSP, once: find the frequency. @pm_timer: I/O port of ACPI's timer or 0. */
void tsc_init(u16 pm_timer);
/* BSP, first of all: uptime counts from here. */
void tsc_mark_boot(void);

/* Microseconds since tsc_mark_boot(); 0 while the frequency is unknown. */
u64 tsc_uptime_us(void);
/* Busy wait; needs tsc_init(). */
void tsc_delay_us(u64 us);

/* The TSC now. */
u64 hv_tsc(void);

static inline u64 tsc_from_us(u64 us)
{
	return us * tsc_khz / 1000;
}

/* For statistics: to the microsecond. */
static inline u64 tsc_to_ns(u64 ticks)
{
	return ticks / (tsc_khz / 1000) * 1000;
}

#endif
