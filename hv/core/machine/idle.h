/* SPDX-License-Identifier: GPL-2.0-only */
/* How a CPU that has nothing to run waits: by HLT, or deeper (option idle=). */
#ifndef BP_CORE_IDLE_H
#define BP_CORE_IDLE_H

#include "lib/types.h"

/* The state that MWAIT is to be asked for; IDLE_HLT: HLT is all. */
#define IDLE_HLT	(~0u)

/* What idle= is about, of CPUID: EDX of leaf 1, and so on.  For tests. */
struct idle_enum {
	u32 one_ecx;			/* leaf 1 */
	u32 mwait_ecx, mwait_edx;	/* leaf 5 */
	u32 power_eax;			/* leaf 6 */
	u32 ext7_edx;			/* leaf 8000_0007 */
};

/* The deepest state in which this CPU still takes interrupts and counts time.  Pure. */
u32 idle_choose(const struct idle_enum *e);

/* BSP, options known: choose.  Says in the log what was chosen, if it was asked for. */
void idle_init(void);

/*
 * Wait for an interrupt and take it; off before and after.  May return without one.
 * Deep only if the next timer of the CPU is far.
 */
void idle_wait(void);

#endif
