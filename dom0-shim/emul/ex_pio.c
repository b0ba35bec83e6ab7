// SPDX-License-Identifier: GPL-2.0-only
/*
 * INS and OUTS. As many iterations as fit one page of memory and the data
 * buffer are one access to the port; they retire together.
 */
#include "emul_priv.h"
#include "tss.h"

#define TSS_IOMAP	offsetof(struct tss32, iomap)

/* CPL against IOPL, then the bitmap of the TSS, if it is one of 32 bits. SDM vol. 1, 19.5 */
static int check_port(struct emul_state *st, u16 port, u32 size)
{
	struct emul_ctx *ctx = st->ctx;
	u32 iopl = (ctx->rflags >> FL_IOPL_SHIFT) & 3;
	u16 map, bits;
	int r;

	if (!(ctx->cr0 & CR0_PE) || (!(ctx->rflags & FL_VM) && ctx->cpl <= iopl))
		return 0;
	if (ctx->tr.unusable || !(ctx->tr.type & TYPE_TSS_32) || ctx->tr.limit < TSS_IOMAP + 1)
		return emul_raise_code(ctx, VEC_GP, 0);
	r = emul_read_system(ctx, ctx->tr.base + TSS_IOMAP, &map, 2);
	if (r)
		return r;
	if ((u32)map + port / 8 + 1 > ctx->tr.limit)
		return emul_raise_code(ctx, VEC_GP, 0);
	r = emul_read_system(ctx, ctx->tr.base + map + port / 8, &bits, 2);
	if (r)
		return r;
	if ((bits >> (port & 7)) & ((1u << size) - 1))
		return emul_raise_code(ctx, VEC_GP, 0);
	return 0;
}

/* How many of n elements one access may take: buffer, page, address wrap. */
static u32 batch(const struct emul_state *st, u64 n, u64 off, u64 lin)
{
	u64 in_page = EMUL_PAGE_SIZE - (lin & (EMUL_PAGE_SIZE - 1));
	u64 in_space = emul_mask(st->ad_size) - off;
	u32 buffer = st->ctx->pio_data_size;
	u64 bytes = in_page;

	if (st->ctx->rflags & FL_DF)
		return 1;
	if (buffer > EMUL_PAGE_SIZE)
		buffer = EMUL_PAGE_SIZE;
	if (bytes > buffer)
		bytes = buffer;
	if (bytes > in_space)
		bytes = in_space;
	if (n > bytes / st->size)
		n = bytes / st->size;
	return n ? n : 1;
}

static int map_elements(struct emul_state *st, u32 seg, u64 off, u32 count,
			u32 access)
{
	u32 len = count * st->size;
	u64 lin;
	int r = emul_linear(st, seg, off, len, access, &lin);

	return r ? r : emul_map(st->ctx, lin, len, access, &st->span);
}

/*
 * Map the memory of up to *n elements at the index register; *n becomes how many
 * were mapped. More than one only in RAM and within the segment's limit.
 */
static int map_batch(struct emul_state *st, u32 seg, u32 reg, u32 access, u64 *n)
{
	u64 off = emul_reg_read(st, reg, st->ad_size), lin;
	u32 count;
	int r = emul_linear(st, seg, off, st->size, access, &lin);

	if (r)
		return r;
	count = batch(st, *n, off, lin);
	*n = 1;
	if (count > 1 && !emul_linear(st, seg, off, count * st->size, access, &lin)) {
		r = map_elements(st, seg, off, count, access);
		if (r)
			return r;
		r = emul_span_is_ram(st->ctx, &st->span, access == EMUL_WALK_WRITE);
		if (r < 0)
			return r;
		if (r) {
			*n = count;
			return 0;
		}
	}
	return map_elements(st, seg, off, 1, access);
}

static void advance(struct emul_state *st, u32 reg, u64 n)
{
	s64 step = (s64)(n * st->size);

	emul_reg_add(st, reg, st->ad_size, st->ctx->rflags & FL_DF ? -step : step);
}

static int port_access(struct emul_state *st, u8 kind, u16 port, u64 *n)
{
	u32 count = *n;
	int r = emul_pio(st->ctx, kind, port, st->size, &count);

	if (count < *n)		/* then more than one, so in one page of RAM */
		st->span.piece[0].len = count * st->size;
	*n = count;
	return r;
}

static int ins(struct emul_state *st, u64 *n)
{
	u16 port = st->ctx->gpr[EMUL_RDX];
	int r = check_port(st, port, st->size);

	if (!r)
		r = map_batch(st, EMUL_ES, EMUL_RDI, EMUL_WALK_WRITE, n);
	if (!r)
		r = port_access(st, EMUL_PIO_IN, port, n);
	if (!r)
		r = emul_span_write(st->ctx, &st->span, st->ctx->pio_data);
	if (!r)
		advance(st, EMUL_RDI, *n);
	return r;
}

static int outs(struct emul_state *st, u64 *n)
{
	u16 port = st->ctx->gpr[EMUL_RDX];
	int r = check_port(st, port, st->size);

	if (!r)
		r = map_batch(st, st->seg, EMUL_RSI, EMUL_WALK_READ, n);
	if (!r)
		r = emul_span_read(st->ctx, &st->span, st->ctx->pio_data);
	if (!r)
		r = port_access(st, EMUL_PIO_OUT, port, n);
	if (!r)
		advance(st, EMUL_RSI, *n);
	return r;
}

static int string_io(struct emul_state *st, int (*iter)(struct emul_state *, u64 *))
{
	if (!st->ctx->pio_data || st->ctx->pio_data_size < 4)
		return EMUL_UNHANDLED;
	if (st->size == 8)
		st->size = 4;	/* REX.W has no meaning here */
	return emul_rep(st, iter);
}

/* 6C, 6D */
int emul_op_ins(struct emul_state *st)
{
	return string_io(st, ins);
}

/* 6E, 6F */
int emul_op_outs(struct emul_state *st)
{
	return string_io(st, outs);
}
