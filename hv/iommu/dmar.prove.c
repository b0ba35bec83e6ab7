// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reader of DMAR (dmar.c), which may be torn.
 *
 * Proved: no byte outside the table is read, nothing outside struct dmar written, no list grows
 * beyond what fits, and each walk ends. Of what is given: the scopes that a unit, region or group
 * names are there, and their paths have a length that fits; registers are pages below the address
 * width, no two units share any, and no segment has two units for its rest; regions are whole
 * pages below the address width; the unit of a source is there.
 *
 * Bounds: each kind of structure by itself, with up to 8 bytes of device scopes, and 20 bytes of
 * scopes by themselves, read into a struct dmar that any number of structures have filled. A table
 * with 8 bytes of structures as a whole, for its head and the steps from one to the next. Lists of
 * two, of three scopes, and paths of two instead of 256, 128, 2048 and 8.
 * Not seen: the text of errors (bp_snprintf()).
 */
#include "stand_in.h"

#define DMAR_MAX_UNITS		2
#define DMAR_MAX_REGIONS	2
#define DMAR_MAX_GROUPS		2
#define DMAR_MAX_SCOPES		3
#define DMAR_MAX_SOURCES	2
#define DMAR_MAX_DEPTH		2

#include "dmar.c"

// CFLAGS: -iquote hv/iommu -include plain_string.h

static struct dmar dmar;
struct dmar nondet_dmar(void);

static bool are_there(const struct dmar_devices *dev)
{
	return (u32)dev->first + dev->nr <= dmar.nr_scopes;
}

static bool is_scope(const struct dmar_scope *s)
{
	return s->depth && s->depth <= DMAR_MAX_DEPTH;
}

static bool is_unit(const struct dmar_unit *u)
{
	return are_there(&u->dev) && u->base && IS_ALIGNED(u->base | u->size, PAGE_SIZE) &&
	       u->size && is_below_width(&dmar, u->base, u->base + u->size - 1);
}

static bool are_apart(const struct dmar_unit *a, const struct dmar_unit *b)
{
	return (a->base + a->size <= b->base || b->base + b->size <= a->base) &&
	       !(a->rest && b->rest && a->segment == b->segment);
}

static bool is_region(const struct dmar_region *r)
{
	return are_there(&r->dev) && r->mem.start < r->mem.end &&
	       IS_ALIGNED(r->mem.start | r->mem.end, PAGE_SIZE) && !((r->mem.end - 1) >> dmar.width);
}

/* Of the structures so far, each by itself. */
static bool is_sane(void)
{
	bool sane = dmar.width >= WIDTH_MIN && dmar.width <= WIDTH_MAX &&
		    dmar.nr_units <= DMAR_MAX_UNITS && dmar.nr_regions <= DMAR_MAX_REGIONS &&
		    dmar.nr_groups <= DMAR_MAX_GROUPS && dmar.nr_scopes <= DMAR_MAX_SCOPES &&
		    dmar.nr_sources <= DMAR_MAX_SOURCES;
	u32 i;

	for (i = 0; i < 2; i++)
		sane = sane && (i >= dmar.nr_units || is_unit(&dmar.unit[i])) &&
		       (i >= dmar.nr_regions || is_region(&dmar.region[i])) &&
		       (i >= dmar.nr_groups || are_there(&dmar.group[i].dev)) &&
		       (i >= dmar.nr_sources || dmar.source[i].unit < dmar.nr_units);
	for (i = 0; i < DMAR_MAX_SCOPES; i++)
		sane = sane && (i >= dmar.nr_scopes || is_scope(&dmar.scope[i]));
	return sane && (dmar.nr_units < 2 || are_apart(&dmar.unit[0], &dmar.unit[1]));
}

/* A structure of that type at the end of @room, of the least length or more; no byte behind it. */
#define any_structure(room, type) ({							\
	u32 len_ = (u32)any_of(kinds[type].min, sizeof(room));				\
											\
	dmar = nondet_dmar();								\
	assume(is_sane());								\
	(struct parser){ .table = tail_of(room, len_), .out = &dmar, .end = len_ }; })

// PROVE: dmar.scopes prove_scopes --unwind 4
// MUTANT: hv/iommu/dmar.c
// - 		if (p->end - off < sizeof(*s) || s->length < sizeof(*s) ||
// + 		if (p->end - off < 1 || s->length < sizeof(*s) ||
// MUTANT: hv/iommu/dmar.c
// - 		    s->length > p->end - off)
// + 		    s->length > p->end)
// MUTANT: hv/iommu/dmar.c
// - s->length != sizeof(*s) + depth * sizeof(s->path[0]) || !depth)
// + s->length != sizeof(*s) + depth * sizeof(s->path[0]))
// MUTANT: hv/iommu/dmar.c
// - 	if (depth > DMAR_MAX_DEPTH)
// + 	if (depth > DMAR_MAX_DEPTH + 1)
// MUTANT: hv/iommu/dmar.c
// - 	if (d->nr_scopes == DMAR_MAX_SCOPES)
// + 	if (d->nr_scopes > DMAR_MAX_SCOPES)
void prove_scopes(void)
{
	u8 room[20];
	u32 len = (u32)any_of(0, sizeof(room));
	struct parser p = { .table = tail_of(room, len), .out = &dmar, .end = len };
	struct dmar_devices dev;

	dmar = nondet_dmar();
	assume(is_sane());
	if (read_scopes(&p, 0, &dev))
		prove(is_sane() && are_there(&dev));
}

// PROVE: dmar.unit prove_unit --unwind 4 --unwindset memcmp.0:37
// MUTANT: hv/iommu/dmar.c
// - 	{ "DRHD", sizeof(struct drhd), read_unit },
// + 	{ "DRHD", 12, read_unit },
// MUTANT: hv/iommu/dmar.c
// - 	if (!u.base || !IS_ALIGNED(u.base, PAGE_SIZE))
// + 	if (!IS_ALIGNED(u.base, PAGE_SIZE))
// MUTANT: hv/iommu/dmar.c
// - 	if (!is_below_width(p->out, u.base, u.base + u.size - 1))
// + 	if (!is_below_width(p->out, u.base, u.base))
// MUTANT: hv/iommu/dmar.c
// - 	if (u->base < old->base + old->size && old->base < u->base + u->size)
// + 	if (u->base < old->base + old->size && old->base <= u->base)
// MUTANT: hv/iommu/dmar.c
// - 	if (u->rest && old->rest && u->segment == old->segment)
// + 	if (u->rest && old->rest && u->segment < old->segment)
// MUTANT: hv/iommu/dmar.c
// - 	if (d->nr_units == DMAR_MAX_UNITS)
// + 	if (d->nr_units > DMAR_MAX_UNITS)
// MUTANT: hv/iommu/dmar.c
// - 	if (d->nr_sources == DMAR_MAX_SOURCES)
// + 	if (d->nr_sources > DMAR_MAX_SOURCES)
// MUTANT: hv/iommu/dmar.c
// - 			d->nr_scopes = u->dev.first;
// + 			d->nr_scopes = 0;
void prove_unit(void)
{
	u8 room[24];
	struct parser p = any_structure(room, 0);

	if (read_unit(&p, p.table))
		prove(is_sane());
}

// PROVE: dmar.region prove_region --unwind 4
// MUTANT: hv/iommu/dmar.c
// - 	{ "RMRR", sizeof(struct rmrr), read_region },
// + 	{ "RMRR", 16, read_region },
// MUTANT: hv/iommu/dmar.c
// - 	if (d->nr_regions == DMAR_MAX_REGIONS)
// + 	if (d->nr_regions == DMAR_MAX_REGIONS + 1)
// MUTANT: hv/iommu/dmar.c
// - 	to->mem = (struct iommu_region){ r->base, r->limit + 1, IOMMU_READ | IOMMU_WRITE };
// + 	to->mem = (struct iommu_region){ r->base, r->limit, IOMMU_READ | IOMMU_WRITE };
// MUTANT: hv/iommu/dmar.c
// - 	if (!is_below_width(d, r->base, r->limit))
// + 	if (!is_below_width(d, r->base, r->base))
// MUTANT: hv/iommu/dmar.c
// - 	if (!IS_ALIGNED(r->base, PAGE_SIZE) || !IS_ALIGNED(r->limit + 1, PAGE_SIZE))
// + 	if (!IS_ALIGNED(r->base, PAGE_SIZE))
void prove_region(void)
{
	u8 room[32];
	struct parser p = any_structure(room, 1);

	if (read_region(&p, p.table))
		prove(is_sane());
}

// PROVE: dmar.group prove_group --unwind 4
// MUTANT: hv/iommu/dmar.c
// - 	{ "ATSR", sizeof(struct group), read_group },
// + 	{ "ATSR", sizeof(struct structure), read_group },
// MUTANT: hv/iommu/dmar.c
// - 	if (d->nr_groups == DMAR_MAX_GROUPS)
// + 	if (d->nr_groups > DMAR_MAX_GROUPS)
void prove_group(void)
{
	u8 room[16];
	struct parser p = any_structure(room, 2);

	if (read_group(&p, p.table))
		prove(is_sane());
}

/* Of all types: none that could not be passed over. */
// PROVE: dmar.whole prove_whole --unwind 2 --unwindset sum_bytes.0:57,dmar_parse.1:4,plain_memchr.0:9,memcmp.0:5,is_sane.0:3,is_sane.1:4
// MUTANT: hv/iommu/dmar.c
// - 	if (room < sizeof(*s))
// + 	if (room < 2)
// MUTANT: hv/iommu/dmar.c
// - 	if (s->length < sizeof(*s) || s->length > room)
// + 	if (s->length > room)
// MUTANT: hv/iommu/dmar.c
// - 	if (s->length < sizeof(*s) || s->length > room)
// + 	if (s->length < sizeof(*s) || s->length > len)
// MUTANT: hv/iommu/dmar.c
// - 	if (len < sizeof(*h))
// + 	if (len < 4)
// MUTANT: hv/iommu/dmar.c
// - 	if (h->length < sizeof(*h) || h->length > len)
// + 	if (h->length < sizeof(*h))
// MUTANT: hv/iommu/dmar.c
// - 	if (s->type >= ARRAY_SIZE(kinds)) {
// + 	if (s->type > ARRAY_SIZE(kinds)) {
// MUTANT: hv/iommu/dmar.c
// - 	{ "ANDD", ANDD_NAME + 1, check_name },
// + 	{ "ANDD", 4, check_name },
// MUTANT: hv/iommu/dmar.c
// - 	if (h->width + 1 < WIDTH_MIN || h->width + 1 > WIDTH_MAX)
// + 	if (h->width + 1 < WIDTH_MIN)
void prove_whole(void)
{
	u8 room[sizeof(struct head) + 8];
	u32 len = (u32)any_of(0, sizeof(room));

	if (dmar_parse(tail_of(room, len), len, &dmar, NULL, 0))
		prove(is_sane());
}
