// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices' interrupt remapping tables: domain 0's, in its memory, checked and copied into
 * the real ones at the same indexes. The contract is in virt_amdvi.h.
 */
#include "virt_amdvi.h"

#include "hv/iommu/amdvi.h"
#include "hv/iommu/amdvi_regs.h"
#include "hv/iommu/ivrs.h"
#include "hv/iommu/unit.h"
#include "lib/string.h"
#include "machine/spinlock.h"
#include "memory/domain.h"
#include "memory/mmu.h"
#include "virt.h"

#define INT_CTL			(3ull << 60)
/* What counts of a device table entry: its third word, without what lets others pass */
#define DTE_KEPT		(AMDVI_DTE_IV | AMDVI_DTE_INT_ORDER(15) | AMDVI_DTE_INT_ROOT | \
				 INT_CTL)

#define DTE_TRANSLATES		(AMDVI_DTE_V | AMDVI_DTE_TV)
#define DTE_MODE		(7ull << 9)

/* Remapping entry (48882, ch. 2.2.8). The low word is the same in both forms up to bit 15. */
#define IRTE_EN			BIT(0)		/* RemapEn */
#define IRTE_TYPE(lo)		((u32)((lo) >> 2) & 7)
#define IRTE_COMMON		0xffffull	/* to the low byte of the destination */
#define IRTE_VECTOR_32		16		/* the form of 32 bits: the vector's place */
#define IRTE_RESERVED_32	0xff000000u
/* Not to be set: RqEoi, GuestMode, and all that only has a meaning with that. */
#define IRTE_REFUSED		(BIT(5) | BIT(7) | 0xffffffffull << 32)
#define IRTE_REFUSED_HI		0x00ffffffffffff00ull
/* Bits 31 to 8 of the destination, without XTEn */
#define IRTE_DEST		0xffff0000ull
#define IRTE_DEST_HI		0xff00000000000000ull

#define ENTRIES_MAX		(1u << AMDVI_IRTE_ORDER_MAX)

/* So many devices have tables at a time: 4 MiB of the pool at most. */
#define TABLES			512

struct irt {
	struct pci_id dev;
	u32 unit;		/* whose buffer the last word of it was in */
	u64 dte;		/* DTE_KEPT of it; 0: free */
};

struct irte {
	u64 lo, hi;
};

static struct spinlock lock = SPINLOCK_INIT(LOCK_VIRT_IRT);	/* guards what follows; dom0.lock is inner */
static struct irt tables[TABLES];
static union {
	struct irte wide[ENTRIES_MAX];
	u32 narrow[ENTRIES_MAX];
} copy;				/* of domain 0's table in hand */

static void tell(struct pci_id dev, u32 index, const char *what, u32 code)
{
	const struct iommu_fault f = {
		.dev = dev, .addr = index, .interrupt = true, .what = what, .code = code,
	};

	iommu_fault(&f);
}

/* ---- entries ---- */

/* Entry @i of the copy in the wide form; one that is reserved there if it was here. */
static struct irte entry(const struct virt_amdvi *a, u32 i)
{
	u32 e;

	if (a->wide)
		return copy.wide[i];
	e = copy.narrow[i];
	return (struct irte){
		.lo = (e & IRTE_COMMON) | (u64)(e & IRTE_RESERVED_32) << 32,
		.hi = e >> IRTE_VECTOR_32 & 0xff,
	};
}

static bool allowed(const struct virt_amdvi *a, const struct irte *e)
{
	if ((e->lo & IRTE_REFUSED) || (e->hi & IRTE_REFUSED_HI))
		return false;
	if (!a->x2apic && ((e->lo & IRTE_DEST) || (e->hi & IRTE_DEST_HI)))
		return false;
	return virt_intr_allowed(IRTE_TYPE(e->lo), (u8)e->hi);
}

/* The 32-bit form, for real tables that have it and for the log. */
static u32 narrow(const struct irte *e)
{
	return (e->lo & IRTE_COMMON) | (u32)(u8)e->hi << IRTE_VECTOR_32;
}

/* Linux makes an entry valid, with vector 0, before it has a vector for it. */
static void set_entry(const struct virt_amdvi *a, struct pci_id dev, u32 i)
{
	struct irte e = entry(a, i);

	if (!(e.lo & IRTE_EN) || !(u8)e.hi) {
		e = (struct irte){ 0 };
	} else if (!allowed(a, &e)) {
		tell(dev, i, "domain 0 may not have that", narrow(&e));
		e = (struct irte){ 0 };
	} else if (!amdvi_irte_wide()) {
		e = (struct irte){ .lo = narrow(&e) };
	}
	amdvi_irte_set(dev, i, e.lo, e.hi);
}

static void copy_table(const struct virt_amdvi *a, const struct irt *t)
{
	u32 i, nr = 1u << AMDVI_DTE_INT_LEN(t->dte);
	u32 len = nr * (a->wide ? sizeof(copy.wide[0]) : sizeof(copy.narrow[0]));

	if (guest_read(&dom0, t->dte & AMDVI_DTE_INT_ROOT, &copy, len)) {
		tell(t->dev, 0, "domain 0's table is not in its memory", 0);
		memset(&copy, 0, len);
	}
	for (i = 0; i < nr; i++)
		set_entry(a, t->dev, i);
	amdvi_irt_flush(t->dev);
}

/* ---- devices ---- */

static struct pci_id device(const struct virt_amdvi *a, u16 bdf)
{
	return (struct pci_id){ iommu_ivrs.unit[a->unit].id.segment, bdf };
}

static struct irt *find(struct pci_id dev)
{
	struct irt *t;

	for (t = tables; t < tables + TABLES; t++)
		if (t->dte && t->dev.bdf == dev.bdf && t->dev.segment == dev.segment)
			return t;
	return NULL;
}

static struct irt *find_free(void)
{
	struct irt *t;

	for (t = tables; t < tables + TABLES; t++)
		if (!t->dte)
			return t;
	return NULL;
}

/*
 * What domain 0's device table entry says of interrupts; 0: they are blocked. What it says of
 * DMA has no effect: a driver that thinks otherwise gives devices addresses that nobody knows.
 */
static u64 read_dte(const struct virt_amdvi *a, u16 bdf)
{
	gpa_t at = a->dev_table + bdf * sizeof(struct amdvi_dte);
	u64 q[3], dte;

	if (bdf >= a->dev_entries || guest_read(&dom0, at, q, sizeof(q)))
		return 0;
	if ((q[0] & DTE_TRANSLATES) == DTE_TRANSLATES && (q[0] & DTE_MODE))
		iommu_note(device(a, bdf), "domain 0 has I/O page tables for it: no effect");
	dte = q[2] & DTE_KEPT;
	return (dte & AMDVI_DTE_IV) && (dte & INT_CTL) == AMDVI_DTE_INT_REMAP ? dte : 0;
}

/* A new real table for the device, whose old one, if it has one, is @t. NULL: it has none. */
static struct irt *make(const struct virt_amdvi *a, struct pci_id dev, struct irt *t, u64 dte)
{
	const struct ivrs_devs *known = ivrs_find(&iommu_ivrs, dev);
	struct irt *slot = t ? t : find_free();
	const char *why = NULL;

	if (!known || !(known->units & BIT(a->unit)))
		why = "the device is not behind the unit";
	else if (AMDVI_DTE_INT_LEN(dte) > AMDVI_IRTE_ORDER_MAX)
		why = "domain 0's table is too long";
	else if (!slot || amdvi_irt_make(dev, AMDVI_DTE_INT_LEN(dte)))
		why = "there is no table for it";
	if (why) {
		tell(dev, 0, why, AMDVI_DTE_INT_LEN(dte));
		return NULL;
	}
	slot->dev = dev;
	return slot;
}

static void update(const struct virt_amdvi *a, u16 bdf)
{
	struct pci_id dev = device(a, bdf);
	struct irt *old = find(dev), *t = old;
	u64 dte = read_dte(a, bdf);

	if (!dte)
		t = NULL;
	else if (!t || AMDVI_DTE_INT_LEN(t->dte) != AMDVI_DTE_INT_LEN(dte))
		t = make(a, dev, t, dte);
	if (t) {
		t->dte = dte;
		t->unit = a->unit;
		copy_table(a, t);
	} else if (old) {
		old->dte = 0;
		amdvi_irt_drop(dev);
	}
}

/* ---- commands ---- */

void virt_irt_device(const struct virt_amdvi *a, u16 bdf)
{
	spin_lock(&lock);
	update(a, bdf);
	spin_unlock(&lock);
}

/* The next table from *at on: a copy of that at @root, or (0) one of the unit. */
static struct irt *next(const struct virt_amdvi *a, u64 root, u32 *at)
{
	struct irt *t;

	while (*at < TABLES) {
		t = &tables[(*at)++];
		if (t->dte && (root ? (t->dte & AMDVI_DTE_INT_ROOT) == root : t->unit == a->unit))
			return t;
	}
	return NULL;
}

bool virt_irt_table(const struct virt_amdvi *a, u16 bdf, u32 *at)
{
	struct irt *t;

	spin_lock(&lock);
	t = find(device(a, bdf));
	if (t)
		t = next(a, t->dte & AMDVI_DTE_INT_ROOT, at);
	if (t)
		copy_table(a, t);
	spin_unlock(&lock);
	return !t;
}

bool virt_irt_all(const struct virt_amdvi *a, u32 *at)
{
	struct irt *t;

	spin_lock(&lock);
	t = next(a, 0, at);
	if (t)
		update(a, t->dev.bdf);
	spin_unlock(&lock);
	return !t;
}
