// SPDX-License-Identifier: GPL-2.0-only
/* The pool of 4 KiB frames: a bitmap, first fit. */
#include "pool.h"
#include "debug/debug.h"
#include "lib/string.h"
#include "memmap.h"
#include "paging.h"
#include "panic.h"
#include "spinlock.h"

static struct spinlock lock = SPINLOCK_INIT(LOCK_POOL);	/* guards all below */
static u64 *used;		/* one bit a frame, in the pool's first frames */
static u64 hint;		/* no free frame below */
static hpa_t base;
u64 pool_total, pool_free;

static bool is_used(u64 n)
{
	return used[n / 64] & BIT(n % 64);
}

void pool_init(hpa_t start, u64 frames)
{
	u64 own = ALIGN_UP(ALIGN_UP(frames, 64ull) / 8, PAGE_SIZE) >> PAGE_SHIFT;
	u64 n;

	base = start;
	used = phys_to_virt(start);
	memset(used, 0, own << PAGE_SHIFT);
	for (n = 0; n < own; n++)
		used[n / 64] |= BIT(n % 64);
	hint = own;
	pool_total = frames;
	pool_free = frames - own;
	debug_poison(used + own * PAGE_SIZE / sizeof(u64), frames - own, 0);
}

/* First of @n free frames in a row; pool_total: none. Lock held. */
static u64 find_run(u64 n)
{
	u64 at = hint, run = 0;

	while (at < pool_total) {
		if (!(at % 64) && used[at / 64] == ~0ull) {
			at += 64;
			run = 0;
			continue;
		}
		run = is_used(at) ? 0 : run + 1;
		at++;
		if (run == n)
			return at - n;
	}
	return pool_total;
}

void *pages_alloc(u32 n)
{
	u64 first, i;
	void *p;

	if (!n)
		return NULL;
	spin_lock(&lock);
	first = find_run(n);
	if (first >= pool_total) {
		spin_unlock(&lock);
		return NULL;
	}
	for (i = first; i < first + n; i++)
		used[i / 64] |= BIT(i % 64);
	if (n == 1)
		hint = first + 1;
	pool_free -= n;
	spin_unlock(&lock);
	p = phys_to_virt(base + (first << PAGE_SHIFT));
	debug_check_poison(p, n, 0);
	memset(p, 0, (u64)n << PAGE_SHIFT);
	return p;
}

void pages_free(void *pages, u32 n)
{
	hpa_t pa = virt_to_phys(pages);
	u64 first = (pa - base) >> PAGE_SHIFT, i;

	ASSERT(pa >= base && !(pa & ~PAGE_MASK) && first + n <= pool_total);
	debug_poison(pages, n, 0);
	spin_lock(&lock);
	for (i = first; i < first + n; i++) {
		ASSERT(is_used(i));
		used[i / 64] &= ~BIT(i % 64);
	}
	hint = min(hint, first);
	pool_free += n;
	spin_unlock(&lock);
}

void *page_alloc(void)
{
	return pages_alloc(1);
}

void page_free(void *page)
{
	pages_free(page, 1);
}
