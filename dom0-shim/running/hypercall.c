// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hypercalls that Bedplate leaves to the shim: Hyper-V's, Xen's, and KVM_HC_MAP_GPA_RANGE, which is
 * user space's to answer once it has asked for it (KVM_CAP_EXIT_HYPERCALL).
 */
#include <linux/mm.h>

#include "hv.h"
#include "run.h"
#include "state.h"
#include "xen.h"

#define HV_NUMBER	BIT(31)	/* of those that are Hyper-V's where Xen's are made, too */

/* 64-bit code?  Else registers have 32 bits.  An errno if that cannot be said. */
static int is_wide(struct bp_vcpu *vcpu)
{
	const struct kvm_sregs *s = vcpu->state;
	int ret = bp_sregs_get(vcpu);

	return ret ?: s->efer & EFER_LMA && s->cs.l;
}

static void done(struct bp_vcpu *vcpu, bool wide, u64 result)
{
	vcpu->page->regs.rax = wide ? result : (u32)result;
	bp_insn_done(vcpu, BP_HYPERCALL_LEN);
}

/* From a page on, some, and not beyond the last one that can be named. */
static bool is_range(u64 gpa, u64 npages)
{
	u64 gfn = gpa >> PAGE_SHIFT;

	return PAGE_ALIGNED(gpa) && gfn + npages > gfn;
}

static int map_gpa_range(struct bp_vcpu *vcpu, bool wide)
{
	const struct kvm_regs *r = &vcpu->page->regs;
	u64 mask = wide ? U64_MAX : U32_MAX, gpa = r->rbx & mask, npages = r->rcx & mask;
	struct kvm_run *run = vcpu->run;

	if (!is_range(gpa, npages)) {
		done(vcpu, wide, -KVM_EINVAL);
		return 1;
	}
	run->exit_reason = KVM_EXIT_HYPERCALL;
	memset(&run->hypercall, 0, sizeof(run->hypercall));
	run->hypercall.nr = KVM_HC_MAP_GPA_RANGE;
	run->hypercall.args[0] = gpa;
	run->hypercall.args[1] = npages;
	run->hypercall.args[2] = r->rdx & mask;
	run->hypercall.flags = wide ? KVM_EXIT_HYPERCALL_LONG_MODE : 0;
	vcpu->pending = BP_PENDING_HYPERCALL;
	vcpu->pending_rip = r->rip;
	return 0;
}

int bp_exit_hypercall(struct bp_vcpu *vcpu)
{
	const struct kvm_sregs *s = vcpu->state;
	bool hv = bp_hv_rules(vcpu);
	int wide;

	if (bp_xen_rules(vcpu) && !(hv && vcpu->page->regs.rax & HV_NUMBER))
		return bp_xen_exit_hypercall(vcpu);
	if (hv)
		return bp_hv_exit_hypercall(vcpu);
	wide = is_wide(vcpu);
	if (wide < 0)
		return wide;
	/*
	 * Hyper-V's or Xen's until now, and so of any number and from every CPL: Bedplate has other
	 * rules when it comes again.
	 */
	if (vcpu->page->regs.rax != KVM_HC_MAP_GPA_RANGE || s->ss.dpl ||
	    !(READ_ONCE(vcpu->vm->rules) & BP_RULE_MAP_GPA))
		return 1;
	return map_gpa_range(vcpu, wide);
}

int bp_complete_hypercall(struct bp_vcpu *vcpu)
{
	int wide = is_wide(vcpu);

	if (wide < 0)
		return wide;
	done(vcpu, wide, READ_ONCE(vcpu->run->hypercall.ret));
	return 1;
}
