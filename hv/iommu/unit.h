/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The seam between units.c and the drivers of the two kinds, vtd.c and amdvi.c. Contracts
 * of iommu.h hold for the entries of the same name; what is said here is more.
 */
#ifndef HV_IOMMU_UNIT_H
#define HV_IOMMU_UNIT_H

#include "iommu.h"

struct iommu_driver {
	/*
	 * Fill *caps with what all units can do, reading registers only. The reason why
	 * they are of no use, or NULL. Boot CPU.
	 */
	const char *(*probe)(struct iommu_caps *caps);
	int (*start)(hpa_t root, bool remap);
	void (*flush)(u16 tag);
	int (*attach)(struct pci_id dev, hpa_t root, u16 tag, u16 *was);
	/* Empty fault or event logs into iommu_fault(); bounded, whatever devices do. */
	void (*interrupt)(void);
};

extern const struct iommu_driver vtd_driver;
extern const struct iommu_driver amdvi_driver;

/* Constant after iommu_init(). */
struct dmar;
struct ivrs;
extern struct dmar iommu_dmar;
extern struct ivrs iommu_ivrs;

/* What a fault log says; drivers tell each by iommu_fault(). */
struct iommu_fault {
	struct pci_id dev;
	u64 addr;		/* of the access; an interrupt's: the index, or 0 */
	bool write;
	bool interrupt;
	const char *what;	/* a few words by the manual */
	u32 code;		/* reason or event code as hardware gives it */
};

/* Count it, and log it unless too many were of late. Any CPU, under a unit's lock. */
void iommu_fault(const struct iommu_fault *f);

/* A line on @dev in the log, as few as of faults and among them; not counted. Any CPU. */
void iommu_note(struct pci_id dev, const char *what);

/* Faults that the hardware says it dropped, or that would be too many to look at. */
void iommu_faults_lost(u64 n);

#endif
