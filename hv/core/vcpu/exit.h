/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The neutral VM exit: what a back end makes of a hardware exit, and the
 * only form in which hv/core sees one.
 */
#ifndef HV_CORE_EXIT_H
#define HV_CORE_EXIT_H

#include "lib/types.h"
#include "lib/x86_regs.h"

enum vm_exit_reason {
	VM_EXIT_NONE = 0,	/* handled by the back end: enter again */
	VM_EXIT_INTR,		/* a physical interrupt waits, or is ->taken */
	VM_EXIT_NMI,		/* a physical NMI waits */
	VM_EXIT_MCE,		/* a machine check, which the exit has taken */
	VM_EXIT_IRQ_WINDOW,	/* the guest can take an interrupt now */
	VM_EXIT_NMI_WINDOW,
	VM_EXIT_CPUID,
	VM_EXIT_HLT,
	VM_EXIT_PAUSE,
	VM_EXIT_IO,		/* ->io */
	VM_EXIT_RDMSR,		/* number in RCX */
	VM_EXIT_WRMSR,
	VM_EXIT_NPF,		/* ->npf */
	VM_EXIT_APIC_WRITE,	/* ->apic_reg: a register was written in the page */
	VM_EXIT_EOI,		/* ->vector: the CPU has ended it */
	VM_EXIT_HYPERCALL,	/* VMMCALL or VMCALL; ->cpl */
	VM_EXIT_CR0_WRITE,
	VM_EXIT_CR4_WRITE,
	VM_EXIT_CR8_WRITE,
	VM_EXIT_EXCEPTION,	/* ->exc: an intercepted exception */
	VM_EXIT_XSETBV,		/* XCR in ECX, value in EDX:EAX */
	VM_EXIT_UNDEFINED,	/* inject #UD: instruction not offered */
	VM_EXIT_PROTECTION,	/* inject #GP(0): instruction not permitted */
	VM_EXIT_WBINVD,		/* also INVD: skip */
	VM_EXIT_MWAIT,		/* also MONITOR */
	VM_EXIT_MOV_DR,		/* MOV from or to a debug register */
	VM_EXIT_TASK_SWITCH,	/* ->task: software has to do it */
	VM_EXIT_NEED_PAGE,	/* ->npf.gpa: not entered, for want of memory there */
	VM_EXIT_SHUTDOWN,	/* triple fault */
	VM_EXIT_BUS_LOCK,	/* one, of an instruction that is done or will be now */
	VM_EXIT_NOTIFY,		/* an instruction that came to no end: interrupts wait */
	VM_EXIT_SMI,		/* a physical SMI waits */
	VM_EXIT_INIT,		/* physical INIT */
	VM_EXIT_FAIL_ENTRY,	/* ->hw_reason: entry refused */
	VM_EXIT_UNKNOWN,	/* ->hw_reason, ->hw_info */
	VM_EXIT_REASONS
};

/*
 * Exceptions that exit, as a set of vectors.  A machine check is Bedplate's; a
 * guest's #AC and #DB can loop in microcode (CVE-2015-5307, CVE-2015-8104).
 */
#define EXC_EXITS	(1u << X86_TRAP_MC)
#define EXC_EXITS_GUEST	(1u << X86_TRAP_AC | 1u << X86_TRAP_DB)

struct vcpu;
/* The set for this one, as v->rules have it. */
u32 vcpu_exc_exits(const struct vcpu *v);

struct exit_io {
	u16 port;
	u8 size;		/* 1, 2, 4 */
	bool in;
	bool string;
	bool rep;
};

#define NPF_WRITE	BIT(0)
#define NPF_EXEC	BIT(1)
#define NPF_PRESENT	BIT(2)	/* a protection fault, not a missing page */
#define NPF_PT		BIT(3)	/* by the guest's page-table walk */

struct exit_npf {
	gpa_t gpa;
	u32 flags;
};

struct exit_exc {
	u8 vector;
	bool has_error;
	u32 error;
	u64 cr2_or_dr6;
};

#define TASK_CALL	0
#define TASK_IRET	1
#define TASK_JMP	2
#define TASK_GATE	3	/* in the IDT */

/*
 * The CPU has made the checks that come before the TSS descriptor's.  By a
 * gate: the event is in v->inject, or (INT n and its like) an instruction.
 */
struct exit_task {
	u16 selector;		/* of the new TSS */
	u8 source;		/* TASK_* */
};

/*
 * insn_len: length of the exiting instruction where hardware tells it (NRIP,
 * VMX instruction length, IOIO's next RIP), else 0: vcpu_skip() finds out.
 */
struct vm_exit {
	enum vm_exit_reason reason;
	u8 insn_len;
	bool nested;		/* L1's words of v->nested want it */
	u16 taken;		/* INTR: 0x100 | vector, acknowledged by the exit; or 0 */
	u64 hw_reason;
	u64 hw_info[2];
	union {
		u32 apic_reg;	/* offset in the xAPIC page */
		u8 vector;
		u8 cpl;		/* of a hypercall */
		struct exit_io io;
		struct exit_npf npf;
		struct exit_exc exc;
		struct exit_task task;
	};
};

/* The name of a reason, for people; "?": there is none. */
const char *vm_exit_name(enum vm_exit_reason reason);

#endif
