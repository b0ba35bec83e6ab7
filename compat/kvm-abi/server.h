/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The channel's server: vCPU and domain state in KVM's own layouts.
 *
 * Called by the hypercall dispatcher only, on any CPU.  `buf` is one frame
 * that domain 0 shares and may change at any moment.
 */
#ifndef BEDPLATE_SERVER_H
#define BEDPLATE_SERVER_H

#include <linux/kvm.h>

#include "channel.h"
#include "hv/core/lib/types.h"

struct domain;
struct vcpu;

/* BP_HC_VCPU_GET and SET; v is CLAIMED, buf its state frame.  See channel.h. */
s64 state_get(struct vcpu *v, u32 cls, u32 len);
s64 state_set(struct vcpu *v, u32 cls, u32 len);

/*
 * BP_STATE_EVENTS (events.c), from and to private memory.  set changes *e as it reads it;
 * -EINVAL: nothing has changed.
 */
void events_get(struct vcpu *v, struct kvm_vcpu_events *e);
int events_set(struct vcpu *v, struct kvm_vcpu_events *e);
/* BP_STATE_SMM. -EINVAL, -ENOMEM. */
int smm_set(struct vcpu *v, u32 what);
/*
 * The interrupt that the vCPU has accepted and that is not delivered yet; -1: none.  KVM
 * has one, and shows it in two places.  set: in place of it.
 */
int accepted_irq(const struct vcpu *v);
void accepted_irq_set(struct vcpu *v, u8 vector);

/*
 * Supplied by hv/core/run/vcpu_create.c.  BP_HC_VCPU_CREATE: index, or an error of
 * channel.h.  Takes d->lock.
 */
int vcpu_create(struct domain *d, u32 apic_id, u64 page_pfn, u64 state_pfn);

/* BP_HC_DOMAIN_GET and SET; d = NULL for machine-wide classes. */
s64 domain_state_get(struct domain *d, u32 cls, void *buf);
s64 domain_state_set(struct domain *d, u32 cls, const void *buf);

/* BP_HC_VCPU_COUNTERS (counters.c). */
void vcpu_counters(const struct vcpu *v, struct bp_vcpu_counters *buf);

/* Fill buf with what KVM_GET_SUPPORTED_CPUID answers; entries written. */
u32 supported_cpuid(struct kvm_cpuid_entry2 *e, u32 max);

/* FPU state classes, on the vCPU's XSAVE area (xstate.c). -EINVAL. */
void xstate_get_fpu(struct vcpu *v, struct kvm_fpu *f);
void xstate_set_fpu(struct vcpu *v, const struct kvm_fpu *f);
void xstate_get(struct vcpu *v, struct kvm_xsave *x);
int xstate_set(struct vcpu *v, const struct kvm_xsave *x);

#endif
