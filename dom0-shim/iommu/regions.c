// SPDX-License-Identifier: GPL-2.0-only
/* Reader of reserved regions; the contract is in regions.h. */
#include "regions.h"

#define PAGE		4096ull
#define HEAD		48	/* of both tables */

#define RMRR		1
#define RMRR_LEN	24
#define SCOPE_LEN	6
#define SCOPE_ENDPOINT	1
#define SCOPE_BRIDGE	2

#define IVMD_ALL	0x20
#define IVMD_ONE	0x21
#define IVMD_RANGE	0x22
#define IVMD_LEN	32
#define IVMD_UNITY	0x01
#define IVMD_READ	0x02
#define IVMD_WRITE	0x04
#define IVMD_EXCLUSION	0x08

struct reader {
	void (*fn)(void *ctx, const struct bp_region *r);
	void *ctx;
};

static u16 get16(const u8 *p)
{
	return p[0] | p[1] << 8;
}

static u64 get64(const u8 *p)
{
	u64 val;

	memcpy(&val, p, sizeof(val));
	return val;
}

/* Bytes @start to @last, in whole pages. */
static bool set_range(struct bp_region *r, u64 start, u64 last)
{
	if (last < start)
		return false;
	r->start = start & ~(PAGE - 1);
	r->len = (last | (PAGE - 1)) + 1 - r->start;
	return r->len;
}

/* ---- DMAR ---- */

static bool read_scope(struct bp_region *r, const u8 *scope, u32 len)
{
	u32 i;

	r->depth = (len - SCOPE_LEN) / 2;
	if ((scope[0] != SCOPE_ENDPOINT && scope[0] != SCOPE_BRIDGE) || !r->depth ||
	    (len - SCOPE_LEN) / 2 > BP_REGION_DEPTH)
		return false;
	r->below = scope[0] == SCOPE_BRIDGE;
	r->bus = scope[5];
	for (i = 0; i < r->depth; i++)
		r->path[i] = scope[SCOPE_LEN + 2 * i] << 3 | (scope[SCOPE_LEN + 2 * i + 1] & 7);
	return true;
}

static void read_rmrr(const struct reader *to, const u8 *s, u32 len)
{
	struct bp_region r = { .read = true, .write = true };
	u32 off, n;

	if (len < RMRR_LEN || !set_range(&r, get64(s + 8), get64(s + 16)))
		return;
	r.segment = get16(s + 6);
	for (off = RMRR_LEN; len - off >= SCOPE_LEN; off += n) {
		n = s[off + 1];
		if (n < SCOPE_LEN || n > len - off)
			return;
		if (read_scope(&r, s + off, n))
			to->fn(to->ctx, &r);
	}
}

/* ---- IVRS ---- */

static void read_ivmd(const struct reader *to, const u8 *s, u32 len)
{
	u8 flags = s[1];
	struct bp_region r = {
		.read = flags & (IVMD_READ | IVMD_EXCLUSION),
		.write = flags & (IVMD_WRITE | IVMD_EXCLUSION),
		.excluded = flags & IVMD_EXCLUSION,
	};

	if (len < IVMD_LEN || !(flags & (IVMD_UNITY | IVMD_EXCLUSION)) || !get64(s + 24) ||
	    !set_range(&r, get64(s + 16), get64(s + 16) + get64(s + 24) - 1))
		return;
	r.segment = get16(s + 8);
	r.first = s[0] == IVMD_ALL ? 0 : get16(s + 4);
	r.last = s[0] == IVMD_ALL ? 0xffff : s[0] == IVMD_ONE ? r.first : get16(s + 6);
	to->fn(to->ctx, &r);
}

/* ---- both ---- */

void bp_regions(const void *table, u32 len, void (*fn)(void *ctx, const struct bp_region *r),
		void *ctx)
{
	const struct reader to = { fn, ctx };
	const u8 *t = table;
	bool dmar = len >= HEAD && !memcmp(t, "DMAR", 4);
	u32 off, n;

	/* Both kinds of structures have their length in the second word. */
	for (off = HEAD; off + 4 <= len; off += n) {
		n = get16(t + off + 2);
		if (n < 4 || n > len - off)
			return;
		if (dmar && get16(t + off) == RMRR)
			read_rmrr(&to, t + off, n);
		else if (!dmar && t[off] >= IVMD_ALL && t[off] <= IVMD_RANGE)
			read_ivmd(&to, t + off, n);
	}
}
