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

/*
 * tsc_sync.c: all CPUs have the boot CPU's TSC_ADJUST, and whether their TSCs agree is found out
 * as each starts. tsc_alike: they do, as far as one can see; constant after smp_start_aps().
 */
extern bool tsc_alike;
/* BSP: what it is to be. AP: true if it was something else here. */
void tsc_adjust_init(void);
bool tsc_adjust_sync(void);
/* AP that waits: answer if this CPU is asked. */
void tsc_sync_answer(u32 cpu);
/* BSP: by how many cycles, at least, CPU @cpu's TSC is ahead of ours. It must be answering. */
s64 tsc_sync_ask(u32 cpu);

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
