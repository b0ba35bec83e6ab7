// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stepping over one instruction of a vCPU, for the sake of NMIs.
 *
 * NMI blocking ends when the handler's IRET has completed, but the IRET
 * intercept comes before it executes.  So the guest enters with TF set, and
 * the #DB after the IRET ends the blocking; so does any fault that the IRET
 * raises, as on the bare CPU.  The same step carries an NMI over an interrupt
 * shadow, for whose end there is no intercept.
 *
 * All exceptions are intercepted meanwhile, so that no handler of the guest
 * finds our TF in its frame.  An exit before the instruction completed undoes
 * the step; it is asked for again when the time comes.
 */
#include "lib/x86_regs.h"
#include "svm.h"

#define DR6_TRAPS	(X86_DR6_BS | X86_DR6_B)

void svm_step_begin(struct vcpu *v)
{
	struct svm_vcpu *sv = v->arch;
	struct vmcb *b = sv->vmcb;

	/* An event comes before the instruction: not now. */
	if (v->inject.type != EVENT_NONE) {
		sv->step = STEP_NONE;
		return;
	}
	sv->step = STEP_ARMED;
	sv->step_iret = sv->nmi_masked;
	sv->step_rip = v->regs.rip;
	sv->step_tf = v->regs.rflags & X86_EFLAGS_TF;
	sv->step_dr6 = b->s.dr6;
	sv->step_exc = b->c.intercept_exc;
	v->regs.rflags |= X86_EFLAGS_TF;
	b->s.dr6 &= ~DR6_TRAPS;
	b->c.intercept_exc = ~0u;
	svm_dirty(b, SVM_CLEAN_I | SVM_CLEAN_DR);
	svm_intercept1(sv, SVM_I1_IRET, false);
}

/*
 * Put DR6 together from before and after, without our own single step.
 * Result: the traps that are the guest's business.
 */
static u64 merge_dr6(struct vcpu *v, struct svm_vcpu *sv, struct vmcb *b)
{
	u64 hits = b->s.dr6 & DR6_TRAPS;
	u32 i;

	if (!sv->step_tf)
		hits &= ~X86_DR6_BS;
	for (i = 0; i < 4; i++)
		if (!(b->s.dr7 >> 2 * i & 3))
			hits &= ~BIT(i);
	b->s.dr6 = (b->s.dr6 & ~DR6_TRAPS) | (sv->step_dr6 & DR6_TRAPS) | hits;
	v->dr6 = b->s.dr6;
	svm_dirty(b, SVM_CLEAN_DR);
	return hits;
}

/* The guest's own exception, met while stepping, goes back to it. */
static void reflect(struct vcpu *v)
{
	const struct exit_exc *x = &v->exit.exc;

	v->inject = (struct vcpu_event){
		.type = EVENT_EXC, .vector = x->vector,
		.has_error = x->has_error, .error = x->error, .fresh = true,
	};
	if (x->vector == X86_TRAP_PF)
		v->regs.cr2 = x->cr2_or_dr6;
}

/* The instruction is over.  Asked for an NMI window: here it is. */
static void unmask_nmi(struct vcpu *v, struct svm_vcpu *sv)
{
	sv->nmi_masked = false;
	if (sv->nmi_window && v->exit.reason == VM_EXIT_NONE) {
		sv->nmi_window = false;
		v->exit.reason = VM_EXIT_NMI_WINDOW;
	}
}

void svm_step_end(struct vcpu *v)
{
	struct svm_vcpu *sv = v->arch;
	struct vmcb *b = sv->vmcb;
	bool moved = v->regs.rip != sv->step_rip;
	bool exception = v->exit.reason == VM_EXIT_EXCEPTION;
	u8 vector = exception ? v->exit.exc.vector : 0;
	bool trapped = exception && vector == X86_TRAP_DB;
	u64 hits = merge_dr6(v, sv, b);

	sv->step = STEP_NONE;
	if (exception)
		v->exit.nested = false;		/* reflect() asks L1 */
	b->c.intercept_exc = sv->step_exc;
	svm_dirty(b, SVM_CLEAN_I);
	/* A completed IRET has loaded the guest's TF; else it is ours. */
	if (!sv->step_tf && !(sv->step_iret && (moved || trapped)))
		v->regs.rflags &= ~(u64)X86_EFLAGS_TF;

	if (trapped && hits && (v->rules.flags & BP_RULE_DEBUG)) {
		v->exit.exc.cr2_or_dr6 = hits;
	} else if (exception) {
		v->exit.reason = VM_EXIT_NONE;
		/* INT3 and INTO execute again, without us this time. */
		if (vector == X86_TRAP_BP || vector == X86_TRAP_OF)
			exception = false;
		else if (!trapped || hits)
			reflect(v);
	}
	if (exception || moved)
		unmask_nmi(v, sv);
	svm_intercept1(sv, SVM_I1_IRET, sv->nmi_masked || sv->nmi_window);
}
