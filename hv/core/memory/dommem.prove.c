// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames that go from domain 0 to a domain and back (dommem.c).
 *
 * dommem.take: a donation takes all of the listed frames or none, whatever domain 0 writes to the
 * list meanwhile; those that it says it has taken are the domain's, as many as were listed.
 * dommem.reclaim: what is in the pool comes back one for one, each frame once, cleared before it
 * is domain 0's again; the pool counts what is left, and gives nothing that was not put in.
 *
 * The others are the steps of a domain's life, CREATE, DONATE, pages taken for tables and vCPUs and
 * given back, DESTROY, RECLAIM: each from any state that is_fine() to one that is, and so any
 * number of them in any order. It says that each frame of a domain is the domain itself, in
 * its pool, or in use, and in one of these places only; that nothing else is in the pool; and
 * that an id that is free has no frame. So none is lost, and what is Bedplate's or another
 * domain's is in nobody's reach. check_leaks() finds nothing, ever.
 *
 * Bounds: four frames that domain 0 may have, lists and pools of up to three or four; a domain is
 * made of two at least, not 16; two ids.
 * Assumed: frame_donate() and frame_return() as frames.prove.c proves them, mmu_dom0_take() by its
 * contract: so it takes domain 0's mappings, or fails; what destroys tables and vCPUs gives
 * back pages until there are none left. A page is its first word here, and
 * whether it has been cleared, but for the domain's own, which is frame 1 by name. How two hypercalls
 * interleave is left to the slot's lock.
 */
#include "stand_in.h"

/* In place of paging.h and string.h: frame n is word n, or a domain. */
#define BP_CORE_PAGING_H
#define BP_CORE_STRING_H
/* The code has three slots for ids, of which 0 is none: its array is another than the header's. */
#define domains	declared_domains
#include "memory/domain.h"
#undef domains
#undef MAX_DOMAINS
#define MAX_DOMAINS		3
#undef BP_DOMAIN_MIN_FRAMES
#define BP_DOMAIN_MIN_FRAMES	2

#define HOME	1
#define FRAMES	5	/* HOME to 4: address 0 ends a list */
static hpa_t word[FRAMES];
static struct domain home;
static bool used[FRAMES];
static u32 owner[FRAMES];

static bool creating;		/* the first frame to be looked at is the domain's own */

static inline void *phys_to_virt(hpa_t pa)
{
	prove(pa >> PAGE_SHIFT < FRAMES && creating == (pa >> PAGE_SHIFT == HOME));
	if (!creating)
		return &word[pa >> PAGE_SHIFT];
	creating = false;
	return &home;
}

static inline hpa_t virt_to_phys(const void *va)
{
	return (va == &home ? HOME : (hpa_t)((const hpa_t *)va - word)) << PAGE_SHIFT;
}

#define memset(p, c, n)	clean(p)
static inline void clean(void *page)
{
	if (page == &home)
		home = (struct domain){ 0 };
	else
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

#define GUEST	1u
#define OTHER	7u

struct iommu_caps iommu_caps;
static u64 copy[FRAMES], out[FRAMES];
static bool copy_out;		/* the page of Bedplate's own for a list is out */
static bool named;		/* the first frame of a domain is HOME */
enum { NOT_HELD, BY_TABLES, BY_VCPUS };
static u32 taker;		/* the domain that frames go to */
static u8 held[FRAMES];		/* what has it of the domain's pages */

/* ---- contracts ---- */

static u32 count(u32 dom)
{
	u32 i, n = 0;

	for (i = 0; i < FRAMES; i++)
		n += owner[i] == dom;
	return n;
}

static bool is_held(u8 by)
{
	u32 i;

	for (i = 0; i < FRAMES; i++)
		if (held[i] == by)
			return true;
	return false;
}

int frame_donate(u64 pfn, u32 dom)
{
	prove(dom0.lock.held);
	assume(!named || (count(dom) == 0) == (pfn == HOME));
	if (pfn >= FRAMES || owner[pfn] || nondet_bool())
		return -1;
	taker = owner[pfn] = dom;
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
		prove(pfn[i] < FRAMES && owner[pfn[i]] == taker);
	return nondet_bool() ? -ENOMEM : 0;
}

void mmu_dom0_give(const u64 *pfn, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++)
		prove(pfn[i] < FRAMES && !owner[pfn[i]]);
}

void *page_alloc(void)
{
	prove(!copy_out);
	copy_out = nondet_bool();
	return copy_out ? copy : NULL;
}

void page_free(void *page)
{
	prove(copy_out && page == copy);
	copy_out = false;
}

/* The only text is that of frames that are missing. */
void log_printf(int level __unused, const char *fmt __unused, ...)
{
	prove(!"a frame is lost");
}

void mmu_npt(struct npt *t, struct domain *d, struct npt_gather *g __unused)
{
	t->ctx = d;
}

static bool hold(struct domain *d, u8 by)
{
	void *page = domain_page_alloc(d);
	u64 n;

	if (!page)
		return false;
	n = virt_to_phys(page) >> PAGE_SHIFT;
	prove(d->phase == DOM_LIVE && n > HOME && n < FRAMES && owner[n] == d->id);
	prove(!held[n] && !used[n] && !word[n]);
	held[n] = by;
	used[n] = true;
	word[n] = nondet_u64();
	return true;
}

int npt_init(struct npt *t)
{
	used[HOME] = true;
	return hold(t->ctx, BY_TABLES) ? 0 : -ENOMEM;
}

/* Some of what they have, or all. */
static void let_go(struct domain *d, u8 by)
{
	u32 i;

	for (i = 0; i < FRAMES; i++)
		if (held[i] == by && nondet_bool()) {
			held[i] = NOT_HELD;
			domain_page_free(d, phys_to_virt((hpa_t)i << PAGE_SHIFT));
		}
}

int vcpu_destroy_all(struct domain *d)
{
	prove(d->phase == DOM_DYING && !d->lock.held);
	let_go(d, BY_VCPUS);
	return is_held(BY_VCPUS);
}

int mmu_destroy_some(struct domain *d)
{
	prove(d->phase == DOM_DYING && d->lock.held && !is_held(BY_VCPUS));
	let_go(d, BY_TABLES);
	return is_held(BY_TABLES);
}

/* ---- a domain in order ---- */

/* Frames of its pool by number; their sum is how many there are. */
static bool read_pool(const struct domain *d, u32 *seen)
{
	hpa_t at = d->pool.free;
	u32 i;

	for (i = 0; i < FRAMES && at; i++) {
		if (at >> PAGE_SHIFT <= HOME || at >> PAGE_SHIFT >= FRAMES)
			return false;
		seen[at >> PAGE_SHIFT]++;
		at = word[at >> PAGE_SHIFT];
	}
	return !at && d->pool.nr_free == i;
}

static bool is_fine(u32 id)
{
	const struct domain *d = domains[id];
	u32 seen[FRAMES] = { 0 }, i;

	if (slots[id].op.held || slots[id].refs > 3)
		return false;
	if (!d)
		return !count(id) && !slots[id].refs && slots[id].state != SLOT_USED;
	if (!read_pool(d, seen))
		return false;
	for (i = HOME + 1; i < FRAMES; i++)
		if (seen[i] + (held[i] != NOT_HELD) != (owner[i] == id))
			return false;
	return d == &home && d->id == id && owner[HOME] == id && used[HOME] &&
	       slots[id].refs && slots[id].state == SLOT_USED &&
	       d->pool.total == count(id) && !d->lock.held && !d->pool.lock.held &&
	       (d->phase != DOM_DEAD || !(is_held(BY_TABLES) || is_held(BY_VCPUS)));
}

static bool all_fine(void)
{
	return is_fine(1) && is_fine(2) && !dom0.lock.held && !ids_lock.held && !copy_out &&
	       nr_guests == (u32)(slots[1].state != SLOT_FREE) + (slots[2].state != SLOT_FREE);
}

static void any_pool(void)
{
	u32 i, n = (u32)any_of(0, FRAMES - 2);

	for (i = HOME + 1; i < FRAMES; i++)
		if (nondet_bool()) {
			owner[i] = GUEST;
			held[i] = nondet_bool() ? BY_TABLES : BY_VCPUS;
		}
	for (i = 0; i < n; i++) {
		copy[i] = any_of(HOME + 1, FRAMES - 1);
		assume(owner[copy[i]] != GUEST);
		owner[copy[i]] = GUEST;
	}
	add_frames(&home, copy, n);
	for (i = HOME; i < FRAMES; i++)
		used[i] = owner[i] == GUEST;
}

/* Domain 1 at any time of its life, or none. */
static void any_domain(bool there)
{
	u32 i;

	named = true;
	for (i = 0; i < FRAMES; i++)
		owner[i] = nondet_bool() ? OTHER : 0;
	owner[0] = OTHER;	/* a page at 0 is none */
	slots[1].state = !there ? nondet_bool() ? SLOT_FREE : SLOT_EMPTY : SLOT_USED;
	nr_guests = slots[1].state != SLOT_FREE;
	if (there) {
		home.id = owner[HOME] = GUEST;
		home.phase = any_of(DOM_LIVE, DOM_DEAD);
		home.nr_devices = nondet_bool();
		any_pool();
		home.pool.total = count(GUEST);
		domains[GUEST] = &home;
		slots[1].refs = 1 + nondet_bool();	/* another hypercall's */
	}
	assume(all_fine());
}

// PROVE: dommem.take prove_take --unwind 6
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

// PROVE: dommem.reclaim prove_reclaim --unwind 6
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
	u32 i, got, n = (u32)any_of(0, FRAMES - 2), max = (u32)any_of(1, FRAMES - 1);

	home.id = GUEST;
	home.pool.total = n;
	for (i = 0; i < FRAMES; i++)
		owner[i] = nondet_bool() ? OTHER : 0;
	for (i = 0; i < n; i++) {
		copy[i] = any_of(HOME + 1, FRAMES - 1);
		assume(owner[copy[i]] != GUEST);
		owner[copy[i]] = GUEST;
		used[copy[i]] = true;
	}
	add_frames(&home, copy, n);
	got = reclaim_chunk(&home, out, max);
	prove(got == min(n, max) && count(GUEST) == n - got);
	prove(home.pool.total == n - got && home.pool.nr_free == n - got);
	for (i = 0; i < got; i++)
		prove(out[i] < FRAMES && !owner[out[i]] && !used[out[i]]);
}

/* ---- the life of a domain ---- */

// PROVE: dommem.create prove_create --unwind 6
// MUTANT: hv/core/memory/dommem.c
// - 		id_release(id);
// - 		goto out;
// + 		goto out;
// MUTANT: hv/core/memory/dommem.c
// - 	d->pool.total = n;
// + 	d->pool.total = n - 1;
// MUTANT: hv/core/memory/dommem.c
// - 	add_frames(d, pfn + 1, n - 1);
// + 	add_frames(d, pfn, n);
// MUTANT: hv/core/memory/dommem.c
// - 	err = (int)id;
// - out:
// - 	page_free(copy);
// + 	return (int)id;
// + out:
// + 	page_free(copy);
void prove_create(void)
{
	u32 n = (u32)any_of(0, FRAMES - 1), was;
	int id;

	any_domain(nondet_bool());
	was = nr_guests;
	iommu_caps.name = nondet_bool() ? "unit" : NULL;
	creating = true;
	id = domain_create(told, n, nondet_bool());
	prove(all_fine());
	if (id < 0) {
		prove(nr_guests == was);
		return;
	}
	prove((id == 1 || id == 2) && nr_guests == was + 1);
	prove(n >= BP_DOMAIN_MIN_FRAMES && domains[id]->phase == DOM_LIVE && count((u32)id) == n);
}

// PROVE: dommem.donate prove_donate --unwind 6
// MUTANT: hv/core/memory/dommem.c
// - 		d->pool.total += n;
// - 		add_frames(d, copy, n);
// + 		add_frames(d, copy, n);
// MUTANT: hv/core/memory/dommem.c
// - 		add_frames(d, copy, n);
// + 		add_frames(d, list, n);
// MUTANT: hv/core/memory/dommem.c
// - 		err = donate_to(d, list, n);
// - 		domain_put(d);
// + 		err = donate_to(d, list, n);
void prove_donate(void)
{
	u32 n = (u32)any_of(0, FRAMES - 2), was, refs;
	int err;

	any_domain(nondet_bool());
	was = count(GUEST);
	refs = slots[1].refs;
	err = domain_donate(GUEST, told, n);
	prove(all_fine() && slots[1].refs == refs);
	prove(count(GUEST) == was + (err ? 0 : n));
	prove(err || home.phase == DOM_LIVE);
}

/* Tables and vCPUs take pages, as hold() wants them, and give them back. */
// PROVE: dommem.pages prove_pages --unwind 6
// MUTANT: hv/core/memory/dommem.c
// - 	if (READ_ONCE(d->phase) != DOM_LIVE)
// - 		return NULL;		/* it would be missed at the end */
// - 	page = pool_pop(d);
// + 	page = pool_pop(d);
// MUTANT: hv/core/memory/dommem.c
// - 	if (page)
// - 		memset(page, 0, PAGE_SIZE);
// - 	return page;
// + 	return page;
// MUTANT: hv/core/memory/dommem.c
// - 	d->pool.nr_free++;
// + 	;
void prove_pages(void)
{
	any_domain(true);
	if (nondet_bool())
		hold(&home, BY_TABLES);
	else
		let_go(&home, BY_TABLES);
	prove(all_fine());
}

// PROVE: dommem.destroy prove_destroy --unwind 6
// MUTANT: hv/core/memory/dommem.c
// - 	if (!more)
// - 		d->phase = DOM_DEAD;
// + 	d->phase = DOM_DEAD;
// MUTANT: hv/core/memory/dommem.c
// - 	if (vcpu_destroy_all(d))
// - 		return 1;
// + 	vcpu_destroy_all(d);
// MUTANT: hv/core/memory/dommem.c
// - 	if (phase == DOM_LIVE && !busy)
// - 		d->phase = DOM_DYING;
// + 	if (phase == DOM_LIVE)
// + 		d->phase = DOM_DYING;
void prove_destroy(void)
{
	enum domain_phase was;
	u32 refs;
	int ret;

	any_domain(nondet_bool());
	was = home.phase;
	refs = slots[1].refs;
	ret = domain_destroy(GUEST);
	prove(all_fine() && slots[1].refs == refs && home.phase >= was);
	prove(ret != -EBUSY || (home.nr_devices && home.phase == was));
	prove(ret != 1 || home.phase == DOM_DYING);
	prove(ret || !domains[GUEST] || home.phase == DOM_DEAD);
	prove(ret != -ENOENT || slots[1].state == SLOT_FREE);
}

// PROVE: dommem.return prove_return --unwind 6
// MUTANT: hv/core/memory/dommem.c
// - 	if (phase_of(d) != DOM_DEAD) {
// + 	if (phase_of(d) == DOM_LIVE) {
// MUTANT: hv/core/memory/dommem.c
// - 	if (cmpxchg(&s->refs, 2, 0) != 2) {
// + 	if (cmpxchg(&s->refs, 2, 0) < 2) {
// MUTANT: hv/core/memory/dommem.c
// - 	domains[id] = NULL;
// - 	memset(d, 0, PAGE_SIZE);
// + 	domains[id] = NULL;
// MUTANT: hv/core/memory/dommem.c
// - 	give_back(id, &pfn, 1);
// - 	WRITE_ONCE(out[0], pfn);
// + 	WRITE_ONCE(out[0], pfn);
// MUTANT: hv/core/memory/dommem.c
// - 	if (!n)
// - 		return reclaim_domain(d, s, out);
// + 	if (n < max)
// + 		return reclaim_domain(d, s, out);
// MUTANT: hv/core/memory/dommem.c
// - 		id_release(id);
// - 		ret = 0;
// + 		ret = 0;
void prove_return(void)
{
	enum slot_state was;
	u32 refs, had, i;
	int ret;

	any_domain(nondet_bool());
	was = slots[1].state;
	refs = slots[1].refs;
	had = count(GUEST);
	ret = domain_reclaim(GUEST, out, (u32)any_of(1, FRAMES - 1));
	prove(all_fine());
	prove(slots[1].refs == refs || (ret == 1 && refs == 1 && !domains[GUEST]));
	prove(count(GUEST) == had - (ret > 0 ? (u32)ret : 0));
	for (i = 0; ret > 0 && i < (u32)ret; i++)
		prove(out[i] < FRAMES && !owner[out[i]] && !used[out[i]]);
	prove(ret || (was == SLOT_EMPTY && slots[1].state == SLOT_FREE));
	prove(ret < 0 || !had || ret > 0);
}
