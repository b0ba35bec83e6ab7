// SPDX-License-Identifier: GPL-2.0-only
/*
 * From L1 to L2 and back: VMRUN and #VMEXIT (APM vol. 2, 15.5, 15.6).  L2 has L1's vCPU, second
 * address space and all, so what is exchanged is the state that VMRUN exchanges.
 */
#include <linux/mm.h>
#include <linux/string.h>
#include <asm/trapnr.h>

#include "memory/gmem.h"
#include "running/run.h"
#include "running/state.h"
#include "nested.h"

#define SHADOW	(KVM_X86_SHADOW_INT_STI | KVM_X86_SHADOW_INT_MOV_SS)

/* ---- state, from and to Bedplate ---- */

long bp_nest_get(struct bp_vcpu *vcpu)
{
	struct nest_state *s = &vcpu->nest->s;
	const struct kvm_debugregs *dr = vcpu->state;
	long ret = bp_state_get(vcpu, BP_STATE_SREGS, sizeof(s->sregs));

	if (ret < 0)
		return ret;
	memcpy(&s->sregs, vcpu->state, sizeof(s->sregs));
	ret = bp_debugregs_get(vcpu);
	if (ret)
		return ret;
	s->dr6 = dr->dr6;
	s->dr7 = dr->dr7;
	s->regs = vcpu->page->regs;
	s->regs.rflags = bp_debug_hide(vcpu, s->regs.rflags);
	return 0;
}

static void set_regs(struct bp_vcpu *vcpu, const struct nest_state *s)
{
	struct bp_vcpu_page *page = vcpu->page;

	page->regs = s->regs;
	page->regs.rflags = bp_debug_keep(vcpu, &s->regs);
	page->run_flags |= BP_RUN_SET_REGS;
	page->if_flag = !!(s->regs.rflags & X86_EFLAGS_IF);
	page->ready_for_irq = 0;
}

/* Nothing has changed if it is -EINVAL. */
static long set_state(struct bp_vcpu *vcpu)
{
	const struct nest_state *s = &vcpu->nest->s;
	long ret;

	memcpy(vcpu->state, &s->sregs, sizeof(s->sregs));
	ret = bp_state_set(vcpu, BP_STATE_SREGS, sizeof(s->sregs));
	if (ret)
		return ret;
	set_regs(vcpu, s);
	ret = bp_debugregs_set_status(vcpu, s->dr6, s->dr7);
	return ret == -EINVAL ? -EIO : ret;
}

static long get_events(struct bp_vcpu *vcpu, struct kvm_vcpu_events *ev)
{
	long ret = bp_state_get(vcpu, BP_STATE_EVENTS, sizeof(*ev));

	memcpy(ev, vcpu->state, sizeof(*ev));
	return ret < 0 ? ret : 0;
}

/* Nothing is to be delivered but @event. */
static long set_events(struct bp_vcpu *vcpu, struct kvm_vcpu_events *ev, u64 event, bool shadow)
{
	ev->flags = KVM_VCPUEVENT_VALID_SHADOW;
	nest_event_set(ev, event);
	ev->interrupt.shadow = shadow ? SHADOW : 0;
	memcpy(vcpu->state, ev, sizeof(*ev));
	return bp_state_set(vcpu, BP_STATE_EVENTS, sizeof(*ev));
}

/* L2 takes its virtual interrupt, as nothing else is to be delivered. */
long bp_nest_inject(struct bp_vcpu *vcpu, u8 vector)
{
	struct kvm_vcpu_events ev;

	return get_events(vcpu, &ev) ?: set_events(vcpu, &ev, SVM_EVT_VALID | vector, false);
}

long bp_nest_rules(struct bp_vcpu *vcpu)
{
	struct bp_nested *rules = vcpu->state;

	nest_rules(rules, &vcpu->nest->n);
	return bp_state_set(vcpu, BP_STATE_NESTED, sizeof(*rules));
}

long bp_nest_sync(struct bp_vcpu *vcpu, struct bp_nested *now)
{
	struct vmcb_control *c = &vcpu->nest->n.c;
	long ret = bp_state_get(vcpu, BP_STATE_NESTED, sizeof(*now));

	if (ret < 0)
		return ret;
	memcpy(now, vcpu->state, sizeof(*now));
	if (c->int_ctl & SVM_V_INTR_MASKING)
		c->int_ctl = (c->int_ctl & ~SVM_V_TPR) | now->tpr;
	return 0;
}

/* ---- L1's VMCB ---- */

int bp_nest_write(struct bp_vcpu *vcpu, u64 gpa, const struct nest_part *parts)
{
	const u8 *from = (const u8 *)&vcpu->nest->vmcb;
	int err = 0;

	for (; !err && parts->len; parts++)
		err = bp_vcpu_write(vcpu, gpa + parts->at, from + parts->at, parts->len);
	return err;
}

/* ---- VMRUN ---- */

static int gp(struct bp_vcpu *vcpu)
{
	bp_queue_exception(vcpu, X86_TRAP_GP, true, 0, 0);
	return 1;
}

/* L1 goes on with what VMRUN of such a VMCB says. */
static int refuse(struct bp_vcpu *vcpu, u64 gpa, u8 len)
{
	struct bp_nest *nest = vcpu->nest;
	int err;

	nest_refuse(&nest->vmcb);
	err = bp_nest_write(vcpu, gpa, nest_refuse_parts);
	if (err)
		return err == -EINTR ? err : gp(vcpu);
	nest->n.guest = false;
	nest->n.gif = false;
	bp_insn_done(vcpu, len);
	return bp_nest_rules(vcpu) ?: 1;
}

/* The state of L1 is in ->s and becomes L2's; the VMCB is sound. */
static long begin(struct bp_vcpu *vcpu, u64 gpa, u8 len)
{
	struct bp_nest *nest = vcpu->nest;
	const struct vmcb *b = &nest->vmcb;
	struct nest *n = &nest->n;
	struct kvm_vcpu_events ev;
	long ret = get_events(vcpu, &ev);

	if (ret)
		return ret;
	memset(&n->l1, 0, sizeof(n->l1));
	nest->s.regs.rip += len;
	nest_store(&n->l1, &nest->s);
	n->l1_event = nest_event_get(&ev);
	nest->map_read = nest->map_read && nest_hv_keeps_map(n, &b->c, gpa);
	n->c = b->c;
	n->vmcb_gpa = gpa;
	nest_load(&nest->s, &b->s);
	nest->s.sregs.cr2 = b->s.cr2;
	nest->s.dr6 = b->s.dr6;
	nest->s.dr7 = b->s.dr7;
	ret = set_state(vcpu);
	if (ret)
		return ret;
	n->guest = true;
	n->gif = true;
	n->c.event_inj = 0;
	return set_events(vcpu, &ev, b->c.event_inj, b->c.int_state & SVM_INT_SHADOW) ?:
	       bp_nest_rules(vcpu);
}

int bp_nest_vmrun(struct bp_vcpu *vcpu, u64 gpa, u8 len)
{
	struct bp_nest *nest = vcpu->nest;
	int err;

	if (!nest->hsave || offset_in_page(gpa))
		return gp(vcpu);
	err = bp_vcpu_read(vcpu, gpa, &nest->vmcb, sizeof(nest->vmcb));
	if (err)
		return err == -EINTR ? err : gp(vcpu);
	if (!nest_vmcb_ok(&nest->vmcb, nest->phys_bits))
		return refuse(vcpu, gpa, len);
	err = begin(vcpu, gpa, len);
	/* Bedplate knows what there is of CR4 and EFER. */
	return err == -EINVAL ? refuse(vcpu, gpa, len) : err ?: 1;
}

/* ---- #VMEXIT ---- */

/* Why L2 ends, and what was being delivered to it. */
static long describe(struct bp_vcpu *vcpu, struct kvm_vcpu_events *ev, struct nest_exit *why)
{
	struct bp_nested now;
	long ret = bp_nest_sync(vcpu, &now) ?: get_events(vcpu, ev);

	if (ret)
		return ret;
	why->tpr = now.tpr;
	/* Not past an instruction that was just done. */
	why->shadow = ev->interrupt.shadow && !(vcpu->page->run_flags & BP_RUN_INSN_DONE);
	why->event = nest_event_get(ev);
	return 0;
}

/* There is no memory for what L1 is to be told. */
static int shut_down(struct bp_vcpu *vcpu)
{
	vcpu->run->exit_reason = KVM_EXIT_SHUTDOWN;
	return 0;
}

/* L2 is told of in its VMCB.  1: it could not be. */
static long tell_l1(struct bp_vcpu *vcpu, const struct nest_exit *why)
{
	struct bp_nest *nest = vcpu->nest;

	if (why->code == SVM_EXIT_EXC(X86_TRAP_DB))
		nest_debug(&nest->s, why->info[1]);
	nest_end(&nest->vmcb, &nest->n, &nest->s, why);
	return bp_gmem_error(bp_nest_write(vcpu, nest->n.vmcb_gpa, nest_end_parts), 1);
}

static long back_to_l1(struct bp_vcpu *vcpu, struct kvm_vcpu_events *ev)
{
	struct bp_nest *nest = vcpu->nest;

	nest_resume(&nest->s, &nest->n.l1);
	nest->n.guest = false;
	nest->n.gif = false;
	return set_state(vcpu) ?: set_events(vcpu, ev, nest->n.l1_event, false) ?:
	       bp_nest_rules(vcpu);
}

int bp_nest_vmexit(struct bp_vcpu *vcpu, u64 code, u64 info1, u64 info2)
{
	struct nest_exit why = { .code = code, .info = { info1, info2 } };
	struct bp_nest *nest = vcpu->nest;
	struct kvm_vcpu_events ev;
	long ret = describe(vcpu, &ev, &why) ?: bp_nest_get(vcpu) ?: tell_l1(vcpu, &why);

	if (ret)
		return ret > 0 ? shut_down(vcpu) : ret;
	ret = back_to_l1(vcpu, &ev);
	if (ret)
		return ret == -EINVAL ? shut_down(vcpu) : ret;
	/* The trap of a VMRUN that was stepped over. */
	if (nest->n.l1.rflags & NEST_RFLAGS_TF)
		vcpu->page->run_flags |= BP_RUN_INSN_DONE;
	return 1;
}

/* ---- System Management Mode ---- */

#define EXIT_SW	NEST_EXIT_HV	/* what KVM writes into the VMCB */
#define HSAVE	0x400		/* and where it keeps L1's state */

/* Where KVM has it, too: L1 as it is to be after L2. */
static int save_l1(struct bp_vcpu *vcpu)
{
	struct bp_nest *nest = vcpu->nest;
	struct vmcb_save *l1 = &nest->vmcb.s;

	nest_resume(&nest->s, &nest->n.l1);
	memset(l1, 0, sizeof(*l1));
	nest_store(l1, &nest->s);
	return bp_vcpu_write(vcpu, nest->hsave + HSAVE, l1, sizeof(*l1));
}

long bp_nest_smm_enter(struct bp_vcpu *vcpu, struct emul_smm *s)
{
	struct bp_nest *nest = vcpu->nest;
	int ret;

	if (!bp_nest_in_guest(vcpu))
		return 0;
	/* First what a signal may end. */
	ret = save_l1(vcpu);
	if (ret)
		return bp_gmem_error(ret, -EIO);
	ret = bp_nest_vmexit(vcpu, EXIT_SW, 0, 0);
	if (ret <= 0)
		return ret ?: -EIO;
	s->regs = nest->s.regs;
	s->sregs = nest->s.sregs;
	s->dr6 = nest->s.dr6;
	s->dr7 = nest->s.dr7;
	/* Without EFER.SVME, which is clear in SMM, there is no GIF. */
	nest->n.gif = true;
	return bp_nest_rules(vcpu);
}

long bp_nest_smm_load(struct bp_vcpu *vcpu, const struct emul_smm *s)
{
	struct bp_nest *nest = bp_nest_of(vcpu);
	int err;

	if (!s->l2)
		return 0;
	if (!nest || !(s->sregs.efer & NEST_EFER_SVME) || offset_in_page(s->l2_vmcb))
		return -EINVAL;
	err = bp_gmem_read(vcpu, s->l2_vmcb, &nest->vmcb, sizeof(nest->vmcb)) ?:
	      bp_gmem_read(vcpu, nest->hsave + HSAVE, &nest->n.l1, sizeof(nest->n.l1));
	if (err)
		return bp_gmem_error(err, -EINVAL);
	return nest_vmcb_ok(&nest->vmcb, nest->phys_bits) ? 0 : -EINVAL;
}

long bp_nest_smm_leave(struct bp_vcpu *vcpu, const struct emul_smm *s)
{
	struct bp_nest *nest = vcpu->nest;
	struct nest *n;

	if (!s->l2)
		return 0;
	n = &nest->n;
	nest->map_read = false;
	n->c = nest->vmcb.c;
	n->vmcb_gpa = s->l2_vmcb;
	n->l1_event = 0;
	n->guest = true;
	n->gif = true;
	return bp_nest_rules(vcpu);
}
