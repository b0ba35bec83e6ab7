// SPDX-License-Identifier: GPL-2.0-only
/* A guest's guest; the contract is in nested.h.  What becomes of an exit is the shim's. */
#include "nested.h"

#include "apic/vlapic.h"
#include "guest/insn.h"
#include "lib/x86.h"
#include "vcpu/ops.h"
#include "vcpu/run.h"

/* Exit codes of SVM's (APM vol. 2, app. C) for what is no exit of the CPU's. */
#define CODE_EXCEPTION	0x40
#define CODE_INTR	0x60
#define CODE_NMI	0x61
#define CODE_SMI	0x62
#define CODE_VINTR	0x64

static bool tell(struct vcpu *v, u64 code, u64 info1, u64 info2, u8 insn_len)
{
	v->page->nested = (struct bp_exit_nested){
		.code = code, .info = { info1, info2 }, .insn_len = insn_len,
	};
	vcpu_service(v, BP_EXIT_NESTED);
	return true;
}

static bool measured(enum vm_exit_reason reason)
{
	return reason == VM_EXIT_UNDEFINED || reason == VM_EXIT_RDMSR || reason == VM_EXIT_WRMSR;
}

void nested_exit(struct vcpu *v)
{
	struct vm_exit *e = &v->exit;

	e->nested = false;
	tell(v, e->hw_reason, e->hw_info[0], e->hw_info[1],
	     measured(e->reason) ? vcpu_insn_len(v) : 0);
}

static bool exception(struct vcpu *v)
{
	const struct vcpu_event *e = &v->inject;

	if (e->type != EVENT_EXC || !(e->fresh || e->pending) ||
	    !(v->nested.exceptions & 1u << e->vector))
		return false;
	return tell(v, CODE_EXCEPTION + e->vector, e->has_error ? e->error : 0,
		    e->has_payload ? e->payload : e->dr6 ? e->dr6 : v->regs.cr2, 0);
}

static bool interrupt_waits(struct vcpu *v)
{
	return vlapic_pending(v) >= 0 || (READ_ONCE(v->extint) && vlapic_accepts_extint(v));
}

bool nested_waits(struct vcpu *v)
{
	return vcpu_has_irq(v) || READ_ONCE(v->extint) || v->nested.virq;
}

bool nested_stops(struct vcpu *v)
{
	u32 flags = v->nested.flags;

	if (v->inject.type != EVENT_NONE)
		return exception(v);
	if ((flags & BP_NESTED_HOLD) || (v->rules.flags & BP_RULE_NO_IRQ))
		return false;
	if ((flags & BP_NESTED_SMI) && (vcpu_requests(v) & VCPU_REQ_SMI))
		return tell(v, CODE_SMI, 0, 0, 0);
	if ((flags & BP_NESTED_NMI) && READ_ONCE(v->nmi_pending))
		return tell(v, CODE_NMI, 0, 0, 0);
	if (!(flags & BP_NESTED_INTR) || !interrupt_waits(v))
		return false;
	if ((flags & BP_NESTED_ANY_IF) || ops->can_inject(v, EVENT_INTR))
		return tell(v, CODE_INTR, 0, 0, 0);
	ops->window(v, EVENT_INTR, true);
	return false;
}

bool nested_virq(struct vcpu *v)
{
	const struct bp_nested *n = &v->nested;
	u8 cr8 = n->flags & BP_NESTED_TPR ? n->tpr : vlapic_get_cr8(v);

	if (n->virq <= cr8) {		/* until CR8 falls */
		v->tpr_watch = n->virq;
		ops->tpr_threshold(v, n->virq);
		return false;
	}
	if (ops->can_inject(v, EVENT_INTR))
		return tell(v, CODE_VINTR, 0, 0, 0);
	ops->window(v, EVENT_INTR, true);
	return false;
}
