/* SPDX-License-Identifier: GPL-2.0-only */
/* A domain with memory on mm_rig's machine, for tests of mmu.c. */
#ifndef TESTS_UNIT_MMU_GUEST_H
#define TESTS_UNIT_MMU_GUEST_H

#include "hv/core/memory/dommem.h"
#include "hv/core/memory/mmu.h"

#define PFN	0x100000ull		/* RAM of domain 0 */
#define RW	(BP_MAP_WRITE | BP_MAP_EXEC)

static inline int setup(void **state __unused)
{
	rig_max_order = 18;
	rig_init(false);
	return 0;
}

/* Its id: with 32 frames, from PFN + 0x1000 on. */
static inline int make_guest(void)
{
	u64 list[32], i;

	for (i = 0; i < 32; i++)
		list[i] = PFN + 0x1000 + i;
	return domain_create(list, 32, false);
}

/* One mapping; the result of MAP. */
static inline int map1(struct domain *d, u64 gfn, u64 pfn, u32 order, u32 flags)
{
	struct bp_map m = { .gfn = gfn, .pfn = pfn, .order = order, .flags = flags };

	return mmu_map(d, &m, 1);
}

#endif
