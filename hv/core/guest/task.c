// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hardware task switches; the contract is in task.h.
 *
 * All that a switch needs is found first: TSSs, descriptors of the new task,
 * the place of an error code on its stack.  So if memory is missing, nothing has
 * happened yet, and the instruction or event starts anew once it is there.
 * Then come the writes, none of which can fail (d->lock is held): the commit
 * point of SDM vol. 3, 8.3.  A fault of the old task stops the switch before
 * it; one of the new task is raised after it.
 */
#include "task.h"

#include "gwalk.h"
#include "insn.h"
#include "lib/atomic.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/x86_regs.h"
#include "run/npf.h"
#include "task_priv.h"
#include "vcpu/ops.h"
#include "vcpu/run.h"

#define DR6_BT		BIT(15)		/* by the T flag of a TSS */
#define DR7_LOCAL	0x155ull	/* L0 to L3, LE */

/* Where the commit writes. */
struct places {
	struct linear_span old_tss, new_tss;
	struct linear_span old_desc, new_desc;	/* their byte with the busy bit */
	struct linear_span push;		/* the error code; len 0: none */
	bool clear_busy;
};

/* ---- faults ---- */

enum task_result task_fault(struct task *t, u8 vector, u16 selector)
{
	t->fault = (struct task_fault){
		.vector = vector, .has_error = true,
		.error = (selector & ~3u) | t->external,
	};
	return TASK_FAULT;
}

enum task_result task_no_access(struct task *t)
{
	if (t->lin.why == LINEAR_MEMORY)
		return TASK_MEMORY;
	t->fault = (struct task_fault){
		.vector = X86_TRAP_PF, .has_error = true, .error = t->lin.error,
	};
	return TASK_FAULT;
}

static void raise_fault(struct task *t)
{
	if (t->fault.vector == X86_TRAP_PF)
		t->v->regs.cr2 = t->lin.gva;
	vcpu_exception(t->v, t->fault.vector, t->fault.has_error, t->fault.error);
}

/* ---- TSSs ---- */

static bool is_nested(const struct task *t)
{
	u8 source = t->v->exit.task.source;

	return source == TASK_CALL || source == TASK_GATE;
}

static bool is_32(const struct kvm_segment *tr)
{
	return tr->type & TYPE_TSS_32;
}

/* The new TSS as TR will have it (table 8-1, the first four checks). */
static enum task_result check_descriptor(struct task *t, struct kvm_segment *tr)
{
	u16 sel = t->v->exit.task.selector;
	bool back = t->v->exit.task.source == TASK_IRET;
	u8 bad = back ? X86_TRAP_TS : X86_TRAP_GP;
	struct descriptor d;
	enum task_result r;

	if (!(sel & ~3u) || (sel & 4) || (sel | 7u) > t->s.gdt.limit)
		return task_fault(t, bad, sel);
	r = task_read_descriptor(t, t->s.gdt.base + (sel & ~7u), &d);
	if (r)
		return r;
	if (d.s || (d.type & ~(TYPE_TSS_32 | TYPE_TSS_BUSY)) != 1 ||
	    !!(d.type & TYPE_TSS_BUSY) != back)
		return task_fault(t, bad, sel);
	if (!d.p)
		return task_fault(t, X86_TRAP_NP, sel);
	*tr = (struct kvm_segment){
		.selector = sel, .base = d.base, .limit = d.limit,
		.type = d.type | TYPE_TSS_BUSY, .present = 1,
		.dpl = d.dpl, .avl = d.avl, .g = d.g,
	};
	if (d.limit < (is_32(tr) ? sizeof(struct tss32) : sizeof(struct tss16)) - 1)
		return task_fault(t, X86_TRAP_TS, sel);
	return TASK_OK;
}

/* What the old task goes on with when it is switched back to. */
static void old_regs(const struct task *t, struct task_regs *r)
{
	const struct vcpu *v = t->v;
	u32 i;

	r->eip = v->regs.rip + v->exit.insn_len;
	r->eflags = v->regs.rflags;
	if (v->exit.task.source == TASK_IRET)
		r->eflags &= ~X86_EFLAGS_NT;
	for (i = 0; i < ARRAY_SIZE(r->gpr); i++)
		r->gpr[i] = v->regs.gpr[i];
	r->seg[TASK_ES] = t->s.es.selector;
	r->seg[TASK_CS] = t->s.cs.selector;
	r->seg[TASK_SS] = t->s.ss.selector;
	r->seg[TASK_DS] = t->s.ds.selector;
	r->seg[TASK_FS] = t->s.fs.selector;
	r->seg[TASK_GS] = t->s.gs.selector;
}

/* ---- before the commit ---- */

/* The old TSS has to hold what is saved, and must take it. */
static enum task_result find_old_tss(struct task *t, struct places *w)
{
	const struct kvm_segment *tr = &t->old_tr;
	struct tss_part part = tss_saved_part(is_32(tr));

	if (tr->limit < part.from + part.len - 1)
		return task_fault(t, X86_TRAP_TS, tr->selector);
	if (linear_span(&t->lin, tr->base + part.from, part.len, LINEAR_WRITE, &w->old_tss))
		return task_no_access(t);
	return TASK_OK;
}

/* A CALL or an event writes the link into it. */
static enum task_result find_new_tss(struct task *t, const struct kvm_segment *tr,
				     struct places *w)
{
	u32 len = is_32(tr) ? sizeof(struct tss32) : sizeof(struct tss16);
	u32 access = is_nested(t) ? LINEAR_WRITE : 0;

	if (linear_span(&t->lin, tr->base, len, access, &w->new_tss))
		return task_no_access(t);
	return TASK_OK;
}

static enum task_result find_busy(struct task *t, u16 sel, struct linear_span *s)
{
	gva_t at = t->s.gdt.base + (sel & ~7u) + DESC_TYPE_BYTE;

	if (linear_span(&t->lin, at, 1, LINEAR_WRITE, s))
		return task_no_access(t);
	return TASK_OK;
}

/* IRET leaves the new task's busy bit set, CALL and events the old task's. */
static enum task_result find_descriptors(struct task *t, struct places *w)
{
	u16 old = t->old_tr.selector;
	enum task_result r = TASK_OK;

	if (t->v->exit.task.source != TASK_IRET)
		r = find_busy(t, t->v->exit.task.selector, &w->new_desc);
	w->clear_busy = !is_nested(t) && (old & ~3u) && (old | 7u) <= t->s.gdt.limit;
	if (!r && w->clear_busy)
		r = find_busy(t, old, &w->old_desc);
	return r;
}

/* Step 12 for CR3, which a 16-bit TSS does not have; PAE's top entries are checked. */
static enum task_result enter_address_space(struct task *t, const struct kvm_segment *tr)
{
	if (!(t->s.cr0 & X86_CR0_PG) || !is_32(tr) || t->to.cr3 == t->s.cr3)
		return TASK_OK;
	t->s.cr3 = t->lin.paging.cr3 = t->to.cr3;
	t->lin.paging.pdptes = false;
	if (!uses_pae_root(t->s.cr0, t->s.cr4, t->s.efer))
		return TASK_OK;
	switch (pae_root_check(&t->lin.view, t->to.cr3)) {
	case 0:
		return TASK_OK;
	case -EFAULT:
		t->lin.gpa = PAE_ROOT(t->to.cr3);
		t->lin.write = false;
		return TASK_MEMORY;
	default:
		t->fault = (struct task_fault){
			.vector = X86_TRAP_GP, .has_error = true, .error = t->external,
		};
		return TASK_FAULT;
	}
}

/* All of the old task's part; it may fail with no harm done. */
static enum task_result prepare_switch(struct task *t, struct places *w)
{
	struct kvm_segment tr;
	enum task_result r;

	r = check_descriptor(t, &tr);
	if (!r)
		r = find_old_tss(t, w);
	if (!r)
		r = find_new_tss(t, &tr, w);
	if (!r)
		r = find_descriptors(t, w);
	if (r)
		return r;
	tss_load(&w->new_tss, is_32(&tr), &t->to);
	r = enter_address_space(t, &tr);
	t->s.tr = tr;
	return r;
}

/* ---- the new task ---- */

/* An exception's error code goes onto the new task's stack. */
static enum task_result find_push(struct task *t, struct places *w)
{
	const struct vcpu_event *e = &t->v->inject;
	const struct kvm_segment *ss = &t->s.ss;
	u32 len = is_32(&t->s.tr) ? 4 : 2, mask = ss->db ? ~0u : 0xffff;
	u32 top = t->to.gpr[RSP], sp = (top - len) & mask, end = sp + len - 1;
	u32 user = ss->dpl == 3 ? LINEAR_USER : 0;
	bool down = (ss->type & (TYPE_CODE | 4)) == 4;	/* expands down */

	if (t->v->exit.task.source != TASK_GATE || e->type != EVENT_EXC || !e->has_error)
		return TASK_OK;
	if (end < sp || end > (down ? mask : ss->limit) || (down && sp <= ss->limit))
		return task_fault(t, X86_TRAP_SS, 0);
	if (linear_span(&t->lin, ss->base + sp, len, LINEAR_WRITE | user, &w->push))
		return task_no_access(t);
	t->to.gpr[RSP] = (top & ~mask) | sp;
	return TASK_OK;
}

static enum task_result load_task(struct task *t, struct places *w)
{
	enum task_result r = task_load_segments(t);

	if (!r)
		r = find_push(t, w);
	if (!r && t->to.eip > t->s.cs.limit)
		r = task_fault(t, X86_TRAP_GP, 0);
	return r;
}

/* ---- the commit ---- */

static void write_memory(const struct task *t, const struct places *w)
{
	u16 old_tr = t->old_tr.selector;
	u32 error = t->v->inject.error;

	tss_save(&w->old_tss, is_32(&t->old_tr), &t->from);
	if (is_nested(t))
		span_write(&w->new_tss, 0, &old_tr, sizeof(old_tr));
	if (w->clear_busy)
		fetch_and(w->old_desc.at[0], (u8)~TYPE_TSS_BUSY);
	if (w->new_desc.len)
		fetch_or(w->new_desc.at[0], TYPE_TSS_BUSY);
	if (w->push.len)
		span_write(&w->push, 0, &error, w->push.len);
}

/*
 * Control registers and EFER are those that the guest runs with, but for CR0.TS and 32
 * bits of CR3, so no CPU refuses them.  If one did, memory would have changed
 * already, and there would be no state to go on with.
 */
static void write_registers(struct task *t)
{
	struct vcpu *v = t->v;
	u32 i;

	t->s.cr0 |= X86_CR0_TS;
	t->s.cr2 = v->regs.cr2;
	if (ops->set_sregs(v, &t->s))
		v->shutdown_sticky = true;
	for (i = 0; i < ARRAY_SIZE(t->to.gpr); i++)
		v->regs.gpr[i] = t->to.gpr[i];
	v->regs.rip = t->to.eip;
	v->regs.rflags = t->to.eflags | X86_EFLAGS_FIXED |
			 (is_nested(t) ? X86_EFLAGS_NT : 0);
}

/*
 * An IRET ends the blocking of NMIs, also if it faults, and an NMI begins it;
 * an interrupt shadow ends with the instruction.
 */
static void settle_blocking(struct vcpu *v, bool switched)
{
	u8 shadow, masked;

	ops->get_block(v, &shadow, &masked);
	if (v->exit.task.source == TASK_IRET)
		masked = 0;
	if (switched && v->exit.task.source == TASK_GATE && v->inject.type == EVENT_NMI)
		masked = 1;
	ops->set_block(v, switched ? 0 : shadow, masked);
}

/* SDM vol. 3, 18.2.4 and 18.3.1.5. */
static void settle_debug(struct vcpu *v, bool trap)
{
	v->dr7 &= ~DR7_LOCAL;
	if (trap)
		v->dr6 |= DR6_BT;
	ops->sync_controls(v);
}

/*
 * The event has been delivered.  A fault of the new task still counts as one
 * during the delivery of an exception (table 6-5).
 */
static void finish(struct task *t, bool fault)
{
	struct vcpu *v = t->v;

	settle_blocking(v, true);
	settle_debug(v, t->to.trap && !fault);
	if (!fault || v->inject.type != EVENT_EXC)
		v->inject.type = EVENT_NONE;
	if (fault)
		raise_fault(t);
	else if (t->to.trap)
		vcpu_exception(v, X86_TRAP_DB, false, 0);
}

/* ---- the whole ---- */

bool task_switch(struct vcpu *v)
{
	struct task t = { .v = v };
	struct places w = { .clear_busy = false };
	enum task_result before, after = TASK_OK;

	t.external = v->exit.task.source == TASK_GATE && v->inject.type != EVENT_NONE;
	ops->get_sregs(v, &t.s);
	t.old_tr = t.s.tr;
	old_regs(&t, &t.from);
	linear_begin(&t.lin, v);
	before = prepare_switch(&t, &w);
	if (!before)
		after = load_task(&t, &w);
	if (!before && after != TASK_MEMORY)
		write_memory(&t, &w);
	linear_end(&t.lin);

	if (before == TASK_MEMORY || after == TASK_MEMORY)
		return npf_need_page(v, t.lin.gpa, t.lin.write);
	if (before) {
		settle_blocking(v, false);
		raise_fault(&t);
		return true;
	}
	write_registers(&t);
	finish(&t, after);
	return true;
}
