// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reader of the IVRS (ivrs.c), which may be torn.
 *
 * Proved: no byte outside the table is read, nothing outside struct ivrs written, no list grows
 * beyond what fits, and each walk ends. Of what is given: regions are whole pages, not empty and
 * below 2^52, for devices in order; the unit of a source is there; registers of units that pass are
 * aligned, below 2^52 and not another's; ranges of devices that go to the list are what that wants.
 *
 * Bounds: each kind of block, and of device entry, by itself, read into a struct ivrs that any
 * number of them have filled. An IVHD with 8 bytes of device entries, and a table with 8 bytes of
 * blocks, as a whole, for the steps from one to the next. Lists of two instead of 64 and 256.
 * Not seen: the text of errors (bp_snprintf()); the list of devices, which has a proof of its own.
 */
#include "stand_in.h"

#define IVRS_MAX_UNITS		2
#define IVRS_MAX_DEVS		2
#define IVRS_MAX_SOURCES	2
#define IVRS_MAX_REGIONS	2

#include "ivrs.c"

// CFLAGS: -iquote hv/iommu -include plain_string.h

static struct ivrs v;
struct ivrs nondet_ivrs(void);
struct entries nondet_entries(void);

bool ivrs_add_devs(struct ivrs *to, const struct ivrs_devs *range)
{
	prove(to == &v && range->first <= range->last && (range->aliased || !range->alias));
	prove(range->units && range->units < BIT(v.nr_units));
	return nondet_bool();
}

static bool is_region(const struct ivrs_region *r)
{
	return r->first <= r->last && r->mem.start < r->mem.end && r->mem.end <= PA_END &&
	       IS_ALIGNED(r->mem.start | r->mem.end, PAGE_SIZE);
}

static bool is_sane(void)
{
	bool sane = v.nr_units <= IVRS_MAX_UNITS && v.nr_sources <= IVRS_MAX_SOURCES &&
		    v.nr_regions <= IVRS_MAX_REGIONS;
	u32 i;

	for (i = 0; i < 2; i++)
		sane = sane && (i >= v.nr_sources || v.source[i].unit < v.nr_units) &&
		       (i >= v.nr_regions || is_region(&v.region[i]));
	return sane;
}

/* A block at the end of @room, no byte behind it; the walk has looked at its length. */
#define any_block(room) ({								\
	u32 len_ = (u32)any_of(sizeof(struct ivrs_block), sizeof(room));		\
	struct ivrs_block *b_ = (void *)tail_of(room, len_);				\
											\
	v = nondet_ivrs();								\
	assume(is_sane() && b_->length == len_);					\
	(struct parser){ .table = (u8 *)b_, .len = len_, .out = &v }; })

// PROVE: ivrs.ivhd prove_ivhd --unwind 3
// MUTANT: hv/iommu/ivrs.c
// - 	if (h->b.length < ivhd_size(h->b.type))
// + 	if (h->b.length < ivhd_size(IVHD_10))
// MUTANT: hv/iommu/ivrs.c
// - 	if (!u && v->nr_units == IVRS_MAX_UNITS)
// + 	if (!u && v->nr_units > IVRS_MAX_UNITS)
void prove_ivhd(void)
{
	u8 room[44];
	struct parser p = any_block(room);
	u8 type = p.table[0];

	assume(type == IVHD_10 || type == IVHD_11 || type == IVHD_40);
	if (parse_ivhd(&p, 0))
		prove(is_sane() && v.nr_units);
}

// PROVE: ivrs.unit prove_unit --unwind 3
// MUTANT: hv/iommu/ivrs.c
// - 	if (!u->regs || !IS_ALIGNED(u->regs, REGS_ALIGN) || u->regs >= PA_END)
// + 	if (!u->regs || !IS_ALIGNED(u->regs, REGS_ALIGN))
// MUTANT: hv/iommu/ivrs.c
// - 		if (o->regs == u->regs)
// + 		if (o->regs == u->regs && o->cap == u->cap)
void prove_unit(void)
{
	struct parser p = { .out = &v };
	u64 a, b;

	v = nondet_ivrs();
	a = v.unit[0].regs;
	b = v.unit[1].regs;
	if (check_unit(&p, &v.unit[0]) && check_unit(&p, &v.unit[1]))
		prove(a && !(a & (IVRS_REGS_SIZE - 1)) && a + IVRS_REGS_SIZE <= PA_END &&
		      (a + IVRS_REGS_SIZE <= b || b + IVRS_REGS_SIZE <= a));
}

// PROVE: ivrs.ivmd prove_ivmd --unwind 3
// MUTANT: hv/iommu/ivrs.c
// - 	if (m->b.length < sizeof(*m))
// + 	if (m->b.length < sizeof(*m) - 8)
// MUTANT: hv/iommu/ivrs.c
// - 	if (r.first > r.last)
// + 	if (r.first > r.last + 1)
// MUTANT: hv/iommu/ivrs.c
// - 	    m->length > PA_END - m->start)
// + 	    m->length > PA_END)
// MUTANT: hv/iommu/ivrs.c
// - 	if (p->out->nr_regions == IVRS_MAX_REGIONS)
// + 	if (p->out->nr_regions > IVRS_MAX_REGIONS)
// MUTANT: hv/iommu/ivrs.c
// - 	r->mem.end = ALIGN_UP(m->start + m->length, PAGE_SIZE);
// + 	r->mem.end = m->start + m->length;
void prove_ivmd(void)
{
	u8 room[36];
	struct parser p = any_block(room);

	assume(p.table[0] >= IVMD_ALL && p.table[0] <= IVMD_RANGE);
	if (parse_ivmd(&p, 0))
		prove(is_sane());
}

// PROVE: ivrs.entry prove_entry --unwind 3
// MUTANT: hv/iommu/ivrs.c
// - 		return 4u << (e[0] >> 6);
// + 		return 4;
// MUTANT: hv/iommu/ivrs.c
// - 	if (last < d->first)
// + 	if (last + 1 < d->first)
// MUTANT: hv/iommu/ivrs.c
// - 	if (!s->start)
// + 	if (!s->start && last)
// MUTANT: hv/iommu/ivrs.c
// - 	if (p->out->nr_sources == IVRS_MAX_SOURCES)
// + 	if (p->out->nr_sources > IVRS_MAX_SOURCES)
// MUTANT: hv/iommu/ivrs.c
// - 	target.alias = 0;
// + 	target.dte = 0;
// MUTANT: hv/iommu/ivrs.c
// - 	if (e[0] == ENTRY_HID && ivhd_type == IVHD_40 && left >= HID_MIN)
// + 	if (e[0] == ENTRY_HID && ivhd_type == IVHD_40)
void prove_entry(void)
{
	u8 room[24];
	u32 len = (u32)any_of(1, sizeof(room));
	const u8 *e = tail_of(room, len);
	struct parser p = { .table = e, .len = len, .out = &v };
	struct entries s = nondet_entries();

	v = nondet_ivrs();
	assume(is_sane() && v.nr_units);
	s.p = &p;
	s.u = &v.unit[v.nr_units - 1];
	s.range.aliased = nondet_bool();
	/* As an earlier entry has left it: with its start. */
	assume(s.start ? s.range.units == BIT(v.nr_units - 1) &&
			 (s.range.aliased || !s.range.alias) : !s.range.units);
	if (entry_len(e, len, nondet_u8()) != len || !parse_entry(&s, 0))
		return;
	prove(is_sane());
	prove(!s.start || (s.range.units == BIT(v.nr_units - 1) &&
			   (s.range.aliased || !s.range.alias)));
}

/* From entry to entry: of the kinds that are 4 bytes long. */
// PROVE: ivrs.devices prove_devices --unwind 4
// MUTANT: hv/iommu/ivrs.c
// - 		if (!len || len > end - off)
// + 		if (!len)
// MUTANT: hv/iommu/ivrs.c
// - 		if (!len || len > end - off)
// + 		if (len > end - off)
void prove_devices(void)
{
	u8 room[24 + 8];
	struct parser p = any_block(room);

	assume(p.len >= 24 && v.nr_units);
	v.unit[0].offset = 0;
	v.unit[0].type = IVHD_10;
	if (parse_devices(&p, &v.unit[0]))
		prove(is_sane());
}

// PROVE: ivrs.whole prove_whole --unwind 3 --unwindset sum_bytes.0:57,memcmp.0:5
// MUTANT: hv/iommu/ivrs.c
// - 	if (avail < sizeof(*t) || memcmp(t->sig, "IVRS", 4))
// + 	if (avail < 4 || memcmp(t->sig, "IVRS", 4))
// MUTANT: hv/iommu/ivrs.c
// - 	if (t->length < sizeof(*t) || t->length > min(avail, IVRS_MAX_LEN))
// + 	if (t->length < sizeof(*t) || t->length > IVRS_MAX_LEN)
// MUTANT: hv/iommu/ivrs.c
// - 		if (left < sizeof(*b) || b->length < sizeof(*b) || b->length > left)
// + 		if (b->length < sizeof(*b) || b->length > left)
// MUTANT: hv/iommu/ivrs.c
// - 		if (left < sizeof(*b) || b->length < sizeof(*b) || b->length > left)
// + 		if (left < sizeof(*b) || b->length > left)
void prove_whole(void)
{
	u8 room[sizeof(struct ivrs_table) + 8];
	u32 len = (u32)any_of(0, sizeof(room));

	if (ivrs_parse(tail_of(room, len), len, &v, NULL, 0))
		prove(is_sane());
}
