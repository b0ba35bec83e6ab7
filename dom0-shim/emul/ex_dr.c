// SPDX-License-Identifier: GPL-2.0-only
/* MOV from and to debug registers (SDM vol. 3, 18.2): the operand has the mode's size. */
#include "emul_priv.h"

#define DR6_FIXED	0xffff0ff0ull	/* these read as one; 16: no RTM */
#define DR6_GUEST	0x0000e00full
#define DR7_FIXED	(1ull << 10)
#define DR7_GD		(1ull << 13)
#define DR7_GUEST	0xffff23ffull

/* Which one ModRM names, 4 and 5 as the old names of 6 and 7; or a fault. */
static int which(struct emul_state *st, u32 *nr)
{
	struct emul_ctx *ctx = st->ctx;

	if (!ctx->dr)
		return EMUL_UNHANDLED;
	if (ctx->cpl)
		return emul_raise_code(ctx, VEC_GP, 0);
	*nr = st->reg;
	if (*nr == 4 || *nr == 5) {
		if (ctx->cr4 & CR4_DE)
			return emul_raise(ctx, VEC_UD);
		*nr += 2;
	}
	if (*nr > 7)
		return emul_raise(ctx, VEC_UD);
	if (!(ctx->dr->dr7 & DR7_GD))
		return 0;
	ctx->dr->dr7 &= ~DR7_GD;
	ctx->dr->dr6 |= 1ull << 13;
	return emul_raise(ctx, VEC_DB);
}

static u32 width(const struct emul_state *st)
{
	return st->bits == 64 ? 8 : 4;
}

/* 0F 21 */
int emul_op_mov_from_dr(struct emul_state *st)
{
	const struct kvm_debugregs *dr = st->ctx->dr;
	u32 nr;
	int r = which(st, &nr);

	if (!r)
		emul_reg_write(st, st->rm, width(st),
			       nr < 4 ? dr->db[nr] : nr == 6 ? dr->dr6 : dr->dr7);
	return r;
}

/* 0F 23 */
int emul_op_mov_to_dr(struct emul_state *st)
{
	struct kvm_debugregs *dr = st->ctx->dr;
	u64 val = emul_reg_read(st, st->rm, width(st));
	u32 nr;
	int r = which(st, &nr);

	if (r)
		return r;
	if (nr >= 6 && val >> 32)
		return emul_raise_code(st->ctx, VEC_GP, 0);
	if (nr < 4)
		dr->db[nr] = val;
	else if (nr == 6)
		dr->dr6 = (val & DR6_GUEST) | DR6_FIXED;
	else
		dr->dr7 = (val & DR7_GUEST) | DR7_FIXED;
	return 0;
}
