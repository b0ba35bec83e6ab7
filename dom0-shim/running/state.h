/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A vCPU's state, in KVM's structures.  vcpu->mutex is held.
 */
#ifndef BEDPLATE_STATE_H
#define BEDPLATE_STATE_H

#include "shim.h"

#define BP_MAX_MSRS	255	/* in a call */

/* -ENOIOCTLCMD for an ioctl that is not about state. */
long bp_vcpu_state_ioctl(struct bp_vcpu *vcpu, unsigned int cmd,
			 void __user *argp);
/* One class from or to vcpu->state. */
long bp_state_get(struct bp_vcpu *vcpu, enum bp_state class, u64 len);
long bp_state_set(struct bp_vcpu *vcpu, enum bp_state class, u64 len);

/*
 * From or to vcpu->state in KVM's layout, with what the shim still owes the
 * vCPU at its next RUN.  0 or an errno.
 */
long bp_regs_get(struct bp_vcpu *vcpu);
long bp_regs_set(struct bp_vcpu *vcpu);
long bp_sregs_get(struct bp_vcpu *vcpu);
long bp_sregs_set(struct bp_vcpu *vcpu);
/* ---- events.c; mp_state: -EINVAL, INIT is held back (SMM, or an SMI) ---- */
long bp_events_get(struct bp_vcpu *vcpu);
long bp_events_set(struct bp_vcpu *vcpu);
long bp_mp_state_set(struct bp_vcpu *vcpu);
/* A trap hangs on the end of an instruction that was done here. */
bool bp_owes_step(const struct bp_vcpu *vcpu);

/* What KVM_SET_GUEST_DEBUG takes. */
#define BP_GUEST_DEBUG	(KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP | \
			 KVM_GUESTDBG_USE_SW_BP | KVM_GUESTDBG_USE_HW_BP | \
			 KVM_GUESTDBG_INJECT_DB | KVM_GUESTDBG_INJECT_BP | \
			 KVM_GUESTDBG_BLOCKIRQ)

/*
 * ---- smm.c: on behalf of user space ----
 * smi: KVM_SMI.  MSRs: -ENOENT, it is not one of SMM's.
 */
long bp_smi(struct bp_vcpu *vcpu);
bool bp_smm_owns(u32 msr);
long bp_smm_get_msr(const struct bp_vcpu *vcpu, u32 index, u64 *val);
long bp_smm_set_msr(struct bp_vcpu *vcpu, u32 index, u64 val);

/*
 * ---- debug.c: what a debugger must not see, or not disturb ----
 * Without and with the TF of a single step that the VMM asked for.  Debug registers:
 * vcpu->state, from and to where the guest's own are.
 */
u64 bp_debug_hide(const struct bp_vcpu *vcpu, u64 rflags);
u64 bp_debug_keep(struct bp_vcpu *vcpu, const struct kvm_regs *regs);
long bp_debugregs_get(struct bp_vcpu *vcpu);
long bp_debugregs_set(struct bp_vcpu *vcpu);
/* Of these DR6 and DR7 alone, as SMM and a guest's guest exchange them. */
long bp_debugregs_set_status(struct bp_vcpu *vcpu, u64 dr6, u64 dr7);

/* ---- mce.c: what of MCG_CAP there is; KVM_X86_SETUP_MCE, KVM_X86_SET_MCE ---- */
u64 bp_mce_cap(void);
long bp_setup_mce(struct bp_vcpu *vcpu, void __user *argp);
long bp_set_mce(struct bp_vcpu *vcpu, void __user *argp);

/* ---- sync_regs.c: state that goes with KVM_RUN, in kvm_run ---- */
/* What is dirty, to the vCPU.  -EINVAL: no such class, or the state is refused. */
long bp_sync_from_run(struct bp_vcpu *vcpu);
/* What is asked for, to kvm_run; the vCPU is stopped. */
void bp_sync_to_run(struct bp_vcpu *vcpu);

/* ---- vcpu_cpuid.c ---- */
long bp_cpuid_get(struct bp_vcpu *vcpu, void __user *argp);
/* -E2BIG: too many entries; -EINVAL: it has run, and with another table. */
long bp_cpuid_set(struct bp_vcpu *vcpu, void __user *argp);
/* KVM_SET_CPUID, whose leaves have no index. */
long bp_cpuid_set_old(struct bp_vcpu *vcpu, void __user *argp);
/*
 * A CPUID table to user space, which has said in @user how many entries it
 * has room for.  -E2BIG: too few; -EFAULT.
 */
long bp_cpuid_to_user(struct kvm_cpuid2 __user *user,
		      const struct kvm_cpuid2 *cpuid);

#endif
