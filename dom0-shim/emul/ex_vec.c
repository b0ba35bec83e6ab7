// SPDX-License-Identifier: GPL-2.0-only
/*
 * Plain moves between memory and vector registers, SSE and VEX-coded. Forms
 * between two registers touch no memory and are not emulated.
 */
#include "emul_priv.h"

#define V_STORE		(1u << 0)
#define V_ALIGN		(1u << 1)	/* memory must be aligned to its size */
#define V_LOW		(1u << 2)	/* load replaces only the low half... */
#define V_HIGH		(1u << 3)	/* ...or bits 64..127; store takes them */
#define V_REXW		(1u << 4)	/* 8 bytes with REX.W, else 4 */

enum { P_NONE, P_66, P_F3, P_F2 };

/* A size of 16 is the whole register: 32 bytes with VEX.L. */
struct vec_move {
	u8 map, opcode, prefix, size, flags;
};

static const struct vec_move moves[] = {
	{ 2, 0x10, P_NONE, 16, 0 },			/* MOVUPS */
	{ 2, 0x10, P_66, 16, 0 },			/* MOVUPD */
	{ 2, 0x10, P_F3, 4, 0 },			/* MOVSS */
	{ 2, 0x10, P_F2, 8, 0 },			/* MOVSD */
	{ 2, 0x11, P_NONE, 16, V_STORE },
	{ 2, 0x11, P_66, 16, V_STORE },
	{ 2, 0x11, P_F3, 4, V_STORE },
	{ 2, 0x11, P_F2, 8, V_STORE },
	{ 2, 0x12, P_NONE, 8, V_LOW },			/* MOVLPS */
	{ 2, 0x12, P_66, 8, V_LOW },			/* MOVLPD */
	{ 2, 0x13, P_NONE, 8, V_STORE },
	{ 2, 0x13, P_66, 8, V_STORE },
	{ 2, 0x16, P_NONE, 8, V_HIGH },			/* MOVHPS */
	{ 2, 0x16, P_66, 8, V_HIGH },			/* MOVHPD */
	{ 2, 0x17, P_NONE, 8, V_STORE | V_HIGH },
	{ 2, 0x17, P_66, 8, V_STORE | V_HIGH },
	{ 2, 0x28, P_NONE, 16, V_ALIGN },		/* MOVAPS */
	{ 2, 0x28, P_66, 16, V_ALIGN },			/* MOVAPD */
	{ 2, 0x29, P_NONE, 16, V_STORE | V_ALIGN },
	{ 2, 0x29, P_66, 16, V_STORE | V_ALIGN },
	{ 2, 0x2b, P_NONE, 16, V_STORE | V_ALIGN },	/* MOVNTPS */
	{ 2, 0x2b, P_66, 16, V_STORE | V_ALIGN },	/* MOVNTPD */
	{ 2, 0x6e, P_66, 4, V_REXW },			/* MOVD, MOVQ */
	{ 2, 0x6f, P_66, 16, V_ALIGN },			/* MOVDQA */
	{ 2, 0x6f, P_F3, 16, 0 },			/* MOVDQU */
	{ 2, 0x7e, P_66, 4, V_STORE | V_REXW },
	{ 2, 0x7e, P_F3, 8, 0 },			/* MOVQ */
	{ 2, 0x7f, P_66, 16, V_STORE | V_ALIGN },
	{ 2, 0x7f, P_F3, 16, V_STORE },
	{ 2, 0xd6, P_66, 8, V_STORE },			/* MOVQ */
	{ 2, 0xe7, P_66, 16, V_STORE | V_ALIGN },	/* MOVNTDQ */
	{ 2, 0xf0, P_F2, 16, 0 },			/* LDDQU */
	{ 3, 0x2a, P_66, 16, V_ALIGN },			/* MOVNTDQA */
};

static const struct vec_move *find_move(const struct emul_state *st)
{
	u32 prefix = st->rep == 0xf3 ? P_F3 : st->rep == 0xf2 ? P_F2 :
		     st->opsize_prefix ? P_66 : P_NONE;
	u32 i;

	for (i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
		const struct vec_move *m = &moves[i];

		if (m->map == st->map && m->opcode == st->opcode &&
		    m->prefix == prefix)
			return m;
	}
	return NULL;
}

/* Parts of a register: 128 bits are all that there is of these, but for MOVSS and MOVSD, which ignore VEX.L. */
static bool wrong_length(const struct emul_state *st, const struct vec_move *m)
{
	return st->vex && st->vex_l && m->size < 16 && m->opcode != 0x10 && m->opcode != 0x11;
}

/* #UD and #NM as CR0, CR4 and XCR0 say. SDM vol. 2, 2.5 and 2.7. */
static int check_enabled(const struct emul_state *st)
{
	struct emul_ctx *ctx = st->ctx;

	if (st->vex) {
		if (emul_real_or_v86(ctx) || !(ctx->cr4 & CR4_OSXSAVE) ||
		    (ctx->xcr0 & XCR0_SSE_AVX) != XCR0_SSE_AVX)
			return emul_raise(ctx, VEC_UD);
	} else if ((ctx->cr0 & CR0_EM) || !(ctx->cr4 & CR4_OSFXSR)) {
		return emul_raise(ctx, VEC_UD);
	}
	return ctx->cr0 & CR0_TS ? emul_raise(ctx, VEC_NM) : 0;
}

static int vec_store(struct emul_state *st, const struct vec_move *m, u32 size)
{
	u8 reg[32];
	int r = st->ctx->ops->vec_read(st->ctx, st->reg, reg, size > 16 ? 32 : 16);

	if (r)
		return r;
	return emul_span_write(st->ctx, &st->span, m->flags & V_HIGH ? reg + 8 : reg);
}

static int vec_load(struct emul_state *st, const struct vec_move *m, u32 size)
{
	const struct emul_ops *ops = st->ctx->ops;
	u32 len = size > 16 ? 32 : 16;
	u8 reg[32] = { 0 };
	int r;

	if (m->flags & (V_LOW | V_HIGH)) {
		r = ops->vec_read(st->ctx, st->reg, reg, len);
		if (r)
			return r;
	}
	r = emul_span_read(st->ctx, &st->span, m->flags & V_HIGH ? reg + 8 : reg);
	if (r)
		return r;
	return ops->vec_write(st->ctx, st->reg, reg, len, st->vex);
}

int emul_op_vec(struct emul_state *st)
{
	const struct vec_move *m = find_move(st);
	u32 size, access;
	bool store;
	int r;

	if (!m || !st->mem || !st->ctx->ops->vec_read || !st->ctx->ops->vec_write)
		return EMUL_UNHANDLED;
	store = m->flags & V_STORE;
	/* With VEX the merging loads have three operands. */
	if (st->vex && (st->vex_vvvv != 15 || (!store && (m->flags & (V_LOW | V_HIGH)))))
		return EMUL_UNHANDLED;
	if (wrong_length(st, m))
		return emul_raise(st->ctx, VEC_UD);
	r = check_enabled(st);
	if (r)
		return r;
	size = m->size;
	if (size == 16 && st->vex && st->vex_l)
		size = 32;
	if ((m->flags & V_REXW) && (st->rex & 8))
		size = 8;
	access = store ? EMUL_WALK_WRITE : EMUL_WALK_READ;
	if (m->flags & V_ALIGN)
		r = emul_mem_map_aligned(st, emul_ea(st), size, access);
	else
		r = emul_mem_map(st, emul_ea(st), size, access);
	if (r)
		return r;
	return store ? vec_store(st, m, size) : vec_load(st, m, size);
}
