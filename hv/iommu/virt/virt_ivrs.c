// SPDX-License-Identifier: GPL-2.0-only
/* What the IVRS tells domain 0 of the units; the contract is in virt_amdvi.h. */
#include "virt_amdvi.h"

#include "hv/iommu/amdvi_regs.h"
#include "hv/iommu/ivrs.h"
#include "hv/iommu/ivrs_table.h"
#include "lib/bytes.h"

/* Feature reporting of type 10h; bits of the same names in the feature register. */
#define FEATURES_XT		BIT(0)
#define FEATURES_IA		BIT(5)
#define FEATURES_GA		BIT(6)

/* They say that devices may have TLBs, that there are prefetch and page requests: 10h only. */
#define FLAGS_NOT_SHOWN		(IVHD_IOTLB_SUP | IVHD_PREF_SUP | IVHD_PPR_SUP)

static void show_unit(struct ivrs_ivhd *h, u64 efr)
{
	h->b.flags &= (u8)~FLAGS_NOT_SHOWN;
	h->features = 0;
	if (h->b.type != IVHD_10) {
		h->efr = efr;
		h->efr2 = 0;
		return;
	}
	if (efr & AMDVI_EFR_XT)
		h->features |= FEATURES_XT;
	if (efr & AMDVI_EFR_IA)
		h->features |= FEATURES_IA;
	if (efr & AMDVI_EFR_GA)
		h->features |= FEATURES_GA;
}

static void mend(struct ivrs_table *t)
{
	t->checksum = 0;
	t->checksum = (u8)-sum_bytes(t, t->length);
}

void ivrs_show_features(void *table, u64 efr)
{
	struct ivrs_table *t = table;
	struct ivrs_block *b;
	u32 off;

	t->info |= IVRS_EFR_SUP;
	for (off = sizeof(*t); off < t->length; off += b->length) {
		b = (void *)((u8 *)t + off);
		if (b->type == IVHD_10 || b->type == IVHD_11 || b->type == IVHD_40)
			show_unit((void *)b, efr);
	}
	mend(t);
}

void ivrs_hide(void *table)
{
	struct ivrs_table *t = table;

	t->sig[0] = 'X';
	mend(t);
}
