// SPDX-License-Identifier: GPL-2.0-only
/* See emul_rig.h. */
#include "emul_rig.h"

#include <assert.h>

static struct rig *to_rig(struct emul_ctx *ctx)
{
	return ctx->opaque;
}

static uint8_t *ram_at(struct rig *rig, uint64_t gpa, uint32_t len, bool write)
{
	assert(len <= EMUL_PAGE_SIZE);
	assert((gpa & 0xfff) + len <= EMUL_PAGE_SIZE);
	if (rig->more_ram && (gpa & ~0xfffull) == RIG_RAM2)
		return rig->ram2 + (gpa & 0xfff);
	if (gpa >= RIG_RAM_SIZE || (write && gpa >= RIG_ROM))
		return NULL;
	return rig->ram + gpa;
}

static int read_gpa(struct emul_ctx *ctx, u64 gpa, void *buf, u32 len)
{
	struct rig *rig = to_rig(ctx);
	uint8_t *p = ram_at(rig, gpa, len, false);

	rig->gpa_reads++;
	if (!p)
		return -EFAULT;
	memcpy(buf, p, len);
	return 0;
}

static int write_gpa(struct emul_ctx *ctx, u64 gpa, const void *buf, u32 len)
{
	struct rig *rig = to_rig(ctx);
	uint8_t *p = ram_at(rig, gpa, len, true);

	if (!p)
		return -EFAULT;
	if (len && rig->errno_in && !--rig->errno_in)
		return -EINTR;
	memcpy(p, buf, len);
	return 0;
}

static int cmpxchg_gpa(struct emul_ctx *ctx, u64 gpa, const void *old,
		       const void *val, u32 len)
{
	uint8_t *p = ram_at(to_rig(ctx), gpa, len, true);

	assert(len && !(len & (len - 1)) && len <= 16 && !(gpa & (len - 1)));
	if (!p)
		return -EFAULT;
	to_rig(ctx)->cmpxchgs++;
	if (memcmp(p, old, len))
		return 1;
	memcpy(p, val, len);
	return 0;
}

static void see(struct rig *rig, const struct emul_access *a)
{
	if (rig->nseen < RIG_MAX_SEEN)
		rig->seen[rig->nseen++] = *a;
}

/* The device: offset is within the MMIO window. */
static void device(struct rig *rig, struct emul_access *a)
{
	uint32_t off = a->gpa & (RIG_MMIO_SIZE - 1);

	assert(a->len >= 1 && a->len <= 8);
	assert((a->gpa & 0xfff) + a->len <= EMUL_PAGE_SIZE);
	if (a->kind == EMUL_MMIO_WRITE) {
		memcpy(rig->mmio + off, a->data, a->len);
	} else if (rig->fifo) {
		rig->fifo_next++;
		memcpy(a->data, &rig->fifo_next, 8);
	} else {
		memcpy(a->data, rig->mmio + off, a->len);
	}
	see(rig, a);
}

/* Everything else than the two windows is answered by user space as well. */
static bool in_kernel(u64 gpa)
{
	return gpa >= RIG_KERNEL_MMIO && gpa < RIG_KERNEL_MMIO + RIG_MMIO_SIZE;
}

static int mmio_read(struct emul_ctx *ctx, u64 gpa, void *buf, u32 len)
{
	struct emul_access a = { .kind = EMUL_MMIO_READ, .gpa = gpa, .len = len };

	if (!in_kernel(gpa))
		return -EAGAIN;
	device(to_rig(ctx), &a);
	memcpy(buf, a.data, len);
	return 0;
}

static int mmio_write(struct emul_ctx *ctx, u64 gpa, const void *buf, u32 len)
{
	struct emul_access a = { .kind = EMUL_MMIO_WRITE, .gpa = gpa, .len = len };

	if (!in_kernel(gpa))
		return -EAGAIN;
	memcpy(a.data, buf, len);
	device(to_rig(ctx), &a);
	return 0;
}

static void port_access(struct rig *rig, u8 kind, u16 port, u32 size, u32 count)
{
	struct emul_access a = {
		.kind = kind, .port = port, .len = size, .count = count,
	};
	uint32_t i, len = size * count;

	assert(len && len <= EMUL_PAGE_SIZE);
	assert(size == 1 || size == 2 || size == 4);
	see(rig, &a);
	if (kind == EMUL_PIO_IN) {
		for (i = 0; i < len; i++)
			rig->pio_page[i] = rig->pio_next++;
		return;
	}
	if (rig->pio_out_len + len <= sizeof(rig->pio_out))
		memcpy(rig->pio_out + rig->pio_out_len, rig->pio_page, len);
	rig->pio_out_len += len;
}

static int pio_in(struct emul_ctx *ctx, u16 port, u32 size, u32 count, void *buf)
{
	struct rig *rig = to_rig(ctx);

	assert(buf == rig->pio_page);
	if (rig->pio_user)
		return -EAGAIN;
	port_access(rig, EMUL_PIO_IN, port, size, count);
	return 0;
}

static int pio_out(struct emul_ctx *ctx, u16 port, u32 size, u32 count,
		   const void *buf)
{
	struct rig *rig = to_rig(ctx);

	assert(buf == rig->pio_page);
	if (rig->pio_user)
		return -EAGAIN;
	port_access(rig, EMUL_PIO_OUT, port, size, count);
	return 0;
}

static int vec_read(struct emul_ctx *ctx, u32 reg, void *buf, u32 len)
{
	assert(reg < 16 && (len == 16 || len == 32));
	memcpy(buf, to_rig(ctx)->vec[reg], len);
	return 0;
}

static int vec_write(struct emul_ctx *ctx, u32 reg, const void *buf, u32 len,
		     bool vex)
{
	struct rig *rig = to_rig(ctx);

	assert(reg < 16 && (len == 16 || len == 32));
	if (vex)
		memset(rig->vec[reg], 0, sizeof(rig->vec[reg]));
	memcpy(rig->vec[reg], buf, len);
	return 0;
}

static const struct emul_ops rig_ops = {
	.read_gpa = read_gpa,
	.write_gpa = write_gpa,
	.cmpxchg_gpa = cmpxchg_gpa,
	.mmio_read = mmio_read,
	.mmio_write = mmio_write,
	.pio_in = pio_in,
	.pio_out = pio_out,
	.vec_read = vec_read,
	.vec_write = vec_write,
};

void rig_reset(struct rig *rig)
{
	memset(rig, 0, sizeof(*rig));
	rig->ctx.ops = &rig_ops;
	rig->ctx.opaque = rig;
	rig->ctx.pio_data = rig->pio_page;
	rig->ctx.pio_data_size = sizeof(rig->pio_page);
	rig->ctx.rflags = 2;
}

static void set_segments(struct rig *rig, uint32_t limit, int bits)
{
	int i;

	for (i = 0; i < EMUL_NR_SEGS; i++) {
		rig->ctx.seg[i] = (struct kvm_segment) {
			.limit = limit, .type = i == EMUL_CS ? 0xb : 3,
			.present = 1, .s = 1, .db = bits == 32,
			.l = bits == 64 && i == EMUL_CS,
			.g = limit > 0xffff, .selector = 8 * (i + 1),
		};
	}
}

void rig_real(struct rig *rig)
{
	rig_reset(rig);
	set_segments(rig, 0xffff, 16);
	rig->ctx.cr0 = 0x10;
}

void rig_prot(struct rig *rig, int bits)
{
	rig_reset(rig);
	set_segments(rig, 0xffffffff, bits);
	rig->ctx.cr0 = 0x11;
	rig->ctx.cr4 = 0x600;
}

void rig_long(struct rig *rig)
{
	rig_reset(rig);
	set_segments(rig, 0xffffffff, 64);
	rig->ctx.cr0 = 0x80010011;
	rig->ctx.cr4 = 0x40620;
	rig->ctx.xcr0 = 7;
	rig->ctx.efer = 0xd01;
	rig->ctx.cr3 = 0x80000;
	rig->next_table = 0x81000;
}

uint64_t rig_map(struct rig *rig, uint64_t lin, uint64_t gpa, uint64_t flags)
{
	uint64_t table = rig->ctx.cr3;
	int level;

	for (level = 4; level > 1; level--) {
		uint64_t at = table + 8 * ((lin >> (12 + 9 * (level - 1))) & 511);

		if (!rig_get(rig, at, 8)) {
			rig_put(rig, at, 8, rig->next_table | 7);
			rig->next_table += 0x1000;
			assert(rig->next_table <= RIG_ROM);
		}
		table = rig_get(rig, at, 8) & ~0xfffull;
	}
	table += 8 * ((lin >> 12) & 511);
	rig_put(rig, table, 8, gpa | flags);
	return table;
}

void rig_code(struct rig *rig, uint64_t gpa, const void *code, size_t len)
{
	assert(gpa + len <= RIG_RAM_SIZE);
	memcpy(rig->ram + gpa, code, len);
}

static int answer(struct rig *rig)
{
	struct emul_access *a = &rig->ctx.user;

	rig->user_exits++;
	if (a->kind == EMUL_PIO_IN || a->kind == EMUL_PIO_OUT)
		port_access(rig, a->kind, a->port, a->len, a->count);
	else
		device(rig, a);
	return emul_resume(&rig->ctx);
}

int rig_run(struct rig *rig)
{
	int i, r = emul_run(&rig->ctx);

	for (i = 0; i < 10000 && r == EMUL_NEED_USER; i++)
		r = answer(rig);
	return r;
}

int rig_run_all(struct rig *rig)
{
	int i, r = rig_run(rig);

	for (i = 0; i < 10000 && r == EMUL_AGAIN; i++)
		r = rig_run(rig);
	return r;
}

uint64_t rig_get(const struct rig *rig, uint64_t gpa, int size)
{
	uint64_t val = 0;

	assert(gpa + size <= RIG_RAM_SIZE);
	memcpy(&val, rig->ram + gpa, size);
	return val;
}

void rig_put(struct rig *rig, uint64_t gpa, int size, uint64_t val)
{
	assert(gpa + size <= RIG_RAM_SIZE);
	memcpy(rig->ram + gpa, &val, size);
}

uint64_t rig_random(void)
{
	static uint64_t x = 0x9e3779b97f4a7c15ull;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	return x * 0x2545f4914f6cdd1dull;
}
