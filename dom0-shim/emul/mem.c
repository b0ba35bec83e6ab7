// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of the guest as an instruction sees it: spans of one or two pages,
 * each RAM or MMIO. MMIO is done in fragments of at most 8 bytes, and every
 * fragment done is logged, so that an instruction that has to wait for user
 * space can be executed again from its start without repeating side effects.
 * A span over two pages logs its RAM half too: the other half may be MMIO, and
 * a replay must not read back what it has itself written.
 */
#include "emul_priv.h"

/* The next page of a span: addresses of 16 and 32-bit code wrap at 4 GiB. */
static u64 next_page(const struct emul_ctx *ctx, u64 lin, u32 step)
{
	if (emul_code_bits(ctx) != 64 && lin <= 0xffffffffu)
		return (u32)(lin + step);
	return lin + step;
}

static int translate_cached(struct emul_ctx *ctx, u64 lin, u32 access, u64 *gpa)
{
	u64 offset = lin & (EMUL_PAGE_SIZE - 1);
	struct emul_tlb_entry *e;
	int i, r;

	for (i = 0; i < EMUL_TLB_SIZE; i++) {
		e = &ctx->tlb[i];
		if (e->access == access && e->lin_page == lin - offset) {
			*gpa = e->gpa_page | offset;
			return 0;
		}
	}
	r = emul_translate(ctx, lin, access, gpa);
	if (r)
		return r;
	e = &ctx->tlb[ctx->tlb_next];
	ctx->tlb_next = (ctx->tlb_next + 1) % EMUL_TLB_SIZE;
	e->access = access;
	e->lin_page = lin - offset;
	e->gpa_page = *gpa - offset;
	return 0;
}

int emul_map(struct emul_ctx *ctx, u64 lin, u32 len, u32 access,
	     struct emul_span *span)
{
	u32 room = EMUL_PAGE_SIZE - (lin & (EMUL_PAGE_SIZE - 1));
	u32 first = len < room ? len : room;
	int r;

	span->lin = lin;
	span->pieces = 1;
	span->piece[0].len = first;
	r = translate_cached(ctx, lin, access, &span->piece[0].gpa);
	if (r || first == len)
		return r;
	span->pieces = 2;
	span->piece[1].len = len - first;
	return translate_cached(ctx, next_page(ctx, lin, first), access,
				&span->piece[1].gpa);
}

/* The next entry of the log if it is this access. */
static struct emul_log_entry *log_peek(struct emul_ctx *ctx, u8 kind, u64 gpa,
				       u32 len)
{
	struct emul_log_entry *e = &ctx->log[ctx->log_pos];

	if (ctx->log_pos < ctx->log_len && e->kind == kind && e->gpa == gpa &&
	    e->len == len)
		return e;
	return NULL;
}

/* The same, and takes it; if it is another access, the log ends here. */
static struct emul_log_entry *log_take(struct emul_ctx *ctx, u8 kind, u64 gpa,
				       u32 len)
{
	struct emul_log_entry *e = log_peek(ctx, kind, gpa, len);

	if (e)
		ctx->log_pos++;
	else
		ctx->log_len = ctx->log_pos;
	return e;
}

static void log_append(struct emul_ctx *ctx, u8 kind, u64 gpa, u8 len,
		       const void *data, u32 data_len)
{
	struct emul_log_entry *e = &ctx->log[ctx->log_pos];

	e->kind = kind;
	e->gpa = gpa;
	e->len = len;
	memcpy(e->data, data, data_len);
	ctx->log_len = ++ctx->log_pos;
}

static int ask_user(struct emul_ctx *ctx, u8 kind, u64 gpa, u8 len, u32 count)
{
	struct emul_access *u = &ctx->user;

	memset(u, 0, sizeof(*u));
	u->kind = kind;
	u->len = len;
	u->count = count;
	if (kind == EMUL_PIO_IN || kind == EMUL_PIO_OUT)
		u->port = gpa;
	else
		u->gpa = gpa;
	ctx->pending = true;
	return EMUL_NEED_USER;
}

static int mmio(struct emul_ctx *ctx, u64 gpa, void *buf, u32 len, bool write)
{
	int r = write ? ctx->ops->mmio_write(ctx, gpa, buf, len) :
			ctx->ops->mmio_read(ctx, gpa, buf, len);

	if (r != -EAGAIN)
		return r;
	r = ask_user(ctx, write ? EMUL_MMIO_WRITE : EMUL_MMIO_READ, gpa, len, 1);
	if (write)
		memcpy(ctx->user.data, buf, len);
	return r;
}

static int ram(struct emul_ctx *ctx, u64 gpa, void *buf, u32 len, bool write)
{
	return write ? ctx->ops->write_gpa(ctx, gpa, buf, len) :
		       ctx->ops->read_gpa(ctx, gpa, buf, len);
}

/* One logged access of at most 8 bytes: MMIO, unless it may be RAM and is. */
static int fragment(struct emul_ctx *ctx, u64 gpa, void *buf, u32 len, bool write,
		    bool try_ram)
{
	u8 kind = write ? EMUL_MMIO_WRITE : EMUL_MMIO_READ;
	struct emul_log_entry *e = log_take(ctx, kind, gpa, len);
	int r = -EFAULT;

	if (e) {
		if (!write)
			memcpy(buf, e->data, len);
		return 0;
	}
	if (ctx->log_pos >= EMUL_LOG_SIZE)
		return EMUL_UNHANDLED;
	if (try_ram)
		r = ram(ctx, gpa, buf, len, write);
	if (r == -EFAULT)
		r = mmio(ctx, gpa, buf, len, write);
	if (!r)
		log_append(ctx, kind, gpa, len, buf, len);
	return r;
}

static int fragments(struct emul_ctx *ctx, u64 gpa, u8 *buf, u32 len, bool write,
		     bool try_ram)
{
	while (len) {
		u32 now = len < 8 ? len : 8;
		int r = fragment(ctx, gpa, buf, now, write, try_ram);

		if (r)
			return r;
		gpa += now;
		buf += now;
		len -= now;
	}
	return 0;
}

/* Within one page: RAM without a log, unless a replay knows it as MMIO. */
static int page_access(struct emul_ctx *ctx, u64 gpa, u8 *buf, u32 len, bool write)
{
	u8 kind = write ? EMUL_MMIO_WRITE : EMUL_MMIO_READ;

	if (!log_peek(ctx, kind, gpa, len < 8 ? len : 8)) {
		int r = ram(ctx, gpa, buf, len, write);

		if (r != -EFAULT)
			return r;
	}
	return fragments(ctx, gpa, buf, len, write, false);
}

static int span_access(struct emul_ctx *ctx, const struct emul_span *span, u8 *buf,
		       bool write)
{
	u32 i;
	int r;

	if (span->pieces == 1)
		return page_access(ctx, span->piece[0].gpa, buf, span->piece[0].len,
				   write);
	for (i = 0; i < span->pieces; i++) {
		r = fragments(ctx, span->piece[i].gpa, buf, span->piece[i].len,
			      write, true);
		if (r)
			return r;
		buf += span->piece[i].len;
	}
	return 0;
}

int emul_span_read(struct emul_ctx *ctx, const struct emul_span *span, void *buf)
{
	return span_access(ctx, span, buf, false);
}

int emul_span_write(struct emul_ctx *ctx, const struct emul_span *span,
		    const void *buf)
{
	/* Never written through: the write direction only reads buf. */
	return span_access(ctx, span, (u8 *)buf, true);
}

int emul_span_is_ram(struct emul_ctx *ctx, const struct emul_span *span, bool write)
{
	u8 nothing = 0;
	int r;

	if (span->pieces != 1)
		return 0;
	r = ram(ctx, span->piece[0].gpa, &nothing, 0, write);
	if (r == -EFAULT)
		return 0;
	return r ? r : 1;
}

int emul_span_update(struct emul_ctx *ctx, const struct emul_span *span,
		     const void *old, const void *val, bool atomic)
{
	u64 gpa = span->piece[0].gpa;
	u32 len = span->piece[0].len;
	int r;

	if (!atomic || span->pieces != 1 || (gpa & (len - 1)))
		return emul_span_write(ctx, span, val);
	r = ctx->ops->cmpxchg_gpa(ctx, gpa, old, val, len);
	if (r == -EFAULT)
		return emul_span_write(ctx, span, val);
	if (r == -EOPNOTSUPP)
		return EMUL_UNHANDLED;
	return r == 1 ? EMUL_AGAIN : r;
}

int emul_pio(struct emul_ctx *ctx, u8 kind, u16 port, u32 size, u32 *count)
{
	struct emul_log_entry *e = log_take(ctx, kind, port, size);
	u32 done;
	int r;

	if (e) {
		memcpy(&done, e->data, sizeof(done));
		if (*count > done)
			*count = done;
		return 0;
	}
	if (ctx->log_pos >= EMUL_LOG_SIZE)
		return EMUL_UNHANDLED;
	r = kind == EMUL_PIO_IN ?
		ctx->ops->pio_in(ctx, port, size, *count, ctx->pio_data) :
		ctx->ops->pio_out(ctx, port, size, *count, ctx->pio_data);
	if (r == -EAGAIN)
		return ask_user(ctx, kind, port, size, *count);
	if (!r)
		log_append(ctx, kind, port, size, count, sizeof(*count));
	return r;
}

int emul_read_system(struct emul_ctx *ctx, u64 lin, void *buf, u32 len)
{
	struct emul_span span;
	u8 *out = buf;
	u32 i;
	int r;

	r = emul_map(ctx, lin, len, EMUL_WALK_READ | EMUL_WALK_SYSTEM, &span);
	for (i = 0; !r && i < span.pieces; i++) {
		r = ctx->ops->read_gpa(ctx, span.piece[i].gpa, out,
				       span.piece[i].len);
		out += span.piece[i].len;
	}
	return r == -EFAULT ? EMUL_UNHANDLED : r;
}

static int check_ram(struct emul_ctx *ctx, const struct emul_span *span, bool write)
{
	u8 nothing = 0;
	u32 i;
	int r = 0;

	for (i = 0; !r && i < span->pieces; i++)
		r = ram(ctx, span->piece[i].gpa, &nothing, 0, write);
	return r == -EFAULT ? EMUL_UNHANDLED : r;
}

int emul_map_ram(struct emul_ctx *ctx, u64 lin, u32 len, u32 access, struct emul_span *span)
{
	int r = emul_map(ctx, lin, len, access, span);

	return r ? r : check_ram(ctx, span, access & EMUL_WALK_WRITE);
}

int emul_map_system(struct emul_ctx *ctx, u64 lin, u32 len, bool write, struct emul_span *span)
{
	return emul_map_ram(ctx, (u32)lin, len, EMUL_WALK_SYSTEM |
			    (write ? EMUL_WALK_WRITE : EMUL_WALK_READ), span);
}

static int ram_part(struct emul_ctx *ctx, const struct emul_span *span, u32 offset, u8 *buf,
		    u32 len, bool write)
{
	u32 i, now;
	int r;

	for (i = 0; len && i < span->pieces; i++) {
		if (offset >= span->piece[i].len) {
			offset -= span->piece[i].len;
			continue;
		}
		now = span->piece[i].len - offset;
		if (now > len)
			now = len;
		r = ram(ctx, span->piece[i].gpa + offset, buf, now, write);
		if (r)
			return r == -EFAULT ? EMUL_UNHANDLED : r;
		buf += now;
		len -= now;
		offset = 0;
	}
	return 0;
}

int emul_ram_read(struct emul_ctx *ctx, const struct emul_span *span, u32 offset, void *buf,
		  u32 len)
{
	return ram_part(ctx, span, offset, buf, len, false);
}

int emul_ram_write(struct emul_ctx *ctx, const struct emul_span *span, u32 offset,
		   const void *buf, u32 len)
{
	return ram_part(ctx, span, offset, (u8 *)buf, len, true);
}

#define BITS_TRIES	8

int emul_ram_set_bits(struct emul_ctx *ctx, const struct emul_span *span, u8 set, u8 clear)
{
	u8 old, val;
	int i, r;

	for (i = 0; i < BITS_TRIES; i++) {
		r = emul_ram_read(ctx, span, 0, &old, 1);
		if (r)
			return r;
		val = (old | set) & ~clear;
		r = ctx->ops->cmpxchg_gpa(ctx, span->piece[0].gpa, &old, &val, 1);
		if (r != 1)
			return r == -EFAULT ? EMUL_UNHANDLED : r;
	}
	return EMUL_AGAIN;
}
