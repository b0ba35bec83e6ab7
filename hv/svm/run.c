// SPDX-License-Identifier: GPL-2.0-only
/*
 * One entry into a vCPU, and the TLB book-keeping around it.
 *
 * Each physical CPU hands out address space identifiers in order; when they
 * are used up it starts a new generation with a flush of its TLB, and every
 * vCPU whose generation is another one takes a new ASID before it enters
 * (APM vol. 2, 15.16).  A vCPU that comes from another CPU does the same, so
 * translations left behind there are never found again.
 */
#include "apic/irq.h"
#include "apic/vlapic.h"
#include "machine/cpu.h"
#include "machine/lapic.h"
#include "machine/log.h"
#include "memory/domain.h"
#include "svm.h"
#include "vcpu/speculation.h"

static void new_asid(struct svm_vcpu *sv, struct cpu *c)
{
	struct vmcb *b = sv->vmcb;

	if (c->svm.asid_next > c->svm.asid_max) {
		c->svm.asid_gen++;
		c->svm.asid_next = 1;
		b->c.tlb_ctl = SVM_TLB_FLUSH_ALL;
	}
	b->c.asid = c->svm.asid_next++;
	sv->asid_gen = c->svm.asid_gen;
	svm_dirty(b, SVM_CLEAN_ASID);
}

/*
 * Before Zen XRSTOR brings the addresses of the last x87 instruction and its operand only with
 * an exception that is pending; else those of the vCPU before would stay (CVE-2006-1056). An
 * instruction of ours puts its own there. The XRSTOR is to follow.
 */
static void forget_fp_pointers(void)
{
	static const u32 zero;

	__asm__ volatile("fnclex; emms; fildl %0" :: "m"(zero) : "memory");
}

void svm_load(struct vcpu *v)
{
	struct svm_vcpu *sv = v->arch;
	struct vmcb *b = sv->vmcb;
	u32 index = this_cpu()->index;

	if (unlikely(svm.fp_pointers_stay))
		forget_fp_pointers();
	if (sv->cpu_index != index) {
		sv->cpu_index = index;
		sv->asid_gen = 0;
		b->c.clean = 0;
	}
	if (b->c.n_cr3 != vcpu_npt(v)) {
		b->c.n_cr3 = vcpu_npt(v);
		sv->asid_gen = 0;
		svm_dirty(b, SVM_CLEAN_NP);
	}
}

/* Each exit leaves the hidden state in the VMCB already. */
void svm_put(struct vcpu *v __unused)
{
}

void svm_flush(struct vcpu *v)
{
	struct svm_vcpu *sv = v->arch;

	if (svm.flush_by_asid)
		sv->vmcb->c.tlb_ctl = SVM_TLB_FLUSH_ASID;
	else
		sv->asid_gen = 0;
}

/* The hardware's TPR from the virtual APIC's, or L2's own; result: as CR8 has it. */
static u32 load_tpr(struct vcpu *v, struct vmcb *b)
{
	u32 cr8 = vcpu_cr8(v);

	if ((b->c.int_ctl & SVM_V_TPR) != cr8) {
		b->c.int_ctl = (b->c.int_ctl & ~SVM_V_TPR) | cr8;
		svm_dirty(b, SVM_CLEAN_TPR);
	}
	return cr8;
}

/*
 * QEMU's TCG marks V_IRQ as pending without the lock that guards the mark of
 * physical interrupts, and may lose one that arrives meanwhile
 * (docs/testbed.md).  The APIC still holds it: a write of the TPR makes it look.
 */
static void recall_interrupts(void)
{
	lapic_write(LAPIC_TPR, 0);
}

void svm_run(struct vcpu *v)
{
	struct svm_vcpu *sv = v->arch;
	struct vmcb *b = sv->vmcb;
	struct cpu *c = this_cpu();
	u32 cr8;

	if (unlikely(irq_masked_enough(&sv->masked, v->regs.rflags))) {
		/* An exit that was none: interrupts are taken now. */
		v->exit.reason = VM_EXIT_INTR;
		return;
	}
	if (unlikely(sv->asid_gen != c->svm.asid_gen))
		new_asid(sv, c);
	if (unlikely(sv->step == STEP_WANTED))
		svm_step_begin(v);
	sv->int_injected = false;
	if (unlikely(v->inject.type != EVENT_NONE))
		svm_inject(v);
	cr8 = load_tpr(v, b);
	b->s.rax = v->regs.gpr[RAX];
	b->s.rsp = v->regs.gpr[RSP];
	b->s.rip = v->regs.rip;
	b->s.rflags = v->regs.rflags;
	if (b->s.cr2 != v->regs.cr2) {
		b->s.cr2 = v->regs.cr2;
		svm_dirty(b, SVM_CLEAN_CR2);
	}

	if (unlikely(c->spec_entry))
		spec_entry(c);
	svm_enter(&v->regs, sv->vmcb_pa, c->svm.host_vmcb);

	if (unlikely(sv->irq_window) && svm.tcg)
		recall_interrupts();
	b->c.clean = svm.clean_all;
	b->c.tlb_ctl = SVM_TLB_NONE;
	v->regs.gpr[RAX] = b->s.rax;
	v->regs.gpr[RSP] = b->s.rsp;
	v->regs.rip = b->s.rip;
	v->regs.rflags = b->s.rflags;
	v->regs.cr2 = b->s.cr2;
	v->dr6 = b->s.dr6;
	v->dr7 = b->s.dr7;
	if (unlikely((b->c.int_ctl & SVM_V_TPR) != cr8))
		vcpu_set_cr8(v, b->c.int_ctl & SVM_V_TPR);

	if (unlikely(b->c.exit_int_info & SVM_EVT_VALID))
		svm_cut_short(v);
	svm_decode_exit(v);
	if (unlikely(sv->step == STEP_ARMED))
		svm_step_end(v);
}
