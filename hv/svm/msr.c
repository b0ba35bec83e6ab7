// SPDX-License-Identifier: GPL-2.0-only
/* The MSRs that live in the VMCB. */
#include "lib/errno.h"
#include "lib/x86_regs.h"
#include "svm.h"
#include "vcpu/sregs.h"

#define DEBUGCTL_VALID	0x3full		/* APM vol. 2, 13.1.1.6 */

/* MSRs that hold an address; a non-canonical one raises #GP. */
static u64 *address_msr(struct vmcb_save *s, u32 msr)
{
	switch (msr) {
	case MSR_FS_BASE:
		return &s->fs.base;
	case MSR_GS_BASE:
		return &s->gs.base;
	case MSR_KERNEL_GS_BASE:
		return &s->kernel_gs_base;
	case MSR_LSTAR:
		return &s->lstar;
	case MSR_CSTAR:
		return &s->cstar;
	}
	return NULL;
}

/* MSRs without checks of their own. */
static u64 *plain_msr(struct vmcb_save *s, u32 msr)
{
	switch (msr) {
	case MSR_STAR:
		return &s->star;
	case MSR_SFMASK:
		return &s->sfmask;
	case MSR_SYSENTER_CS:
		return &s->sysenter_cs;
	case MSR_SYSENTER_ESP:
		return &s->sysenter_esp;
	case MSR_SYSENTER_EIP:
		return &s->sysenter_eip;
	}
	return NULL;
}

int svm_get_msr(struct vcpu *v, u32 msr, u64 *val)
{
	struct vmcb_save *s = &((struct svm_vcpu *)v->arch)->vmcb->s;
	const u64 *p;

	switch (msr) {
	case MSR_EFER:
		*val = svm_efer(v);
		return 0;
	case MSR_PAT:
		*val = s->g_pat;
		return 0;
	case MSR_DEBUGCTL:
		*val = s->dbgctl;
		return 0;
	}
	p = address_msr(s, msr);
	if (!p)
		p = plain_msr(s, msr);
	if (!p)
		return -ENOENT;
	*val = *p;
	return 0;
}

static int set_efer(struct vcpu *v, struct vmcb *b, u64 val)
{
	struct svm_vcpu *sv = v->arch;
	struct cpu_limits l = svm_limits(v);
	u64 old = b->s.efer;

	if (efer_write(&l, b->s.cr0, old, &val))
		return -EINVAL;
	sv->svme = val & EFER_SVME;
	b->s.efer = val | EFER_SVME;
	svm_dirty(b, SVM_CLEAN_CR);
	if ((old ^ val) & EFER_NX)
		svm_flush(v);
	return 0;
}

static int set_pat(struct vmcb *b, u64 val)
{
	if (!pat_valid(val))
		return -EINVAL;
	b->s.g_pat = val;
	svm_dirty(b, SVM_CLEAN_NP);
	return 0;
}

int svm_set_msr(struct vcpu *v, u32 msr, u64 val)
{
	struct vmcb *b = ((struct svm_vcpu *)v->arch)->vmcb;
	u64 *p;

	switch (msr) {
	case MSR_EFER:
		return set_efer(v, b, val);
	case MSR_PAT:
		return set_pat(b, val);
	case MSR_DEBUGCTL:
		if (val & ~DEBUGCTL_VALID)
			return -EINVAL;
		b->s.dbgctl = val;
		return 0;
	case MSR_SYSENTER_ESP:
	case MSR_SYSENTER_EIP:
		/* Any value may be written; only the canonical form loads. */
		val = sign_extend(val, svm.limits.vaddr_bits);
		break;
	}
	p = address_msr(&b->s, msr);
	if (p && !canonical(&svm.limits, val))
		return -EINVAL;
	if (!p)
		p = plain_msr(&b->s, msr);
	if (!p)
		return -ENOENT;
	*p = val;
	return 0;
}
