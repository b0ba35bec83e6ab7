// SPDX-License-Identifier: GPL-2.0-only
/*
 * Scalable mode's PASID directory and table (D51397, 3.4.3, 9.5 and 9.6), a page each. Both
 * have their first entry only: what requests without a PASID use. Others are barred by the
 * context entry.
 */
#include "machine/memmap.h"
#include "machine/paging.h"
#include "vtd_unit.h"

/* So many devices are given away at a time: 4 MiB of the pool at most. */
#define PAIRS_MAX	512u
static u32 pairs;

static struct vtd_pasid_entry *table_of(const u64 *dir)
{
	return phys_to_virt(*dir & PAGE_MASK);
}

static void fill(struct vtd_pasid_entry *e, hpa_t root, u16 tag)
{
	e->q[1] = tag;
	if (!iommu_caps.noncoherent)
		e->q[1] |= VTD_PASID_PWSNP;
	if (iommu_caps.snoops)
		e->q[1] |= VTD_PASID_PGSNP;
	e->q[0] = root | VTD_PASID_SECOND_STAGE | VTD_PASID_AW_48 | VTD_P;
}

hpa_t vtd_pasid_make(hpa_t root, u16 tag)
{
	struct vtd_pasid_entry *table = pairs < PAIRS_MAX ? page_alloc() : NULL;
	u64 *dir = table ? page_alloc() : NULL;

	if (!dir) {
		if (table)
			page_free(table);
		return 0;
	}
	pairs++;
	fill(table, root, tag);
	*dir = virt_to_phys(table) | VTD_P;
	vtd_publish(table, PAGE_SIZE);
	vtd_publish(dir, PAGE_SIZE);
	return virt_to_phys(dir);
}

u16 vtd_pasid_tag(hpa_t dir)
{
	return VTD_PASID_DID(table_of(phys_to_virt(dir))->q[1]);
}

void vtd_pasid_free(hpa_t dir)
{
	u64 *d = phys_to_virt(dir);

	page_free(table_of(d));
	page_free(d);
	pairs--;
}
