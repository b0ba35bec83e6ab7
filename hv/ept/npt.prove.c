// SPDX-License-Identifier: GPL-2.0-only
/*
 * The walker of second-level page tables (npt.c), along one path: from any tables on the way to a
 * frame number, each with any entry beside that way.
 *
 * npt.map: a mapping that is made translates as it was asked for, and only where nothing was; one that is
 * there already is found to be the same, or gets the rights that it lacks; each other frame
 * number translates as before, and so does every one after an error.
 * npt.split: each frame number of a large leaf translates as before, with the same rights, by a smaller
 * leaf; others too.
 * npt.unmap: what a step passes is not mapped any more, and what else has gone is the rest of one
 * large leaf, where that goes as a whole; all others translate as before. What went is in the
 * gather, but for devices' and domain 0's. npt.protect: the same of the right to write.
 *
 * The way is any one; an entry beside it is a leaf, a mark or absent. One that links a table would lead
 * to words that no step for this frame number reads or writes, for each is in a table on its way.
 *
 * Bounds: tables of two entries instead of 512 (NPT_BITS), all four levels; both formats of
 * guests for npt.map, NPT's for the others.
 * Assumed: page_alloc() gives a zeroed page that is in no table, or NULL; hardware sets no bits
 * meanwhile.
 */
#include "prove.h"

/* In place of paging.h: table n is in frame n. */
#define BP_CORE_PAGING_H
#include "hv/ept/npt.h"
#undef NPT_BITS
#define NPT_BITS	1

#define TABLES	8	/* 1 to 4 are on the way, from the root on; 5 to 7 are free */
static u64 tables[TABLES][NPT_ENTRIES];

static inline void *phys_to_virt(hpa_t pa)
{
	prove(pa >> PAGE_SHIFT && pa >> PAGE_SHIFT < TABLES);
	return tables[pa >> PAGE_SHIFT];
}

static inline hpa_t virt_to_phys(const void *va)
{
	return (hpa_t)((const u64 *)va - tables[0]) / NPT_ENTRIES << PAGE_SHIFT;
}

static inline void cache_flush(const void *p __unused, u64 len __unused) { }

#include "npt.c"
#include "format.c"

// CFLAGS: -include core_host.h -iquote hv/ept

#ifndef FORMAT
#define FORMAT	npt_format_amd
#endif
#define FREE	5
#define RIGHTS	(NPT_WRITE | NPT_EXEC)

static struct npt_root root;
static struct npt_gather gather;
static u32 next_free = FREE;
static u64 way;			/* the frame number whose way it is */
static u64 other;		/* any one */

static void *any_page(void *ctx __unused)
{
	prove(next_free < TABLES);
	return nondet_bool() ? tables[next_free++] : NULL;
}

static int any_part(u64 pfn __unused, u32 order __unused)
{
	return nondet_bool() ? -EBUSY : 0;
}

static struct npt t = {
	.fmt = &FORMAT, .root = &root, .gather = &gather, .page_alloc = any_page,
};

/* An entry of @level that links no table. */
static u64 any_end(u32 level)
{
	u64 e = nondet_u64();

	assume(!e || (!level && e == FORMAT.mark) ||
	       (level < NPT_LEVELS - 1 && is_leaf(&FORMAT, e, level) &&
		!(entry_pfn(&FORMAT, e) & (span(level) - 1))));
	return e;
}

/* Tables on the way, as many of four as there may be. */
static void any_tables(void)
{
	u32 depth = (u32)any_of(1, NPT_LEVELS), i, level, at;

	way = any_of(0, GFN_END - 1);
	other = any_of(0, GFN_END - 1);
	root.table = 1 << PAGE_SHIFT;
	for (i = 1; i <= NPT_LEVELS; i++) {
		if (i > depth)
			break;
		level = NPT_LEVELS - i;
		at = way >> NPT_ORDER(level) & 1;
		tables[i][at] = i < depth ? (u64)(i + 1) << PAGE_SHIFT | FORMAT.table[level] :
					   any_end(level);
		tables[i][!at] = any_end(level);
	}
	for (i = 0; i < NPT_LEVELS - 1; i++)
		root.leaves[i] = any_of(BIT(20), BIT(40));
	root.tables = depth;
	t.identity = nondet_bool();
	t.log = nondet_bool();
	t.max_order = (u32)any_of(0, NPT_ORDER(2));
	t.part = nondet_bool() ? any_part : NULL;
}

/* npt_mapped(), by NPT_BITS as they are here. */
static u64 mapped(void)
{
	return root.leaves[0] + (root.leaves[1] << NPT_ORDER(1)) +
	       (root.leaves[2] << NPT_ORDER(2));
}

/* What is at @other. */
struct seen {
	enum npt_kind kind;
	struct npt_leaf leaf;
};

static struct seen look(void)
{
	struct seen s = { NPT_ABSENT, { 0, 0, 0 } };

	s.kind = npt_lookup(&t, other, &s.leaf);
	return s;
}

static bool same_frame(struct seen a, struct seen b)
{
	return a.kind == b.kind && (a.kind != NPT_MAPPED || a.leaf.pfn == b.leaf.pfn);
}

static bool same(struct seen a, struct seen b)
{
	return same_frame(a, b) && (a.kind != NPT_MAPPED || (a.leaf.attr == b.leaf.attr &&
							     a.leaf.order == b.leaf.order));
}

// PROVE: npt.map prove_map --unwind 6
// MUTANT: hv/ept/npt.c
// - 		if (!table_empty(table_of(t->fmt, old)))
// - 			return -EEXIST;
// + 		;
// MUTANT: hv/ept/npt.c
// - 	} else if (old) {
// - 		return -EEXIST;
// - 	}
// - 	write_entry(t, e, want);
// + 	}
// + 	write_entry(t, e, want);
// MUTANT: hv/ept/npt.c
// - 	if (have != level)
// - 		return -EEXIST;
// + 	;
// MUTANT: hv/ept/npt.c
// - 	if (entry_pfn(f, old) + off != entry_pfn(f, want) || differ)
// + 	if (entry_pfn(f, old) != entry_pfn(f, want) || differ)
// MUTANT: hv/ept/npt.c
// - 		u64 *e = &table[(gfn >> NPT_ORDER(l)) % NPT_ENTRIES];
// + 		u64 *e = &table[(gfn >> l) % NPT_ENTRIES / 2];
// MUTANT: hv/ept/npt.c
// - ((old | want) & ~f->noexec) | (old & want & f->noexec));
// + old | want);
// PROVE: npt.map_ept prove_map --unwind 6
// CFLAGS: -DFORMAT=npt_format_ept
// MUTANT: hv/ept/npt.c
// - 	u64 grant = f->write | f->exec;
// + 	u64 grant = f->write;
void prove_map(void)
{
	u64 pfn = nondet_u64(), leaves;
	u32 order = nondet_u32(), attr = nondet_u32() & NPT_ATTR_MASK;
	struct seen was, is;
	bool added, in;
	int err;

	any_tables();
	assume(attr >> NPT_MT_SHIFT < NPT_MEMTYPES);
	was = look();
	leaves = mapped();
	err = npt_map(&t, way, pfn, order, attr, &added);
	is = look();
	in = !err && other >= way && other - way < BIT(order);
	prove(!err || !added);
	prove(mapped() == leaves + (added ? BIT(order) : 0));
	prove(in || same(was, is));
	if (!in)
		return;
	prove(is.kind == NPT_MAPPED && is.leaf.pfn == pfn + (other - way));
	prove(!(attr & RIGHTS & ~is.leaf.attr));
	if (added)
		prove(was.kind == NPT_ABSENT && is.leaf.order == order &&
		      is.leaf.attr == (attr & (RIGHTS | NPT_DEVICE)));
	else
		prove(same_frame(was, is) && is.leaf.order == was.leaf.order &&
		      !(was.leaf.attr & ~is.leaf.attr & ~NPT_LOGGED));
}

// PROVE: npt.split prove_split --unwind 6
// MUTANT: hv/ept/npt.c
// - 		table[i] = child + (i * span(level - 1) << PAGE_SHIFT);
// + 		table[i] = child + (i * span(level) << PAGE_SHIFT);
// MUTANT: hv/ept/npt.c
// - 	if (level == 1)
// - 		child &= ~f->leaf_mask;
// + 	if (level == 2)
// + 		child &= ~f->leaf_mask;
// MUTANT: hv/ept/npt.c
// - 		gather_table(t, virt_to_phys(table));
// - 		return err;
// + 		write_entry(t, e, table_entry(t, table, level));
// + 		return err;
void prove_split(void)
{
	u32 level = 0;
	struct seen was, is;
	bool in;
	u64 *e, leaves;

	any_tables();
	e = walk(&t, way, &level);
	assume(level && is_leaf(&FORMAT, *e, level));
	was = look();
	leaves = mapped();
	in = !split(&t, e, level) && other >> NPT_ORDER(level) == way >> NPT_ORDER(level);
	is = look();
	prove(mapped() == leaves);
	if (in)
		prove(is.kind == NPT_MAPPED && is.leaf.pfn == was.leaf.pfn &&
		      is.leaf.attr == was.leaf.attr && is.leaf.order == NPT_ORDER(level - 1));
	else
		prove(same(was, is));
}

/* One @step from there on, and how far: *pos. */
static int one_step(int (*step)(struct npt *, u64 *, u32, u64 *, u64), u64 *pos, u32 *level)
{
	u64 *e;

	*pos = way;
	*level = 0;
	e = walk(&t, way, level);
	return step(&t, e, *level, pos, any_of(way + 1, GFN_END));
}

// PROVE: npt.unmap prove_unmap --unwind 6
// MUTANT: hv/ept/npt.c
// - 		if (t->identity && (base < *pos || next > end))
// + 		if (t->identity && base < *pos)
// MUTANT: hv/ept/npt.c
// - 		if (!table_empty(table_of(t->fmt, val)))
// - 			return;
// + 		;
// MUTANT: hv/ept/npt.c
// - 	if (t->identity || (val & t->fmt->device))
// - 		return;
// + 	if (val & t->fmt->device)
// + 		return;
// MUTANT: hv/ept/npt.c
// - 	} else if (val) {
// - 		write_entry(t, e, 0);
// - 	}
// - 	*pos
// + 	}
// + 	*pos
void prove_unmap(void)
{
	struct seen was, is;
	u64 pos;
	u32 level;
	bool went;

	any_tables();
	was = look();
	went = !one_step(unmap_step, &pos, &level) && pos > way;
	is = look();
	if (went && other >= way && other < pos)
		prove(is.kind == NPT_ABSENT);
	else if (went && !t.identity && other >> NPT_ORDER(level) == way >> NPT_ORDER(level))
		prove(is.kind == NPT_ABSENT);
	else
		prove(same_frame(was, is) && (is.kind != NPT_MAPPED || is.leaf.attr == was.leaf.attr));
	if (went && other == way && was.kind == NPT_MAPPED && !t.identity &&
	    !(was.leaf.attr & NPT_DEVICE))
		prove(gather.flush && gather.nr_leaves == 1 &&
		      NPT_GATHER_PFN(gather.leaf[0]) == (was.leaf.pfn & ~(span(level) - 1)) &&
		      NPT_GATHER_ORDER(gather.leaf[0]) == NPT_ORDER(level));
	else if (t.identity)
		prove(!gather.nr_leaves);
}

// PROVE: npt.protect prove_protect --unwind 6
// MUTANT: hv/ept/npt.c
// - 	if (is_leaf(f, val, l))
// - 		write_entry(t, e, (val
// + 	if (is_leaf(f, val, l) && !logged)
// + 		write_entry(t, e, (val
// MUTANT: hv/ept/npt.c
// - 	*pos = min((*pos | (span(l) - 1)) + 1, end);
// + 	*pos = min(*pos + span(l), end);
void prove_protect(void)
{
	struct seen was, is;
	bool done, in;
	u64 pos;
	u32 level;

	any_tables();
	was = look();
	done = !one_step(nondet_bool() ? protect_small_step : protect_step, &pos, &level) &&
	       pos > way;
	is = look();
	in = done && ((other >= way && other < pos) ||
		      other >> NPT_ORDER(level) == way >> NPT_ORDER(level));
	prove(same_frame(was, is) && !gather.nr_leaves);
	if (is.kind != NPT_MAPPED)
		return;
	if (in)
		prove(!(is.leaf.attr & NPT_WRITE) &&
		      !((is.leaf.attr ^ was.leaf.attr) & ~(NPT_WRITE | NPT_LOGGED)));
	else
		prove(is.leaf.attr == was.leaf.attr);
	prove(!in || level || !t.log || !(was.leaf.attr & NPT_WRITE) || is.leaf.attr & NPT_LOGGED);
}
