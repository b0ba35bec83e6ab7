/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the readers of firmware's two IOMMU tables share: Intel's DMAR (dmar.h) and
 * AMD's IVRS (ivrs.h).
 */
#ifndef HV_IOMMU_IOMMU_H
#define HV_IOMMU_IOMMU_H

#include "lib/types.h"

/* A function on PCI. @bdf is what its requests bear: AMD's device ID, Intel's source ID. */
struct pci_id {
	u16 segment;
	u16 bdf;
};

#define PCI_BDF(bus, devfn)	((u16)((bus) << 8 | (devfn)))
#define PCI_DEVFN(dev, fn)	((u8)((dev) << 3 | (fn)))

/* A function as people write it: printf("%04x:%02x:%02x.%x", PCI_ARGS(id)) */
#define PCI_FMT			"%04x:%02x:%02x.%x"
#define PCI_ARGS(id)		(id).segment, (id).bdf >> 8, (id).bdf >> 3 & 31, (id).bdf & 7

/* Memory [start, end), whole pages, that some devices must reach as it is: RMRR, IVMD. */
struct iommu_region {
	hpa_t start;
	hpa_t end;
	u32 access;		/* IOMMU_READ, IOMMU_WRITE */
};
#define IOMMU_READ		1u
#define IOMMU_WRITE		2u

/* Who else asks for interrupts: an I/O APIC (its ID is the MADT's) or an HPET (its number). */
enum iommu_source_kind { IOMMU_IOAPIC, IOMMU_HPET };

struct iommu_source {
	enum iommu_source_kind kind;
	u8 id;
	u16 unit;		/* the unit that it is behind: index in the reader's array */
	struct pci_id dev;	/* as which its requests come */
};

/* The one of that kind and ID among @nr; NULL: behind no unit, or where the table cannot say. */
static inline const struct iommu_source *iommu_source_find(const struct iommu_source *list, u32 nr,
							   enum iommu_source_kind kind, u8 id)
{
	const struct iommu_source *s;

	for (s = list; s < list + nr; s++)
		if (s->kind == kind && s->id == id)
			return s;
	return NULL;
}

/*
 * This machine's table, if it has one, to the log, with a warning: nothing is done with
 * it yet (tables.c). Boot CPU, after acpi_init().
 */
void iommu_init(void);

#endif
