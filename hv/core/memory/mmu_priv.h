/* SPDX-License-Identifier: GPL-2.0-only */
/* What mmu.c and mmu_dom0.c share. */
#ifndef HV_CORE_MMU_PRIV_H
#define HV_CORE_MMU_PRIV_H

#include "mmu.h"

/* Make *t the (first) address space of @d, with *g emptied (NULL: look up only). */
void mmu_npt(struct npt *t, struct domain *d, struct npt_gather *g);

/* The same for a table at @root in the IOMMU's format, with pages of @d. */
void mmu_npt_io(struct npt *t, struct domain *d, struct npt_root *root, struct npt_gather *g);

/*
 * Flush all that may have cached what t->gather holds of @d, a table of @t's kind, then
 * give that back, and leave it empty.  d->lock held.
 */
void mmu_gather_finish(struct npt *t, struct domain *d);

/* First frame number beyond what domain 0's table covers. */
u64 mmu_dom0_limit(void);

#endif
