// SPDX-License-Identifier: GPL-2.0-only
/* Device tables of AMD IOMMUs: one for each PCI segment, for all its units (48882, 2.2.2). */
#include "amdvi_unit.h"
#include "lib/atomic.h"
#include "lib/errno.h"
#include "machine/memmap.h"

static struct spinlock lock = SPINLOCK_INIT(LOCK_IOMMU_TABLES);	/* guards the first halves of all entries */

/*
 * The half of an entry that is about DMA. Mode 0 without IR and IW is the architecture's
 * word for nothing at all; V and TV 0 would let everything pass.
 */
static void translation(u64 half[2], hpa_t root, u16 tag, u8 settings)
{
	half[0] = AMDVI_DTE_V | AMDVI_DTE_TV;
	half[1] = 0;
	if (!root)
		return;
	half[0] |= AMDVI_DTE_4_LEVELS | root | AMDVI_DTE_IR | AMDVI_DTE_IW;
	half[1] = tag;
	/* Messages that stop clocks and the like: of chips that firmware names, for domain 0. */
	if (tag == IOMMU_TAG(0))
		half[1] |= AMDVI_DTE_SYSMGT(IVRS_DTE_SYSMGT(settings));
}

static struct amdvi_dte *table_of(u16 segment)
{
	struct amdvi_unit *u;

	for_each_amdvi(u)
		if (amdvi_desc(u)->id.segment == segment && u->table)
			return u->table;
	return NULL;
}

static void fill(struct amdvi_dte *table, hpa_t root, bool remap)
{
	u32 i;

	for (i = 0; i <= 0xffff; i++) {
		translation(table[i].q, root, IOMMU_TAG(0), 0);
		table[i].q[2] = remap ? AMDVI_DTE_IV : 0;
		table[i].q[3] = 0;
	}
}

static void apply_settings(hpa_t root)
{
	const struct ivrs_devs *d;
	u32 i;

	for (d = iommu_ivrs.devs; d < iommu_ivrs.devs + iommu_ivrs.nr_devs; d++)
		for (i = d->first; i <= d->last; i++)
			translation(table_of(d->segment)[i].q, root, IOMMU_TAG(0), d->dte);
}

int amdvi_tables_make(hpa_t root, bool remap)
{
	struct amdvi_unit *u;

	for_each_amdvi(u) {
		u->table = table_of(amdvi_desc(u)->id.segment);
		if (u->table)
			continue;
		u->table = pages_alloc(AMDVI_DEV_TABLE_SIZE + 1);
		if (!u->table)
			return -ENOMEM;
		fill(u->table, root, remap);
	}
	apply_settings(root);
	return 0;
}

struct amdvi_dte *amdvi_dte(struct pci_id dev)
{
	const struct ivrs_unit *i;

	if (!ivrs_find(&iommu_ivrs, dev))
		return NULL;
	for (i = iommu_ivrs.unit; i < iommu_ivrs.unit + iommu_ivrs.nr_units; i++)
		if (i->id.segment == dev.segment && i->id.bdf == dev.bdf)
			return NULL;
	return &table_of(dev.segment)[dev.bdf];
}

/* What a device is to have. */
struct target {
	struct amdvi_dte *table;
	hpa_t root;
	u16 tag;
};

static void set(const struct target *t, u32 id, u8 settings)
{
	u64 half[2];

	translation(half, t->root, t->tag, settings);
	store_128(t->table[id].q, half[0], half[1]);
	amdvi_tell(AMDVI_INV_DEVTAB_ENTRY | id, 0);
}

/* Those whose requests come as @alias: to the units they are one device. */
static void set_sharers(const struct target *t, struct pci_id alias)
{
	const struct ivrs_devs *d;
	u32 i;

	for (d = iommu_ivrs.devs; d < iommu_ivrs.devs + iommu_ivrs.nr_devs; d++)
		if (d->segment == alias.segment && d->aliased && d->alias == alias.bdf)
			for (i = d->first; i <= d->last; i++)
				set(t, i, d->dte);
}

int amdvi_attach(struct pci_id dev, hpa_t root, u16 tag, u16 *was)
{
	const struct ivrs_devs *d = ivrs_find(&iommu_ivrs, dev);
	struct target t = { .root = root, .tag = tag };

	if (!amdvi_dte(dev))
		return -ENODEV;
	t.table = table_of(dev.segment);
	if (d->aliased) {
		dev.bdf = d->alias;
		d = ivrs_find(&iommu_ivrs, dev);
		/* A chain: the alias goes with its own, so whose entry it has can change unseen. */
		if (d->aliased && d->alias != dev.bdf)
			return -ENODEV;
	}
	spin_lock(&lock);
	*was = t.table[dev.bdf].q[1] & AMDVI_DTE_DOMAIN;
	set(&t, dev.bdf, d->dte);
	set_sharers(&t, dev);
	amdvi_tell(AMDVI_INV_IOMMU_PAGES | AMDVI_PAGES_DOMAIN(*was), AMDVI_PAGES_ALL);
	amdvi_settle();
	spin_unlock(&lock);
	return 0;
}
