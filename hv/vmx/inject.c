// SPDX-License-Identifier: GPL-2.0-only
/* Events into a vCPU, and the windows in which they may go in. */
#include "insn.h"
#include "lib/x86_regs.h"
#include "vmx.h"

/* Vectors that push an error code: 8, 10-14, 17 (SDM vol. 3, 27.2.1.3). */
#define EXC_WITH_ERROR	0x00027d00u
#define ERROR_VALID	0x7fffu

/* ---- injection ---- */

static const u8 hw_type[] = {
	[EVENT_INTR] = INTR_EXT,
	[EVENT_NMI] = INTR_NMI,
	[EVENT_EXC] = INTR_EXC,
};

/* Real mode has no error codes; elsewhere the vector decides. */
static bool pushes_error(u8 vector)
{
	return (EXC_WITH_ERROR & 1u << (vector & 31)) &&
	       (vmread(VMCS_GUEST_CR0) & X86_CR0_PE);
}

void vmx_inject(struct vcpu *v)
{
	struct vmx_vcpu *x = v->arch;
	struct vcpu_event *ev = &v->inject;
	u8 type = ev->type;
	u32 info;

	ev->type = EVENT_NONE;
	if (ev->dr6)
		vmx_take_debug(ev->dr6);
	/* RIP points at the instruction of a soft event: it happens again. */
	if (type >= ARRAY_SIZE(hw_type))
		return;
	/* What is injected runs first: the shadow is over. */
	x->intr_state &= ~INTR_STATE_SHADOW;
	info = INTR_VALID | (u32)hw_type[type] << INTR_TYPE_SHIFT | ev->vector;
	if (type == EVENT_EXC && pushes_error(ev->vector)) {
		info |= INTR_ERROR;
		vmwrite(VMCS_ENTRY_ERROR, ev->has_error ? ev->error & ERROR_VALID : 0);
	}
	if (type == EVENT_NMI) {
		/* The entry sets the blocking, and wants it clear before. */
		info = (info & ~INTR_VECTOR) | X86_TRAP_NMI;
		x->intr_state &= ~INTR_STATE_NMI;
	}
	vmwrite(VMCS_ENTRY_INTR, info);
}

void vmx_cut_short(struct vcpu *v, u32 info)
{
	struct vmx_vcpu *x = v->arch;
	struct vcpu_event ev = { .vector = info & INTR_VECTOR };

	switch (INTR_TYPE(info)) {
	case INTR_EXT:
		ev.type = EVENT_INTR;
		break;
	case INTR_NMI:
		ev.type = EVENT_NMI;
		x->intr_state &= ~INTR_STATE_NMI;
		break;
	case INTR_EXC:
		ev.type = EVENT_EXC;
		ev.has_error = info & INTR_ERROR;
		if (ev.has_error)
			ev.error = vmread(VMCS_IDT_ERROR);
		break;
	}
	v->inject = ev;
}

/* ---- windows ---- */

/*
 * An NMI window opens in the shadow of STI (SDM vol. 3, 26.2), so an NMI must
 * be able to go in there.
 */
bool vmx_can_inject(struct vcpu *v, u8 event_type)
{
	struct vmx_vcpu *x = v->arch;

	if (v->inject.type != EVENT_NONE)
		return false;
	if (event_type == EVENT_NMI)
		return !(x->intr_state & (INTR_STATE_NMI | INTR_STATE_MOV_SS));
	return (v->regs.rflags & X86_EFLAGS_IF) && !(x->intr_state & INTR_STATE_SHADOW);
}

void vmx_window(struct vcpu *v, u8 event_type, bool on)
{
	struct vmx_vcpu *x = v->arch;
	u32 bit = event_type == EVENT_NMI ? PROC_NMI_WINDOW : PROC_IRQ_WINDOW;
	u32 want = on ? x->proc | bit : x->proc & ~bit;

	if (x->proc == want)
		return;
	x->proc = want;
	vmwrite(VMCS_PROC, want);
}

/* Without a TPR shadow every MOV to CR8 exits anyway. */
void vmx_tpr_threshold(struct vcpu *v, u8 class)
{
	((struct vmx_vcpu *)v->arch)->tpr_threshold = class;
}

/* ---- blocking, for struct kvm_vcpu_events ---- */

void vmx_get_block(struct vcpu *v, u8 *shadow, u8 *nmi_masked)
{
	const struct vmx_vcpu *x = v->arch;

	*shadow = (x->intr_state & INTR_STATE_STI ? KVM_X86_SHADOW_INT_STI : 0) |
		  (x->intr_state & INTR_STATE_MOV_SS ? KVM_X86_SHADOW_INT_MOV_SS : 0);
	*nmi_masked = !!(x->intr_state & INTR_STATE_NMI);
}

/* Both at once, which SVM reports, is the stronger one: hardware has only one. */
void vmx_set_block(struct vcpu *v, u8 shadow, u8 nmi_masked)
{
	struct vmx_vcpu *x = v->arch;

	x->intr_state = nmi_masked ? INTR_STATE_NMI : 0;
	if (shadow & KVM_X86_SHADOW_INT_MOV_SS)
		x->intr_state |= INTR_STATE_MOV_SS;
	else if (shadow & KVM_X86_SHADOW_INT_STI)
		x->intr_state |= INTR_STATE_STI;
}
