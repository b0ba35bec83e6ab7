// SPDX-License-Identifier: GPL-2.0-only
/* What the bits of second-level page-table entries mean. */
#include "lib/x86.h"
#include "npt.h"

#define ADDR_51_12	0x000ffffffffff000ull

/*
 * AMD nested paging: AMD64 long-mode entries (APM vol. 2, 5.3 and 15.25.5).
 * Every nested walk is a user access, so U is always set.  MTRRs apply to
 * the resulting address and the guest's PAT after that, so WB (PAT entry 0)
 * is right for RAM and devices alike.  Bits 58:52 are ignored by hardware.
 */
#define AMD_P		BIT(0)
#define AMD_W		BIT(1)
#define AMD_U		BIT(2)
#define AMD_A		BIT(5)
#define AMD_D		BIT(6)
#define AMD_PS		BIT(7)
#define AMD_NX		BIT(63)
#define AMD_TABLE	(AMD_P | AMD_W | AMD_U | AMD_A)

/* CPUID Fn8000_0001_EDX */
#define CPUID_PAGE1GB	BIT(26)

static u32 amd_max_order(void)
{
	return cpuid(0x80000001).edx & CPUID_PAGE1GB ? 18 : 9;
}

const struct npt_format npt_format_amd = {
	.name = "NPT",
	.present = AMD_P,
	.table = { 0, AMD_TABLE, AMD_TABLE, AMD_TABLE },
	.leaf = AMD_P | AMD_U | AMD_A | AMD_D,
	.write = AMD_W,
	.noexec = AMD_NX,
	.leaf_mask = AMD_PS,
	.leaf_val = AMD_PS,
	.addr = ADDR_51_12,
	.accessed = AMD_A,
	.dirty = AMD_D,
	.device = BIT(52),
	.logged = BIT(54),
	.mark = BIT(53),
	.max_order = amd_max_order,
};

/*
 * Intel EPT (SDM vol. 3, 29.3.2).  EPT's memory type takes the place of the
 * MTRRs, the guest's PAT applies to it unless IPAT is set.  Bits 8 and 9 are
 * ignored when accessed and dirty flags are not enabled; bits 56:52 always.
 */
#define EPT_R		BIT(0)
#define EPT_W		BIT(1)
#define EPT_X		BIT(2)
#define EPT_MT(t)	((u64)(t) << 3)
#define EPT_IPAT	BIT(6)
#define EPT_PS		BIT(7)
#define EPT_A		BIT(8)
#define EPT_D		BIT(9)
#define EPT_MT_UC	0
#define EPT_MT_WB	6
#define EPT_TABLE	(EPT_R | EPT_W | EPT_X | EPT_A)

#define MSR_EPT_VPID_CAP	0x48c
#define EPT_CAP_1G		BIT(17)

static u32 ept_max_order(void)
{
	return rdmsr(MSR_EPT_VPID_CAP) & EPT_CAP_1G ? 18 : 9;
}

const struct npt_format npt_format_ept = {
	.name = "EPT",
	.present = EPT_R | EPT_W | EPT_X,
	.table = { 0, EPT_TABLE, EPT_TABLE, EPT_TABLE },
	.leaf = EPT_R | EPT_A | EPT_D,
	.write = EPT_W,
	.exec = EPT_X,
	.leaf_mask = EPT_PS,
	.leaf_val = EPT_PS,
	.addr = ADDR_51_12,
	.memtype_mask = EPT_MT(7) | EPT_IPAT,
	.memtype = {
		[NPT_MT_WB] = EPT_MT(EPT_MT_WB),
		[NPT_MT_WB_ONLY] = EPT_MT(EPT_MT_WB) | EPT_IPAT,
		[NPT_MT_UC] = EPT_MT(EPT_MT_UC),
	},
	.accessed = EPT_A,
	.dirty = EPT_D,
	.device = BIT(52),
	.logged = BIT(54),
	.mark = BIT(53),
	.max_order = ept_max_order,
};

/*
 * VT-d second-level entries (D51397, 9.8): a page walk needs R or W on the whole way.
 * Bits 62:52 are ignored where no device TLBs are in use (TM, bit 62, counts for
 * these only). Bit 11, SNP, is reserved but where the unit has snoop control.
 */
#define VTD_R		BIT(0)
#define VTD_W		BIT(1)
#define VTD_SP		BIT(7)
#define VTD_SNP		BIT(11)
#define VTD_TABLE	(VTD_R | VTD_W)

#define VTD_FORMAT(n, leaf_bits) {					\
	.name = n,							\
	.present = VTD_R | VTD_W,					\
	.table = { 0, VTD_TABLE, VTD_TABLE, VTD_TABLE },		\
	.leaf = leaf_bits,						\
	.write = VTD_W,							\
	.leaf_mask = VTD_SP,						\
	.leaf_val = VTD_SP,						\
	.addr = ADDR_51_12,						\
	.device = BIT(52),						\
	.mark = BIT(53),						\
}

const struct npt_format npt_format_vtd = VTD_FORMAT("VT-d", VTD_R);
const struct npt_format npt_format_vtd_snoop = VTD_FORMAT("VT-d", VTD_R | VTD_SNP);

/*
 * AMD's v1 I/O page tables (48882, 2.2.7): bits 11:9 say the level of the table that an
 * entry links, 0 that it is a leaf of its own level's size. IR and IW must be set on
 * the whole way. FC makes accesses coherent. Bits 8:1 are ignored.
 */
#define AMDVI_P		BIT(0)
#define AMDVI_NEXT(l)	((u64)(l) << 9)
#define AMDVI_FC	BIT(60)
#define AMDVI_IR	BIT(61)
#define AMDVI_IW	BIT(62)
#define AMDVI_TABLE(l)	(AMDVI_P | AMDVI_NEXT(l) | AMDVI_IR | AMDVI_IW)

const struct npt_format npt_format_amdvi = {
	.name = "AMD-Vi",
	.present = AMDVI_P,
	.table = { 0, AMDVI_TABLE(1), AMDVI_TABLE(2), AMDVI_TABLE(3) },
	.leaf = AMDVI_P | AMDVI_IR | AMDVI_FC,
	.write = AMDVI_IW,
	.leaf_mask = AMDVI_NEXT(7),
	.leaf_val = 0,
	.addr = ADDR_51_12,
	.device = BIT(2),
	.mark = BIT(3),
};
