/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef HV_CORE_HYPERCALL_H
#define HV_CORE_HYPERCALL_H

struct vcpu;

/*
 * VMMCALL or VMCALL of the current vCPU: KVM's hypercalls for everybody, the
 * channel's (compat/kvm-abi/channel.h) for domain 0's kernel.
 */
void exit_hypercall(struct vcpu *v);

#endif
