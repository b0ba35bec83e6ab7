// SPDX-License-Identifier: GPL-2.0-only
/*
 * Domain 0's address space: guest-physical = physical, in the largest leaves.
 *
 *   RAM that domain 0 owns	write-back
 *   all else up to the limit	device (what the memory map calls reserved or
 *				ACPI is in here as well): write-back where
 *				the MTRRs say so, otherwise uncached, which
 *				leaves write-combining to domain 0's PAT
 *   Bedplate's frames, protected MMIO, donated frames	absent
 *
 * RAM and devices differ in an attribute and so never share a large leaf;
 * the table is at every moment what building it anew would give, but for
 * tables left behind where something is donated, and an absent frame's own.
 *
 * Its devices have a table of their own, where the machine has IOMMUs: RAM that domain 0
 * owns, and what firmware reserves for devices; no device reaches another by it. Both
 * tables change together, under dom0.lock.
 */
#include "frames.h"
#include "hv/iommu/iommu.h"
#include "lib/errno.h"
#include "lib/x86_regs.h"
#include "machine/lapic.h"
#include "machine/log.h"
#include "machine/mtrr.h"
#include "machine/panic.h"
#include "mmu_priv.h"

#define ATTR_RAM	(NPT_WRITE | NPT_EXEC | NPT_MT(NPT_MT_WB))
#define ATTR_DEVICE	(NPT_WRITE | NPT_EXEC | NPT_DEVICE | NPT_MT(NPT_MT_UC))
#define ATTR_FIRMWARE	(NPT_WRITE | NPT_EXEC | NPT_DEVICE | NPT_MT(NPT_MT_WB))
#define ATTR_NONE	0
#define ATTR_DMA	NPT_WRITE

static struct npt_root io_root;

hpa_t dom0_io_root(void)
{
	return io_root.table;
}

static void io_npt(struct npt *t, struct npt_gather *g)
{
	mmu_npt_io(t, &dom0, &io_root, g);
	t->identity = true;
	t->part = NULL;
}

/* Boot's only; dom0_build_npt() fills it. */
static struct mtrr_state mtrrs;

/* frame_mmio_protected(), which looks through a list, not for each frame anew. Boot's only. */
static struct {
	u64 from, end;
	bool is;
} protection;

static bool is_protected(u64 pfn, u64 *end)
{
	if (pfn < protection.from || pfn >= protection.end) {
		protection.is = frame_mmio_protected(pfn, &protection.end);
		protection.from = pfn;
	}
	*end = protection.end;
	return protection.is;
}

/* mtrr_run(), kept likewise. */
static struct {
	u64 from, end;
	bool wb;
} caching;

static bool is_wb(u64 pfn, u64 *end)
{
	hpa_t until;

	if (pfn < caching.from || pfn >= caching.end) {
		caching.wb = mtrr_run(&mtrrs, pfn << PAGE_SHIFT, &until) == MEMTYPE_WB;
		caching.from = pfn;
		caching.end = until >> PAGE_SHIFT;
	}
	*end = min(*end, caching.end);
	return caching.wb;
}

/* How domain 0 sees frame @pfn; *end = no other answer before this one. */
static u32 attr_of(u64 pfn, u64 *end)
{
	u32 owner = frame_owner(pfn);

	if (is_protected(pfn, end))
		return ATTR_NONE;
	if (pfn < frames_top())
		*end = min(*end, frames_alike(pfn));
	if (owner == BP_OWNER_NONE)
		return is_wb(pfn, end) ? ATTR_FIRMWARE : ATTR_DEVICE;
	return owner == BP_OWNER_DOM0 ? ATTR_RAM : ATTR_NONE;
}

/* The longest run of frames from @pfn on that domain 0 sees alike. */
static u64 run_end(u64 pfn, u64 limit, u32 *attr)
{
	u64 end;

	*attr = attr_of(pfn, &end);
	while (end < limit) {
		u64 next;

		if (attr_of(end, &next) != *attr)
			break;
		end = next;
	}
	return min(end, limit);
}

/* Firmware's word that devices need [r->start, r->end): never for what is Bedplate's. */
static int map_reserved(struct npt *t, const struct iommu_region *r)
{
	u64 pfn, known, end = r->end >> PAGE_SHIFT, ours = 0;
	struct npt_leaf leaf;
	int err = 0;

	for (pfn = r->start >> PAGE_SHIFT; pfn < end && !err; pfn++) {
		if (npt_lookup(t, pfn, &leaf) == NPT_MAPPED)
			continue;
		if (frame_owner(pfn) != BP_OWNER_NONE || frame_mmio_protected(pfn, &known))
			ours++;
		else
			err = npt_map(t, pfn, pfn, 0, ATTR_DMA, NULL);
	}
	if (ours)
		log_err("IOMMU: of 0x%llx to 0x%llx, which firmware reserves for devices, %llu pages "
			"are Bedplate's: no device reaches them", r->start, r->end, ours);
	return err;
}

int dom0_build_io(void)
{
	const struct iommu_region *r;
	u64 pfn, end;
	struct npt_gather g;
	struct npt t;
	u32 attr, i;
	int err;

	spin_lock(&dom0.lock);
	io_root = (struct npt_root){ 0 };
	io_npt(&t, &g);
	err = npt_init(&t);
	for (pfn = 0; pfn < frames_top() && !err; pfn = end) {
		end = run_end(pfn, frames_top(), &attr);
		if (attr == ATTR_RAM)
			err = npt_map_range(&t, pfn, pfn, end - pfn, ATTR_DMA);
	}
	for (i = 0; (r = iommu_reserved(i)) != NULL && !err; i++)
		err = map_reserved(&t, r);
	spin_unlock(&dom0.lock);
	log_debug("domain 0's devices: %llu MiB mapped, %llu tables", npt_mapped(&io_root) >> 8,
		  io_root.tables);
	return err;
}

int dom0_build_npt(void)
{
	u64 pfn, end, limit = mmu_dom0_limit();
	struct npt_gather g;
	struct npt t;
	u32 attr;
	int err;

	err = frame_mmio_protect(LAPIC_BASE, PAGE_SIZE);
	if (err)
		return err;
	mtrr_read(&mtrrs);
	protection.end = caching.end = 0;
	spin_lock(&dom0.lock);
	mmu_npt(&t, &dom0, &g);
	err = npt_init(&t);
	for (pfn = 0; pfn < limit && !err; pfn = end) {
		end = run_end(pfn, limit, &attr);
		if (attr != ATTR_NONE)
			err = npt_map_range(&t, pfn, pfn, end - pfn, attr);
	}
	mmu_gather_finish(&t, &dom0);
	spin_unlock(&dom0.lock);
	log_debug("domain 0: %llu MiB mapped, %llu tables", npt_mapped(&dom0.npt) >> 8,
		  dom0.npt.tables);
	return err;
}

/* Map RAM again where a table is waiting for it: cannot fail. */
static void put_back(struct npt *t, const u64 *pfn, u32 n, u32 attr)
{
	u32 i;
	int err;

	for (i = 0; i < n; i++) {
		err = npt_map(t, pfn[i], pfn[i], 0, attr, NULL);
		ASSERT(!err);
	}
	for (i = 0; i < n; i++) {
		/* Neighbours in the list share the attempt. */
		if (i + 1 < n && pfn[i] >> 9 == pfn[i + 1] >> 9)
			continue;
		if (!npt_gather_room(t->gather))
			mmu_gather_finish(t, &dom0);
		npt_collapse(t, pfn[i]);
	}
	mmu_gather_finish(t, &dom0);
}

static int take(struct npt *t, const u64 *pfn, u32 n, u32 attr)
{
	int err = 0;
	u64 done;
	u32 i;

	for (i = 0; i < n && !err; i++)
		err = npt_unmap(t, pfn[i], 1, &done);
	mmu_gather_finish(t, &dom0);
	if (err) {
		put_back(t, pfn, i - 1, attr);
		/* The one that failed may have been split by half. */
		npt_collapse(t, pfn[i - 1]);
		mmu_gather_finish(t, &dom0);
	}
	return err;
}

int mmu_dom0_take(const u64 *pfn, u32 n)
{
	struct npt_gather g;
	struct npt t;
	int err;

	mmu_npt(&t, &dom0, &g);
	err = take(&t, pfn, n, ATTR_RAM);
	if (err || !io_root.table)
		return err;
	io_npt(&t, &g);
	err = take(&t, pfn, n, ATTR_DMA);
	if (err) {
		mmu_npt(&t, &dom0, &g);
		put_back(&t, pfn, n, ATTR_RAM);
	}
	return err;
}

void mmu_dom0_give(const u64 *pfn, u32 n)
{
	struct npt_gather g;
	struct npt t;

	mmu_npt(&t, &dom0, &g);
	put_back(&t, pfn, n, ATTR_RAM);
	if (io_root.table) {
		io_npt(&t, &g);
		put_back(&t, pfn, n, ATTR_DMA);
	}
}
