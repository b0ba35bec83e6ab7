/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A physical CPU and all that belongs to it alone.
 *
 * this_cpu() is valid from hv_main()/AP entry on (GS base).  Fields without a
 * lock named are touched by their own CPU only; what others may read is
 * marked.  Root mode runs with interrupts off, so nothing here is touched
 * by an interrupt handler behind the back of the code that it interrupts,
 * except where irq windows are opened on purpose (cpu_irq_window()).
 */
#ifndef HV_CORE_CPU_H
#define HV_CORE_CPU_H

#include "debug/debug.h"
#include "lib/tree.h"
#include "lib/types.h"
#include "spinlock.h"

struct vcpu;
struct sched_entity;

#define MAX_CPUS	1024

/* A one-shot timer; see timer.h. */
struct hv_timer {
	struct tree_node node;		/* key: TSC of its deadline */
	struct cpu *cpu;		/* where it is armed, NULL = not armed */
	struct cpu *last;		/* where it was armed last, and may fire still */
	void (*fn)(struct hv_timer *t);
};

/* Timers armed on one CPU (timer.c). */
struct timer_queue {
	struct spinlock lock;		/* guards tree; other CPUs cancel */
	struct tree tree;		/* by deadline */
	u64 programmed;			/* TSC deadline in hardware, 0 = none */
	struct hv_timer *running;	/* whose fn runs now; others read */
};

/* What one CPU schedules (sched.c). */
struct runqueue {
	struct spinlock lock;		/* guards all below and ->sched of the queued */
	struct tree queue;		/* RUNNABLE vCPUs whose home this is: sched_queue() */
	struct sched_entity *curr;	/* of the vCPU RUNNING here, or NULL */
	u32 nr;				/* others read as a hint */
	u64 vtime;			/* last known virtual time of the queue */
	u64 weight;			/* of all in queue */
	u64 ahead;			/* sum of weight * (vruntime - vtime) of them */
};

/* A CPU as the one before it sees it (watchdog.c). */
struct watch {
	struct hv_timer timer;
	u32 beats;			/* others read */
	u32 seen;			/* of the CPU after this one: its beats, */
	u32 missed;			/* and for how many of ours they are the same */
	bool suspect;			/* others set it, and the beats that they saw */
	u32 suspect_beats;
};

struct cpu {
	struct cpu *self;		/* GS:0 */
	u32 index;			/* 0 = bootstrap processor */
	u32 apic_id;
	u64 stack_top;			/* GS:16, of the ordinary stack */
	u64 scratch;			/* GS:24, for entry code */

	/* Speculation (speculation.c): of ->current, set when it comes. */
	u8 spec_exit;			/* GS:32, SPEC_EXIT_ */
	bool spec_entry;		/* spec_entry() is to be called */
	bool spec_l1d;			/* flush L1D before each entry */
	u64 spec_now;			/* SPEC_CTRL as it is, if vCPUs have their own */
	u64 spec_guest;			/* what ->current has there */
	u64 spec_last;			/* ->spec_id of the last vCPU for IBPB */

	bool online;			/* others read */
	u64 stopped_at;			/* RIP when another CPU's panic stopped this one */
	struct watch watch;
	bool x2apic;			/* mode of the physical local APIC */

	struct vcpu *current;		/* state loaded on this CPU; others read */
	struct vcpu *dom0;		/* domain 0's vCPU pinned here */
	/*
	 * TLB shoot-down without acknowledgement: while a vCPU may use
	 * translations, guest_dom names its domain and guest_gen the
	 * generation that it entered with (mmu.c); 0 in root mode.
	 */
	struct domain *guest_dom;	/* others read */
	u64 guest_gen;			/* others read */

	bool nmi_pending;		/* an NMI or #MC for domain 0 was taken: kick it */

	/* Others write these: apart from what is this CPU's at each exit. */
	bool resched __aligned(CACHE_LINE); /* pick again before the next entry */
	struct runqueue rq;
	struct timer_queue timers;
	struct hv_timer slice __aligned(CACHE_LINE); /* end of the running vCPU's slice */
	struct spinlock ring_lock;	/* of these: filled also by other CPUs */
	struct bp_ring *ring;		/* domain 0's event ring, or NULL */
	u8 upcall_vector;		/* of domain 0's local APIC, for events in the ring */
	u32 ring_head;			/* ours; never read back from the ring */
	hpa_t ring_hpa;

	bool has_tsc_aux;
	u64 tsc_aux;			/* in the MSR now */
	u64 level_isr[4];		/* level-triggered vectors in service
					 * physically until domain 0's EOI */
	u64 level_done[4];		/* of these: it came, the physical one not yet */

	/* The back end's own. */
	union {
		struct {
			hpa_t hsave;
			hpa_t host_vmcb;	/* VMSAVE area of root mode */
			u64 asid_gen;
			u32 asid_next;
			u32 asid_max;
		} svm;
		struct {
			hpa_t vmxon;
			hpa_t current_vmcs;	/* 0: none */
			u64 sys[4];		/* system-call MSRs, as they are */
			u64 dr6;		/* while no vCPU is loaded */
		} vmx;
	};

	/* Owned by boot: descriptor tables and interrupt stacks. */
	void *arch;
	DEBUG_CPU_MEMBER
};

extern struct cpu *cpus[MAX_CPUS];
extern u32 nr_cpus;

#ifndef BP_HOST_TEST
static inline struct cpu *this_cpu(void)
{
	struct cpu *c;

	__asm__ volatile("movq %%gs:0, %0" : "=r"(c));
	return c;
}
#else
struct cpu *this_cpu(void);	/* a test supplies it */
#endif

#endif
