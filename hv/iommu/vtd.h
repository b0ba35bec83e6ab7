/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Intel VT-d units as the virtual unit of the service VM uses them (VT-d specification,
 * D51397, ch. 5 and 9.10). Each unit has a table of its own of VTD_IRTES interrupt
 * remapping entries.
 */
#ifndef HV_IOMMU_VTD_H
#define HV_IOMMU_VTD_H

#include "lib/types.h"

#define VTD_IRTES	65536u

/* As the hardware's registers say. */
u64 vtd_cap(u32 unit);
u64 vtd_ecap(u32 unit);

/*
 * How entries name CPUs (5.1.5.2, EIME): as xAPIC mode has them, which it is at first, or,
 * where caps.x2apic, as x2APIC mode. On return no entry is cached. Any CPU.
 */
void vtd_irt_mode(u32 unit, bool x2apic);

/*
 * Write entry @index of unit @unit, which the caller has checked: at no moment does the
 * unit see half of it. Its caches may still have the old one. Any CPU; one caller at a time.
 */
void vtd_irte_set(u32 unit, u32 index, u64 lo, u64 hi);
/* On return the unit uses no entry of [index, index + 2^order) as it was before. Any CPU. */
void vtd_irte_flush(u32 unit, u32 index, u32 order);

#endif
