// SPDX-License-Identifier: GPL-2.0-only
/*
 * The operand that ModRM names: a register, or memory at an effective address.
 */
#include "emul_priv.h"

u64 emul_ea(const struct emul_state *st)
{
	u64 ea = (u64)st->disp;

	if (st->base != NO_REG)
		ea += st->ctx->gpr[st->base];
	if (st->index != NO_REG)
		ea += st->ctx->gpr[st->index] << st->scale;
	if (st->rip_rel)
		ea += st->ctx->rip + st->pos;
	return ea & emul_mask(st->ad_size);
}

int emul_mem_map(struct emul_state *st, u64 ea, u32 size, u32 access)
{
	u64 lin;
	int r = emul_linear(st, st->seg, ea, size, access, &lin);

	return r ? r : emul_map(st->ctx, lin, size, access, &st->span);
}

int emul_mem_map_aligned(struct emul_state *st, u64 ea, u32 size, u32 access)
{
	u64 lin;
	int r = emul_linear(st, st->seg, ea, size, access, &lin);

	if (r)
		return r;
	if (lin & (size - 1))
		return emul_raise_code(st->ctx, VEC_GP, 0);
	return emul_map(st->ctx, lin, size, access, &st->span);
}

static int mem_read(struct emul_state *st, u32 size, u32 access, u64 *val)
{
	int r = emul_mem_map(st, emul_ea(st), size, access);

	*val = 0;
	return r ? r : emul_span_read(st->ctx, &st->span, val);
}

int emul_rm_read(struct emul_state *st, u32 size, u64 *val)
{
	if (st->mem)
		return mem_read(st, size, EMUL_WALK_READ, val);
	*val = emul_reg_read(st, st->rm, size);
	return 0;
}

int emul_rm_load(struct emul_state *st, u32 size, u64 *val)
{
	if (st->mem)
		return mem_read(st, size, EMUL_WALK_WRITE, val);
	*val = emul_reg_read(st, st->rm, size);
	return 0;
}

int emul_rm_update(struct emul_state *st, u32 size, u64 old, u64 val)
{
	if (st->mem)
		return emul_span_update(st->ctx, &st->span, &old, &val, st->lock);
	emul_reg_write(st, st->rm, size, val);
	return 0;
}

int emul_rm_write(struct emul_state *st, u32 size, u64 val)
{
	int r;

	if (!st->mem) {
		emul_reg_write(st, st->rm, size, val);
		return 0;
	}
	r = emul_mem_map(st, emul_ea(st), size, EMUL_WALK_WRITE);
	return r ? r : emul_span_write(st->ctx, &st->span, &val);
}
