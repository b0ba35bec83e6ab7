// SPDX-License-Identifier: GPL-2.0-only
/* Arithmetic on memory maps: pure, tested on the host. */
#include "memmap.h"

/* Pool: fixed part, and what page tables for all of RAM may need. */
#define POOL_BASE	(24 * SZ_1M)
#define POOL_SHARE	512		/* + RAM / 512 */
#define POOL_SHARE_MAX	(512 * SZ_1M)	/* memory below 4 GiB is scarce */
#define MIN_RAM		(120 * SZ_1M)
/* A frame table bigger than this does not go below 4 GiB: that is scarce. */
#define TABLE_LOW_MAX	(256 * SZ_1M)
/* RAM that ends above 4 GiB fills at least 1/8 of what is below its end: a frame table of 1/64. */
#define SPARSE_MAX	8

/* Which type wins where two overlap: the higher rank. */
static u32 rank(u32 type)
{
	switch (type) {
	case MEM_RAM:	return 1;
	case MEM_ACPI:	return 2;
	case MEM_NVS:	return 3;
	case MEM_BAD:	return 5;
	default:	return 4;
	}
}

static void sort_bounds(hpa_t *b, u32 n)
{
	hpa_t t;
	u32 i, j;

	for (i = 1; i < n; i++) {
		t = b[i];
		for (j = i; j > 0 && b[j - 1] > t; j--)
			b[j] = b[j - 1];
		b[j] = t;
	}
}

/* Highest-ranking type that covers all of [start, end), 0: none. */
static u32 covering_type(const struct mem_map *m, hpa_t start, hpa_t end)
{
	u32 i, best = 0;

	for (i = 0; i < m->nr; i++)
		if (m->r[i].start <= start && m->r[i].end >= end &&
		    (!best || rank(m->r[i].type) > rank(best)))
			best = m->r[i].type;
	return best;
}

static bool append(struct mem_map *m, hpa_t start, hpa_t end, u32 type)
{
	struct mem_range *last = m->nr ? &m->r[m->nr - 1] : NULL;

	if (start >= end || !type)
		return true;
	if (last && last->end == start && last->type == type) {
		last->end = end;
		return true;
	}
	if (m->nr == MEM_MAX_RANGES)
		return false;
	m->r[m->nr++] = (struct mem_range){ start, end, type };
	return true;
}

static void round_to_pages(struct mem_range *r)
{
	const hpa_t limit = 1ull << 52;

	r->start = min(r->start, limit);
	r->end = min(max(r->end, r->start), limit);
	if (r->type == MEM_RAM) {
		r->start = ALIGN_UP(r->start, PAGE_SIZE);
		r->end = max(ALIGN_DOWN(r->end, PAGE_SIZE), r->start);
	} else {
		r->start = ALIGN_DOWN(r->start, PAGE_SIZE);
		r->end = ALIGN_UP(r->end, PAGE_SIZE);
	}
	if (r->type < MEM_RAM || r->type > MEM_BAD)
		r->type = MEM_RESERVED;
}

bool memmap_normalise(struct mem_map *m)
{
	static hpa_t bound[2 * MEM_MAX_RANGES];	/* boot only: one caller at a time */
	static struct mem_map in;
	u32 i, n = 0;

	in = *m;
	m->nr = 0;
	for (i = 0; i < in.nr; i++) {
		round_to_pages(&in.r[i]);
		bound[n++] = in.r[i].start;
		bound[n++] = in.r[i].end;
	}
	sort_bounds(bound, n);
	for (i = 0; i + 1 < n; i++)
		if (bound[i] < bound[i + 1] &&
		    !append(m, bound[i], bound[i + 1],
			    covering_type(&in, bound[i], bound[i + 1])))
			return false;
	return true;
}

bool memmap_set(struct mem_map *m, hpa_t start, hpa_t end, u32 type)
{
	static struct mem_map in;
	bool done = false, ok = true;
	u32 i;

	in = *m;
	m->nr = 0;
	for (i = 0; i < in.nr; i++) {
		const struct mem_range *r = &in.r[i];

		ok = ok && append(m, r->start, min(r->end, start), r->type);
		if (!done && r->end > start) {
			ok = ok && append(m, start, end, type);
			done = true;
		}
		ok = ok && append(m, max(r->start, end), r->end, r->type);
	}
	if (!done)
		ok = ok && append(m, start, end, type);
	return ok;
}

u64 memmap_trim(struct mem_map *m, hpa_t limit)
{
	u64 before = memmap_ram_bytes(m), ram = before;
	struct mem_range *r;

	for (r = m->r + m->nr; r-- > m->r;) {
		if (r->type != MEM_RAM)
			continue;
		if (r->start < limit && r->end > limit) {
			ram -= r->end - limit;
			r->end = limit;
		}
		if (r->start < limit && (r->end <= SZ_4G || r->end / SPARSE_MAX <= ram))
			break;
		ram -= r->end - r->start;
		r->type = MEM_RESERVED;
	}
	return before - ram;
}

u32 memmap_type(const struct mem_map *m, hpa_t pa)
{
	u32 lo = 0, hi = m->nr, mid;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (pa < m->r[mid].start)
			hi = mid;
		else if (pa >= m->r[mid].end)
			lo = mid + 1;
		else
			return m->r[mid].type;
	}
	return MEM_RESERVED;
}

bool memmap_has_ram(const struct mem_map *m, hpa_t start, hpa_t end)
{
	u32 i;

	for (i = 0; i < m->nr; i++)
		if (m->r[i].type == MEM_RAM && m->r[i].start < end && m->r[i].end > start)
			return true;
	return false;
}

/* Does [a, a + len) hit something in use? Then *other is its start or end. */
static bool collides(const struct mem_range *used, u32 nr, hpa_t a, u64 len,
		     bool top, hpa_t *other)
{
	u32 i;

	for (i = 0; i < nr; i++)
		if (a < used[i].end && a + len > used[i].start) {
			*other = top ? used[i].start : used[i].end;
			return true;
		}
	return false;
}

/* Within [start, end), all of it RAM; 0: no room. */
static hpa_t find_in(hpa_t start, hpa_t end, const struct mem_range *used, u32 nr,
		     u64 len, u64 align, bool top)
{
	hpa_t a, other;

	start = max(start, (hpa_t)PAGE_SIZE);
	for (;;) {
		if (end < len || start > end - len)
			return 0;
		a = top ? ALIGN_DOWN(end - len, align) : ALIGN_UP(start, align);
		if (a < start || a > end - len)
			return 0;
		if (!collides(used, nr, a, len, top, &other))
			return a;
		if (top)
			end = other;
		else
			start = other;
	}
}

hpa_t memmap_find(const struct mem_map *m, const struct mem_range *used, u32 nr_used,
		  hpa_t min_pa, hpa_t max_pa, u64 len, u64 align, bool top)
{
	const struct mem_range *r;
	hpa_t a;
	u32 i;

	for (i = 0; i < m->nr; i++) {
		r = &m->r[top ? m->nr - 1 - i : i];
		if (r->type != MEM_RAM)
			continue;
		a = find_in(max(r->start, min_pa), min(r->end, max_pa), used, nr_used,
			    len, align, top);
		if (a)
			return a;
	}
	return 0;
}

u64 memmap_ram_bytes(const struct mem_map *m)
{
	u64 bytes = 0;
	u32 i;

	for (i = 0; i < m->nr; i++)
		if (m->r[i].type == MEM_RAM)
			bytes += m->r[i].end - m->r[i].start;
	return bytes;
}

hpa_t memmap_ram_end(const struct mem_map *m)
{
	u32 i;

	for (i = m->nr; i > 0; i--)
		if (m->r[i - 1].type == MEM_RAM)
			return m->r[i - 1].end;
	return 0;
}

static const struct mem_range *biggest_below_4g(const struct mem_map *m, hpa_t below)
{
	const struct mem_range *best = NULL;
	u32 i;

	for (i = 0; i < m->nr; i++) {
		if (m->r[i].type != MEM_RAM || m->r[i].start >= below)
			continue;
		if (!best || m->r[i].end - m->r[i].start > best->end - best->start)
			best = &m->r[i];
	}
	return best;
}

/* One block at the top of @r or, where modules are in the way, anywhere low. */
static bool place_block(const struct mem_map *m, const struct mem_range *r,
			const struct mem_range *used, u32 nr_used, u64 len,
			struct mem_plan *plan)
{
	plan->block_start = find_in(r->start, min(r->end, (hpa_t)SZ_4G), used, nr_used,
				    len, SZ_2M, true);
	if (!plan->block_start)
		plan->block_start = memmap_find(m, used, nr_used, SZ_1M, SZ_4G, len,
						SZ_2M, true);
	plan->block_end = plan->block_start + len;
	return plan->block_start != 0;
}

hpa_t memmap_middle(const struct mem_map *m)
{
	const struct mem_range *r = biggest_below_4g(m, SZ_4G);

	return r ? ALIGN_UP((r->start + min(r->end, (hpa_t)SZ_4G)) / 2, SZ_2M) : 0;
}

bool memmap_plan(const struct mem_map *m, const struct mem_range *used, u32 nr_used,
		 u64 frame_table_bytes, struct mem_plan *plan)
{
	const struct mem_range *r = biggest_below_4g(m, SZ_4G);
	u64 len;

	*plan = (struct mem_plan){ .frame_table_bytes = frame_table_bytes,
				   .ram_bytes = memmap_ram_bytes(m) };
	plan->pool_bytes = POOL_BASE + ALIGN_UP(min(plan->ram_bytes / POOL_SHARE,
						    POOL_SHARE_MAX), PAGE_SIZE);
	if (!r || plan->ram_bytes < MIN_RAM)
		return false;
	if (frame_table_bytes <= TABLE_LOW_MAX) {
		len = ALIGN_UP(plan->pool_bytes + frame_table_bytes, SZ_2M);
		plan->pool_bytes = len - frame_table_bytes;
		if (!place_block(m, r, used, nr_used, len, plan))
			return false;
		plan->table_start = plan->block_end - frame_table_bytes;
		return true;
	}
	plan->pool_bytes = ALIGN_UP(plan->pool_bytes, SZ_2M);
	plan->table_start = memmap_find(m, used, nr_used, SZ_4G, ~0ull,
					frame_table_bytes, SZ_2M, false);
	return plan->table_start &&
	       place_block(m, r, used, nr_used, plan->pool_bytes, plan);
}
