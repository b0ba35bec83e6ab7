// SPDX-License-Identifier: GPL-2.0-only
/* VMCBs of guests; the contract is in vmcb.h. */
#include "vmcb.h"

#define CR0_PE		BIT_ULL(0)
#define CR0_NW		BIT_ULL(29)
#define CR0_CD		BIT_ULL(30)
#define CR0_PG		BIT_ULL(31)
#define CR4_PAE		BIT_ULL(5)
#define RFLAGS_FIXED	BIT_ULL(1)

#define IOPM_SIZE	0x3000
#define MSRPM_SIZE	0x2000

#define EXC_DF		BIT(8)
/* #DE, #TS, #NP, #SS, #GP, #PF: of two of them there may come a double fault. */
#define EXC_TO_DF	(BIT(0) | BIT(10) | BIT(11) | BIT(12) | BIT(13) | BIT(14))

/* ---- VM_CR ---- */

#define VM_CR_VALID	0x1full
#define VM_CR_LOCKED	(NEST_VM_CR_LOCK | NEST_VM_CR_SVMDIS)

bool nest_vm_cr_write(u64 *vm_cr, u64 val, bool svme)
{
	u64 keep = *vm_cr & NEST_VM_CR_LOCK ? VM_CR_LOCKED : 0;

	if (val & ~VM_CR_VALID || (svme && val & NEST_VM_CR_SVMDIS))
		return false;
	*vm_cr = (val & ~keep) | (*vm_cr & keep);
	return true;
}

/* ---- the checks of VMRUN ---- */

static bool save_ok(const struct vmcb_save *s)
{
	bool long_paging = s->efer & NEST_EFER_LME && s->cr0 & CR0_PG;

	if (!(s->efer & NEST_EFER_SVME))
		return false;
	if (s->cr0 >> 32 || (s->cr0 & CR0_NW && !(s->cr0 & CR0_CD)))
		return false;
	if (s->dr6 >> 32 || s->dr7 >> 32)
		return false;
	if (!long_paging)
		return true;
	return s->cr4 & CR4_PAE && s->cr0 & CR0_PE &&
	       !(s->cs.attrib & SVM_SEG_L && s->cs.attrib & SVM_SEG_DB);
}

static bool event_ok(u64 event)
{
	u8 vector = event & SVM_EVT_VECTOR;

	if (!(event & SVM_EVT_VALID))
		return true;
	switch (SVM_EVT_TYPE(event)) {
	case SVM_EVT_INTR:
	case SVM_EVT_NMI:
	case SVM_EVT_SOFT:
		return true;
	case SVM_EVT_EXC:
		return vector <= 31 && vector != 2;
	}
	return false;
}

/* Bits 11:0 count as 0. */
static bool map_ok(u64 at, u32 size, u32 phys_bits)
{
	at &= ~0xfffull;
	return !(at >> phys_bits) && !((at + size - 1) >> phys_bits);
}

static bool control_ok(const struct vmcb_control *c, u32 phys_bits)
{
	return c->intercept2 & SVM_I2_VMRUN && c->asid && !(c->nested_ctl & SVM_NP_ENABLE) &&
	       map_ok(c->iopm, IOPM_SIZE, phys_bits) && map_ok(c->msrpm, MSRPM_SIZE, phys_bits) &&
	       event_ok(c->event_inj);
}

bool nest_vmcb_ok(const struct vmcb *b, u32 phys_bits)
{
	return control_ok(&b->c, phys_bits) && save_ok(&b->s);
}

/* ---- state ---- */

static void load_seg(struct kvm_segment *to, const struct vmcb_seg *from)
{
	u16 a = from->attrib;

	*to = (struct kvm_segment){
		.selector = from->selector, .base = from->base, .limit = from->limit,
		.type = a & 15, .s = a >> 4 & 1, .dpl = a >> 5 & 3, .present = a >> 7 & 1,
		.avl = a >> 8 & 1, .l = a >> 9 & 1, .db = a >> 10 & 1, .g = a >> 11 & 1,
		.unusable = !(a >> 7 & 1),
	};
}

static void store_seg(struct vmcb_seg *to, const struct kvm_segment *from)
{
	*to = (struct vmcb_seg){
		.selector = from->selector, .base = from->base, .limit = from->limit,
		.attrib = from->type | from->s << 4 | from->dpl << 5 |
			  (from->present && !from->unusable) << 7 | from->avl << 8 |
			  from->l << 9 | from->db << 10 | from->g << 11,
	};
}

static void load_table(struct kvm_dtable *to, const struct vmcb_seg *from)
{
	*to = (struct kvm_dtable){ .base = from->base, .limit = from->limit };
}

static void store_table(struct vmcb_seg *to, const struct kvm_dtable *from)
{
	to->base = from->base;
	to->limit = from->limit;
}

/* EFER.LMA is what it must be, whatever L1 says; CS.L means nothing but in long mode. */
static void settle_mode(struct kvm_sregs *s)
{
	s->efer &= ~NEST_EFER_LMA;
	if (s->efer & NEST_EFER_LME && s->cr0 & CR0_PG)
		s->efer |= NEST_EFER_LMA;
	else
		s->cs.l = 0;
}

void nest_load(struct nest_state *to, const struct vmcb_save *from)
{
	struct kvm_sregs *s = &to->sregs;

	load_seg(&s->es, &from->es);
	load_seg(&s->cs, &from->cs);
	load_seg(&s->ss, &from->ss);
	load_seg(&s->ds, &from->ds);
	s->ss.dpl = from->cpl & 3;	/* which is what KVM calls the CPL */
	load_table(&s->gdt, &from->gdtr);
	load_table(&s->idt, &from->idtr);
	s->cr0 = from->cr0;
	s->cr3 = from->cr3;
	s->cr4 = from->cr4;
	s->efer = from->efer;
	settle_mode(s);
	to->regs.rax = from->rax;
	to->regs.rsp = from->rsp;
	to->regs.rip = from->rip;
	to->regs.rflags = from->rflags | RFLAGS_FIXED;
}

void nest_store(struct vmcb_save *to, const struct nest_state *from)
{
	const struct kvm_sregs *s = &from->sregs;

	store_seg(&to->es, &s->es);
	store_seg(&to->cs, &s->cs);
	store_seg(&to->ss, &s->ss);
	store_seg(&to->ds, &s->ds);
	to->cpl = s->ss.dpl;
	store_table(&to->gdtr, &s->gdt);
	store_table(&to->idtr, &s->idt);
	to->cr0 = s->cr0;
	to->cr3 = s->cr3;
	to->cr4 = s->cr4;
	to->efer = s->efer;
	to->rax = from->regs.rax;
	to->rsp = from->regs.rsp;
	to->rip = from->regs.rip;
	to->rflags = from->regs.rflags;
}

/* ---- events (APM vol. 2, 15.20) ---- */

static u64 event_word(u64 type, u8 vector)
{
	return SVM_EVT_VALID | type << SVM_EVT_TYPE_SHIFT | vector;
}

u64 nest_event_get(const struct kvm_vcpu_events *ev)
{
	u64 event;

	if (ev->exception.injected) {
		event = event_word(SVM_EVT_EXC, ev->exception.nr);
		if (ev->exception.has_error_code)
			event |= SVM_EVT_ERROR | (u64)ev->exception.error_code << 32;
		return event;
	}
	if (ev->nmi.injected)
		return event_word(SVM_EVT_NMI, 2);
	if (!ev->interrupt.injected)
		return 0;
	return event_word(ev->interrupt.soft ? SVM_EVT_SOFT : SVM_EVT_INTR, ev->interrupt.nr);
}

void nest_event_set(struct kvm_vcpu_events *ev, u64 event)
{
	u8 type = SVM_EVT_TYPE(event), vector = event & SVM_EVT_VECTOR;
	bool valid = event & SVM_EVT_VALID;

	memset(&ev->exception, 0, sizeof(ev->exception));
	ev->exception_has_payload = 0;
	if (valid && type == SVM_EVT_EXC) {
		ev->exception.injected = 1;
		ev->exception.nr = vector;
		ev->exception.has_error_code = !!(event & SVM_EVT_ERROR);
		ev->exception.error_code = event >> 32;
	}
	ev->nmi.injected = valid && type == SVM_EVT_NMI;
	ev->interrupt.injected = valid && (type == SVM_EVT_INTR || type == SVM_EVT_SOFT);
	ev->interrupt.soft = valid && type == SVM_EVT_SOFT;
	ev->interrupt.nr = ev->interrupt.injected ? vector : 0;
}

/* ---- VMLOAD and VMSAVE ---- */

/* MSRs and their places in the save area, which follow each other. */
static const u32 moved[NEST_MSRS] = {
	0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084,	/* STAR, LSTAR, CSTAR, SFMASK */
	0xc0000102, 0x174, 0x175, 0x176,		/* KernelGSbase, SYSENTER_* */
};
static_assert(offsetof(struct vmcb_save, sysenter_eip) - offsetof(struct vmcb_save, star) ==
	      (NEST_MSRS - 1) * sizeof(u64), "they follow each other");

void nest_msr_indices(struct kvm_msr_entry *msrs)
{
	u32 i;

	for (i = 0; i < NEST_MSRS; i++)
		msrs[i] = (struct kvm_msr_entry){ .index = moved[i] };
}

/* VMLOAD makes addresses canonical. */
static u64 canonical(u64 val, u32 width)
{
	return (u64)((s64)(val << (64 - width)) >> (64 - width));
}

static bool holds_address(u32 index)
{
	return index == 0xc0000082 || index == 0xc0000083 || index == 0xc0000102;
}

void nest_vmload(struct kvm_sregs *s, struct kvm_msr_entry *msrs, const struct vmcb_save *from,
		 u32 width)
{
	const u64 *at = &from->star;
	u32 i;

	load_seg(&s->fs, &from->fs);
	load_seg(&s->gs, &from->gs);
	load_seg(&s->ldt, &from->ldtr);
	load_seg(&s->tr, &from->tr);
	s->fs.base = canonical(s->fs.base, width);
	s->gs.base = canonical(s->gs.base, width);
	s->ldt.base = canonical(s->ldt.base, width);
	s->tr.base = canonical(s->tr.base, width);
	nest_msr_indices(msrs);
	for (i = 0; i < NEST_MSRS; i++)
		msrs[i].data = holds_address(moved[i]) ? canonical(at[i], width) : at[i];
}

void nest_vmsave(struct vmcb_save *to, const struct kvm_sregs *s, const struct kvm_msr_entry *msrs)
{
	u64 *at = &to->star;
	u32 i;

	store_seg(&to->fs, &s->fs);
	store_seg(&to->gs, &s->gs);
	store_seg(&to->ldtr, &s->ldt);
	store_seg(&to->tr, &s->tr);
	for (i = 0; i < NEST_MSRS; i++)
		at[i] = msrs[i].data;
}

/* ---- what Bedplate is told ---- */

#define WORDS	6
static_assert(sizeof(((struct bp_nested *)0)->intercept) == WORDS * sizeof(u32), "all words");

static u32 word(const struct vmcb_control *c, u32 i)
{
	const u32 words[WORDS] = {
		c->intercept_cr, c->intercept_dr, c->intercept_exc, c->intercept1, c->intercept2,
		c->intercept3,
	};

	return words[i];
}

bool nest_wants(const struct vmcb_control *c, u64 code)
{
	return code < WORDS * 32 && word(c, code / 32) & BIT(code % 32);
}

/* Which interrupts of L1's reach it, and how (APM vol. 2, 15.13, 15.21). */
static u32 interrupt_rules(const struct nest *n)
{
	bool own = n->c.int_ctl & SVM_V_INTR_MASKING, exits = n->c.intercept1 & SVM_I1_INTR;
	bool open = !own || n->l1.rflags & NEST_RFLAGS_IF;
	u32 flags = 0;

	if (own)
		flags |= BP_NESTED_TPR;
	if (exits && open)
		flags |= BP_NESTED_INTR | (own ? BP_NESTED_ANY_IF : 0);
	if (exits || !open)
		flags |= BP_NESTED_NO_IRQ;
	return flags;
}

static u8 virq(const struct vmcb_control *c)
{
	if (!(c->int_ctl & SVM_V_IRQ))
		return 0;
	return c->int_ctl & SVM_V_IGN_TPR ? 16 : (c->int_ctl & SVM_V_INTR_PRIO) >> 16;
}

void nest_rules(struct bp_nested *to, const struct nest *n)
{
	u32 i;

	memset(to, 0, sizeof(*to));
	to->flags = (n->vm_cr & NEST_VM_CR_SVMDIS ? 0 : BP_NESTED_ON) |
		    (n->gif ? 0 : BP_NESTED_HOLD);
	if (!n->guest)
		return;
	for (i = 0; i < WORDS; i++)
		to->intercept[i] = word(&n->c, i);
	to->exceptions = n->c.intercept_exc;
	/* Not every CPU asks about a double fault that comes of an event which was injected. */
	if (n->c.intercept_exc & EXC_DF)
		to->intercept[2] |= EXC_TO_DF;
	to->flags |= BP_NESTED_GUEST | interrupt_rules(n) |
		     (n->c.intercept1 & SVM_I1_NMI ? BP_NESTED_NMI : 0) |
		     (n->c.intercept1 & SVM_I1_SMI ? BP_NESTED_SMI : 0);
	to->tpr = n->c.int_ctl & SVM_V_TPR;
	to->virq = virq(&n->c);
	to->tsc_offset = n->c.tsc_offset;
}

/* ---- #VMEXIT ---- */

#define DR6_HITS	0xfull
#define DR6_CAUSES	0xe00full
#define DR7_GD		BIT_ULL(13)

void nest_debug(struct nest_state *l2, u64 cause)
{
	cause &= DR6_CAUSES;
	if (cause)
		l2->dr6 = (l2->dr6 & ~DR6_HITS) | cause;
	l2->dr7 &= ~DR7_GD;
}

void nest_end(struct vmcb *to, const struct nest *n, const struct nest_state *l2,
	      const struct nest_exit *why)
{
	struct vmcb_control *c = &to->c;

	nest_store(&to->s, l2);
	to->s.cr2 = l2->sregs.cr2;
	to->s.dr6 = l2->dr6;
	to->s.dr7 = l2->dr7;
	c->int_ctl = n->c.int_ctl;
	if (c->int_ctl & SVM_V_INTR_MASKING)
		c->int_ctl = (c->int_ctl & ~SVM_V_TPR) | why->tpr;
	c->int_state = why->shadow ? SVM_INT_SHADOW : 0;
	c->exit_code = why->code;
	c->info1 = why->info[0];
	c->info2 = why->info[1];
	c->exit_int_info = why->event;
	c->event_inj = 0;
}

void nest_resume(struct nest_state *s, const struct vmcb_save *l1)
{
	nest_load(s, l1);
	s->sregs.cr0 |= CR0_PE;
	s->sregs.ss.dpl = 0;
	s->dr7 = NEST_DR7_FIXED;
}

void nest_refuse(struct vmcb *to)
{
	to->c.exit_code = SVM_EXIT_INVALID;
	to->c.info1 = 0;
	to->c.info2 = 0;
	to->c.event_inj = 0;
}

#define END(field)	(offsetof(struct vmcb, field) + sizeof(((struct vmcb *)0)->field))
#define PART(first, last) { \
	offsetof(struct vmcb, first), END(last) - offsetof(struct vmcb, first), \
}

const struct nest_part nest_end_parts[] = {
	PART(c.int_ctl, c.int_ctl), PART(c.int_state, c.exit_int_info),
	PART(c.event_inj, c.event_inj),
	PART(s.es, s.ds), PART(s.gdtr.limit, s.gdtr.base), PART(s.idtr.limit, s.idtr.base),
	PART(s.cpl, s.cpl), PART(s.efer, s.efer), PART(s.cr4, s.rip), PART(s.rsp, s.rsp),
	PART(s.rax, s.rax), PART(s.cr2, s.cr2), { },
};

const struct nest_part nest_refuse_parts[] = {
	PART(c.exit_code, c.info2), PART(c.event_inj, c.event_inj), { },
};

const struct nest_part nest_vmsave_parts[] = {
	PART(s.fs, s.gs), PART(s.ldtr, s.ldtr), PART(s.tr, s.tr), PART(s.star, s.sysenter_eip), { },
};

/* ---- permission maps ---- */

u8 nest_msr_bit(u32 msr, bool write, u32 *at)
{
	static const u32 first[] = { 0, 0xc0000000, 0xc0010000 };
	u32 i, bit;

	for (i = 0; i < 3; i++) {
		if (msr - first[i] >= 0x2000)
			continue;
		bit = 2 * (msr - first[i]) + write;
		*at = i * 0x800 + bit / 8;
		return BIT(bit % 8);
	}
	return 0;
}

u16 nest_io_bits(u64 info1, u32 *at)
{
	u16 port = SVM_IOIO_PORT(info1);
	u8 size = SVM_IOIO_SIZE(info1);

	*at = port / 8;
	return (BIT(size) - 1) << port % 8;
}
