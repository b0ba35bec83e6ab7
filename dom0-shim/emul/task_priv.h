/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by task.c, task_segs.c and task_tss.c only. */
#ifndef BEDPLATE_EMUL_TASK_PRIV_H
#define BEDPLATE_EMUL_TASK_PRIV_H

#include "emul_priv.h"
#include "tss.h"

#define VEC_TS		10
#define VEC_NP		11

/* What a TSS of either size says. */
struct task_regs {
	u32 cr3, eip, eflags;
	u32 gpr[8];
	u16 seg[EMUL_NR_SEGS], ldt;
	bool trap;
};

/* A segment descriptor (SDM vol. 3, 3.4.5) taken apart. */
struct descriptor {
	u32 base, limit;
	u8 type, dpl;
	bool s, p, avl, db, g;
};

struct task {
	struct emul_ctx *ctx;
	struct emul_task *io;	/* ->sregs: of the old task, and then of the new one */
	struct kvm_segment old_tr;
	struct task_regs from, to;
	bool external;		/* by an event, no instruction: EXT in error codes */
};

/* ---- task_tss.c ---- */

/* The part of a TSS that takes the old task's registers. */
struct tss_part {
	u32 from, len;
};
struct tss_part emul_tss_saved_part(bool wide);
/* Write @r there; @to is that part of a 32-bit (@wide) or 16-bit TSS. */
int emul_tss_save(struct emul_ctx *ctx, const struct emul_span *to, bool wide,
		  const struct task_regs *r);
/* Take a whole TSS apart; what a 16-bit one does not have is 0. */
int emul_tss_load(struct emul_ctx *ctx, const struct emul_span *from, bool wide,
		  struct task_regs *r);

/* ---- task.c ---- */

/* A fault whose error code names a selector. */
int emul_task_fault(struct task *t, u8 vector, u16 selector);

/* ---- task_segs.c ---- */

/* The descriptor at a linear address. */
int emul_task_descriptor(struct task *t, u64 at, struct descriptor *d);
#define DESC_TYPE_BYTE	5	/* its byte with the type, and S, DPL, P */

/* With TSS and code or data types: bits of descriptor.type */
#define TYPE_TSS_BUSY	2
#define TYPE_CODE	8
#define TYPE_CONFORMING	4
#define TYPE_RW		2	/* data: writable; code: readable */
#define TYPE_ACCESSED	1
#define TYPE_LDT	2

#define SEL_RPL		3u
#define SEL_TI		4u
#define SEL_NULL(sel)	(!((sel) & ~SEL_RPL))

/* Flags that a TSS can load; bit 1 is always set. */
#define TASK_EFLAGS	0x3f7fd5u

/*
 * LDTR and segment registers of ->io->sregs from ->to, in the new address space.
 * After a fault the rest of them have their selectors, and no segment.
 */
int emul_task_load_segments(struct task *t);

#endif
