// SPDX-License-Identifier: GPL-2.0-only
/* Segments, control registers and EFER: VMCB to struct kvm_sregs and back. */
#include "vcpu/sregs.h"
#include "lib/segment.h"
#include "lib/string.h"
#include "lib/x86_regs.h"
#include "svm.h"

/* ---- segments ---- */

void svm_seg_pack(struct vmcb_seg *to, const struct kvm_segment *from)
{
	u32 rights = segment_rights(from);

	if (from->unusable)
		rights &= ~AR_P;
	to->selector = from->selector;
	to->base = from->base;
	to->limit = from->limit;
	to->attrib = (rights & 0xff) | (rights >> 4 & 0xf00);
}

/*
 * G follows from the limit: CPUs do not store it for every segment, and the
 * limit counts bytes in any case.
 */
void svm_seg_unpack(struct kvm_segment *to, const struct vmcb_seg *from)
{
	u32 attrib = from->attrib;

	segment_set_rights(to, (attrib & 0xff) | (attrib & 0xf00) << 4);
	to->selector = from->selector;
	to->base = from->base;
	to->limit = from->limit;
	to->g = from->limit > 0xfffff;
}

/* Data segments: VMX insists on the accessed bit, which SVM may leave out. */
static void unpack_data(struct kvm_segment *to, const struct vmcb_seg *from)
{
	svm_seg_unpack(to, from);
	if (!to->unusable)
		to->type |= 1;
}

/* The VMCB's CPL, not SS.DPL, is what counts; a null SS has no D/B. */
static void unpack_ss(struct kvm_segment *to, const struct vmcb_save *s)
{
	unpack_data(to, &s->ss);
	to->dpl = s->cpl;
	if (to->unusable)
		to->db = 0;
}

static void unpack_segments(struct kvm_sregs *to, const struct vmcb_save *s)
{
	svm_seg_unpack(&to->cs, &s->cs);
	unpack_data(&to->ds, &s->ds);
	unpack_data(&to->es, &s->es);
	unpack_data(&to->fs, &s->fs);
	unpack_data(&to->gs, &s->gs);
	unpack_ss(&to->ss, s);
	svm_seg_unpack(&to->ldt, &s->ldtr);
	svm_seg_unpack(&to->tr, &s->tr);
	to->tr.type |= 2;		/* a loaded TSS is busy */
	to->gdt.base = s->gdtr.base;
	to->gdt.limit = s->gdtr.limit;
	to->idt.base = s->idtr.base;
	to->idt.limit = s->idtr.limit;
}

/*
 * What unpack_segments() gave goes back as it was: TCG has the TSS not busy, and lets no
 * user program have the ports of a busy one's bitmap (docs/testbed.md).
 */
static void pack_tr(struct vmcb_seg *to, const struct kvm_segment *from)
{
	struct kvm_segment was;

	svm_seg_unpack(&was, to);
	was.type |= 2;
	if (memcmp(&was, from, sizeof(was)))
		svm_seg_pack(to, from);
}

static void pack_segments(struct vmcb_save *s, const struct kvm_sregs *from)
{
	svm_seg_pack(&s->cs, &from->cs);
	svm_seg_pack(&s->ds, &from->ds);
	svm_seg_pack(&s->es, &from->es);
	svm_seg_pack(&s->fs, &from->fs);
	svm_seg_pack(&s->gs, &from->gs);
	svm_seg_pack(&s->ss, &from->ss);
	s->cpl = from->ss.dpl & 3;
	svm_seg_pack(&s->ldtr, &from->ldt);
	pack_tr(&s->tr, &from->tr);
	s->gdtr.base = from->gdt.base;
	s->gdtr.limit = from->gdt.limit;
	s->idtr.base = from->idt.base;
	s->idtr.limit = from->idt.limit;
}

/* ---- the ops ---- */

u64 svm_efer(const struct vcpu *v)
{
	const struct svm_vcpu *sv = v->arch;
	bool svme = sv->svme && (v->nested.flags & BP_NESTED_ON);

	return svme ? sv->vmcb->s.efer : sv->vmcb->s.efer & ~EFER_SVME;
}

struct cpu_limits svm_limits(const struct vcpu *v)
{
	struct cpu_limits l = svm.limits;

	if (v->nested.flags & BP_NESTED_ON) {
		l.efer_valid |= EFER_SVME;
		l.paged_real = true;
	}
	return l;
}

void svm_get_paging(struct vcpu *v, struct vcpu_paging *p)
{
	const struct vmcb_save *s = &((struct svm_vcpu *)v->arch)->vmcb->s;

	p->cr0 = s->cr0;
	p->cr3 = s->cr3;
	p->cr4 = s->cr4;
	p->efer = s->efer & ~EFER_SVME;
	p->pdptes = false;
	p->cs_base = s->cs.base;
	p->cs_long = (s->efer & EFER_LMA) && (s->cs.attrib & SVM_SEG_L);
	p->cs_big = s->cs.attrib & SVM_SEG_DB;
	p->cpl = s->cpl;
}

void svm_get_sregs(struct vcpu *v, struct kvm_sregs *s)
{
	const struct vmcb_save *from = &((struct svm_vcpu *)v->arch)->vmcb->s;

	unpack_segments(s, from);
	s->cr0 = from->cr0;
	s->cr2 = v->regs.cr2;
	s->cr3 = from->cr3;
	s->cr4 = from->cr4;
	s->efer = svm_efer(v);
}

int svm_set_sregs(struct vcpu *v, const struct kvm_sregs *s)
{
	struct svm_vcpu *sv = v->arch;
	struct cpu_limits l = svm_limits(v);
	struct vmcb *b = sv->vmcb;
	int err = sregs_check(&l, s);

	if (err)
		return err;
	sv->svme = s->efer & EFER_SVME;
	pack_segments(&b->s, s);
	b->s.cr0 = s->cr0 | X86_CR0_ET;
	v->regs.cr2 = s->cr2;
	b->s.cr3 = s->cr3;
	b->s.cr4 = s->cr4;
	b->s.efer = s->efer | EFER_SVME;
	svm_dirty(b, SVM_CLEAN_CR | SVM_CLEAN_SEG | SVM_CLEAN_DT);
	svm_flush(v);
	return 0;
}

/* With nested paging the CPU reads them from memory, entry by entry. */
void svm_set_pdptes(struct vcpu *v, const u64 pdpte[4])
{
	(void)v;
	(void)pdpte;
}
