// SPDX-License-Identifier: GPL-2.0-only
/* UEFI's memory map as domain 0 gets it: Bedplate's frames are reserved, all else is as it was. */
// SOURCES: boot/linux_efi.c hv/core/machine/efi_map.c hv/core/machine/memplan.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "boot/linux_efi.h"
#include "hv/core/lib/string.h"
#include "hv/core/machine/efi_map.h"

#define DESC	48
#define MAX	400
#define ATTR	0x800000000000000full

static u8 bytes[MAX * DESC], *out;
static struct boot_efi efi;
static u32 nr_out;

static void add(u32 type, u64 start, u64 pages)
{
	const struct efi_desc d = { type, 0x55, start, 0x66, pages, ATTR };

	memcpy(bytes + efi.map_bytes, &d, sizeof(d));
	memset(bytes + efi.map_bytes + sizeof(d), 0xa0 + (int)(efi.map_bytes / DESC) % 16,
	       DESC - sizeof(d));
	efi.map_bytes += DESC;
}

static int empty(void **state __unused)
{
	efi = (struct boot_efi){ .map = bytes, .desc_bytes = DESC, .desc_version = 1 };
	return 0;
}

static int release(void **state __unused)
{
	free(out);
	out = NULL;
	return 0;
}

/* Into memory of exactly the size that was asked for. */
static void make(const struct mem_range *cut, u32 nr)
{
	u32 n = linux_efi_map(&efi, cut, nr, NULL);

	free(out);
	out = malloc(n ? n : 1);
	assert_int_equal(linux_efi_map(&efi, cut, nr, out), n);
	assert_int_equal(n % DESC, 0);
	nr_out = n / DESC;
}

static struct efi_desc get(u32 i)
{
	struct efi_desc d;

	memcpy(&d, out + (size_t)i * DESC, sizeof(d));
	return d;
}

static void is(u32 i, u32 type, u64 start, u64 end)
{
	struct efi_desc d = get(i);

	assert_int_equal(d.type, type);
	assert_int_equal(d.start, start);
	assert_int_equal(d.start + d.pages * 4096, end);
	assert_int_equal(d.attr, ATTR);
	assert_int_equal(d.reserved, 0x55);
	assert_int_equal(d.virt, 0x66);
}

static void leaves_the_rest_alone(void **state __unused)
{
	const struct mem_range cut[] = { { 0x200000, 0x300000, 2 } };

	add(EFI_RUNTIME_DATA, 0x7f000000, 4);
	add(EFI_CONVENTIONAL, 0, 0x9f);
	add(11, 0xffc00000, 0x400);
	make(cut, 1);
	assert_int_equal(nr_out, 3);
	assert_memory_equal(out, bytes, 3 * DESC);
	make(NULL, 0);
	assert_memory_equal(out, bytes, 3 * DESC);
}

static void cuts_at_pages(void **state __unused)
{
	const struct mem_range cut[] = {
		{ 0x7000000, 0x8000000, 2 }, { 0x200000, 0x2c7000, 2 }, { 0x9f000, 0xa0000, 2 },
	};

	add(EFI_CONVENTIONAL, 0x80000, 0x20);		/* its end */
	add(EFI_LOADER_DATA, 0x200000, 0xc7);		/* whole */
	add(EFI_CONVENTIONAL, 0x100000, 0x7f00);	/* in the middle, twice */
	add(EFI_BOOT_DATA, 0x2c6000, 2);		/* its beginning */
	make(cut, 3);
	assert_int_equal(nr_out, 9);
	is(0, EFI_CONVENTIONAL, 0x80000, 0x9f000);
	is(1, EFI_RESERVED, 0x9f000, 0xa0000);
	is(2, EFI_RESERVED, 0x200000, 0x2c7000);
	is(3, EFI_CONVENTIONAL, 0x100000, 0x200000);
	is(4, EFI_RESERVED, 0x200000, 0x2c7000);
	is(5, EFI_CONVENTIONAL, 0x2c7000, 0x7000000);
	is(6, EFI_RESERVED, 0x7000000, 0x8000000);
	is(7, EFI_RESERVED, 0x2c6000, 0x2c7000);
	is(8, EFI_BOOT_DATA, 0x2c7000, 0x2c8000);
	/* What is behind the known part comes along. */
	assert_int_equal(out[6 * DESC + 47], 0xa2);
	assert_int_equal(out[8 * DESC + 40], 0xa3);
}

static void survives_odd_addresses(void **state __unused)
{
	const struct mem_range cut[] = { { 0x200000, 0x201000, 2 } };

	add(EFI_CONVENTIONAL, 0x1ff800, 3);
	add(EFI_CONVENTIONAL, 0x200800, 1);
	make(cut, 1);
	/* No whole page before the cut; what follows begins behind it. */
	assert_int_equal(nr_out, 2);
	is(0, EFI_RESERVED, 0x200000, 0x201000);
	is(1, EFI_CONVENTIONAL, 0x201000, 0x202000);
}

static void drops_the_impossible(void **state __unused)
{
	const struct mem_range cut[] = { { 0x200000, 0x300000, 2 } };

	add(EFI_CONVENTIONAL, 0, ~0ull);		/* wraps, over all of it */
	add(EFI_CONVENTIONAL, 0x200000, 1ull << 52);
	add(EFI_CONVENTIONAL, 0x250000, 0);
	add(EFI_CONVENTIONAL, 0xfffffffffffff000ull, 2);
	make(cut, 1);
	assert_int_equal(nr_out, 0);
}

/* Of any map: nothing in a cut is anything but reserved, and nothing gets lost. */
static void holds_for_any_map(void **state __unused)
{
	struct mem_range cut[4];
	u64 before, after, pages;
	u32 round, i, j;

	srand(7);
	for (round = 0; round < 300; round++) {
		empty(NULL);
		before = after = 0;
		for (i = 0; i < 4; i++) {
			cut[i].start = (u64)(rand() % 256) << 12;
			cut[i].end = cut[i].start + ((u64)(1 + rand() % 40) << 12);
		}
		for (i = 0; i < (u32)(rand() % 300); i++) {
			pages = (u64)(1 + rand() % 64);
			add((u32)rand() % 15, (u64)(rand() % 256) << 12, pages);
			before += pages;
		}
		make(cut, 4);
		for (i = 0; i < nr_out; i++) {
			struct efi_desc d = get(i);
			hpa_t end = d.start + (d.pages << 12);

			assert_true(d.pages);
			after += d.pages;
			for (j = 0; j < 4; j++)
				if (d.start < cut[j].end && end > cut[j].start)
					assert_int_equal(d.type, EFI_RESERVED);
		}
		assert_int_equal(after, before);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, empty, release)
	const struct CMUnitTest tests[] = {
		T(leaves_the_rest_alone), T(cuts_at_pages), T(survives_odd_addresses),
		T(drops_the_impossible), T(holds_for_any_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
