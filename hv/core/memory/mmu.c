// SPDX-License-Identifier: GPL-2.0-only
/* Mapping, unmapping and TLB coherence; the contract is in mmu.h. */
#include "frames.h"
#include "hv/iommu/iommu.h"
#include "lib/atomic.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/x86.h"
#include "machine/lapic.h"
#include "machine/limits.h"
#include "machine/paging.h"
#include "machine/panic.h"
#include "mmu_priv.h"

#define MAP_FLAGS	(BP_MAP_WRITE | BP_MAP_EXEC | BP_MAP_GUEST_PAT)

/*
 * Domain 0 sees MMIO up to here.  With 1 GiB leaves that is all that four levels
 * reach.  Both ways it takes 512 tables at most.
 */
#define LIMIT_BITS_1G	48u
#define LIMIT_BITS_2M	39u

static_assert(BP_GFN_BITS == NPT_GFN_BITS, "the shim's slots end where tables do");

static const struct npt_format *format;
static u32 max_order;
static u32 phys_bits;

void mmu_init(const struct npt_format *f)
{
	format = f;
	max_order = format->max_order();
	phys_bits = limits_phys_bits();
}

u64 mmu_dom0_limit(void)
{
	u32 bits = min(phys_bits, max_order == 18 ? LIMIT_BITS_1G : LIMIT_BITS_2M);

	return max(BIT(bits - PAGE_SHIFT), frames_top());
}

u64 mmu_phys_end(void)
{
	return BIT(phys_bits);
}

static void *npt_page_alloc(void *ctx)
{
	return domain_page_alloc(ctx);
}

void mmu_npt_io(struct npt *t, struct domain *d, struct npt_root *root, struct npt_gather *g)
{
	*t = (struct npt){
		.fmt = iommu_caps.format,
		.root = root,
		.gather = g,
		.page_alloc = npt_page_alloc,
		.ctx = d,
		.part = frame_split,
		.max_order = iommu_caps.max_order,
		.noncoherent = iommu_caps.noncoherent,
	};
	if (g)
		npt_gather_init(g);
}

void mmu_npt(struct npt *t, struct domain *d, struct npt_gather *g)
{
	if (d->io) {
		mmu_npt_io(t, d, &d->npt, g);
		return;
	}
	*t = (struct npt){
		.fmt = format,
		.root = &d->npt,
		.gather = g,
		.page_alloc = npt_page_alloc,
		.ctx = d,
		.part = domain_is_dom0(d) ? NULL : frame_split,
		.max_order = max_order,
		.identity = domain_is_dom0(d),
	};
	if (g)
		npt_gather_init(g);
}

/* @t, made by mmu_npt(), is to be that of @gfn.  Result: the frame's number there. */
static u64 use_space_of(struct npt *t, struct domain *d, u64 gfn)
{
	t->root = gfn & GFN_SMM ? &d->smm : &d->npt;
	return gfn & ~GFN_SMM;
}

/* Is @c in guest mode with translations of @d older than @gen? */
static bool uses_old(const struct cpu *c, const struct domain *d, u64 gen)
{
	return smp_load_acquire(&c->guest_dom) == d && READ_ONCE(c->guest_gen) < gen;
}

void mmu_flush_domain(struct domain *d)
{
	u64 gen = fetch_add(&d->tlb_gen, 1) + 1;
	struct cpu *self = this_cpu();
	u32 i;

	smp_mb();
	for (i = 0; i < nr_cpus; i++)
		if (cpus[i] != self && uses_old(cpus[i], d, gen))
			lapic_send_ipi(cpus[i]->apic_id, VECTOR_KICK);
	for (i = 0; i < nr_cpus; i++)
		while (cpus[i] != self && uses_old(cpus[i], d, gen))
			__builtin_ia32_pause();
}

void mmu_gather_finish(struct npt *t, struct domain *d)
{
	struct npt_gather *g = t->gather;
	u32 i;

	if (g->flush && t->fmt != format)
		iommu_flush(IOMMU_TAG(d->id));
	else if (g->flush)
		mmu_flush_domain(d);
	for (i = 0; i < g->nr_leaves; i++)
		frame_put(NPT_GATHER_PFN(g->leaf[i]), NPT_GATHER_ORDER(g->leaf[i]));
	for (i = 0; i < g->nr_tables; i++)
		domain_page_free(d, phys_to_virt(g->table[i]));
	npt_gather_init(g);
}

/* Frames that are no RAM: domain 0's to give if it has them itself, in one leaf. */
static int map_device(struct npt *t, u64 gfn, const struct bp_map *m, u32 rights)
{
	struct npt_leaf leaf;

	if (mmu_lookup(&dom0, m->pfn << PAGE_SHIFT, &leaf) != NPT_MAPPED ||
	    !(leaf.attr & NPT_DEVICE) || leaf.order < m->order)
		return -EPERM;
	return npt_map(t, gfn, m->pfn, m->order,
		       rights | NPT_DEVICE | NPT_MT(NPT_MT_UC), NULL);
}

/* A reference to the frames first, so that no leaf is ever without one. */
static int map_memory(struct npt *t, u64 gfn, const struct bp_map *m)
{
	u32 memtype = m->flags & BP_MAP_GUEST_PAT ? NPT_MT_WB : NPT_MT_WB_ONLY;
	u32 rights = 0;
	bool added;
	int err;

	if (m->order != 0 && m->order != 9 && m->order != 18)
		return -EINVAL;
	if (m->pfn & (BIT(m->order) - 1))
		return -EINVAL;
	if (m->flags & BP_MAP_WRITE)
		rights |= NPT_WRITE;
	if (m->flags & BP_MAP_EXEC)
		rights |= NPT_EXEC;
	if (frame_owner(m->pfn) == BP_OWNER_NONE)
		return map_device(t, gfn, m, rights);
	err = frame_get_mapped(m->pfn, m->order);
	if (err)
		return err;
	err = npt_map(t, gfn, m->pfn, m->order, rights | NPT_MT(memtype), &added);
	if (!added)
		frame_put(m->pfn, m->order);
	return err;
}

static int map_one(struct npt *t, struct domain *d, const struct bp_map *m)
{
	u64 gfn;
	int err;

	if (d->io && (m->gfn & GFN_SMM || m->flags == BP_MAP_MMIO))
		return -EINVAL;
	gfn = use_space_of(t, d, m->gfn);
	err = t->root->table ? 0 : npt_init(t);
	if (err)
		return err;
	if (m->flags == BP_MAP_MMIO)
		return m->order ? -EINVAL : npt_mark(t, gfn);
	if (m->flags & ~MAP_FLAGS)
		return -EINVAL;
	return map_memory(t, gfn, m);
}

int mmu_map(struct domain *d, const struct bp_map *maps, u32 n)
{
	struct npt_gather g;
	struct npt t;
	int err = 0;
	u32 i;

	if (!n || n > BP_MAP_MAX || domain_is_dom0(d))
		return -EINVAL;
	mmu_npt(&t, d, &g);
	spin_lock(&d->lock);
	if (d->phase != DOM_LIVE)
		err = -EINVAL;
	for (i = 0; i < n && !err && npt_gather_room(&g); i++) {
		struct bp_map m = {
			.gfn = READ_ONCE(maps[i].gfn),
			.pfn = READ_ONCE(maps[i].pfn),
			.order = READ_ONCE(maps[i].order),
			.flags = READ_ONCE(maps[i].flags),
		};

		err = map_one(&t, d, &m);
		if (err)
			break;
	}
	mmu_gather_finish(&t, d);
	spin_unlock(&d->lock);
	return i ? (int)i : err;
}

enum cut { CUT_ALL, CUT_WRITE };

static int cut(struct domain *d, u64 gfn, u64 npages, enum cut what, u64 flags, u64 *done)
{
	struct npt_gather g;
	struct npt t;
	int err = 0;

	*done = 0;
	if (domain_is_dom0(d) || !npages)
		return -EINVAL;
	if (d->io && (gfn & GFN_SMM || what != CUT_ALL))
		return -EINVAL;
	mmu_npt(&t, d, &g);
	t.log = flags & BP_PROTECT_LOG;
	spin_lock(&d->lock);
	gfn = use_space_of(&t, d, gfn);
	if (!t.root->table)
		*done = npages;		/* torn down meanwhile, or never used */
	else if (what == CUT_ALL)
		err = npt_unmap(&t, gfn, npages, done);
	else
		err = npt_protect(&t, gfn, npages, flags & BP_PROTECT_SPLIT, done);
	mmu_gather_finish(&t, d);
	spin_unlock(&d->lock);
	return err;
}

int mmu_unmap(struct domain *d, u64 gfn, u64 npages, u64 *done)
{
	return cut(d, gfn, npages, CUT_ALL, 0, done);
}

int mmu_protect(struct domain *d, u64 gfn, u64 npages, u64 flags, u64 *done)
{
	return cut(d, gfn, npages, CUT_WRITE, flags, done);
}

void mmu_log_end(struct domain *d, gpa_t gpa)
{
	struct npt t;

	mmu_npt(&t, d, NULL);
	npt_log_end(&t, use_space_of(&t, d, gpa >> PAGE_SHIFT));
}

int mmu_smm_init(struct domain *d)
{
	int err = -EINVAL;
	struct npt t;

	mmu_npt(&t, d, NULL);
	use_space_of(&t, d, GFN_SMM);
	spin_lock(&d->lock);
	if (d->phase == DOM_LIVE)
		err = d->smm.table ? 0 : npt_init(&t);
	spin_unlock(&d->lock);
	return err;
}

int mmu_map_apic(struct domain *d, gpa_t gpa, hpa_t hpa)
{
	u32 attr = NPT_WRITE | NPT_DEVICE | NPT_MT(NPT_MT_WB_ONLY);
	u64 gfn = gpa >> PAGE_SHIFT, done;
	struct npt_gather g;
	struct npt_leaf leaf;
	struct npt t;
	int err = -EEXIST;

	mmu_npt(&t, d, &g);
	spin_lock(&d->lock);
	if (d->phase == DOM_LIVE && !d->apic_bars) {
		if (npt_lookup(&t, gfn, &leaf) == NPT_MARKED)
			npt_unmap(&t, gfn, 1, &done);
		err = npt_map(&t, gfn, hpa >> PAGE_SHIFT, 0, attr, NULL);
	}
	mmu_gather_finish(&t, d);
	spin_unlock(&d->lock);
	return err;
}

/* A guest's memory at that address has nothing to do with it and stays. */
void mmu_bar_apic(struct domain *d, gpa_t gpa)
{
	u64 gfn = gpa >> PAGE_SHIFT, done;
	struct npt_gather g;
	struct npt_leaf leaf;
	struct npt t;

	mmu_npt(&t, d, &g);
	spin_lock(&d->lock);
	d->apic_bars++;
	if (npt_lookup(&t, gfn, &leaf) == NPT_MAPPED && (leaf.attr & NPT_DEVICE))
		npt_unmap(&t, gfn, 1, &done);
	mmu_gather_finish(&t, d);
	spin_unlock(&d->lock);
}

void mmu_unbar_apic(struct domain *d)
{
	spin_lock(&d->lock);
	ASSERT(d->apic_bars);
	d->apic_bars--;
	spin_unlock(&d->lock);
}

int mmu_destroy_some(struct domain *d)
{
	struct npt_gather g;
	struct npt t;
	u64 done;
	int err;

	if (!d->npt.table && !d->smm.table)
		return 0;
	mmu_npt(&t, d, &g);
	use_space_of(&t, d, d->smm.table ? GFN_SMM : 0);
	err = npt_unmap(&t, 0, BIT(NPT_GFN_BITS), &done);
	ASSERT(!err);
	mmu_gather_finish(&t, d);
	if (done < BIT(NPT_GFN_BITS))
		return 1;
	npt_fini(&t);
	mmu_gather_finish(&t, d);
	ASSERT(!npt_mapped(t.root) && !t.root->tables);
	return t.root != &d->npt;
}

enum npt_kind mmu_lookup(struct domain *d, gpa_t gpa, struct npt_leaf *leaf)
{
	enum npt_kind kind;
	struct npt t;

	mmu_npt(&t, d, NULL);
	spin_lock(&d->lock);
	kind = npt_lookup(&t, use_space_of(&t, d, gpa >> PAGE_SHIFT), leaf);
	spin_unlock(&d->lock);
	return kind;
}

/*
 * The leaf around @gpa, by the direct map; false if Bedplate may not touch it
 * for the guest.  d->lock held.  A frame in a guest's table is referenced by it
 * and so is RAM of domain 0; domain 0's own table holds devices too, and a
 * leaf of it frames of many owners.
 */
static bool view_leaf(struct guest_view *w, gpa_t gpa, bool write)
{
	struct domain *d = w->dom;
	struct npt_leaf leaf;
	u64 inside;
	struct npt t;

	w->size = 0;
	mmu_npt(&t, d, NULL);
	use_space_of(&t, d, w->space >> PAGE_SHIFT);
	if (npt_lookup(&t, gpa >> PAGE_SHIFT, &leaf) != NPT_MAPPED)
		return false;
	if (write && !(leaf.attr & NPT_WRITE))
		return false;
	if (!domain_is_dom0(d) && (leaf.attr & NPT_DEVICE))
		return false;
	if (domain_is_dom0(d)) {
		if (frame_owner(leaf.pfn) != BP_OWNER_DOM0)
			return false;
		leaf.order = 0;
	}
	w->size = PAGE_SIZE << leaf.order;
	inside = gpa & (w->size - 1);
	w->first = gpa - inside;
	w->base = phys_to_virt((leaf.pfn << PAGE_SHIFT) + (gpa & ~PAGE_MASK) - inside);
	return true;
}

void guest_view_begin(struct guest_view *w, struct domain *d, u64 space)
{
	w->dom = d;
	w->space = space;
	w->first = w->size = 0;
	spin_lock(&d->lock);
}

void guest_view_end(struct guest_view *w)
{
	spin_unlock(&w->dom->lock);
}

int guest_view_read(struct guest_view *w, gpa_t gpa, void *buf, u32 len)
{
	u8 *to = buf;
	u32 n;

	for (; len; gpa += n, to += n, len -= n) {
		if (gpa - w->first >= w->size && !view_leaf(w, gpa, false))
			return -EFAULT;
		n = min((u64)len, w->size - (gpa - w->first));
		memcpy(to, w->base + (gpa - w->first), n);
	}
	return 0;
}

int guest_read(struct domain *d, gpa_t gpa, void *buf, u32 len)
{
	struct guest_view w;
	int err;

	guest_view_begin(&w, d, 0);
	err = guest_view_read(&w, gpa, buf, len);
	guest_view_end(&w);
	return err;
}

int guest_xchg(struct domain *d, gpa_t gpa, u8 val, u8 *old)
{
	struct guest_view w;
	int err = -EFAULT;

	guest_view_begin(&w, d, 0);
	if (view_leaf(&w, gpa, true)) {
		*old = xchg(w.base + (gpa - w.first), val);
		err = 0;
	}
	guest_view_end(&w);
	return err;
}

int guest_write(struct domain *d, gpa_t gpa, const void *buf, u32 len)
{
	const u8 *from = buf;
	struct guest_view w;
	int err = 0;
	u32 n;

	guest_view_begin(&w, d, 0);
	for (; len; gpa += n, from += n, len -= n) {
		if (!view_leaf(&w, gpa, true)) {
			err = -EFAULT;
			break;
		}
		n = min((u64)len, w.size - (gpa - w.first));
		memcpy(w.base + (gpa - w.first), from, n);
	}
	guest_view_end(&w);
	return err;
}

/* Where @gpa is, writable; NULL: it is not.  d->lock held, under which translations go. */
static u8 *kept_place(struct domain *d, struct guest_kept *k, gpa_t gpa)
{
	struct guest_view w = { .dom = d };

	if (likely(k->at && k->gpa == gpa && k->gen == d->tlb_gen))
		return k->at;
	k->gpa = gpa;
	k->gen = d->tlb_gen;
	k->at = view_leaf(&w, gpa, true) ? w.base + (gpa - w.first) : NULL;
	return k->at;
}

int guest_read_kept(struct domain *d, struct guest_kept *k, gpa_t gpa, void *buf, u32 len)
{
	const u8 *from;

	spin_lock(&d->lock);
	from = kept_place(d, k, gpa);
	if (from)
		memcpy(buf, from, len);
	spin_unlock(&d->lock);
	return from ? 0 : guest_read(d, gpa, buf, len);
}

int guest_write_kept(struct domain *d, struct guest_kept *k, gpa_t gpa, const void *buf, u32 len)
{
	u8 *to;

	spin_lock(&d->lock);
	to = kept_place(d, k, gpa);
	if (to)
		memcpy(to, buf, len);
	spin_unlock(&d->lock);
	return to ? 0 : -EFAULT;
}
