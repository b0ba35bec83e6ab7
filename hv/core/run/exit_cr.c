// SPDX-License-Identifier: GPL-2.0-only
/* MOV to control registers that exit; the contract is in exit_cr.h. */
#include "exit_cr.h"

#include "apic/vlapic.h"
#include "guest/gwalk.h"
#include "guest/insn.h"
#include "lib/errno.h"
#include "memory/domain.h"
#include "npf.h"
#include "vcpu/ops.h"
#include "vcpu/run.h"

/*
 * The operand of the MOV to CR`cr` at RIP, and v->exit.insn_len.  False: another
 * instruction is there now; or a guest's page went after the exit, and the guest
 * fetches the MOV again.  Domain 0's does not come back.
 */
static bool mov_cr_operand(struct vcpu *v, u8 cr, u64 *val)
{
	struct vcpu_paging p;
	u8 buf[INSN_BUF], found, reg, len;
	int n;

	ops->get_paging(v, &p);
	n = insn_fetch(v, &p, buf);
	if (n < 0 || insn_decode_mov_cr(buf, n, p.cs_long, &found, &reg, &len) || found != cr) {
		if (n == INSN_MAX || domain_is_dom0(v->dom))
			vcpu_ud(v);
		else
			ops->flush(v);
		return false;
	}
	v->exit.insn_len = len;
	*val = v->regs.gpr[reg];
	if (!p.cs_long)
		*val = (u32)*val;
	return true;
}

void exit_cr8(struct vcpu *v)
{
	u64 val;

	if (!mov_cr_operand(v, 8, &val))
		return;
	if (val >> 4) {
		vcpu_gp(v);
	} else {
		vcpu_set_cr8(v, val);
		vcpu_skip(v);
	}
}

/*
 * Paging on or off under EFER.LME is a way into or out of long mode (SDM vol.
 * 3, 10.8.5); what else is wrong with the new state set_sregs() finds.
 */
static bool switch_mode(struct kvm_sregs *s, u64 cr0)
{
	if (!((s->cr0 ^ cr0) & X86_CR0_PG) || !(s->efer & EFER_LME))
		return !((s->cr0 & ~cr0 & X86_CR0_PG) && (s->cr4 & X86_CR4_PCIDE));
	if (s->cs.l || (s->cr4 & X86_CR4_PCIDE))
		return false;
	s->efer ^= EFER_LMA;
	return true;
}

/*
 * The top entries of PAE paging are loaded by the MOV itself (SDM vol. 3,
 * 4.4.1).  False: they cannot be, and the MOV faults or comes again.  What is
 * no memory reads as ones, in which reserved bits are set.
 */
static bool pae_root_ready(struct vcpu *v, const struct kvm_sregs *s)
{
	struct vcpu_paging old;
	struct guest_view w;
	int err;

	ops->get_paging(v, &old);
	if (!reloads_pae_root(&old, s))
		return true;
	guest_view_begin(&w, v->dom, v->space);
	err = pae_root_check(&w, s->cr3);
	guest_view_end(&w);
	if (!err)
		return true;
	if (err == -EINVAL || !npf_need_page(v, PAE_ROOT(s->cr3)))
		vcpu_gp(v);
	return false;
}

/* What the MOV makes of the state. */
static void write_state(struct vcpu *v, const struct kvm_sregs *s)
{
	if (!pae_root_ready(v, s))
		return;
	if (ops->set_sregs(v, s)) {
		vcpu_gp(v);
		return;
	}
	ops->flush(v);
	vcpu_skip(v);
}

void exit_cr0(struct vcpu *v)
{
	struct kvm_sregs s;
	u64 val;

	if (!mov_cr_operand(v, 0, &val))
		return;
	ops->get_sregs(v, &s);
	if (!switch_mode(&s, val)) {
		vcpu_gp(v);
		return;
	}
	s.cr0 = val | X86_CR0_ET;
	write_state(v, &s);
}

void exit_cr4(struct vcpu *v)
{
	struct kvm_sregs s;
	u64 val;

	if (!mov_cr_operand(v, 4, &val))
		return;
	ops->get_sregs(v, &s);
	/* PCIDE can be set in long mode with PCID 0 only (SDM vol. 3, 4.10.1). */
	if ((val & ~s.cr4 & X86_CR4_PCIDE) && (!(s.efer & EFER_LMA) || (s.cr3 & 0xfff))) {
		vcpu_gp(v);
		return;
	}
	/* The width of linear addresses is fixed there (SDM vol. 3, 2.5). */
	if (((val ^ s.cr4) & X86_CR4_LA57) && (s.efer & EFER_LMA)) {
		vcpu_gp(v);
		return;
	}
	s.cr4 = val;
	write_state(v, &s);
}
