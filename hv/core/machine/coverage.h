/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The counters of a build with gcov's instrumentation (make coverage), written to the
 * third serial line; nothing in other builds.  Called on one CPU, which may be about
 * to stop for good; the others go on counting.
 */
#ifndef HV_CORE_COVERAGE_H
#define HV_CORE_COVERAGE_H

#include "lib/types.h"

/* CPUID leaves by which domain 0 asks, at any privilege level: to write, to panic, to fault, to hang. */
#define COVERAGE_LEAF		0x400001ffu
#define COVERAGE_PANIC_LEAF	0x400001feu
#define COVERAGE_FAULT_LEAF	0x400001fdu
#define COVERAGE_HANG_LEAF	0x400001fcu

#ifdef BP_COVERAGE
void coverage_write(void);
/* Domain 0 executed CPUID of @leaf. */
void coverage_cpuid(u32 leaf);
#else
static inline void coverage_write(void) { }
static inline void coverage_cpuid(u32 leaf __unused) { }
#endif

#endif
