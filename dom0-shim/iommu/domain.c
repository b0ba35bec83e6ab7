// SPDX-License-Identifier: GPL-2.0-only
/*
 * I/O domains: Bedplate keeps their tables, in frames that are donated as guests' are.
 *
 * Bedplate's UNMAP returns when no device uses the mapping any more, so nothing is left to be
 * flushed.  It does not say what is mapped: ->leaves knows.  Mappings come by the DMA API,
 * too, so in any context; one range is one caller's, as with every IOMMU driver.
 */
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "channel/frames.h"
#include "channel/hypercall.h"
#include "compat.h"
#include "iommu.h"

struct io_domain {
	struct iommu_domain domain;
	u32 id;			/* Bedplate's; constant */
	struct xarray leaves;	/* by iova >> 12: as leaf_entry() */
	spinlock_t lock;	/* below: */
	struct bp_map *maps;	/* the list of MAP; a page */
	struct list_head donated;
	unsigned int nr_donated;
};

static struct io_domain *to_io(struct iommu_domain *domain)
{
	return container_of(domain, struct io_domain, domain);
}

/* ---- what is mapped ---- */

#define DELTA_MASK	GENMASK_ULL(51, 0)

/* How far its frame is from its I/O page: the same all over a large leaf. */
static void *leaf_entry(u64 page, u64 pfn)
{
	return xa_mk_value((pfn - page) & DELTA_MASK);
}

static int leaf_store(struct io_domain *d, u64 page, unsigned int order, u64 pfn, gfp_t gfp)
{
	XA_STATE_ORDER(xas, &d->leaves, page, order);
	unsigned long flags;

	do {
		xas_lock_irqsave(&xas, flags);
		xas_store(&xas, leaf_entry(page, pfn));
		xas_unlock_irqrestore(&xas, flags);
	} while (xas_nomem(&xas, gfp));
	return xas_error(&xas);
}

/* A large one goes as a whole, as with Bedplate. */
static void leaves_erase(struct io_domain *d, u64 page, u64 n)
{
	unsigned long index, flags;
	void *entry;

	xa_for_each_range(&d->leaves, index, entry, page, page + n - 1) {
		xa_lock_irqsave(&d->leaves, flags);
		__xa_erase(&d->leaves, index);
		xa_unlock_irqrestore(&d->leaves, flags);
	}
}

static phys_addr_t iova_to_phys(struct iommu_domain *domain, dma_addr_t iova)
{
	u64 page = iova >> PAGE_SHIFT;
	void *entry = xa_load(&to_io(domain)->leaves, page);

	if (!entry)
		return 0;
	return ((page + xa_to_value(entry)) & DELTA_MASK) << PAGE_SHIFT | offset_in_page(iova);
}

/* ---- memory for tables ---- */

static int donate(struct io_domain *d, gfp_t gfp)
{
	u64 *list = (u64 *)__get_free_page(gfp);
	LIST_HEAD(guards);
	unsigned long flags;
	long ret;

	if (!list)
		return -ENOMEM;
	ret = bp_alloc_frames(list, BP_DONATE_CHUNK, gfp, &guards);
	if (ret)
		goto out;
	ret = bp_hc_donate(d->id, bp_pfn(list), BP_DONATE_CHUNK);
	if (ret < 0) {
		bp_free_frames(list, BP_DONATE_CHUNK, &guards);
		goto out;
	}
	spin_lock_irqsave(&d->lock, flags);
	bp_frames_given(&d->donated, list, BP_DONATE_CHUNK, &guards);
	d->nr_donated += BP_DONATE_CHUNK;
	spin_unlock_irqrestore(&d->lock, flags);
out:
	free_page((unsigned long)list);
	return ret < 0 ? ret : 0;
}

/* ---- mappings ---- */

struct run {			/* of leaves of one size, side by side on both sides */
	u64 page, pfn;
	unsigned int order, n;
	u32 flags;
};

static long map_run(struct io_domain *d, const struct run *r)
{
	unsigned long flags;
	unsigned int i;
	long ret;

	spin_lock_irqsave(&d->lock, flags);
	for (i = 0; i < r->n; i++)
		d->maps[i] = (struct bp_map){
			.gfn = r->page + ((u64)i << r->order),
			.pfn = r->pfn + ((u64)i << r->order),
			.order = r->order,
			.flags = r->flags,
		};
	ret = bp_hc_map(d->id, bp_pfn(d->maps), r->n);
	spin_unlock_irqrestore(&d->lock, flags);
	return ret;
}

static void shorten(struct run *r, struct io_domain *d, unsigned int n)
{
	if (n < r->n)
		leaves_erase(d, r->page + ((u64)n << r->order), (u64)(r->n - n) << r->order);
	r->n = n;
}

/* How many of them are mapped, from the first on, or an error if that is not. */
static long map_leaves(struct io_domain *d, struct run *r, gfp_t gfp)
{
	unsigned int i;
	long ret = 0;

	for (i = 0; i < r->n && !ret; i++)
		ret = leaf_store(d, r->page + ((u64)i << r->order), r->order,
				 r->pfn + ((u64)i << r->order), gfp);
	if (ret) {
		shorten(r, d, 0);
		return ret;
	}
	do
		ret = map_run(d, r);
	while (ret == -ENOMEM && !donate(d, gfp));
	shorten(r, d, ret < 0 ? 0 : ret);
	return ret ? ret : -EIO;
}

static int map_pages(struct iommu_domain *domain, unsigned long iova, phys_addr_t paddr,
		     size_t pgsize, size_t pgcount, int prot, gfp_t gfp, size_t *mapped)
{
	unsigned int order = __ffs(pgsize) - PAGE_SHIFT;
	struct io_domain *d = to_io(domain);
	long ret;

	if (!(prot & (IOMMU_READ | IOMMU_WRITE)))
		return -EINVAL;
	while (pgcount) {
		struct run r = {
			.page = iova >> PAGE_SHIFT,
			.pfn = paddr >> PAGE_SHIFT,
			.order = order,
			.n = min_t(size_t, pgcount, BP_MAP_MAX),
			.flags = prot & IOMMU_WRITE ? BP_MAP_WRITE : 0,
		};

		ret = map_leaves(d, &r, gfp);
		if (ret < 0)
			return ret;
		pgcount -= ret;
		iova += ret * pgsize;
		paddr += ret * pgsize;
		*mapped += ret * pgsize;
	}
	return 0;
}

/* Linux unmaps what it has mapped, so that the first page is there says that all are. */
static size_t unmap_pages(struct iommu_domain *domain, unsigned long iova, size_t pgsize,
			  size_t pgcount, struct iommu_iotlb_gather *gather)
{
	u64 page = iova >> PAGE_SHIFT, n = pgsize * pgcount >> PAGE_SHIFT, at = 0;
	struct io_domain *d = to_io(domain);
	long done;

	if (!xa_load(&d->leaves, page))
		return 0;
	for (; at < n; at += done) {
		done = bp_hc_unmap(d->id, page + at, n - at);
		if (WARN_ON_ONCE(done <= 0))
			break;
	}
	at = min(at, n);
	if (at)
		leaves_erase(d, page, at);
	return at << PAGE_SHIFT;
}

/* ---- life ---- */

static int attach(struct iommu_domain *domain, struct device *dev BP_OLD_DOMAIN)
{
	return bp_io_attach(dev, to_io(domain)->id);
}

static bool enforce_coherency(struct iommu_domain *domain)
{
	return bp_io_info & BP_IO_COHERENT;
}

static int create(struct io_domain *d)
{
	u64 *list = (u64 *)d->maps;
	LIST_HEAD(guards);
	long ret;

	ret = bp_alloc_frames(list, BP_DONATE_CHUNK, GFP_KERNEL_ACCOUNT, &guards);
	if (ret)
		return ret;
	ret = bp_hc_domain_create(bp_pfn(list), BP_DONATE_CHUNK, current->tgid, BP_DOMAIN_IO);
	if (ret <= 0) {
		bp_free_frames(list, BP_DONATE_CHUNK, &guards);
		return ret ? ret : -EIO;
	}
	bp_frames_given(&d->donated, list, BP_DONATE_CHUNK, &guards);
	d->nr_donated = BP_DONATE_CHUNK;
	d->id = ret;
	return 0;
}

/* No device is attached.  false: Bedplate keeps it, and its frames. */
static bool destroy(struct io_domain *d)
{
	u64 *list = (u64 *)d->maps;
	long ret;

	while ((ret = bp_hc_domain_destroy(d->id)) > 0)
		cond_resched();
	if (ret < 0) {
		pr_err("bedplate_iommu: domain %u cannot be destroyed: %ld\n", d->id, ret);
		return false;
	}
	while ((ret = bp_hc_reclaim(d->id, bp_pfn(list), BP_LIST_MAX)) > 0) {
		bp_frames_returned(list, ret);
		d->nr_donated -= ret;
		cond_resched();
	}
	if (ret < 0 || d->nr_donated)
		pr_err("bedplate_iommu: domain %u keeps %u frames: %ld\n", d->id,
		       d->nr_donated, ret);
	else
		bp_free_listed(&d->donated, true);
	return true;
}

static void domain_free(struct iommu_domain *domain)
{
	struct io_domain *d = to_io(domain);

	if (!destroy(d))
		return;		/* lost, rather than used again */
	xa_destroy(&d->leaves);
	free_page((unsigned long)d->maps);
	kfree(d);
}

const struct iommu_domain_ops bp_io_domain_ops = {
	.attach_dev = attach,
	.map_pages = map_pages,
	.unmap_pages = unmap_pages,
	.iova_to_phys = iova_to_phys,
	.enforce_cache_coherency = enforce_coherency,
	.free = domain_free,
};

static unsigned long page_sizes(void)
{
	unsigned int largest = bp_io_info >> BP_IO_ORDER_SHIFT & 0xff, order;
	unsigned long sizes = 0;

	for (order = 0; order <= largest; order += 9)
		sizes |= PAGE_SIZE << order;
	return sizes;
}

struct iommu_domain *bp_io_domain_alloc(struct device *dev)
{
	struct io_domain *d = kzalloc(sizeof(*d), GFP_KERNEL_ACCOUNT);
	int ret = -ENOMEM;

	if (!d)
		return ERR_PTR(-ENOMEM);
	d->maps = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!d->maps)
		goto free;
	spin_lock_init(&d->lock);
	INIT_LIST_HEAD(&d->donated);
	xa_init_flags(&d->leaves, XA_FLAGS_LOCK_IRQ);
	d->domain.pgsize_bitmap = page_sizes();
	d->domain.geometry.aperture_end = DMA_BIT_MASK(48);
	d->domain.geometry.force_aperture = true;
	ret = create(d);
	if (!ret)
		return &d->domain;
	free_page((unsigned long)d->maps);
free:
	kfree(d);
	return ERR_PTR(ret);
}
