// SPDX-License-Identifier: GPL-2.0-only
/*
 * MOVS, CMPS, STOS, LODS, SCAS and the REP prefix. One iteration is the unit of
 * retirement; after a bounded number of elements the caller gets to look for signals,
 * and for room in the dirty ring: they lie in four pages at most.
 */
#include "emul_priv.h"

#define REP_BUDGET	256

static bool compares(const struct emul_state *st)
{
	switch (st->opcode) {
	case 0xa6:
	case 0xa7:
	case 0xae:
	case 0xaf:
		return true;
	}
	return false;
}

/* After an iteration of CMPS or SCAS: F3 goes on while equal, F2 while not. */
static bool condition_ends(const struct emul_state *st)
{
	bool equal = st->ctx->rflags & FL_ZF;

	return compares(st) && equal != (st->rep == 0xf3);
}

int emul_rep(struct emul_state *st, int (*iter)(struct emul_state *st, u64 *n))
{
	u64 i, n = 1;
	int r;

	if (!st->rep)
		return iter(st, &n);
	for (i = 0; i < REP_BUDGET; i += n) {
		n = emul_reg_read(st, EMUL_RCX, st->ad_size);
		if (!n)
			return 0;
		r = iter(st, &n);
		if (r)
			return r;
		st->ctx->log_len = st->ctx->log_pos = 0;
		emul_reg_add(st, EMUL_RCX, st->ad_size, -(s64)n);
		if (condition_ends(st))
			return 0;
	}
	if (!emul_reg_read(st, EMUL_RCX, st->ad_size))
		return 0;
	st->ctx->rflags |= FL_RF;	/* as if interrupted here */
	return EMUL_AGAIN;
}

static int map_index(struct emul_state *st, u32 seg, u32 reg, u32 access,
		     struct emul_span *span)
{
	u64 off = emul_reg_read(st, reg, st->ad_size), lin;
	int r = emul_linear(st, seg, off, st->size, access, &lin);

	return r ? r : emul_map(st->ctx, lin, st->size, access, span);
}

static void advance(struct emul_state *st, u32 reg)
{
	s64 step = st->ctx->rflags & FL_DF ? -(s64)st->size : st->size;

	emul_reg_add(st, reg, st->ad_size, step);
}

static int movs(struct emul_state *st)
{
	struct emul_span src;
	u64 val = 0;
	int r = map_index(st, st->seg, EMUL_RSI, EMUL_WALK_READ, &src);

	if (!r)
		r = map_index(st, EMUL_ES, EMUL_RDI, EMUL_WALK_WRITE, &st->span);
	if (!r)
		r = emul_span_read(st->ctx, &src, &val);
	if (!r)
		r = emul_span_write(st->ctx, &st->span, &val);
	if (r)
		return r;
	advance(st, EMUL_RSI);
	advance(st, EMUL_RDI);
	return 0;
}

static int cmps(struct emul_state *st)
{
	struct emul_span src;
	u64 flags = st->ctx->rflags, a = 0, b = 0;
	int r = map_index(st, st->seg, EMUL_RSI, EMUL_WALK_READ, &src);

	if (!r)
		r = map_index(st, EMUL_ES, EMUL_RDI, EMUL_WALK_READ, &st->span);
	if (!r)
		r = emul_span_read(st->ctx, &src, &a);
	if (!r)
		r = emul_span_read(st->ctx, &st->span, &b);
	if (r)
		return r;
	emul_alu(ALU_CMP, st->size, a, b, &flags);
	emul_set_flags(st->ctx, FL_ARITH, flags);
	advance(st, EMUL_RSI);
	advance(st, EMUL_RDI);
	return 0;
}

static int stos(struct emul_state *st)
{
	u64 val = emul_reg_read(st, EMUL_RAX, st->size);
	int r = map_index(st, EMUL_ES, EMUL_RDI, EMUL_WALK_WRITE, &st->span);

	if (!r)
		r = emul_span_write(st->ctx, &st->span, &val);
	if (!r)
		advance(st, EMUL_RDI);
	return r;
}

static int lods(struct emul_state *st)
{
	u64 val = 0;
	int r = map_index(st, st->seg, EMUL_RSI, EMUL_WALK_READ, &st->span);

	if (!r)
		r = emul_span_read(st->ctx, &st->span, &val);
	if (r)
		return r;
	emul_reg_write(st, EMUL_RAX, st->size, val);
	advance(st, EMUL_RSI);
	return 0;
}

static int scas(struct emul_state *st)
{
	u64 flags = st->ctx->rflags, val = 0;
	int r = map_index(st, EMUL_ES, EMUL_RDI, EMUL_WALK_READ, &st->span);

	if (!r)
		r = emul_span_read(st->ctx, &st->span, &val);
	if (r)
		return r;
	emul_alu(ALU_CMP, st->size, emul_reg_read(st, EMUL_RAX, st->size), val,
		 &flags);
	emul_set_flags(st->ctx, FL_ARITH, flags);
	advance(st, EMUL_RDI);
	return 0;
}

static int iterate(struct emul_state *st, u64 *n)
{
	*n = 1;
	switch (st->opcode & ~1u) {
	case 0xa4:
		return movs(st);
	case 0xa6:
		return cmps(st);
	case 0xaa:
		return stos(st);
	case 0xac:
		return lods(st);
	case 0xae:
		return scas(st);
	}
	return EMUL_UNHANDLED;
}

/* A4..A7, AA..AF */
int emul_op_string(struct emul_state *st)
{
	return emul_rep(st, iterate);
}
