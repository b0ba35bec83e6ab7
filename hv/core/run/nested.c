// SPDX-License-Identifier: GPL-2.0-only
/* A guest's guest; the contract is in nested.h.  What becomes of an exit is the shim's. */
#include "nested.h"

#include "apic/vlapic.h"
#include "guest/insn.h"
#include "lib/x86.h"
#include "vcpu/ops.h"
#include "vcpu/run.h"

static bool tell(struct vcpu *v, u8 what, u64 code, u64 info1, u64 info2)
{
	v->page->nested = (struct bp_exit_nested){
		.what = what, .code = code, .info = { info1, info2 },
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
	v->page->nested = (struct bp_exit_nested){
		.code = e->hw_reason, .info = { e->hw_info[0], e->hw_info[1] },
		.insn_len = measured(e->reason) ? vcpu_insn_len(v) : 0,
	};
	vcpu_service(v, BP_EXIT_NESTED);
}

static bool exception(struct vcpu *v)
{
	const struct vcpu_event *e = &v->inject;

	if (e->type != EVENT_EXC || !(e->fresh || e->pending) ||
	    !(v->nested.exceptions & 1u << e->vector))
		return false;
	return tell(v, BP_NESTED_BY_EXCEPTION, e->vector, e->has_error ? e->error : 0,
		    e->has_payload ? e->payload : e->vector == X86_TRAP_PF ? v->regs.cr2 : e->dr6);
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
		return tell(v, BP_NESTED_BY_SMI, 0, 0, 0);
	/* One that L1's handler for NMIs blocks waits for an IRET, L2's or its own. */
	if ((flags & BP_NESTED_NMI) && READ_ONCE(v->nmi_pending) && ops->can_inject(v, EVENT_NMI))
		return tell(v, BP_NESTED_BY_NMI, 0, 0, 0);
	if (!(flags & BP_NESTED_INTR) || !vlapic_waits(v))
		return false;
	if ((flags & BP_NESTED_ANY_IF) || ops->can_inject(v, EVENT_INTR))
		return tell(v, BP_NESTED_BY_INTR, 0, 0, 0);
	ops->window(v, EVENT_INTR, true);
	return false;
}

bool nested_virq(struct vcpu *v)
{
	u8 virq = v->nested.virq;

	if (virq <= vcpu_cr8(v)) {	/* until CR8 falls */
		v->tpr_watch = virq;
		ops->tpr_threshold(v, virq);
		return false;
	}
	if (ops->can_inject(v, EVENT_INTR))
		return tell(v, BP_NESTED_BY_VIRQ, 0, 0, 0);
	ops->window(v, EVENT_INTR, true);
	return false;
}
