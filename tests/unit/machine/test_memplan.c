// SPDX-License-Identifier: GPL-2.0-only
/* Arithmetic on memory maps, and the choice of Bedplate's memory. */
// SOURCES: hv/core/machine/memplan.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "hv/core/machine/memmap.h"

static struct mem_map m;

static void add(hpa_t start, hpa_t end, u32 type)
{
	m.r[m.nr++] = (struct mem_range){ start, end, type };
}

static int empty(void **state __unused)
{
	m.nr = 0;
	return 0;
}

static void is(u32 i, hpa_t start, hpa_t end, u32 type)
{
	assert_int_equal(m.r[i].start, start);
	assert_int_equal(m.r[i].end, end);
	assert_int_equal(m.r[i].type, type);
}

static void sorts_and_cuts(void **state __unused)
{
	add(0x100000, 0x500000, MEM_RAM);
	add(0, 0x9fc00, MEM_RAM);
	add(0x9fc00, 0xa0000, MEM_RESERVED);
	add(0x200000, 0x300010, 77);		/* unknown: reserved */
	add(0x280000, 0x400000, MEM_ACPI);
	assert_true(memmap_normalise(&m));
	assert_int_equal(m.nr, 6);
	is(0, 0, 0x9f000, MEM_RAM);
	is(1, 0x9f000, 0xa0000, MEM_RESERVED);
	is(2, 0x100000, 0x200000, MEM_RAM);
	is(3, 0x200000, 0x301000, MEM_RESERVED);
	is(4, 0x301000, 0x400000, MEM_ACPI);
	is(5, 0x400000, 0x500000, MEM_RAM);
}

static void drops_crumbs(void **state __unused)
{
	add(0x1100, 0x1f00, MEM_RAM);
	add(0x5000, 0x5000, MEM_RAM);
	add(0x10000, 0x20000, MEM_RAM);
	add(0x20000, 0x30000, MEM_RAM);
	add(0xfffffffffff00000ull, 0xffffffffffffffffull, MEM_RESERVED);
	assert_true(memmap_normalise(&m));
	assert_int_equal(m.nr, 1);
	is(0, 0x10000, 0x30000, MEM_RAM);
}

static void finds_the_middle(void **state __unused)
{
	assert_int_equal(memmap_middle(&m), 0);
	add(0x100000, 0x80000000, MEM_RAM);
	add(0x100000000, 0x900000000, MEM_RAM);
	assert_int_equal(memmap_middle(&m), 0x40200000);
	m.r[0].end = 0x10000000;
	add(0x40000000, 0x180000000, MEM_RAM);
	assert_int_equal(memmap_middle(&m), 0xa0000000);
	m.nr = 1;
	assert_true(memmap_has_ram(&m, 0xfffffff, 0x10000001));
	assert_false(memmap_has_ram(&m, 0x10000000, 0x100000000));
}

static void normal_for_any_input(void **state __unused)
{
	u32 n, i;

	srand(3);
	for (n = 0; n < 500; n++) {
		m.nr = (u32)rand() % 60;
		for (i = 0; i < m.nr; i++) {
			hpa_t a = (hpa_t)rand() << 2;

			m.r[i] = (struct mem_range){ a, a + (u32)rand(), (u32)rand() % 8 };
		}
		if (!memmap_normalise(&m))
			continue;
		for (i = 0; i < m.nr; i++) {
			assert_true(m.r[i].start < m.r[i].end);
			assert_in_range(m.r[i].type, MEM_RAM, MEM_BAD);
			assert_false((m.r[i].start | m.r[i].end) & ~PAGE_MASK);
			assert_true(!i || m.r[i - 1].end <= m.r[i].start);
		}
	}
}

static void sets_types(void **state __unused)
{
	add(0x100000, 0x500000, MEM_RAM);
	add(0x500000, 0x600000, MEM_ACPI);
	assert_true(memmap_set(&m, 0x200000, 0x300000, MEM_RESERVED));
	assert_int_equal(m.nr, 4);
	is(1, 0x200000, 0x300000, MEM_RESERVED);
	is(2, 0x300000, 0x500000, MEM_RAM);
	assert_true(memmap_set(&m, 0x0, 0x100000, MEM_RESERVED));
	is(0, 0x0, 0x100000, MEM_RESERVED);
	assert_true(memmap_set(&m, 0x700000, 0x800000, MEM_BAD));
	is(m.nr - 1, 0x700000, 0x800000, MEM_BAD);
	assert_true(memmap_set(&m, 0x480000, 0x580000, MEM_NVS));
	assert_int_equal(memmap_type(&m, 0x47ffff), MEM_RAM);
	assert_int_equal(memmap_type(&m, 0x480000), MEM_NVS);
	assert_int_equal(memmap_type(&m, 0x57ffff), MEM_NVS);
	assert_int_equal(memmap_type(&m, 0x580000), MEM_ACPI);
	assert_int_equal(memmap_type(&m, 0x600000), MEM_RESERVED);
}

static void finds_room(void **state __unused)
{
	struct mem_range used[] = { { 0x400000, 0x500000, 0 }, { 0x200000, 0x300000, 0 } };

	add(0, 0x9f000, MEM_RAM);
	add(0x100000, 0x500000, MEM_RAM);
	assert_int_equal(memmap_find(&m, used, 2, 0, SZ_4G, 0x100000, 0x1000, false), 0x100000);
	assert_int_equal(memmap_find(&m, used, 2, 0, SZ_4G, 0x100000, 0x1000, true), 0x300000);
	assert_int_equal(memmap_find(&m, used, 2, 0, SZ_4G, 0x100001, 0x1000, true), 0);
	assert_int_equal(memmap_find(&m, used, 2, 0, 0xa0000, 0x1000, 0x1000, true), 0x9e000);
	assert_int_equal(memmap_find(&m, used, 2, 0, 0xa0000, 0x1000, 0x1000, false), 0x1000);
	assert_int_equal(memmap_find(&m, used, 2, 0x380000, SZ_4G, 0x1000, 0x200000, false), 0);
	assert_int_equal(memmap_find(&m, NULL, 0, 0, SZ_4G, ~0ull, 0x1000, true), 0);
}

static void cap_holds(hpa_t top)
{
	struct mem_range used[] = { { 0x200000, 0x300000, 0 }, { 0x7000000, 0x7800000, 0 } };
	struct mem_plan p;
	u64 table;

	m.nr = 0;
	add(0, 0x9f000, MEM_RAM);
	add(0x100000, min(top, 0xc0000000ull), MEM_RAM);
	if (top > SZ_4G)
		add(SZ_4G, top, MEM_RAM);
	table = (top >> PAGE_SHIFT) * 8;
	assert_true(memmap_plan(&m, used, 2, table, &p));
	assert_int_equal(p.block_start % SZ_2M, 0);
	assert_true(p.block_end <= SZ_4G);
	if (p.table_start < p.block_end) {
		assert_int_equal(p.table_start, p.block_start + p.pool_bytes);
		assert_int_equal(p.block_end, p.table_start + table);
	} else {
		assert_int_equal(p.block_end, p.block_start + p.pool_bytes);
		assert_true(p.table_start >= SZ_4G && p.table_start + table <= top);
	}
	assert_true(p.pool_bytes >= 24 * SZ_1M);
	assert_true(p.block_end <= used[1].start || p.block_start >= used[1].end);
	/* With an image of 1 MiB, and holes of 1 GiB at most. */
	assert_true(p.pool_bytes + table + SZ_1M <= 32 * SZ_1M + p.ram_bytes / 200);
}

static void keeps_its_share(void **state __unused)
{
	cap_holds(0x8000000);
	cap_holds(0x10000000);
	cap_holds(0x7ffdf000);
	cap_holds(0xc0000000);
	cap_holds(6 * SZ_1G);
	cap_holds(64 * SZ_1G);
	cap_holds(1024 * SZ_1G);
	cap_holds(16384 * SZ_1G);
}

/*
 * The shape of an EPYC machine of two sockets: RAM up to some MiB below the end of each node, which
 * the firmware keeps, and the hole of 12 GiB below 1 TiB. Its map comes unsorted, as UEFI may give it.
 */
static void two_sockets(void **state __unused)
{
	struct mem_plan p;

	add(0x10000000000, 0x1804fdc0000, MEM_RAM);
	add(0x1804fdc0000, 0x18050000000, MEM_RESERVED);
	add(0, 0xa0000, MEM_RAM);
	add(0xa0000, 0x100000, MEM_RESERVED);
	add(SZ_4G, 0xc066bc0000, MEM_RAM);
	add(0xc066bc0000, 0xc070000000, MEM_RESERVED);
	add(0xc070000000, 0xfd00000000, MEM_RAM);
	add(0xfd00000000, 0x10000000000, MEM_RESERVED);
	add(0x100000, 0x75cf0000, MEM_RAM);
	add(0x75cf0000, 0x76000000, MEM_RESERVED);
	add(0x76000000, 0xa8000000, MEM_RAM);
	add(0xa8000000, 0xac000000, MEM_NVS);
	assert_true(memmap_normalise(&m));
	assert_int_equal(m.nr, 12);
	assert_int_equal(memmap_trim(&m, BIT(48)), 0);
	assert_int_equal(memmap_ram_end(&m), 0x1804fdc0000);
	assert_true(memmap_plan(&m, NULL, 0, 0x1804fdc0000 >> 9, &p));
	/* The table on the first node, the block below 4 GiB. */
	assert_int_equal(p.table_start, SZ_4G);
	assert_int_equal(p.block_end, 0x75c00000);
}

/* A desktop's UEFI map: some 300 pieces, of which loaders see every second one as their own. */
static void hundreds_of_pieces(void **state __unused)
{
	hpa_t a = 0x100000;
	u32 i;

	for (i = 0; i < MEM_MAX_RANGES; i++, a += 0x3000)
		add(a, a + 0x3000, i % 2 ? MEM_RAM : MEM_RESERVED);
	assert_true(memmap_normalise(&m));
	assert_int_equal(m.nr, MEM_MAX_RANGES);
	assert_int_equal(memmap_type(&m, a - 1), MEM_RAM);
	assert_false(memmap_set(&m, 0x103000, 0x104000, MEM_RESERVED) &&
		     memmap_set(&m, 0x10a000, 0x10b000, MEM_RESERVED));
	empty(NULL);
	for (i = 0; i < MEM_MAX_RANGES; i++, a -= 0x3000)
		add(a, a + 0x3000, MEM_RAM);
	assert_true(memmap_normalise(&m));
	assert_int_equal(m.nr, 1);
}

static void trims(void **state __unused)
{
	add(0, 0xa0000, MEM_RAM);
	add(0x100000, 0x80000000, MEM_RAM);
	add(SZ_4G, 0x4000000000, MEM_RAM);
	add(0x5000000000, 0x5000100000, MEM_ACPI);
	assert_int_equal(memmap_trim(&m, BIT(46)), 0);
	/* A line beyond the CPU's: cut, and gone. */
	assert_int_equal(memmap_trim(&m, 0x3000000000), 0x1000000000);
	assert_int_equal(memmap_ram_end(&m), 0x3000000000);
	add(BIT(46), BIT(46) + SZ_1G, MEM_RAM);
	assert_int_equal(memmap_trim(&m, BIT(46)), SZ_1G);
	assert_int_equal(memmap_type(&m, BIT(46)), MEM_RESERVED);
	/* CXL memory at 16 TiB beside 192 GiB of RAM: a table of 32 GiB for it is too much. */
	add(0x100000000000, 0x102000000000, MEM_RAM);
	assert_int_equal(memmap_trim(&m, BIT(52)), 0x2000000000);
	/* At 1 TiB it is worth it. */
	m.r[m.nr - 1] = (struct mem_range){ 0x10000000000, 0x12000000000, MEM_RAM };
	assert_int_equal(memmap_trim(&m, BIT(52)), 0);
	/* Little memory, at odd places below 4 GiB: stays. */
	empty(NULL);
	add(0xf0000000, 0xf8000000, MEM_RAM);
	assert_int_equal(memmap_trim(&m, BIT(36)), 0);
	empty(NULL);
	assert_int_equal(memmap_trim(&m, BIT(36)), 0);
}

static void avoids_modules_at_the_top(void **state __unused)
{
	struct mem_range used = { 0x70000000, 0x7fe00000, 0 };
	struct mem_plan p;

	add(0x100000, 0x7fe00000, MEM_RAM);
	assert_true(memmap_plan(&m, &used, 1, 0x400000, &p));
	assert_int_equal(p.block_end, 0x70000000);
}

static void says_when_there_is_too_little(void **state __unused)
{
	struct mem_range used = { 0x100000, 0x40000000, 0 };
	struct mem_plan p;

	add(0x100000, 0x6000000, MEM_RAM);
	assert_false(memmap_plan(&m, NULL, 0, 0x4000, &p));
	empty(NULL);
	add(SZ_4G, 2 * SZ_4G, MEM_RAM);
	assert_false(memmap_plan(&m, NULL, 0, 0x4000, &p));
	empty(NULL);
	add(0x100000, 0x40000000, MEM_RAM);
	assert_true(memmap_plan(&m, NULL, 0, 0x4000, &p));
	assert_false(memmap_plan(&m, &used, 1, 0x4000, &p));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, empty)
	const struct CMUnitTest tests[] = {
		T(sorts_and_cuts), T(drops_crumbs), T(normal_for_any_input), T(sets_types),
		T(finds_room), T(finds_the_middle), T(keeps_its_share),
		T(avoids_modules_at_the_top), T(two_sockets), T(hundreds_of_pieces), T(trims),
		T(says_when_there_is_too_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
