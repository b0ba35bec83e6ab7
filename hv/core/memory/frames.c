// SPDX-License-Identifier: GPL-2.0-only
/*
 * The frame table; the contract and the invariants are in frames.h.
 *
 * One word for each frame and each block, each changed by compare-and-swap:
 *   bits 63:32	frame: owner (0 = domain 0)
 *		block: how many of its frames are not domain 0's
 *   bits 31:0	references
 * So "the upper half is 0" means "all of it is domain 0's" at every level.
 */
#include "frames.h"
#include "lib/atomic.h"
#include "lib/errno.h"
#include "machine/panic.h"

#define LEVELS		3		/* 4 KiB, 2 MiB, 1 GiB */
#define ORDER(level)	(9 * (level))
#define MAX_RANGES	768		/* IOMMUs, and a page for each host bridge */

#define UPPER_ONE	BIT(32)
#define upper(w)	((u32)((w) >> 32))
#define lower(w)	((u32)(w))
#define make_word(up)	((u64)(u32)(up) << 32)

static u64 *words[LEVELS];
static u64 frames_end;
static struct frame_stats stats __aligned(CACHE_LINE);

static struct {
	u64 start, end;
} ranges[MAX_RANGES];
static u32 nr_ranges;

static inline u64 *word_of(u64 pfn, u32 level)
{
	return &words[level][pfn >> ORDER(level)];
}

static u64 words_of_level(u64 top, u32 level)
{
	return (top + BIT(ORDER(level)) - 1) >> ORDER(level);
}

u64 frames_bytes(u64 top)
{
	u64 n = 0;
	u32 level;

	for (level = 0; level < LEVELS; level++)
		n += words_of_level(top, level);
	return ALIGN_UP(n * sizeof(u64), PAGE_SIZE);
}

void frames_init(void *mem, u64 top)
{
	u64 *p = mem;
	u32 level;

	for (level = 0; level < LEVELS; level++) {
		u64 n = words_of_level(top, level), i;

		words[level] = p;
		p += n;
		for (i = 0; i < n; i++)
			words[level][i] = make_word(level ? BIT(ORDER(level)) :
						    BP_OWNER_NONE);
	}
	frames_end = top;
	stats = (struct frame_stats){ 0 };
}

/* [pfn, stop) lies in one block of 2 MiB: there are terabytes to do. */
static void set_in_block(u64 pfn, u64 stop, u32 owner)
{
	u32 level, gone = 0;	/* frames that are no longer domain 0's, modulo 2^32 */
	u64 i, *w;

	for (i = pfn; i < stop; i++) {
		w = word_of(i, 0);
		gone += (upper(*w) == BP_OWNER_DOM0) - (owner == BP_OWNER_DOM0);
		*w = make_word(owner);
	}
	for (level = 1; level < LEVELS; level++)
		*word_of(pfn, level) += make_word(gone);
}

void frames_set(u64 pfn, u64 n, u32 owner)
{
	u64 end = pfn + min(n, frames_end), stop;

	end = min(end, frames_end);
	for (; pfn < end; pfn = stop) {
		stop = min(end, ALIGN_DOWN(pfn, BIT(ORDER(1))) + BIT(ORDER(1)));
		set_in_block(pfn, stop, owner);
	}
}

u64 frames_alike(u64 pfn)
{
	u64 next = pfn + 1, stop = ALIGN_UP(next, BIT(ORDER(1)));
	u32 level;

	for (level = LEVELS - 1; level; level--)
		if (!upper(*word_of(pfn, level)))
			return ALIGN_DOWN(pfn, BIT(ORDER(level))) + BIT(ORDER(level));
	/* Holes may be as big as RAM. */
	while (next < stop && frame_owner(next) == frame_owner(pfn))
		next++;
	return next;
}

u64 frames_top(void)
{
	return frames_end;
}

u32 frame_owner(u64 pfn)
{
	return pfn < frames_end ? upper(READ_ONCE(*word_of(pfn, 0))) : BP_OWNER_NONE;
}

u32 frame_count(u64 pfn)
{
	return pfn < frames_end ? lower(READ_ONCE(*word_of(pfn, 0))) : 0;
}

/* One more reference, if all is domain 0's. */
static int get(u64 pfn, u32 level)
{
	u64 *w = word_of(pfn, level), old = READ_ONCE(*w), seen;

	for (;;) {
		if (upper(old))
			return -EPERM;
		if (lower(old) == UINT32_MAX)
			return -EBUSY;
		seen = cmpxchg(w, old, old + 1);
		if (seen == old)
			return 0;
		old = seen;
	}
}

static void put(u64 pfn, u32 level)
{
	u64 old = fetch_add(word_of(pfn, level), -1ull);

	ASSERT(lower(old) && !upper(old));
}

int frame_get_mapped(u64 pfn, u32 order)
{
	int err;

	if (pfn >= frames_end)
		return -EPERM;
	err = get(pfn, order / 9);
	if (!err)
		fetch_add(&stats.mapped, BIT(order));
	return err;
}

void frame_put(u64 pfn, u32 order)
{
	put(pfn, order / 9);
	fetch_add(&stats.mapped, -BIT(order));
}

int frame_split(u64 pfn, u32 order)
{
	u32 level = order / 9 - 1, i;
	int err;

	for (i = 0; i < BIT(9); i++) {
		err = get(pfn + (i << ORDER(level)), level);
		if (err)
			break;
	}
	if (i == BIT(9)) {
		put(pfn, level + 1);
		return 0;
	}
	while (i--)
		put(pfn + (i << ORDER(level)), level);
	return err;
}

int frame_get_shared(u64 pfn)
{
	int err;

	if (pfn >= frames_end)
		return -EPERM;
	err = get(pfn, 0);
	if (!err)
		fetch_add(&stats.shared, 1);
	return err;
}

void frame_put_shared(u64 pfn)
{
	put(pfn, 0);
	fetch_add(&stats.shared, -1ull);
}

/* Count one frame of a block as not domain 0's, unless the block is mapped. */
static int block_leave(u64 *w)
{
	u64 old = READ_ONCE(*w), seen;

	for (;;) {
		if (lower(old))
			return -EBUSY;
		seen = cmpxchg(w, old, old + UPPER_ONE);
		if (seen == old)
			return 0;
		old = seen;
	}
}

static void block_join(u64 *w)
{
	u64 old = fetch_add(w, -UPPER_ONE);

	ASSERT(upper(old) && !lower(old));
}

/* The frame itself, when both blocks around it know. */
static int frame_leave(u64 pfn, u32 dom)
{
	u64 old = cmpxchg(word_of(pfn, 0), make_word(BP_OWNER_DOM0), make_word(dom));

	if (upper(old) != BP_OWNER_DOM0)
		return -EPERM;
	return lower(old) ? -EBUSY : 0;
}

int frame_donate(u64 pfn, u32 dom)
{
	int err;

	if (pfn >= frames_end)
		return -EPERM;
	err = block_leave(word_of(pfn, 2));
	if (err)
		return err;
	err = block_leave(word_of(pfn, 1));
	if (err)
		goto out_2;
	err = frame_leave(pfn, dom);
	if (err)
		goto out_1;
	fetch_add(&stats.donated, 1);
	return 0;
out_1:
	block_join(word_of(pfn, 1));
out_2:
	block_join(word_of(pfn, 2));
	return err;
}

void frame_return(u64 pfn, u32 dom)
{
	u64 old = cmpxchg(word_of(pfn, 0), make_word(dom), make_word(BP_OWNER_DOM0));

	ASSERT(old == make_word(dom));
	block_join(word_of(pfn, 1));
	block_join(word_of(pfn, 2));
	fetch_add(&stats.donated, -1ull);
}

void frames_stats(struct frame_stats *s)
{
	s->donated = READ_ONCE(stats.donated);
	s->mapped = READ_ONCE(stats.mapped);
	s->shared = READ_ONCE(stats.shared);
}

int frame_mmio_protect(hpa_t hpa, u64 len)
{
	u64 start = hpa >> PAGE_SHIFT, end = (hpa + len + PAGE_SIZE - 1) >> PAGE_SHIFT;
	u64 known;
	u32 i;

	if (frame_mmio_protected(start, &known) && known >= end)
		return 0;
	for (i = 0; i < nr_ranges; i++) {
		if (ranges[i].end != start)
			continue;
		ranges[i].end = end;
		return 0;
	}
	if (nr_ranges == MAX_RANGES)
		return -ENOMEM;
	ranges[nr_ranges].start = start;
	ranges[nr_ranges].end = end;
	nr_ranges++;
	return 0;
}

bool frame_mmio_protected(u64 pfn, u64 *end)
{
	u32 i;

	*end = BIT(52);
	for (i = 0; i < nr_ranges; i++) {
		if (pfn >= ranges[i].start && pfn < ranges[i].end) {
			*end = ranges[i].end;
			return true;
		}
		if (ranges[i].start > pfn)
			*end = min(*end, ranges[i].start);
	}
	return false;
}
