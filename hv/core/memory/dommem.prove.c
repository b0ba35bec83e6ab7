// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames that go from domain 0 to a domain's pool and back (dommem.c).
 *
 * dommem.take: a donation takes all of the listed frames or none, whatever domain 0 writes to the
 * list meanwhile; those that it says it has taken are the domain's, as many as were listed.
 * dommem.reclaim: what is in the pool comes back one for one, each frame once, cleared before it
 * is domain 0's again; the pool counts what is left, and gives nothing that was not put in.
 *
 * Bounds: three frames that domain 0 may have, lists and pools of up to three.
 * Assumed: frame_donate() and frame_return() as frames.prove.c proves them, mmu_dom0_take() by its
 * contract: so it takes domain 0's mappings, or fails. A page is its first word here, and
 * whether it has been cleared. How two hypercalls interleave is left to the slot's lock.
 */
#include "stand_in.h"

/* In place of paging.h and string.h: frame n is word n. */
#define BP_CORE_PAGING_H
#define BP_CORE_STRING_H
#include "lib/types.h"

#define FRAMES	4	/* 1 to 3: address 0 ends a list */
static hpa_t word[FRAMES];
static bool used[FRAMES];
static u32 owner[FRAMES];

static inline void *phys_to_virt(hpa_t pa)
{
	prove(pa >> PAGE_SHIFT < FRAMES);
	return &word[pa >> PAGE_SHIFT];
}

static inline hpa_t virt_to_phys(const void *va)
{
	return (hpa_t)((const hpa_t *)va - word) << PAGE_SHIFT;
}

#define memset(p, c, n)	clean(p)
static inline void clean(void *page)
{
	*(hpa_t *)page = 0;
	used[virt_to_phys(page) >> PAGE_SHIFT] = false;
}

/* Domain 0 writes to a list at any time. */
static u64 told[FRAMES];
static void changes(void)
{
	u32 i;

	for (i = 0; i < FRAMES; i++)
		told[i] = nondet_u64();
}

#include "lib/atomic.h"
#undef READ_ONCE
#define READ_ONCE(x)	({ changes(); (x); })

#undef static_assert
#define static_assert(...)	struct none

#include "dommem.c"

// CFLAGS: -include core_host.h -iquote hv/core/memory

#define GUEST	5u
#define OTHER	7u

static u64 copy[FRAMES], out[FRAMES];
static struct domain guest;

/* ---- contracts ---- */

int frame_donate(u64 pfn, u32 dom)
{
	prove(dom0.lock.held);
	if (pfn >= FRAMES || owner[pfn] || nondet_bool())
		return -1;
	owner[pfn] = dom;
	return 0;
}

void frame_return(u64 pfn, u32 dom)
{
	prove(dom0.lock.held && pfn < FRAMES && owner[pfn] == dom && !used[pfn]);
	owner[pfn] = 0;
}

int mmu_dom0_take(const u64 *pfn, u32 n)
{
	u32 i;

	prove(dom0.lock.held);
	for (i = 0; i < n; i++)
		prove(pfn[i] < FRAMES && owner[pfn[i]] == GUEST);
	return nondet_bool() ? -ENOMEM : 0;
}

void mmu_dom0_give(const u64 *pfn, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++)
		prove(pfn[i] < FRAMES && !owner[pfn[i]]);
}

static u32 count(u32 dom)
{
	u32 i, n = 0;

	for (i = 0; i < FRAMES; i++)
		n += owner[i] == dom;
	return n;
}

// PROVE: dommem.take prove_take --unwind 5
// MUTANT: hv/core/memory/dommem.c
// - 		while (i--)
// + 		while (i && --i)
// MUTANT: hv/core/memory/dommem.c
// - 		err = frame_donate(copy[i], id) ? -EINVAL : 0;
// + 		err = frame_donate(READ_ONCE(list[i]), id) ? -EINVAL : 0;
// MUTANT: hv/core/memory/dommem.c
// - 		err = mmu_dom0_take(copy, n);
// + 		err = mmu_dom0_take(list, n);
// MUTANT: hv/core/memory/dommem.c
// - 	if (!err)
// - 		err = mmu_dom0_take(copy, n);
// - 	if (err)
// + 	if (!err)
// + 		err = mmu_dom0_take(copy, n);
// + 	else
void prove_take(void)
{
	u32 was[FRAMES], i, n = (u32)any_of(0, FRAMES - 1);
	int err;

	for (i = 0; i < FRAMES; i++)
		was[i] = owner[i] = nondet_bool() ? OTHER : 0;
	err = take_frames(GUEST, told, n, copy);
	prove(!dom0.lock.held && count(GUEST) == (err ? 0 : n));
	for (i = 0; i < FRAMES; i++) {
		prove(owner[i] == was[i] || (!err && !was[i] && owner[i] == GUEST));
		prove(err || i >= n || owner[copy[i]] == GUEST);
	}
}

// PROVE: dommem.reclaim prove_reclaim --unwind 5
// MUTANT: hv/core/memory/dommem.c
// - 		memset(page, 0, PAGE_SIZE);
// - 		pfn[n] =
// + 		pfn[n] =
// MUTANT: hv/core/memory/dommem.c
// - 		d->pool.free = *(hpa_t *)page;
// + 		d->pool.free = 0;
// MUTANT: hv/core/memory/dommem.c
// - 	*(hpa_t *)page = d->pool.free;
// + 	*(hpa_t *)page = 0;
// MUTANT: hv/core/memory/dommem.c
// - 		d->pool.nr_free--;
// + 		d->pool.nr_free = 0;
// MUTANT: hv/core/memory/dommem.c
// - 	d->pool.total -= n;
// + 	d->pool.total--;
// MUTANT: hv/core/memory/dommem.c
// - 		frame_return(pfn[i], id);
// - 	mmu_dom0_give(pfn, n);
// + 		frame_return(pfn[0], id);
// + 	mmu_dom0_give(pfn, n);
void prove_reclaim(void)
{
	u32 i, got, n = (u32)any_of(0, FRAMES - 1), max = (u32)any_of(1, FRAMES - 1);

	guest.id = GUEST;
	guest.pool.total = n;
	for (i = 0; i < FRAMES; i++)
		owner[i] = nondet_bool() ? OTHER : 0;
	for (i = 0; i < n; i++) {
		copy[i] = any_of(1, FRAMES - 1);	/* a page at 0 is none */
		assume(owner[copy[i]] != GUEST);
		owner[copy[i]] = GUEST;
		used[copy[i]] = true;
	}
	add_frames(&guest, copy, n);
	got = reclaim_chunk(&guest, out, max);
	prove(got == min(n, max) && count(GUEST) == n - got);
	prove(guest.pool.total == n - got && guest.pool.nr_free == n - got);
	for (i = 0; i < got; i++)
		prove(out[i] < FRAMES && !owner[out[i]] && !used[out[i]]);
}
