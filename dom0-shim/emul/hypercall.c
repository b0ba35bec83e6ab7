// SPDX-License-Identifier: GPL-2.0-only
/* A hypercall by the other vendor's instruction becomes this vendor's. */
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
	if (r)
		return r;
	if (memcmp(insn, intel ? vmmcall : vmcall, LEN))
		return EMUL_UNHANDLED;
	r = emul_map_ram(ctx, lin, LEN, EMUL_WALK_WRITE, &span);
	if (!r)
		r = emul_ram_write(ctx, &span, 0, intel ? vmcall : vmmcall, LEN);
	return r;
}
