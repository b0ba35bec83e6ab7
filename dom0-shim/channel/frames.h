/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frames for Bedplate: a domain's tables and all else that Bedplate keeps for it live in
 * memory that the service VM donates, and gets back when the domain is gone.
 *
 * A donated frame must not be touched by anybody; it carries the page type "offline", so that
 * /proc/kcore and crash dumps leave it out.  Frames are taken in blocks, so that few of
 * Bedplate's large mappings of the service VM are split.
 *
 * Linux reads up to seven bytes beyond what it wants, into the next page
 * (load_unaligned_zeropad(): names, checksums).  It can bear a page fault there, but not the #GP
 * that Bedplate has for a donated frame.  So the first page of each block is not donated: it
 * stands between the others and whatever Linux has before them.
 *
 * Both modules have these, so they are inline.  Lists of frame numbers are as the hypercalls
 * want them; the list of donated pages, and of those that guard them, is under a lock of the
 * caller's.
 */
#ifndef BEDPLATE_FRAMES_H
#define BEDPLATE_FRAMES_H

#include <linux/list.h>
#include <linux/mm.h>
#include <linux/sched.h>

#define BP_DONATE_CHUNK		63	/* frames at a time: with a guard, a block */

/* A guard, and at most @max frames behind it. */
static inline struct page *bp_alloc_block(unsigned int max, gfp_t gfp, unsigned int *order)
{
	static const unsigned int orders[] = { 6, 4, 2, 1 };
	struct page *page;
	int i;

	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		*order = orders[i];
		if ((1u << *order) - 1 > max)
			continue;
		page = alloc_pages(*order > 1 ? gfp | __GFP_NOWARN | __GFP_NORETRY : gfp, *order);
		if (page)
			return page;
	}
	return NULL;
}

/* None of them is donated (any more). */
static inline void bp_free_listed(struct list_head *pages, bool may_sleep)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, pages, lru) {
		list_del(&page->lru);
		__free_page(page);
		if (may_sleep)
			cond_resched();
	}
}

static inline void bp_free_frames(const u64 *list, unsigned int n, struct list_head *guards)
{
	while (n)
		__free_page(pfn_to_page(list[--n]));
	bp_free_listed(guards, false);
}

/* 0 or -ENOMEM.  @guards is empty. */
static inline int bp_alloc_frames(u64 *list, unsigned int n, gfp_t gfp, struct list_head *guards)
{
	unsigned int have = 0, order, i;
	struct page *page;

	while (have < n) {
		page = bp_alloc_block(n - have, gfp, &order);
		if (!page) {
			bp_free_frames(list, have, guards);
			return -ENOMEM;
		}
		split_page(page, order);
		list_add(&page->lru, guards);
		for (i = 1; i < 1u << order; i++)
			list[have++] = page_to_pfn(page + i);
	}
	return 0;
}

/* Bedplate has taken them. */
static inline void bp_frames_given(struct list_head *donated, const u64 *list, unsigned int n,
				   struct list_head *guards)
{
	struct page *page;

	list_splice(guards, donated);
	while (n) {
		page = pfn_to_page(list[--n]);
		__SetPageOffline(page);
		list_add(&page->lru, donated);
	}
}

/* It has given them back: they stay listed, as others beside them may still be away. */
static inline void bp_frames_returned(const u64 *list, unsigned int n)
{
	while (n)
		__ClearPageOffline(pfn_to_page(list[--n]));
}

#endif
