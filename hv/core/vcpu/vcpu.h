/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A virtual CPU, domain 0's and a guest's alike.
 *
 * State machine (vcpu.c), every change under v->lock:
 *
 * CLAIMED is STOPPED with a state access under way (no RUN, no PAUSE then).
 *
 *              run            pick            HLT
 *   STOPPED ---------> RUNNABLE <----> RUNNING ---> HALTED
 *      ^                  ^               |            |
 *      |   service exit, PAUSE            |            | interrupt
 *      +----------------------------------+            |
 *                         +----------------------------+
 *
 * INRUN is domain 0's only: blocked in the RUN hypercall, woken by an
 * interrupt or by the target's stop.
 *
 * Registers in ->regs, ->exit and everything of the back end belong to the
 * CPU on which the vCPU is RUNNING; of a CLAIMED vCPU to the
 * CPU that claimed it.
 */
#ifndef HV_CORE_VCPU_H
#define HV_CORE_VCPU_H

#include <linux/kvm.h>

#include "apic_state.h"
#include "compat/kvm-abi/channel.h"
#include "entry.h"
#include "exit.h"
#include "halt.h"
#include "lib/types.h"
#include "machine/spinlock.h"
#include "memory/mmu.h"
#include "sched.h"

struct cpu;
struct domain;
struct bp_vcpu_page;

enum vcpu_state {
	VCPU_STOPPED,
	VCPU_CLAIMED,
	VCPU_RUNNABLE,
	VCPU_RUNNING,
	VCPU_HALTED,
	VCPU_INRUN,
	VCPU_DEAD,			/* its domain is being destroyed */
};

/* x86 encoding order: index = register number in ModRM. */
enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };

/*
 * The registers that a world switch moves.  The back end stores all of them at
 * each exit and loads all of them at each entry (RSP, RIP, RFLAGS through
 * VMCB or VMCS), so hv/core reads and writes them here.
 */
struct vcpu_regs {
	u64 gpr[16];
	u64 rip;
	u64 rflags;
	u64 cr2;		/* loaded and stored on both vendors */
};

#define REGS_AT(reg) \
	static_assert(offsetof(struct vcpu_regs, gpr[reg]) == REGS_##reg, "entry.h: " #reg)

REGS_AT(RAX);
REGS_AT(RCX);
REGS_AT(RDX);
REGS_AT(RBX);
REGS_AT(RBP);
REGS_AT(RSI);
REGS_AT(RDI);
REGS_AT(R8);
REGS_AT(R9);
REGS_AT(R10);
REGS_AT(R11);
REGS_AT(R12);
REGS_AT(R13);
REGS_AT(R14);
REGS_AT(R15);
#undef REGS_AT

/* An event to inject at the next entry, or one whose delivery was cut short. */
#define EVENT_NONE	0
#define EVENT_INTR	1	/* external interrupt */
#define EVENT_NMI	2
#define EVENT_EXC	3	/* hardware exception */
#define EVENT_SOFT	4	/* INT n, INT3, INTO: re-executed, not re-injected,
				 * where hardware lacks next RIP */
#define EVENT_INT	5	/* INT n or the like of L1's making, with RIP behind it */
struct vcpu_event {
	u8 type;
	u8 vector;
	bool has_error;
	u32 error;
	u32 dr6;		/* #DB: what its delivery is to add to DR6; 0: DR6 has it */
	bool step;		/* #DB of a single step, of an instruction done for the guest */
	bool fresh;		/* an exception of which L1 may be told instead */
	bool pending;		/* set by the VMM, as one that no CPU has begun to deliver */
	bool has_payload;	/* then: CR2, or what to add to DR6 */
	u64 payload;
};

/* What insn.c and page walks need to know; filled by ops->get_paging. */
struct vcpu_paging {
	u64 cr0, cr3, cr4, efer;
	bool pdptes;		/* the CPU uses these for PAE's top table, not memory */
	u64 pdpte[4];
	u64 cs_base;
	bool cs_long;		/* CS.L with EFER.LMA */
	bool cs_big;		/* CS.D */
	u8 cpl;
};

/* MSRs kept in software for every vCPU (msr.c). */
struct vcpu_msrs {
	u64 misc_enable;
	u64 mtrr_def;
	u64 mtrr_fixed[11];
	u64 mtrr_var[16];
	u64 mcg_cap, mcg_status, mcg_ctl;
	u64 mce[32 * 4];
	u32 mce_ctl2[32];
	u64 tsc_adjust;
	u64 tsc_aux;
	u64 xss;
	u64 spec_ctrl;			/* domain 0's, while not loaded */
	u64 hwcr, patch_level, power_ctl;
	u64 platform_info, misc_features, arch_cap;
	/* KVM's paravirtual ones (pv.c) */
	u64 kvmclock, wall_clock, steal_time, pv_eoi, poll_control;
};

#define CODE_WALKS	8		/* power of two */

struct vcpu {
	struct domain *dom;
	u32 index;			/* in the domain */
	struct vcpu *dying_next;	/* list of domain->dying */
	u64 spec_id;			/* never used twice; 0 = none (speculation.c) */

	/*
	 * ---- scheduling; guarded by lock, but for what sched.h says ----
	 * Who wakes it writes here, not where its CPU looks at each exit.
	 */
	struct spinlock lock __aligned(CACHE_LINE);
	enum vcpu_state state;		/* others read without lock as a hint */
	struct cpu *home;		/* queued, running, or last ran here */
	struct vcpu *donor;		/* domain 0's vCPU blocked in RUN for us */
	struct vcpu *target;		/* domain 0's: whom RUN runs */
	bool waiter;			/* last RUN returned BLOCKED: post SERVICE */
	u32 pausers;			/* CPUs in PAUSE waiting for pause_req: no RUN */
	struct sched_entity sched;
	struct halt_poll halt;

	/* ---- machine state ---- */
	struct vcpu_regs regs __aligned(CACHE_LINE);
	struct vm_exit exit;
	struct vcpu_event inject;	/* pending for the next entry */
	/*
	 * What stands before an entry, or may: as a rule it is all 0, and one look at
	 * todo[] says so (run.c).  What others set is written only when there is something.
	 */
	union {
		struct {
			bool nmi_pending;	/* latched, atomically set by others */
			bool mce_pending;	/* domain 0's: its CPU has had a machine check */
			bool pause_req;		/* stop at the next exit; ->lock */
			bool shutdown_sticky;	/* triple fault, to be reported */
			bool msr_go;		/* BP_RUN_MSR: make the access of ->exit */
			bool pv_dirty;		/* write clock and steal time at entry */
			bool pv_eoi_armed;
			bool intr_again;	/* acknowledged, and its delivery has failed or
						 * the VMM sets it so: before all other vectors */
			bool extint_queued;	/* the shim answered: vector below */
			u8 mp_state;		/* KVM_MP_STATE_*; RUNNABLE is 0 */
			u16 eoi_exit;		/* EOI to report to the IOAPIC: 0x100 | vector */
			u32 extint;		/* which INTR are high, set by others:
						 * BP_EXTINT_HIGH, _DIRECT */
			u64 requests;		/* bits set by others: VCPU_REQ_* */
			struct cpu *move_to;	/* go on there at the next exit; ->lock */
		};
		u64 todo[4];
	};
	u8 extint_vector;
	u8 again_vector;
	bool again_now;			/* of intr_again: the VMM's, which in L2 comes whatever IF says */
	bool pv_unhalted;		/* KVM_HC_KICK_CPU, set by others */
	u32 sipi_vector;
	u64 tsc_offset;			/* guest TSC = TSC + offset */
	u64 xcr0;
	u64 dr[4], dr6, dr7;
	bool dr_own;			/* dr[] is in the CPU while it runs; else MOV DR exits,
					 * and dr7 enables none of them (extra.c) */
	struct vcpu_msrs msr;
	struct vlapic apic;
	u8 tpr_watch;			/* class last given to ops->tpr_threshold */
	void *xsave;			/* page(s), XSAVE standard format, all of
					 * xcr0 | SSE | x87; 64-byte aligned */

	/* ---- second-level translation ---- */
	struct tlb_seen tlb;
	u64 space;			/* GPA_SMM in SMM, else 0; changed while CLAIMED */

	/*
	 * Walks of long-mode tables to pages of code, by the low bits of the page's
	 * number (gwalk.c).  One is good as long as the domain's translations (->gen) and
	 * the entries that it met are the same.
	 */
	struct code_walk {
		u64 page;		/* linear address | how many entries; 0 = none */
		u64 cr3, gen;
		const u8 *code;		/* the page's first byte */
		const u64 *entry[5];
		u64 was[5];
	} code[CODE_WALKS];

	/* ---- channel ---- */
	struct bp_vcpu_page *page;	/* NULL for domain 0 */
	void *state_page;
	hpa_t page_hpa, state_hpa;
	u8 exit_pending;		/* enum bp_exit not reported yet, or 0 */
	bool debug_trap;		/* of BP_EXIT_DEBUG: #DB, with the instruction done */
	u32 log_head;			/* ours; never read back from the page */
	u16 posted_cpu;			/* whose ring has its last doorbell, + 1; 0 = none (ring.c) */
	u32 posted_head;		/* and the head behind it */
	struct bp_rules rules;
	struct bp_nested nested;
	struct kvm_cpuid_entry2 *cpuid;	/* one page; NULL: domain 0's filter */
	u32 cpuid_n;
	u8 cpuid_first[3][32];		/* index of a leaf's first entry (cpuid.c) */

	/* ---- paravirtual clock, steal time (pv.c) ---- */
	u64 steal_tsc;			/* waited here, as RUNNABLE */
	u64 stolen_ns;			/* waited in domain 0, its thread */
	u64 runnable_since;		/* TSC when it became RUNNABLE */
	bool pv_wall;			/* with pv_dirty: once, the wall clock */
	bool pv_stopped;		/* kvmclock is to say that the guest was stopped */
	u8 pv_eoi_vector;
	bool pv_preempted;		/* the guest's page says so */
	u32 pv_version;
	gpa_t pv_asked;			/* page that the shim was asked for */
	struct guest_kept pv_eoi_at, pv_steal_at;

	u64 exits[VM_EXIT_REASONS];	/* counters */
	u64 service_exits;		/* those that needed the shim */

	/* ---- the back end's own ---- */
	void *arch;			/* struct svm_vcpu or struct vmx_vcpu: one page
					 * from the domain, made by ops->vcpu_init */
};

static_assert(offsetof(struct vcpu, extint_vector) ==
	      offsetof(struct vcpu, todo) + sizeof(((struct vcpu *)0)->todo), "todo[] is all of it");
static_assert(KVM_MP_STATE_RUNNABLE == 0, "todo[] holds mp_state");

/* Is there a vector that has been acknowledged, and waits to be injected? */
static inline bool vcpu_intr_queued(const struct vcpu *v)
{
	return v->intr_again || v->extint_queued;
}

/* Task priority as CR8 has it (bits 7:4 of TPR). */
static inline u8 vlapic_get_cr8(const struct vcpu *v)
{
	return (READ_ONCE(v->apic.reg[APIC_REG_TPR / 4]) >> 4) & 15;
}

/* The same, or L2's own. */
static inline u8 vcpu_cr8(const struct vcpu *v)
{
	return unlikely(v->nested.flags & BP_NESTED_TPR) ? v->nested.tpr : vlapic_get_cr8(v);
}

#define VCPU_REQ_INIT	BIT(0)
#define VCPU_REQ_SIPI	BIT(1)
#define VCPU_REQ_SMI	BIT(2)		/* until the shim has taken it */

/* In SMM (SDM vol. 3, 32.4.1) and without GIF (APM vol. 2, 15.17) requests wait. */
static inline bool vcpu_holds(const struct vcpu *v)
{
	return v->space || (v->nested.flags & BP_NESTED_HOLD);
}

/* What of v->requests can be taken now. */
static inline u64 vcpu_requests(const struct vcpu *v)
{
	return vcpu_holds(v) ? 0 : READ_ONCE(v->requests);
}

/* The second-level table that it runs on. */
static inline hpa_t vcpu_npt(const struct vcpu *v)
{
	return v->space ? v->dom->smm.table : v->dom->npt.table;
}

#endif
