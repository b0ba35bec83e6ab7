// SPDX-License-Identifier: GPL-2.0-only
/* The walker of second-level page tables; the contract is in npt.h. */
#include "npt.h"
#include "lib/errno.h"
#include "lib/x86.h"
#include "machine/paging.h"
#include "machine/panic.h"

#define GFN_END		BIT(NPT_GFN_BITS)

/*
 * Most entries that one npt_unmap() or npt_protect() looks at.  A walk from the
 * first table entry to any leaf passes at most NPT_LEVELS * NPT_ENTRIES, so there
 * is always progress.
 */
#define MAX_STEPS	4096
static_assert(MAX_STEPS > NPT_LEVELS * NPT_ENTRIES, "one call must get on");

/* Frames under one entry of a level. */
static inline u64 span(u32 level)
{
	return BIT(NPT_ORDER(level));
}

static inline bool is_present(const struct npt_format *f, u64 e)
{
	return e & f->present;
}

static inline bool is_leaf(const struct npt_format *f, u64 e, u32 level)
{
	return is_present(f, e) &&
	       (level == 0 || (e & f->leaf_mask) == f->leaf_val);
}

static inline bool is_table(const struct npt_format *f, u64 e, u32 level)
{
	return is_present(f, e) && !is_leaf(f, e, level);
}

static inline u64 entry_pfn(const struct npt_format *f, u64 e)
{
	return (e & f->addr) >> PAGE_SHIFT;
}

static inline u64 *table_of(const struct npt_format *f, u64 e)
{
	return phys_to_virt(e & f->addr);
}

static inline u64 read_entry(const u64 *e)
{
	return READ_ONCE(*e);
}

/* One store, after all that went before it. */
static inline void write_entry(const struct npt *t, u64 *e, u64 val)
{
	smp_wmb();
	WRITE_ONCE(*e, val);
	if (t->noncoherent)
		cache_flush(e, sizeof(*e));
}

static u64 make_leaf(const struct npt_format *f, u64 pfn, u32 level, u32 attr)
{
	u64 e = pfn << PAGE_SHIFT | f->leaf;

	if (attr & NPT_WRITE)
		e |= f->write;
	e |= attr & NPT_EXEC ? f->exec : f->noexec;
	if (attr & NPT_DEVICE)
		e |= f->device;
	if (level)
		e |= f->leaf_val;
	return e | f->memtype[(attr >> NPT_MT_SHIFT) & 3];
}

static u32 leaf_attr(const struct npt_format *f, u64 e)
{
	u32 attr = 0;

	if (e & f->write)
		attr |= NPT_WRITE;
	if (f->exec ? e & f->exec : !(e & f->noexec))
		attr |= NPT_EXEC;
	if (e & f->device)
		attr |= NPT_DEVICE;
	if (e & f->logged)
		attr |= NPT_LOGGED;
	return attr;
}

/*
 * The entry for @gfn at *level, or, if the walk ends earlier, the leaf or
 * absent entry there: *level tells.
 */
static u64 *walk(const struct npt *t, u64 gfn, u32 *level)
{
	u64 *table = phys_to_virt(t->root->table);
	u32 l = NPT_LEVELS - 1;

	for (;;) {
		u64 *e = &table[(gfn >> NPT_ORDER(l)) % NPT_ENTRIES];
		u64 val = read_entry(e);

		if (l == *level || !is_table(t->fmt, val, l)) {
			*level = l;
			return e;
		}
		table = table_of(t->fmt, val);
		l--;
	}
}

static bool table_empty(const u64 *table)
{
	u32 i;

	for (i = 0; i < NPT_ENTRIES; i++)
		if (read_entry(&table[i]))
			return false;
	return true;
}

static u64 *new_table(struct npt *t)
{
	u64 *table = t->page_alloc(t->ctx);

	if (!table)
		return NULL;
	if (t->noncoherent)
		cache_flush(table, PAGE_SIZE);
	t->root->tables++;
	return table;
}

static void gather_table(struct npt *t, hpa_t table)
{
	struct npt_gather *g = t->gather;

	ASSERT(g->nr_tables < GATHER_TABLES);
	g->table[g->nr_tables++] = table;
	g->flush = true;
	t->root->tables--;
}

static u64 table_entry(const struct npt *t, const u64 *table, u32 level)
{
	return virt_to_phys(table) | t->fmt->table[level];
}

int npt_init(struct npt *t)
{
	u64 *table = new_table(t);

	if (!table)
		return -ENOMEM;
	t->root->table = virt_to_phys(table);
	return 0;
}

void npt_fini(struct npt *t)
{
	gather_table(t, t->root->table);
	t->root->table = 0;
}

/* Make the way to an entry of @level. -EEXIST if a leaf is in the way. */
static int walk_alloc(struct npt *t, u64 gfn, u32 level, u64 **entry)
{
	for (;;) {
		u32 l = level;
		u64 *e = walk(t, gfn, &l), *table;

		*entry = e;
		if (l == level)
			return 0;
		if (read_entry(e))
			return -EEXIST;
		table = new_table(t);
		if (!table)
			return -ENOMEM;
		write_entry(t, e, table_entry(t, table, l));
	}
}

/* The bits by which two leaves of one frame may differ and yet agree. */
static u64 rights_mask(const struct npt_format *f)
{
	return f->write | f->exec | f->noexec | f->accessed | f->dirty | f->logged;
}

/* Does leaf @old allow all that @want does? */
static bool allows(const struct npt_format *f, u64 old, u64 want)
{
	u64 grant = f->write | f->exec;

	return !(want & ~old & grant) && !(old & ~want & f->noexec);
}

/*
 * A leaf @e at level @have is where one at level @level was to be put: fine,
 * if it maps the same frame in the same way.
 */
static int map_again(struct npt *t, u64 *e, u32 have, u64 gfn, u64 want, u32 level)
{
	const struct npt_format *f = t->fmt;
	u64 old = read_entry(e);
	u64 off = gfn & (span(have) - 1);
	u64 differ = (old ^ want) & ~rights_mask(f) & ~f->addr & ~f->leaf_mask;

	if (entry_pfn(f, old) + off != entry_pfn(f, want) || differ)
		return -EEXIST;
	if (allows(f, old, want))
		return 0;
	if (have != level)
		return -EEXIST;
	if (want & f->write)
		old &= ~f->logged;
	write_entry(t, e, ((old | want) & ~f->noexec) | (old & want & f->noexec));
	return 0;
}

static int check_map(const struct npt *t, u64 gfn, u64 pfn, u32 order)
{
	if (order % NPT_BITS || order > t->max_order || ((gfn | pfn) & (BIT(order) - 1)))
		return -EINVAL;
	if (gfn >= GFN_END || pfn > t->fmt->addr >> PAGE_SHIFT)
		return -EINVAL;
	return 0;
}

int npt_map(struct npt *t, u64 gfn, u64 pfn, u32 order, u32 attr, bool *added)
{
	u32 level = order / NPT_BITS, l = level;
	u64 want, old, *e;
	int err = check_map(t, gfn, pfn, order);

	if (added)
		*added = false;
	if (err)
		return err;
	want = make_leaf(t->fmt, pfn, level, attr);
	e = walk(t, gfn, &l);
	if (is_leaf(t->fmt, read_entry(e), l))
		return map_again(t, e, l, gfn, want, level);
	err = walk_alloc(t, gfn, level, &e);
	if (err)
		return err;
	old = read_entry(e);
	if (is_table(t->fmt, old, level)) {
		if (!table_empty(table_of(t->fmt, old)))
			return -EEXIST;
		gather_table(t, old & t->fmt->addr);
	} else if (old) {
		return -EEXIST;
	}
	write_entry(t, e, want);
	t->root->leaves[level]++;
	if (added)
		*added = true;
	return 0;
}

int npt_map_range(struct npt *t, u64 gfn, u64 pfn, u64 n, u32 attr)
{
	while (n) {
		u32 order = t->max_order;
		int err;

		while (((gfn | pfn) & (BIT(order) - 1)) || BIT(order) > n)
			order -= NPT_BITS;
		err = npt_map(t, gfn, pfn, order, attr, NULL);
		if (err)
			return err;
		gfn += BIT(order);
		pfn += BIT(order);
		n -= BIT(order);
	}
	return 0;
}

int npt_mark(struct npt *t, u64 gfn)
{
	u64 *e, old;
	int err;

	if (gfn >= GFN_END)
		return -EINVAL;
	err = walk_alloc(t, gfn, 0, &e);
	if (err)
		return err;
	old = read_entry(e);
	if (old == t->fmt->mark)
		return 0;
	if (old)
		return -EEXIST;
	write_entry(t, e, t->fmt->mark);
	return 0;
}

/* Replace a large leaf by a table of leaves that translate the same: no TLB need know. */
static int split(struct npt *t, u64 *e, u32 level)
{
	const struct npt_format *f = t->fmt;
	u64 old = read_entry(e), child = old;
	u64 *table = new_table(t);
	int err = 0;
	u32 i;

	if (!table)
		return -ENOMEM;
	if (t->part && !(old & f->device))
		err = t->part(entry_pfn(f, old), NPT_ORDER(level));
	if (err) {
		gather_table(t, virt_to_phys(table));
		return err;
	}
	if (level == 1)
		child &= ~f->leaf_mask;
	for (i = 0; i < NPT_ENTRIES; i++)
		table[i] = child + (i * span(level - 1) << PAGE_SHIFT);
	if (t->noncoherent)
		cache_flush(table, PAGE_SIZE);
	write_entry(t, e, table_entry(t, table, level));
	t->root->leaves[level]--;
	t->root->leaves[level - 1] += NPT_ENTRIES;
	return 0;
}

static void drop_leaf(struct npt *t, u64 *e, u32 level)
{
	struct npt_gather *g = t->gather;
	u64 val = read_entry(e), pfn = entry_pfn(t->fmt, val);

	write_entry(t, e, 0);
	g->flush = true;
	t->root->leaves[level]--;
	if (t->identity || (val & t->fmt->device))
		return;
	ASSERT(g->nr_leaves < GATHER_LEAVES);
	g->leaf[g->nr_leaves++] = NPT_GATHER_LEAF(pfn, NPT_ORDER(level));
}

/* Unlink the tables around @gfn that have become empty. */
static void prune(struct npt *t, u64 gfn)
{
	u32 level;

	for (level = 1; level < NPT_LEVELS; level++) {
		u32 l = level;
		u64 *e = walk(t, gfn, &l), val = read_entry(e);

		if (l != level || !is_table(t->fmt, val, l))
			continue;
		if (!table_empty(table_of(t->fmt, val)))
			return;
		write_entry(t, e, 0);
		gather_table(t, val & t->fmt->addr);
	}
}

/* Deal with the entry @e at *pos, which is of level @l, and step over it. */
static int unmap_step(struct npt *t, u64 *e, u32 l, u64 *pos, u64 end)
{
	u64 base = *pos & ~(span(l) - 1), next = base + span(l), val = read_entry(e);

	if (is_leaf(t->fmt, val, l)) {
		if (t->identity && (base < *pos || next > end))
			return split(t, e, l);
		drop_leaf(t, e, l);
	} else if (val) {
		write_entry(t, e, 0);
	}
	*pos = min(next, end);
	if (!t->identity && (*pos == end || !(next & (span(l + 1) - 1))))
		prune(t, base);
	return 0;
}

static int protect_step(struct npt *t, u64 *e, u32 l, u64 *pos, u64 end)
{
	const struct npt_format *f = t->fmt;
	u64 val = read_entry(e), logged = 0;

	if (t->log && !l && (val & (f->write | f->logged)))
		logged = f->logged;
	if (is_leaf(f, val, l))
		write_entry(t, e, (val & ~(f->write | f->logged)) | logged);
	*pos = min((*pos | (span(l) - 1)) + 1, end);
	return 0;
}

static int protect_small_step(struct npt *t, u64 *e, u32 l, u64 *pos, u64 end)
{
	if (l && is_leaf(t->fmt, read_entry(e), l))
		return split(t, e, l);
	return protect_step(t, e, l, pos, end);
}

static int each(struct npt *t, u64 gfn, u64 n, u64 *done,
		int (*step)(struct npt *t, u64 *e, u32 l, u64 *pos, u64 end))
{
	u64 pos = gfn, end = gfn + n;
	u32 steps = 0;
	int err = 0;

	*done = 0;
	if (!n || gfn >= GFN_END || n > GFN_END - gfn)
		return -EINVAL;
	while (pos < end && !err && steps++ < MAX_STEPS && npt_gather_room(t->gather)) {
		u32 l = 0;
		u64 *e = walk(t, pos, &l);

		err = step(t, e, l, &pos, end);
	}
	*done = pos - gfn;
	return *done ? 0 : err;
}

int npt_unmap(struct npt *t, u64 gfn, u64 n, u64 *done)
{
	return each(t, gfn, n, done, unmap_step);
}

int npt_protect(struct npt *t, u64 gfn, u64 n, bool small, u64 *done)
{
	return each(t, gfn, n, done, small ? protect_small_step : protect_step);
}

bool npt_log_end(struct npt *t, u64 gfn)
{
	u64 *e, val;
	u32 l = 0;

	if (gfn >= GFN_END || !t->root->table)
		return false;
	e = walk(t, gfn, &l);
	val = read_entry(e);
	if (l || !(val & t->fmt->logged))
		return false;
	write_entry(t, e, (val & ~t->fmt->logged) | t->fmt->write);
	return true;
}

enum npt_kind npt_lookup(const struct npt *t, u64 gfn, struct npt_leaf *leaf)
{
	u32 l = 0;
	u64 val;

	if (gfn >= GFN_END || !t->root->table)
		return NPT_ABSENT;
	val = read_entry(walk(t, gfn, &l));
	if (!is_present(t->fmt, val))
		return val ? NPT_MARKED : NPT_ABSENT;
	leaf->pfn = entry_pfn(t->fmt, val) + (gfn & (span(l) - 1));
	leaf->order = NPT_ORDER(l);
	leaf->attr = leaf_attr(t->fmt, val);
	return NPT_MAPPED;
}

/*
 * The leaf at @level that translates like the whole @table; 0 if there is
 * none.  Accessed and dirty bits do not count.
 */
static u64 merge(const struct npt_format *f, const u64 *table, u32 level)
{
	u64 ad = f->accessed | f->dirty;
	u64 first = read_entry(&table[0]);
	u64 step = span(level - 1) << PAGE_SHIFT;
	u32 i;

	if (!is_leaf(f, first, level - 1) || (entry_pfn(f, first) & (span(level) - 1)))
		return 0;
	for (i = 1; i < NPT_ENTRIES; i++)
		if ((read_entry(&table[i]) & ~ad) != (first & ~ad) + i * step)
			return 0;
	return (first & ~f->leaf_mask) | f->leaf_val | ad;
}

void npt_collapse(struct npt *t, u64 gfn)
{
	u32 level;

	for (level = 1; NPT_ORDER(level) <= t->max_order; level++) {
		u32 l = level;
		u64 *e = walk(t, gfn, &l), val = read_entry(e), leaf;

		if (!npt_gather_room(t->gather))
			return;
		if (is_leaf(t->fmt, val, l))
			continue;
		if (l != level || !is_present(t->fmt, val))
			return;
		leaf = merge(t->fmt, table_of(t->fmt, val), level);
		if (!leaf)
			return;
		write_entry(t, e, leaf);
		t->root->leaves[level]++;
		t->root->leaves[level - 1] -= NPT_ENTRIES;
		gather_table(t, val & t->fmt->addr);
	}
}
