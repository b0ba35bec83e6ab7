// SPDX-License-Identifier: GPL-2.0-only
/* SVM's own instructions (APM vol. 3), of L1 or of an L2 of which L1 does not intercept them. */
#include <linux/mm.h>
#include <linux/string.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "memory/gmem.h"
#include "running/run.h"
#include "running/state.h"
#include "nested.h"

static int undefined(struct bp_vcpu *vcpu)
{
	bp_queue_exception(vcpu, X86_TRAP_UD, false, 0, 0);
	return 1;
}

static int gp(struct bp_vcpu *vcpu)
{
	bp_queue_exception(vcpu, X86_TRAP_GP, true, 0, 0);
	return 1;
}

static int done(struct bp_vcpu *vcpu, u8 len)
{
	bp_insn_done(vcpu, len);
	return 1;
}

/* ---- VMLOAD and VMSAVE ---- */

static long move_msrs(struct bp_vcpu *vcpu, struct kvm_msr_entry *e, bool set)
{
	struct kvm_msrs *m = vcpu->state;
	size_t len = struct_size(m, entries, NEST_MSRS);
	long ret;

	m->nmsrs = NEST_MSRS;
	memcpy(m->entries, e, NEST_MSRS * sizeof(*e));
	ret = set ? bp_state_set(vcpu, BP_STATE_MSRS, len) : bp_state_get(vcpu, BP_STATE_MSRS, len);
	if (!set)
		memcpy(e, m->entries, NEST_MSRS * sizeof(*e));
	return ret < 0 ? ret : ret == NEST_MSRS ? 0 : -EINVAL;
}

static int vmload(struct bp_vcpu *vcpu, u64 gpa, u8 len)
{
	struct kvm_msr_entry msrs[NEST_MSRS];
	struct bp_nest *nest = vcpu->nest;
	int err = bp_vcpu_read(vcpu, gpa, &nest->vmcb, sizeof(nest->vmcb));
	long ret;

	if (err)
		return err == -EINTR ? err : gp(vcpu);
	nest_vmload(&nest->s.sregs, msrs, &nest->vmcb.s, boot_cpu_has(X86_FEATURE_LA57) ? 57 : 48);
	memcpy(vcpu->state, &nest->s.sregs, sizeof(nest->s.sregs));
	ret = bp_state_set(vcpu, BP_STATE_SREGS, sizeof(nest->s.sregs)) ?:
	      move_msrs(vcpu, msrs, true);
	if (ret)
		return ret == -EINVAL ? gp(vcpu) : ret;
	return done(vcpu, len);
}

static int vmsave(struct bp_vcpu *vcpu, u64 gpa, u8 len)
{
	struct kvm_msr_entry msrs[NEST_MSRS];
	struct bp_nest *nest = vcpu->nest;
	long ret;
	int err;

	nest_msr_indices(msrs);
	ret = move_msrs(vcpu, msrs, false);
	if (ret)
		return ret == -EINVAL ? -EIO : ret;
	nest_vmsave(&nest->vmcb.s, &nest->s.sregs, msrs);
	err = bp_nest_write(vcpu, gpa, nest_vmsave_parts);
	if (err)
		return err == -EINTR ? err : gp(vcpu);
	return done(vcpu, len);
}

/* ---- the others ---- */

static int set_gif(struct bp_vcpu *vcpu, bool on, u8 len)
{
	struct bp_nest *nest = vcpu->nest;
	struct bp_nested now;
	long ret = nest->n.guest ? bp_nest_sync(vcpu, &now) : 0;

	nest->n.gif = on;
	ret = ret ?: bp_nest_rules(vcpu);
	return ret ?: done(vcpu, len);
}

/* Setting state drops all that the vCPU has cached; and so does every VMRUN and #VMEXIT. */
static int invlpga(struct bp_vcpu *vcpu, u8 len)
{
	struct bp_nest *nest = vcpu->nest;
	long ret;

	memcpy(vcpu->state, &nest->s.sregs, sizeof(nest->s.sregs));
	ret = bp_state_set(vcpu, BP_STATE_SREGS, sizeof(nest->s.sregs));
	return ret ?: done(vcpu, len);
}

int bp_nest_insn(struct bp_vcpu *vcpu, u64 code, u8 len)
{
	const struct kvm_sregs *s = &vcpu->nest->s.sregs;
	u64 addr = vcpu->page->regs.rax;
	long ret;

	if (!len)
		return 1;	/* its page has gone: it faults, or comes again */
	ret = bp_nest_get(vcpu);
	if (ret)
		return ret;
	/* CPL 0 and the modes are checked by the CPU already. */
	if (!(s->efer & NEST_EFER_SVME) || !(s->cr0 & X86_CR0_PG))
		return undefined(vcpu);
	if (!(s->efer & NEST_EFER_LMA && s->cs.l))
		addr = (u32)addr;

	switch (code) {
	case SVM_EXIT_VMRUN:
		return vcpu->smm.in ? undefined(vcpu) : bp_nest_vmrun(vcpu, addr, len);
	case SVM_EXIT_VMLOAD:
		return offset_in_page(addr) ? gp(vcpu) : vmload(vcpu, addr, len);
	case SVM_EXIT_VMSAVE:
		return offset_in_page(addr) ? gp(vcpu) : vmsave(vcpu, addr, len);
	case SVM_EXIT_STGI:
		return set_gif(vcpu, true, len);
	case SVM_EXIT_CLGI:
		return set_gif(vcpu, false, len);
	case SVM_EXIT_INVLPGA:
		return invlpga(vcpu, len);
	}
	return undefined(vcpu);
}
