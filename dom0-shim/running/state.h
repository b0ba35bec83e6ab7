/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A vCPU's state, in KVM's structures.  vcpu->mutex is held.
 */
#ifndef BEDPLATE_STATE_H
#define BEDPLATE_STATE_H

#include "shim.h"

/* -ENOIOCTLCMD for an ioctl that is not about state. */
long bp_vcpu_state_ioctl(struct bp_vcpu *vcpu, unsigned int cmd,
			 void __user *argp);
/* One class from or to vcpu->state. */
long bp_state_get(struct bp_vcpu *vcpu, enum bp_state class, u64 len);
long bp_state_set(struct bp_vcpu *vcpu, enum bp_state class, u64 len);

/*
 * A CPUID table to user space, which has said in @user how many entries it
 * has room for.  -E2BIG: too few; -EFAULT.
 */
long bp_cpuid_to_user(struct kvm_cpuid2 __user *user,
		      const struct kvm_cpuid2 *cpuid);

#endif
