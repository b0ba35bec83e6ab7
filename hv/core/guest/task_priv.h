/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by task.c and task_segs.c only. */
#ifndef HV_CORE_TASK_PRIV_H
#define HV_CORE_TASK_PRIV_H

#include "linear.h"
#include "task.h"
#include "vcpu/vcpu.h"

/* Numbers of segment registers (SDM vol. 2, 3.1.1.3). */
enum { TASK_ES, TASK_CS, TASK_SS, TASK_DS, TASK_FS, TASK_GS, TASK_SEGS };

/* What a TSS of either size says. */
struct task_regs {
	u32 cr3, eip, eflags;
	u32 gpr[8];
	u16 seg[TASK_SEGS], ldt;
	bool trap;
};

/* A segment descriptor (SDM vol. 3, 3.4.5) taken apart. */
struct descriptor {
	u32 base, limit;
	u8 type, dpl;
	bool s, p, avl, db, g;
};

struct task_fault {
	u8 vector;
	bool has_error;
	u32 error;
};

/* What a step came to. */
enum task_result {
	TASK_OK,
	TASK_FAULT,		/* ->fault */
	TASK_MEMORY,		/* ->lin.gpa, ->lin.write: not there */
};

struct task {
	struct vcpu *v;
	struct linear lin;
	struct kvm_sregs s;	/* of the old task, and then of the new one */
	struct kvm_segment old_tr;
	struct task_regs from, to;
	struct task_fault fault;
	bool external;		/* by an event, no instruction: EXT in error codes */
};

/* The part of a TSS that takes the old task's registers. */
struct tss_part {
	u32 from, len;
};
struct tss_part tss_saved_part(bool wide);
/* Write @r there; @to is that part of a 32-bit (@wide) or 16-bit TSS. */
void tss_save(const struct linear_span *to, bool wide, const struct task_regs *r);
/* Take a whole TSS apart; what a 16-bit one does not have is 0. */
void tss_load(const struct linear_span *from, bool wide, struct task_regs *r);

/* Note a fault whose error code names a selector. */
enum task_result task_fault(struct task *t, u8 vector, u16 selector);
/* After an access failed: its #PF, or the lack of memory. */
enum task_result task_no_access(struct task *t);

/* The descriptor at a linear address. */
enum task_result task_read_descriptor(struct task *t, gva_t at, struct descriptor *d);
#define DESC_TYPE_BYTE	5	/* its byte with the type, and S, DPL, P */

/* With TSS and code or data types: bits of descriptor.type */
#define TYPE_TSS_32	8
#define TYPE_TSS_BUSY	2
#define TYPE_CODE	8
#define TYPE_CONFORMING	4
#define TYPE_RW		2	/* data: writable; code: readable */
#define TYPE_ACCESSED	1
#define TYPE_LDT	2

/* Flags that a TSS can load; bit 1 is always set. */
#define TASK_EFLAGS	0x3f7fd5u

/*
 * LDTR and segment registers of ->s from ->to, in the new address space.
 * After a fault the rest of them have their selectors, and no segment.
 */
enum task_result task_load_segments(struct task *t);

#endif
