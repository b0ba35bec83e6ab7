/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by the files of the room alone.  vcpu->mutex is held. */
#ifndef BEDPLATE_NESTED_H
#define BEDPLATE_NESTED_H

#include "running/nest.h"
#include "vmcb.h"

/* A vCPU whose CPUID has SVM. */
struct bp_nest {
	struct nest n;
	bool on;		/* its CPUID has it still */
	u8 inits;		/* page->inits, as seen */
	u32 phys_bits;
	u64 vm_cr, hsave;	/* MSRs */
	struct vmcb vmcb;	/* the one in hand, a copy */
	struct nest_state s;	/* the state in hand */
};

/* NULL: it has no SVM.  An INIT that came meanwhile has ended L2. */
struct bp_nest *bp_nest_of(struct bp_vcpu *vcpu);

/*
 * ---- enter.c: VMRUN and #VMEXIT ----
 * As in run.h; nothing has changed with -EINTR.  get: ->s, in KVM_RUN, from page->regs.
 * rules: Bedplate has ->n's.  sync: ->n has what the CPU has changed in L2.
 */
long bp_nest_get(struct bp_vcpu *vcpu);
long bp_nest_rules(struct bp_vcpu *vcpu);
long bp_nest_inject(struct bp_vcpu *vcpu, u8 vector);
long bp_nest_sync(struct bp_vcpu *vcpu, struct bp_nested *now);
int bp_nest_vmrun(struct bp_vcpu *vcpu, u64 gpa, u8 len);
int bp_nest_vmexit(struct bp_vcpu *vcpu, u64 code, u64 info1, u64 info2);

/* ---- insn.c: SVM's instructions, by their exit codes; @len: 0 is unknown ---- */
int bp_nest_insn(struct bp_vcpu *vcpu, u64 code, u8 len);

#endif
