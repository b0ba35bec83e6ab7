/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frames for Bedplate: a domain's tables and all else that Bedplate keeps for it live in
 * memory that the service VM donates, and gets back when the domain is gone.
 *
 * A donated frame must not be touched by anybody; it carries the page type "offline", so that
 * /proc/kcore and crash dumps leave it out.  Frames are taken in blocks, so that few of
 * Bedplate's large mappings of the service VM are split.
 *
 * Both modules have these, so they are inline.  Lists of frame numbers are as the hypercalls
 * want them; the list of donated pages is under a lock of the caller's.
 */
#ifndef BEDPLATE_FRAMES_H
#define BEDPLATE_FRAMES_H

#include <linux/list.h>
#include <linux/mm.h>

#define BP_DONATE_CHUNK		64	/* frames at a time */

static inline struct page *bp_alloc_block(unsigned int max, gfp_t gfp, unsigned int *order)
{
	static const unsigned int orders[] = { 6, 4, 2, 0 };
	struct page *page;
	int i;

	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		*order = orders[i];
		if (1u << *order > max)
			continue;
		page = alloc_pages(*order ? gfp | __GFP_NOWARN | __GFP_NORETRY : gfp, *order);
		if (page)
			return page;
	}
	return NULL;
}

static inline void bp_free_frames(const u64 *list, unsigned int n)
{
	while (n)
		__free_page(pfn_to_page(list[--n]));
}

/* 0 or -ENOMEM. */
static inline int bp_alloc_frames(u64 *list, unsigned int n, gfp_t gfp)
{
	unsigned int have = 0, order, i;
	struct page *page;

	while (have < n) {
		page = bp_alloc_block(n - have, gfp, &order);
		if (!page) {
			bp_free_frames(list, have);
			return -ENOMEM;
		}
		if (order)
			split_page(page, order);
		for (i = 0; i < 1u << order; i++)
			list[have++] = page_to_pfn(page + i);
	}
	return 0;
}

/* Bedplate has taken them. */
static inline void bp_frames_given(struct list_head *donated, const u64 *list, unsigned int n)
{
	struct page *page;

	while (n) {
		page = pfn_to_page(list[--n]);
		__SetPageOffline(page);
		list_add(&page->lru, donated);
	}
}

/* It has given them back. */
static inline void bp_frames_returned(const u64 *list, unsigned int n)
{
	struct page *page;

	while (n) {
		page = pfn_to_page(list[--n]);
		list_del(&page->lru);
		__ClearPageOffline(page);
		__free_page(page);
	}
}

#endif
