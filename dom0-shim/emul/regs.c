// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers, flags, conditions and faults of the emulated vCPU.
 */
#include "emul_priv.h"

/* Without REX, byte registers 4..7 are AH, CH, DH, BH. */
static bool is_high_byte(const struct emul_state *st, u32 reg, u32 size)
{
	return size == 1 && !st->rex && reg >= 4 && reg < 8;
}

u64 emul_reg_read(const struct emul_state *st, u32 reg, u32 size)
{
	if (is_high_byte(st, reg, size))
		return (st->ctx->gpr[reg - 4] >> 8) & 0xff;
	return st->ctx->gpr[reg] & emul_mask(size);
}

void emul_reg_write(struct emul_state *st, u32 reg, u32 size, u64 val)
{
	u64 mask = emul_mask(size);

	if (is_high_byte(st, reg, size)) {
		reg -= 4;
		mask <<= 8;
		val <<= 8;
	} else if (size == 4) {
		mask = ~0ull;
		val = (u32)val;
	}
	st->ctx->gpr[reg] = (st->ctx->gpr[reg] & ~mask) | (val & mask);
}

void emul_reg_add(struct emul_state *st, u32 reg, u32 size, s64 delta)
{
	emul_reg_write(st, reg, size, emul_reg_read(st, reg, size) + (u64)delta);
}

void emul_set_flags(struct emul_ctx *ctx, u64 mask, u64 flags)
{
	ctx->rflags = (ctx->rflags & ~mask) | (flags & mask);
}

bool emul_cond(u64 rflags, u32 cc)
{
	bool sf_ne_of = !(rflags & FL_SF) != !(rflags & FL_OF);
	bool set = false;

	switch ((cc >> 1) & 7) {
	case 0:
		set = rflags & FL_OF;
		break;
	case 1:
		set = rflags & FL_CF;
		break;
	case 2:
		set = rflags & FL_ZF;
		break;
	case 3:
		set = rflags & (FL_CF | FL_ZF);
		break;
	case 4:
		set = rflags & FL_SF;
		break;
	case 5:
		set = rflags & FL_PF;
		break;
	case 6:
		set = sf_ne_of;
		break;
	case 7:
		set = sf_ne_of || (rflags & FL_ZF);
		break;
	}
	return set != (cc & 1);
}

u32 emul_code_bits(const struct emul_ctx *ctx)
{
	if ((ctx->efer & X86_EFER_LMA) && ctx->seg[EMUL_CS].l)
		return 64;
	return ctx->seg[EMUL_CS].db ? 32 : 16;
}

int emul_raise(struct emul_ctx *ctx, u8 vector)
{
	memset(&ctx->fault, 0, sizeof(ctx->fault));
	ctx->fault.vector = vector;
	return EMUL_FAULT;
}

/* Real mode pushes no error codes. */
int emul_raise_code(struct emul_ctx *ctx, u8 vector, u32 code)
{
	emul_raise(ctx, vector);
	ctx->fault.has_error = ctx->cr0 & CR0_PE;
	ctx->fault.error_code = ctx->fault.has_error ? code : 0;
	return EMUL_FAULT;
}

#define AT(reg) offsetof(struct kvm_regs, reg)
static const u8 gpr_at[16] = {
	AT(rax), AT(rcx), AT(rdx), AT(rbx), AT(rsp), AT(rbp), AT(rsi), AT(rdi),
	AT(r8), AT(r9), AT(r10), AT(r11), AT(r12), AT(r13), AT(r14), AT(r15),
};
#undef AT

u64 emul_gpr_get(const struct kvm_regs *regs, u32 nr)
{
	u64 val;

	memcpy(&val, (const u8 *)regs + gpr_at[nr & 15], sizeof(val));
	return val;
}

void emul_gpr_set(struct kvm_regs *regs, u32 nr, u64 val)
{
	memcpy((u8 *)regs + gpr_at[nr & 15], &val, sizeof(val));
}

void emul_load_regs(struct emul_ctx *ctx, const struct kvm_regs *regs)
{
	u32 i;

	for (i = 0; i < 16; i++)
		ctx->gpr[i] = emul_gpr_get(regs, i);
	ctx->rip = regs->rip;
	ctx->rflags = regs->rflags;
}

void emul_store_regs(const struct emul_ctx *ctx, struct kvm_regs *regs)
{
	u32 i;

	for (i = 0; i < 16; i++)
		emul_gpr_set(regs, i, ctx->gpr[i]);
	regs->rip = ctx->rip;
	regs->rflags = ctx->rflags;
}

/* rflags must be loaded: it says whether this is virtual-8086 mode. */
static u8 current_cpl(const struct emul_ctx *ctx)
{
	if (!(ctx->cr0 & CR0_PE))
		return 0;
	return ctx->rflags & FL_VM ? 3 : ctx->seg[EMUL_SS].dpl;
}

void emul_load_sregs(struct emul_ctx *ctx, const struct kvm_sregs *sregs)
{
	ctx->seg[EMUL_ES] = sregs->es;
	ctx->seg[EMUL_CS] = sregs->cs;
	ctx->seg[EMUL_SS] = sregs->ss;
	ctx->seg[EMUL_DS] = sregs->ds;
	ctx->seg[EMUL_FS] = sregs->fs;
	ctx->seg[EMUL_GS] = sregs->gs;
	ctx->tr = sregs->tr;
	ctx->cr0 = sregs->cr0;
	ctx->cr3 = sregs->cr3;
	ctx->cr4 = sregs->cr4;
	ctx->efer = sregs->efer;
	ctx->cpl = current_cpl(ctx);
}
