// SPDX-License-Identifier: GPL-2.0-only
/* The state-save area of SMM; the contract is in smm.h. */
#include "emul_priv.h"
#include "smm.h"

#define X86_EFER_LME	BIT_ULL(8)
#define DR7_FIXED	BIT_ULL(10)

/* SMM revision identifiers: relocation of SMBASE, and on AMD64 its layout. */
#define REVISION_P6	0x00020000
#define REVISION_AMD64	0x00020064

/* ---- AMD64: APM vol. 2, table 10-2 ---- */

struct seg64 {
	u16 selector, attr;
	u32 limit;
	u64 base;
};

struct area64 {
	struct seg64 es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
	u8 io_restart[0x2b];
	u8 shadow;			/* reserved; KVM's own */
	u32 reserved0;
	u64 efer;
	u64 svm_guest, svm_vmcb, svm_virq;
	u32 reserved1[3];
	u32 revision;
	u32 smbase;
	u32 reserved2[5];
	u64 svm_state[6];
	u64 cr4, cr3, cr0;
	u64 dr7, dr6;
	u64 rflags, rip;
	u64 gpr[16];			/* R15 first, RAX last */
};

#define AT64(field, offset) \
	_Static_assert(offsetof(struct area64, field) + EMUL_SMM_AREA == (offset), \
		       "APM vol. 2, table 10-2")
AT64(gdtr, 0xfe60);
AT64(tr, 0xfe90);
AT64(shadow, 0xfecb);
AT64(efer, 0xfed0);
AT64(svm_vmcb, 0xfee0);
AT64(revision, 0xfefc);
AT64(smbase, 0xff00);
AT64(cr4, 0xff48);
AT64(dr7, 0xff60);
AT64(rip, 0xff78);
AT64(gpr, 0xff80);
_Static_assert(sizeof(struct area64) == EMUL_SMM_AREA_SIZE, "APM vol. 2, table 10-2");

/* ---- P6 ---- */

struct seg32 {
	u32 flags, limit, base;
};

struct area32 {
	u32 reserved0[62];
	u32 smbase;
	u32 revision;
	u32 io_restart[5];
	u32 cr4;
	u16 reserved1;
	u8 shadow;			/* reserved; KVM's own */
	u8 reserved2[17];
	struct seg32 ds, fs, gs, idtr, tr;
	u32 reserved3;
	struct seg32 gdtr, ldtr, es, cs, ss;
	u32 es_sel, cs_sel, ss_sel, ds_sel, fs_sel, gs_sel, ldtr_sel, tr_sel;
	u32 dr7, dr6;
	u32 gpr[8];			/* EAX first, EDI last */
	u32 eip, eflags;
	u32 cr3, cr0;
};

#define AT32(field, offset) \
	_Static_assert(offsetof(struct area32, field) + EMUL_SMM_AREA == (offset), \
		       "SDM vol. 3, table 32-1")
AT32(smbase, 0xfef8);
AT32(revision, 0xfefc);
AT32(cr4, 0xff14);
AT32(ds, 0xff2c);
AT32(idtr, 0xff50);
AT32(gdtr, 0xff6c);
AT32(ss, 0xff9c);
AT32(es_sel, 0xffa8);
AT32(dr7, 0xffc8);
AT32(gpr, 0xffd0);
AT32(eip, 0xfff0);
AT32(cr0, 0xfffc);
_Static_assert(sizeof(struct area32) == EMUL_SMM_AREA_SIZE, "SDM vol. 3, table 32-1");

/* ---- segments, with attributes as in a descriptor's second word ---- */

static u32 seg_flags(const struct kvm_segment *s)
{
	return s->type << 8 | s->s << 12 | s->dpl << 13 | s->present << 15 | s->avl << 20 |
	       s->l << 21 | s->db << 22 | (u32)s->g << 23;
}

static struct kvm_segment make_seg(u16 selector, u64 base, u32 limit, u32 flags)
{
	bool present = flags & BIT(15);

	return (struct kvm_segment){
		.selector = selector, .base = base, .limit = limit,
		.type = flags >> 8 & 15, .s = flags >> 12 & 1, .dpl = flags >> 13 & 3,
		.present = present, .avl = flags >> 20 & 1, .l = flags >> 21 & 1,
		.db = flags >> 22 & 1, .g = flags >> 23 & 1, .unusable = !present,
	};
}

/* ---- AMD64 ---- */

static struct seg64 save_seg64(const struct kvm_segment *s)
{
	return (struct seg64){ s->selector, seg_flags(s) >> 8, s->limit, s->base };
}

static struct kvm_segment load_seg64(const struct seg64 *s)
{
	return make_seg(s->selector, s->base, s->limit, (u32)s->attr << 8);
}

static void save64(const struct emul_smm *s, struct area64 *a)
{
	const struct kvm_sregs *sr = &s->sregs;
	int i;

	a->es = save_seg64(&sr->es);
	a->cs = save_seg64(&sr->cs);
	a->ss = save_seg64(&sr->ss);
	a->ds = save_seg64(&sr->ds);
	a->fs = save_seg64(&sr->fs);
	a->gs = save_seg64(&sr->gs);
	a->ldtr = save_seg64(&sr->ldt);
	a->tr = save_seg64(&sr->tr);
	a->gdtr = (struct seg64){ .limit = sr->gdt.limit, .base = sr->gdt.base };
	a->idtr = (struct seg64){ .limit = sr->idt.limit, .base = sr->idt.base };
	a->shadow = s->shadow;
	a->efer = sr->efer;
	a->svm_guest = s->l2;
	a->svm_vmcb = s->l2 ? s->l2_vmcb : 0;
	a->revision = REVISION_AMD64;
	a->smbase = s->smbase;
	a->cr0 = sr->cr0;
	a->cr3 = sr->cr3;
	a->cr4 = sr->cr4;
	a->dr6 = s->dr6;
	a->dr7 = s->dr7;
	a->rflags = s->regs.rflags;
	a->rip = s->regs.rip;
	for (i = 0; i < 16; i++)
		a->gpr[15 - i] = emul_gpr_get(&s->regs, i);
}

static void load64(struct emul_smm *s, const struct area64 *a)
{
	struct kvm_sregs *sr = &s->sregs;
	int i;

	sr->es = load_seg64(&a->es);
	sr->cs = load_seg64(&a->cs);
	sr->ss = load_seg64(&a->ss);
	sr->ds = load_seg64(&a->ds);
	sr->fs = load_seg64(&a->fs);
	sr->gs = load_seg64(&a->gs);
	sr->ldt = load_seg64(&a->ldtr);
	sr->tr = load_seg64(&a->tr);
	sr->gdt = (struct kvm_dtable){ .base = a->gdtr.base, .limit = a->gdtr.limit };
	sr->idt = (struct kvm_dtable){ .base = a->idtr.base, .limit = a->idtr.limit };
	s->shadow = a->shadow;
	sr->efer = a->efer & ~X86_EFER_LMA;
	s->l2 = a->svm_guest;
	s->l2_vmcb = a->svm_vmcb;
	s->smbase = a->smbase;
	sr->cr0 = a->cr0;
	sr->cr3 = a->cr3;
	sr->cr4 = a->cr4;
	s->dr6 = a->dr6;
	s->dr7 = a->dr7;
	s->regs.rflags = a->rflags;
	s->regs.rip = a->rip;
	for (i = 0; i < 16; i++)
		emul_gpr_set(&s->regs, i, a->gpr[15 - i]);
}

/* ---- P6 ---- */

static struct seg32 save_seg32(const struct kvm_segment *s, u32 *selector)
{
	*selector = s->selector;
	return (struct seg32){ seg_flags(s), s->limit, s->base };
}

static struct kvm_segment load_seg32(const struct seg32 *s, u32 selector)
{
	return make_seg(selector, s->base, s->limit, s->flags);
}

static void save32(const struct emul_smm *s, struct area32 *a)
{
	const struct kvm_sregs *sr = &s->sregs;
	int i;

	a->es = save_seg32(&sr->es, &a->es_sel);
	a->cs = save_seg32(&sr->cs, &a->cs_sel);
	a->ss = save_seg32(&sr->ss, &a->ss_sel);
	a->ds = save_seg32(&sr->ds, &a->ds_sel);
	a->fs = save_seg32(&sr->fs, &a->fs_sel);
	a->gs = save_seg32(&sr->gs, &a->gs_sel);
	a->ldtr = save_seg32(&sr->ldt, &a->ldtr_sel);
	a->tr = save_seg32(&sr->tr, &a->tr_sel);
	a->gdtr = (struct seg32){ .limit = sr->gdt.limit, .base = sr->gdt.base };
	a->idtr = (struct seg32){ .limit = sr->idt.limit, .base = sr->idt.base };
	a->shadow = s->shadow;
	a->revision = REVISION_P6;
	a->smbase = s->smbase;
	a->cr0 = sr->cr0;
	a->cr3 = sr->cr3;
	a->cr4 = sr->cr4;
	a->dr6 = s->dr6;
	a->dr7 = s->dr7;
	a->eflags = s->regs.rflags;
	a->eip = s->regs.rip;
	for (i = 0; i < 8; i++)
		a->gpr[i] = emul_gpr_get(&s->regs, i);
}

static void load32(struct emul_smm *s, const struct area32 *a)
{
	struct kvm_sregs *sr = &s->sregs;
	int i;

	sr->es = load_seg32(&a->es, a->es_sel);
	sr->cs = load_seg32(&a->cs, a->cs_sel);
	sr->ss = load_seg32(&a->ss, a->ss_sel);
	sr->ds = load_seg32(&a->ds, a->ds_sel);
	sr->fs = load_seg32(&a->fs, a->fs_sel);
	sr->gs = load_seg32(&a->gs, a->gs_sel);
	sr->ldt = load_seg32(&a->ldtr, a->ldtr_sel);
	sr->tr = load_seg32(&a->tr, a->tr_sel);
	sr->gdt = (struct kvm_dtable){ .base = a->gdtr.base, .limit = a->gdtr.limit };
	sr->idt = (struct kvm_dtable){ .base = a->idtr.base, .limit = a->idtr.limit };
	s->shadow = a->shadow;
	s->smbase = a->smbase;
	sr->cr0 = a->cr0;
	sr->cr3 = a->cr3;
	sr->cr4 = a->cr4;
	s->dr6 = a->dr6;
	s->dr7 = a->dr7;
	s->regs.rflags = a->eflags;
	s->regs.rip = a->eip;
	for (i = 0; i < 8; i++)
		emul_gpr_set(&s->regs, i, a->gpr[i]);
}

void emul_smm_save(const struct emul_smm *s, bool long_mode, void *area)
{
	memset(area, 0, EMUL_SMM_AREA_SIZE);
	if (long_mode)
		save64(s, area);
	else
		save32(s, area);
}

void emul_smm_load(struct emul_smm *s, bool long_mode, const void *area)
{
	if (long_mode)
		load64(s, area);
	else
		load32(s, area);
	if (s->sregs.efer & X86_EFER_LME && s->sregs.cr0 & CR0_PG)
		s->sregs.efer |= X86_EFER_LMA;
	else
		s->sregs.cs.l = 0;	/* means nothing, and is none of a state's */
	s->regs.rflags |= FL_FIXED;
}

/* Of real mode, but for limits of 4 GiB. */
static struct kvm_segment flat(u16 selector, u64 base)
{
	return make_seg(selector, base, 0xffffffff, 3 << 8 | BIT(12) | BIT(15) | BIT(23));
}

void emul_smm_enter(struct emul_smm *s, bool long_mode)
{
	struct kvm_sregs *sr = &s->sregs;

	sr->cs = flat(s->smbase >> 4, s->smbase);
	sr->ds = sr->es = sr->fs = sr->gs = sr->ss = flat(0, 0);
	sr->idt = (struct kvm_dtable){ };
	sr->cr0 &= ~(CR0_PE | CR0_EM | CR0_TS | CR0_PG);
	sr->cr4 = 0;
	if (long_mode)
		sr->efer = 0;
	s->dr7 = DR7_FIXED;
	s->shadow = 0;
	s->regs.rflags = FL_FIXED;
	s->regs.rip = 0x8000;
}
