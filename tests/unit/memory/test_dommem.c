// SPDX-License-Identifier: GPL-2.0-only
/*
 * Domain memory against a model: random creation, donation, mapping, sharing,
 * destruction and reclaim, with every frame and page compared after each step.
 */
// SOURCES: hv/core/memory/frames.c hv/core/memory/mmu.c hv/core/memory/mmu_dom0.c hv/core/memory/dommem.c hv/ept/npt.c hv/ept/format.c tests/unit/rig/mm_rig.c tests/unit/rig/dommem_model.c
// CFLAGS: -include mm_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "dommem_model.h"

static u64 outcomes[6];		/* so that the test knows it tested something */

enum {
	DID_CREATE, DID_MAP, DID_MAP_REFUSED, DID_DONATE_REFUSED, DID_PROTECT, DID_PROTECT_REFUSED,
};

/* A list to donate, mostly such that a block is left whole; true if it should be taken. */
static bool make_list(u64 *list, u32 n)
{
	static const u64 bad[] = { RIG_ACPI >> PAGE_SHIFT, RIG_POOL >> PAGE_SHIFT, 0x80000,
				   RIG_TOP >> PAGE_SHIFT, ~0ull };
	u32 area = rig_random(16) ? AREA - 512 : AREA, i, k;
	bool good = true;

	for (i = 0; i < n; i++) {
		for (k = 0; k < 100; k++) {
			list[i] = BASE + rig_random(area);
			if (can_donate(list[i]) || !rig_random(400))
				break;
		}
		if (!rig_random(300))
			list[i] = bad[rig_random(ARRAY_SIZE(bad))];
		good &= can_donate(list[i]);
		for (k = 0; k < i; k++)
			good &= list[k] != list[i];
	}
	return good;
}

static void donated(const u64 *list, u32 n, u32 id)
{
	u32 i;

	for (i = 0; i < n; i++)
		owner[list[i] - BASE] = id;
}

/* Domain 0 had something in the frames before. */
static void scribble(const u64 *list, u32 n)
{
	while (n--)
		if (can_donate(list[n]))
			memset(phys_to_virt(list[n] << PAGE_SHIFT), 0x5a, PAGE_SIZE);
}

static void op_create(void)
{
	struct guest *g = &guests[rig_random(GUESTS)];
	u64 list[BP_LIST_MAX];
	u32 n = 16 + rig_random(20);
	bool good;
	int id;

	if (g->id)
		return;
	good = make_list(list, n);
	scribble(list, n);
	assert_int_equal(domain_create(list, 15, false), -EINVAL);
	id = domain_create(list, n, false);
	if (id == -ENOMEM && rig_pool_limit)
		return;
	if (!good) {
		assert_int_equal(id, -EINVAL);
		outcomes[DID_DONATE_REFUSED]++;
		return;
	}
	assert_in_range(id, 1, MAX_DOMAINS - 1);
	memset(g, 0, sizeof(*g));
	g->id = id;
	donated(list, n, id);
	outcomes[DID_CREATE]++;
}

static void op_donate(struct guest *g)
{
	u64 list[BP_LIST_MAX];
	u32 n = 1 + rig_random(rig_random(8) ? 8 : 400);
	bool good = make_list(list, n);
	int err;

	scribble(list, n);
	err = domain_donate(g->id, list, n);
	if (g->dead) {
		assert_int_equal(err, domains[g->id] ? -EINVAL : -ENOENT);
		return;
	}
	if (err == -ENOMEM && rig_pool_limit)
		return;
	assert_int_equal(err, good ? 0 : -EINVAL);
	if (good)
		donated(list, n, g->id);
	else
		outcomes[DID_DONATE_REFUSED]++;
}

static struct bp_map random_map(void)
{
	struct bp_map m = { .order = rig_random(6) ? 0 : 9, .flags = rig_random(4) };
	u64 size = BIT(m.order);

	m.gfn = (GFN + rig_random(GFNS)) & ~(size - 1);
	m.pfn = (BASE + rig_random(AREA)) & ~(size - 1);
	if (rig_random(2) && m.order == 0)	/* make repetition likely */
		m.pfn = BASE + m.gfn % 1024;
	if (!rig_random(50))
		m.pfn = rig_random(2) ? RIG_POOL >> PAGE_SHIFT : DEVICE;
	if (!rig_random(10)) {
		m.order = 0;
		m.flags = BP_MAP_MMIO;
	}
	return m;
}

static void op_map(struct guest *g)
{
	struct domain *d = domain_get(g->id);
	struct bp_map m[8];
	u32 n = 1 + rig_random(8), i, want = 0;
	int err = 0, got;

	if (!d)
		return;
	for (i = 0; i < n; i++)
		m[i] = random_map();
	got = mmu_map(d, m, n);
	if (g->dead) {
		assert_int_equal(got, -EINVAL);
		domain_put(d);
		return;
	}
	for (i = 0; i < n && !err; i++, want += !err) {
		if (got == (int)i || (got == -ENOMEM && i == 0))
			if (!d->pool.nr_free)
				break;
		err = model_map(g, &m[i]);
		outcomes[err ? DID_MAP_REFUSED : DID_MAP]++;
	}
	if (got == -ENOMEM)
		assert_int_equal(d->pool.nr_free, 0);
	else
		assert_int_equal(got, want ? (int)want : err);
	domain_put(d);
}

static void unmap(struct guest *g, u32 first, u32 n)
{
	struct domain *d = domain_get(g->id);
	u64 done;
	u32 i;

	if (!d)
		return;
	for (i = 0; i < n; i++)
		model_drop(g, first + i);
	for (i = 0; i < n; i += done) {
		assert_int_equal(mmu_unmap(d, GFN + first + i, n - i, &done), 0);
		assert_in_range(done, 1, n - i);
	}
	domain_put(d);
}

static void op_unmap(struct guest *g)
{
	u32 first = rig_random(GFNS), n = 1 + rig_random(rig_random(4) ? 8 : GFNS);

	unmap(g, first, min(n, GFNS - first));
}

/* A large page, if any block is all domain 0's. */
static void op_large(struct guest *g)
{
	struct domain *d = domain_get(g->id);
	struct bp_map m = { .gfn = GFN, .order = 9, .flags = BP_MAP_WRITE };

	if (!d || g->dead)
		goto out;
	unmap(g, 0, 512);
	for (m.pfn = BASE; m.pfn < BASE + AREA; m.pfn += 512)
		if (mmu_map(d, &m, 1) == 1)
			break;
	if (m.pfn < BASE + AREA)
		assert_int_equal(model_map(g, &m), 0);
out:
	if (d)
		domain_put(d);
}

static void protect(struct guest *g, u32 first, u32 n, bool small)
{
	struct domain *d = domain_get(g->id);
	u64 gen, done;
	u32 i = 0, k;
	int err;

	if (!d)
		return;
	gen = d->tlb_gen;
	do {
		err = mmu_protect(d, GFN + first + i, n - i, small ? BP_PROTECT_SPLIT : 0, &done);
		assert_in_range(done, !err, n - i);
		for (k = 0; k < done; k++)
			model_protect(g, first + i + k, small);
		i += done;
	} while (!err && i < n);
	if (err) {
		assert_int_equal(err, -ENOMEM);
		assert_true(small);
		assert_int_equal(d->pool.nr_free, 0);
	}
	assert_int_equal(d->tlb_gen, gen);
	outcomes[err ? DID_PROTECT_REFUSED : DID_PROTECT]++;
	domain_put(d);
}

static void op_protect(struct guest *g)
{
	u32 first = rig_random(GFNS), n = 1 + rig_random(rig_random(4) ? 8 : GFNS);

	protect(g, first, min(n, GFNS - first), rig_random(2));
}

static void op_share(void)
{
	u32 i = rig_random(AREA);

	assert_int_equal(frame_get_shared(BASE + i), owner[i] ? -EPERM : 0);
	if (!owner[i])
		shared[i]++;
}

static void op_unshare(void)
{
	u32 start = rig_random(AREA), i;

	for (i = start; i < AREA && !shared[i]; i++)
		;
	if (i == AREA)
		return;
	frame_put_shared(BASE + i);
	shared[i]--;
}

static void op_destroy(struct guest *g)
{
	u64 out[1], list[1] = { 0x100 };
	int again, rounds = 0;
	u32 i;

	if (!g->dead)
		assert_int_equal(domain_reclaim(g->id, out, 1), -EBUSY);
	rig_vcpu_steps = rig_random(3);
	do {
		again = domain_destroy(g->id);
		assert_in_range(again, 0, 1);
		assert_int_equal(domain_donate(g->id, list, 1),
				 domains[g->id] ? -EINVAL : -ENOENT);
		assert_true(rounds++ < 100);
	} while (again);
	rig_vcpu_steps = 0;
	for (i = 0; i < GFNS; i++)
		model_drop(g, i);
	g->dead = true;
}

static void check_returned(u64 pfn, u32 id)
{
	static const u8 zero[PAGE_SIZE];

	assert_in_range(pfn, BASE, BASE + AREA - 1);
	assert_int_equal(owner[pfn - BASE], id);
	assert_memory_equal(phys_to_virt(pfn << PAGE_SHIFT), zero, PAGE_SIZE);
	owner[pfn - BASE] = 0;
}

static void op_reclaim(struct guest *g)
{
	u64 out[BP_LIST_MAX];
	struct domain *d;
	u32 i;
	int n;

	if (!g->dead)
		return;
	d = domain_get(g->id);
	if (d && d->pool.nr_free == 0) {
		/* Somebody still looks at it: its own frame stays. */
		assert_int_equal(domain_reclaim(g->id, out, 1), -EBUSY);
	}
	if (d)
		domain_put(d);
	n = domain_reclaim(g->id, out, 1 + rig_random(BP_LIST_MAX));
	assert_true(n >= 0);
	for (i = 0; i < (u32)n; i++)
		check_returned(out[i], g->id);
	if (n)
		return;
	for (i = 0; i < AREA; i++)
		assert_int_not_equal(owner[i], g->id);
	assert_int_equal(domain_destroy(g->id), -ENOENT);
	assert_int_equal(domain_reclaim(g->id, out, 1), -ENOENT);
	g->id = 0;
	g->dead = false;
}

/* Take all of a guest's pages for a while, so that MAP runs dry. */
static void op_starve(struct guest *g)
{
	struct domain *d = domain_get(g->id);
	void *page[2048];
	u32 n = 0;

	if (!d)
		return;
	op_large(g);
	while ((page[n] = domain_page_alloc(d)))
		n++;
	assert_true(!g->dead || !n);
	op_map(g);
	protect(g, 0, GFNS, true);
	op_unmap(g);
	while (n)
		domain_page_free(d, page[--n]);
	domain_put(d);
}

static void random_op(void)
{
	struct guest *g = &guests[rig_random(GUESTS)];
	u32 what = rig_random(100);

	if (what < 10)
		op_create();
	else if (what < 14)
		op_share();
	else if (what < 20)
		op_unshare();
	else if (!g->id)
		op_create();
	else if (what < 60)
		op_map(g);
	else if (what < 70)
		op_unmap(g);
	else if (what < 78)
		op_protect(g);
	else if (what < 83)
		op_donate(g);
	else if (what < 86)
		op_starve(g);
	else if (what < 88)
		op_destroy(g);
	else
		op_reclaim(g);
}

static void drain(void)
{
	u32 i;

	for (i = 0; i < GUESTS; i++) {
		while (guests[i].id) {
			op_destroy(&guests[i]);
			op_reclaim(&guests[i]);
		}
	}
	for (i = 0; i < AREA; i++)
		while (shared[i]) {
			frame_put_shared(BASE + i);
			shared[i]--;
		}
}

struct snapshot {
	u64 pool_free, tables, mapped;
	struct npt_leaf *leaf;
};

static void take_snapshot(struct snapshot *s)
{
	u64 i;

	s->pool_free = pool_free;
	s->tables = dom0.npt.tables;
	s->mapped = npt_mapped(&dom0.npt);
	s->leaf = calloc(RIG_TOP >> PAGE_SHIFT, sizeof(*s->leaf));
	for (i = 0; i < RIG_TOP >> PAGE_SHIFT; i++)
		mmu_lookup(&dom0, i << PAGE_SHIFT, &s->leaf[i]);
}

static void play(bool ept, u32 max_order, u32 steps, bool scarce)
{
	struct snapshot before, after;
	u32 i;

	rig_max_order = max_order;
	rig_init(ept);
	take_snapshot(&before);
	memset(outcomes, 0, sizeof(outcomes));
	for (i = 0; i < steps; i++) {
		rig_pool_limit = scarce && rig_random(2) ? pool_free - rig_random(3) : 0;
		random_op();
		rig_pool_limit = 0;
		check_all();
	}
	for (i = 0; i < ARRAY_SIZE(outcomes); i++)
		assert_true(outcomes[i] > 10);
	drain();
	check_all();
	assert_int_equal(domain_count(), 0);

	/* All as it was, down to the size of each leaf. */
	take_snapshot(&after);
	assert_int_equal(after.pool_free, before.pool_free);
	assert_int_equal(after.tables, before.tables);
	assert_int_equal(after.mapped, before.mapped);
	assert_memory_equal(after.leaf, before.leaf,
			    (RIG_TOP >> PAGE_SHIFT) * sizeof(*before.leaf));
	free(before.leaf);
	free(after.leaf);
}

/* vCPUs by index: the first have their place, pages come for others and go at the end. */
static void vcpus_by_index(void **state __unused)
{
	static const u32 at[] = { 0, 63, 64, 575, 576, 1023 };
	static char mark[ARRAY_SIZE(at)];
	struct domain *d = &dom0;
	u64 before;
	u32 i;

	rig_init(false);
	before = pool_free;
	for (i = 0; i < ARRAY_SIZE(at); i++) {
		assert_null(domain_vcpu(d, at[i]));
		assert_int_equal(domain_set_vcpu(d, at[i], (struct vcpu *)&mark[i]), 0);
	}
	for (i = 0; i < ARRAY_SIZE(at); i++)
		assert_ptr_equal(domain_vcpu(d, at[i]), &mark[i]);
	assert_null(domain_vcpu(d, 65));
	assert_null(domain_vcpu(d, 1024));
	assert_null(domain_vcpu(d, ~0u));
	assert_int_equal(pool_free, before - 2);
	for (i = 0; i < ARRAY_SIZE(at); i++)
		assert_int_equal(domain_set_vcpu(d, at[i], NULL), 0);
	/* Nobody finds a page before it is free. */
	domain_unlink_vcpus(d);
	for (i = 0; i < ARRAY_SIZE(d->more); i++)
		assert_null(d->more[i]);
	assert_null(domain_vcpu(d, 64));
	assert_int_equal(pool_free, before - 2);
	domain_free_vcpus(d);
	assert_int_equal(pool_free, before);
	domain_unlink_vcpus(d);
	domain_free_vcpus(d);
	assert_int_equal(pool_free, before);
}

static void random_amd(void **state __unused)
{
	play(false, 18, 3000, false);
}

static void random_ept_without_1g(void **state __unused)
{
	play(true, 9, 3000, false);
}

static void random_with_little_memory(void **state __unused)
{
	play(false, 18, 3000, true);
}

/* From here on there are IOMMUs. */
static void random_vtd(void **state __unused)
{
	rig_io_format = &npt_format_vtd;
	play(false, 18, 2000, false);
}

static void random_amdvi_with_little_memory(void **state __unused)
{
	rig_io_format = &npt_format_amdvi;
	play(true, 9, 3000, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vcpus_by_index),
		cmocka_unit_test(random_amd),
		cmocka_unit_test(random_ept_without_1g),
		cmocka_unit_test(random_with_little_memory),
		cmocka_unit_test(random_vtd),
		cmocka_unit_test(random_amdvi_with_little_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
