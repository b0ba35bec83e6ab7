/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The virtual machine control structure: encodings of its fields (SDM vol. 3,
 * app. B), control bits (ch. 25), exit reasons (app. C).  No code; entry.S
 * and the unit tests read it as well.
 */
#ifndef HV_VMX_VMCS_H
#define HV_VMX_VMCS_H

/* ---- fields ---- */

#define VMCS_VPID		0x0000
#define VMCS_POSTED_VECTOR	0x0002
#define VMCS_GUEST_INTR_STATUS	0x0810	/* SVI << 8 | RVI */

#define VMCS_HOST_ES		0x0c00
#define VMCS_HOST_CS		0x0c02
#define VMCS_HOST_SS		0x0c04
#define VMCS_HOST_DS		0x0c06
#define VMCS_HOST_FS		0x0c08
#define VMCS_HOST_GS		0x0c0a
#define VMCS_HOST_TR		0x0c0c

#define VMCS_IO_BITMAP(half)	(0x2000 + 2 * (half))
#define VMCS_MSR_BITMAP		0x2004
#define VMCS_TSC_OFFSET		0x2010
#define VMCS_VIRTUAL_APIC	0x2012
#define VMCS_APIC_ACCESS	0x2014
#define VMCS_POSTED_DESC	0x2016
#define VMCS_EPTP		0x201a
#define VMCS_EOI_EXIT(n)	(0x201c + 2 * (n))
#define VMCS_ENCLS_BITMAP	0x202e
#define VMCS_GUEST_PHYSICAL	0x2400
#define VMCS_LINK_POINTER	0x2800
#define VMCS_GUEST_DEBUGCTL	0x2802
#define VMCS_GUEST_PAT		0x2804
#define VMCS_GUEST_EFER		0x2806
#define VMCS_GUEST_PDPTE(n)	(0x280a + 2 * (n))
#define VMCS_HOST_PAT		0x2c00
#define VMCS_HOST_EFER		0x2c02

#define VMCS_PIN		0x4000
#define VMCS_PROC		0x4002
#define VMCS_EXC_BITMAP		0x4004
#define VMCS_PF_MASK		0x4006
#define VMCS_PF_MATCH		0x4008
#define VMCS_CR3_TARGETS	0x400a
#define VMCS_EXIT_CTL		0x400c
#define VMCS_EXIT_MSR_STORES	0x400e
#define VMCS_EXIT_MSR_LOADS	0x4010
#define VMCS_ENTRY_CTL		0x4012
#define VMCS_ENTRY_MSR_LOADS	0x4014
#define VMCS_ENTRY_INTR		0x4016
#define VMCS_ENTRY_ERROR	0x4018
#define VMCS_ENTRY_INSN_LEN	0x401a
#define VMCS_TPR_THRESHOLD	0x401c
#define VMCS_PROC2		0x401e
#define VMCS_PLE_GAP		0x4020
#define VMCS_PLE_WINDOW		0x4022
#define VMCS_NOTIFY_WINDOW	0x4024
#define VMCS_INSN_ERROR		0x4400
#define VMCS_EXIT_REASON	0x4402
#define VMCS_EXIT_INTR		0x4404
#define VMCS_EXIT_ERROR		0x4406
#define VMCS_IDT_INTR		0x4408
#define VMCS_IDT_ERROR		0x440a
#define VMCS_INSN_LEN		0x440c
#define VMCS_GUEST_GDTR_LIMIT	0x4810
#define VMCS_GUEST_IDTR_LIMIT	0x4812
#define VMCS_GUEST_INTR_STATE	0x4824
#define VMCS_GUEST_ACTIVITY	0x4826
#define VMCS_GUEST_SYSENTER_CS	0x482a
#define VMCS_GUEST_TIMER	0x482e
#define VMCS_HOST_SYSENTER_CS	0x4c00

#define VMCS_CR0_MASK		0x6000
#define VMCS_CR4_MASK		0x6002
#define VMCS_CR0_SHADOW		0x6004
#define VMCS_CR4_SHADOW		0x6006
#define VMCS_QUALIFICATION	0x6400
#define VMCS_GUEST_CR0		0x6800
#define VMCS_GUEST_CR3		0x6802
#define VMCS_GUEST_CR4		0x6804
#define VMCS_GUEST_GDTR_BASE	0x6816
#define VMCS_GUEST_IDTR_BASE	0x6818
#define VMCS_GUEST_DR7		0x681a
#define VMCS_GUEST_RSP		0x681c
#define VMCS_GUEST_RIP		0x681e
#define VMCS_GUEST_RFLAGS	0x6820
#define VMCS_GUEST_PENDING_DB	0x6822
#define VMCS_GUEST_SYSENTER_ESP	0x6824
#define VMCS_GUEST_SYSENTER_EIP	0x6826
#define VMCS_HOST_CR0		0x6c00
#define VMCS_HOST_CR3		0x6c02
#define VMCS_HOST_CR4		0x6c04
#define VMCS_HOST_FS_BASE	0x6c06
#define VMCS_HOST_GS_BASE	0x6c08
#define VMCS_HOST_TR_BASE	0x6c0a
#define VMCS_HOST_GDTR_BASE	0x6c0c
#define VMCS_HOST_IDTR_BASE	0x6c0e
#define VMCS_HOST_SYSENTER_ESP	0x6c10
#define VMCS_HOST_SYSENTER_EIP	0x6c12
#define VMCS_HOST_RSP		0x6c14
#define VMCS_HOST_RIP		0x6c16

/* Guest segments, by number. */
#define SEG_ES			0
#define SEG_CS			1
#define SEG_SS			2
#define SEG_DS			3
#define SEG_FS			4
#define SEG_GS			5
#define SEG_LDTR		6
#define SEG_TR			7
#define NR_SEGS			8
#define VMCS_SEG_SELECTOR(n)	(0x0800 + 2 * (n))
#define VMCS_SEG_LIMIT(n)	(0x4800 + 2 * (n))
#define VMCS_SEG_AR(n)		(0x4814 + 2 * (n))
#define VMCS_SEG_BASE(n)	(0x6806 + 2 * (n))

/* Access rights (25.4.1): those of lib/segment.h, and: */
#define AR_UNUSABLE		(1u << 16)
#define AR_RESERVED		0xfffe0f00u

/* ---- controls ---- */

#define PIN_INTR		(1u << 0)
#define PIN_NMI			(1u << 3)
#define PIN_VIRTUAL_NMI		(1u << 5)
#define PIN_TIMER		(1u << 6)	/* preemption timer */
#define PIN_POSTED		(1u << 7)

#define PROC_IRQ_WINDOW		(1u << 2)
#define PROC_TSC_OFFSET		(1u << 3)
#define PROC_HLT		(1u << 7)
#define PROC_MWAIT		(1u << 10)
#define PROC_RDPMC		(1u << 11)
#define PROC_CR8_LOAD		(1u << 19)
#define PROC_CR8_STORE		(1u << 20)
#define PROC_CR8_EXITS		(PROC_CR8_LOAD | PROC_CR8_STORE)
#define PROC_TPR_SHADOW		(1u << 21)
#define PROC_NMI_WINDOW		(1u << 22)
#define PROC_MOV_DR		(1u << 23)
#define PROC_UNCOND_IO		(1u << 24)
#define PROC_IO_BITMAPS		(1u << 25)
#define PROC_MSR_BITMAPS	(1u << 28)
#define PROC_MONITOR		(1u << 29)
#define PROC_SECONDARY		(1u << 31)

#define PROC2_APIC_ACCESS	(1u << 0)
#define PROC2_EPT		(1u << 1)
#define PROC2_RDTSCP		(1u << 3)
#define PROC2_X2APIC		(1u << 4)
#define PROC2_VPID		(1u << 5)
#define PROC2_WBINVD		(1u << 6)
#define PROC2_UNRESTRICTED	(1u << 7)
#define PROC2_APIC_REGS		(1u << 8)
#define PROC2_DELIVERY		(1u << 9)	/* virtual-interrupt delivery */
#define PROC2_PAUSE_LOOP	(1u << 10)
#define PROC2_INVPCID		(1u << 12)
#define PROC2_ENCLS		(1u << 15)
#define PROC2_USER_WAIT		(1u << 26)
#define PROC2_BUS_LOCK		(1u << 30)	/* exit after each bus lock */
#define PROC2_NOTIFY		(1u << 31)	/* exit where no boundary of instructions comes */

#define EXIT_SAVE_DEBUG		(1u << 2)
#define EXIT_HOST_64		(1u << 9)
#define EXIT_TAKE_INTR		(1u << 15)	/* acknowledge interrupt on exit */
#define EXIT_SAVE_PAT		(1u << 18)
#define EXIT_LOAD_PAT		(1u << 19)
#define EXIT_SAVE_EFER		(1u << 20)
#define EXIT_LOAD_EFER		(1u << 21)

#define ENTRY_LOAD_DEBUG	(1u << 2)
#define ENTRY_IA32E		(1u << 9)
#define ENTRY_LOAD_PAT		(1u << 14)
#define ENTRY_LOAD_EFER		(1u << 15)

/* ---- events: entry, exit and IDT-vectoring information (25.8.3, 25.9) ---- */

#define INTR_VECTOR		0xffu
#define INTR_TYPE(i)		((i) >> 8 & 7)
#define INTR_TYPE_SHIFT		8
#define INTR_EXT		0
#define INTR_NMI		2
#define INTR_EXC		3
#define INTR_SOFT		4
#define INTR_PRIV_SOFT_EXC	5
#define INTR_SOFT_EXC		6
#define INTR_ERROR		(1u << 11)
#define INTR_NMI_UNBLOCKED	(1u << 12)	/* exits only: by an IRET */
#define INTR_VALID		(1u << 31)

/* Interruptibility (25.4.2) */
#define INTR_STATE_STI		(1u << 0)
#define INTR_STATE_MOV_SS	(1u << 1)
#define INTR_STATE_SMI		(1u << 2)
#define INTR_STATE_NMI		(1u << 3)
#define INTR_STATE_SHADOW	(INTR_STATE_STI | INTR_STATE_MOV_SS)

#define PENDING_DB_BS		(1u << 14)

/* ---- exit reasons ---- */

#define EXIT_EXCEPTION		0	/* or an NMI */
#define EXIT_INTR		1
#define EXIT_TRIPLE_FAULT	2
#define EXIT_INIT		3
#define EXIT_IO_SMI		5
#define EXIT_SMI		6
#define EXIT_IRQ_WINDOW		7
#define EXIT_NMI_WINDOW		8
#define EXIT_TASK_SWITCH	9
#define EXIT_CPUID		10
#define EXIT_GETSEC		11
#define EXIT_HLT		12
#define EXIT_INVD		13
#define EXIT_RDPMC		15
#define EXIT_VMCALL		18
#define EXIT_VMCLEAR		19
#define EXIT_VMXON		27
#define EXIT_CR			28
#define EXIT_MOV_DR		29
#define EXIT_IO			30
#define EXIT_RDMSR		31
#define EXIT_WRMSR		32
#define EXIT_BAD_GUEST		33
#define EXIT_BAD_MSR		34
#define EXIT_MWAIT		36
#define EXIT_MONITOR		39
#define EXIT_PAUSE		40
#define EXIT_BAD_MC		41
#define EXIT_TPR		43
#define EXIT_APIC_ACCESS	44
#define EXIT_EOI		45
#define EXIT_EPT		48
#define EXIT_INVEPT		50
#define EXIT_TIMER		52
#define EXIT_INVVPID		53
#define EXIT_WBINVD		54
#define EXIT_XSETBV		55
#define EXIT_APIC_WRITE		56
#define EXIT_ENCLS		60
#define EXIT_BUS_LOCK		74
#define EXIT_NOTIFY		75
#define EXIT_SEAMCALL		76	/* these two by no control, where the CPU has TDX */
#define EXIT_TDCALL		77
#define EXIT_END		78
#define EXIT_ENTRY_FAILED	(1u << 31)

/* Qualification: task switches, CR accesses, I/O, EPT violations (28.2.1) */
#define QUAL_TASK_SELECTOR(q)	((u16)(q))
#define QUAL_TASK_SOURCE(q)	((u8)((q) >> 30) & 3)
#define QUAL_CR(q)		((u8)(q) & 0xf)
#define QUAL_CR_TYPE(q)		((u8)((q) >> 4) & 3)
#define QUAL_CR_TO		0
#define QUAL_CR_FROM		1
#define QUAL_CR_GPR(q)		((u8)((q) >> 8) & 0xf)
#define QUAL_IO_SIZE(q)		(((u8)(q) & 7) + 1)
#define QUAL_IO_IN		(1u << 3)
#define QUAL_IO_STR		(1u << 4)
#define QUAL_IO_REP		(1u << 5)
#define QUAL_IO_PORT(q)		((u16)((q) >> 16))
#define QUAL_APIC_OFFSET(q)	((u16)(q) & 0xfff)
#define QUAL_APIC_TYPE(q)	((u8)((q) >> 12) & 0xf)
#define QUAL_APIC_READ		0	/* by an instruction, its linear address known */
#define QUAL_APIC_WRITE		1
#define QUAL_APIC_FETCH		2
#define QUAL_EPT_WRITE		(1u << 1)
#define QUAL_EPT_FETCH		(1u << 2)
#define QUAL_EPT_MAPPED		(7u << 3)
#define QUAL_EPT_LINEAR		(1u << 7)
#define QUAL_EPT_FINAL		(1u << 8)	/* not by the walk of the guest's tables */
#define QUAL_EPT_NMI_UNBLOCKED	(1u << 12)

#define QUAL_NOTIFY_INVALID	BIT(0)
#define QUAL_NOTIFY_NMI_UNBLOCKED BIT(12)

/* ---- EPTP (25.6.11), IA32_VMX_EPT_VPID_CAP (app. A.10), INVEPT ---- */

#define EPTP_WB			6u
#define EPTP_WALK_4		(3u << 3)
#define EPTP_AD			(1u << 6)

#define EPT_CAP_WALK_4		(1u << 6)
#define EPT_CAP_WB		(1u << 14)
#define EPT_CAP_2M		(1u << 16)
#define EPT_CAP_INVEPT		(1u << 20)
#define EPT_CAP_AD		(1u << 21)
#define EPT_CAP_INVEPT_ONE	(1u << 25)
#define EPT_CAP_INVEPT_ALL	(1u << 26)

#define INVEPT_ONE		1
#define INVEPT_ALL		2

#endif
