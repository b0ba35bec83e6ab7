// SPDX-License-Identifier: GPL-2.0-only
/*
 * The frame table (frames.c): who owns a frame, and who may map it.
 *
 * frames.step, of any one step from any state that keeps the invariants of frames.h, and so of any
 * number of steps one after the other:
 *  - a frame that is not domain 0's (another guest's, Bedplate's, no RAM) has no reference, nor
 *    have the blocks around it: no guest maps it, so no two guests share it;
 *  - a reference is given only to what is domain 0's as a whole, and only what nobody has a
 *    reference to is donated; a refusal changes nothing;
 *  - a donation counts one frame into either block, its return takes just that back;
 *  - no count wraps, of references or of frames that are gone.
 *
 * frames.race: the same invariants where another CPU's whole step comes in between any two of the
 * compare-and-swaps of ours.
 *
 * frames.boot: the table as frames_init() and two frames_set() of any numbers leave it keeps them.
 * frames.mmio: what was protected is, page by page, and stays so; what the look-up says of the
 * pages that follow is right of each of them.
 *
 * Bounds: two frames in one block of 2 MiB and one of 1 GiB, which have any other frames besides;
 * one interruption by one other CPU; a table of three frames at boot; three protected
 * ranges. No word but these is touched by a step, frame_split() excepted, which is left to tests.
 * Assumed: who gives a reference or a frame back has it (frames.h asks for that).
 */
#include "lib/atomic.h"
#include "prove.h"

/* The other CPU's turn. */
static void interrupted(void);
#undef cmpxchg
#undef fetch_add
#define cmpxchg(p, old, new) ({					\
	__typeof__(*(p)) found_;				\
	interrupted();						\
	found_ = *(p);						\
	if (found_ == (old))					\
		*(p) = (new);					\
	found_; })
/* Totals are nobody's business. */
#define fetch_add(p, x) ({					\
	__typeof__(*(p)) was_;					\
	if ((p) != &stats.donated && (p) != &stats.mapped && (p) != &stats.shared)	\
		interrupted();					\
	was_ = *(p);						\
	*(p) = was_ + (x);					\
	was_; })
#undef READ_ONCE
#define READ_ONCE(x)	(x)

#include "frames.c"

#define GUEST	5u
#define FRAMES	2

static u64 frame[FRAMES], block[LEVELS];	/* block[0] is not used */
static u32 rest[LEVELS];	/* of its other frames so many are not domain 0's */
static u32 held[LEVELS];	/* references that this CPU has: to frame[0], and the blocks */
static bool ours;		/* frame[0] is GUEST's by this CPU, which alone gives it back */

static u32 gone(void)
{
	return (upper(frame[0]) != BP_OWNER_DOM0) + (upper(frame[1]) != BP_OWNER_DOM0);
}

/* What frames.h says. */
static bool is_sane(void)
{
	u32 i;

	for (i = 0; i < FRAMES; i++)
		if (upper(frame[i]) && lower(frame[i]))
			return false;
	for (i = 1; i < LEVELS; i++)
		if (upper(block[i]) != rest[i] + gone() || (upper(block[i]) && lower(block[i])))
			return false;
	return lower(frame[0]) >= held[0] && lower(block[1]) >= held[1] &&
	       lower(block[2]) >= held[2] && (!ours || frame[0] == make_word(GUEST));
}

static void any_state(void)
{
	frame[0] = nondet_u64();
	frame[1] = nondet_u64();
	block[1] = nondet_u64();
	block[2] = nondet_u64();
	rest[1] = (u32)any_of(0, BIT(ORDER(1)) - FRAMES);
	rest[2] = (u32)any_of(rest[1], BIT(ORDER(2)) - FRAMES);
	held[0] = nondet_u32();
	held[1] = nondet_u32();
	held[2] = nondet_u32();
	ours = nondet_bool();
	words[0] = frame;
	words[1] = &block[1];
	words[2] = &block[2];
	frames_end = FRAMES;
	assume(is_sane());
}

static u32 turns;	/* how often the other CPU may still come in between */

/*
 * What frames.step proves of a step, done at once: the other CPU has references and frames of
 * its own, and leaves ours alone.
 */
static void interrupted(void)
{
	u64 *f = &frame[nondet_bool()], *w;
	u32 level = (u32)any_of(0, LEVELS - 1), ours_too;

	if (!turns || nondet_bool())
		return;
	turns = 0;
	w = level ? &block[level] : f;
	ours_too = level || f == &frame[0] ? held[level] : 0;
	switch (nondet_u8()) {
	case 0:
		if (!upper(*w) && lower(*w) != UINT32_MAX)
			++*w;
		break;
	case 1:
		if (lower(*w) > ours_too)
			--*w;
		break;
	case 2:
		if (!*f && !lower(block[1]) && !lower(block[2])) {
			*f = make_word(GUEST + 1);
			block[1] += UPPER_ONE;
			block[2] += UPPER_ONE;
		}
		break;
	case 3:
		if (*f == make_word(GUEST + 1)) {
			*f = 0;
			block[1] -= UPPER_ONE;
			block[2] -= UPPER_ONE;
		}
		break;
	}
}

/* A step of this CPU with frame[0] or a block; the result. */
static int step(u8 what, u32 level)
{
	int err = 0;

	switch (what) {
	case 0:
		err = level ? frame_get_mapped(0, ORDER(level)) :
		      nondet_bool() ? frame_get_mapped(0, 0) : frame_get_shared(0);
		if (!err)
			held[level]++;
		break;
	case 1:
		assume(held[level]);
		if (!level && nondet_bool())
			frame_put_shared(0);
		else
			frame_put(0, ORDER(level));
		held[level]--;
		break;
	case 2:
		err = frame_donate(0, GUEST);
		if (!err)
			ours = true;
		break;
	case 3:
		assume(ours);
		frame_return(0, GUEST);
		ours = false;
		break;
	}
	return err;
}

// PROVE: frames.step prove_step --unwind 5
// MUTANT: hv/core/memory/frames.c
// - 		if (upper(old))
// - 			return -EPERM;
// - 		if (lower(old) == UINT32_MAX)
// + 		if (lower(old) == UINT32_MAX)
// MUTANT: hv/core/memory/frames.c
// - 		if (lower(old) == UINT32_MAX)
// + 		if (old == UINT64_MAX)
// MUTANT: hv/core/memory/frames.c
// - 	err = block_leave(word_of(pfn, 1));
// + 	err = block_leave(word_of(pfn, 2));
// MUTANT: hv/core/memory/frames.c
// - out_1:
// - 	block_join(word_of(pfn, 1));
// + out_1:
// MUTANT: hv/core/memory/frames.c
// - 	return lower(old) ? -EBUSY : 0;
// + 	return 0;
// MUTANT: hv/core/memory/frames.c
// - 	ASSERT(old == make_word(dom));
// - 	block_join(word_of(pfn, 1));
// + 	ASSERT(old == make_word(dom));
void prove_step(void)
{
	u64 was[5], now[5];
	u8 what = (u8)any_of(0, 3);
	u32 level = (u32)any_of(0, LEVELS - 1), i;
	int err;

	any_state();
	was[0] = frame[0], was[1] = frame[1], was[2] = block[1], was[3] = block[2];
	err = step(what, level);
	prove(is_sane());
	now[0] = frame[0], now[1] = frame[1], now[2] = block[1], now[3] = block[2];
	for (i = 0; i < 4; i++)
		prove(!err || now[i] == was[i]);
	prove(now[1] == was[1]);
	if (what == 0 && !err)
		prove(!upper(level ? block[level] : frame[0]));
	if (what == 2 && !err)
		prove(was[0] == 0 && !lower(was[2]) && !lower(was[3]) && frame_owner(0) == GUEST);
	if (what == 3)
		prove(frame[0] == 0);
}

// PROVE: frames.race prove_race --unwind 4
// MUTANT: hv/core/memory/frames.c
// - 		seen = cmpxchg(w, old, old + 1);
// - 		if (seen == old)
// + 		seen = cmpxchg(w, old, old + 1);
// + 		if (lower(seen) == lower(old))
// MUTANT: hv/core/memory/frames.c
// - 		if (lower(old))
// - 			return -EBUSY;
// - 		seen = cmpxchg(w, old, old + UPPER_ONE);
// - 		if (seen == old)
// - 			return 0;
// + 		if (lower(old))
// + 			return -EBUSY;
// + 		seen = fetch_add(w, UPPER_ONE);
// + 		return 0;
// MUTANT: hv/core/memory/frames.c
// - 	u64 old = cmpxchg(word_of(pfn, 0), make_word(BP_OWNER_DOM0), make_word(dom));
// + 	u64 old = READ_ONCE(*word_of(pfn, 0));
// +
// + 	fetch_add(word_of(pfn, 0), old ? 0 : make_word(dom));
void prove_race(void)
{
	any_state();
	turns = 1;
	step((u8)any_of(0, 3), (u32)any_of(0, LEVELS - 1));
	prove(is_sane());
}

// PROVE: frames.boot prove_boot --unwind 4
// MUTANT: hv/core/memory/frames.c
// - 		gone += (upper(*w) == BP_OWNER_DOM0) - (owner == BP_OWNER_DOM0);
// + 		gone += (owner != BP_OWNER_DOM0);
// MUTANT: hv/core/memory/frames.c
// - 	end = min(end, frames_end);
// + 	end = min(end, frames_end + 1);
// MUTANT: hv/core/memory/frames.c
// - 	u64 end = pfn + min(n, frames_end), stop;
// + 	u64 end = pfn + n, stop;
void prove_boot(void)
{
	u64 table[5], pfn = nondet_u64(), n = nondet_u64();
	u32 left = 3, i, owner = nondet_bool() ? BP_OWNER_DOM0 : BP_OWNER_HV;

	frames_init(table, 3);
	frames_set(any_of(0, 4), any_of(0, 4), BP_OWNER_DOM0);
	frames_set(pfn, n, owner);
	for (i = 0; i < 3; i++) {
		left -= frame_owner(i) != BP_OWNER_DOM0;
		prove(!frame_count(i));
		/* n may be so large that it wraps. */
		if (i >= pfn && i - pfn < n)
			prove(frame_owner(i) == owner);
	}
	prove(table[3] == make_word(BIT(ORDER(1)) - left));
	prove(table[4] == make_word(BIT(ORDER(2)) - left));
}

// PROVE: frames.mmio prove_mmio --unwind 4
// MUTANT: hv/core/memory/frames.c
// - 	if (frame_mmio_protected(start, &known) && known >= end)
// + 	if (frame_mmio_protected(start, &known))
// MUTANT: hv/core/memory/frames.c
// - 	u64 start = hpa >> PAGE_SHIFT, end = (hpa + len + PAGE_SIZE - 1) >> PAGE_SHIFT;
// + 	u64 start = hpa >> PAGE_SHIFT, end = (hpa + len) >> PAGE_SHIFT;
// MUTANT: hv/core/memory/frames.c
// - 			*end = min(*end, ranges[i].start);
// + 			*end = ranges[i].start;
void prove_mmio(void)
{
	u64 hpa = any_of(0, BIT(51)), len = any_of(1, BIT(51)), pfn = nondet_u64(), end, other;
	u32 i;
	bool was;

	nr_ranges = (u32)any_of(0, 2);
	for (i = 0; i < 2; i++) {
		ranges[i].start = any_of(0, BIT(40));
		ranges[i].end = any_of(ranges[i].start + 1, BIT(40) + 1);
	}
	was = frame_mmio_protected(pfn, &end);
	prove(end > pfn || pfn >= BIT(52));
	i = nondet_bool();
	if (frame_mmio_protect(hpa, len))
		return;
	prove(!was || frame_mmio_protected(pfn, &end));
	if (pfn >= hpa >> PAGE_SHIFT && pfn <= (hpa + len - 1) >> PAGE_SHIFT)
		prove(frame_mmio_protected(pfn, &end));
	was = frame_mmio_protected(pfn, &end);
	other = nondet_u64();
	if (other > pfn && other < end)
		prove(frame_mmio_protected(other, &len) == was);
}
