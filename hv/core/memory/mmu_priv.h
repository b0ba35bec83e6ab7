/* SPDX-License-Identifier: GPL-2.0-only */
/* What mmu.c and mmu_dom0.c share. */
#ifndef HV_CORE_MMU_PRIV_H
#define HV_CORE_MMU_PRIV_H

#include "mmu.h"

/* Make *t the first address space of @d, with *g emptied (NULL: look up only). */
void mmu_npt(struct npt *t, struct domain *d, struct npt_gather *g);

/*
 * Flush @d's TLBs if anything in *g asks for it, then give back what it holds,
 * and leave it empty.  d->lock held.
 */
void mmu_gather_finish(struct domain *d, struct npt_gather *g);

/* First frame number beyond what domain 0's table covers. */
u64 mmu_dom0_limit(void);

#endif
