// SPDX-License-Identifier: GPL-2.0-only
/* Interrupt messages: who is meant, and what it does to them. */
#include "lib/errno.h"
#include "machine/irq_window.h"
#include "memory/domain.h"
#include "vlapic_priv.h"

/* xAPIC flat and cluster models, x2APIC cluster model. */
static bool match_logical(const struct vlapic *a, u32 dest)
{
	u32 ldr = areg(a, APIC_REG_LDR);

	if (vlapic_x2(a))
		return (ldr >> 16) == (dest >> 16) && (ldr & dest & 0xffff);
	ldr >>= 24;
	dest &= 0xff;
	if ((areg(a, APIC_REG_DFR) >> 28) == 0xf)
		return ldr & dest;
	return (ldr >> 4) == (dest >> 4) && (ldr & dest & 0xf);
}

/*
 * 0xff is the broadcast of xAPIC mode and of messages from devices, whose
 * destination is 8 bits wide unless it is exact; an x2APIC IPI broadcasts with
 * all 32 bits.
 */
static bool is_broadcast(const struct vlapic *a, const struct vcpu *src, u64 dest)
{
	if ((u32)dest == 0xffffffff)
		return true;
	if ((u32)dest != 0xff)
		return false;
	if (src ? vlapic_x2(&src->apic) : dest & VLAPIC_DEST_EXACT)
		return !vlapic_x2(a);
	return true;
}

static bool matches(struct vcpu *v, struct vcpu *src, u64 dest, bool logical,
		    u8 shorthand)
{
	const struct vlapic *a = &v->apic;

	switch (shorthand) {
	case SHORT_SELF:
		return v == src;
	case SHORT_ALL:
		return true;
	case SHORT_OTHERS:
		return v != src;
	}
	if (!vlapic_hw_on(a))
		return false;
	if (is_broadcast(a, src, dest))
		return true;
	return logical ? match_logical(a, dest) : vlapic_id(a) == (u32)dest;
}

/* One APIC takes a message; false if it does not accept it. */
static bool accept(struct vcpu *v, u8 mode, u8 vector, bool level)
{
	switch (mode) {
	case DM_FIXED:
	case DM_LOWEST:
		if (!vlapic_sw_on(&v->apic) || vector < 16)
			return false;
		vlapic_set_irr(v, vector, level);
		vcpu_notify(v);
		return true;
	case DM_NMI:
		WRITE_ONCE(v->nmi_pending, true);
		break;
	case DM_INIT:
		fetch_or(&v->requests, VCPU_REQ_INIT);
		break;
	case DM_STARTUP:
		WRITE_ONCE(v->sipi_vector, vector);
		fetch_or(&v->requests, VCPU_REQ_SIPI);
		break;
	case DM_SMI:
		if (domain_is_dom0(v->dom))
			return false;
		fetch_or(&v->requests, VCPU_REQ_SMI);
		break;
	default:
		return false;	/* ExtINT: no such wire here */
	}
	vcpu_kick(v);
	return true;
}

/* How many are told in a row with interrupts off. */
#define BATCH	64

static void let_interrupts_in(u32 i)
{
	if (i && !(i % BATCH))
		irq_window();
}

/* Lowest priority: the enabled match with the lowest TPR, ties in turn. */
static struct vcpu *arbitrate(struct domain *d, struct vcpu *src, u64 dest,
			      bool logical, u8 shorthand, u8 vector)
{
	struct vcpu *best = NULL;
	u32 i, n = READ_ONCE(d->nr_vcpus);

	for (i = 0; i < n; i++) {
		struct vcpu *v = domain_vcpu(d, (i + vector) % n);

		if (!v || !matches(v, src, dest, logical, shorthand) ||
		    !vlapic_sw_on(&v->apic))
			continue;
		if (!best || areg(&v->apic, APIC_REG_TPR) < areg(&best->apic, APIC_REG_TPR))
			best = v;
	}
	return best;
}

/* Where APIC IDs grow with the index; elsewhere it may find nothing. */
static struct vcpu *find(struct domain *d, u32 n, u32 id)
{
	u32 low = 0, high = n;

	while (low < high) {
		u32 mid = (low + high) / 2;
		struct vcpu *v = domain_vcpu(d, mid);

		if (!v || v->apic.id == id)
			return v;
		if (v->apic.id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/*
 * Who alone is meant, if it is easily seen: by a physical destination, or by one bit of an
 * x2APIC cluster, whose APICs have IDs in a row.
 */
static struct vcpu *only_one(struct domain *d, u32 n, struct vcpu *src, u64 dest, bool logical)
{
	u32 in_cluster = dest & 0xffff, id = dest;
	struct vcpu *v;

	if (logical) {
		if (!in_cluster || (in_cluster & (in_cluster - 1)))
			return NULL;
		id = ((u32)dest >> 16) * 16 + __builtin_ctz(in_cluster);
	}
	v = find(d, n, id);
	if (!v || (logical && !vlapic_x2(&v->apic)))
		return NULL;
	return matches(v, src, dest, logical, SHORT_NONE) ? v : NULL;
}

int vlapic_deliver(struct domain *d, struct vcpu *src, u64 dest, bool logical,
		   u8 shorthand, u8 mode, u8 vector, bool level)
{
	u32 i, n = READ_ONCE(d->nr_vcpus);
	bool met = n && (u32)dest != 0xff && (u32)dest != 0xffffffff;
	struct vcpu *v;
	int hits = 0;

	if (mode == DM_RESERVED || mode > DM_EXTINT)
		return -EINVAL;
	if (shorthand == SHORT_SELF)
		return accept(src, mode, vector, level);
	v = met && shorthand == SHORT_NONE ? only_one(d, n, src, dest, logical) : NULL;
	if (v)
		return accept(v, mode, vector, level);
	if (mode == DM_LOWEST) {
		v = arbitrate(d, src, dest, logical, shorthand, vector);
		if (v)
			return accept(v, mode, vector, level);
		return met ? 0 : -ENOENT;
	}
	for (i = 0; i < n; i++) {
		let_interrupts_in(i);
		v = domain_vcpu(d, i);
		if (v && matches(v, src, dest, logical, shorthand)) {
			hits += accept(v, mode, vector, level);
			met = true;
		}
	}
	return met ? hits : -ENOENT;
}

int vlapic_deliver_ids(struct domain *d, const u64 ids[2], u32 min, u8 mode, u8 vector)
{
	u32 i, bit, n = READ_ONCE(d->nr_vcpus);
	struct vcpu *v;
	int hits = 0;

	for (i = 0; i < n; i++) {
		let_interrupts_in(i);
		v = domain_vcpu(d, i);
		if (!v || !vlapic_hw_on(&v->apic))
			continue;
		bit = vlapic_id(&v->apic) - min;
		if (bit < 128 && ids[bit / 64] & BIT(bit % 64))
			hits += accept(v, mode, vector, false);
	}
	return hits;
}

int vlapic_msi(struct domain *d, u64 addr, u32 data)
{
	u32 id = ((addr >> 12) & 0xff) | (u32)(addr >> 40) << 8;
	u64 dest = id | (addr & BP_MSI_EXACT ? VLAPIC_DEST_EXACT : 0);

	return vlapic_deliver(d, NULL, dest, addr & BIT(2), SHORT_NONE,
			      (data >> 8) & 7, data & 0xff, data & BIT(15));
}

void vlapic_icr_write(struct vcpu *v, u64 icr)
{
	struct vlapic *a = &v->apic;
	u8 mode = (icr >> 8) & 7, vector = icr & 0xff;
	u8 shorthand = (icr >> 18) & 3;

	areg_set(a, APIC_REG_ICR, (u32)icr & ~ICR_BUSY);
	if (vlapic_x2(a))
		areg_set(a, APIC_REG_ICR2, icr >> 32);
	/* INIT level de-assert does nothing since the Pentium 4. */
	if (mode == DM_INIT && (icr & ICR_LEVEL) && !(icr & ICR_ASSERT))
		return;
	if (mode == DM_FIXED && vector < 16) {
		a->pending_esr |= ESR_SEND_ILLEGAL;
		return;
	}
	vlapic_deliver(v->dom, v, icr >> 32, icr & ICR_LOGICAL, shorthand, mode,
		       vector, false);
}
