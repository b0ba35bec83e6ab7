/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Asynchronous page faults.  vcpu->mutex is held, and the vCPU is stopped, but for the first two.
 */
#ifndef BEDPLATE_APF_H
#define BEDPLATE_APF_H

#include <asm/kvm_para.h>

#include "shim.h"

/* CPUID leaf 40000001, EAX: what there is. */
#define BP_APF_FEATURES	(BIT(KVM_FEATURE_ASYNC_PF) | BIT(KVM_FEATURE_ASYNC_PF_VMEXIT) | \
			 BIT(KVM_FEATURE_ASYNC_PF_INT))

/* ---- life: of the module, -ENOMEM; of a vCPU that is to go, or is no longer to be told ---- */
int bp_apf_init(void);
void bp_apf_exit(void);
void bp_apf_forget(struct bp_vcpu *vcpu);

/* ---- in KVM_RUN; vm->srcu is held ---- */
/* In an NPF exit: bp_fault(), or the guest has been told, or halted, and is to be run. */
int bp_apf_fault(struct bp_vcpu *vcpu, u64 gfn, u32 access);
/* vcpu->apf.look says that a page may be there; 1 or -EINTR, as in run.h. */
int bp_apf_look(struct bp_vcpu *vcpu);
/* KVM_RUN returns: user space sees no halt that is not the guest's own.  No srcu. */
void bp_apf_left(struct bp_vcpu *vcpu);

/* ---- MSRs, for guest and VMM.  -ENOENT: there is none by that number, -EINVAL: not this value ---- */
static inline bool bp_apf_owns(u32 msr)
{
	return msr == MSR_KVM_ASYNC_PF_EN || msr == MSR_KVM_ASYNC_PF_INT ||
	       msr == MSR_KVM_ASYNC_PF_ACK;
}
long bp_apf_set_msr(struct bp_vcpu *vcpu, u32 msr, u64 val);
long bp_apf_get_msr(struct bp_vcpu *vcpu, u32 msr, u64 *val);
/* A CPUID table that is about to be the vCPU's. */
void bp_apf_cpuid_set(struct bp_vcpu *vcpu, const struct kvm_cpuid2 *cpuid);

#endif
