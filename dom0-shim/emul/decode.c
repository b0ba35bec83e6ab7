// SPDX-License-Identifier: GPL-2.0-only
/*
 * From bytes to struct emul_state: prefixes, opcode, ModRM, SIB, displacement,
 * immediate. SDM vol. 2 chapter 2. Bytes are fetched from the guest only when
 * needed, so that a fault on the next page is raised only if the instruction
 * reaches it.
 */
#include "emul_priv.h"

#define REX_W	8
#define REX_R	4
#define REX_X	2
#define REX_B	1

/* Linear address of the next code byte, and how many bytes may follow it. */
static int code_address(struct emul_state *st, u64 *lin, u32 *room)
{
	struct emul_ctx *ctx = st->ctx;
	u64 off = ctx->rip + st->avail;
	u64 left = EMUL_MAX_INSN;
	int r;

	if (st->bits != 64) {
		const struct kvm_segment *cs = &ctx->seg[EMUL_CS];

		off = (u32)off;
		if (off > cs->limit)
			return emul_raise_code(ctx, VEC_GP, 0);
		left = cs->limit - off + 1;
		*lin = (u32)(cs->base + off);
	} else {
		r = emul_linear(st, EMUL_CS, off, 1, EMUL_WALK_READ, lin);
		if (r)
			return r;
	}
	*room = EMUL_PAGE_SIZE - (*lin & (EMUL_PAGE_SIZE - 1));
	if (*room > left)
		*room = left;
	return 0;
}

static int fetch_more(struct emul_state *st)
{
	struct emul_ctx *ctx = st->ctx;
	u32 room = 0, want = EMUL_MAX_INSN - st->avail;
	u64 lin, gpa;
	int r;

	if (!ctx)
		return -EMSGSIZE;
	if (!want)
		return emul_raise_code(ctx, VEC_GP, 0);
	r = code_address(st, &lin, &room);
	if (r)
		return r;
	r = emul_translate(ctx, lin, EMUL_WALK_EXEC, &gpa);
	if (r)
		return r;
	if (want > room)
		want = room;
	r = ctx->ops->read_gpa(ctx, gpa, ctx->insn + st->avail, want);
	if (r)
		return r == -EFAULT ? EMUL_UNHANDLED : r;
	st->avail += want;
	ctx->insn_len = st->avail;
	return 0;
}

static int next_byte(struct emul_state *st, u8 *byte)
{
	if (st->pos >= st->avail) {
		int r = fetch_more(st);

		if (r)
			return r;
	}
	*byte = st->buf[st->pos++];
	return 0;
}

/* Little-endian value of 1, 2, 4 or 8 bytes, sign-extended. */
static int next_signed(struct emul_state *st, u32 size, u64 *val)
{
	u64 v = 0;
	u32 i;

	for (i = 0; i < size; i++) {
		u8 byte;
		int r = next_byte(st, &byte);

		if (r)
			return r;
		v |= (u64)byte << (8 * i);
	}
	*val = emul_sext(v, size);
	return 0;
}

/* Takes one byte; true if it is a legacy prefix. */
static bool legacy_prefix(struct emul_state *st, u8 byte)
{
	switch (byte) {
	case 0x66:
		st->opsize_prefix = true;
		return true;
	case 0x67:
		st->adsize_prefix = true;
		return true;
	case 0xf0:
		st->lock = true;
		return true;
	case 0xf2:
	case 0xf3:
		st->rep = byte;
		return true;
	case 0x26:
	case 0x2e:
	case 0x36:
	case 0x3e:
		if (st->bits != 64)
			st->seg_override = (byte >> 3) & 3;
		return true;
	case 0x64:
	case 0x65:
		st->seg_override = byte & 0xf;
		return true;
	}
	return false;
}

/* Leaves the first byte that is no prefix in *byte. */
static int decode_prefixes(struct emul_state *st, u8 *byte)
{
	int r = next_byte(st, byte);

	while (!r) {
		if (legacy_prefix(st, *byte))
			st->rex = 0;	/* a REX before another prefix is void */
		else if (st->bits == 64 && (*byte & 0xf0) == 0x40)
			st->rex = *byte;
		else
			return 0;
		r = next_byte(st, byte);
	}
	return r;
}

static void set_sizes(struct emul_state *st)
{
	if (st->bits == 64) {
		st->op_size = st->rex & REX_W ? 8 : st->opsize_prefix ? 2 : 4;
		st->ad_size = st->adsize_prefix ? 4 : 8;
		return;
	}
	st->op_size = (st->bits == 32) != st->opsize_prefix ? 4 : 2;
	st->ad_size = (st->bits == 32) != st->adsize_prefix ? 4 : 2;
}

static int invalid(struct emul_state *st)
{
	return st->ctx ? emul_raise(st->ctx, VEC_UD) : -ENOENT;
}

static int unknown(const struct emul_state *st)
{
	return st->ctx ? EMUL_UNHANDLED : -ENOENT;
}

/* C4 and C5 are LES and LDS unless the next byte has the form of a register. */
static int decode_vex(struct emul_state *st, u8 first)
{
	static const u8 rep_of_pp[4] = { 0, 0, 0xf3, 0xf2 };
	u8 a, b;
	int r = next_byte(st, &a);

	if (r)
		return r;
	if (st->bits != 64 && (a & 0xc0) != 0xc0)
		return unknown(st);
	if (st->rex || st->rep || st->opsize_prefix || st->lock)
		return invalid(st);
	b = a;
	st->map = 2;
	st->rex = 0x40 | (a & 0x80 ? 0 : REX_R);
	if (first == 0xc4) {
		r = next_byte(st, &b);
		if (r)
			return r;
		st->map = (a & 0x1f) + 1;
		st->rex |= (~a >> 5) & (REX_X | REX_B);
		st->rex |= b & 0x80 ? REX_W : 0;
	}
	if (st->bits != 64)
		st->rex = 0;
	st->vex = true;
	st->vex_l = (b >> 2) & 1;
	st->vex_vvvv = (b >> 3) & 0xf;
	st->rep = rep_of_pp[b & 3];
	st->opsize_prefix = (b & 3) == 1;
	return next_byte(st, &st->opcode);
}

static int decode_opcode(struct emul_state *st, u8 byte)
{
	int r;

	st->map = 1;
	if (byte == 0xc4 || byte == 0xc5)
		return decode_vex(st, byte);
	if (byte == 0x0f) {
		st->map = 2;
		r = next_byte(st, &byte);
		if (r)
			return r;
		if (byte == 0x38) {
			st->map = 3;
			r = next_byte(st, &byte);
			if (r)
				return r;
		}
	}
	st->opcode = byte;
	return 0;
}

/* 16-bit addressing: fixed pairs of registers. */
static int decode_mem16(struct emul_state *st)
{
	static const u8 base[8] = {
		EMUL_RBX, EMUL_RBX, EMUL_RBP, EMUL_RBP,
		EMUL_RSI, EMUL_RDI, EMUL_RBP, EMUL_RBX,
	};
	static const u8 index[4] = { EMUL_RSI, EMUL_RDI, EMUL_RSI, EMUL_RDI };
	u64 disp = 0;
	int r = 0;

	if (st->mod == 0 && st->rm == 6) {
		r = next_signed(st, 2, &disp);
	} else {
		st->base = base[st->rm];
		if (st->rm < 4)
			st->index = index[st->rm];
		if (st->mod)
			r = next_signed(st, st->mod == 1 ? 1 : 2, &disp);
	}
	st->seg = st->base == EMUL_RBP ? EMUL_SS : EMUL_DS;
	st->disp = (s64)disp;
	return r;
}

static int decode_sib(struct emul_state *st)
{
	u8 sib;
	int r = next_byte(st, &sib);

	if (r)
		return r;
	st->scale = sib >> 6;
	st->index = ((sib >> 3) & 7) | (st->rex & REX_X ? 8 : 0);
	if (st->index == EMUL_RSP)
		st->index = NO_REG;
	st->base = (sib & 7) | (st->rex & REX_B ? 8 : 0);
	if ((sib & 7) == 5 && st->mod == 0)
		st->base = NO_REG;
	return 0;
}

static int decode_mem32(struct emul_state *st)
{
	u32 disp_size = st->mod == 1 ? 1 : st->mod == 2 ? 4 : 0;
	u64 disp = 0;
	int r = 0;

	if ((st->rm & 7) == 4) {
		r = decode_sib(st);
		if (st->base == NO_REG)
			disp_size = 4;
	} else if ((st->rm & 7) == 5 && st->mod == 0) {
		st->rip_rel = st->bits == 64;
		disp_size = 4;
	} else {
		st->base = st->rm;
	}
	if (!r && disp_size)
		r = next_signed(st, disp_size, &disp);
	st->seg = st->base == EMUL_RSP || st->base == EMUL_RBP ? EMUL_SS : EMUL_DS;
	st->disp = (s64)disp;
	return r;
}

static int decode_modrm(struct emul_state *st)
{
	u8 modrm;
	int r = next_byte(st, &modrm);

	if (r)
		return r;
	st->mod = modrm >> 6;
	st->reg = ((modrm >> 3) & 7) | (st->rex & REX_R ? 8 : 0);
	st->rm = (modrm & 7) | (st->rex & REX_B ? 8 : 0);
	st->mem = st->mod != 3 && !(st->op->flags & OP_REG);
	if (!st->mem)
		return st->op->flags & OP_MEM ? invalid(st) : 0;
	return st->ad_size == 2 ? decode_mem16(st) : decode_mem32(st);
}

static int decode_imm(struct emul_state *st)
{
	u32 flags = st->op->flags;

	if ((flags & OP_GRP3) && (st->reg & 7) > 1)
		return 0;
	if (flags & OP_IMM8)
		return next_signed(st, 1, &st->imm);
	if (flags & OP_IMMZ)
		return next_signed(st, st->op_size == 2 ? 2 : 4, &st->imm);
	if (flags & OP_MOFFS) {
		int r = next_signed(st, st->ad_size, &st->imm);

		st->imm &= emul_mask(st->ad_size);
		return r;
	}
	return 0;
}

int emul_decode(struct emul_state *st)
{
	u8 byte = 0;
	int r;

	st->base = st->index = st->seg_override = NO_REG;
	st->seg = EMUL_DS;
	r = decode_prefixes(st, &byte);
	if (!r)
		r = decode_opcode(st, byte);
	if (r)
		return r;
	st->op = emul_lookup(st->map, st->opcode);
	if (!st->op || !st->op->fn || (st->vex && !(st->op->flags & OP_VEX)))
		return unknown(st);
	set_sizes(st);
	if ((st->op->flags & OP_D64) && st->bits == 64 && st->op_size == 4)
		st->op_size = 8;
	st->size = st->op->flags & OP_BYTE ? 1 : st->op_size;
	if (st->op->flags & OP_MODRM)
		r = decode_modrm(st);
	if (!r)
		r = decode_imm(st);
	if (r)
		return r;
	if (st->seg_override != NO_REG)
		st->seg = st->seg_override;
	if (st->lock && !((st->op->flags & OP_LOCK) && st->mem))
		return invalid(st);
	return 0;
}

int emul_insn_len(const u8 *buf, size_t n, int bits)
{
	struct emul_state st;
	int r;

	if (bits != 16 && bits != 32 && bits != 64)
		return -EINVAL;
	memset(&st, 0, sizeof(st));
	st.buf = buf;
	st.avail = n < EMUL_MAX_INSN ? n : EMUL_MAX_INSN;
	st.bits = bits;
	r = emul_decode(&st);
	return r ? r : (int)st.pos;
}
