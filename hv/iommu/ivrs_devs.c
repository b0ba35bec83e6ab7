// SPDX-License-Identifier: GPL-2.0-only
/* The list of device ranges: sorted, without overlaps, each as long as it can be. */
#include "ivrs.h"
#include "lib/string.h"

/* Index of the first range that does not lie wholly before device @id. */
static u32 find(const struct ivrs *v, u16 segment, u32 id)
{
	u32 i;

	for (i = 0; i < v->nr_devs; i++)
		if (v->devs[i].segment > segment ||
		    (v->devs[i].segment == segment && v->devs[i].last >= id))
			break;
	return i;
}

/* Does range @i exist and begin at or before device @id? */
static bool begins_by(const struct ivrs *v, u32 i, u16 segment, u32 id)
{
	return i < v->nr_devs && v->devs[i].segment == segment && v->devs[i].first <= id;
}

static bool insert(struct ivrs *v, u32 i, const struct ivrs_devs *range)
{
	if (v->nr_devs == IVRS_MAX_DEVS)
		return false;
	memmove(&v->devs[i + 1], &v->devs[i], (v->nr_devs - i) * sizeof(*range));
	v->devs[i] = *range;
	v->nr_devs++;
	return true;
}

/* Let no range reach from below @id (which may be one past the last) to @id. */
static bool split(struct ivrs *v, u16 segment, u32 id)
{
	u32 i = find(v, segment, id);

	if (!id || !begins_by(v, i, segment, id - 1))
		return true;
	if (!insert(v, i, &v->devs[i]))
		return false;
	v->devs[i].last = (u16)(id - 1);
	v->devs[i + 1].first = (u16)id;
	return true;
}

static void merge(struct ivrs_devs *d, const struct ivrs_devs *range)
{
	d->units |= range->units;
	d->dte |= range->dte;
	d->no_ats |= range->no_ats;
	if (range->aliased) {
		d->aliased = true;
		d->alias = range->alias;
	}
}

static bool continues(const struct ivrs_devs *a, const struct ivrs_devs *b)
{
	return a->segment == b->segment && a->last + 1 == b->first && a->units == b->units &&
	       a->dte == b->dte && a->no_ats == b->no_ats && a->aliased == b->aliased &&
	       a->alias == b->alias;
}

static void join(struct ivrs *v)
{
	u32 from, to = 0;

	for (from = 1; from < v->nr_devs; from++) {
		if (continues(&v->devs[to], &v->devs[from]))
			v->devs[to].last = v->devs[from].last;
		else
			v->devs[++to] = v->devs[from];
	}
	v->nr_devs = to + 1;
}

bool ivrs_add_devs(struct ivrs *v, const struct ivrs_devs *range)
{
	struct ivrs_devs gap = *range;
	u32 id, i;

	if (!split(v, range->segment, range->first) ||
	    !split(v, range->segment, range->last + 1u))
		return false;
	i = find(v, range->segment, range->first);
	for (id = range->first; id <= range->last; id = v->devs[i++].last + 1u) {
		if (begins_by(v, i, range->segment, id)) {
			merge(&v->devs[i], range);
			continue;
		}
		gap.first = (u16)id;
		gap.last = range->last;
		if (begins_by(v, i, range->segment, range->last))
			gap.last = (u16)(v->devs[i].first - 1);
		if (!insert(v, i, &gap))
			return false;
	}
	join(v);
	return true;
}

const struct ivrs_devs *ivrs_find(const struct ivrs *v, struct pci_id dev)
{
	u32 i = find(v, dev.segment, dev.bdf);

	return begins_by(v, i, dev.segment, dev.bdf) ? &v->devs[i] : NULL;
}
