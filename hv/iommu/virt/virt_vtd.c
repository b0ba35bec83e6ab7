// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VT-d that remaps interrupts and translates nothing (VT-d specification, D51397,
 * ch. 6.5 and 11.4): registers, and the queue. Commands are done when the write that
 * gives them is over. It reports no faults, as Bedplate logs those of the hardware, and
 * sends no interrupts: what software stores for them is kept.
 */
#include "hv/iommu/dmar.h"
#include "hv/iommu/vtd.h"
#include "hv/iommu/vtd_regs.h"
#include "machine/memmap.h"
#include "machine/panic.h"
#include "memory/domain.h"
#include "memory/mmu.h"
#include "virt.h"
#include "virt_vtd_irt.h"

/* Registers that the driver has no use for; those that are nowhere here read 0. */
#define VTD_ICS			0x09c
#define VTD_IECTL		0x0a0
#define VTD_IEDATA		0x0a4
#define VTD_IEADDR		0x0a8
#define VTD_IEUADDR		0x0ac
#define REGS_END		0x0c0

/* One fault record and the IOTLB's two registers: on the page, and 0. */
#define CAP_FAULTS		(0x220ull / 16 << 24)
#define ECAP_IOTLB		(0x230ull / 16 << 8)

#define VTD_ICS_IWC		BIT(0)
#define VTD_IQA_QS		7u		/* 2^(8 + QS) descriptors of 16 bytes */

/* Descriptors (6.5.2) */
#define DESC_TYPE(lo)		((lo) & 15)
#define DESC_CONTEXT		1
#define DESC_IOTLB		2
#define DESC_DEVICE_TLB		3
#define DESC_IEC		4
#define DESC_WAIT		5
#define IEC_INDEX		BIT(4)		/* else global */
#define IEC_IM(lo)		((u32)((lo) >> 27) & 31)
#define IEC_IIDX(lo)		((u32)((lo) >> 32) & 0xffff)
#define IEC_ZERO		0xffff000007ffffe0ull
#define WAIT_IF			BIT(4)
#define WAIT_SW			BIT(5)
#define WAIT_DATA(lo)		((u32)((lo) >> 32))
#define WAIT_ZERO		0xffffff80ull

/* What a write may do, in entries that are copied; other things by what they take. */
#define PIECE			1024u
#define COST_DESC		8u
#define COST_FLUSH		128u

/* What software can write; commands and bits that it clears are apart. */
static const u32 writable[REGS_END / 4] = {
	[VTD_FECTL / 4] = VTD_FECTL_IM,
	[VTD_FEDATA / 4] = ~0u,
	[VTD_FEADDR / 4] = ~3u,
	[VTD_FEUADDR / 4] = ~0u,
	[VTD_IQT / 4] = 0x7fff0,
	[VTD_IQA / 4] = 0xfffff000 | VTD_IQA_QS,
	[VTD_IQA / 4 + 1] = ~0u,
	[VTD_IECTL / 4] = VTD_FECTL_IM,
	[VTD_IEDATA / 4] = ~0u,
	[VTD_IEADDR / 4] = ~3u,
	[VTD_IEUADDR / 4] = ~0u,
	[VTD_IRTA / 4] = 0xfffff000 | VTD_IRTA_EIME | VTD_IRTA_S_MAX,
	[VTD_IRTA / 4 + 1] = ~0u,
};

/* A page each, from boot on; guarded by the unit's lock. */
struct virt_vtd {
	u32 reg[REGS_END / 4];
	struct virt_vtd_irt irt;
	u32 copied;		/* entries of what the descriptor at the queue's head names */
	u64 copying;		/* that descriptor's lower half; domain 0 may put another there */
};
static struct virt_vtd *state[DMAR_MAX_UNITS];

static u64 reg64(const struct virt_vtd *s, u32 off)
{
	return s->reg[off / 4] | (u64)s->reg[off / 4 + 1] << 32;
}

/* ---- the queue ---- */

/*
 * A piece of it, with *cost below PIECE: after the last, s->copied is 0. False: the
 * descriptor is wrong.
 */
static bool invalidate_entries(struct virt_vtd *s, u32 unit, const struct vtd_entry *d, u32 *cost)
{
	bool global = !(d->lo & IEC_INDEX);
	u32 order = global ? 16 : IEC_IM(d->lo), n, first, part;

	if ((d->lo & IEC_ZERO) || d->hi ||
	    (!global && order > VTD_ECAP_MHMV(reg64(s, VTD_ECAP))))
		return false;
	n = 1u << order;
	first = global ? 0 : IEC_IIDX(d->lo) & ~(n - 1);
	if (d->lo != s->copying)
		s->copied = 0;
	s->copying = d->lo;
	part = min(n - s->copied, PIECE - *cost);
	virt_vtd_copy(&s->irt, unit, first + s->copied, part);
	s->copied += part;
	*cost += part;
	if (s->copied < n)
		return true;
	vtd_irte_flush(unit, first, order);
	s->copied = 0;
	*cost += COST_FLUSH;
	return true;
}

/* All that came before is done. Who polls IWC sees it; there is no interrupt. */
static bool wait(struct virt_vtd *s, const struct vtd_entry *d)
{
	u32 data = WAIT_DATA(d->lo);

	if ((d->lo & WAIT_ZERO) || (d->hi & 3))
		return false;
	if ((d->lo & WAIT_SW) && guest_write(&dom0, d->hi, &data, sizeof(data)))
		return false;
	if (d->lo & WAIT_IF)
		s->reg[VTD_ICS / 4] |= VTD_ICS_IWC;
	return true;
}

/* False: it is none, or cannot be done. */
static bool execute(struct virt_vtd *s, u32 unit, const struct vtd_entry *d, u32 *cost)
{
	if (DESC_TYPE(d->lo) == DESC_IEC)
		return invalidate_entries(s, unit, d, cost);
	s->copied = 0;
	switch (DESC_TYPE(d->lo)) {
	case DESC_CONTEXT:
	case DESC_IOTLB:
	case DESC_DEVICE_TLB:
		return true;	/* of translations there are none */
	case DESC_WAIT:
		return wait(s, d);
	}
	return false;
}

/* False: a piece is done, and there is more. */
static bool run_queue(struct virt_vtd *s, u32 unit)
{
	u64 iqa = reg64(s, VTD_IQA);
	u32 size = (u32)PAGE_SIZE << (iqa & VTD_IQA_QS), tail = s->reg[VTD_IQT / 4];
	u32 *head = &s->reg[VTD_IQH / 4], cost = 0;
	struct vtd_entry d;

	while (*head != tail) {
		if (!(s->reg[VTD_GSTS / 4] & VTD_QIE) || (s->reg[VTD_FSTS / 4] & VTD_FSTS_IQE))
			return true;
		if (cost >= PIECE)
			return false;
		if (tail >= size || guest_read(&dom0, (iqa & PAGE_MASK) + *head, &d, sizeof(d)) ||
		    !execute(s, unit, &d, &cost))
			s->reg[VTD_FSTS / 4] |= VTD_FSTS_IQE;
		else if (!s->copied)
			*head = (*head + sizeof(d)) & (size - 1);
		cost += COST_DESC;
	}
	return true;
}

/* ---- registers ---- */

/* From the next invalidation on it is that one. */
static void set_table(struct virt_vtd *s, u32 unit)
{
	u64 irta = reg64(s, VTD_IRTA);
	bool eim = iommu_caps.x2apic && (irta & VTD_IRTA_EIME);

	if (eim != s->irt.eim)
		vtd_irt_mode(unit, eim);
	s->irt = (struct virt_vtd_irt){ irta & PAGE_MASK, 2u << (irta & VTD_IRTA_S_MAX), eim };
}

/*
 * VTD_TE has no effect, and VTD_CFI none: interrupts in compatibility format are blocked,
 * and that is what GSTS says. A root table's pointer is taken, as nobody follows it.
 */
static void command(struct virt_vtd *s, u32 unit, u32 val)
{
	u32 *gsts = &s->reg[VTD_GSTS / 4];

	if ((val ^ *gsts) & VTD_QIE)
		s->reg[VTD_IQH / 4] = s->copied = 0;
	if (val & VTD_SIRTP)
		set_table(s, unit);
	*gsts &= VTD_SRTP | VTD_SIRTP;
	*gsts |= val & (VTD_SRTP | VTD_QIE | VTD_IRE | VTD_SIRTP);
}

static void store(struct virt_vtd *s, u32 unit, u32 off, u32 val)
{
	if (off >= REGS_END)
		return;
	switch (off) {
	case VTD_GCMD:
		command(s, unit, val);
		break;
	case VTD_FSTS:
	case VTD_ICS:
		s->reg[off / 4] &= ~val;
		break;
	default:
		if (writable[off / 4])
			s->reg[off / 4] = val & writable[off / 4];
	}
}

static u64 vtd_read(struct virt_unit *u, u32 off, u32 size)
{
	const struct virt_vtd *s = state[u->index];

	if (off >= REGS_END)
		return 0;
	return size == 8 ? reg64(s, off) : s->reg[off / 4];
}

static bool vtd_write(struct virt_unit *u, u32 off, u32 size, u64 val)
{
	struct virt_vtd *s = state[u->index];

	store(s, u->index, off, (u32)val);
	if (size == 8)
		store(s, u->index, off + 4, (u32)(val >> 32));
	return run_queue(s, u->index);
}

static const struct virt_kind virt_vtd = { vtd_read, vtd_write };

void virt_vtd_init(struct virt_unit *u, u32 index)
{
	struct virt_vtd *s = page_alloc();
	u64 ecap = VTD_ECAP_C | VTD_ECAP_QI | VTD_ECAP_IR | ECAP_IOTLB |
		   (u64)VTD_ECAP_MHMV(vtd_ecap(index)) << 20;

	if (!s)
		fatal("too little memory for the IOMMUs that the service VM sees");
	if (iommu_caps.x2apic)
		ecap |= VTD_ECAP_EIM;
	s->reg[VTD_VER / 4] = 0x10;
	s->reg[VTD_CAP / 4] = CAP_FAULTS;
	s->reg[VTD_ECAP / 4] = (u32)ecap;
	s->reg[VTD_FECTL / 4] = s->reg[VTD_IECTL / 4] = VTD_FECTL_IM;
	state[index] = s;
	u->kind = &virt_vtd;
}
