// SPDX-License-Identifier: GPL-2.0-only
/* What virtual units of both kinds share; the contract is in virt.h. */
#include "virt.h"

#include "hv/iommu/dmar.h"
#include "hv/iommu/ivrs.h"
#include "hv/iommu/tables.h"
#include "machine/lapic.h"
#include "machine/log.h"
#include "machine/panic.h"

#define VECTOR_FIRST	0x20	/* below it are exceptions */

/* As firmware lists them; constant after virt_iommu_init(). */
static struct virt_unit units[DMAR_MAX_UNITS];
static u32 nr_units;
static_assert(IVRS_MAX_UNITS <= DMAR_MAX_UNITS, "room for both kinds");

/* ---- a unit that can do nothing ---- */

static u64 nothing_read(struct virt_unit *u __unused, u32 off __unused, u32 size __unused)
{
	return 0;
}

static bool nothing_write(struct virt_unit *u __unused, u32 off __unused, u32 size __unused,
			  u64 val __unused)
{
	return true;
}

static const struct virt_kind nothing = { nothing_read, nothing_write };

/* ---- all units ---- */

void virt_iommu_init(void)
{
	void (*init)(struct virt_unit *u, u32 index) =
		iommu_kind == IOMMU_INTEL ? virt_vtd_init : virt_amdvi_init;
	struct virt_unit *u = units;

	for (nr_units = 0; iommu_regs(nr_units, &u->regs, &u->len); u++, nr_units++) {
		spin_lock_init(&u->lock, LOCK_VIRT_UNIT);
		u->index = nr_units;
		u->kind = &nothing;
		if (iommu_caps.remaps)
			init(u, nr_units);
	}
	if (iommu_caps.remaps)
		log_info("%s: domain 0 sees %u units, for interrupt remapping", iommu_caps.name,
			 nr_units);
	else if (iommu_kind == IOMMU_AMD)
		virt_amdvi_hide();
}

/*
 * Linux's driver of AMD's units would give devices I/O addresses of its own, of which
 * Bedplate's tables know nothing.
 */
const char *virt_iommu_words(void)
{
	return iommu_caps.remapping && iommu_kind == IOMMU_AMD ? " iommu=pt" : "";
}

static struct virt_unit *find(gpa_t gpa)
{
	struct virt_unit *u;

	for (u = units; u < units + nr_units; u++)
		if (gpa - u->regs < u->len)
			return u;
	return NULL;
}

bool virt_iommu_hit(gpa_t gpa)
{
	return find(gpa);
}

static u64 read(struct virt_unit *u, u32 off, u32 size)
{
	if (size >= 4)
		return u->kind->read(u, off, size);
	return (u->kind->read(u, off & ~3u, 4) >> 8 * (off & 3)) & (BIT(8 * size) - 1);
}

bool virt_iommu_access(gpa_t gpa, u32 size, bool write, u64 *val)
{
	struct virt_unit *u = find(gpa);
	bool aligned = IS_ALIGNED(gpa, size), done = true;
	u32 off;

	ASSERT(u);
	off = (u32)(gpa - u->regs);
	/* A piece each for all of many CPUs would be long with interrupts off. */
	if (!spin_trylock(&u->lock))
		return false;
	if (!write)
		*val = aligned ? read(u, off, size) : 0;
	else if (aligned && size >= 4)
		done = u->kind->write(u, off, size, *val);
	spin_unlock(&u->lock);
	return done;
}

bool virt_intr_allowed(u32 delivery, u8 vector)
{
	return delivery <= 1 && vector >= VECTOR_FIRST && vector < VECTOR_OWN_CLASS;
}
