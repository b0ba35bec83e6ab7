// SPDX-License-Identifier: GPL-2.0-only
/* The segments of a new task: SDM vol. 3, 8.3 steps 12 and 13, table 8-1. */
#include "lib/atomic.h"
#include "lib/string.h"
#include "lib/x86_regs.h"
#include "task_priv.h"

#define SEL_RPL		3u
#define SEL_TI		4u
#define SEL_NULL(sel)	(!((sel) & ~SEL_RPL))

enum task_result task_read_descriptor(struct task *t, gva_t at, struct descriptor *d)
{
	u32 w[2];

	if (linear_read(&t->lin, at, w, sizeof(w)))
		return task_no_access(t);
	d->base = w[0] >> 16 | (w[1] & 0xff) << 16 | (w[1] & 0xff000000);
	d->limit = (w[0] & 0xffff) | (w[1] & 0xf0000);
	d->type = w[1] >> 8 & 15;
	d->s = w[1] & BIT(12);
	d->dpl = w[1] >> 13 & 3;
	d->p = w[1] & BIT(15);
	d->avl = w[1] & BIT(20);
	d->db = w[1] & BIT(22);
	d->g = w[1] & BIT(23);
	if (d->g)
		d->limit = d->limit << 12 | 0xfff;
	return TASK_OK;
}

static struct kvm_segment *segment(struct task *t, u32 n)
{
	struct kvm_sregs *s = &t->s;
	struct kvm_segment *const segs[TASK_SEGS] = {
		&s->es, &s->cs, &s->ss, &s->ds, &s->fs, &s->gs,
	};

	return segs[n];
}

static void fill(struct kvm_segment *to, u16 sel, const struct descriptor *d)
{
	*to = (struct kvm_segment){
		.selector = sel,
		.base = d->base,
		.limit = d->limit,
		.type = d->type,
		.s = d->s,
		.dpl = d->dpl,
		.present = 1,
		.avl = d->avl,
		.db = d->db,
		.g = d->g,
	};
}

static void fill_none(struct kvm_segment *to, u16 sel)
{
	*to = (struct kvm_segment){ .selector = sel, .unusable = 1 };
}

/* ---- virtual-8086 mode ---- */

static void load_v8086(struct task *t)
{
	u32 n;

	for (n = 0; n < TASK_SEGS; n++)
		*segment(t, n) = (struct kvm_segment){
			.selector = t->to.seg[n], .base = (u32)t->to.seg[n] << 4,
			.limit = 0xffff, .type = TYPE_RW | TYPE_ACCESSED, .s = 1,
			.dpl = 3, .present = 1,
		};
}

/* ---- descriptors ---- */

/* The descriptor of a code or data segment, and where it is. */
static enum task_result look_up(struct task *t, u16 sel, gva_t *at, struct descriptor *d)
{
	u64 base = t->s.gdt.base;
	u32 limit = t->s.gdt.limit;

	if (sel & SEL_TI) {
		if (t->s.ldt.unusable)
			return task_fault(t, X86_TRAP_TS, sel);
		base = t->s.ldt.base;
		limit = t->s.ldt.limit;
	}
	if ((sel | 7u) > limit)
		return task_fault(t, X86_TRAP_TS, sel);
	*at = base + (sel & ~7u);
	return task_read_descriptor(t, *at, d);
}

/* What was found goes into the register, marked as accessed. */
static enum task_result take(struct task *t, u32 n, gva_t at, struct descriptor *d)
{
	struct linear_span span;

	if (!(d->type & TYPE_ACCESSED)) {
		if (linear_span(&t->lin, at + DESC_TYPE_BYTE, 1, LINEAR_WRITE, &span))
			return task_no_access(t);
		fetch_or(span.at[0], TYPE_ACCESSED);
		d->type |= TYPE_ACCESSED;
	}
	fill(segment(t, n), t->to.seg[n], d);
	return TASK_OK;
}

static enum task_result load_ldt(struct task *t)
{
	u16 sel = t->to.ldt;
	struct descriptor d;
	enum task_result r;

	fill_none(&t->s.ldt, sel);
	if (SEL_NULL(sel))
		return TASK_OK;
	if ((sel & SEL_TI) || (sel | 7u) > t->s.gdt.limit)
		return task_fault(t, X86_TRAP_TS, sel);
	r = task_read_descriptor(t, t->s.gdt.base + (sel & ~7u), &d);
	if (r)
		return r;
	if (d.s || d.type != TYPE_LDT || !d.p)
		return task_fault(t, X86_TRAP_TS, sel);
	fill(&t->s.ldt, sel, &d);
	return TASK_OK;
}

/* For CS and SS, which no task is without: the bits `mask` of the type are `type`. */
static enum task_result look_up_needed(struct task *t, u32 n, u8 mask, u8 type, gva_t *at,
				       struct descriptor *d)
{
	u16 sel = t->to.seg[n];
	enum task_result r;

	if (SEL_NULL(sel))
		return task_fault(t, X86_TRAP_TS, sel);
	r = look_up(t, sel, at, d);
	if (!r && (!d->s || (d->type & mask) != type))
		return task_fault(t, X86_TRAP_TS, sel);
	return r;
}

static enum task_result load_cs(struct task *t)
{
	u16 sel = t->to.seg[TASK_CS];
	u8 rpl = sel & SEL_RPL;
	struct descriptor d;
	enum task_result r;
	gva_t at;

	r = look_up_needed(t, TASK_CS, TYPE_CODE, TYPE_CODE, &at, &d);
	if (r)
		return r;
	if (d.type & TYPE_CONFORMING ? d.dpl > rpl : d.dpl != rpl)
		return task_fault(t, X86_TRAP_TS, sel);
	if (!d.p)
		return task_fault(t, X86_TRAP_NP, sel);
	return take(t, TASK_CS, at, &d);
}

static enum task_result load_ss(struct task *t, u8 cpl)
{
	u16 sel = t->to.seg[TASK_SS];
	struct descriptor d;
	enum task_result r;
	gva_t at;

	r = look_up_needed(t, TASK_SS, TYPE_CODE | TYPE_RW, TYPE_RW, &at, &d);
	if (r)
		return r;
	if (d.dpl != cpl || (sel & SEL_RPL) != cpl)
		return task_fault(t, X86_TRAP_TS, sel);
	if (!d.p)
		return task_fault(t, X86_TRAP_SS, sel);
	return take(t, TASK_SS, at, &d);
}

static enum task_result load_data(struct task *t, u32 n, u8 cpl)
{
	u16 sel = t->to.seg[n];
	struct descriptor d;
	enum task_result r;
	gva_t at;

	if (SEL_NULL(sel))
		return TASK_OK;
	r = look_up(t, sel, &at, &d);
	if (r)
		return r;
	if (!d.s || (d.type & (TYPE_CODE | TYPE_RW)) == TYPE_CODE)
		return task_fault(t, X86_TRAP_TS, sel);
	/* A conforming code segment may be read from any CPL. */
	if ((d.type & (TYPE_CODE | TYPE_CONFORMING)) != (TYPE_CODE | TYPE_CONFORMING) &&
	    (d.dpl < cpl || d.dpl < (sel & SEL_RPL)))
		return task_fault(t, X86_TRAP_TS, sel);
	if (!d.p)
		return task_fault(t, X86_TRAP_NP, sel);
	return take(t, n, at, &d);
}

/* ---- all of them ---- */

/*
 * No code and no stack yet.  A CPU has a code segment at all times; at CPL 3
 * the handler of a fault gets a stack from the TSS, and one that works.
 */
static void fill_dead(struct task *t)
{
	t->s.cs = (struct kvm_segment){
		.selector = t->to.seg[TASK_CS], .type = TYPE_CODE | TYPE_RW | TYPE_ACCESSED,
		.s = 1, .dpl = 3, .present = 1, .db = 1,
	};
	fill_none(&t->s.ss, t->to.seg[TASK_SS]);
	t->s.ss.dpl = 3;
}

static enum task_result load_code_and_stack(struct task *t)
{
	enum task_result r = load_cs(t);

	if (!r)
		r = load_ss(t, t->to.seg[TASK_CS] & SEL_RPL);
	if (r)
		fill_dead(t);
	return r;
}

enum task_result task_load_segments(struct task *t)
{
	static const u8 data[] = { TASK_DS, TASK_ES, TASK_FS, TASK_GS };
	enum task_result r;
	u32 n;

	if (t->to.eflags & X86_EFLAGS_VM) {
		load_v8086(t);
		return load_ldt(t);
	}
	fill_dead(t);
	for (n = 0; n < ARRAY_SIZE(data); n++)
		fill_none(segment(t, data[n]), t->to.seg[data[n]]);
	r = load_ldt(t);
	if (!r)
		r = load_code_and_stack(t);
	for (n = 0; !r && n < ARRAY_SIZE(data); n++)
		r = load_data(t, data[n], t->to.seg[TASK_CS] & SEL_RPL);
	return r;
}
