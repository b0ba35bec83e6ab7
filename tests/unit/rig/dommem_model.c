// SPDX-License-Identifier: GPL-2.0-only
/* See dommem_model.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "dommem_model.h"

struct guest guests[GUESTS];
u32 owner[AREA], shared[AREA];
u32 refs[AREA], block_refs[AREA / 512];

static bool is_device(u64 pfn)
{
	return pfn >= DEVICE && pfn < DEVICE + 512;
}

static void model_ref(const struct page *p, int by)
{
	if (is_device(p->pfn))
		return;
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

bool can_donate(u64 pfn)
{
	return area_free(pfn, 0) && !shared[pfn - BASE] && !refs[pfn - BASE] &&
	       !block_refs[(pfn - BASE) / 512];
}

int model_map(struct guest *g, const struct bp_map *m)
{
	struct page *p = &g->page[m->gfn - GFN];
	u64 i;

	if (m->flags == BP_MAP_MMIO) {
		if (p->kind == NPT_MAPPED)
			return -EEXIST;
		p->kind = NPT_MARKED;
		return 0;
	}
	if (!is_device(m->pfn) && !area_free(m->pfn, m->order))
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

void model_drop(struct guest *g, u32 i)
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

void model_protect(struct guest *g, u32 i, bool small)
{
	struct page *p = &g->page[i];
	u32 n, k;

	if (p->kind != NPT_MAPPED)
		return;
	n = 1u << p->order;
	if (n == 1 || !small) {
		for (k = 0; k < n; k++)
			p[(int)k - (int)(i % n)].rights &= ~BP_MAP_WRITE;
		return;
	}
	p -= i % n;
	model_ref(p, -1);
	for (k = 0; k < n; k++) {
		p[k].order = 0;
		model_ref(&p[k], 1);
	}
	p[i % n].rights &= ~BP_MAP_WRITE;
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
		assert_int_equal(frame_owner(leaf.pfn),
				 is_device(p->pfn) ? BP_OWNER_NONE : BP_OWNER_DOM0);
		assert_int_equal(!!(leaf.attr & NPT_DEVICE), is_device(p->pfn));
	}
	assert_int_equal(npt_mapped(&d->npt), mapped);
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

void check_all(void)
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
		if (rig_io_format)
			assert_int_equal(rig_io_lookup(BASE + i, &leaf),
					 mine ? NPT_MAPPED : NPT_ABSENT);
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
