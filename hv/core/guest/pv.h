/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVM's paravirtual interface, as Linux's Documentation/virt/kvm/x86 has it:
 * kvmclock, wall clock, steal time, PV EOI, and the hypercalls for IPIs and
 * kicks.  For domain 0 and guests alike.
 *
 * All of these run on the CPU of the (current) vCPU, or with it CLAIMED.
 */
#ifndef HV_CORE_PV_H
#define HV_CORE_PV_H

#include <asm/kvm_para.h>

#include "lib/types.h"

struct domain;
struct vcpu;

/* What leaf 0x40000001 EAX offers. */
#define PV_FEATURES	(BIT(KVM_FEATURE_CLOCKSOURCE) | BIT(KVM_FEATURE_CLOCKSOURCE2) | \
			 BIT(KVM_FEATURE_STEAL_TIME) | BIT(KVM_FEATURE_PV_EOI) | \
			 BIT(KVM_FEATURE_PV_UNHALT) | BIT(KVM_FEATURE_PV_SEND_IPI) | \
			 BIT(KVM_FEATURE_CLOCKSOURCE_STABLE_BIT))
/* Only for guests: domain 0's port 0x80 is the machine's, and so is its idle loop. */
#define PV_GUEST_FEATURES	(PV_FEATURES | BIT(KVM_FEATURE_NOP_IO_DELAY) | \
				 BIT(KVM_FEATURE_POLL_CONTROL) | \
				 BIT(KVM_FEATURE_PV_TLB_FLUSH) | BIT(KVM_FEATURE_PV_SCHED_YIELD))

/* Boot, after tsc_init(): clock scale and the real-time clock's time. */
void pv_init(void);
/* A new domain's clock starts at 0 now. */
void pv_init_domain(struct domain *d);

/* False: v's CPUID does not offer this paravirtual MSR, and the VMM wants it to count. */
bool pv_msr_offered(struct vcpu *v, u32 msr);
/* -ENOENT: not a paravirtual MSR; -EINVAL: #GP. */
int pv_rdmsr(struct vcpu *v, u32 msr, u64 *val);
int pv_wrmsr(struct vcpu *v, u32 msr, u64 val);
/* INIT: what comes next has not asked for anything to be written. */
void pv_reset(struct vcpu *v);

/* Before entry, when v->pv_dirty.  False: v stopped, its page must be mapped. */
bool pv_update(struct vcpu *v);
/* v is loaded, and a flush that its guest has left to us is done. */
void pv_switch_in(struct vcpu *v);
void pv_switch_out(struct vcpu *v);
/* v loses its CPU although it could go on. */
void pv_preempted(struct vcpu *v);

/* `vector` is about to be injected: let the guest skip its EOI if nothing else waits. */
void pv_eoi_prepare(struct vcpu *v, u8 vector);
/* Learn whether the guest ended the interrupt that was injected so. */
void pv_eoi_sync(struct vcpu *v);

/* A KVM hypercall: the result for RAX. */
s64 pv_hypercall(struct vcpu *v, u64 nr, u64 a0, u64 a1, u64 a2, u64 a3);

/* kvmclock nanoseconds of the domain at machine TSC `tsc`; d->lock held, of both. */
u64 pv_clock_ns(const struct domain *d, u64 tsc);
void pv_clock_set(struct domain *d, u64 ns, u64 tsc);

/*
 * Supplied by run/npf.c.  Bedplate itself wants gpa of the current guest vCPU mapped,
 * writable if @write (paravirtual data): stop with an NPF exit for it.  Where there is
 * no such memory it is a mark afterwards (NPT_MARKED).
 */
void npf_want_page(struct vcpu *v, gpa_t gpa, bool write);

#endif
