/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory types as firmware set them in the MTRRs (SDM vol. 3, 12.11; APM vol. 2,
 * 7.7), for second-level tables that take their place (EPT).  All CPUs must have
 * the same; where firmware left that to the operating system, mtrr_sync() does
 * it.  Boot only.
 */
#ifndef HV_CORE_MTRR_H
#define HV_CORE_MTRR_H

#include "lib/types.h"

#define MTRR_FIXED	11
#define MTRR_VAR_MAX	32

struct mtrr_state {
	u64 def_type;			/* the MSR; 0 = MTRRs are off: all UC */
	u64 fixed[MTRR_FIXED];		/* 64K, two of 16K, eight of 4K */
	u64 nr_var;			/* of 64 bits: states are compared as a whole */
	struct {
		u64 base, mask;		/* the MSRs */
	} var[MTRR_VAR_MAX];
};

/* Read this CPU's MTRRs; all UC if it has none. */
void mtrr_read(struct mtrr_state *m);

/*
 * On an AP, interrupts off, nobody else uses its caches: make its MTRRs those of
 * m.  True if they were others.
 */
bool mtrr_sync(const struct mtrr_state *m);

/* MEMTYPE_* of the page at @pa. */
u8 mtrr_type(const struct mtrr_state *m, hpa_t pa);
/* The same, and *end: all pages from @pa up to there have it (others behind it may as well). */
u8 mtrr_run(const struct mtrr_state *m, hpa_t pa, hpa_t *end);

#endif
