// SPDX-License-Identifier: GPL-2.0-only
/*
 * The list of device ranges (ivrs_devs.c), one addition to any list that is in order.
 *
 * Proved: the list stays in order (by segment and device, no two ranges overlap, none ends before
 * it starts); after an addition that succeeds each device in the range is
 * known, with what it says and what was known of it before, and of every other device is known
 * what was known; the walk ends.
 *
 * Bounds: one range or none before, and three that fit instead of 1024: so the
 * list is never full.
 * Assumed: who has no alias has 0 there, as the parser makes it.
 */
#include "prove.h"

#define IVRS_MAX_UNITS		2
#define IVRS_MAX_DEVS		3
#define IVRS_MAX_SOURCES	2
#define IVRS_MAX_REGIONS	2

#include "lib/string.h"
/* Upwards, element by element. */
#define memmove(to, from, n) do {							\
	size_t n_ = (n) / sizeof(*(to));						\
											\
	while (n_--)									\
		(to)[n_] = (from)[n_];							\
} while (0)

#include "ivrs_devs.c"

// CFLAGS: -iquote hv/iommu -include plain_string.h

static struct ivrs v, was;
struct ivrs_devs nondet_ivrs_devs(void);

static bool is_before(const struct ivrs_devs *a, const struct ivrs_devs *b)
{
	return a->segment < b->segment || (a->segment == b->segment && a->last < b->first);
}

static bool in_order(const struct ivrs *l)
{
	bool fine = l->nr_devs <= IVRS_MAX_DEVS;
	u32 i;

	for (i = 0; i < IVRS_MAX_DEVS; i++)
		fine = fine && (i >= l->nr_devs || l->devs[i].first <= l->devs[i].last) &&
		       (i + 1 >= l->nr_devs || is_before(&l->devs[i], &l->devs[i + 1]));
	return fine;
}

#define KNOWN	BIT(63)

/* All that a range says of its devices, as a number. */
static u64 says(const struct ivrs_devs *d)
{
	return KNOWN | d->alias | (u64)d->dte << 16 | (u64)d->no_ats << 24 |
	       (u64)d->aliased << 25 | d->units << 26;
}

/* What @l says of a device, by looking at all; 0: it is not known. */
static u64 look_up(const struct ivrs *l, struct pci_id dev)
{
	u64 found = 0;
	u32 i;

	for (i = 0; i < IVRS_MAX_DEVS; i++)
		if (i < l->nr_devs && l->devs[i].segment == dev.segment &&
		    l->devs[i].first <= dev.bdf && dev.bdf <= l->devs[i].last)
			found |= says(&l->devs[i]);
	return found;
}

/* The last alias stands. */
static u64 both(u64 old, const struct ivrs_devs *new)
{
	if (new->aliased)
		old &= ~0xffffull;
	return old | says(new);
}

static struct ivrs_devs any_devs(void)
{
	struct ivrs_devs d = nondet_ivrs_devs();

	d.aliased = nondet_bool();
	d.no_ats = nondet_bool();
	assume(d.first <= d.last && (d.aliased || !d.alias) && d.units < BIT(IVRS_MAX_UNITS));
	return d;
}

// PROVE: ivrs_devs prove_add --unwind 4
// MUTANT: hv/iommu/ivrs_devs.c
// - 	v->devs[i + 1].first = (u16)id;
// + 	v->devs[i + 1].first = (u16)(id + 1);
// MUTANT: hv/iommu/ivrs_devs.c
// - 	    !split(v, range->segment, range->last + 1u))
// + 	    !split(v, range->segment, range->last))
// MUTANT: hv/iommu/ivrs_devs.c
// - 	v->devs[i].last = (u16)(id - 1);
// + 	v->devs[i].last = (u16)id;
// MUTANT: hv/iommu/ivrs_devs.c
// - 			gap.last = (u16)(v->devs[i].first - 1);
// + 			gap.last = v->devs[i].first;
// MUTANT: hv/iommu/ivrs_devs.c
// - 	d->units |= range->units;
// + 	d->units = range->units;
// MUTANT: hv/iommu/ivrs_devs.c
// - 	return a->segment == b->segment && a->last + 1 == b->first && a->units == b->units &&
// + 	return a->last + 1 == b->first && a->units == b->units &&
// MUTANT: hv/iommu/ivrs_devs.c
// - 	       a->dte == b->dte && a->no_ats == b->no_ats && a->aliased == b->aliased &&
// + 	       a->no_ats == b->no_ats && a->aliased == b->aliased &&
// MUTANT: hv/iommu/ivrs_devs.c
// - 		    (v->devs[i].segment == segment && v->devs[i].last >= id))
// + 		    (v->devs[i].segment == segment && v->devs[i].last > id))
void prove_add(void)
{
	const struct ivrs_devs new = any_devs();
	const struct pci_id dev = { nondet_u16(), nondet_u16() };
	bool hit = dev.segment == new.segment && new.first <= dev.bdf && dev.bdf <= new.last;
	u64 old, now;

	v.nr_devs = (u32)any_of(0, 1);
	v.devs[0] = any_devs();
	was = v;
	if (!ivrs_add_devs(&v, &new)) {
		prove(v.nr_devs <= IVRS_MAX_DEVS);
		return;
	}
	prove(in_order(&v));
	old = look_up(&was, dev);
	now = look_up(&v, dev);
	prove(now == (hit ? both(old, &new) : old));
}
