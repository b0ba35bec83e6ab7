// SPDX-License-Identifier: GPL-2.0-only
/* Checks and copies entries; the contract is in virt_vtd_irt.h. */
#include "virt_vtd_irt.h"

#include "hv/iommu/dmar.h"
#include "hv/iommu/unit.h"
#include "hv/iommu/vtd.h"
#include "hv/iommu/vtd_regs.h"
#include "lib/string.h"
#include "memory/domain.h"
#include "memory/mmu.h"
#include "virt.h"

#define CHUNK		32u	/* entries that are read at once: never across a page */

static_assert(PAGE_SIZE % (CHUNK * sizeof(struct vtd_entry)) == 0, "in one page");

/* Bits of an entry (9.10) */
#define IRTE_DLM(lo)		((u32)((lo) >> 5) & 7)
#define IRTE_V(lo)		((u8)((lo) >> 16))
#define IRTE_SID(hi)		((u16)(hi))
#define IRTE_SVT(hi)		((hi) >> 18 & 3)
/*
 * Reserved, and bit 15: a posted interrupt's entry has the address of a descriptor
 * that the unit would write to.
 */
#define IRTE_LO_ZERO		0x00000000ff00f000ull
#define IRTE_LO_ZERO_XAPIC	0xffff00ff00000000ull
#define IRTE_HI_ZERO		0xfffffffffff00000ull

/*
 * May the unit have it? What of it is not present is made 0.
 *
 * Source validation only narrows, and an entry without it may be used by every device:
 * whom it interrupts is domain 0 all the same, and which of its devices may do so is
 * its own affair.
 */
static bool allowed(const struct virt_vtd_irt *t, struct vtd_entry *e)
{
	if (!(e->lo & VTD_P)) {
		*e = (struct vtd_entry){ 0 };
		return true;
	}
	if ((e->lo & IRTE_LO_ZERO) || (e->hi & IRTE_HI_ZERO) || IRTE_SVT(e->hi) == 3 ||
	    !virt_intr_allowed(IRTE_DLM(e->lo), IRTE_V(e->lo)))
		return false;
	return t->eim || !(e->lo & IRTE_LO_ZERO_XAPIC);
}

static void refuse(u32 unit, u32 index, const struct vtd_entry *e)
{
	struct iommu_fault f = {
		.dev = { iommu_dmar.unit[unit].segment, IRTE_SID(e->hi) },
		.addr = index,
		.interrupt = true,
		.what = "domain 0 may not have this entry",
		.code = (u32)e->lo,
	};

	iommu_fault(&f);
}

/* Up to CHUNK of the table; what cannot be read is 0. */
static void read_entries(const struct virt_vtd_irt *t, u32 first, u32 n, struct vtd_entry *e)
{
	u32 have = first < t->entries ? min(n, t->entries - first) : 0;

	memset(e, 0, n * sizeof(*e));
	if (have && guest_read(&dom0, t->base + first * sizeof(*e), e, have * sizeof(*e)))
		memset(e, 0, n * sizeof(*e));
}

void virt_vtd_copy(const struct virt_vtd_irt *t, u32 unit, u32 first, u32 n)
{
	struct vtd_entry e[CHUNK];
	u32 i, part;

	for (; n; first += part, n -= part) {
		part = min(n, CHUNK - first % CHUNK);
		read_entries(t, first, part, e);
		for (i = 0; i < part; i++) {
			if (!allowed(t, &e[i])) {
				refuse(unit, first + i, &e[i]);
				e[i] = (struct vtd_entry){ 0 };
			}
			vtd_irte_set(unit, first + i, e[i].lo, e[i].hi);
		}
	}
}
