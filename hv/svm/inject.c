// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events into a vCPU, and the windows in which they may go in.
 *
 * Interrupt window: a dummy virtual interrupt that ignores the TPR, with the
 * VINTR intercept.  It never reaches the guest; real ones go by EVENTINJ.
 *
 * NMI window: NMIs are masked from an injection to the end of the handler's
 * IRET, whose intercept starts a step over it (step.c).
 */
#include "lib/x86_regs.h"
#include "machine/cpu.h"
#include "machine/lapic.h"
#include "svm.h"

static bool shadow(const struct vmcb *b)
{
	return b->c.int_state & SVM_INT_SHADOW;
}

/*
 * QEMU's TCG forgets that it delivered an EVENTINJ interrupt: when it next
 * leaves its loop without another event it delivers the vector once more,
 * whatever RFLAGS.IF says (docs/testbed.md).  A physical interrupt that waits
 * ends the guest's run right after the delivery, and with it what TCG kept.
 */
static void forget_delivery(void)
{
	lapic_send_ipi(this_cpu()->apic_id, VECTOR_KICK);
}

/* ---- injection ---- */

static const u8 hw_type[] = {
	[EVENT_INTR] = SVM_EVT_INTR,
	[EVENT_NMI] = SVM_EVT_NMI,
	[EVENT_EXC] = SVM_EVT_EXC,
	[EVENT_INT] = SVM_EVT_SOFT,
};

/* INT3 and INTO: as soft as INT n. */
static bool soft_exception(u8 vector)
{
	return vector == X86_TRAP_BP || vector == X86_TRAP_OF;
}

/* What the delivery of a #DB does to DR6 and DR7, and its injection does not. */
static void take_debug(struct vmcb *b, u32 dr6)
{
	b->s.dr6 = (b->s.dr6 & ~X86_DR6_B) | dr6;
	b->s.dr7 &= ~X86_DR7_GD;
	svm_dirty(b, SVM_CLEAN_DR);
}

void svm_inject(struct vcpu *v)
{
	struct svm_vcpu *sv = v->arch;
	struct vmcb *b = sv->vmcb;
	struct vcpu_event *ev = &v->inject;
	u8 type = ev->type;
	u64 e;

	ev->type = EVENT_NONE;
	if (ev->dr6)
		take_debug(b, ev->dr6);
	/* RIP points at the instruction of a soft event: it happens again. */
	if (type == EVENT_SOFT)
		return;
	sv->int_injected = type == EVENT_INT || (type == EVENT_EXC && soft_exception(ev->vector));
	b->c.nrip = v->regs.rip;	/* where INT n returns to */
	/* What is injected runs first: the shadow is over. */
	b->c.int_state &= ~SVM_INT_SHADOW;
	if (type == EVENT_INTR && svm.tcg)
		forget_delivery();
	e = SVM_EVT_VALID | (u64)hw_type[type] << SVM_EVT_TYPE_SHIFT | ev->vector;
	if (type == EVENT_EXC && ev->has_error)
		e |= SVM_EVT_ERROR | (u64)ev->error << 32;
	if (type == EVENT_NMI)
		e = (e & ~SVM_EVT_VECTOR) | X86_TRAP_NMI;
	/* Those that L1 injects block none of its own. */
	if (type == EVENT_NMI && !(v->nested.flags & BP_NESTED_NMI)) {
		sv->nmi_masked = true;
		svm_intercept1(sv, SVM_I1_IRET, true);
	}
	b->c.event_inj = e;
}

void svm_cut_short(struct vcpu *v)
{
	struct svm_vcpu *sv = v->arch;
	u64 info = sv->vmcb->c.exit_int_info;
	struct vcpu_event ev = {
		.vector = info & SVM_EVT_VECTOR,
		.has_error = info & SVM_EVT_ERROR,
	};

	if (ev.has_error)
		ev.error = info >> 32;
	switch (SVM_EVT_TYPE(info)) {
	case SVM_EVT_INTR:
		ev.type = EVENT_INTR;
		break;
	case SVM_EVT_NMI:
		ev.type = EVENT_NMI;
		break;
	case SVM_EVT_EXC:
		if (!soft_exception(ev.vector) || sv->int_injected)
			ev.type = EVENT_EXC;
		break;
	case SVM_EVT_SOFT:
		if (sv->int_injected)
			ev.type = EVENT_INT;
		break;
	}
	v->inject = ev;
}

/* ---- windows ---- */

bool svm_can_inject(struct vcpu *v, u8 event_type)
{
	struct svm_vcpu *sv = v->arch;

	if (v->inject.type != EVENT_NONE || shadow(sv->vmcb))
		return false;
	if (event_type == EVENT_NMI)
		return !sv->nmi_masked;
	return v->regs.rflags & X86_EFLAGS_IF;
}

/*
 * CR8 writes exit while a vector waits for a lower TPR, and while V_IRQ is
 * pending, whose evaluation against a new TPR is not to be relied on.
 */
static void cr8_intercept(struct svm_vcpu *sv)
{
	struct vmcb *b = sv->vmcb;
	u32 want = b->c.intercept_cr & ~(SVM_CR_WRITE(8) & ~sv->l1[0]);

	if (sv->cr8_wait || sv->irq_window)
		want |= SVM_CR_WRITE(8);
	if (b->c.intercept_cr == want)
		return;
	b->c.intercept_cr = want;
	svm_dirty(b, SVM_CLEAN_I);
}

void svm_tpr_threshold(struct vcpu *v, u8 class)
{
	struct svm_vcpu *sv = v->arch;

	sv->cr8_wait = class != 0;
	cr8_intercept(sv);
}

static void irq_window(struct svm_vcpu *sv, bool on)
{
	struct vmcb *b = sv->vmcb;

	if (sv->irq_window == on)
		return;
	sv->irq_window = on;
	if (on)
		b->c.int_ctl |= SVM_V_IRQ | SVM_V_INTR_PRIO | SVM_V_IGN_TPR;
	else
		b->c.int_ctl &= ~(SVM_V_IRQ | SVM_V_INTR_PRIO | SVM_V_IGN_TPR);
	b->c.int_vector = 0;
	svm_dirty(b, SVM_CLEAN_TPR);
	svm_intercept1(sv, SVM_I1_VINTR, on);
	cr8_intercept(sv);
}

/*
 * NMIs masked: the IRET intercept is on already.  A shadow: step over it.
 * Another event goes in first: its handler's IRET is the moment.
 */
static void nmi_window(struct vcpu *v, struct svm_vcpu *sv, bool on)
{
	sv->nmi_window = on;
	if (sv->nmi_masked)
		return;
	sv->step = on && v->inject.type == EVENT_NONE && shadow(sv->vmcb) ?
		   STEP_WANTED : STEP_NONE;
	svm_intercept1(sv, SVM_I1_IRET, on);
}

void svm_window(struct vcpu *v, u8 event_type, bool on)
{
	struct svm_vcpu *sv = v->arch;

	if (event_type == EVENT_NMI)
		nmi_window(v, sv, on);
	else
		irq_window(sv, on);
}

enum vm_exit_reason svm_vintr_exit(struct vcpu *v)
{
	irq_window(v->arch, false);
	return VM_EXIT_IRQ_WINDOW;
}

enum vm_exit_reason svm_iret_exit(struct vcpu *v)
{
	struct svm_vcpu *sv = v->arch;

	if (sv->nmi_masked) {
		sv->step = STEP_WANTED;
		return VM_EXIT_NONE;
	}
	svm_intercept1(sv, SVM_I1_IRET, false);
	if (!sv->nmi_window)
		return VM_EXIT_NONE;
	sv->nmi_window = false;
	return VM_EXIT_NMI_WINDOW;
}

/* ---- blocking, for struct kvm_vcpu_events ---- */

void svm_get_block(struct vcpu *v, u8 *shadow_bits, u8 *nmi_masked)
{
	const struct svm_vcpu *sv = v->arch;

	/* The VMCB does not say which of the two it is. */
	*shadow_bits = shadow(sv->vmcb) ? KVM_X86_SHADOW_INT_STI |
					  KVM_X86_SHADOW_INT_MOV_SS : 0;
	*nmi_masked = sv->nmi_masked;
}

void svm_set_block(struct vcpu *v, u8 shadow_bits, u8 nmi_masked)
{
	struct svm_vcpu *sv = v->arch;
	struct vmcb *b = sv->vmcb;

	if (shadow_bits)
		b->c.int_state |= SVM_INT_SHADOW;
	else
		b->c.int_state &= ~SVM_INT_SHADOW;
	sv->nmi_masked = nmi_masked;
	/* Another instruction may be next than the IRET that was to be stepped over. */
	if (sv->step == STEP_WANTED)
		sv->step = STEP_NONE;
	svm_intercept1(sv, SVM_I1_IRET, sv->nmi_masked || sv->nmi_window);
}
