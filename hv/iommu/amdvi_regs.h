/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Layouts of the AMD IOMMU, named as in publication 48882: registers (ch. 3.4), device
 * table entries (2.2.2), commands (2.4), events (2.5), and its block in configuration
 * space (3.2). No code.
 */
#ifndef HV_IOMMU_AMDVI_REGS_H
#define HV_IOMMU_AMDVI_REGS_H

#include "lib/types.h"

/* Registers, of 64 bits each */
#define AMDVI_DEV_TABLE		0x0000	/* base | size in 4 KiB, less 1 */
#define AMDVI_CMD_BASE		0x0008	/* base | AMDVI_RING_LEN */
#define AMDVI_EVT_BASE		0x0010
#define AMDVI_CONTROL		0x0018
#define AMDVI_EXCL_BASE		0x0020	/* with SNPSup: completion store base */
#define AMDVI_EXCL_LIMIT	0x0028
#define AMDVI_EFR		0x0030
#define AMDVI_XT_GEN_INT	0x0170	/* the event log's interrupt in x2APIC form */
#define AMDVI_CMD_HEAD		0x2000
#define AMDVI_CMD_TAIL		0x2008
#define AMDVI_EVT_HEAD		0x2010
#define AMDVI_EVT_TAIL		0x2018
#define AMDVI_STATUS		0x2020

#define AMDVI_DEV_TABLE_SIZE	511u	/* 2 MiB: all device IDs of a segment */
#define AMDVI_RING_ENTRIES	256u	/* the least; of 16 bytes: one page */
#define AMDVI_RING_LEN		(8ull << 56)
#define AMDVI_XT_DEST_LO(id)	((u64)((id) & 0xffffff) << 8)
#define AMDVI_XT_VECTOR(v)	((u64)(v) << 32)
#define AMDVI_XT_DEST_HI(id)	((u64)((id) >> 24) << 56)

/* AMDVI_CONTROL. What is not named here stays off. */
#define AMDVI_IOMMU_EN		BIT(0)
#define AMDVI_HT_TUN_EN		BIT(1)	/* translate what an HT tunnel brings */
#define AMDVI_EVENT_LOG_EN	BIT(2)
#define AMDVI_EVENT_INT_EN	BIT(3)
#define AMDVI_COM_WAIT_INT_EN	BIT(4)
#define AMDVI_PASS_PW		BIT(8)
#define AMDVI_RES_PASS_PW	BIT(9)
#define AMDVI_COHERENT		BIT(10)	/* it looks for the device table in caches */
#define AMDVI_ISOC		BIT(11)
#define AMDVI_CMD_BUF_EN	BIT(12)
#define AMDVI_PPR_LOG_EN	BIT(13)
#define AMDVI_PPR_INT_EN	BIT(14)
#define AMDVI_PPR_EN		BIT(15)
#define AMDVI_GA_EN		BIT(17)	/* remapping entries of 128 bits */
#define AMDVI_FIRMWARE		(BIT(24) - BIT(18))	/* CRW, SmiFEn, SlfWBdis: firmware's */
#define AMDVI_GA_LOG_EN		BIT(28)
#define AMDVI_GA_INT_EN		BIT(29)
#define AMDVI_DEV_TBL_SEG_EN	(7ull << 34)
#define AMDVI_XT_EN		BIT(50)	/* with 32-bit APIC IDs */
#define AMDVI_INT_CAP_XT_EN	BIT(51)	/* its own interrupt is AMDVI_XT_GEN_INT's */

/* AMDVI_STATUS */
#define AMDVI_EVENT_OVERFLOW	BIT(0)	/* this and others but ..._RUN: write 1 to clear */
#define AMDVI_EVENT_LOG_INT	BIT(1)
#define AMDVI_EVENT_LOG_RUN	BIT(3)
#define AMDVI_CMD_BUF_RUN	BIT(4)
#define AMDVI_PPR_LOG_RUN	BIT(7)
#define AMDVI_GA_LOG_RUN	BIT(8)
#define AMDVI_STATUS_CLEAR	0x68e67ull

/* AMDVI_EFR */
#define AMDVI_EFR_XT		BIT(2)
#define AMDVI_EFR_IA		BIT(6)	/* INVALIDATE_IOMMU_ALL */
#define AMDVI_EFR_GA		BIT(7)
#define AMDVI_EFR_HATS(efr)	((efr) >> 10 & 3)	/* 4, 5 or 6 levels; 3: none */
#define AMDVI_EFR_SNP		BIT(63)

/* In configuration space, at ivrs_unit.cap */
#define AMDVI_CAP_HT_TUNNEL	BIT(25)

/* A device table entry. The unit reads either half of it at once. */
struct amdvi_dte {
	u64 q[4];
} __aligned(32);
static_assert(sizeof(struct amdvi_dte) == 32, "48882, 2.2.2.1");
static_assert(sizeof(struct amdvi_dte) * 65536 == (AMDVI_DEV_TABLE_SIZE + 1) * PAGE_SIZE,
	      "the table holds all IDs");
/* q[0]: its translation */
#define AMDVI_DTE_V		BIT(0)
#define AMDVI_DTE_TV		BIT(1)
#define AMDVI_DTE_4_LEVELS	(4ull << 9)	/* 0: none, IR and IW alone decide */
#define AMDVI_DTE_IR		BIT(61)
#define AMDVI_DTE_IW		BIT(62)
/* q[1]: the rest of it; 0 forbids I/O ports, device TLBs, the exclusion range */
#define AMDVI_DTE_DOMAIN	0xffffull
#define AMDVI_DTE_SYSMGT(n)	((u64)(n) << 40)
/* q[2]: its interrupts; the bits that let INIT, ExtINT, NMI and LINT pass stay 0 */
#define AMDVI_DTE_IV		BIT(0)
#define AMDVI_DTE_INT_LEN(dte)	((u32)((dte) >> 1 & 15))	/* order of entries */
#define AMDVI_DTE_INT_ORDER(n)	((u64)(n) << 1)
#define AMDVI_DTE_INT_ROOT	0x000fffffffffffc0ull
#define AMDVI_DTE_INT_REMAP	(2ull << 60)	/* IntCtl; 0: fixed and arbitrated ones abort */

/* A command or an event */
struct amdvi_entry {
	u64 lo, hi;
};
static_assert(sizeof(struct amdvi_entry) * AMDVI_RING_ENTRIES == PAGE_SIZE, "a ring is a page");

/* Commands: amdvi_entry.lo */
#define AMDVI_CMD(op)		((u64)(op) << 60)
#define AMDVI_COMPLETION_WAIT	AMDVI_CMD(1)
#define AMDVI_INV_DEVTAB_ENTRY	AMDVI_CMD(2)
#define AMDVI_INV_IOMMU_PAGES	AMDVI_CMD(3)
#define AMDVI_INV_INT_TABLE	AMDVI_CMD(5)
#define AMDVI_INV_IOMMU_ALL	AMDVI_CMD(8)
#define AMDVI_WAIT_STORE	BIT(0)		/* hi goes to the address in bits 51:3 */
#define AMDVI_PAGES_DOMAIN(n)	((u64)(n) << 32)
#define AMDVI_PAGES_ALL		0x7ffffffffffff003ull	/* hi: all addresses, S, PDE */

/* Events: amdvi_entry.lo; hi is an address */
#define AMDVI_EVT_CODE(lo)	((u32)((lo) >> 60))
#define AMDVI_EVT_DEV(lo)	((u16)(lo))
#define AMDVI_EVT_I		BIT(51)		/* an interrupt, in codes 1 to 4 */
#define AMDVI_EVT_RW		BIT(53)		/* a write, in the same */
#define AMDVI_EVT_TYPE(lo)	((u32)((lo) >> 57 & 7))	/* code 8: what it asked for */
enum {
	AMDVI_ILLEGAL_DEV_TABLE_ENTRY	= 1,
	AMDVI_IO_PAGE_FAULT		= 2,
	AMDVI_DEV_TAB_HARDWARE_ERROR	= 3,
	AMDVI_PAGE_TAB_HARDWARE_ERROR	= 4,
	AMDVI_ILLEGAL_COMMAND_ERROR	= 5,
	AMDVI_COMMAND_HARDWARE_ERROR	= 6,
	AMDVI_IOTLB_INV_TIMEOUT		= 7,
	AMDVI_INVALID_DEVICE_REQUEST	= 8,
	AMDVI_INVALID_PPR_REQUEST	= 9,
	AMDVI_EVENT_COUNTER_ZERO	= 10,
	AMDVI_GUEST_EVENT_FAULT		= 11,
	AMDVI_RMP_PAGE_FAULT		= 13,
	AMDVI_RMP_HARDWARE_ERROR	= 14,
};
#define AMDVI_REQ_INT_CTL	5	/* interrupt; IntCtl forbids it */
#define AMDVI_REQ_INT_KIND	6	/* interrupt of a kind that may not pass */

#endif
