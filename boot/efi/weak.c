// SPDX-License-Identifier: GPL-2.0-only
/* Which options weaken what Secure Boot protects; docs/uefi.md has the reasons. */
#include "weak.h"

/*
 * The ports that serial lines have; any other could be a device that text upsets, and so
 * could any address in memory. Of PCI functions one that is searched for says that it is a
 * UART; one that is named may be anything.
 */
static bool is_serial_line(const struct serial_option *o)
{
	if (o->kind == SERIAL_PORT)
		return o->addr == 0x3f8 || o->addr == 0x2f8 || o->addr == 0x3e8 ||
		       o->addr == 0x2e8;
	return o->kind == SERIAL_PCI ? o->search : o->kind != SERIAL_MMIO;
}

const char *weak_option(const struct hv_options *o)
{
	const struct {
		bool set;
		const char *text;
	} weak[] = {
		{ o->mitigations_off, "mitigations=off" },
		{ o->ibpb == IBPB_OFF, "ibpb=off" },
		{ o->ibpb == IBPB_GUESTS, "ibpb=guests" },
		{ o->ibrs_off, "ibrs=off" },
		{ o->bhi_off, "bhi=off" },
		{ o->rsb_off, "rsb=off" },
		{ o->l1d_flush == L1D_OFF, "l1d_flush=off" },
		{ o->srso_off, "srso=off" },
		{ o->verw == VERW_OFF, "verw=off" },
		{ o->iommu == IOMMU_OFF, "iommu=off" },
		{ !is_serial_line(&o->serial), "serial= of an unusual place" },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(weak); i++)
		if (weak[i].set)
			return weak[i].text;
	return NULL;
}
