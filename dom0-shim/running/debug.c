// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_SET_GUEST_DEBUG.  Bedplate knows two rules: #DB, with MOV of debug registers, and
 * #BP are the shim's.  While #DB is, the CPU has the VMM's breakpoints, or the guest's
 * own for want of those, and the guest's registers are kept here.
 *
 * A single step is RFLAGS.TF, as on KVM: set when the VMM asks, and hidden from it until
 * it asks no more.  Registers set meanwhile keep it if RIP stays where it was then.
 */
#include <linux/kernel.h>
#include <asm/debugreg.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "run.h"
#include "state.h"

#define DR6_INIT	0xffff0ff0ull
#define DR6_HITS	0xfull
#define DR6_CAUSES	0xe00full
#define DR7_FIXED	(1ull << 10)
#define DR7_GD		(1ull << 13)

static bool stepping(const struct bp_vcpu *vcpu)
{
	return vcpu->debug.control & KVM_GUESTDBG_SINGLESTEP;
}

/* Are the CPU's debug registers others than the guest's? */
static bool swapped(u32 control)
{
	return control & (KVM_GUESTDBG_SINGLESTEP | KVM_GUESTDBG_USE_HW_BP);
}

/* ---- debug registers ---- */

static long hw_get(struct bp_vcpu *vcpu)
{
	long ret;

	memset(vcpu->state, 0, sizeof(struct kvm_debugregs));
	ret = bp_state_get(vcpu, BP_STATE_DEBUGREGS, sizeof(struct kvm_debugregs));
	return ret < 0 ? ret : 0;
}

static long hw_set(struct bp_vcpu *vcpu, const struct kvm_debugregs *dr)
{
	memcpy(vcpu->state, dr, sizeof(*dr));
	return bp_state_set(vcpu, BP_STATE_DEBUGREGS, sizeof(*dr));
}

static void breakpoints(struct bp_vcpu *vcpu, const u64 db[4], u64 dr7)
{
	memcpy(vcpu->debug.db, db, sizeof(vcpu->debug.db));
	vcpu->debug.dr7 = ((u32)dr7 & ~DR7_GD) | DR7_FIXED;
}

/* Those that the CPU is to have now; DR6 collects what happens from now on. */
static long arm(struct bp_vcpu *vcpu)
{
	const struct kvm_debugregs *own = &vcpu->debug.own;
	struct kvm_debugregs dr = { .dr6 = DR6_INIT };

	if (!(vcpu->debug.control & KVM_GUESTDBG_USE_HW_BP))
		breakpoints(vcpu, own->db, own->dr7);
	memcpy(dr.db, vcpu->debug.db, sizeof(dr.db));
	dr.dr7 = vcpu->debug.dr7;
	return hw_set(vcpu, &dr);
}

long bp_debugregs_get(struct bp_vcpu *vcpu)
{
	if (!swapped(vcpu->debug.control))
		return hw_get(vcpu);
	memcpy(vcpu->state, &vcpu->debug.own, sizeof(vcpu->debug.own));
	return 0;
}

long bp_debugregs_set(struct bp_vcpu *vcpu)
{
	const struct kvm_debugregs *dr = vcpu->state;

	if (!swapped(vcpu->debug.control))
		return bp_state_set(vcpu, BP_STATE_DEBUGREGS, sizeof(*dr));
	if (dr->flags || dr->dr6 >> 32 || dr->dr7 >> 32)
		return -EINVAL;
	vcpu->debug.own = *dr;
	return arm(vcpu);
}

long bp_debugregs_set_status(struct bp_vcpu *vcpu, u64 dr6, u64 dr7)
{
	struct kvm_debugregs *dr = vcpu->state;
	long ret = bp_debugregs_get(vcpu);

	if (ret)
		return ret;
	dr->dr6 = dr6;
	dr->dr7 = dr7;
	return bp_debugregs_set(vcpu);
}

static long exchange(struct bp_vcpu *vcpu, const struct kvm_guest_debug *dbg, u32 control)
{
	bool was = swapped(vcpu->debug.control);
	long ret = 0;

	if (!was && swapped(control)) {
		ret = hw_get(vcpu);
		memcpy(&vcpu->debug.own, vcpu->state, sizeof(vcpu->debug.own));
	} else if (was && !swapped(control)) {
		ret = hw_set(vcpu, &vcpu->debug.own);
	}
	if (ret)
		return ret;
	vcpu->debug.control = control;
	if (control & KVM_GUESTDBG_USE_HW_BP)
		breakpoints(vcpu, dbg->arch.debugreg, dbg->arch.debugreg[7]);
	return swapped(control) ? arm(vcpu) : 0;
}

/* ---- single step ---- */

static u64 cs_base(struct bp_vcpu *vcpu)
{
	const struct kvm_sregs *s = vcpu->state;

	if (bp_sregs_get(vcpu))
		return 0;
	return s->efer & EFER_LMA && s->cs.l ? 0 : s->cs.base;
}

u64 bp_debug_hide(const struct bp_vcpu *vcpu, u64 rflags)
{
	return stepping(vcpu) ? rflags & ~(u64)X86_EFLAGS_TF : rflags;
}

u64 bp_debug_keep(struct bp_vcpu *vcpu, const struct kvm_regs *regs)
{
	u64 rflags = regs->rflags, rip = regs->rip;

	if (stepping(vcpu) && cs_base(vcpu) + rip == vcpu->debug.step_rip)
		rflags |= X86_EFLAGS_TF;
	return rflags;
}

/* The flag goes and comes with @control; nothing that waits is lost by it. */
static long set_step(struct bp_vcpu *vcpu, u32 control)
{
	struct bp_vcpu_page *page = vcpu->page;
	long ret = bp_regs_get(vcpu);	/* without the old one */

	if (ret)
		return ret;
	memcpy(&page->regs, vcpu->state, sizeof(page->regs));
	if (control & KVM_GUESTDBG_SINGLESTEP) {
		page->regs.rflags |= X86_EFLAGS_TF;
		vcpu->debug.step_rip = cs_base(vcpu) + page->regs.rip;
	}
	page->run_flags |= BP_RUN_SET_REGS;
	bp_emulate_new_regs(vcpu, &page->regs);
	return 0;
}

/* ---- the ioctl ---- */

static long inject(struct bp_vcpu *vcpu, u32 control)
{
	const struct kvm_vcpu_events *ev = vcpu->state;
	struct bp_vcpu_page *page = vcpu->page;
	long ret = bp_state_get(vcpu, BP_STATE_EVENTS, sizeof(*ev));

	if (ret < 0)
		return ret;
	if (page->run_flags & BP_RUN_EXCEPTION || ev->exception.pending)
		return -EBUSY;
	if (control & KVM_GUESTDBG_INJECT_DB) {
		bp_queue_exception(vcpu, X86_TRAP_DB, false, 0, 0);
		return 0;
	}
	/* Of an INT3, whose handler returns behind it. */
	ret = bp_regs_get(vcpu);
	if (ret)
		return ret;
	memcpy(&page->regs, vcpu->state, sizeof(page->regs));
	page->regs.rip++;
	page->run_flags |= BP_RUN_SET_REGS;
	bp_queue_exception(vcpu, X86_TRAP_BP, false, 0, 0);
	return 0;
}

static void tell_rules(struct bp_vcpu *vcpu, u32 control)
{
	vcpu->rules &= ~(BP_RULE_DEBUG | BP_RULE_BREAK | BP_RULE_NO_IRQ);
	if (swapped(control))
		vcpu->rules |= BP_RULE_DEBUG;
	if (control & KVM_GUESTDBG_USE_SW_BP)
		vcpu->rules |= BP_RULE_BREAK;
	if (control & KVM_GUESTDBG_BLOCKIRQ)
		vcpu->rules |= BP_RULE_NO_IRQ;
	vcpu->rules_gen = bp_rules_gen(vcpu->vm) - 1;
}

long bp_debug_set(struct bp_vcpu *vcpu, const struct kvm_guest_debug *dbg)
{
	u32 control = dbg->control & KVM_GUESTDBG_ENABLE ? dbg->control : 0;
	long ret = 0;

	if (dbg->control & ~BP_GUEST_DEBUG)
		return -EINVAL;
	if (dbg->control & (KVM_GUESTDBG_INJECT_DB | KVM_GUESTDBG_INJECT_BP))
		ret = inject(vcpu, dbg->control);
	if (!ret)
		ret = set_step(vcpu, control);
	if (!ret)
		ret = exchange(vcpu, dbg, control);
	if (!ret)
		tell_rules(vcpu, control);
	return ret;
}

/* ---- what happens to the guest's own registers ---- */

static const struct kvm_debugregs after_reset = { .dr6 = DR6_INIT, .dr7 = DR7_FIXED };

/*
 * The cause of a #DB that the VMM hands back to the guest is in the event.  It is for the
 * guest's own DR6, and not for the CPU's, which Bedplate would give it to.
 */
long bp_debug_deliver(struct bp_vcpu *vcpu)
{
	struct kvm_vcpu_events *ev = vcpu->state;
	struct kvm_debugregs *own = &vcpu->debug.own;
	bool look = vcpu->debug.events_set && swapped(vcpu->debug.control);
	long ret;

	vcpu->debug.events_set = false;
	if (!look)
		return 0;
	ret = bp_state_get(vcpu, BP_STATE_EVENTS, sizeof(*ev));
	if (ret < 0)
		return ret;
	if (!ev->exception.pending || ev->exception.nr != X86_TRAP_DB || !ev->exception_has_payload)
		return 0;
	own->dr6 = (own->dr6 & ~DR6_HITS) | (ev->exception_payload & DR6_CAUSES);
	own->dr7 &= ~DR7_GD;
	ev->exception_has_payload = 0;
	ev->exception_payload = 0;
	return bp_state_set(vcpu, BP_STATE_EVENTS, sizeof(*ev));
}

bool bp_debug_init_due(const struct bp_vcpu *vcpu)
{
	return swapped(vcpu->debug.control) &&
	       vcpu->page->mp_state == KVM_MP_STATE_INIT_RECEIVED &&
	       memcmp(&vcpu->debug.own, &after_reset, sizeof(after_reset));
}

/* Bedplate leaves the CPU's alone then, which are the VMM's. */
int bp_debug_init(struct bp_vcpu *vcpu)
{
	vcpu->debug.own = after_reset;
	return arm(vcpu) ?: 1;
}

/* ---- exits ---- */

static int report(struct bp_vcpu *vcpu, u8 vector, u64 dr6)
{
	struct kvm_debug_exit_arch *arch = &vcpu->run->debug.arch;

	vcpu->run->exit_reason = KVM_EXIT_DEBUG;
	memset(arch, 0, sizeof(*arch));
	arch->exception = vector;
	arch->pc = cs_base(vcpu) + vcpu->page->regs.rip;
	if (vector != X86_TRAP_DB)
		return 0;
	arch->dr6 = dr6 | DR6_INIT;
	arch->dr7 = vcpu->debug.dr7;
	return arm(vcpu);
}

int bp_exit_debug(struct bp_vcpu *vcpu)
{
	struct bp_exit_debug debug = vcpu->page->debug;
	bool step = debug.vector == X86_TRAP_DB && debug.dr6 == DR_STEP;

	/* Of a step that the VMM has asked for before, and does not any more. */
	if (step && !stepping(vcpu) && !(vcpu->page->regs.rflags & X86_EFLAGS_TF))
		return arm(vcpu) ?: 1;
	return report(vcpu, debug.vector, debug.dr6);
}

int bp_exit_mov_dr(struct bp_vcpu *vcpu)
{
	int ret = bp_emulate(vcpu);

	return ret > 0 ? arm(vcpu) ?: ret : ret;
}
