/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The virtual AMD-Vi unit's parts: registers and command buffer (virt_amdvi.c), the
 * devices' interrupt remapping tables (virt_irt.c), and what the IVRS says of the unit
 * (virt_ivrs.c).
 */
#ifndef HV_IOMMU_VIRT_AMDVI_H
#define HV_IOMMU_VIRT_AMDVI_H

#include "lib/types.h"

/* A unit as domain 0 has set it up. */
struct virt_amdvi {
	u32 unit;		/* index in the IVRS's reader */
	gpa_t dev_table;
	u32 dev_entries;	/* in its device table */
	bool wide;		/* GAEn: its remapping entries are of 128 bits */
	bool x2apic;		/* XTEn: APIC IDs in them are of 32 */
};

/*
 * Domain 0 has changed the device table entry of @bdf: read it, and give the device a
 * copy of the table that it names, or block its interrupts. Any CPU, no locks but a
 * virtual unit's, as with all of these.
 */
void virt_irt_device(const struct virt_amdvi *a, u16 bdf);

/*
 * Domain 0 has changed @bdf's remapping table: copy it, and those of all devices that
 * share it. Linux gives an alias the table of its device and tells of one of them. In
 * pieces: false means that it is to be called again with *at as it was left, 0 at first.
 */
bool virt_irt_table(const struct virt_amdvi *a, u16 bdf, u32 *at);

/*
 * Domain 0 may have changed all device table entries behind the unit, and all tables: as
 * virt_irt_device() for each that has one. A device without one wants a word of its own.
 * In pieces.
 */
bool virt_irt_all(const struct virt_amdvi *a, u32 *at);

/*
 * Make the IVRS at @table, which ivrs_parse() takes, say that each unit can do what @efr
 * has (AMDVI_EFR_XT, _IA and _GA) and no more, and mend its checksum. Pure.
 */
void ivrs_show_features(void *table, u64 efr);
/* Make it a table that nobody knows, with a right checksum. Pure. */
void ivrs_hide(void *table);

#endif
