// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arithmetic and logic instructions with a memory operand.
 */
#include "emul_priv.h"

static int undefined(struct emul_state *st)
{
	return emul_raise(st->ctx, VEC_UD);
}

static void commit_flags(struct emul_state *st, u64 flags)
{
	emul_set_flags(st->ctx, FL_ARITH, flags);
}

/* rm = rm op val, or only the flags of it for CMP. */
static int alu_to_rm(struct emul_state *st, u32 op, u64 val)
{
	u64 flags = st->ctx->rflags, old, res;
	int r;

	if (op == ALU_CMP) {
		if (st->lock)
			return undefined(st);
		r = emul_rm_read(st, st->size, &old);
		if (r)
			return r;
		emul_alu(op, st->size, old, val, &flags);
		commit_flags(st, flags);
		return 0;
	}
	r = emul_rm_load(st, st->size, &old);
	if (r)
		return r;
	res = emul_alu(op, st->size, old, val, &flags);
	r = emul_rm_update(st, st->size, old, res);
	if (!r)
		commit_flags(st, flags);
	return r;
}

/* 00..3B: bit 1 clear: rm op= reg; set: reg op= rm */
int emul_op_alu(struct emul_state *st)
{
	u32 op = (st->opcode >> 3) & 7;
	u64 flags = st->ctx->rflags, reg = emul_reg_read(st, st->reg, st->size);
	u64 val;
	int r;

	if (!(st->opcode & 2))
		return alu_to_rm(st, op, reg);
	r = emul_rm_read(st, st->size, &val);
	if (r)
		return r;
	val = emul_alu(op, st->size, reg, val, &flags);
	if (op != ALU_CMP)
		emul_reg_write(st, st->reg, st->size, val);
	commit_flags(st, flags);
	return 0;
}

/* 04..3D: accumulator op= immediate; A8, A9: TEST */
int emul_op_alu_acc(struct emul_state *st)
{
	bool test = st->opcode >= 0xa8;
	u32 op = test ? ALU_AND : (st->opcode >> 3) & 7;
	u64 flags = st->ctx->rflags;
	u64 acc = emul_reg_read(st, EMUL_RAX, st->size);

	acc = emul_alu(op, st->size, acc, st->imm, &flags);
	if (!test && op != ALU_CMP)
		emul_reg_write(st, EMUL_RAX, st->size, acc);
	commit_flags(st, flags);
	return 0;
}

/* 80, 81, 83 */
int emul_op_alu_imm(struct emul_state *st)
{
	return alu_to_rm(st, st->reg & 7, st->imm);
}

static int test_rm(struct emul_state *st, u64 val)
{
	u64 flags = st->ctx->rflags, rm;
	int r = emul_rm_read(st, st->size, &rm);

	if (r)
		return r;
	emul_alu(ALU_AND, st->size, rm, val, &flags);
	commit_flags(st, flags);
	return 0;
}

/* 84, 85 */
int emul_op_test(struct emul_state *st)
{
	return test_rm(st, emul_reg_read(st, st->reg, st->size));
}

/* rDX:rAX = rAX * rm; AX = AL * rm for bytes */
static int multiply(struct emul_state *st, bool is_signed)
{
	u64 flags = st->ctx->rflags, val, lo, hi;
	int r = emul_rm_read(st, st->size, &val);

	if (r)
		return r;
	emul_alu_mul(st->size, is_signed, emul_reg_read(st, EMUL_RAX, st->size),
		     val, &lo, &hi, &flags);
	if (st->size == 1) {
		emul_reg_write(st, EMUL_RAX, 2, lo | hi << 8);
	} else {
		emul_reg_write(st, EMUL_RAX, st->size, lo);
		emul_reg_write(st, EMUL_RDX, st->size, hi);
	}
	commit_flags(st, flags);
	return 0;
}

/* rAX, rDX = quotient, remainder of rDX:rAX by rm; AL, AH of AX for bytes */
static int divide(struct emul_state *st, bool is_signed)
{
	u64 val, quot, rem, lo = st->ctx->gpr[EMUL_RAX], hi = st->ctx->gpr[EMUL_RDX];
	int r = emul_rm_read(st, st->size, &val);

	if (r)
		return r;
	if (st->size == 1)
		hi = lo >> 8;
	if (!emul_alu_div(st->size, is_signed, lo, hi, val, &quot, &rem))
		return emul_raise(st->ctx, VEC_DE);
	if (st->size == 1) {
		emul_reg_write(st, EMUL_RAX, 2, (quot & 0xff) | (rem & 0xff) << 8);
	} else {
		emul_reg_write(st, EMUL_RAX, st->size, quot);
		emul_reg_write(st, EMUL_RDX, st->size, rem);
	}
	return 0;
}

/* NOT leaves the flags alone; NEG is 0 - rm. */
static int not_neg(struct emul_state *st, bool neg)
{
	u64 flags = st->ctx->rflags, old, res;
	int r = emul_rm_load(st, st->size, &old);

	if (r)
		return r;
	res = neg ? emul_alu(ALU_SUB, st->size, 0, old, &flags) : ~old;
	r = emul_rm_update(st, st->size, old, res);
	if (!r)
		commit_flags(st, flags);
	return r;
}

/* F6, F7 */
int emul_op_grp3(struct emul_state *st)
{
	u32 sub = st->reg & 7;

	if (st->lock && sub != 2 && sub != 3)
		return undefined(st);
	switch (sub) {
	case 0:
	case 1:
		return test_rm(st, st->imm);
	case 2:
	case 3:
		return not_neg(st, sub == 3);
	case 4:
	case 5:
		return multiply(st, sub == 5);
	default:
		return divide(st, sub == 7);
	}
}

/* FE, FF: INC, DEC; PUSH only as FF /6; calls and jumps are not emulated */
int emul_op_grp45(struct emul_state *st)
{
	u64 flags = st->ctx->rflags, old, res;
	u32 sub = st->reg & 7;
	int r;

	if (sub > 1) {
		if (st->lock)
			return undefined(st);
		return sub == 6 && st->opcode == 0xff ? emul_op_push(st) :
							EMUL_UNHANDLED;
	}
	r = emul_rm_load(st, st->size, &old);
	if (r)
		return r;
	res = sub ? emul_alu_dec(st->size, old, &flags) :
		    emul_alu_inc(st->size, old, &flags);
	r = emul_rm_update(st, st->size, old, res);
	if (!r)
		commit_flags(st, flags);
	return r;
}

/* C0, C1 by imm8; D0, D1 by one; D2, D3 by CL */
int emul_op_shift(struct emul_state *st)
{
	u64 flags = st->ctx->rflags, old, res;
	u32 count = 1;
	int r;

	if (st->opcode < 0xd0)
		count = st->imm & 0xff;
	else if (st->opcode >= 0xd2)
		count = st->ctx->gpr[EMUL_RCX] & 0xff;
	r = emul_rm_load(st, st->size, &old);
	if (r)
		return r;
	res = emul_alu_shift(st->reg & 7, st->size, old, count, &flags);
	r = emul_rm_update(st, st->size, old, res);
	if (!r)
		commit_flags(st, flags);
	return r;
}

/* 0F A4, A5: SHLD; AC, AD: SHRD; by imm8 or CL */
int emul_op_dshift(struct emul_state *st)
{
	u64 flags = st->ctx->rflags, old, res;
	u64 count = st->opcode & 1 ? st->ctx->gpr[EMUL_RCX] : st->imm;
	int r = emul_rm_load(st, st->size, &old);

	if (r)
		return r;
	res = emul_alu_dshift(st->opcode & 8, st->size, old,
			      emul_reg_read(st, st->reg, st->size), count & 0xff,
			      &flags);
	r = emul_rm_update(st, st->size, old, res);
	if (!r)
		commit_flags(st, flags);
	return r;
}

/* 0F AF: reg *= rm; 69, 6B: reg = rm * imm */
int emul_op_imul(struct emul_state *st)
{
	u64 flags = st->ctx->rflags, val, by;
	int r = emul_rm_read(st, st->size, &val);

	if (r)
		return r;
	by = st->map == 2 ? emul_reg_read(st, st->reg, st->size) : st->imm;
	val = emul_alu_mul_low(st->size, val, by, &flags);
	emul_reg_write(st, st->reg, st->size, val);
	commit_flags(st, flags);
	return 0;
}
