// SPDX-License-Identifier: GPL-2.0-only
/* Frame ownership and reference counts. */
// SOURCES: hv/core/memory/frames.c hv/core/memory/mmu.c hv/core/memory/mmu_dom0.c hv/core/memory/dommem.c hv/ept/npt.c hv/ept/format.c tests/unit/rig/mm_rig.c
// CFLAGS: -include mm_host.h
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "hv/core/lib/errno.h"
#include "hv/core/memory/frames.h"

#define PFN		0x40200ull	/* 2 MiB-aligned RAM, off a 1 GiB boundary */

static int setup(void **state __unused)
{
	rig_init_frames(false);
	return 0;
}

static struct frame_stats stats(void)
{
	struct frame_stats s;

	frames_stats(&s);
	return s;
}

static void owners_follow_the_map(void **state __unused)
{
	assert_int_equal(frames_top(), RIG_TOP >> PAGE_SHIFT);
	assert_int_equal(frame_owner(0), BP_OWNER_DOM0);
	assert_int_equal(frame_owner(0x9f), BP_OWNER_NONE);
	assert_int_equal(frame_owner(0x100), BP_OWNER_DOM0);
	assert_int_equal(frame_owner(RIG_ACPI >> PAGE_SHIFT), BP_OWNER_NONE);
	assert_int_equal(frame_owner((RIG_POOL >> PAGE_SHIFT) - 1), BP_OWNER_DOM0);
	assert_int_equal(frame_owner(RIG_POOL >> PAGE_SHIFT), BP_OWNER_HV);
	assert_int_equal(frame_owner(0x80000), BP_OWNER_NONE);
	assert_int_equal(frame_owner(0x100000), BP_OWNER_DOM0);
	assert_int_equal(frame_owner(RIG_TOP >> PAGE_SHIFT), BP_OWNER_NONE);
	assert_int_equal(frame_owner(~0ull), BP_OWNER_NONE);
}

static void only_dom0_frames_are_mapped(void **state __unused)
{
	assert_int_equal(frame_get_mapped(RIG_POOL >> PAGE_SHIFT, 0), -EPERM);
	assert_int_equal(frame_get_mapped(0x80000, 0), -EPERM);
	assert_int_equal(frame_get_mapped(0x80000, 9), -EPERM);
	assert_int_equal(frame_get_mapped(RIG_TOP >> PAGE_SHIFT, 0), -EPERM);
	assert_int_equal(frame_get_mapped(~0ull >> 1, 18), -EPERM);
	assert_int_equal(frame_get_shared(0x80000), -EPERM);
	/* Blocks with a hole or with Bedplate's frames in them. */
	assert_int_equal(frame_get_mapped(0, 9), -EPERM);
	assert_int_equal(frame_get_mapped(RIG_ACPI >> 21 << 9, 9), -EPERM);
	assert_int_equal(frame_get_mapped(0, 18), -EPERM);
	assert_int_equal(frame_get_mapped(0x40000, 18), -EPERM);
	assert_int_equal(stats().mapped, 0);

	assert_int_equal(frame_get_mapped(0x100000, 18), 0);
	assert_int_equal(frame_get_mapped(PFN, 9), 0);
	assert_int_equal(frame_get_mapped(PFN + 1, 0), 0);
	assert_int_equal(stats().mapped, BIT(18) + BIT(9) + 1);
	frame_put(0x100000, 18);
	frame_put(PFN, 9);
	frame_put(PFN + 1, 0);
	assert_int_equal(stats().mapped, 0);
}

/* A donation is refused by a mapping of any size, and the reverse. */
static void donated_or_mapped(void **state __unused)
{
	static const u32 order[] = { 0, 9, 18 };
	u64 pfn = 0x100000 + 0x3456;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(order); i++) {
		u64 at = pfn & ~(BIT(order[i]) - 1);

		assert_int_equal(frame_get_mapped(at, order[i]), 0);
		assert_int_equal(frame_donate(pfn, 7), -EBUSY);
		assert_int_equal(frame_owner(pfn), BP_OWNER_DOM0);
		frame_put(at, order[i]);

		assert_int_equal(frame_donate(pfn, 7), 0);
		assert_int_equal(frame_owner(pfn), 7);
		assert_int_equal(frame_get_mapped(at, order[i]), -EPERM);
		assert_int_equal(frame_get_shared(pfn), -EPERM);
		assert_int_equal(frame_donate(pfn, 7), -EPERM);
		assert_int_equal(frame_donate(pfn, 8), -EPERM);
		assert_int_equal(stats().donated, 1);
		frame_return(pfn, 7);
		assert_int_equal(stats().donated, 0);
	}
	assert_int_equal(frame_donate(0x80000, 7), -EPERM);
	assert_int_equal(frame_donate(RIG_POOL >> PAGE_SHIFT, 7), -EPERM);
	assert_int_equal(frame_donate(RIG_TOP >> PAGE_SHIFT, 7), -EPERM);
	/* The refusals left the blocks as they were. */
	assert_int_equal(frame_get_mapped(0x100000, 18), 0);
	frame_put(0x100000, 18);
}

/* A large mapping in parts: each of them keeps its frame, and nothing keeps the others. */
static void parts_of_a_block(void **state __unused)
{
	u64 pfn = 0x100000, i;

	assert_int_equal(frame_get_mapped(pfn, 18), 0);
	assert_int_equal(frame_split(pfn, 18), 0);
	assert_int_equal(frame_split(pfn + 0x200, 9), 0);
	assert_int_equal(stats().mapped, BIT(18));
	assert_int_equal(frame_count(pfn), 0);
	for (i = 0x200; i < 0x400; i++)
		assert_int_equal(frame_count(pfn + i), 1);
	assert_int_equal(frame_donate(pfn, 7), -EBUSY);
	assert_int_equal(frame_donate(pfn + 0x3ff, 7), -EBUSY);
	frame_put(pfn + 0x3ff, 0);
	assert_int_equal(frame_donate(pfn + 0x3ff, 7), 0);
	frame_return(pfn + 0x3ff, 7);
	frame_put(pfn, 9);
	assert_int_equal(frame_donate(pfn, 7), 0);
	frame_return(pfn, 7);
	for (i = 0x200; i < 0x3ff; i++)
		frame_put(pfn + i, 0);
	for (i = 0x400; i < BIT(18); i += 0x200)
		frame_put(pfn + i, 9);
	assert_int_equal(stats().mapped, 0);
}

/* What is alike is passed over in the largest steps, and never too much. */
static void runs_of_an_owner(void **state __unused)
{
	u64 *table, pfn, n = BIT(18) + 700;

	table = malloc(frames_bytes(n));
	frames_init(table, n);
	frames_set(5, n, BP_OWNER_DOM0);		/* to the top, not beyond */
	assert_int_equal(frame_owner(4), BP_OWNER_NONE);
	assert_int_equal(frames_alike(5), 512);
	assert_int_equal(frames_alike(600), 1024);
	assert_int_equal(frames_alike(BIT(18) + 1), BIT(18) + 512);
	assert_int_equal(frames_alike(BIT(18) + 600), n);
	frames_set(0, 5, BP_OWNER_DOM0);
	assert_int_equal(frames_alike(5), BIT(18));
	frames_set(1000, 100, BP_OWNER_HV);
	assert_int_equal(frames_alike(0), 512);
	assert_int_equal(frames_alike(512), 1000);
	assert_int_equal(frames_alike(1001), 1024);
	assert_int_equal(frames_alike(1536), 2048);
	frames_set(1000, 100, BP_OWNER_DOM0);
	frames_set(1000, 100, BP_OWNER_DOM0);		/* counted once */
	for (pfn = 0; pfn < BIT(18); pfn += 777)
		assert_int_equal(frames_alike(pfn), BIT(18));
	assert_int_equal(frame_get_mapped(0, 18), 0);
	free(table);
}

/* One part has as many references as there can be. */
static void part_is_full(void **state __unused)
{
	static u64 table[2048];
	u64 i;

	assert_true(frames_bytes(512) <= sizeof(table));
	frames_init(table, 512);
	frames_set(0, 512, BP_OWNER_DOM0);
	assert_int_equal(frame_get_mapped(0, 9), 0);
	table[300] |= UINT32_MAX;
	assert_int_equal(frame_split(0, 9), -EBUSY);
	for (i = 0; i < 512; i++)
		assert_int_equal(frame_count(i), i == 300 ? UINT32_MAX : 0);
	assert_int_equal(frame_donate(5, 1), -EBUSY);
	frame_put(0, 9);
	assert_int_equal(frame_donate(5, 1), 0);
}

static void shared_counts(void **state __unused)
{
	assert_int_equal(frame_get_shared(PFN), 0);
	assert_int_equal(frame_get_shared(PFN), 0);
	assert_int_equal(frame_get_mapped(PFN, 0), 0);
	assert_int_equal(frame_count(PFN), 3);
	assert_int_equal(stats().shared, 2);
	assert_int_equal(frame_donate(PFN, 1), -EBUSY);
	frame_put_shared(PFN);
	frame_put_shared(PFN);
	assert_int_equal(frame_donate(PFN, 1), -EBUSY);
	frame_put(PFN, 0);
	assert_int_equal(frame_donate(PFN, 1), 0);
	assert_int_equal(stats().shared, 0);
}

static void count_does_not_wrap(void **state __unused)
{
	u64 word[1 + 1 + 1];
	u32 i;

	assert_true(frames_bytes(1) >= sizeof(word));
	frames_init(word, 1);
	frames_set(0, 1, BP_OWNER_DOM0);
	word[0] |= UINT32_MAX;
	for (i = 0; i < 2; i++) {
		assert_int_equal(frame_get_mapped(0, 0), -EBUSY);
		assert_int_equal(frame_get_shared(0), -EBUSY);
		assert_int_equal(frame_donate(0, 1), -EBUSY);
		assert_int_equal(frame_count(0), UINT32_MAX);
	}
	assert_int_equal(frame_get_mapped(1, 0), -EPERM);
}

static void protected_ranges(void **state __unused)
{
	u64 end;
	u32 i;

	assert_int_equal(frame_mmio_protect(0xfed90000, 0x1001), 0);
	assert_false(frame_mmio_protected(0xfed8f, &end));
	assert_int_equal(end, 0xfed90);
	assert_true(frame_mmio_protected(0xfed91, &end));
	assert_int_equal(end, 0xfed92);
	assert_false(frame_mmio_protected(0xfed92, &end));
	/* Neighbours are one range. */
	for (i = 0; i < 1000; i++)
		assert_int_equal(frame_mmio_protect(0xfed92000 + i * PAGE_SIZE, 1), 0);
	assert_true(frame_mmio_protected(0xfed90, &end));
	assert_int_equal(end, 0xfed92 + 1000);
	for (i = 0; !frame_mmio_protect(0xc0000000 + i * SZ_1M, 1); i++)
		assert_true(i < 768);
	assert_int_equal(frame_mmio_protect(0xfed90000, 1), 0);
	assert_int_equal(frame_mmio_protect(0xb0000000, 1), -ENOMEM);
}

/* Two threads want one frame, one to donate it, one to map its block. */
#define ROUNDS		200000
static u32 both;

static void *mapper(void *arg __unused)
{
	u32 i;

	for (i = 0; i < ROUNDS; i++) {
		u32 order = i % 3 * 9;
		u64 at = (0x100000 + 0x3456) & ~(BIT(order) - 1);

		if (frame_get_mapped(at, order))
			continue;
		if (frame_owner(0x100000 + 0x3456) != BP_OWNER_DOM0)
			__atomic_fetch_add(&both, 1, __ATOMIC_SEQ_CST);
		frame_put(at, order);
	}
	return NULL;
}

static void race_has_one_winner(void **state __unused)
{
	pthread_t t;
	u32 i;

	assert_int_equal(pthread_create(&t, NULL, mapper, NULL), 0);
	for (i = 0; i < ROUNDS; i++)
		if (!frame_donate(0x100000 + 0x3456, 3))
			frame_return(0x100000 + 0x3456, 3);
	pthread_join(t, NULL);
	assert_int_equal(both, 0);
	assert_int_equal(stats().mapped, 0);
	assert_int_equal(stats().donated, 0);
	assert_int_equal(frame_get_mapped(0x100000, 18), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(owners_follow_the_map, setup),
		cmocka_unit_test_setup(only_dom0_frames_are_mapped, setup),
		cmocka_unit_test_setup(donated_or_mapped, setup),
		cmocka_unit_test_setup(parts_of_a_block, setup),
		cmocka_unit_test_setup(runs_of_an_owner, setup),
		cmocka_unit_test_setup(part_is_full, setup),
		cmocka_unit_test_setup(shared_counts, setup),
		cmocka_unit_test_setup(count_does_not_wrap, setup),
		cmocka_unit_test_setup(protected_ranges, setup),
		cmocka_unit_test_setup(race_has_one_winner, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
