/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Xen's interface for guests, as KVM offers it: what KVM_RUN and ioctls ask of dom0-shim/xen,
 * which implements this.  vcpu->mutex is held where there is a vCPU.
 */
#ifndef BEDPLATE_RUNNING_XEN_H
#define BEDPLATE_RUNNING_XEN_H

#include "shim.h"

/* KVM_CAP_XEN_HVM: what there is. */
#define BP_XEN_FEATURES								\
	(KVM_XEN_HVM_CONFIG_HYPERCALL_MSR | KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL | \
	 KVM_XEN_HVM_CONFIG_SHARED_INFO | KVM_XEN_HVM_CONFIG_RUNSTATE |		\
	 KVM_XEN_HVM_CONFIG_EVTCHN_2LEVEL | KVM_XEN_HVM_CONFIG_EVTCHN_SEND |	\
	 KVM_XEN_HVM_CONFIG_RUNSTATE_UPDATE_FLAG |				\
	 KVM_XEN_HVM_CONFIG_PVCLOCK_TSC_UNSTABLE | KVM_XEN_HVM_CONFIG_SHARED_INFO_HVA)

/* ---- life of a VM and a vCPU.  -ENOMEM.  stop: nothing goes off any more ---- */
int bp_xen_vm_init(struct bp_vm *vm);
void bp_xen_vm_free(struct bp_vm *vm);
int bp_xen_vcpu_init(struct bp_vcpu *vcpu);
void bp_xen_vcpu_stop(struct bp_vcpu *vcpu);
void bp_xen_vcpu_free(struct bp_vcpu *vcpu);

/* ---- in KVM_RUN; 1, 0 or an errno as in run.h ---- */
/* KVM_RUN begins, or returns: user space sees no halt that is not the guest's own. */
void bp_xen_entered(struct bp_vcpu *vcpu);
void bp_xen_left(struct bp_vcpu *vcpu);
/* Before each RUN, the vCPU may be running: what is due says vcpu->xen_work. */
void bp_xen_look(struct bp_vcpu *vcpu);
/* vcpu->xen_work says that something is to be done; the vCPU is stopped, vm->srcu is held. */
int bp_xen_prepare(struct bp_vcpu *vcpu);
/*
 * For a vCPU that would take an interrupt now: the vector of an upcall; 0: it is over, and so is
 * the line; -1: nobody held the line high.
 */
int bp_xen_upcall(struct bp_vcpu *vcpu);
/* Hypercalls are Xen's, unless they are Hyper-V's.  vm->srcu is held. */
u32 bp_xen_rules(const struct bp_vcpu *vcpu);
int bp_xen_exit_hypercall(struct bp_vcpu *vcpu);
/* User space has answered KVM_EXIT_XEN. */
int bp_xen_complete(struct bp_vcpu *vcpu);
/* An MSR exit that Bedplate knows nothing of; -ENOENT: nor is it Xen's, -EINVAL: #GP. */
int bp_xen_exit_msr(struct bp_vcpu *vcpu);

/* ---- ioctls, as KVM has them; no lock is held of a VM's ---- */
long bp_xen_config(struct bp_vm *vm, const struct kvm_xen_hvm_config *config);
long bp_xen_vm_set(struct bp_vm *vm, const struct kvm_xen_hvm_attr *attr);
long bp_xen_vm_get(struct bp_vm *vm, struct kvm_xen_hvm_attr *attr);
long bp_xen_vcpu_set(struct bp_vcpu *vcpu, const struct kvm_xen_vcpu_attr *attr);
long bp_xen_vcpu_get(struct bp_vcpu *vcpu, struct kvm_xen_vcpu_attr *attr);
long bp_xen_send(struct bp_vm *vm, const struct kvm_irq_routing_xen_evtchn *event);
/* The guest's clock was set. */
void bp_xen_clock_set(struct bp_vm *vm);
/* A CPUID table that is about to be the vCPU's: Xen's leaf of the time is filled in. */
void bp_xen_cpuid_set(struct bp_vcpu *vcpu, struct kvm_cpuid2 *cpuid);

#endif
