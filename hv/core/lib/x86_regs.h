/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Numbers and bits of x86 registers, named as in the vendors' manuals (SDM
 * vol. 3 ch. 2 and vol. 4; APM vol. 2 ch. 3 and app. A). No code: also for the
 * unit tests and, where noted, for assembly.
 */
#ifndef BP_CORE_X86_REGS_H
#define BP_CORE_X86_REGS_H

/* RFLAGS */
#define X86_EFLAGS_CF		(1u << 0)
#define X86_EFLAGS_FIXED	(1u << 1)
#define X86_EFLAGS_PF		(1u << 2)
#define X86_EFLAGS_AF		(1u << 4)
#define X86_EFLAGS_ZF		(1u << 6)
#define X86_EFLAGS_SF		(1u << 7)
#define X86_EFLAGS_TF		(1u << 8)
#define X86_EFLAGS_IF		(1u << 9)
#define X86_EFLAGS_DF		(1u << 10)
#define X86_EFLAGS_OF		(1u << 11)
#define X86_EFLAGS_IOPL		(3u << 12)
#define X86_EFLAGS_RF		(1u << 16)
#define X86_EFLAGS_VM		(1u << 17)
#define X86_EFLAGS_AC		(1u << 18)
#define X86_EFLAGS_VIF		(1u << 19)
#define X86_EFLAGS_VIP		(1u << 20)
#define X86_EFLAGS_ID		(1u << 21)

/* CR0 */
#define X86_CR0_PE		(1ull << 0)
#define X86_CR0_MP		(1ull << 1)
#define X86_CR0_EM		(1ull << 2)
#define X86_CR0_TS		(1ull << 3)
#define X86_CR0_ET		(1ull << 4)
#define X86_CR0_NE		(1ull << 5)
#define X86_CR0_WP		(1ull << 16)
#define X86_CR0_AM		(1ull << 18)
#define X86_CR0_NW		(1ull << 29)
#define X86_CR0_CD		(1ull << 30)
#define X86_CR0_PG		(1ull << 31)

/* CR4 */
#define X86_CR4_VME		(1ull << 0)
#define X86_CR4_PVI		(1ull << 1)
#define X86_CR4_TSD		(1ull << 2)
#define X86_CR4_DE		(1ull << 3)
#define X86_CR4_PSE		(1ull << 4)
#define X86_CR4_PAE		(1ull << 5)
#define X86_CR4_MCE		(1ull << 6)
#define X86_CR4_PGE		(1ull << 7)
#define X86_CR4_PCE		(1ull << 8)
#define X86_CR4_OSFXSR		(1ull << 9)
#define X86_CR4_OSXMMEXCPT	(1ull << 10)
#define X86_CR4_UMIP		(1ull << 11)
#define X86_CR4_LA57		(1ull << 12)
#define X86_CR4_VMXE		(1ull << 13)
#define X86_CR4_SMXE		(1ull << 14)
#define X86_CR4_FSGSBASE	(1ull << 16)
#define X86_CR4_PCIDE		(1ull << 17)
#define X86_CR4_OSXSAVE		(1ull << 18)
#define X86_CR4_SMEP		(1ull << 20)
#define X86_CR4_SMAP		(1ull << 21)
#define X86_CR4_PKE		(1ull << 22)
#define X86_CR4_CET		(1ull << 23)
#define X86_CR4_PKS		(1ull << 24)

/* XCR0 */
#define XCR0_FP			(1ull << 0)
#define XCR0_SSE		(1ull << 1)
#define XCR0_AVX		(1ull << 2)
#define XCR0_BNDREGS		(1ull << 3)
#define XCR0_BNDCSR		(1ull << 4)
#define XCR0_OPMASK		(1ull << 5)
#define XCR0_ZMM_HI256		(1ull << 6)
#define XCR0_HI16_ZMM		(1ull << 7)
#define XCR0_PKRU		(1ull << 9)
#define XCR0_TILE_CFG		(1ull << 17)
#define XCR0_TILE_DATA		(1ull << 18)

/* DR6 and DR7; what they hold after INIT */
#define X86_DR6_B		0xfull		/* breakpoints 3:0 */
#define X86_DR6_BLD		(1ull << 11)	/* 0: it happened */
#define X86_DR6_BD		(1ull << 13)
#define X86_DR6_BS		(1ull << 14)
#define X86_DR6_RTM		(1ull << 16)	/* 0: it happened */
#define X86_DR6_INIT		0xffff0ff0ull
#define X86_DR7_ENABLED		0xffull		/* L0, G0 to L3, G3 */
#define X86_DR7_GD		(1ull << 13)
#define X86_DR7_INIT		0x400ull

/* Exception vectors */
#define X86_TRAP_DE	0
#define X86_TRAP_DB	1
#define X86_TRAP_NMI	2
#define X86_TRAP_BP	3
#define X86_TRAP_OF	4
#define X86_TRAP_BR	5
#define X86_TRAP_UD	6
#define X86_TRAP_NM	7
#define X86_TRAP_DF	8
#define X86_TRAP_TS	10
#define X86_TRAP_NP	11
#define X86_TRAP_SS	12
#define X86_TRAP_GP	13
#define X86_TRAP_PF	14
#define X86_TRAP_MF	16
#define X86_TRAP_AC	17
#define X86_TRAP_MC	18
#define X86_TRAP_XF	19
#define X86_TRAP_CP	21
#define X86_TRAP_SX	30

/* MSRs of both vendors */
#define MSR_TSC			0x10
#define MSR_PLATFORM_ID		0x17
#define MSR_APIC_BASE		0x1b
#define MSR_FEATURE_CONTROL	0x3a
#define MSR_TSC_ADJUST		0x3b
#define MSR_SPEC_CTRL		0x48
#define MSR_PRED_CMD		0x49
#define MSR_UCODE_WRITE		0x79
#define MSR_UCODE_REV		0x8b
#define MSR_XAPIC_DISABLE_STATUS 0xbd
#define MSR_MTRRCAP		0xfe
#define MSR_ARCH_CAPABILITIES	0x10a
#define MSR_FLUSH_CMD		0x10b
#define MSR_SYSENTER_CS		0x174
#define MSR_SYSENTER_ESP	0x175
#define MSR_SYSENTER_EIP	0x176
#define MSR_MCG_CAP		0x179
#define MCG_CMCI_P		BIT(10)
#define MSR_MCG_STATUS		0x17a
#define MCG_STATUS_RIPV		BIT(0)	/* the interrupted code can go on */
#define MCG_STATUS_EIPV		BIT(1)	/* it has to do with the error */
#define MSR_MCG_CTL		0x17b
#define MSR_MISC_ENABLE		0x1a0
#define MSR_DEBUGCTL		0x1d9
#define MSR_LBR_FROM		0x1db
#define MSR_LBR_TO		0x1dc
#define MSR_LASTINT_FROM	0x1dd
#define MSR_LASTINT_TO		0x1de
#define MSR_MTRR_PHYSBASE0	0x200
#define MSR_MTRR_PHYSMASK0	0x201
#define MSR_MTRR_FIX64K_00000	0x250
#define MSR_MTRR_FIX16K_80000	0x258
#define MSR_MTRR_FIX16K_A0000	0x259
#define MSR_MTRR_FIX4K_C0000	0x268
#define MSR_MTRR_FIX4K_F8000	0x26f
#define MSR_PAT			0x277
#define MSR_MTRR_DEF_TYPE	0x2ff
#define MSR_MC0_CTL2		0x280
#define MSR_MC0_CTL		0x400
#define MSR_U_CET		0x6a0
#define MSR_S_CET		0x6a2
#define MSR_TSC_DEADLINE	0x6e0
#define MSR_X2APIC_BASE		0x800
#define MSR_XSS			0xda0
#define MSR_EFER		0xc0000080
#define MSR_STAR		0xc0000081
#define MSR_LSTAR		0xc0000082
#define MSR_CSTAR		0xc0000083
#define MSR_SFMASK		0xc0000084
#define MSR_FS_BASE		0xc0000100
#define MSR_GS_BASE		0xc0000101
#define MSR_KERNEL_GS_BASE	0xc0000102
#define MSR_TSC_AUX		0xc0000103

/* MSRs of AMD */
#define MSR_AMD_TSC_RATIO	0xc0000104
#define MSR_AMD_SYSCFG		0xc0010010
#define MSR_AMD_HWCR		0xc0010015
#define MSR_AMD_TOP_MEM		0xc001001a
#define MSR_AMD_TOP_MEM2	0xc001001d
#define MSR_AMD_NB_CFG		0xc001001f
#define MSR_AMD_INT_PENDING	0xc0010055
#define MSR_AMD_VM_CR		0xc0010114
#define MSR_AMD_IGNNE		0xc0010115
#define MSR_AMD_SMM_CTL		0xc0010116
#define MSR_AMD_VM_HSAVE_PA	0xc0010117
#define MSR_AMD_SVM_KEY		0xc0010118
#define MSR_AMD_LS_CFG		0xc0011020
#define MSR_AMD_FP_CFG		0xc0011028
#define MSR_AMD_DE_CFG		0xc0011029
#define MSR_AMD_BP_CFG		0xc001102e
#define MSR_AMD_BP_SUPPRESS	0xc00110e3	/* SuppressBPOnNonBr */

/* MSRs of Intel's VMX */
#define MSR_VMX_BASIC		0x480
#define MSR_VMX_VMFUNC		0x491

/* MSR_APIC_BASE */
#define APIC_BASE_BSP		(1ull << 8)
#define APIC_BASE_EXTD		(1ull << 10)
#define APIC_BASE_ENABLE	(1ull << 11)
#define APIC_BASE_ADDR		0x000ffffffffff000ull

/* MSR_EFER */
#define EFER_SCE		(1ull << 0)
#define EFER_LME		(1ull << 8)
#define EFER_LMA		(1ull << 10)
#define EFER_NX			(1ull << 11)
#define EFER_SVME		(1ull << 12)
#define EFER_LMSLE		(1ull << 13)
#define EFER_FFXSR		(1ull << 14)
#define EFER_TCE		(1ull << 15)
#define EFER_AUTOIBRS		(1ull << 21)

/* MSR_DEBUGCTL */
#define DEBUGCTL_LBR		(1ull << 0)
#define DEBUGCTL_BTF		(1ull << 1)	/* single steps stop at branches only */

/* MSR_AMD_DE_CFG */
#define DE_CFG_LFENCE		BIT(1)		/* LFENCE waits for what is before it */
#define DE_CFG_FP_BACKUP_FIX	BIT(9)		/* Zen 2: registers keep nothing of others */
/* MSR_AMD_VM_CR */
#define VM_CR_DPD		(1ull << 0)
#define VM_CR_R_INIT		(1ull << 1)
#define VM_CR_DIS_A20M		(1ull << 2)
#define VM_CR_LOCK		(1ull << 3)
#define VM_CR_SVMDIS		(1ull << 4)

/* MSR_MTRRCAP, MSR_MTRR_DEF_TYPE, MSR_MTRR_PHYSMASKn */
#define MTRRCAP_VCNT		0xffull
#define MTRRCAP_FIX		(1ull << 8)
#define MTRRCAP_WC		(1ull << 10)
#define MTRR_DEF_TYPE		0xffull
#define MTRR_DEF_FE		(1ull << 10)
#define MTRR_DEF_E		(1ull << 11)
#define MTRR_MASK_VALID		(1ull << 11)

/* Memory types (MTRR and PAT encoding) */
#define MEMTYPE_UC		0
#define MEMTYPE_WC		1
#define MEMTYPE_WT		4
#define MEMTYPE_WP		5
#define MEMTYPE_WB		6
#define MEMTYPE_UC_MINUS	7

#define PAT_RESET		0x0007040600070406ull

/*
 * The PAT that Bedplate runs with: the reset value but entry 1 = WC, entry 5
 * = WP (index = PAT<<2 | PCD<<1 | PWT).
 */
#define BP_PAT			0x0007050600070106ull

/* Page table entries of Bedplate's own tables */
#define HPTE_P			(1ull << 0)
#define HPTE_W			(1ull << 1)
#define HPTE_U			(1ull << 2)
#define HPTE_PWT			(1ull << 3)
#define HPTE_PCD			(1ull << 4)
#define HPTE_A			(1ull << 5)
#define HPTE_D			(1ull << 6)
#define HPTE_PS			(1ull << 7)
#define HPTE_G			(1ull << 8)
#define HPTE_NX			(1ull << 63)
#define HPTE_ADDR		0x000ffffffffff000ull

/* Bedplate's own segments; TSS takes two slots (gdt.c). */
#define SEL_CODE64		0x08
#define SEL_DATA		0x10
#define SEL_TSS			0x18

#endif
