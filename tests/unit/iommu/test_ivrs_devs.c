// SPDX-License-Identifier: GPL-2.0-only
/* The list of device ranges against a table with an element for each device. */
// SOURCES: hv/iommu/ivrs_devs.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "hv/iommu/ivrs.h"
#include "hv/core/lib/string.h"

#define SEGMENTS	2

static struct ivrs ivrs;
static struct ivrs_devs model[SEGMENTS][0x10000];

static int start(void **state __unused)
{
	memset(&ivrs, 0, sizeof(ivrs));
	memset(model, 0, sizeof(model));
	srand(1);
	return 0;
}

static const struct ivrs_devs *find(u16 segment, u16 id)
{
	return ivrs_find(&ivrs, (struct pci_id){ segment, id });
}

/* Sorted, apart, and no two that could be one. */
static void check_order(void)
{
	const struct ivrs_devs *a, *b;
	u32 i;

	for (i = 0; i < ivrs.nr_devs; i++) {
		b = &ivrs.devs[i];
		assert_true(b->first <= b->last && b->units);
		assert_true(b->aliased || !b->alias);
		if (!i)
			continue;
		a = b - 1;
		assert_true(a->segment < b->segment ||
			    (a->segment == b->segment && a->last < b->first));
		assert_false(a->segment == b->segment && a->last + 1 == b->first &&
			     a->units == b->units && a->dte == b->dte && a->no_ats == b->no_ats &&
			     a->aliased == b->aliased && a->alias == b->alias);
	}
}

static void check_model(void)
{
	const struct ivrs_devs *d, *m;
	u32 s, id;

	for (s = 0; s < SEGMENTS; s++) {
		for (id = 0; id < 0x10000; id++) {
			d = find((u16)s, (u16)id);
			m = &model[s][id];
			assert_int_equal(d != NULL, m->units != 0);
			if (d && (d->units != m->units || d->dte != m->dte ||
				  d->no_ats != m->no_ats || d->aliased != m->aliased ||
				  d->alias != m->alias))
				fail_msg("device %x of segment %u", id, s);
		}
	}
}

static void add_to_model(const struct ivrs_devs *r)
{
	struct ivrs_devs *m;
	u32 id;

	for (id = r->first; id <= r->last; id++) {
		m = &model[r->segment][id];
		m->units |= r->units;
		m->dte |= r->dte;
		m->no_ats |= r->no_ats;
		if (r->aliased) {
			m->aliased = true;
			m->alias = r->alias;
		}
	}
}

/* Often at the ends, often next to others, and of few kinds, so that much is joined. */
static struct ivrs_devs any_range(void)
{
	static const u16 edge[] = { 0, 1, 0xff, 0x100, 0x7fff, 0x8000, 0xfffe, 0xffff };
	u16 a = (u16)(rand() % 64 * 0x400), b = (u16)(rand() % 64 * 0x400 + rand() % 3 - 1);
	struct ivrs_devs r = {
		.segment = (u16)(rand() % SEGMENTS),
		.units = BIT(rand() % 3),
		.dte = rand() % 4 ? 0 : 0x10,
		.no_ats = !(rand() % 5),
		.aliased = !(rand() % 4),
	};

	if (!(rand() % 4))
		a = edge[rand() % 8];
	if (!(rand() % 4))
		b = edge[rand() % 8];
	if (rand() % 2)
		b = a;
	r.first = min(a, b);
	r.last = max(a, b);
	r.alias = r.aliased ? (u16)(rand() % 2 * 0xa5) : 0;
	return r;
}

static void keeps_what_a_table_would(void **state __unused)
{
	struct ivrs_devs r;
	u32 round, n;

	for (round = 0; round < 20; round++) {
		memset(&ivrs, 0, sizeof(ivrs));
		memset(model, 0, sizeof(model));
		for (n = 0; n < 60; n++) {
			r = any_range();
			assert_true(ivrs_add_devs(&ivrs, &r));
			add_to_model(&r);
			check_order();
		}
		check_model();
	}
}

static void add(u16 segment, u16 first, u16 last, u64 units)
{
	const struct ivrs_devs r = { .segment = segment, .first = first, .last = last,
				     .units = units };

	assert_true(ivrs_add_devs(&ivrs, &r));
}

static void joins_only_what_is_the_same(void **state __unused)
{
	add(0, 0x10, 0x10, 1);
	add(0, 0x12, 0x12, 1);
	assert_int_equal(ivrs.nr_devs, 2);
	add(0, 0x11, 0x11, 1);
	assert_int_equal(ivrs.nr_devs, 1);
	assert_int_equal(ivrs.devs[0].first, 0x10);
	assert_int_equal(ivrs.devs[0].last, 0x12);
	add(0, 0x13, 0x13, 2);
	assert_int_equal(ivrs.nr_devs, 2);
	/* The end of a segment and the start of the next are no neighbours. */
	add(0, 0xfff0, 0xffff, 1);
	add(1, 0, 0xf, 1);
	assert_int_equal(ivrs.nr_devs, 4);
	assert_null(find(1, 0x10));
	assert_null(find(0, 0xffef));
	assert_null(find(2, 0));
	assert_non_null(find(0, 0xffff));
}

static void splits_around_a_device(void **state __unused)
{
	const struct ivrs_devs a0 = { .first = 0xa0, .last = 0xa0, .dte = 0xd7, .units = 1 };

	add(0, 0, 0xffff, 1);
	assert_true(ivrs_add_devs(&ivrs, &a0));
	assert_int_equal(ivrs.nr_devs, 3);
	assert_int_equal(find(0, 0x9f)->dte, 0);
	assert_int_equal(find(0, 0xa0)->dte, 0xd7);
	assert_int_equal(find(0, 0xa1)->dte, 0);
}

static void says_when_it_is_full(void **state __unused)
{
	const struct ivrs_devs more = { .first = 0x9000, .last = 0x9000, .units = 1 };
	const struct ivrs_devs inside = { .first = 1, .last = 1, .units = 1, .dte = 1 };
	const struct ivrs_devs known = { .first = 0, .last = 1, .units = 1 };
	u32 i;

	for (i = 0; i < IVRS_MAX_DEVS; i++)
		add(0, (u16)(4 * i), (u16)(4 * i + 1), 1);
	assert_int_equal(ivrs.nr_devs, IVRS_MAX_DEVS);
	assert_true(ivrs_add_devs(&ivrs, &known));
	assert_false(ivrs_add_devs(&ivrs, &more));
	assert_false(ivrs_add_devs(&ivrs, &inside));
	assert_int_equal(ivrs.nr_devs, IVRS_MAX_DEVS);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, start)
	const struct CMUnitTest tests[] = {
		T(keeps_what_a_table_would), T(joins_only_what_is_the_same),
		T(splits_around_a_device), T(says_when_it_is_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
