/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The life of a vCPU on its physical CPU: the run loop, blocking, waking and
 * the donation of a CPU by RUN.  docs/architecture.md draws the path.
 *
 * Lock order: domain lock, guest vCPU lock, domain 0 vCPU lock, runqueue lock,
 * timer queue lock; under the ring lock (ring.c) nothing else is taken.
 * Nothing is held across ops->run().
 */
#ifndef HV_CORE_RUN_H
#define HV_CORE_RUN_H

#include "vcpu.h"

/* A physical CPU's whole life after boot: enter vCPUs, handle exits. */
noreturn void run_loop(void);

/*
 * A stopped vCPU's shared start: state memory, reset values, scheduling.
 * The caller has set dom, index and home.  -ENOMEM.
 */
int vcpu_setup(struct vcpu *v, u32 apic_id, bool bsp);
void vcpu_teardown(struct vcpu *v);

/* Process a latched INIT or SIPI of a vCPU that this CPU runs or claimed. */
void vcpu_take_init_sipi(struct vcpu *v);

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

/* Hypercall RUN by d0 on the guest vCPU v: result, or RUN_SWITCHED. */
#define RUN_SWITCHED	0x7fffffffll
s64 vcpu_run(struct vcpu *d0, struct vcpu *v);
/*
 * Hypercall PAUSE.  Waits for the CPU that runs v, for one exit at most: RUN on v
 * is refused meanwhile.  -EBUSY: v is CLAIMED or dead.
 */
s64 vcpu_pause(struct vcpu *v);
/* Domain 0's vCPU, if it is in RUN: RUN ends with INTR. */
void vcpu_interrupt_run(struct vcpu *d0);
/* STOPPED -> CLAIMED for a state access; -EBUSY otherwise. */
int vcpu_claim(struct vcpu *v);
void vcpu_unclaim(struct vcpu *v);

/* RIP past the exiting instruction, which is done. */
void vcpu_skip(struct vcpu *v);
/*
 * The instruction before RIP was done in software: RF and the STI or MOV SS shadow
 * end with it, and under TF it traps.  v is current, or as for a state access.
 */
void vcpu_insn_done(struct vcpu *v);
/* Queue an exception; merges into #DF and shutdown as SDM vol. 3, 6.15 says. */
void vcpu_exception(struct vcpu *v, u8 vector, bool has_error, u32 error);
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

/* Exit dispatch (exit.c): act on v->exit of the current vCPU. */
void vcpu_handle_exit(struct vcpu *v);

/* Save and load what the back end does not: XSAVE state, XCR0, DR0-3, TSC_AUX. */
void vcpu_save_extra(struct vcpu *v);
void vcpu_load_extra(struct vcpu *v);
/* The current vCPU's TSC_AUX into the MSR, if it is another. */
void vcpu_load_tsc_aux(struct vcpu *v);
extern u64 xcr0_supported;	/* what vCPUs may set; fits one page */
/* XCR0 as SDM vol. 1, 13.3 allows it. */
bool xcr0_valid(u64 val);

/*
 * Give the calling CPU the frame pfn of domain 0 as its event ring, in place of any
 * that it has; take it back.  -EINVAL: not domain 0's frame, nothing has changed.
 */
s64 ring_register(u64 pfn);
void ring_unregister(void);
/* Add an event to this CPU's ring. False: ring full or none (nothing lost:
 * the caller has its own way then). */
bool ring_post(u32 type, u32 dom, u32 id);
/*
 * v's thread must call RUN; never lost: a full ring, or another CPU's where this
 * has none, gets ->overflow.  v->lock may be held.
 */
void ring_post_service(struct vcpu *v);

#endif
