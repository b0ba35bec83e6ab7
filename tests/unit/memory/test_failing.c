// SPDX-License-Identifier: GPL-2.0-only
/*
 * A domain's life, in which each allocation fails in turn: the n-th of Bedplate's own pool, or all of
 * the domain's from the n-th frame on, at which it got no more. Each call then gives -ENOMEM and has changed
 * nothing, works when there is memory again, and at the end all is as it was.
 */
// SOURCES: hv/core/memory/frames.c hv/core/memory/mmu.c hv/core/memory/mmu_dom0.c hv/core/memory/dommem.c hv/ept/npt.c hv/ept/format.c tests/unit/rig/mm_rig.c
// CFLAGS: -include mm_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "hv/core/memory/dommem.h"
#include "hv/core/lib/errno.h"
#include "hv/core/machine/memmap.h"
#include "hv/core/memory/frames.h"
#include "hv/core/memory/mmu.h"

#define BASE	0x100000ull	/* first frame of the playground, above 4 GiB */
#define GIVEN	0x2000ull	/* where donated ones are */

static u32 refused;		/* calls that gave -ENOMEM */

/* What it was before, in short: nothing of domain 0's is missing, and all of the pool is back. */
struct before {
	u64 pool_free, tables, mapped;
};

static struct before before_life(void)
{
	return (struct before){ pool_free, dom0.npt.tables, npt_mapped(&dom0.npt) };
}

static void check_after(const struct before *b)
{
	struct frame_stats s;

	frames_stats(&s);
	assert_int_equal(s.donated, 0);
	assert_int_equal(s.mapped, 0);
	assert_int_equal(s.shared, 0);
	assert_int_equal(domain_count(), 0);
	assert_int_equal(pool_free, b->pool_free);
	assert_int_equal(dom0.npt.tables, b->tables);
	assert_int_equal(npt_mapped(&dom0.npt), b->mapped);
}

static u64 next_given;

static void list_more(u64 *list, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++)
		list[i] = BASE + GIVEN + next_given++;
}

/* Each with one frame more, as often as that is asked for; the pool's failure does not last. */
static void donate(int id, u32 n)
{
	u64 list[BP_DOMAIN_MIN_FRAMES], pool, donated;
	struct frame_stats s;
	int err;

	list_more(list, n);
	frames_stats(&s);
	donated = s.donated;
	pool = pool_free;
	err = domain_donate(id, list, n);
	if (err) {
		assert_int_equal(err, -ENOMEM);
		frames_stats(&s);
		assert_int_equal(s.donated, donated);
		assert_true(pool_free <= pool);
		refused++;
		err = domain_donate(id, list, n);
	}
	assert_int_equal(err, 0);
}

static void map(int id, struct domain *d, u64 gfn, u64 pfn, u32 order, u32 flags)
{
	struct bp_map m = { .gfn = gfn, .pfn = pfn, .order = order, .flags = flags };
	struct frame_stats was, is;
	int ret;

	for (;;) {
		frames_stats(&was);
		ret = mmu_map(d, &m, 1);
		if (ret == 1)
			return;
		assert_int_equal(ret, -ENOMEM);
		frames_stats(&is);
		assert_int_equal(is.mapped, was.mapped);
		refused++;
		donate(id, 1);
	}
}

static void protect(int id, struct domain *d, u64 gfn, u64 n)
{
	struct npt_leaf was, is;
	u64 done;
	int err;

	for (;;) {
		assert_int_equal(mmu_lookup(d, gfn << PAGE_SHIFT, &was), NPT_MAPPED);
		err = mmu_protect(d, gfn, n, BP_PROTECT_SPLIT, &done);
		if (!err)
			break;
		assert_int_equal(err, -ENOMEM);
		mmu_lookup(d, gfn << PAGE_SHIFT, &is);
		assert_memory_equal(&is, &was, sizeof(is));
		refused++;
		donate(id, 1);
	}
	assert_int_equal(done, n);
}

static int create(void)
{
	u64 list[BP_DOMAIN_MIN_FRAMES];
	struct frame_stats s;
	int id;

	list_more(list, BP_DOMAIN_MIN_FRAMES);
	id = domain_create(list, BP_DOMAIN_MIN_FRAMES, false);
	if (id < 0) {
		assert_int_equal(id, -ENOMEM);
		frames_stats(&s);
		assert_int_equal(s.donated, 0);
		assert_int_equal(domain_count(), 0);
		refused++;
		id = domain_create(list, BP_DOMAIN_MIN_FRAMES, false);
	}
	assert_true(id > 0);
	return id;
}

/* Frames of the domain's own that are left go to a purse, and all but @left of them stay there. */
static u32 spend(struct domain *d, void **purse, u32 left)
{
	u32 n = 0;

	while (d->pool.nr_free > left)
		purse[n++] = domain_page_alloc(d);
	return n;
}

/* Both formats, both address spaces; tables of all levels, large leaves that are split, and marks. */
static void live(u32 left)
{
	void *purse[BP_DOMAIN_MIN_FRAMES];
	struct domain *d;
	u64 list[64], done, i;
	int id, ret;
	u32 n;

	next_given = 0;
	id = create();
	d = domain_get(id);
	n = spend(d, purse, left);
	for (i = 0; i < 4; i++)
		map(id, d, i << 27 | i << 18 | i, BASE + i, 0, BP_MAP_WRITE);
	map(id, d, BIT(20), BASE + BIT(10), 9, BP_MAP_WRITE | BP_MAP_EXEC);
	map(id, d, BIT(20) + BIT(10), BASE + BIT(10), 9, BP_MAP_EXEC);
	map(id, d, BP_GFN_SMM | 7, BASE + 7, 0, BP_MAP_WRITE);
	map(id, d, 5 * BIT(20), 0, 0, BP_MAP_MMIO);
	protect(id, d, BIT(20) + 3, 2);
	donate(id, 5);
	/* A part of a large one goes, and something else comes. */
	while ((ret = mmu_unmap(d, BIT(20) + BIT(10) + 9, 1, &done))) {
		assert_int_equal(ret, -ENOMEM);
		refused++;
		donate(id, 1);
	}
	map(id, d, BIT(20) + BIT(10) + 9, BASE + 9, 0, BP_MAP_WRITE);
	while (n)
		domain_page_free(d, purse[--n]);
	domain_put(d);
	while ((ret = domain_destroy(id)))
		assert_int_equal(ret, 1);
	while ((ret = domain_reclaim(id, list, 64)))
		assert_true(ret > 0);
}

static void pool_fails(void **state __unused)
{
	u32 order, n, ept;

	for (ept = 0; ept < 2; ept++)
		for (order = 9; order <= 18; order += 9) {
			rig_max_order = order;
			n = 0;
			do {
				struct before b;

				rig_init(ept);
				b = before_life();
				refused = 0;
				rig_fail_alloc = ++n;
				live(BP_DOMAIN_MIN_FRAMES);
				rig_fail_alloc = 0;
				check_after(&b);
				assert_true(refused <= 1 + BP_DOMAIN_MIN_FRAMES);
			} while (rig_failed);
			/* The copy of the list, and tables of domain 0's, at least once. */
			assert_true(n > 4);
		}
}

static void domain_fails(void **state __unused)
{
	u32 ept, left;

	rig_max_order = 18;
	for (ept = 0; ept < 2; ept++)
		for (left = 0; left < BP_DOMAIN_MIN_FRAMES; left++) {
			struct before b;

			rig_init(ept);
			b = before_life();
			refused = 0;
			live(left);
			check_after(&b);
			/* Less at the beginning is asked for later. */
			assert_true(left > 12 || refused >= 4);
		}
}

/* All of them at once, from the n-th on: nobody asserts that there is memory. */
static void pool_stays_empty(void **state __unused)
{
	u64 list[BP_DOMAIN_MIN_FRAMES];
	u32 left;
	int id;

	rig_max_order = 18;
	for (left = 0; left < 6; left++) {
		struct before b;

		rig_init(false);
		b = before_life();
		next_given = 0;
		list_more(list, BP_DOMAIN_MIN_FRAMES);
		rig_pool_limit = pool_free - left;
		id = domain_create(list, BP_DOMAIN_MIN_FRAMES, false);
		if (id > 0) {
			assert_int_equal(domain_destroy(id), 0);
			while (domain_reclaim(id, list, BP_DOMAIN_MIN_FRAMES) > 0)
				;
		} else {
			assert_int_equal(id, -ENOMEM);
		}
		rig_pool_limit = 0;
		check_after(&b);
	}
	assert_true(id > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pool_fails),
		cmocka_unit_test(domain_fails),
		cmocka_unit_test(pool_stays_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
