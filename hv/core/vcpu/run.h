/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What happens to a vCPU on its physical CPU: blocking, waking, the donation of a
 * CPU by RUN, exceptions.  docs/architecture.md draws the path; the run loop itself
 * is in hv/core/run.
 *
 * Lock order: domain lock, guest vCPU lock, domain 0 vCPU lock, runqueue lock,
 * timer queue lock; under the ring locks (ring.c) nothing else is taken.  Domain 0's
 * domain lock may come after any vCPU's, for its vCPU is switched out under the lock of
 * the one that it runs; under it no vCPU's is taken.
 * Nothing is held across ops->run().
 */
#ifndef HV_CORE_RUN_H
#define HV_CORE_RUN_H

#include "vcpu.h"

/* Anything that ends HLT (SDM vol. 2, HLT), or wait-for-SIPI? v->lock or running here. */
bool vcpu_has_work(struct vcpu *v);
/* Would it leave RUN for the caller: as above but whatever IF says. */
bool vcpu_has_irq(struct vcpu *v);

/*
 * The current guest vCPU stops with a service exit for its shim thread;
 * ->page holds the details already, but for registers.  Returns with another
 * vCPU to be picked or already current.
 */
void vcpu_service(struct vcpu *v, u8 exit);
/* The current vCPU halts (or waits for SIPI); v->mp_state says which. */
void vcpu_block(struct vcpu *v);

/* Hypercall RUN by d0 on the guest vCPU v: result, or RUN_SWITCHED, which no call has for one. */
#define RUN_SWITCHED	(1ll << 62)
s64 vcpu_run(struct vcpu *d0, struct vcpu *v);
/*
 * Hypercall PAUSE.  Waits for the CPU that runs v, for one exit at most: RUN on v
 * is refused meanwhile.  -EBUSY: v is CLAIMED or dead.
 */
s64 vcpu_pause(struct vcpu *v);
/* vCPU v must look at its IRR, NMI or INIT/SIPI request. */
void vcpu_kick(struct vcpu *v);
/* The same where only a vector is new: a CPU that delivers by itself need not exit. */
void vcpu_notify(struct vcpu *v);
/* Domain 0's vCPU, if it is in RUN: RUN ends with INTR. */
void vcpu_interrupt_run(struct vcpu *d0);
/* STOPPED -> CLAIMED for a state access; -EBUSY otherwise. */
int vcpu_claim(struct vcpu *v);
void vcpu_unclaim(struct vcpu *v);

/*
 * The instruction before RIP was done in software: RF and the STI or MOV SS shadow
 * end with it, and under TF it traps.  v is current, or as for a state access.
 */
void vcpu_insn_done(struct vcpu *v);
/* Queue an exception; merges into #DF and shutdown as SDM vol. 3, 6.15 says. */
void vcpu_exception(struct vcpu *v, u8 vector, bool has_error, u32 error);
/*
 * An exception that was not raised, and by v->rules is the shim's (BP_EXIT_DEBUG):
 * true, and v has stopped.  @dr6: what a #DB tells.
 */
bool vcpu_debug_service(struct vcpu *v, u8 vector, u64 dr6);
/* v->inject is ->pending: as the CPU does when it raises it (SDM vol. 3, 6.5, 18.2.3). */
void vcpu_raise_pending(struct vcpu *v);
static inline void vcpu_gp(struct vcpu *v)
{
	vcpu_exception(v, 13, true, 0);
}
static inline void vcpu_ud(struct vcpu *v)
{
	vcpu_exception(v, 6, false, 0);
}

/* Registers to and from KVM's layout. */
void vcpu_get_regs(const struct vcpu *v, struct kvm_regs *r);
void vcpu_set_regs(struct vcpu *v, const struct kvm_regs *r);

/* Each CPU, before it loads a vCPU: what is there of the following. */
void extra_init_cpu(struct cpu *c);
/* Save and load what the back end does not: XSAVE state, XCR0, DR0-3, TSC_AUX. Load comes after ops->load(). */
void vcpu_save_extra(struct vcpu *v);
void vcpu_load_extra(struct vcpu *v);
/* The current vCPU has a MOV DR that exits: give it DR0-3, and let it go on there. */
void vcpu_use_drs(struct vcpu *v);
/* The current vCPU's TSC_AUX into the MSR, if it is another. */
void vcpu_load_tsc_aux(struct vcpu *v);
extern u64 xcr0_supported;	/* what vCPUs may set; fits one page */
/* XCR0 as SDM vol. 1, 13.3 allows it. */
bool xcr0_valid(u64 val);

/*
 * Supplied by compat/kvm-abi/ring.c.  v's thread must call RUN; never lost: a full ring, or another CPU's where this
 * has none, gets ->overflow.  v->lock may be held.
 */
void ring_post_service(struct vcpu *v);

#endif
