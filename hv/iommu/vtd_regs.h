/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VT-d's registers, tables and invalidation descriptors, by the names of the manual
 * (VT-d specification, D51397, ch. 6.5, 9 and 11; chapters are those of revision 4.1).
 */
#ifndef HV_IOMMU_VTD_REGS_H
#define HV_IOMMU_VTD_REGS_H

#include "lib/types.h"

/* Offsets (11.4) */
#define VTD_VER			0x000
#define VTD_CAP			0x008	/* 64 bits, as ECAP, RTADDR, PHM*, IQ*, IRTA */
#define VTD_ECAP		0x010
#define VTD_GCMD		0x018
#define VTD_GSTS		0x01c
#define VTD_RTADDR		0x020
#define VTD_FSTS		0x034
#define VTD_FECTL		0x038
#define VTD_FEDATA		0x03c
#define VTD_FEADDR		0x040
#define VTD_FEUADDR		0x044
#define VTD_PMEN		0x064
#define VTD_PLMBASE		0x068
#define VTD_PLMLIMIT		0x06c
#define VTD_PHMBASE		0x070
#define VTD_PHMLIMIT		0x078
#define VTD_IQH			0x080
#define VTD_IQT			0x088
#define VTD_IQA			0x090
#define VTD_IRTA		0x0b8

#define VTD_VER_MAJOR(v)	((v) >> 4 & 15)
#define VTD_VER_MINOR(v)	((v) & 15)

#define VTD_CAP_TAGS(c)		(1u << (4 + 2 * ((c) & 7)))	/* ND */
#define VTD_CAP_RWBF		BIT(4)
#define VTD_CAP_PLMR		BIT(5)
#define VTD_CAP_PHMR		BIT(6)
#define VTD_CAP_CM		BIT(7)
#define VTD_CAP_SAGAW_48	BIT(10)
#define VTD_CAP_FRO(c)		((u32)((c) >> 24 & 0x3ff) * 16)
#define VTD_CAP_2M		BIT(34)		/* SLLPS */
#define VTD_CAP_1G		BIT(35)
#define VTD_CAP_NFR(c)		((u32)((c) >> 40 & 0xff) + 1)
#define VTD_CAP_DWD		BIT(54)
#define VTD_CAP_DRD		BIT(55)
#define VTD_CAP_ESRTPS		BIT(63)

#define VTD_ECAP_C		BIT(0)
#define VTD_ECAP_QI		BIT(1)
#define VTD_ECAP_IR		BIT(3)
#define VTD_ECAP_EIM		BIT(4)
#define VTD_ECAP_SC		BIT(7)
#define VTD_ECAP_SMTS		BIT(43)		/* scalable mode */
#define VTD_ECAP_SSTS		BIT(46)		/* second-stage tables in it */
#define VTD_ECAP_SMPWC		BIT(48)		/* page walks in it may snoop */
#define VTD_ECAP_MHMV(e)	((u32)((e) >> 20) & 15)

/* GCMD: commands, one a write; in GSTS the same bits say that they are done. */
#define VTD_TE			0x80000000u
#define VTD_SRTP		0x40000000u
#define VTD_EAFL		0x10000000u
#define VTD_QIE			0x04000000u
#define VTD_IRE			0x02000000u
#define VTD_SIRTP		0x01000000u
#define VTD_CFI			0x00800000u
#define VTD_LASTING		(VTD_TE | VTD_EAFL | VTD_QIE | VTD_IRE | VTD_CFI)

#define VTD_RTADDR_TTM		(3u << 10)	/* 0: legacy mode */
#define VTD_RTADDR_SCALABLE	(1u << 10)
#define VTD_IQA_DW		BIT(11)		/* descriptors of 32 bytes, not 16 */
#define VTD_IRTA_EIME		BIT(11)
#define VTD_IRTA_S_MAX		15u		/* 2^16 entries */

#define VTD_PMEN_EPM		0x80000000u
#define VTD_PMEN_PRS		1u

#define VTD_FSTS_PFO		BIT(0)
#define VTD_FSTS_PPF		BIT(1)
#define VTD_FSTS_IQE		BIT(4)
#define VTD_FSTS_ICE		BIT(5)
#define VTD_FSTS_ITE		BIT(6)
#define VTD_FSTS_QUEUE		(VTD_FSTS_IQE | VTD_FSTS_ICE | VTD_FSTS_ITE)
#define VTD_FSTS_FRI(s)		((s) >> 8 & 0xff)
#define VTD_FECTL_IM		0x80000000u

/* Upper half of a fault record (11.4.14) */
#define VTD_FRCD_SID(hi)	((u16)(hi))
#define VTD_FRCD_FR(hi)		((u32)((hi) >> 32) & 0xff)
#define VTD_FRCD_T1		BIT(62)		/* a read; with T2, an atomic operation */
#define VTD_FRCD_F		BIT(63)

/*
 * Whatever is of 16 bytes: entries of root tables (9.1, 9.2), context tables (9.3) and
 * interrupt remapping tables (9.9), and descriptors (6.5.2). In scalable mode context
 * entries (9.4) and descriptors are two of these, the second of which is 0 in ours.
 */
struct vtd_entry {
	u64 lo;
	u64 hi;
} __aligned(16);
static_assert(sizeof(struct vtd_entry) == 16, "VT-d entry");

#define VTD_P			BIT(0)
#define VTD_CONTEXT_AW_48	2u		/* hi */
#define VTD_CONTEXT_DID(hi)	((u16)((hi) >> 8))
#define VTD_BUSES		256
#define VTD_DEVFNS		256
static_assert(VTD_DEVFNS * sizeof(struct vtd_entry) == PAGE_SIZE, "context table");

/* Entry of a PASID table (9.6), of a page of 64; what is not here is 0. */
struct vtd_pasid_entry {
	u64 q[8];
} __aligned(64);
static_assert(sizeof(struct vtd_pasid_entry) == 64, "PASID table entry");
#define VTD_PASID_AW_48		(2u << 2)	/* q[0], with VTD_P and the second stage's root */
#define VTD_PASID_SECOND_STAGE	(2u << 6)	/* PGTT */
#define VTD_PASID_DID(q1)	((u16)(q1))
#define VTD_PASID_PWSNP		BIT(23)		/* q[1] */
#define VTD_PASID_PGSNP		BIT(24)

/* Descriptors; those without an upper half here have 0 there. */
#define VTD_CC_GLOBAL		(1u | 1u << 4)
#define VTD_CC_DEVICE(did, sid)	(1u | 3u << 4 | (u64)(did) << 16 | (u64)(sid) << 32)
#define VTD_IOTLB_GLOBAL	(2u | 1u << 4)
#define VTD_IOTLB_DOMAIN(did)	(2u | 2u << 4 | (u64)(did) << 16)
#define VTD_IOTLB_DW		BIT(6)
#define VTD_IOTLB_DR		BIT(7)
#define VTD_IEC_GLOBAL		4u
#define VTD_IEC_INDEX(i, order)	(4u | 1u << 4 | (u64)(order) << 27 | (u64)(i) << 32)
#define VTD_PC_GLOBAL		(7u | 3u << 4)
#define VTD_PC_DOMAIN(did)	(7u | (u64)(did) << 16)
#define VTD_WAIT_WRITE(val)	(5u | 1u << 5 | (u64)(val) << 32)	/* hi: where */

#endif
