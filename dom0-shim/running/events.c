// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_GET_VCPU_EVENTS and KVM_SET_VCPU_EVENTS: what Bedplate has for the vCPU to take, with
 * what the shim owes it at the next RUN; and KVM_SET_MP_STATE, which must agree with it.
 */
#include <linux/string.h>
#include <asm/debugreg.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "irqchip/irqchip.h"
#include "nest.h"
#include "run.h"
#include "state.h"

bool bp_owes_step(const struct bp_vcpu *vcpu)
{
	const struct bp_vcpu_page *page = vcpu->page;

	return page->run_flags & BP_RUN_INSN_DONE && page->regs.rflags & X86_EFLAGS_TF;
}

/* It is the guest's, and user space can take and give it. */
static bool shows_step(const struct bp_vcpu *vcpu)
{
	return bp_owes_step(vcpu) && !(vcpu->debug.control & KVM_GUESTDBG_SINGLESTEP) &&
	       READ_ONCE(vcpu->vm->rules) & BP_RULE_PAYLOAD;
}

/* What the emulator has found, and Bedplate does not know yet. */
static void merge_owed(const struct bp_vcpu *vcpu, struct kvm_vcpu_events *ev)
{
	const struct bp_vcpu_page *page = vcpu->page;

	if (page->run_flags & BP_RUN_EXCEPTION) {
		ev->exception.injected = 0;
		ev->exception.pending = 1;
		ev->exception.nr = page->exc_vector;
		ev->exception.has_error_code = page->exc_has_error;
		ev->exception.error_code = page->exc_error;
		ev->exception_has_payload = page->exc_vector == X86_TRAP_PF;
		ev->exception_payload = page->exc_cr2;
	} else if (shows_step(vcpu) && !ev->exception.pending && !ev->exception.injected) {
		ev->exception.pending = 1;
		ev->exception.nr = X86_TRAP_DB;
		ev->exception.has_error_code = 0;
		ev->exception_has_payload = 1;
		ev->exception_payload = DR_STEP;
	}
	if (page->run_flags & BP_RUN_INJECT) {
		ev->interrupt.injected = 1;
		ev->interrupt.nr = page->inject_vector;
	}
	if (page->run_flags & BP_RUN_INSN_DONE)
		ev->interrupt.shadow = 0;
}

/* Who has not asked for more sees a pending exception as one that is injected. */
static void hide_unasked(const struct bp_vm *vm, struct kvm_vcpu_events *ev)
{
	u32 rules = READ_ONCE(vm->rules);

	if (!(rules & BP_RULE_PAYLOAD)) {
		ev->flags &= ~KVM_VCPUEVENT_VALID_PAYLOAD;
		ev->exception.injected |= ev->exception.pending;
		ev->exception_has_payload = 0;
		ev->exception_payload = 0;
	}
	if (!READ_ONCE(vm->triple_fault_event)) {
		ev->flags &= ~KVM_VCPUEVENT_VALID_TRIPLE_FAULT;
		ev->triple_fault.pending = 0;
	}
}

long bp_events_get(struct bp_vcpu *vcpu)
{
	struct kvm_vcpu_events *ev = vcpu->state;
	long ret;

	memset(ev, 0, sizeof(*ev));
	ret = bp_state_get(vcpu, BP_STATE_EVENTS, sizeof(*ev));
	if (ret < 0)
		return ret;
	merge_owed(vcpu, ev);
	ev->smi.smm_inside_nmi = vcpu->smm.inside_nmi;
	if (bp_irq_mode(vcpu->vm->irq) == BP_IRQ_NONE)
		ev->smi.latched_init = 0;
	hide_unasked(vcpu->vm, ev);
	return 0;
}

static bool events_asked(const struct bp_vm *vm, const struct kvm_vcpu_events *ev)
{
	return (!(ev->flags & KVM_VCPUEVENT_VALID_PAYLOAD) ||
		READ_ONCE(vm->rules) & BP_RULE_PAYLOAD) &&
	       (!(ev->flags & KVM_VCPUEVENT_VALID_TRIPLE_FAULT) ||
		READ_ONCE(vm->triple_fault_event));
}

/* What holds INIT back and a vCPU that has taken it exclude each other; so too below. */
static bool smi_fits(struct bp_vcpu *vcpu, const struct kvm_vcpu_events *ev)
{
	const struct kvm_mp_state *mp = vcpu->state;

	if (!(ev->flags & KVM_VCPUEVENT_VALID_SMM) || !(ev->smi.smm || ev->smi.pending))
		return true;
	return bp_state_get(vcpu, BP_STATE_MP_STATE, sizeof(*mp)) >= 0 &&
	       mp->mp_state != KVM_MP_STATE_INIT_RECEIVED;
}

long bp_mp_state_set(struct bp_vcpu *vcpu)
{
	const struct kvm_vcpu_events *ev = vcpu->state;
	struct kvm_mp_state mp = *(struct kvm_mp_state *)vcpu->state;
	long ret;

	if (mp.mp_state == KVM_MP_STATE_INIT_RECEIVED ||
	    mp.mp_state == KVM_MP_STATE_SIPI_RECEIVED) {
		ret = bp_state_get(vcpu, BP_STATE_EVENTS, sizeof(*ev));
		if (ret < 0)
			return ret;
		if (ev->smi.smm || ev->smi.pending)
			return -EINVAL;
	}
	memcpy(vcpu->state, &mp, sizeof(mp));
	return bp_state_set(vcpu, BP_STATE_MP_STATE, sizeof(mp));
}

long bp_events_set(struct bp_vcpu *vcpu)
{
	struct kvm_vcpu_events ev = *(struct kvm_vcpu_events *)vcpu->state;
	long ret;

	if (!events_asked(vcpu->vm, &ev) || !smi_fits(vcpu, &ev))
		return -EINVAL;
	if (bp_irq_mode(vcpu->vm->irq) == BP_IRQ_NONE)
		ev.smi.latched_init = 0;
	memcpy(vcpu->state, &ev, sizeof(ev));
	ret = bp_state_set(vcpu, BP_STATE_EVENTS, sizeof(ev));
	if (ret)
		return ret;
	if (ev.flags & KVM_VCPUEVENT_VALID_SMM) {
		if (ev.smi.smm != vcpu->smm.in)
			bp_nest_leave(vcpu);
		bp_smm_changed(vcpu, ev.smi.smm);
		vcpu->smm.inside_nmi = ev.smi.smm && ev.smi.smm_inside_nmi;
	}
	if (!bp_owes_step(vcpu) || shows_step(vcpu))
		vcpu->page->run_flags &= ~BP_RUN_INSN_DONE;
	vcpu->page->run_flags &= ~(BP_RUN_EXCEPTION | BP_RUN_INJECT);
	vcpu->debug.events_set = true;
	return 0;
}
