/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hyper-V's interface for guests, as KVM offers it: what KVM_RUN and state ioctls ask of
 * dom0-shim/hyperv, which implements this.  vcpu->mutex is held, but for the first two.
 */
#ifndef BEDPLATE_HV_H
#define BEDPLATE_HV_H

#include "shim.h"

/* The debugger's MSRs, of which the TLFS says nothing: as in KVM and QEMU. */
#define HV_X64_MSR_SYNDBG_CONTROL		0x400000f1
#define HV_X64_MSR_SYNDBG_STATUS		0x400000f2
#define HV_X64_MSR_SYNDBG_SEND_BUFFER		0x400000f3
#define HV_X64_MSR_SYNDBG_RECV_BUFFER		0x400000f4
#define HV_X64_MSR_SYNDBG_PENDING_BUFFER	0x400000f5
#define HV_X64_MSR_SYNDBG_OPTIONS		0x400000ff

/* ---- life of a VM and a vCPU.  -ENOMEM ---- */
int bp_hv_vm_init(struct bp_vm *vm);
void bp_hv_vm_free(struct bp_vm *vm);
int bp_hv_vcpu_init(struct bp_vcpu *vcpu);
void bp_hv_vcpu_free(struct bp_vcpu *vcpu);
/* No file of the vCPU is open any more: no timer of it goes off from here on. */
void bp_hv_timers_free(struct bp_vcpu *vcpu);

/* ---- in KVM_RUN, vm->srcu is held; 1, 0 or an errno as in run.h ---- */
/* An MSR exit that Bedplate knows nothing of; -ENOENT: nor is it Hyper-V's. */
int bp_hv_exit_msr(struct bp_vcpu *vcpu);
int bp_hv_exit_hypercall(struct bp_vcpu *vcpu);
/* That of a guest's guest, if it is one that need not go to its hypervisor; else -ENOENT. */
int bp_hv_exit_direct(struct bp_vcpu *vcpu);
/* User space has answered KVM_EXIT_HYPERV. */
int bp_hv_complete(struct bp_vcpu *vcpu);
int bp_hv_complete_debug(struct bp_vcpu *vcpu);
/* A level-triggered vector that may be one of the SynIC's has got its EOI. */
void bp_hv_eoi(struct bp_vcpu *vcpu, u8 vector);
/* vcpu->hv_work says that something is to be done before the vCPU runs; it is stopped. */
int bp_hv_prepare(struct bp_vcpu *vcpu);

/* BP_RULE_* that the vCPU wants. */
u32 bp_hv_rules(const struct bp_vcpu *vcpu);
/* The vectors that the SynIC ends as they are delivered, and the rule for them. */
void bp_hv_auto_eoi(const struct bp_vcpu *vcpu, struct bp_rules *rules);

/* ---- state ioctls ---- */
static inline bool bp_hv_owns(u32 msr)
{
	return msr >= 0x40000000 && msr <= 0x400001ff;
}
/* On behalf of user space.  -ENOENT: not one of Hyper-V's, -EINVAL: not this value. */
long bp_hv_get_msr(struct bp_vcpu *vcpu, u32 index, u64 *val);
long bp_hv_set_msr(struct bp_vcpu *vcpu, u32 index, u64 val);
/* A CPUID table that is about to be the vCPU's; and one as user space is to see it. */
void bp_hv_cpuid_set(struct bp_vcpu *vcpu, struct kvm_cpuid2 *cpuid);
void bp_hv_cpuid_shown(const struct bp_vcpu *vcpu, struct kvm_cpuid2 *cpuid);
/* KVM_CAP_HYPERV_ENFORCE_CPUID: the guest has what its CPUID says, and no more. */
void bp_hv_enforce(struct bp_vcpu *vcpu, bool on);
/*
 * KVM_CAP_HYPERV_SYNIC: there is a SynIC, which clears its pages as they are enabled if not
 * @keep_pages.  -EINVAL: not without a local APIC in the kernel.
 */
int bp_hv_synic_enable(struct bp_vcpu *vcpu, bool keep_pages);
/* KVM_HYPERV_EVENTFD.  -EINVAL, -EBADF, -EEXIST, -ENOENT, -ENOMEM */
long bp_hv_eventfd(struct bp_vm *vm, const struct kvm_hyperv_eventfd *args);

/* ---- KVM_SET_CLOCK has been done: no lock is held ---- */
void bp_hv_clock_set(struct bp_vm *vm);

#endif
