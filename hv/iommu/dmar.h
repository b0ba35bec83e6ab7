/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reader of DMAR, the table in which firmware lists Intel's IOMMUs (VT-d
 * specification, chapter 8). Pure and bounded: the table is firmware's, and may
 * be torn or worse.
 *
 * What is read is what a driver needs: units, memory that devices must keep, where
 * I/O APICs and HPETs are, and who may use or must have address translation services.
 * RHSA (NUMA nodes) and ANDD (names of ACPI devices) are checked for form only.
 * Structures and device scopes of types that are not known are passed over, as the
 * specification wants it. A unit that is listed again, all the same, counts once.
 */
#ifndef HV_IOMMU_DMAR_H
#define HV_IOMMU_DMAR_H

#include "iommu.h"

/* More than these is an error; what fits one of 256 CPUs is well below. */
#ifndef DMAR_MAX_UNITS		/* proofs have fewer */
#define DMAR_MAX_UNITS		256
#define DMAR_MAX_REGIONS	128
#define DMAR_MAX_GROUPS		128
#define DMAR_MAX_SCOPES		2048
#define DMAR_MAX_SOURCES	128
#define DMAR_MAX_DEPTH		8
#endif

/* Type of a device scope (8.3.1) */
enum dmar_scope_type {
	DMAR_ENDPOINT = 1,
	DMAR_BRIDGE,		/* it and all behind it */
	DMAR_IOAPIC,
	DMAR_HPET,
	DMAR_ACPI,		/* a device that only ACPI's name space knows */
};

/*
 * A way to a device: from @bus over @depth - 1 bridges. path[] has the device and
 * function (PCI_DEVFN) of each of them, then of the device. With a depth of 1 the
 * device is PCI_BDF(bus, path[0]); else bridges must be asked for their buses.
 */
struct dmar_scope {
	u8 type;
	u8 id;			/* of an I/O APIC, an HPET, or ACPI's device number */
	u8 bus;
	u8 depth;		/* 1 to DMAR_MAX_DEPTH */
	u8 path[DMAR_MAX_DEPTH];
};

/* Some scopes: @nr in struct dmar's scope[] from @first on. */
struct dmar_devices {
	u16 first;
	u16 nr;
};

/*
 * A remapping unit (8.3). A device is behind the unit that has a scope for it, or for
 * a bridge above it; else behind its segment's unit with @rest.
 */
struct dmar_unit {
	hpa_t base;		/* registers: page aligned, clear of other units' */
	u32 size;		/* bytes, 4 KiB at least */
	u16 segment;
	bool rest;		/* INCLUDE_PCI_ALL: one in a segment at most */
	struct dmar_devices dev;
};

/*
 * Memory that devices must reach (8.4): whole pages below the address width. It may
 * overlap another's. Whether it is memory that nobody else uses, only the memory map
 * and the frame table can say.
 */
struct dmar_region {
	struct iommu_region mem;	/* to read and to write */
	u16 segment;
	struct dmar_devices dev;
};

/* Devices that have something in common; the number is the structure's type. */
enum dmar_group_kind {
	DMAR_ATSR = 2,		/* root ports that pass on ATS requests (8.5); @flag: all do */
	DMAR_SATC = 5,		/* integrated devices that use ATS (8.8); @flag: and must */
	DMAR_SIDP = 6,		/* integrated devices whose use of PASIDs is limited (8.9) */
};

struct dmar_group {
	enum dmar_group_kind kind;
	bool flag;
	u16 segment;
	struct dmar_devices dev;
};

struct dmar {
	u8 width;		/* host address width in bits, 32 to 52 */
	bool intr_remap;	/* the platform can remap interrupts */
	bool x2apic_opt_out;	/* firmware asks not to use x2APIC mode */
	bool dma_opt_in;	/* firmware left no DMA running but to regions */
	u32 nr_unknown;		/* structures of types that are not known */
	u32 nr_units;
	struct dmar_unit unit[DMAR_MAX_UNITS];
	u32 nr_regions;
	struct dmar_region region[DMAR_MAX_REGIONS];
	u32 nr_groups;
	struct dmar_group group[DMAR_MAX_GROUPS];
	/*
	 * Each I/O APIC and HPET once. One that is behind a bridge is not here, as the
	 * table does not know its bus: there is only the scope.
	 */
	u32 nr_sources;
	struct iommu_source source[DMAR_MAX_SOURCES];
	u32 nr_scopes;
	struct dmar_scope scope[DMAR_MAX_SCOPES];
};

/*
 * Read the table, of which @len bytes can be read and which nobody writes meanwhile.
 * False: it is not to be used, nor is @out; @err (of @err_len bytes, 128 are enough)
 * says in one line at which offset what is wrong. The first error ends it: a table
 * that is wrong in one place is trusted in none.
 */
bool dmar_parse(const void *table, u32 len, struct dmar *out, char *err, u32 err_len);

#endif
