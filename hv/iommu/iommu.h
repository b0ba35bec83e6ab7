/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IOMMUs: what the readers of firmware's two tables share (Intel's DMAR, dmar.h, and
 * AMD's IVRS, ivrs.h), and what the rest of Bedplate wants of the units.
 */
#ifndef HV_IOMMU_IOMMU_H
#define HV_IOMMU_IOMMU_H

#include "hv/ept/npt.h"
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
 * The machine's units as all of Bedplate sees them: one kind, one set of tables for all,
 * behind the seam of unit.h.
 *
 * Every device has an I/O address space: domain 0's, or that of an I/O domain. A unit
 * tags what it caches of one with a number: of domain d that is IOMMU_TAG(d).
 */
#define IOMMU_TAG(id)		((u16)((id) + 1))	/* 0 is caching mode's */

/* What all of the units can do. Constant after iommu_start(). */
struct iommu_caps {
	const char *name;		/* "VT-d", "AMD-Vi"; NULL: no unit that is driven */
	const struct npt_format *format;	/* of I/O page tables: 4 levels */
	u32 max_order;			/* largest leaf: 0, 9 or 18 */
	u32 tags;			/* tags from 0 to this, exclusive */
	bool noncoherent;		/* they read tables from memory, not from caches */
	bool remaps;			/* can remap interrupts */
	bool x2apic;			/* and to 32-bit APIC IDs */
	bool remapping;			/* and does so: iommu_start() */
	bool snoops;			/* devices' accesses always go through CPUs' caches */
};
extern struct iommu_caps iommu_caps;

/*
 * Read this machine's table, if it has one, log it, and look at its units; nothing is
 * written to them. Boot CPU, after acpi_init().
 */
void iommu_init(void);

/* Registers of unit @i, which nobody else may reach; false: there is no such unit. */
bool iommu_regs(u32 i, hpa_t *base, u64 *len);
/* Unit @i as a function on PCI, if its kind is one (AMD's); false: there is no such unit. */
bool iommu_function(u32 i, struct pci_id *id);
/* Is a unit there for PCI segment @segment? Devices of others are behind none. */
bool iommu_has_segment(u16 segment);
/* The reserved regions one by one; NULL: no more. */
const struct iommu_region *iommu_reserved(u32 i);

/*
 * Give every device the tables at @root with domain 0's tag, and from then on let
 * none past them; interrupts are remapped (all blocked at first) if @remap and caps say
 * so. A unit that firmware left on does not stop translating meanwhile. Boot CPU, before
 * domain 0 runs; -ENOMEM, -EIO a unit does not answer.
 */
int iommu_start(hpa_t root, bool remap);

/*
 * On return no unit has a translation of that tag that was in its tables before the
 * call, or a table that was linked then, and no access that was on its way by one is
 * left. Any CPU, any locks but a unit's; waits for the units only.
 */
void iommu_flush(u16 tag);

/*
 * From the return on, @dev translates by the tables at @root (0: all that it does is
 * blocked) with that tag. Nothing is left cached of what it had, and *was is the tag of
 * that, 0 if it was blocked. Devices whose requests all bear one ID (IVRS: an alias) are one
 * device here, and go together. -ENODEV: it is behind no unit, is a unit itself or has an
 * alias that has one, -ENOSPC:
 * units know no such tag, or -ENOMEM. Any CPU, any locks but a unit's.
 */
int iommu_attach(struct pci_id dev, hpa_t root, u16 tag, u16 *was);

/* VECTOR_IOMMU: some unit has something to tell. */
void iommu_interrupt(void);

/* Faults told since the start; for struct bp_hv_stats. */
u64 iommu_fault_count(void);

#endif
