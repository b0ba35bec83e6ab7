/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by the files of the room alone.  vcpu->mutex is held. */
#ifndef BEDPLATE_NESTED_H
#define BEDPLATE_NESTED_H

#include "running/nest.h"
#include "enlight.h"
#include "vmcb.h"

/* A vCPU whose CPUID has SVM. */
struct bp_nest {
	struct nest n;
	bool on;		/* its CPUID has it still */
	u8 inits;		/* page->inits, as seen */
	u32 phys_bits;
	u64 hsave;		/* an MSR */
	struct vmcb vmcb;	/* the one in hand, a copy */
	u8 *map;		/* L1's MSR permission map, a copy; or NULL */
	bool map_read;		/* it is L2's */
	struct nest_state s;	/* the state in hand */
};

/* NULL: it has no SVM.  An INIT that came meanwhile has ended L2. */
struct bp_nest *bp_nest_of(struct bp_vcpu *vcpu);

/*
 * ---- enter.c: VMRUN and #VMEXIT ----
 * As in run.h; nothing has changed with -EINTR.  get: ->s, in KVM_RUN, from page->regs.
 * rules: Bedplate has ->n's.  sync: ->n has what the CPU has changed in L2.  write: of ->vmcb,
 * as bp_vcpu_write(), but that parts may be written when it fails.
 */
long bp_nest_get(struct bp_vcpu *vcpu);
long bp_nest_rules(struct bp_vcpu *vcpu);
long bp_nest_inject(struct bp_vcpu *vcpu, u8 vector);
long bp_nest_sync(struct bp_vcpu *vcpu, struct bp_nested *now);
int bp_nest_write(struct bp_vcpu *vcpu, u64 gpa, const struct nest_part *parts);
int bp_nest_vmrun(struct bp_vcpu *vcpu, u64 gpa, u8 len);
int bp_nest_vmexit(struct bp_vcpu *vcpu, u64 code, u64 info1, u64 info2);

/*
 * ---- hv.c ----
 * A byte of the MSR permission map that counts, or -EINTR.
 * call: L2's VMMCALL which L1 intercepts; as in run.h, -ENOENT: it is L1's.
 */
int bp_nest_msr_byte(struct bp_vcpu *vcpu, u32 at);
int bp_nest_hv_call(struct bp_vcpu *vcpu);

/* ---- exit.c: a byte of a permission map, or -EINTR ---- */
int bp_nest_map_byte(struct bp_vcpu *vcpu, u64 gpa);

/* ---- insn.c: SVM's instructions, by their exit codes; @len: 0 is unknown ---- */
int bp_nest_insn(struct bp_vcpu *vcpu, u64 code, u8 len);

#endif
