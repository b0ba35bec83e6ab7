// SPDX-License-Identifier: GPL-2.0-only
/*
 * Segmentation: from an offset to a linear address, with limit, type and
 * canonical checks. SDM vol. 3 sections 3.3 and 5.3 to 5.5.
 */
#include "emul_priv.h"

#define TYPE_CODE	(1u << 3)
#define TYPE_DOWN	(1u << 2)	/* data: expand down */
#define TYPE_RW		(1u << 1)	/* data: writable; code: readable */

static bool canonical(const struct emul_ctx *ctx, u64 lin)
{
	u32 above = ctx->cr4 & CR4_LA57 ? 64 - 57 : 64 - 48;

	return (u64)((s64)(lin << above) >> above) == lin;
}

static int seg_fault(struct emul_state *st, u32 seg)
{
	return emul_raise_code(st->ctx, seg == EMUL_SS ? VEC_SS : VEC_GP, 0);
}

static bool type_allows(const struct emul_ctx *ctx, const struct kvm_segment *s,
			u32 access)
{
	if (emul_real_or_v86(ctx))
		return true;
	if (s->unusable || !s->present)
		return false;
	if (access & EMUL_WALK_WRITE)
		return !(s->type & TYPE_CODE) && (s->type & TYPE_RW);
	return !(s->type & TYPE_CODE) || (s->type & TYPE_RW);
}

static bool limit_allows(const struct kvm_segment *s, u64 off, u32 size)
{
	u64 last = off + size - 1;

	if ((s->type & (TYPE_CODE | TYPE_DOWN)) == TYPE_DOWN)
		return off > s->limit && last <= (s->db ? 0xffffffffull : 0xffffull);
	return last <= s->limit;
}

static int linear64(struct emul_state *st, u32 seg, u64 off, u32 size, u64 *lin)
{
	u64 addr = off;

	if (seg == EMUL_FS || seg == EMUL_GS)
		addr += st->ctx->seg[seg].base;
	if (!canonical(st->ctx, addr) || !canonical(st->ctx, addr + size - 1))
		return seg_fault(st, seg);
	*lin = addr;
	return 0;
}

int emul_linear(struct emul_state *st, u32 seg, u64 off, u32 size, u32 access,
		u64 *lin)
{
	const struct kvm_segment *s = &st->ctx->seg[seg];

	if (st->bits == 64)
		return linear64(st, seg, off, size, lin);
	if (!type_allows(st->ctx, s, access) || !limit_allows(s, off, size))
		return seg_fault(st, seg);
	*lin = (u32)(s->base + off);
	return 0;
}
