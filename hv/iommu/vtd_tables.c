// SPDX-License-Identifier: GPL-2.0-only
/*
 * Root and context tables in legacy mode (D51397, 3.4 and 9.1 to 9.3): which device
 * translates by which page tables. All units of a segment use the same ones.
 *
 * Buses whose devices are all domain 0's share one context table. A bus gets one of its
 * own when the first of its devices is given away, and keeps it.
 */
#include "lib/atomic.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/x86.h"
#include "machine/memmap.h"
#include "machine/paging.h"
#include "vtd_unit.h"

static struct spinlock lock = SPINLOCK_INIT;	/* guards the tables; u->lock goes inside */
static struct vtd_entry *shared;		/* never changes once made */

void vtd_publish(const void *p, u64 len)
{
	if (iommu_caps.noncoherent)
		cache_flush(p, len);
}

/* Translation type 0: no ATS, no PASIDs. */
static struct vtd_entry context(hpa_t root, u16 tag)
{
	if (!root)
		return (struct vtd_entry){ 0, 0 };
	return (struct vtd_entry){ root | VTD_P, VTD_CONTEXT_AW_48 | (u64)tag << 8 };
}

static bool same(const struct vtd_entry *a, const struct vtd_entry *b)
{
	return a->lo == b->lo && a->hi == b->hi;
}

/* Of a unit that has the same segment, or new. */
static struct vtd_entry *root_table(const struct vtd_unit *unit)
{
	const struct vtd_unit *u;
	struct vtd_entry *root;
	u32 bus;

	for (u = vtd_units; u < unit; u++)
		if (vtd_segment(u) == vtd_segment(unit))
			return u->root;
	root = page_alloc();
	if (!root)
		return NULL;
	for (bus = 0; bus < VTD_BUSES; bus++)
		root[bus].lo = virt_to_phys(shared) | VTD_P;
	vtd_publish(root, PAGE_SIZE);
	return root;
}

int vtd_tables_make(hpa_t root)
{
	struct vtd_unit *u;
	u32 i;

	shared = page_alloc();
	if (!shared)
		return -ENOMEM;
	for (i = 0; i < VTD_DEVFNS; i++)
		shared[i] = context(root, IOMMU_TAG(0));
	vtd_publish(shared, PAGE_SIZE);
	for_each_vtd(u) {
		u->root = root_table(u);
		if (!u->root)
			return -ENOMEM;
	}
	return 0;
}

/* The bus's table, one of its own if @own. NULL: no memory for that. */
static struct vtd_entry *context_table(struct vtd_entry *root, bool own)
{
	struct vtd_entry *table = phys_to_virt(root->lo & PAGE_MASK);

	if (!own || table != shared)
		return table;
	table = page_alloc();
	if (!table)
		return NULL;
	memcpy(table, shared, PAGE_SIZE);
	vtd_publish(table, PAGE_SIZE);
	WRITE_ONCE(root->lo, virt_to_phys(table) | VTD_P);
	vtd_publish(root, sizeof(*root));
	return table;
}

/*
 * May @dev be behind @u: by its own scope, as one of the rest, or behind a bridge?  Which
 * buses are behind that is domain 0's to say, at any time.
 */
static bool behind(const struct vtd_unit *u, struct pci_id dev)
{
	const struct dmar_unit *unit = &iommu_dmar.unit[vtd_index(u)];
	const struct dmar_scope *s = &iommu_dmar.scope[unit->dev.first];
	u32 i;

	if (unit->segment != dev.segment)
		return false;
	for (i = 0; i < unit->dev.nr; i++, s++)
		if (s->type == DMAR_BRIDGE || s->depth > 1 ||
		    (s->type == DMAR_ENDPOINT && PCI_BDF(s->bus, s->path[0]) == dev.bdf))
			return true;
	return unit->rest;
}

static struct vtd_entry *root_of(struct pci_id dev)
{
	struct vtd_unit *u;

	for_each_vtd(u)
		if (behind(u, dev))
			return u->root;
	return NULL;
}

/* Which of a segment's units a device is behind, only bridges could tell: so all are told. */
static void forget(const struct vtd_entry *root, u16 sid, u16 tag)
{
	struct vtd_unit *u;

	for_each_vtd(u) {
		if (u->root != root)
			continue;
		vtd_invalidate(u, VTD_CC_DEVICE(tag, sid));
		if (tag)
			vtd_flush_tag(u, tag);
	}
}

/* An entry that is not present is cached, in caching mode, with tag 0. */
static int change(struct vtd_entry *root, u16 bdf, const struct vtd_entry *new, u16 *was)
{
	struct vtd_entry *e = context_table(&root[bdf >> 8], false) + (bdf & 0xff);

	*was = e->lo & VTD_P ? VTD_CONTEXT_DID(e->hi) : 0;
	if (same(e, new))
		return 0;
	e = context_table(&root[bdf >> 8], true);
	if (!e)
		return -ENOMEM;
	e += bdf & 0xff;
	store_128(&e->lo, new->lo, new->hi);
	vtd_publish(e, sizeof(*e));
	forget(root, bdf, *was);
	return 0;
}

int vtd_attach(struct pci_id dev, hpa_t table, u16 tag, u16 *was)
{
	struct vtd_entry *root = root_of(dev), new = context(table, tag);
	int err;

	if (!root)
		return -ENODEV;
	if (tag >= iommu_caps.tags)
		return -ENOSPC;
	spin_lock(&lock);
	err = change(root, dev.bdf, &new, was);
	spin_unlock(&lock);
	return err;
}
