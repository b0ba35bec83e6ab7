// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instructions that are undefined to the processor and not to its guest: the hypercall
 * of the other vendor, which becomes this vendor's; MOVBE and RDPID, which are emulated;
 * and RSM, whose state is the caller's.
 */
#include "emul_priv.h"

#define LEN	3

static const u8 vmcall[LEN] = { 0x0f, 0x01, 0xc1 };
static const u8 vmmcall[LEN] = { 0x0f, 0x01, 0xd9 };

int emul_fix_hypercall(struct emul_ctx *ctx, bool intel)
{
	u64 lin = emul_code_bits(ctx) == 64 ? ctx->rip :
					      (u32)(ctx->seg[EMUL_CS].base + ctx->rip);
	struct emul_span span;
	u8 insn[LEN];
	int r;

	memset(ctx->tlb, 0, sizeof(ctx->tlb));
	r = emul_map_ram(ctx, lin, LEN, EMUL_WALK_EXEC, &span);
	if (!r)
		r = emul_ram_read(ctx, &span, 0, insn, LEN);
	/* The CPU has fetched it, so it is shorter. */
	if (r == EMUL_FAULT)
		return EMUL_UNHANDLED;
	if (r)
		return r;
	if (memcmp(insn, intel ? vmmcall : vmcall, LEN))
		return EMUL_UNHANDLED;
	r = emul_map_ram(ctx, lin, LEN, EMUL_WALK_WRITE, &span);
	if (!r)
		r = emul_ram_write(ctx, &span, 0, intel ? vmcall : vmmcall, LEN);
	if (r == EMUL_FAULT)
		ctx->rflags |= FL_RF;
	return r;
}

static bool is_movbe(const struct emul_state *st)
{
	return st->map == 3 && (st->opcode & 0xfe) == 0xf0 && !st->rep;
}

/* F3 0F C7 /7, of a register */
static bool is_rdpid(const struct emul_state *st)
{
	return st->map == 2 && st->opcode == 0xc7 && !st->mem && (st->reg & 7) == 7 &&
	       st->rep == 0xf3;
}

static int rdpid(struct emul_state *st)
{
	u32 aux;
	int r = st->ctx->ops->tsc_aux(st->ctx, &aux);

	if (r)
		return r;
	emul_reg_write(st, st->rm, st->bits == 64 ? 8 : 4, aux);
	return 0;
}

int emul_op_rsm(struct emul_state *st)
{
	return st->ctx->in_smm ? EMUL_RSM : EMUL_UNHANDLED;
}

static bool is_rsm(const struct emul_state *st)
{
	return st->map == 2 && st->opcode == 0xaa;
}

int emul_lacking(struct emul_state *st)
{
	const struct emul_ops *ops = st->ctx->ops;
	bool movbe = is_movbe(st);
	int r;

	if (is_rsm(st))
		return emul_op_rsm(st);
	if (!movbe && !is_rdpid(st))
		return EMUL_UNHANDLED;
	r = ops->guest_has(st->ctx, movbe ? EMUL_MOVBE : EMUL_RDPID);
	if (r <= 0)
		return r ? r : EMUL_UNHANDLED;
	return movbe ? emul_op_movbe(st) : rdpid(st);
}
