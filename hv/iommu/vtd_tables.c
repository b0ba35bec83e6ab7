// SPDX-License-Identifier: GPL-2.0-only
/*
 * Root and context tables (D51397, 3.4 and 9.1 to 9.4): which device translates by which
 * page tables. All units of a segment use the same ones.
 *
 * A context table is one page: a bus has one, in scalable mode one for each half of its
 * functions. Those whose devices are all domain 0's are one and the same. A bus gets one of
 * its own when the first of its devices is given away, and keeps it.
 */
#include "lib/atomic.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/x86.h"
#include "machine/memmap.h"
#include "machine/paging.h"
#include "vtd_unit.h"

static struct spinlock lock = SPINLOCK_INIT(LOCK_IOMMU_TABLES);	/* guards the tables; u->lock goes inside */
static struct vtd_entry *shared;		/* never changes once made */
static struct vtd_entry domain0;		/* what it is full of */

void vtd_publish(const void *p, u64 len)
{
	if (iommu_caps.noncoherent)
		cache_flush(p, len);
}

/* Translation type 0, or PASIDs and the device's TLB off. False: no memory. */
static bool make_context(hpa_t root, u16 tag, struct vtd_entry *e)
{
	*e = (struct vtd_entry){ 0, 0 };
	if (!root)
		return true;
	e->lo = vtd_scalable ? vtd_pasid_make(root, tag) : root;
	e->hi = vtd_scalable ? 0 : VTD_CONTEXT_AW_48 | (u64)tag << 8;
	if (!e->lo)
		return false;
	e->lo |= VTD_P;
	return true;
}

/* Its PASID tables, unless they are domain 0's. No unit knows the entry. */
static void free_context(const struct vtd_entry *e)
{
	if (vtd_scalable && (e->lo & VTD_P) && e->lo != domain0.lo)
		vtd_pasid_free(e->lo & PAGE_MASK);
}

/* An entry that is not present is cached, in caching mode, with tag 0. */
static u16 tag_of(const struct vtd_entry *e)
{
	if (!(e->lo & VTD_P))
		return 0;
	return vtd_scalable ? vtd_pasid_tag(e->lo & PAGE_MASK) : VTD_CONTEXT_DID(e->hi);
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
	for (bus = 0; bus < VTD_BUSES; bus++) {
		root[bus].lo = virt_to_phys(shared) | VTD_P;
		root[bus].hi = vtd_scalable ? root[bus].lo : 0;
	}
	vtd_publish(root, PAGE_SIZE);
	return root;
}

int vtd_tables_make(hpa_t root)
{
	struct vtd_unit *u;
	u32 i;

	shared = page_alloc();
	if (!shared || !make_context(root, IOMMU_TAG(0), &domain0))
		return -ENOMEM;
	for (i = 0; i < VTD_DEVFNS; i += vtd_width())
		shared[i] = domain0;
	vtd_publish(shared, PAGE_SIZE);
	for_each_vtd(u) {
		u->root = root_table(u);
		if (!u->root)
			return -ENOMEM;
	}
	return 0;
}

/* Of a root table: where it links the context table of @bdf. */
static u64 *link_of(struct vtd_entry *root, u16 bdf)
{
	struct vtd_entry *bus = &root[bdf >> 8];

	return vtd_scalable && (bdf & 0x80) ? &bus->hi : &bus->lo;
}

static struct vtd_entry *entry_in(struct vtd_entry *table, u16 bdf)
{
	return &table[bdf % (VTD_DEVFNS / vtd_width()) * vtd_width()];
}

/* The table that is linked there, one of its own if @own. NULL: no memory for that. */
static struct vtd_entry *context_table(u64 *link, bool own)
{
	struct vtd_entry *table = phys_to_virt(*link & PAGE_MASK);

	if (!own || table != shared)
		return table;
	table = page_alloc();
	if (!table)
		return NULL;
	memcpy(table, shared, PAGE_SIZE);
	vtd_publish(table, PAGE_SIZE);
	WRITE_ONCE(*link, virt_to_phys(table) | VTD_P);
	vtd_publish(link, sizeof(*link));
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
		if (vtd_scalable)
			vtd_invalidate(u, VTD_PC_DOMAIN(tag));
		if (tag)
			vtd_flush_tag(u, tag);
	}
}

static int change(struct vtd_entry *root, u16 bdf, const struct vtd_entry *new, u16 *was)
{
	u64 *link = link_of(root, bdf);
	struct vtd_entry *e = entry_in(context_table(link, false), bdf), old = *e;

	*was = tag_of(&old);
	if (same(&old, new))
		return 0;
	e = context_table(link, true);
	if (!e)
		return -ENOMEM;
	e = entry_in(e, bdf);
	store_128(&e->lo, new->lo, new->hi);
	vtd_publish(e, sizeof(*e));
	forget(root, bdf, *was);
	free_context(&old);
	return 0;
}

static int attach(struct vtd_entry *root, u16 bdf, hpa_t table, u16 tag, u16 *was)
{
	struct vtd_entry new = domain0;
	int err;

	if (tag != IOMMU_TAG(0) && !make_context(table, tag, &new))
		return -ENOMEM;
	err = change(root, bdf, &new, was);
	if (err)
		free_context(&new);
	return err;
}

int vtd_attach(struct pci_id dev, hpa_t table, u16 tag, u16 *was)
{
	struct vtd_entry *root = root_of(dev);
	int err;

	if (!root)
		return -ENODEV;
	if (tag >= iommu_caps.tags)
		return -ENOSPC;
	spin_lock(&lock);
	err = attach(root, dev.bdf, table, tag, was);
	spin_unlock(&lock);
	return err;
}
