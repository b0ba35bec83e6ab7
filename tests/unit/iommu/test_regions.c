// SPDX-License-Identifier: GPL-2.0-only
/* The shim's reader of reserved regions: RMRR and IVMD, and tables that are torn. */
// SOURCES: dom0-shim/iommu/regions.c
#include <setjmp.h>
#include <stdarg.h>

#include "dom0-shim/iommu/regions.h"

#include <cmocka.h>

static u8 table[512];
static u32 len;
static struct bp_region got[16];
static u32 nr;

static void take(void *ctx, const struct bp_region *r)
{
	assert_ptr_equal(ctx, &nr);
	assert_true(nr < 16);
	got[nr++] = *r;
}

static void start(const char *name)
{
	memset(table, 0, sizeof(table));
	memcpy(table, name, 4);
	len = 48;
}

static void put(const void *p, u32 n)
{
	memcpy(table + len, p, n);
	len += n;
}

static void put16(u16 val) { put(&val, 2); }
static void put64(u64 val) { put(&val, 8); }

static void rmrr(u16 length, u16 segment, u64 base, u64 limit)
{
	put16(1);
	put16(length);
	put16(0);
	put16(segment);
	put64(base);
	put64(limit);
}

static void ivmd(u8 type, u8 flags, u16 first, u16 last, u64 base, u64 size)
{
	put((u8[]){ type, flags }, 2);
	put16(32);
	put16(first);
	put16(last);
	put64(2);		/* segment, reserved */
	put64(base);
	put64(size);
}

static void read_all(void)
{
	nr = 0;
	bp_regions(table, len, take, &nr);
}

static void intels(void **state)
{
	(void)state;
	start("DMAR");
	put((u8[16]){ 0, 0, 16 }, 16);			/* a unit */
	rmrr(24 + 8 + 10, 3, 0x7b000000, 0x7b7fffff);
	put((u8[]){ 1, 8, 0, 0, 0, 5, 0x14, 2 }, 8);	/* 05:14.2 */
	put((u8[]){ 2, 10, 0, 0, 0, 6, 1, 0, 2, 1 }, 10);	/* a bridge behind 06:01.0 */
	rmrr(24 + 8, 0, 0x1000, 0x1fff);
	put((u8[]){ 3, 8, 0, 0, 0, 0xf0, 0x1f, 7 }, 8);	/* an I/O APIC: none */
	read_all();
	assert_int_equal(nr, 2);
	assert_true(got[0].start == 0x7b000000 && got[0].len == 0x800000);
	assert_true(got[0].read && got[0].write && !got[0].excluded && !got[0].below);
	assert_int_equal(got[0].segment, 3);
	assert_true(got[0].depth == 1 && got[0].bus == 5 && got[0].path[0] == 0xa2);
	assert_true(got[1].depth == 2 && got[1].bus == 6 && got[1].below);
	assert_true(got[1].path[0] == 8 && got[1].path[1] == 0x11);
}

static void amds(void **state)
{
	(void)state;
	start("IVRS");
	put((u8[40]){ 0x11, 0, 40 }, 40);
	ivmd(0x21, 3, 0x88, 0x99, 0x5000, 1);
	ivmd(0x22, 7, 0x100, 0x1ff, 0x6123, 0x1000);
	ivmd(0x20, 8, 0x100, 0, 0x9000, 0x2000);
	ivmd(0x20, 6, 0, 0, 0x9000, 0x2000);		/* neither unity nor exclusion */
	ivmd(0x20, 1, 0, 0, 0x9000, 0);
	read_all();
	assert_int_equal(nr, 3);
	assert_true(got[0].depth == 0 && got[0].first == 0x88 && got[0].last == 0x88);
	assert_true(got[0].start == 0x5000 && got[0].len == 0x1000);
	assert_true(got[0].read && !got[0].write);
	assert_true(got[1].first == 0x100 && got[1].last == 0x1ff && got[1].segment == 2);
	assert_true(got[1].start == 0x6000 && got[1].len == 0x2000);
	assert_true(got[2].first == 0 && got[2].last == 0xffff && got[2].excluded);
	assert_true(got[2].read && got[2].write);
}

/* What ends before its time, or goes round, is not followed. */
static void torn(void **state)
{
	u32 whole, i;

	(void)state;
	start("DMAR");
	rmrr(24 + 8, 0, 0x1000, 0x1fff);
	put((u8[]){ 1, 8, 0, 0, 0, 0, 8, 0 }, 8);
	whole = len;
	for (i = 0; i < whole; i++) {
		len = i;
		read_all();
		assert_int_equal(nr, 0);
	}
	len = whole;
	table[48 + 24 + 1] = 0;			/* a scope's length */
	read_all();
	assert_int_equal(nr, 0);
	table[48 + 24 + 1] = 9;
	read_all();
	assert_int_equal(nr, 0);
	table[48 + 24 + 1] = 8;
	table[48 + 2] = 0;
	read_all();
	assert_int_equal(nr, 0);
	start("DMAR");
	rmrr(24 + 8, 0, 0x2000, 0x1fff);
	put((u8[]){ 1, 8, 0, 0, 0, 0, 8, 0 }, 8);
	read_all();
	assert_int_equal(nr, 0);
	start("DMAR");
	rmrr(24 + 6 + 18, 0, 0x1000, 0x1fff);
	put((u8[24]){ 1, 24 }, 24);		/* a way over nine bridges */
	read_all();
	assert_int_equal(nr, 0);
	start("IVRS");
	ivmd(0x20, 1, 0, 0, ~0ull, ~0ull);
	read_all();
	assert_int_equal(nr, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(intels),
		cmocka_unit_test(amds),
		cmocka_unit_test(torn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
