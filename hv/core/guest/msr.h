/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * MSR policy: what an intercepted RDMSR or WRMSR reads and does.
 * 0, or #GP (KVM_GET_MSRS and KVM_SET_MSRS: not this one): -EINVAL, or -ENOENT: there
 * is no such MSR.
 */
#ifndef HV_CORE_MSR_H
#define HV_CORE_MSR_H

#include "lib/types.h"

struct vcpu;

int vcpu_rdmsr(struct vcpu *v, u32 msr, u64 *val);
int vcpu_wrmsr(struct vcpu *v, u32 msr, u64 val);

/*
 * The same for the VMM: it may also write what a guest cannot (TSC without
 * adjusting, read-only identification MSRs to the value they have).
 */
int vcpu_host_rdmsr(struct vcpu *v, u32 msr, u64 *val);
int vcpu_host_wrmsr(struct vcpu *v, u32 msr, u64 val);

/* Power-up values of v->msr. */
void msr_reset(struct vcpu *v);

/* What KVM_GET_MSR_INDEX_LIST names: all of them can be read and written. */
extern const u32 msr_list[];
extern const u32 msr_list_len;

/* What KVM_GET_MSR_FEATURE_INDEX_LIST names, and their values; -EINVAL: not here. */
extern const u32 msr_features[];
extern const u32 msr_features_len;
int msr_feature(u32 msr, u64 *val);

/* Guest TSC = TSC + offset; also what the domain's next vCPU begins with. */
void vcpu_set_tsc_offset(struct vcpu *v, u64 offset);
/* TSC_ADJUST has a new value, and the TSC moves by the difference. */
void vcpu_adjust_tsc(struct vcpu *v, u64 adjust);

struct msr_range {
	u32 first, last;
};

/*
 * Of these domain 0 reads the virtual value, not the machine's: a back end has
 * the reads exit, and adds what belongs to its own vendor's virtualisation.
 */
extern const struct msr_range dom0_virtual_msrs[];
extern const u32 dom0_virtual_msrs_len;

/* msr_dom0.c: writes that reach hardware. */
int dom0_rdmsr(struct vcpu *v, u32 msr, u64 *val);
int dom0_wrmsr(struct vcpu *v, u32 msr, u64 val);

#endif
