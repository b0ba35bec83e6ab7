// SPDX-License-Identifier: GPL-2.0-only
/* Interrupt remapping tables (D51397, ch. 5); the contract is in vtd.h. */
#include "lib/atomic.h"
#include "lib/errno.h"
#include "machine/memmap.h"
#include "machine/paging.h"
#include "vtd.h"
#include "vtd_unit.h"

#define IRT_PAGES	((u32)(VTD_IRTES * sizeof(struct vtd_entry) / PAGE_SIZE))
static_assert(VTD_IRTES == 2u << VTD_IRTA_S_MAX, "IRTA's S");

/* Also while the unit remaps: from the return on it uses nothing of the table before. */
static bool set_table(struct vtd_unit *u, u64 eime)
{
	mmio_write64(u->regs + VTD_IRTA, virt_to_phys(u->irt) | eime | VTD_IRTA_S_MAX);
	return vtd_command(u, VTD_SIRTP, true) && vtd_submit(u, VTD_IEC_GLOBAL);
}

/* Without CFI, messages in the old format are blocked: these pass by no table. */
int vtd_irt_start(struct vtd_unit *u)
{
	u->irt = pages_alloc(IRT_PAGES);
	if (!u->irt)
		return -ENOMEM;
	vtd_publish(u->irt, IRT_PAGES * PAGE_SIZE);
	return set_table(u, 0) && vtd_command(u, VTD_CFI, false) &&
	       vtd_command(u, VTD_IRE, true) ? 0 : -EIO;
}

void vtd_irt_mode(u32 unit, bool x2apic)
{
	struct vtd_unit *u = &vtd_units[unit];

	spin_lock(&u->lock);
	if (!set_table(u, x2apic ? VTD_IRTA_EIME : 0))
		panic("VT-d unit %u does not take a table of interrupts", unit);
	spin_unlock(&u->lock);
}

void vtd_irte_set(u32 unit, u32 index, u64 lo, u64 hi)
{
	struct vtd_entry *e = &vtd_units[unit].irt[index];

	store_128(&e->lo, lo, hi);
	vtd_publish(e, sizeof(*e));
}

void vtd_irte_flush(u32 unit, u32 index, u32 order)
{
	struct vtd_unit *u = &vtd_units[unit];
	bool all = order > VTD_ECAP_MHMV(u->ecap) || !IS_ALIGNED(index, 1u << order);

	vtd_invalidate(u, all ? VTD_IEC_GLOBAL : VTD_IEC_INDEX(index, order));
}
