// SPDX-License-Identifier: GPL-2.0-only
/* Life of a domain's memory; the contract is in dommem.h. */
#include "dommem.h"
#include "frames.h"
#include "hv/iommu/iommu.h"
#include "lib/atomic.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "machine/debug/debug.h"
#include "machine/log.h"
#include "machine/memmap.h"
#include "machine/paging.h"
#include "machine/panic.h"
#include "mmu_priv.h"

/* Frames given back under one hold of domain 0's lock. */
#define RECLAIM_CHUNK	32

static_assert(sizeof(struct domain) <= PAGE_SIZE, "struct domain is one frame");
static_assert(BP_LIST_MAX * sizeof(u64) <= PAGE_SIZE, "a list is one frame");

/*
 * One for each domain id.  EMPTY: all frames are back, the id is held until
 * RECLAIM has said so.
 */
enum slot_state { SLOT_FREE, SLOT_USED, SLOT_EMPTY };

struct slot {
	struct spinlock op;	/* one donate, destroy or reclaim at a time */
	enum slot_state state;	/* FREE <-> others under ids_lock too; read with either lock */
	u32 refs;		/* atomic; 0 = domain_get() finds nothing */
} __aligned(CACHE_LINE);	/* each RUN takes a reference, and gives it back */

struct domain *domains[MAX_DOMAINS];
struct domain dom0;

static struct slot slots[MAX_DOMAINS] = {
	[0 ... MAX_DOMAINS - 1] = { .op = SPINLOCK_INIT(LOCK_DOMAIN_OP) },
};
static struct spinlock ids_lock = SPINLOCK_INIT(LOCK_DOMAIN_IDS);	/* guards nr_guests, and taking an id */
static u32 nr_guests;

static struct slot *slot_of(u32 id)
{
	return id && id < MAX_DOMAINS ? &slots[id] : NULL;
}

struct domain *domain_get(u32 id)
{
	struct slot *s = slot_of(id);
	u32 old, seen;

	if (!s)
		return NULL;
	for (old = READ_ONCE(s->refs); old; old = seen) {
		seen = cmpxchg(&s->refs, old, old + 1);
		if (seen == old)
			return domains[id];
	}
	return NULL;
}

void domain_put(struct domain *d)
{
	fetch_add(&slots[d->id].refs, -1u);
}

bool domain_busy(const struct domain *d)
{
	return READ_ONCE(slots[d->id].refs) > 2;
}

u32 domain_count(void)
{
	return READ_ONCE(nr_guests);
}

/* The pool: pages linked through their first word by physical address. */

static void pool_push(struct domain *d, void *page)
{
	debug_poison(page, 1, sizeof(hpa_t));
	spin_lock(&d->pool.lock);
	*(hpa_t *)page = d->pool.free;
	d->pool.free = virt_to_phys(page);
	d->pool.nr_free++;
	spin_unlock(&d->pool.lock);
}

static void *pool_pop(struct domain *d)
{
	void *page = NULL;

	spin_lock(&d->pool.lock);
	if (d->pool.free) {
		page = phys_to_virt(d->pool.free);
		d->pool.free = *(hpa_t *)page;
		d->pool.nr_free--;
	}
	spin_unlock(&d->pool.lock);
	if (page)
		debug_check_poison(page, 1, sizeof(hpa_t));
	return page;
}

void *domain_page_alloc(struct domain *d)
{
	void *page;

	if (domain_is_dom0(d))
		return page_alloc();
	if (READ_ONCE(d->phase) != DOM_LIVE)
		return NULL;		/* it would be missed at the end */
	page = pool_pop(d);
	if (page)
		memset(page, 0, PAGE_SIZE);
	return page;
}

void domain_page_free(struct domain *d, void *page)
{
	if (domain_is_dom0(d))
		page_free(page);
	else
		pool_push(d, page);
}

int domain_set_vcpu(struct domain *d, u32 index, struct vcpu *v)
{
	struct vcpu ***page;

	if (index < VCPUS_FEW) {
		WRITE_ONCE(d->few[index], v);
		return 0;
	}
	index -= VCPUS_FEW;
	page = &d->more[index / VCPUS_PAGE];
	if (!*page) {
		struct vcpu **new = domain_page_alloc(d);

		if (!new)
			return -ENOMEM;
		smp_store_release(page, new);
	}
	WRITE_ONCE((*page)[index % VCPUS_PAGE], v);
	return 0;
}

void domain_unlink_vcpus(struct domain *d)
{
	u32 i;

	for (i = 0; i < VCPU_PAGES; i++)
		if (d->more[i]) {
			d->unlinked[i] = d->more[i];
			WRITE_ONCE(d->more[i], NULL);
		}
}

void domain_free_vcpus(struct domain *d)
{
	u32 i;

	for (i = 0; i < VCPU_PAGES; i++)
		if (d->unlinked[i]) {
			domain_page_free(d, d->unlinked[i]);
			d->unlinked[i] = NULL;
		}
}

/*
 * Make the listed frames domain @id's and nobody else's: owners first, so
 * that no new mapping can begin, then domain 0's table and TLBs.  All or
 * nothing; copy[] gets the frame numbers.
 */
static int take_frames(u32 id, const u64 *list, u32 n, u64 *copy)
{
	u32 i;
	int err = 0;

	spin_lock(&dom0.lock);
	for (i = 0; i < n; i++) {
		copy[i] = READ_ONCE(list[i]);
		err = frame_donate(copy[i], id) ? -EINVAL : 0;
		if (err)
			break;
	}
	if (!err)
		err = mmu_dom0_take(copy, n);
	if (err)
		while (i--)
			frame_return(copy[i], id);
	spin_unlock(&dom0.lock);
	return err;
}

static void add_frames(struct domain *d, const u64 *pfn, u32 n)
{
	u32 i;

	for (i = 0; i < n; i++)
		pool_push(d, phys_to_virt(pfn[i] << PAGE_SHIFT));
}

/* Take a free id; 0 = none. */
static u32 id_take(void)
{
	u32 id;

	spin_lock(&ids_lock);
	for (id = 1; id < MAX_DOMAINS; id++)
		if (READ_ONCE(slots[id].state) == SLOT_FREE)
			break;
	if (id < MAX_DOMAINS) {
		WRITE_ONCE(slots[id].state, SLOT_USED);
		nr_guests++;
	} else {
		id = 0;
	}
	spin_unlock(&ids_lock);
	return id;
}

static void id_release(u32 id)
{
	spin_lock(&ids_lock);
	WRITE_ONCE(slots[id].state, SLOT_FREE);
	nr_guests--;
	spin_unlock(&ids_lock);
}

/* The domain itself in the first of its frames. */
static void make_domain(u32 id, const u64 *pfn, u32 n, bool io)
{
	struct domain *d = phys_to_virt(pfn[0] << PAGE_SHIFT);
	struct npt t;
	int err;

	memset(d, 0, PAGE_SIZE);
	d->id = id;
	d->io = io;
	d->phase = DOM_LIVE;
	spin_lock_init(&d->lock, LOCK_DOMAIN);
	spin_lock_init(&d->pool.lock, LOCK_DOMAIN_POOL);
	d->pool.total = n;
	add_frames(d, pfn + 1, n - 1);
	mmu_npt(&t, d, NULL);
	err = npt_init(&t);
	ASSERT(!err);			/* BP_DOMAIN_MIN_FRAMES saw to it */
	domains[id] = d;
	smp_store_release(&slots[id].refs, 1);
}

int domain_create(const u64 *list, u32 n, bool io)
{
	int err = -ENOMEM;
	u64 *copy;
	u32 id;

	if (n < BP_DOMAIN_MIN_FRAMES || n > BP_LIST_MAX)
		return -EINVAL;
	if (io && !iommu_caps.name)
		return -EOPNOTSUPP;
	copy = page_alloc();
	if (!copy)
		return -ENOMEM;
	id = id_take();
	if (!id)
		goto out;
	err = take_frames(id, list, n, copy);
	if (err) {
		id_release(id);
		goto out;
	}
	make_domain(id, copy, n, io);
	err = (int)id;
out:
	page_free(copy);
	return err;
}

static enum domain_phase phase_of(struct domain *d)
{
	enum domain_phase phase;

	spin_lock(&d->lock);
	phase = d->phase;
	spin_unlock(&d->lock);
	return phase;
}

static int donate_to(struct domain *d, const u64 *list, u32 n)
{
	u64 *copy;
	int err;

	if (phase_of(d) != DOM_LIVE)
		return -EINVAL;
	copy = page_alloc();
	if (!copy)
		return -ENOMEM;
	err = take_frames(d->id, list, n, copy);
	if (!err) {
		d->pool.total += n;
		add_frames(d, copy, n);
	}
	page_free(copy);
	return err;
}

int domain_donate(u32 id, const u64 *list, u32 n)
{
	struct slot *s = slot_of(id);
	struct domain *d;
	int err = -ENOENT;

	if (!n || n > BP_LIST_MAX)
		return -EINVAL;
	if (!s)
		return -ENOENT;
	spin_lock(&s->op);
	d = domain_get(id);
	if (d) {
		err = donate_to(d, list, n);
		domain_put(d);
	}
	spin_unlock(&s->op);
	return err;
}

/* All that was donated must be in the pool again, but for the domain's frame. */
static void check_leaks(const struct domain *d)
{
	if (d->pool.nr_free + 1 != d->pool.total)
		log_err("domain %u: %llu frames donated, %llu found at its end",
			d->id, d->pool.total, d->pool.nr_free + 1);
}

static int destroy_some(struct domain *d)
{
	enum domain_phase phase;
	int more;
	bool busy;

	spin_lock(&d->lock);
	phase = d->phase;
	busy = d->nr_devices;
	if (phase == DOM_LIVE && !busy)
		d->phase = DOM_DYING;
	spin_unlock(&d->lock);
	if (busy)
		return -EBUSY;
	if (phase == DOM_DEAD)
		return 0;
	if (vcpu_destroy_all(d))
		return 1;
	spin_lock(&d->lock);
	more = mmu_destroy_some(d);
	if (!more)
		d->phase = DOM_DEAD;
	spin_unlock(&d->lock);
	if (!more)
		check_leaks(d);
	return more;
}

int domain_destroy(u32 id)
{
	struct slot *s = slot_of(id);
	struct domain *d;
	int ret;

	if (!s)
		return -ENOENT;
	spin_lock(&s->op);
	d = domain_get(id);
	if (d) {
		ret = destroy_some(d);
		domain_put(d);
	} else {
		ret = READ_ONCE(s->state) == SLOT_EMPTY ? 0 : -ENOENT;
	}
	spin_unlock(&s->op);
	return ret;
}

static void give_back(u32 id, const u64 *pfn, u32 n)
{
	u32 i;

	spin_lock(&dom0.lock);
	for (i = 0; i < n; i++)
		frame_return(pfn[i], id);
	mmu_dom0_give(pfn, n);
	spin_unlock(&dom0.lock);
}

/* Up to RECLAIM_CHUNK frames of the pool, zeroed. */
static u32 reclaim_chunk(struct domain *d, u64 *out, u32 max)
{
	u64 pfn[RECLAIM_CHUNK];
	u32 n, i;

	for (n = 0; n < min(max, (u32)RECLAIM_CHUNK); n++) {
		void *page = pool_pop(d);

		if (!page)
			break;
		memset(page, 0, PAGE_SIZE);
		pfn[n] = virt_to_phys(page) >> PAGE_SHIFT;
	}
	give_back(d->id, pfn, n);
	d->pool.total -= n;
	for (i = 0; i < n; i++)
		WRITE_ONCE(out[i], pfn[i]);
	return n;
}

/* The last frame: the domain itself.  The caller's reference goes with it. */
static int reclaim_domain(struct domain *d, struct slot *s, u64 *out)
{
	u64 pfn = virt_to_phys(d) >> PAGE_SHIFT;
	u32 id = d->id;

	if (cmpxchg(&s->refs, 2, 0) != 2) {
		domain_put(d);
		return -EBUSY;
	}
	domains[id] = NULL;
	memset(d, 0, PAGE_SIZE);
	give_back(id, &pfn, 1);
	WRITE_ONCE(out[0], pfn);
	WRITE_ONCE(s->state, SLOT_EMPTY);
	return 1;
}

/* With a reference to @d, which is dropped. */
static int reclaim_from(struct domain *d, struct slot *s, u64 *out, u32 max)
{
	u32 n = 0, got;

	if (phase_of(d) != DOM_DEAD) {
		domain_put(d);
		return -EBUSY;
	}
	do {
		got = reclaim_chunk(d, out + n, max - n);
		n += got;
	} while (got && n < max);
	if (!n)
		return reclaim_domain(d, s, out);
	domain_put(d);
	return (int)n;
}

int domain_reclaim(u32 id, u64 *out, u32 max)
{
	struct slot *s = slot_of(id);
	struct domain *d;
	int ret;

	if (!max || max > BP_LIST_MAX)
		return -EINVAL;
	if (!s)
		return -ENOENT;
	spin_lock(&s->op);
	d = domain_get(id);
	if (d) {
		ret = reclaim_from(d, s, out, max);
	} else if (READ_ONCE(s->state) == SLOT_EMPTY) {
		id_release(id);
		ret = 0;
	} else {
		ret = -ENOENT;
	}
	spin_unlock(&s->op);
	return ret;
}
