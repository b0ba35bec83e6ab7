// SPDX-License-Identifier: GPL-2.0-only
/* Exceptions for a vCPU, the end of an instruction, and registers in KVM's layout. */
#include "lib/x86.h"
#include "machine/log.h"
#include "memory/domain.h"
#include "ops.h"
#include "run.h"

u32 vcpu_exc_exits(const struct vcpu *v)
{
	u32 flags = v->rules.flags;

	if (domain_is_dom0(v->dom))
		return EXC_EXITS;
	return EXC_EXITS | EXC_EXITS_GUEST |
	       (flags & BP_RULE_UNDEFINED ? 1u << X86_TRAP_UD : 0) |
	       (flags & BP_RULE_BREAK ? 1u << X86_TRAP_BP : 0);
}

static bool contributory(u8 vector)
{
	return vector == X86_TRAP_DE || (vector >= X86_TRAP_TS && vector <= X86_TRAP_GP);
}

/* SDM vol. 3, table 6-5: what a second exception during delivery becomes. */
void vcpu_exception(struct vcpu *v, u8 vector, bool has_error, u32 error)
{
	struct vcpu_event *e = &v->inject;

	if (e->type == EVENT_EXC) {
		log_debug("domain %u vCPU %u: exception %u (%x) while delivering %u (%x), RIP %llx CR2 %llx",
			  v->dom->id, v->index, vector, error, e->vector, e->error,
			  v->regs.rip, v->regs.cr2);
		if (e->vector == X86_TRAP_DF) {
			v->shutdown_sticky = true;
			return;
		}
		if ((contributory(e->vector) && contributory(vector)) ||
		    (e->vector == X86_TRAP_PF && (contributory(vector) ||
						  vector == X86_TRAP_PF))) {
			vector = X86_TRAP_DF;
			has_error = true;
			error = 0;
		}
	}
	/*
	 * Benign first events: both are handled, one after the other.  The exception
	 * first, for the other one's delivery has met it.
	 */
	if (e->type == EVENT_INTR) {
		v->intr_again = true;
		v->again_now = false;
		v->again_vector = e->vector;
	} else if (e->type == EVENT_NMI) {
		v->nmi_pending = true;
	}
	*e = (struct vcpu_event){
		.type = EVENT_EXC, .vector = vector, .has_error = has_error, .error = error,
		.fresh = true,
	};
}

static void end_shadow(struct vcpu *v)
{
	u8 shadow, masked;

	ops->get_block(v, &shadow, &masked);
	if (shadow)
		ops->set_block(v, 0, masked);
}

#define TRAPS_OR_ABORTS	(BIT(X86_TRAP_DB) | BIT(X86_TRAP_BP) | BIT(X86_TRAP_OF) | \
			 BIT(X86_TRAP_DF) | BIT(X86_TRAP_MC))

/* What a #DB tells of by setting a bit of DR6: it also has those that it clears. */
#define DR6_PAYLOAD	(X86_DR6_B | X86_DR6_BD | X86_DR6_BS | BIT(15))

bool vcpu_debug_service(struct vcpu *v, u8 vector, u64 dr6)
{
	u32 rule = vector == X86_TRAP_DB ? BP_RULE_DEBUG : vector == X86_TRAP_BP ? BP_RULE_BREAK : 0;

	if (likely(!(v->rules.flags & rule)))
		return false;
	/* Blocking by STI is over with this step.  Else VMX would have no other one. */
	if (vector == X86_TRAP_DB && (dr6 & X86_DR6_BS))
		end_shadow(v);
	v->debug_trap = vector == X86_TRAP_DB;
	v->page->debug.vector = vector;
	v->page->debug.dr6 = vector == X86_TRAP_DB ? dr6 & DR6_PAYLOAD : 0;
	vcpu_service(v, BP_EXIT_DEBUG);
	return true;
}

void vcpu_raise_pending(struct vcpu *v)
{
	struct vcpu_event *e = &v->inject;

	e->pending = false;
	if (!(TRAPS_OR_ABORTS & BIT(e->vector)))
		v->regs.rflags |= X86_EFLAGS_RF;
	if (!e->has_payload)
		return;
	e->has_payload = false;
	if (e->vector == X86_TRAP_PF)
		v->regs.cr2 = e->payload;
	else if (e->vector == X86_TRAP_DB)
		e->dr6 = e->payload & DR6_PAYLOAD;
}

/*
 * The trap of a single step, which comes before interrupts.  Steps from branch to
 * branch (BTF) do not stop here: no branch is ever done for a guest.
 */
static noinline void single_step(struct vcpu *v)
{
	u64 ctl;

	if (v->inject.type != EVENT_NONE || ops->get_msr(v, MSR_DEBUGCTL, &ctl) ||
	    (ctl & DEBUGCTL_BTF))
		return;
	v->inject = (struct vcpu_event){
		.type = EVENT_EXC, .vector = X86_TRAP_DB, .dr6 = X86_DR6_BS, .step = true,
		.fresh = true,
	};
}

void vcpu_insn_done(struct vcpu *v)
{
	v->regs.rflags &= ~(u64)X86_EFLAGS_RF;
	end_shadow(v);
	if (unlikely(v->regs.rflags & X86_EFLAGS_TF))
		single_step(v);
}

void vcpu_get_regs(const struct vcpu *v, struct kvm_regs *r)
{
	const u64 *g = v->regs.gpr;

	r->rax = g[RAX];
	r->rbx = g[RBX];
	r->rcx = g[RCX];
	r->rdx = g[RDX];
	r->rsi = g[RSI];
	r->rdi = g[RDI];
	r->rsp = g[RSP];
	r->rbp = g[RBP];
	r->r8 = g[R8];
	r->r9 = g[R9];
	r->r10 = g[R10];
	r->r11 = g[R11];
	r->r12 = g[R12];
	r->r13 = g[R13];
	r->r14 = g[R14];
	r->r15 = g[R15];
	r->rip = v->regs.rip;
	r->rflags = v->regs.rflags;
}

/* RFLAGS bits that exist; bit 1 reads 1. */
#define RFLAGS_VALID	0x3f7fd7ull

void vcpu_set_regs(struct vcpu *v, const struct kvm_regs *r)
{
	u64 *g = v->regs.gpr;

	g[RAX] = r->rax;
	g[RBX] = r->rbx;
	g[RCX] = r->rcx;
	g[RDX] = r->rdx;
	g[RSI] = r->rsi;
	g[RDI] = r->rdi;
	g[RSP] = r->rsp;
	g[RBP] = r->rbp;
	g[R8] = r->r8;
	g[R9] = r->r9;
	g[R10] = r->r10;
	g[R11] = r->r11;
	g[R12] = r->r12;
	g[R13] = r->r13;
	g[R14] = r->r14;
	g[R15] = r->r15;
	v->regs.rip = r->rip;
	v->regs.rflags = (r->rflags & RFLAGS_VALID) | X86_EFLAGS_FIXED;
}
