/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest that is a hypervisor itself (L1) and the guests that it runs (L2), on AMD's SVM: what
 * KVM_RUN and state ioctls ask of dom0-shim/nested, which implements this.  vcpu->mutex is held.
 */
#ifndef BEDPLATE_NEST_H
#define BEDPLATE_NEST_H

#include "emul/smm.h"
#include "shim.h"

/* Can guests have SVM?  The machine and the parameter say. */
bool bp_nest_offered(void);
/* CPUID 8000000A as guests may have it. */
void bp_nest_cpuid(struct kvm_cpuid_entry2 *e);
/* A CPUID table that is about to be the vCPU's, in vcpu->state or not.  -ENOMEM */
long bp_nest_cpuid_set(struct bp_vcpu *vcpu, const struct kvm_cpuid2 *cpuid);
void bp_nest_free(struct bp_vcpu *vcpu);

/* ---- in KVM_RUN, vm->srcu is held; 1, 0 or an errno as in run.h ---- */
int bp_nest_exit(struct bp_vcpu *vcpu);
/* A triple fault; 1: L1 has been told of it.  0: it is the vCPU's.  -EINTR: it comes again. */
int bp_nest_shutdown(struct bp_vcpu *vcpu);
/* Is it in L2? */
bool bp_nest_in_guest(struct bp_vcpu *vcpu);
/* May an instruction that is emulated access these ports?  In L2 L1's map is asked: -EPERM, -EINTR. */
int bp_nest_ports(struct bp_vcpu *vcpu, u16 port, u32 size);
/* In L2, or without GIF: interrupts are not for the asking of RFLAGS.IF. */
bool bp_nest_holds(struct bp_vcpu *vcpu);
u64 bp_nest_vmcb(struct bp_vcpu *vcpu);	/* where its VMCB is; else 0 */

/*
 * A call that is done has flushed TLBs.  locked: L2's, and 1: L1 wants to hear of it; 0, -EINTR,
 * -EFAULT: there is no memory where that is said.  exit: it does, now that registers are L2's
 * after the call.
 */
int bp_nest_flush_locked(struct bp_vcpu *vcpu);
int bp_nest_flush_exit(struct bp_vcpu *vcpu);

/*
 * An SMI has come while in L2, whose state is saved already: *s becomes L1's, which is current
 * from now on.  By RSM back into L2, whose state *s is: load, in SMM, reads what L1 has of it;
 * leave is for when that is over.  -EINTR: nothing has changed.  -EINVAL: it cannot be.
 */
long bp_nest_smm_enter(struct bp_vcpu *vcpu, struct emul_smm *s);
long bp_nest_smm_load(struct bp_vcpu *vcpu, const struct emul_smm *s);
long bp_nest_smm_leave(struct bp_vcpu *vcpu, const struct emul_smm *s);

/* ---- state ioctls; MSRs on behalf of user space, -ENOENT: not one of SVM's ---- */
bool bp_nest_owns(u32 msr);
long bp_nest_get_msr(const struct bp_vcpu *vcpu, u32 index, u64 *val);
long bp_nest_set_msr(struct bp_vcpu *vcpu, u32 index, u64 val);
/* RDMSR and WRMSR of the guest: 1; -ENOENT; -EINVAL: it may not. */
int bp_nest_exit_msr(struct bp_vcpu *vcpu);
/* EFER, or whether it is in SMM, was set: L2 may have ended by that. */
void bp_nest_sregs_set(struct bp_vcpu *vcpu, u64 efer);
void bp_nest_leave(struct bp_vcpu *vcpu);
/* KVM_GET_NESTED_STATE and KVM_SET_NESTED_STATE; the capability. */
long bp_nest_state_get(struct bp_vcpu *vcpu, struct kvm_nested_state __user *user);
long bp_nest_state_set(struct bp_vcpu *vcpu, struct kvm_nested_state __user *user);
long bp_nest_state_size(void);

#endif
