// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hardware task switches; the contract is emul_task_switch()'s in emul.h.
 *
 * All that a switch needs is found first: TSSs, descriptors of the new task,
 * the place of an error code on its stack.  Then come the writes, the commit
 * point of SDM vol. 3, 8.3.  A fault of the old task stops the switch before
 * it; one of the new task is raised after it.
 */
#include "task_priv.h"

#define FL_NT		(1u << 14)
#define DR6_BT		(1u << 15)	/* by the T flag of a TSS */
#define DR7_LOCAL	0x155ull	/* L0 to L3, LE */

/* Where the commit writes; pieces 0: nowhere. */
struct places {
	struct emul_span old_tss, new_tss;
	struct emul_span old_desc, new_desc;	/* their byte with the busy bit */
	struct emul_span push;			/* the error code */
};

int emul_task_fault(struct task *t, u8 vector, u16 selector)
{
	return emul_raise_code(t->ctx, vector, (selector & ~3u) | t->external);
}

/* ---- TSSs ---- */

static bool is_nested(const struct task *t)
{
	return t->io->source == EMUL_TASK_CALL || t->io->source == EMUL_TASK_GATE;
}

static bool is_32(const struct kvm_segment *tr)
{
	return tr->type & TYPE_TSS_32;
}

static u32 tss_size(const struct kvm_segment *tr)
{
	return is_32(tr) ? sizeof(struct tss32) : sizeof(struct tss16);
}

/* The new TSS as TR will have it (table 8-1, the first four checks). */
static int check_descriptor(struct task *t, struct kvm_segment *tr)
{
	const struct kvm_dtable *gdt = &t->io->sregs.gdt;
	u16 sel = t->io->selector;
	bool back = t->io->source == EMUL_TASK_IRET;
	u8 bad = back ? VEC_TS : VEC_GP;
	struct descriptor d;
	int r;

	if (SEL_NULL(sel) || (sel & SEL_TI) || (sel | 7u) > gdt->limit)
		return emul_task_fault(t, bad, sel);
	r = emul_task_descriptor(t, gdt->base + (sel & ~7u), &d);
	if (r)
		return r;
	if (d.s || (d.type & ~(TYPE_TSS_32 | TYPE_TSS_BUSY)) != 1 ||
	    !!(d.type & TYPE_TSS_BUSY) != back)
		return emul_task_fault(t, bad, sel);
	if (!d.p)
		return emul_task_fault(t, VEC_NP, sel);
	*tr = (struct kvm_segment){
		.selector = sel, .base = d.base, .limit = d.limit,
		.type = d.type | TYPE_TSS_BUSY, .present = 1,
		.dpl = d.dpl, .avl = d.avl, .g = d.g,
	};
	if (d.limit < tss_size(tr) - 1)
		return emul_task_fault(t, VEC_TS, sel);
	return 0;
}

/* What the old task goes on with when it is switched back to. */
static void old_regs(const struct task *t, struct task_regs *r)
{
	const struct emul_ctx *ctx = t->ctx;
	int i;

	r->eip = ctx->rip + t->io->insn_len;
	r->eflags = ctx->rflags;
	if (t->io->source == EMUL_TASK_IRET)
		r->eflags &= ~FL_NT;
	for (i = 0; i < 8; i++)
		r->gpr[i] = ctx->gpr[i];
	for (i = 0; i < EMUL_NR_SEGS; i++)
		r->seg[i] = ctx->seg[i].selector;
}

/* ---- before the commit ---- */

/* The old TSS has to hold what is saved, and must take it. */
static int find_old_tss(struct task *t, struct places *w)
{
	const struct kvm_segment *tr = &t->old_tr;
	struct tss_part part = emul_tss_saved_part(is_32(tr));

	if (tr->limit < part.from + part.len - 1)
		return emul_task_fault(t, VEC_TS, tr->selector);
	return emul_map_system(t->ctx, tr->base + part.from, part.len, true, &w->old_tss);
}

static int find_busy(struct task *t, u16 sel, struct emul_span *s)
{
	u64 at = t->io->sregs.gdt.base + (sel & ~7u) + DESC_TYPE_BYTE;

	return emul_map_system(t->ctx, at, 1, true, s);
}

/* IRET leaves the new task's busy bit set, CALL and events the old task's. */
static int find_descriptors(struct task *t, struct places *w)
{
	u16 old = t->old_tr.selector;
	int r = 0;

	if (t->io->source != EMUL_TASK_IRET)
		r = find_busy(t, t->io->selector, &w->new_desc);
	if (!r && !is_nested(t) && !SEL_NULL(old) && (old | 7u) <= t->io->sregs.gdt.limit)
		r = find_busy(t, old, &w->old_desc);
	return r;
}

/* Step 12 for CR3, which a 16-bit TSS does not have; PAE's top entries are checked. */
static int enter_address_space(struct task *t, const struct kvm_segment *tr)
{
	struct emul_ctx *ctx = t->ctx;

	if (!(ctx->cr0 & CR0_PG) || !is_32(tr) || t->to.cr3 == ctx->cr3)
		return 0;
	t->io->sregs.cr3 = ctx->cr3 = t->to.cr3;
	ctx->pdptes_known = false;
	memset(ctx->tlb, 0, sizeof(ctx->tlb));
	if (!(ctx->cr4 & CR4_PAE))
		return 0;
	return emul_check_pdptes(ctx, t->external);
}

/* All of the old task's part; it may fail with no harm done. */
static int prepare_switch(struct task *t, struct places *w)
{
	struct kvm_segment tr;
	int r;

	r = check_descriptor(t, &tr);
	if (!r)
		r = find_old_tss(t, w);
	/* A CALL or an event writes the link into the new one. */
	if (!r)
		r = emul_map_system(t->ctx, tr.base, tss_size(&tr), is_nested(t), &w->new_tss);
	if (!r)
		r = find_descriptors(t, w);
	if (!r)
		r = emul_tss_load(t->ctx, &w->new_tss, is_32(&tr), &t->to);
	if (!r)
		r = enter_address_space(t, &tr);
	if (!r)
		t->io->sregs.tr = tr;
	return r;
}

/* ---- the new task ---- */

/* Its stack is a user's at CPL 3. */
static int map_stack(struct task *t, u64 at, u32 len, struct emul_span *span)
{
	struct emul_ctx *ctx = t->ctx;
	u8 cpl = ctx->cpl;
	int r;

	if (t->io->sregs.ss.dpl != 3)
		return emul_map_system(ctx, at, len, true, span);
	ctx->cpl = 3;
	r = emul_map_ram(ctx, at, len, EMUL_WALK_WRITE, span);
	ctx->cpl = cpl;
	return r;
}

/* An exception's error code goes onto the new task's stack. */
static int find_push(struct task *t, struct places *w)
{
	const struct kvm_segment *ss = &t->io->sregs.ss;
	u32 len = is_32(&t->io->sregs.tr) ? 4 : 2, mask = ss->db ? ~0u : 0xffff;
	u32 top = t->to.gpr[EMUL_RSP], sp = (top - len) & mask, end = sp + len - 1;
	bool down = (ss->type & (TYPE_CODE | 4)) == 4;	/* expands down */
	int r;

	if (t->io->event != EMUL_TASK_EXCEPTION || !t->io->events.exception.has_error_code)
		return 0;
	if (end < sp || end > (down ? mask : ss->limit) || (down && sp <= ss->limit))
		return emul_task_fault(t, VEC_SS, 0);
	r = map_stack(t, ss->base + sp, len, &w->push);
	if (!r)
		t->to.gpr[EMUL_RSP] = (top & ~mask) | sp;
	return r;
}

static int load_task(struct task *t, struct places *w)
{
	int r = emul_task_load_segments(t);

	if (!r)
		r = find_push(t, w);
	if (!r && t->to.eip > t->io->sregs.cs.limit)
		r = emul_task_fault(t, VEC_GP, 0);
	return r;
}

/* ---- the commit ---- */

/*
 * Should memory that was there be gone (a negative errno), the switch begins anew, by what it
 * finds then.  So the busy bits go last: a task that is busy cannot be switched to.
 */
static int write_memory(struct task *t, const struct places *w)
{
	struct emul_ctx *ctx = t->ctx;
	u16 old_tr = t->old_tr.selector;
	u32 error = t->io->events.exception.error_code;
	int r;

	r = emul_tss_save(ctx, &w->old_tss, is_32(&t->old_tr), &t->from);
	if (!r && is_nested(t))
		r = emul_ram_write(ctx, &w->new_tss, 0, &old_tr, sizeof(old_tr));
	if (!r && w->push.pieces)
		r = emul_ram_write(ctx, &w->push, 0, &error, is_32(&t->io->sregs.tr) ? 4 : 2);
	if (!r && w->old_desc.pieces)
		r = emul_ram_set_bits(ctx, &w->old_desc, 0, TYPE_TSS_BUSY);
	if (!r && w->new_desc.pieces)
		r = emul_ram_set_bits(ctx, &w->new_desc, TYPE_TSS_BUSY, 0);
	return r;
}

static void write_registers(struct task *t)
{
	struct emul_ctx *ctx = t->ctx;
	int i;

	t->io->sregs.cr0 |= CR0_TS;
	for (i = 0; i < 8; i++)
		ctx->gpr[i] = t->to.gpr[i];
	ctx->rip = t->to.eip;
	ctx->rflags = t->to.eflags | FL_FIXED | (is_nested(t) ? FL_NT : 0);
}

/*
 * An IRET ends the blocking of NMIs, also if it faults; an NMI's delivery begins it,
 * and one that is refused comes after the fault.  Those that come meanwhile are not
 * ours to set.
 */
static void settle_nmi(struct emul_task *io, bool switched)
{
	struct kvm_vcpu_events *ev = &io->events;

	ev->flags = KVM_VCPUEVENT_VALID_SHADOW;
	if (io->source == EMUL_TASK_IRET)
		ev->nmi.masked = 0;
	if (io->event != EMUL_TASK_NMI)
		return;
	ev->nmi.injected = 0;
	if (switched) {
		ev->nmi.masked = 1;
	} else {
		ev->nmi.pending = 1;
		ev->flags |= KVM_VCPUEVENT_VALID_NMI_PENDING;
	}
}

/* SDM vol. 3, 18.2.4 and 18.3.1.5. */
static void settle_debug(struct task *t, bool trap)
{
	t->io->dr7 &= ~DR7_LOCAL;
	if (!trap)
		return;
	t->io->dr6 |= DR6_BT;
	emul_raise(t->ctx, VEC_DB);
}

/*
 * The event has been delivered.  A fault of the new task still counts as one
 * during the delivery of an exception (table 6-5).
 */
static void settle_event(struct emul_task *io, bool fault)
{
	io->events.interrupt.shadow = 0;
	if (io->event == EMUL_TASK_INTERRUPT)
		io->events.interrupt.injected = 0;
	else if (io->event == EMUL_TASK_EXCEPTION && !fault)
		io->events.exception.injected = 0;
}

/* ---- the whole ---- */

static int switch_over(struct task *t)
{
	struct places w;
	int r, late;

	memset(&w, 0, sizeof(w));
	r = prepare_switch(t, &w);
	if (r)
		return r;
	late = load_task(t, &w);
	if (late && late != EMUL_FAULT)
		return late;
	r = write_memory(t, &w);
	if (r)
		return r;
	write_registers(t);
	settle_nmi(t->io, true);
	settle_debug(t, t->to.trap && !late);
	settle_event(t->io, late);
	t->io->raise = late || t->to.trap;
	return EMUL_DONE;
}

int emul_task_switch(struct emul_ctx *ctx, struct emul_task *io)
{
	struct task t = { .ctx = ctx, .io = io, .old_tr = io->sregs.tr };
	int r;

	if (ctx->efer & X86_EFER_LMA)
		return EMUL_UNHANDLED;
	io->raise = false;
	t.external = io->source == EMUL_TASK_GATE && io->event != EMUL_TASK_NO_EVENT;
	memset(ctx->tlb, 0, sizeof(ctx->tlb));
	old_regs(&t, &t.from);
	r = switch_over(&t);
	if (r == EMUL_FAULT)
		settle_nmi(io, false);
	return r;
}
