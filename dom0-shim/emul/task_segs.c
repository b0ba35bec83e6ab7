// SPDX-License-Identifier: GPL-2.0-only
/* The segments of a new task: SDM vol. 3, 8.3 steps 12 and 13, table 8-1. */
#include "task_priv.h"

int emul_task_descriptor(struct task *t, u64 at, struct descriptor *d)
{
	u32 w[2];
	int r = emul_read_system(t->ctx, (u32)at, w, sizeof(w));

	if (r)
		return r;
	d->base = w[0] >> 16 | (w[1] & 0xff) << 16 | (w[1] & 0xff000000);
	d->limit = (w[0] & 0xffff) | (w[1] & 0xf0000);
	d->type = w[1] >> 8 & 15;
	d->s = w[1] >> 12 & 1;
	d->dpl = w[1] >> 13 & 3;
	d->p = w[1] >> 15 & 1;
	d->avl = w[1] >> 20 & 1;
	d->db = w[1] >> 22 & 1;
	d->g = w[1] >> 23 & 1;
	if (d->g)
		d->limit = d->limit << 12 | 0xfff;
	return 0;
}

static struct kvm_segment *segment(struct task *t, u32 n)
{
	struct kvm_sregs *s = &t->io->sregs;
	struct kvm_segment *const segs[EMUL_NR_SEGS] = {
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

	for (n = 0; n < EMUL_NR_SEGS; n++)
		*segment(t, n) = (struct kvm_segment){
			.selector = t->to.seg[n], .base = (u32)t->to.seg[n] << 4,
			.limit = 0xffff, .type = TYPE_RW | TYPE_ACCESSED, .s = 1,
			.dpl = 3, .present = 1,
		};
}

/* ---- descriptors ---- */

/* The descriptor of a code or data segment, and where it is. */
static int look_up(struct task *t, u16 sel, u64 *at, struct descriptor *d)
{
	const struct kvm_sregs *s = &t->io->sregs;
	u64 base = s->gdt.base;
	u32 limit = s->gdt.limit;

	if (sel & SEL_TI) {
		if (s->ldt.unusable)
			return emul_task_fault(t, VEC_TS, sel);
		base = s->ldt.base;
		limit = s->ldt.limit;
	}
	if ((sel | 7u) > limit)
		return emul_task_fault(t, VEC_TS, sel);
	*at = base + (sel & ~7u);
	return emul_task_descriptor(t, *at, d);
}

/* What was found goes into the register, marked as accessed. */
static int take(struct task *t, u32 n, u64 at, struct descriptor *d)
{
	struct emul_span span;
	int r;

	if (!(d->type & TYPE_ACCESSED)) {
		r = emul_map_system(t->ctx, at + DESC_TYPE_BYTE, 1, true, &span);
		if (!r)
			r = emul_ram_set_bits(t->ctx, &span, TYPE_ACCESSED, 0);
		if (r)
			return r;
		d->type |= TYPE_ACCESSED;
	}
	fill(segment(t, n), t->to.seg[n], d);
	return 0;
}

static int load_ldt(struct task *t)
{
	struct kvm_sregs *s = &t->io->sregs;
	u16 sel = t->to.ldt;
	struct descriptor d;
	int r;

	fill_none(&s->ldt, sel);
	if (SEL_NULL(sel))
		return 0;
	if ((sel & SEL_TI) || (sel | 7u) > s->gdt.limit)
		return emul_task_fault(t, VEC_TS, sel);
	r = emul_task_descriptor(t, s->gdt.base + (sel & ~7u), &d);
	if (r)
		return r;
	if (d.s || d.type != TYPE_LDT || !d.p)
		return emul_task_fault(t, VEC_TS, sel);
	fill(&s->ldt, sel, &d);
	return 0;
}

/* For CS and SS, which no task is without: the bits `mask` of the type are `type`. */
static int look_up_needed(struct task *t, u32 n, u8 mask, u8 type, u64 *at, struct descriptor *d)
{
	u16 sel = t->to.seg[n];
	int r;

	if (SEL_NULL(sel))
		return emul_task_fault(t, VEC_TS, sel);
	r = look_up(t, sel, at, d);
	if (!r && (!d->s || (d->type & mask) != type))
		return emul_task_fault(t, VEC_TS, sel);
	return r;
}

static int load_cs(struct task *t)
{
	u16 sel = t->to.seg[EMUL_CS];
	u8 rpl = sel & SEL_RPL;
	struct descriptor d;
	u64 at;
	int r;

	r = look_up_needed(t, EMUL_CS, TYPE_CODE, TYPE_CODE, &at, &d);
	if (r)
		return r;
	if (d.type & TYPE_CONFORMING ? d.dpl > rpl : d.dpl != rpl)
		return emul_task_fault(t, VEC_TS, sel);
	if (!d.p)
		return emul_task_fault(t, VEC_NP, sel);
	return take(t, EMUL_CS, at, &d);
}

static int load_ss(struct task *t, u8 cpl)
{
	u16 sel = t->to.seg[EMUL_SS];
	struct descriptor d;
	u64 at;
	int r;

	r = look_up_needed(t, EMUL_SS, TYPE_CODE | TYPE_RW, TYPE_RW, &at, &d);
	if (r)
		return r;
	if (d.dpl != cpl || (sel & SEL_RPL) != cpl)
		return emul_task_fault(t, VEC_TS, sel);
	if (!d.p)
		return emul_task_fault(t, VEC_SS, sel);
	return take(t, EMUL_SS, at, &d);
}

static int load_data(struct task *t, u32 n, u8 cpl)
{
	u16 sel = t->to.seg[n];
	struct descriptor d;
	u64 at;
	int r;

	if (SEL_NULL(sel))
		return 0;
	r = look_up(t, sel, &at, &d);
	if (r)
		return r;
	if (!d.s || (d.type & (TYPE_CODE | TYPE_RW)) == TYPE_CODE)
		return emul_task_fault(t, VEC_TS, sel);
	/* A conforming code segment may be read from any CPL. */
	if ((d.type & (TYPE_CODE | TYPE_CONFORMING)) != (TYPE_CODE | TYPE_CONFORMING) &&
	    (d.dpl < cpl || d.dpl < (sel & SEL_RPL)))
		return emul_task_fault(t, VEC_TS, sel);
	if (!d.p)
		return emul_task_fault(t, VEC_NP, sel);
	return take(t, n, at, &d);
}

/* ---- all of them ---- */

/*
 * No code and no stack yet.  A CPU has a code segment at all times; at CPL 3
 * the handler of a fault gets a stack from the TSS, and one that works.
 */
static void fill_dead(struct task *t)
{
	struct kvm_sregs *s = &t->io->sregs;

	s->cs = (struct kvm_segment){
		.selector = t->to.seg[EMUL_CS], .type = TYPE_CODE | TYPE_RW | TYPE_ACCESSED,
		.s = 1, .dpl = 3, .present = 1, .db = 1,
	};
	fill_none(&s->ss, t->to.seg[EMUL_SS]);
	s->ss.dpl = 3;
}

static int load_code_and_stack(struct task *t)
{
	int r = load_cs(t);

	if (!r)
		r = load_ss(t, t->to.seg[EMUL_CS] & SEL_RPL);
	if (r)
		fill_dead(t);
	return r;
}

int emul_task_load_segments(struct task *t)
{
	static const u8 data[] = { EMUL_DS, EMUL_ES, EMUL_FS, EMUL_GS };
	u32 n;
	int r;

	if (t->to.eflags & FL_VM) {
		load_v8086(t);
		return load_ldt(t);
	}
	fill_dead(t);
	for (n = 0; n < sizeof(data); n++)
		fill_none(segment(t, data[n]), t->to.seg[data[n]]);
	r = load_ldt(t);
	if (!r)
		r = load_code_and_stack(t);
	for (n = 0; !r && n < sizeof(data); n++)
		r = load_data(t, data[n], t->to.seg[EMUL_CS] & SEL_RPL);
	return r;
}
