// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames for Bedplate: a domain's tables and vCPUs live in memory that the
 * service VM donates and gets back when the domain is gone.
 *
 * A donated frame must not be touched by anybody; it carries the page type
 * "offline", so that /proc/kcore and crash dumps leave it out.  Frames are
 * taken in blocks, so that few of Bedplate's large mappings of the service VM
 * are split.
 */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "channel/hypercall.h"
#include "channel/ring.h"
#include "donate.h"

#define BP_DONATE_CHUNK		64

static const unsigned int block_orders[] = { 6, 4, 2, 0 };

static struct page *alloc_block(unsigned int max, unsigned int *order)
{
	gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_NOWARN | __GFP_NORETRY;
	struct page *page;
	int i;

	for (i = 0; i < ARRAY_SIZE(block_orders); i++) {
		*order = block_orders[i];
		if (1u << *order > max)
			continue;
		if (!*order)
			gfp = GFP_KERNEL_ACCOUNT;
		page = alloc_pages(gfp, *order);
		if (page)
			return page;
	}
	return NULL;
}

static void free_frames(const u64 *list, unsigned int n)
{
	while (n)
		__free_page(pfn_to_page(list[--n]));
}

static int alloc_frames(u64 *list, unsigned int n)
{
	unsigned int have = 0, order, i;
	struct page *page;

	while (have < n) {
		page = alloc_block(n - have, &order);
		if (!page) {
			free_frames(list, have);
			return -ENOMEM;
		}
		if (order)
			split_page(page, order);
		for (i = 0; i < 1u << order; i++)
			list[have++] = page_to_pfn(page + i);
	}
	return 0;
}

static void frames_given(struct bp_vm *vm, const u64 *list, unsigned int n)
{
	struct page *page;

	while (n) {
		page = pfn_to_page(list[--n]);
		__SetPageOffline(page);
		list_add(&page->lru, &vm->donated);
		vm->nr_donated++;
	}
}

static void frame_returned(struct bp_vm *vm, u64 pfn)
{
	struct page *page = pfn_to_page(pfn);

	list_del(&page->lru);
	vm->nr_donated--;
	__ClearPageOffline(page);
	__free_page(page);
}

int bp_domain_create(struct bp_vm *vm)
{
	u64 *list = page_address(vm->list_page);
	long ret;

	ret = alloc_frames(list, BP_DONATE_CHUNK);
	if (ret)
		return ret;
	ret = bp_hc_domain_create(page_to_pfn(vm->list_page), BP_DONATE_CHUNK,
				  current->tgid, 0);
	if (ret <= 0) {
		free_frames(list, BP_DONATE_CHUNK);
		return ret ? ret : -EIO;
	}
	frames_given(vm, list, BP_DONATE_CHUNK);
	vm->dom = ret;
	return 0;
}

int bp_donate(struct bp_vm *vm)
{
	u64 *list = page_address(vm->list_page);
	long ret;

	mutex_lock(&vm->donate_lock);
	ret = alloc_frames(list, BP_DONATE_CHUNK);
	if (ret)
		goto out;
	ret = bp_hc_donate(vm->dom, page_to_pfn(vm->list_page),
			   BP_DONATE_CHUNK);
	if (ret < 0)
		free_frames(list, BP_DONATE_CHUNK);
	else
		frames_given(vm, list, BP_DONATE_CHUNK);
out:
	mutex_unlock(&vm->donate_lock);
	return ret < 0 ? ret : 0;
}

int bp_domain_destroy(struct bp_vm *vm)
{
	u64 *list = page_address(vm->list_page);
	long ret, i;

	while ((ret = bp_hc_domain_destroy(vm->dom)) > 0)
		cond_resched();
	if (ret < 0) {
		pr_err("bedplate: domain %u cannot be destroyed: %ld\n",
		       vm->dom, ret);
		return ret;
	}
	/* No new events now; those under way must not meet the id's next user. */
	bp_ring_drain_all();

	while ((ret = bp_hc_reclaim(vm->dom, page_to_pfn(vm->list_page),
				    BP_LIST_MAX)) > 0) {
		for (i = 0; i < ret; i++)
			frame_returned(vm, list[i]);
		cond_resched();
	}
	if (ret < 0 || vm->nr_donated)
		pr_err("bedplate: domain %u keeps %u frames: %ld\n", vm->dom,
		       vm->nr_donated, ret);
	return 0;
}
