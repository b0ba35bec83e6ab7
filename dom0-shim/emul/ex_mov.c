// SPDX-License-Identifier: GPL-2.0-only
/*
 * Moves between memory and integer registers.
 */
#include "emul_priv.h"

/* 88, 89, 0F C3 (MOVNTI) */
int emul_op_mov_store(struct emul_state *st)
{
	return emul_rm_write(st, st->size, emul_reg_read(st, st->reg, st->size));
}

/* 0F C3, MOVNTI: with one of these prefixes it is no instruction. */
int emul_op_movnti(struct emul_state *st)
{
	if (st->opsize_prefix || st->rep)
		return emul_raise(st->ctx, VEC_UD);
	return emul_op_mov_store(st);
}

/* 8A, 8B */
int emul_op_mov_load(struct emul_state *st)
{
	u64 val;
	int r = emul_rm_read(st, st->size, &val);

	if (!r)
		emul_reg_write(st, st->reg, st->size, val);
	return r;
}

/* C6 /0, C7 /0 */
int emul_op_mov_imm(struct emul_state *st)
{
	if (st->reg & 7)
		return EMUL_UNHANDLED;
	return emul_rm_write(st, st->size, st->imm);
}

/* 8C: 16 bits to memory whatever the operand size */
int emul_op_mov_sreg(struct emul_state *st)
{
	u32 seg = st->reg & 7;

	if (seg >= EMUL_NR_SEGS)
		return emul_raise(st->ctx, VEC_UD);
	return emul_rm_write(st, st->mem ? 2 : st->op_size,
			     st->ctx->seg[seg].selector);
}

/* A0, A1: load the accumulator; A2, A3: store it */
int emul_op_mov_moffs(struct emul_state *st)
{
	bool store = st->opcode & 2;
	u64 val = store ? emul_reg_read(st, EMUL_RAX, st->size) : 0;
	int r = emul_mem_map(st, st->imm, st->size,
			     store ? EMUL_WALK_WRITE : EMUL_WALK_READ);

	if (r)
		return r;
	if (store)
		return emul_span_write(st->ctx, &st->span, &val);
	r = emul_span_read(st->ctx, &st->span, &val);
	if (!r)
		emul_reg_write(st, EMUL_RAX, st->size, val);
	return r;
}

/* 0F B6, B7: MOVZX; 0F BE, BF: MOVSX; an odd opcode has a 16-bit source */
int emul_op_movx(struct emul_state *st)
{
	u32 from = st->opcode & 1 ? 2 : 1;
	u64 val;
	int r = emul_rm_read(st, from, &val);

	if (r)
		return r;
	if (st->opcode & 8)
		val = emul_sext(val, from);
	emul_reg_write(st, st->reg, st->op_size, val);
	return 0;
}

/* 63: MOVSXD in 64-bit code; elsewhere it is ARPL */
int emul_op_movsxd(struct emul_state *st)
{
	u32 from = st->op_size == 8 ? 4 : st->op_size;
	u64 val;
	int r;

	if (st->bits != 64)
		return EMUL_UNHANDLED;
	r = emul_rm_read(st, from, &val);
	if (!r)
		emul_reg_write(st, st->reg, st->op_size, emul_sext(val, from));
	return r;
}

/* 0F 38 F0, F1: MOVBE; with F2 they are CRC32 */
int emul_op_movbe(struct emul_state *st)
{
	u64 val;
	int r;

	if (st->rep)
		return EMUL_UNHANDLED;
	if (st->opcode & 1) {
		val = emul_reg_read(st, st->reg, st->size);
		val = __builtin_bswap64(val) >> (64 - 8 * st->size);
		return emul_rm_write(st, st->size, val);
	}
	r = emul_rm_read(st, st->size, &val);
	if (r)
		return r;
	val = __builtin_bswap64(val) >> (64 - 8 * st->size);
	emul_reg_write(st, st->reg, st->size, val);
	return 0;
}

/* 0F 90..9F */
int emul_op_setcc(struct emul_state *st)
{
	return emul_rm_write(st, 1, emul_cond(st->ctx->rflags, st->opcode & 0xf));
}

/* 0F 40..4F: memory is read whatever the condition */
int emul_op_cmov(struct emul_state *st)
{
	u64 val;
	int r = emul_rm_read(st, st->size, &val);

	if (r)
		return r;
	if (!emul_cond(st->ctx->rflags, st->opcode & 0xf))
		val = emul_reg_read(st, st->reg, st->size);
	emul_reg_write(st, st->reg, st->size, val);
	return 0;
}

static u32 stack_size(const struct emul_state *st)
{
	return st->bits == 64 ? 8 : st->ctx->seg[EMUL_SS].db ? 4 : 2;
}

static int map_stack(struct emul_state *st, u64 sp, u32 access,
		     struct emul_span *span)
{
	u64 lin;
	int r = emul_linear(st, EMUL_SS, sp & emul_mask(stack_size(st)), st->size,
			    access, &lin);

	return r ? r : emul_map(st->ctx, lin, st->size, access, span);
}

/* FF /6; FF is decoded with 32 bits by default; PUSH has 64 in 64-bit code. */
int emul_op_push(struct emul_state *st)
{
	struct emul_span stack;
	u64 val;
	int r;

	if (st->bits == 64 && st->size == 4)
		st->size = 8;
	r = emul_rm_read(st, st->size, &val);
	if (!r)
		r = map_stack(st, st->ctx->gpr[EMUL_RSP] - st->size,
			      EMUL_WALK_WRITE, &stack);
	if (!r)
		r = emul_span_write(st->ctx, &stack, &val);
	if (!r)
		emul_reg_add(st, EMUL_RSP, stack_size(st), -(s64)st->size);
	return r;
}

/* 8F /0: an address based on the stack pointer uses its value after the pop */
int emul_op_pop(struct emul_state *st)
{
	struct emul_span stack;
	u64 val = 0;
	int r;

	if (st->reg & 7)
		return EMUL_UNHANDLED;
	if (st->mem && st->base == EMUL_RSP)
		st->disp += st->size;
	r = map_stack(st, st->ctx->gpr[EMUL_RSP], EMUL_WALK_READ, &stack);
	if (!r && st->mem)
		r = emul_mem_map(st, emul_ea(st), st->size, EMUL_WALK_WRITE);
	if (!r)
		r = emul_span_read(st->ctx, &stack, &val);
	if (!r && st->mem)
		r = emul_span_write(st->ctx, &st->span, &val);
	if (r)
		return r;
	emul_reg_add(st, EMUL_RSP, stack_size(st), st->size);
	if (!st->mem)
		emul_reg_write(st, st->rm, st->size, val);
	return 0;
}

/* D7: AL = [rBX + AL] */
int emul_op_xlat(struct emul_state *st)
{
	u64 ea = st->ctx->gpr[EMUL_RBX] + (st->ctx->gpr[EMUL_RAX] & 0xff);
	u64 val = 0;
	int r = emul_mem_map(st, ea & emul_mask(st->ad_size), 1, EMUL_WALK_READ);

	if (!r)
		r = emul_span_read(st->ctx, &st->span, &val);
	if (!r)
		emul_reg_write(st, EMUL_RAX, 1, val);
	return r;
}

/* Prefetches and long NOPs never fault and never touch memory. */
int emul_op_nop(struct emul_state *st)
{
	(void)st;
	return 0;
}

/* 0F AE /7 and 66 /7 in memory: cache line flushes; /6 with 66: CLWB */
int emul_op_clflush(struct emul_state *st)
{
	u32 sub = st->reg & 7;
	bool flush = sub == 7 || (sub == 6 && st->opsize_prefix);

	if (!flush || st->rep || !st->mem)
		return EMUL_UNHANDLED;
	return emul_mem_map(st, emul_ea(st), 1, EMUL_WALK_READ);
}
