/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reader of the IVRS, in which firmware says what AMD IOMMUs there are, which devices
 * are behind each, and which memory these must reach (AMD I/O Virtualization
 * Technology specification, publication 48882, ch. 5.2).
 *
 * Pure: reads only the bytes that it is given, keeps no pointer to them and allocates
 * nothing. They are firmware's, and may be torn. Called once, by the boot CPU; what it
 * fills is constant from then on, so that nobody needs a lock.
 */
#ifndef HV_IOMMU_IVRS_H
#define HV_IOMMU_IVRS_H

#include "iommu.h"

/* More than these is an error. A server of two sockets has 8 units, and a table of some KiB. */
#define IVRS_MAX_LEN		(256u << 10)
#ifndef IVRS_MAX_UNITS		/* proofs have fewer */
#define IVRS_MAX_UNITS		64	/* as many as ivrs_devs.units has bits */
#define IVRS_MAX_DEVS		1024
#define IVRS_MAX_SOURCES	64
#define IVRS_MAX_REGIONS	256
#endif
#define IVRS_REGS_SIZE		(16u << 10)

/* ivrs.info, "IVinfo" */
#define IVRS_EFR_SUP		BIT(0)	/* images of the feature registers are valid */
#define IVRS_DMA_REMAP_SUP	BIT(1)	/* firmware wants DMA confined early */
#define IVRS_PA_BITS(info)	((info) >> 8 & 0x7f)
#define IVRS_VA_BITS(info)	((info) >> 15 & 0x7f)
#define IVRS_HT_ATS_RESV	BIT(22)	/* no translations of the HyperTransport range */

/* ivrs_unit.flags: what firmware wants to be set in the unit's control register */
#define IVHD_HT_TUN_EN		BIT(0)
#define IVHD_PASS_PW		BIT(1)
#define IVHD_RES_PASS_PW	BIT(2)
#define IVHD_ISOC		BIT(3)
#define IVHD_IOTLB_SUP		BIT(4)	/* devices behind it may have TLBs */
#define IVHD_COHERENT		BIT(5)
#define IVHD_PREF_SUP		BIT(6)	/* bits 6 and 7: type 10h only */
#define IVHD_PPR_SUP		BIT(7)

struct ivrs_unit {
	struct pci_id id;	/* the IOMMU as a function on PCI */
	u16 cap;		/* its capability block in configuration space */
	u8 type;		/* of the IVHD that describes it: 10h, 11h or 40h */
	u8 flags;
	u8 msi;			/* number of its event log's message */
	bool has_efr;		/* efr and efr2 are what its registers 30h and 1a0h say */
	u32 features;		/* type 10h: feature reporting; others: attributes */
	hpa_t regs;		/* 16 KiB aligned */
	u64 efr;
	u64 efr2;
	u32 offset;		/* of the IVHD in the table */
};

/* ivrs_devs.dte: passed on unmapped (bits of the device table entry, 48882 ch. 2.2.2) */
#define IVRS_DTE_INIT		BIT(0)
#define IVRS_DTE_EXTINT		BIT(1)
#define IVRS_DTE_NMI		BIT(2)
#define IVRS_DTE_SYSMGT(dte)	((dte) >> 4 & 3)
#define IVRS_DTE_LINT0		BIT(6)
#define IVRS_DTE_LINT1		BIT(7)

/*
 * Device IDs @first to @last of a segment, of which all the same is known. Firmware of
 * real servers puts some behind two units (an alias for bus ff in one, a range to
 * ff:1f.6 in another): so each unit that @units has must know their device table
 * entries, and be told to forget them.
 */
struct ivrs_devs {
	u16 segment;
	u16 first;
	u16 last;
	bool aliased;		/* their requests come as @alias; where false, as themselves */
	u16 alias;		/* one step: not itself looked up again */
	u8 dte;			/* IVRS_DTE_*, of all entries that name them */
	bool no_ats;		/* address translation services must stay off */
	u64 units;		/* bit n: behind unit[n]; never 0 */
};

/*
 * Memory that devices @first to @last must reach as it is (unity), or reach past the
 * IOMMU (exclusion, which Linux maps as unity for reading and writing too). Firmware
 * gives lengths of one byte for a page, so @mem is rounded up. Regions may overlap.
 */
struct ivrs_region {
	struct iommu_region mem;
	u16 segment;
	u16 first;
	u16 last;
	bool exclusion;		/* mem.access has both */
};

struct ivrs {
	u32 info;
	u32 nr_unknown;		/* blocks and entries of types that are not known, passed over */
	u32 nr_units;
	struct ivrs_unit unit[IVRS_MAX_UNITS];
	u32 nr_devs;		/* by segment and first; they do not overlap */
	struct ivrs_devs devs[IVRS_MAX_DEVS];
	u32 nr_sources;		/* no two of one kind and ID */
	struct iommu_source source[IVRS_MAX_SOURCES];
	u32 nr_regions;
	struct ivrs_region region[IVRS_MAX_REGIONS];
};

/*
 * Read the table at @table, of which @len bytes can be read. Of a unit that several
 * IVHDs describe the newest type counts (40h, 11h, 10h), as with Linux; later entries
 * for a device add to earlier ones, and the last alias stands.
 *
 * False: @err (of @err_len bytes, 128 are enough) says in one line what is wrong and at
 * which offset of the table. The first error ends it, and *out must not be used.
 */
bool ivrs_parse(const void *table, u32 len, struct ivrs *out, char *err, u32 err_len);

/* What is known of a device; NULL: it is behind no unit. */
const struct ivrs_devs *ivrs_find(const struct ivrs *ivrs, struct pci_id dev);

/*
 * Add a range to *ivrs: what overlaps is split, what is the same is joined. For the
 * reader only. False: there are too many ranges, and some of it is missing.
 */
bool ivrs_add_devs(struct ivrs *ivrs, const struct ivrs_devs *range);

#endif
