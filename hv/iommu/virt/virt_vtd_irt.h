/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Domain 0's interrupt remapping table, of a virtual VT-d: what of it goes into the real
 * table of the unit (VT-d specification, D51397, ch. 9.10).
 */
#ifndef HV_IOMMU_VIRT_VTD_IRT_H
#define HV_IOMMU_VIRT_VTD_IRT_H

#include "lib/types.h"

struct virt_vtd_irt {
	gpa_t base;
	u32 entries;		/* 0: none yet */
	bool eim;		/* destinations of 32 bits: the unit's mode too */
};

/*
 * Copy entries [first, first + n) of VTD_IRTES. Those that are not allowed, not in the
 * table or not in memory of domain 0 are absent from then on. No flush. One call at a
 * time for a unit; takes dom0.lock.
 */
void virt_vtd_copy(const struct virt_vtd_irt *t, u32 unit, u32 first, u32 n);

#endif
