// SPDX-License-Identifier: GPL-2.0-only
/*
 * Why does VMRUN refuse a VMCB?  The conditions of APM vol. 2, 15.5.1, 15.20
 * and 15.25.3, in that order.  For the log only, after the refusal.
 */
#include "lib/x86_regs.h"
#include "svm.h"
#include "vcpu/sregs.h"

static const char *state_fault(const struct svm_caps *caps, const struct vmcb_save *s)
{
	bool paging_long = (s->efer & EFER_LME) && (s->cr0 & X86_CR0_PG);

	if (!(s->efer & EFER_SVME))
		return "EFER.SVME is clear";
	if ((s->cr0 & X86_CR0_NW) && !(s->cr0 & X86_CR0_CD))
		return "CR0.NW without CR0.CD";
	if (s->cr0 >> 32)
		return "CR0 has high bits";
	if (s->cr3 & ~caps->limits.cr3_valid)
		return "CR3 has reserved bits";
	if (s->cr4 & ~caps->limits.cr4_valid)
		return "CR4 has reserved bits";
	if (s->dr6 >> 32)
		return "DR6 has high bits";
	if (s->dr7 >> 32)
		return "DR7 has high bits";
	if (s->efer & ~(caps->limits.efer_valid | EFER_SVME))
		return "EFER has reserved bits";
	if (paging_long && !(s->cr4 & X86_CR4_PAE))
		return "long mode without CR4.PAE";
	if (paging_long && !(s->cr0 & X86_CR0_PE))
		return "long mode without CR0.PE";
	if (paging_long && (s->cs.attrib & SVM_SEG_L) && (s->cs.attrib & SVM_SEG_DB))
		return "CS has both L and D";
	return NULL;
}

static const char *event_fault(const struct vmcb_control *c)
{
	u8 vector = c->event_inj & SVM_EVT_VECTOR;

	if (!(c->event_inj & SVM_EVT_VALID))
		return NULL;
	switch (SVM_EVT_TYPE(c->event_inj)) {
	case SVM_EVT_INTR:
	case SVM_EVT_NMI:
	case SVM_EVT_SOFT:
		return NULL;
	case SVM_EVT_EXC:
		if (vector == X86_TRAP_NMI || vector > 31)
			return "EVENTINJ: no exception has this vector";
		return NULL;
	}
	return "EVENTINJ has a reserved type";
}

static const char *control_fault(const struct svm_caps *caps, const struct vmcb_control *c)
{
	if (!(c->intercept2 & SVM_I2_VMRUN))
		return "the VMRUN intercept is off";
	if (c->iopm > caps->limits.phys_end - 0x3000)
		return "the I/O permission map lies outside of memory";
	if (c->msrpm > caps->limits.phys_end - 0x2000)
		return "the MSR permission map lies outside of memory";
	if (c->asid == 0)
		return "ASID 0";
	if (c->asid >= caps->asids)
		return "the ASID is too large";
	if (c->n_cr3 >= caps->limits.phys_end || (c->n_cr3 & ~PAGE_MASK))
		return "nCR3 has reserved bits";
	return NULL;
}

const char *svm_vmcb_fault(const struct svm_caps *caps, const struct vmcb *b)
{
	const char *why = state_fault(caps, &b->s);

	if (!why)
		why = control_fault(caps, &b->c);
	if (!why)
		why = event_fault(&b->c);
	if (!why && !pat_valid(b->s.g_pat))
		why = "G_PAT has a reserved memory type";
	return why;
}
