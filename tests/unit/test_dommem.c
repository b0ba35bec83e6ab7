// SPDX-License-Identifier: GPL-2.0-only
/*
 * Domain memory against a model: random creation, donation, mapping, sharing,
 * destruction and reclaim, with every frame and page compared after each step.
 */
// SOURCES: hv/core/frames.c hv/core/mmu.c hv/core/mmu_dom0.c hv/core/dommem.c hv/ept/npt.c hv/ept/format.c tests/unit/mm_rig.c
// CFLAGS: -include mm_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "hv/core/dommem.h"
#include "hv/core/errno.h"
#include "hv/core/frames.h"
#include "hv/core/memmap.h"
#include "hv/core/mmu.h"

#define BASE	0x100000ull	/* first frame of the playground */
#define AREA	1536u		/* frames in it */
#define GFN	0x7fe00ull	/* first guest page: astride 1 GiB */
#define GFNS	1024u
#define GUESTS	4

struct page {
	enum npt_kind kind;
	u64 pfn;
	u32 order;
	u32 rights;
};

static struct guest {
	u32 id;			/* 0 = none */
	bool dead;
	struct page page[GFNS];
} guests[GUESTS];

static u32 owner[AREA], shared[AREA];
static u32 refs[AREA], block_refs[AREA / 512];	/* by guests' leaves */
static u64 outcomes[4];		/* so that the test knows it tested something */

enum { DID_CREATE, DID_MAP, DID_MAP_REFUSED, DID_DONATE_REFUSED };

static void model_ref(const struct page *p, int by)
{
	if (p->order)
		block_refs[(p->pfn - BASE) / 512] += by;
	else
		refs[p->pfn - BASE] += by;
}

static bool area_free(u64 pfn, u32 order)
{
	u64 i;

	if (pfn < BASE || pfn >= BASE + AREA || pfn + BIT(order) > BASE + AREA)
		return false;
	for (i = 0; i < BIT(order); i++)
		if (owner[pfn - BASE + i])
			return false;
	return true;
}

static bool can_donate(u64 pfn)
{
	return area_free(pfn, 0) && !shared[pfn - BASE] && !refs[pfn - BASE] &&
	       !block_refs[(pfn - BASE) / 512];
}

/* What MAP should say, and do, to the model. */
static int model_map(struct guest *g, const struct bp_map *m)
{
	struct page *p = &g->page[m->gfn - GFN];
	u64 i;

	if (m->flags == BP_MAP_MMIO) {
		if (p->kind == NPT_MAPPED)
			return -EEXIST;
		p->kind = NPT_MARKED;
		return 0;
	}
	if (!area_free(m->pfn, m->order))
		return -EPERM;
	if (p->kind == NPT_MAPPED && p->order >= m->order) {
		if (p->pfn != m->pfn)
			return -EEXIST;
		if (!(m->flags & ~p->rights))
			return 0;
		if (p->order != m->order)
			return -EEXIST;
		for (i = 0; i < BIT(m->order); i++)
			p[i].rights |= m->flags;
		return 0;
	}
	for (i = 0; i < BIT(m->order); i++)
		if (p[i].kind != NPT_ABSENT)
			return -EEXIST;
	for (i = 0; i < BIT(m->order); i++)
		p[i] = (struct page){ NPT_MAPPED, m->pfn + i, m->order, m->flags };
	model_ref(p, 1);
	return 0;
}

static void model_drop(struct guest *g, u32 i)
{
	struct page *p = &g->page[i];
	u32 n, k;

	if (p->kind == NPT_MAPPED) {
		n = 1u << p->order;
		p -= i % n;
		model_ref(p, -1);
		for (k = 0; k < n; k++)
			p[k].kind = NPT_ABSENT;
	}
	p->kind = NPT_ABSENT;
}

static void check_guest(const struct guest *g)
{
	struct domain *d = domain_get(g->id);
	struct npt_leaf leaf;
	u64 mapped = 0;
	u32 i;

	if (!d)
		return;
	for (i = 0; i < GFNS; i++) {
		const struct page *p = &g->page[i];

		assert_int_equal(mmu_lookup(d, (GFN + i) << PAGE_SHIFT, &leaf), p->kind);
		if (p->kind != NPT_MAPPED)
			continue;
		mapped++;
		assert_int_equal(leaf.pfn, p->pfn);
		assert_int_equal(leaf.order, p->order);
		assert_int_equal(leaf.attr & NPT_WRITE, p->rights & BP_MAP_WRITE ? NPT_WRITE : 0);
		assert_int_equal(leaf.attr & NPT_EXEC, p->rights & BP_MAP_EXEC ? NPT_EXEC : 0);
		/* The heart of it: a guest maps nothing that is not domain 0's. */
		assert_int_equal(frame_owner(leaf.pfn), BP_OWNER_DOM0);
	}
	assert_int_equal(d->npt.mapped, mapped);
	domain_put(d);
}

static u64 all_mapped(void)
{
	u64 n = 0;
	u32 i;

	for (i = 0; i < AREA; i++)
		n += refs[i];
	for (i = 0; i < AREA / 512; i++)
		n += 512ull * block_refs[i];
	return n;
}

static void check_all(void)
{
	u64 donated = 0, nr_shared = 0;
	struct frame_stats s;
	struct npt_leaf leaf;
	u32 i;

	for (i = 0; i < AREA; i++) {
		bool mine = owner[i] == 0;

		assert_int_equal(frame_owner(BASE + i), owner[i]);
		assert_int_equal(frame_count(BASE + i), refs[i] + shared[i]);
		assert_int_equal(mmu_lookup(&dom0, (BASE + i) << PAGE_SHIFT, &leaf),
				 mine ? NPT_MAPPED : NPT_ABSENT);
		if (mine)
			assert_int_equal(leaf.pfn, BASE + i);
		donated += !mine;
		nr_shared += shared[i];
	}
	for (i = 0; i < GUESTS; i++)
		check_guest(&guests[i]);
	frames_stats(&s);
	assert_int_equal(s.donated, donated);
	assert_int_equal(s.shared, nr_shared);
	assert_int_equal(s.mapped, all_mapped());
}

/* A list to donate; true if it should be taken. */
static bool make_list(u64 *list, u32 n)
{
	static const u64 bad[] = { RIG_ACPI >> PAGE_SHIFT, RIG_POOL >> PAGE_SHIFT, 0x80000,
				   RIG_TOP >> PAGE_SHIFT, ~0ull };
	bool good = true;
	u32 i, k;

	for (i = 0; i < n; i++) {
		for (k = 0; k < 100; k++) {
			list[i] = BASE + rig_random(AREA);
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
	assert_int_equal(domain_create(list, 15), -EINVAL);
	id = domain_create(list, n);
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
		m.pfn = (rig_random(2) ? RIG_POOL : SZ_2M * 1024) >> PAGE_SHIFT;
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

static void op_unmap(struct guest *g)
{
	struct domain *d = domain_get(g->id);
	u32 first = rig_random(GFNS), n = 1 + rig_random(rig_random(4) ? 8 : GFNS), i;
	u64 done;

	if (!d)
		return;
	n = min(n, GFNS - first);
	for (i = 0; i < n; i++)
		model_drop(g, first + i);
	for (i = 0; i < n; i += done) {
		assert_int_equal(mmu_unmap(d, GFN + first + i, n - i, &done), 0);
		assert_in_range(done, 1, n - i);
	}
	domain_put(d);
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
	while ((page[n] = domain_page_alloc(d)))
		n++;
	assert_true(!g->dead || !n);
	op_map(g);
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
	else if (what < 78)
		op_unmap(g);
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
	s->mapped = dom0.npt.mapped;
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

static void all_ids(void **state __unused)
{
	u64 list[16], out[16];
	u32 n, i;
	int id;

	rig_max_order = 18;
	rig_init(false);
	for (n = 1; n < MAX_DOMAINS; n++) {
		for (i = 0; i < 16; i++)
			list[i] = BASE + n * 16 + i;
		id = domain_create(list, 16);
		assert_int_equal(id, n);
	}
	for (i = 0; i < 16; i++)
		list[i] = BASE + i;
	assert_int_equal(domain_create(list, 16), -ENOMEM);
	assert_int_equal(frame_owner(BASE), BP_OWNER_DOM0);
	assert_int_equal(domain_count(), MAX_DOMAINS - 1);

	/* An id is free only when RECLAIM has said 0. */
	assert_int_equal(domain_destroy(77), 0);
	assert_int_equal(domain_reclaim(77, out, 16), 15);
	assert_int_equal(domain_reclaim(77, out, 16), 1);
	assert_null(domain_get(77));
	assert_int_equal(domain_destroy(77), 0);
	assert_int_equal(domain_create(list, 16), -ENOMEM);
	assert_int_equal(domain_reclaim(77, out, 16), 0);
	assert_int_equal(domain_create(list, 16), 77);
	for (n = 1; n < MAX_DOMAINS; n++) {
		assert_int_equal(domain_destroy(n), 0);
		while ((id = domain_reclaim(n, out, 16)))
			assert_true(id > 0);
	}
	assert_int_equal(domain_count(), 0);
	assert_null(domain_get(0));
	assert_null(domain_get(MAX_DOMAINS));
	assert_int_equal(domain_destroy(0), -ENOENT);
	assert_int_equal(domain_donate(MAX_DOMAINS, list, 1), -ENOENT);
}

/* Bounded pieces: a big address space takes several calls to destroy. */
static void destroy_in_pieces(void **state __unused)
{
	struct bp_map m[BP_MAP_MAX];
	u64 list[64], out[64], i, k;
	struct domain *d;
	int id, calls = 0, again;

	rig_init(false);
	for (i = 0; i < 64; i++)
		list[i] = BASE + i;
	id = domain_create(list, 64);
	assert_true(id > 0);
	d = domain_get(id);
	for (i = 0; i < 4096; i += BP_MAP_MAX) {
		for (k = 0; k < BP_MAP_MAX; k++)
			m[k] = (struct bp_map){ .gfn = i + k, .pfn = BASE + 64 + i + k };
		assert_int_equal(mmu_map(d, m, BP_MAP_MAX), BP_MAP_MAX);
	}
	m[0] = (struct bp_map){ .gfn = BIT(30), .pfn = BASE + BIT(9), .order = 9 };
	assert_int_equal(mmu_map(d, m, 1), 1);
	domain_put(d);
	while ((again = domain_destroy(id))) {
		assert_int_equal(again, 1);
		calls++;
	}
	assert_in_range(calls, 4, 64);
	assert_int_equal(domain_reclaim(id, out, 64), 63);
	assert_int_equal(domain_reclaim(id, out, 64), 1);
	assert_int_equal(domain_reclaim(id, out, 64), 0);
	assert_int_equal(frame_get_mapped(BASE, 18), 0);
	frame_put(BASE, 18);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_amd),
		cmocka_unit_test(random_ept_without_1g),
		cmocka_unit_test(random_with_little_memory),
		cmocka_unit_test(all_ids),
		cmocka_unit_test(destroy_in_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
