/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The virtual machine control block, as hardware lays it out (APM vol. 2,
 * app. B), the intercept bits and exit codes (app. C).  No code.  The shim, whose
 * guests may have VMCBs of their own, compiles it too: whoever includes it has
 * u8 to u64, BIT() and static_assert().
 */
#ifndef HV_SVM_VMCB_H
#define HV_SVM_VMCB_H

/* ---- intercepts ---- */

#define SVM_CR_WRITE(n)		(1u << (16 + (n)))	/* of ->intercept_cr */

/* ->intercept1 */
#define SVM_I1_INTR		(1u << 0)
#define SVM_I1_NMI		(1u << 1)
#define SVM_I1_SMI		(1u << 2)
#define SVM_I1_INIT		(1u << 3)
#define SVM_I1_VINTR		(1u << 4)
#define SVM_I1_RDPMC		(1u << 15)
#define SVM_I1_CPUID		(1u << 18)
#define SVM_I1_IRET		(1u << 20)
#define SVM_I1_INVD		(1u << 22)
#define SVM_I1_PAUSE		(1u << 23)
#define SVM_I1_HLT		(1u << 24)
#define SVM_I1_INVLPGA		(1u << 26)
#define SVM_I1_IOIO		(1u << 27)
#define SVM_I1_MSR		(1u << 28)
#define SVM_I1_SHUTDOWN		(1u << 31)
#define SVM_I1_EVENTS		0x1fu	/* INTR to VINTR: not of instructions */

/* ->intercept2 */
#define SVM_I2_VMRUN		(1u << 0)
#define SVM_I2_VMMCALL		(1u << 1)
#define SVM_I2_VMLOAD		(1u << 2)
#define SVM_I2_VMSAVE		(1u << 3)
#define SVM_I2_STGI		(1u << 4)
#define SVM_I2_CLGI		(1u << 5)
#define SVM_I2_SKINIT		(1u << 6)
#define SVM_I2_WBINVD		(1u << 9)
#define SVM_I2_MONITOR		(1u << 10)
#define SVM_I2_MWAIT		(1u << 11)
#define SVM_I2_XSETBV		(1u << 13)
#define SVM_I2_RDPRU		(1u << 14)
#define SVM_I2_INSNS		0x7fffu	/* all up to here: instructions */

/* ->intercept3 */
#define SVM_I3_INVPCID		(1u << 2)
#define SVM_I3_BUS_LOCK		(1u << 5)

/* ---- other control fields ---- */

/* ->tlb_ctl */
#define SVM_TLB_NONE		0
#define SVM_TLB_FLUSH_ALL	1
#define SVM_TLB_FLUSH_ASID	3

/* ->int_ctl */
#define SVM_V_TPR		0xfu		/* CR8; bits 7:4 read as zero */
#define SVM_V_IRQ		(1u << 8)
#define SVM_V_INTR_PRIO		(0xfu << 16)
#define SVM_V_IGN_TPR		(1u << 20)
#define SVM_V_INTR_MASKING	(1u << 24)

/* ->int_state */
#define SVM_INT_SHADOW		1ull

/* ->event_inj, ->exit_int_info (APM 15.20, 15.7.2) */
#define SVM_EVT_VECTOR		0xffull
#define SVM_EVT_TYPE_SHIFT	8
#define SVM_EVT_TYPE(e)		((u8)((e) >> SVM_EVT_TYPE_SHIFT) & 7)
#define SVM_EVT_INTR		0
#define SVM_EVT_NMI		2
#define SVM_EVT_EXC		3
#define SVM_EVT_SOFT		4
#define SVM_EVT_ERROR		BIT(11)		/* error code in bits 63:32 */
#define SVM_EVT_VALID		BIT(31)

/* ->nested_ctl */
#define SVM_NP_ENABLE		BIT(0)

/* ->clean: what the CPU may keep cached from the last VMRUN (APM 15.15.3) */
#define SVM_CLEAN_I		(1u << 0)	/* intercepts, TSC offset, pause filter */
#define SVM_CLEAN_MAPS		(1u << 1)	/* I/O and MSR permission maps */
#define SVM_CLEAN_ASID		(1u << 2)
#define SVM_CLEAN_TPR		(1u << 3)	/* int_ctl, int_vector */
#define SVM_CLEAN_NP		(1u << 4)	/* nested_ctl, n_cr3, g_pat */
#define SVM_CLEAN_CR		(1u << 5)	/* CR0, CR3, CR4, EFER */
#define SVM_CLEAN_DR		(1u << 6)	/* DR6, DR7 */
#define SVM_CLEAN_DT		(1u << 7)	/* GDT, IDT */
#define SVM_CLEAN_SEG		(1u << 8)	/* CS, DS, SS, ES, CPL */
#define SVM_CLEAN_CR2		(1u << 9)
#define SVM_CLEAN_ALL		0x3ffu

/* ---- exit codes ---- */

#define SVM_EXIT_CR4_WRITE	0x14
#define SVM_EXIT_CR8_WRITE	0x18
#define SVM_EXIT_DR_READ(n)	(0x20 + (n))
#define SVM_EXIT_DR_WRITE(n)	(0x30 + (n))
#define SVM_EXIT_EXC(vector)	(0x40 + (vector))
#define SVM_EXIT_INTR		0x60
#define SVM_EXIT_NMI		0x61
#define SVM_EXIT_SMI		0x62
#define SVM_EXIT_INIT		0x63
#define SVM_EXIT_VINTR		0x64
#define SVM_EXIT_RDPMC		0x6f
#define SVM_EXIT_CPUID		0x72
#define SVM_EXIT_IRET		0x74
#define SVM_EXIT_INVD		0x76
#define SVM_EXIT_PAUSE		0x77
#define SVM_EXIT_HLT		0x78
#define SVM_EXIT_INVLPGA	0x7a
#define SVM_EXIT_IOIO		0x7b
#define SVM_EXIT_MSR		0x7c
#define SVM_EXIT_SHUTDOWN	0x7f
#define SVM_EXIT_VMRUN		0x80
#define SVM_EXIT_VMMCALL	0x81
#define SVM_EXIT_VMLOAD		0x82
#define SVM_EXIT_VMSAVE		0x83
#define SVM_EXIT_STGI		0x84
#define SVM_EXIT_CLGI		0x85
#define SVM_EXIT_SKINIT		0x86
#define SVM_EXIT_WBINVD		0x89
#define SVM_EXIT_MONITOR	0x8a
#define SVM_EXIT_MWAIT		0x8b
#define SVM_EXIT_MWAIT_ARMED	0x8c
#define SVM_EXIT_XSETBV		0x8d
#define SVM_EXIT_RDPRU		0x8e
#define SVM_EXIT_INVPCID	0xa2
#define SVM_EXIT_BUS_LOCK	0xa5
#define SVM_EXIT_LOW_END	0xa6
#define SVM_EXIT_NPF		0x400
#define SVM_EXIT_HIGH_END	0x404
#define SVM_EXIT_INVALID	(~0ull)

/* EXITINFO1 of IOIO (APM 15.10.2) */
#define SVM_IOIO_IN		BIT(0)
#define SVM_IOIO_STR		BIT(2)
#define SVM_IOIO_REP		BIT(3)
#define SVM_IOIO_SIZE(i)	((u8)((i) >> 4) & 7)
#define SVM_IOIO_PORT(i)	((u16)((i) >> 16))

/* EXITINFO1 of a nested page fault (APM 15.25.6) */
#define SVM_NPF_P		BIT(0)
#define SVM_NPF_W		BIT(1)
#define SVM_NPF_ID		BIT(4)
#define SVM_NPF_WALK		BIT(33)

/* ---- layout ---- */

/* ->attrib packs descriptor bits 55:52 and 47:40 (APM 15.5.1). */
#define SVM_SEG_L		(1u << 9)
#define SVM_SEG_DB		(1u << 10)

struct vmcb_seg {
	u16 selector;
	u16 attrib;
	u32 limit;
	u64 base;
};

struct vmcb_control {
	u32 intercept_cr;		/* 000: reads 15:0, writes 31:16 */
	u32 intercept_dr;
	u32 intercept_exc;		/* bit = vector */
	u32 intercept1;
	u32 intercept2;			/* 010 */
	u32 intercept3;
	u8 reserved_018[0x24];
	u16 pause_threshold;		/* 03c */
	u16 pause_count;
	u64 iopm;			/* 040 */
	u64 msrpm;
	u64 tsc_offset;			/* 050 */
	u32 asid;
	u8 tlb_ctl;			/* 05c */
	u8 reserved_05d[3];
	u32 int_ctl;			/* 060 */
	u32 int_vector;
	u64 int_state;			/* 068 */
	u64 exit_code;			/* 070 */
	u64 info1;
	u64 info2;			/* 080 */
	u64 exit_int_info;
	u64 nested_ctl;			/* 090 */
	u64 avic_bar;
	u64 ghcb;			/* 0a0 */
	u64 event_inj;
	u64 n_cr3;			/* 0b0 */
	u64 lbr_ctl;
	u32 clean;			/* 0c0 */
	u32 reserved_0c4;
	u64 nrip;			/* 0c8 */
	u8 insn_bytes_n;		/* 0d0: decode assists */
	u8 insn_bytes[15];
	u8 reserved_0e0[0x40];
	u16 bus_locks;			/* 120: those that go without an exit */
	u8 reserved_122[0x2de];
};

struct vmcb_save {
	struct vmcb_seg es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
	u8 reserved_0a0[0x2b];
	u8 cpl;				/* 0cb */
	u8 reserved_0cc[4];
	u64 efer;			/* 0d0 */
	u8 reserved_0d8[0x70];
	u64 cr4;			/* 148 */
	u64 cr3;
	u64 cr0;
	u64 dr7;			/* 160 */
	u64 dr6;
	u64 rflags;
	u64 rip;			/* 178 */
	u8 reserved_180[0x58];
	u64 rsp;			/* 1d8 */
	u64 s_cet, ssp, isst;
	u64 rax;			/* 1f8 */
	u64 star, lstar, cstar, sfmask;
	u64 kernel_gs_base;		/* 220 */
	u64 sysenter_cs, sysenter_esp, sysenter_eip;
	u64 cr2;			/* 240 */
	u8 reserved_248[0x20];
	u64 g_pat;			/* 268 */
	u64 dbgctl;
	u8 reserved_278[0x988];
};

struct vmcb {
	struct vmcb_control c;
	struct vmcb_save s;
};

#define VMCB_AT(field, off) \
	static_assert(offsetof(struct vmcb, field) == (off), "VMCB: " #field)

VMCB_AT(c.intercept_exc, 0x008);
VMCB_AT(c.intercept1, 0x00c);
VMCB_AT(c.intercept2, 0x010);
VMCB_AT(c.intercept3, 0x014);
VMCB_AT(c.pause_threshold, 0x03c);
VMCB_AT(c.pause_count, 0x03e);
VMCB_AT(c.iopm, 0x040);
VMCB_AT(c.msrpm, 0x048);
VMCB_AT(c.tsc_offset, 0x050);
VMCB_AT(c.asid, 0x058);
VMCB_AT(c.tlb_ctl, 0x05c);
VMCB_AT(c.int_ctl, 0x060);
VMCB_AT(c.int_vector, 0x064);
VMCB_AT(c.int_state, 0x068);
VMCB_AT(c.exit_code, 0x070);
VMCB_AT(c.info1, 0x078);
VMCB_AT(c.info2, 0x080);
VMCB_AT(c.exit_int_info, 0x088);
VMCB_AT(c.nested_ctl, 0x090);
VMCB_AT(c.avic_bar, 0x098);
VMCB_AT(c.ghcb, 0x0a0);
VMCB_AT(c.event_inj, 0x0a8);
VMCB_AT(c.n_cr3, 0x0b0);
VMCB_AT(c.lbr_ctl, 0x0b8);
VMCB_AT(c.clean, 0x0c0);
VMCB_AT(c.nrip, 0x0c8);
VMCB_AT(c.insn_bytes_n, 0x0d0);
VMCB_AT(c.bus_locks, 0x120);
VMCB_AT(s, 0x400);
VMCB_AT(s.cs, 0x410);
VMCB_AT(s.ss, 0x420);
VMCB_AT(s.ds, 0x430);
VMCB_AT(s.fs, 0x440);
VMCB_AT(s.gs, 0x450);
VMCB_AT(s.gdtr, 0x460);
VMCB_AT(s.ldtr, 0x470);
VMCB_AT(s.idtr, 0x480);
VMCB_AT(s.tr, 0x490);
VMCB_AT(s.cpl, 0x4cb);
VMCB_AT(s.efer, 0x4d0);
VMCB_AT(s.cr4, 0x548);
VMCB_AT(s.cr3, 0x550);
VMCB_AT(s.cr0, 0x558);
VMCB_AT(s.dr7, 0x560);
VMCB_AT(s.dr6, 0x568);
VMCB_AT(s.rflags, 0x570);
VMCB_AT(s.rip, 0x578);
VMCB_AT(s.rsp, 0x5d8);
VMCB_AT(s.s_cet, 0x5e0);
VMCB_AT(s.ssp, 0x5e8);
VMCB_AT(s.isst, 0x5f0);
VMCB_AT(s.rax, 0x5f8);
VMCB_AT(s.star, 0x600);
VMCB_AT(s.lstar, 0x608);
VMCB_AT(s.cstar, 0x610);
VMCB_AT(s.sfmask, 0x618);
VMCB_AT(s.kernel_gs_base, 0x620);
VMCB_AT(s.sysenter_cs, 0x628);
VMCB_AT(s.sysenter_esp, 0x630);
VMCB_AT(s.sysenter_eip, 0x638);
VMCB_AT(s.cr2, 0x640);
VMCB_AT(s.g_pat, 0x668);
VMCB_AT(s.dbgctl, 0x670);
static_assert(sizeof(struct vmcb) == 0x1000, "VMCB: size");
static_assert(sizeof(struct vmcb_seg) == 16, "VMCB: segment");

#endif
