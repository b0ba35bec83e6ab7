// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exchanges and bit operations.
 */
#include "emul_priv.h"

/* 86, 87: always locked in memory */
int emul_op_xchg(struct emul_state *st)
{
	u64 reg = emul_reg_read(st, st->reg, st->size), old;
	int r = emul_rm_load(st, st->size, &old);

	if (r)
		return r;
	st->lock = true;
	r = emul_rm_update(st, st->size, old, reg);
	if (!r)
		emul_reg_write(st, st->reg, st->size, old);
	return r;
}

/* 0F C0, C1 */
int emul_op_xadd(struct emul_state *st)
{
	u64 flags = st->ctx->rflags, old, sum;
	int r = emul_rm_load(st, st->size, &old);

	if (r)
		return r;
	sum = emul_alu(ALU_ADD, st->size, old,
		       emul_reg_read(st, st->reg, st->size), &flags);
	if (!st->mem)
		emul_reg_write(st, st->reg, st->size, old);
	r = emul_rm_update(st, st->size, old, sum);
	if (r)
		return r;
	if (st->mem)
		emul_reg_write(st, st->reg, st->size, old);
	emul_set_flags(st->ctx, FL_ARITH, flags);
	return 0;
}

/* 0F B0, B1. Memory is written in both outcomes; a register stays as it is, its upper half too. */
int emul_op_cmpxchg(struct emul_state *st)
{
	u64 flags = st->ctx->rflags, old, val;
	int r = emul_rm_load(st, st->size, &old);
	bool equal;

	if (r)
		return r;
	emul_alu(ALU_CMP, st->size, emul_reg_read(st, EMUL_RAX, st->size), old,
		 &flags);
	equal = flags & FL_ZF;
	val = equal ? emul_reg_read(st, st->reg, st->size) : old;
	if (st->mem || equal)
		r = emul_rm_update(st, st->size, old, val);
	if (r)
		return r;
	if (!equal)
		emul_reg_write(st, EMUL_RAX, st->size, old);
	emul_set_flags(st->ctx, FL_ARITH, flags);
	return 0;
}

/* 0F C7 /1: rDX:rAX against 8 or 16 bytes, rCX:rBX into them */
int emul_op_cmpxchg8b(struct emul_state *st)
{
	u32 half = st->op_size == 8 ? 8 : 4;
	u64 mask = emul_mask(half), lo = 0, hi = 0;
	u8 old[16], val[16];
	bool equal;
	int r;

	if ((st->reg & 7) != 1 || !st->mem)
		return EMUL_UNHANDLED;
	if (half == 8)
		r = emul_mem_map_aligned(st, emul_ea(st), 16, EMUL_WALK_WRITE);
	else
		r = emul_mem_map(st, emul_ea(st), 8, EMUL_WALK_WRITE);
	if (r)
		return r;
	r = emul_span_read(st->ctx, &st->span, old);
	if (r)
		return r;
	memcpy(&lo, old, half);
	memcpy(&hi, old + half, half);
	equal = lo == (st->ctx->gpr[EMUL_RAX] & mask) &&
		hi == (st->ctx->gpr[EMUL_RDX] & mask);
	memcpy(val, equal ? (u8 *)&st->ctx->gpr[EMUL_RBX] : old, half);
	memcpy(val + half, equal ? (u8 *)&st->ctx->gpr[EMUL_RCX] : old + half, half);
	r = emul_span_update(st->ctx, &st->span, old, val, st->lock);
	if (r)
		return r;
	if (!equal) {
		emul_reg_write(st, EMUL_RAX, half, lo);
		emul_reg_write(st, EMUL_RDX, half, hi);
	}
	emul_set_flags(st->ctx, FL_ZF, equal ? FL_ZF : 0);
	return 0;
}

/* BT, BTS, BTR, BTC are 0 to 3, coded in opcode or ModRM.reg alike. */
static int bit_op(struct emul_state *st, u32 kind, u64 ea, u32 bit)
{
	u64 mask = 1ull << bit, old = 0, val;
	int r = 0;

	if (st->mem)
		r = emul_mem_map(st, ea, st->size,
				 kind ? EMUL_WALK_WRITE : EMUL_WALK_READ);
	if (r)
		return r;
	if (st->mem)
		r = emul_span_read(st->ctx, &st->span, &old);
	else
		old = emul_reg_read(st, st->rm, st->size);
	if (r)
		return r;
	val = kind == 1 ? old | mask : kind == 2 ? old & ~mask : old ^ mask;
	if (kind)
		r = emul_rm_update(st, st->size, old, val);
	if (!r)
		emul_set_flags(st->ctx, FL_CF, old & mask ? FL_CF : 0);
	return r;
}

/* 0F A3, AB, B3, BB: in memory the bit offset is signed and reaches far */
int emul_op_bt_reg(struct emul_state *st)
{
	u64 off = emul_reg_read(st, st->reg, st->size);
	u32 bits = 8 * st->size;
	u64 ea = 0;

	if (st->mem) {
		s64 units = (s64)emul_sext(off, st->size) >> (st->size == 8 ? 6 :
				st->size == 4 ? 5 : 4);

		ea = emul_ea(st) + (u64)units * st->size;
		ea &= emul_mask(st->ad_size);
	}
	return bit_op(st, (st->opcode >> 3) & 3, ea, off & (bits - 1));
}

/* 0F BA /4../7 */
int emul_op_bt_imm(struct emul_state *st)
{
	u32 kind = st->reg & 7;

	if (kind < 4 || (st->lock && kind == 4))
		return emul_raise(st->ctx, VEC_UD);
	return bit_op(st, kind & 3, st->mem ? emul_ea(st) : 0,
		      st->imm & (8 * st->size - 1));
}

/* 0F BC: BSF; 0F BD: BSR; with F3 they are TZCNT and LZCNT */
int emul_op_bsx(struct emul_state *st)
{
	u64 val;
	int r;

	if (st->rep)
		return EMUL_UNHANDLED;
	r = emul_rm_read(st, st->size, &val);
	if (r)
		return r;
	emul_set_flags(st->ctx, FL_ZF, val ? 0 : FL_ZF);
	if (val)
		emul_reg_write(st, st->reg, st->size, st->opcode & 1 ?
			       63 - __builtin_clzll(val) : __builtin_ctzll(val));
	return 0;
}
