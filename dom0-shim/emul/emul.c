// SPDX-License-Identifier: GPL-2.0-only
/*
 * Entry points: decode, execute, retire; and the life of a pending access.
 */
#include "emul_priv.h"

static void retire(struct emul_state *st)
{
	struct emul_ctx *ctx = st->ctx;
	u64 next = ctx->rip + st->pos;

	ctx->rip = st->bits == 64 ? next : (u32)next;
	ctx->rflags &= ~(u64)FL_RF;
}

static void forget(struct emul_ctx *ctx)
{
	ctx->pending = false;
	ctx->log_len = 0;
	ctx->log_pos = 0;
}

static int execute(struct emul_ctx *ctx, bool lacking)
{
	struct emul_state st;
	int r;

	memset(&st, 0, sizeof(st));
	st.ctx = ctx;
	st.buf = ctx->insn;
	st.bits = emul_code_bits(ctx);
	ctx->insn_len = 0;
	ctx->log_pos = 0;
	ctx->tlb_next = 0;
	memset(ctx->tlb, 0, sizeof(ctx->tlb));

	r = emul_decode(&st);
	if (!r)
		r = lacking ? emul_lacking(&st) : st.op->fn(&st);
	if (!r)
		retire(&st);
	if (r == EMUL_FAULT && ctx->fault.vector != VEC_DB)
		ctx->rflags |= FL_RF;
	if (r >= 0 && r != EMUL_NEED_USER)
		forget(ctx);
	return r;
}

int emul_run(struct emul_ctx *ctx)
{
	forget(ctx);
	return execute(ctx, false);
}

int emul_run_lacking(struct emul_ctx *ctx)
{
	forget(ctx);
	return execute(ctx, true);
}

/* The answered access joins the log; the replay finds it there. */
static void record_answer(struct emul_ctx *ctx)
{
	const struct emul_access *u = &ctx->user;
	struct emul_log_entry *e = &ctx->log[ctx->log_len];
	bool pio = u->kind == EMUL_PIO_IN || u->kind == EMUL_PIO_OUT;

	e->kind = u->kind;
	e->len = u->len;
	e->gpa = pio ? u->port : u->gpa;
	if (pio)
		memcpy(e->data, &u->count, sizeof(u->count));
	else
		memcpy(e->data, u->data, sizeof(e->data));
	ctx->log_len++;
	ctx->pending = false;
}

int emul_resume(struct emul_ctx *ctx)
{
	if (!ctx->pending && !ctx->log_len)
		return -EINVAL;
	if (ctx->pending)
		record_answer(ctx);
	return execute(ctx, false);
}
