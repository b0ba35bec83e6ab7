// SPDX-License-Identifier: GPL-2.0-only
/*
 * A machine with terabytes: what the frame table and domain 0's tables take, by the code that
 * plans and makes them, and what a frame of them costs at boot.
 *
 *	test_terabytes		they are within their bounds
 *	test_terabytes --table	the table
 */
// SOURCES: hv/core/machine/memplan.c hv/core/memory/frames.c hv/ept/npt.c hv/ept/format.c
// CFLAGS: -O2 -fno-sanitize=all -include mm_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "hv/core/machine/memmap.h"
#include "hv/core/memory/frames.h"
#include "hv/ept/npt.h"
#include "steps.h"

#define TIB		(1024ull * SZ_1G)
#define ARENA		(160 * SZ_1M)		/* two tables of leaves of 2 MiB for 16 TiB */

u8 *rig_memory;
static u64 used;

/* "Physical" pages for tables; the first is never given. */
static void *table_page(void *ctx __unused)
{
	used += PAGE_SIZE;
	return used < ARENA ? memset(rig_memory + used, 0, PAGE_SIZE) : NULL;
}

/* Domain 0's table pages for RAM up to @top, in leaves of 2^@order frames at most. */
static u64 tables(u64 top, u32 order)
{
	struct npt_root root = { 0 };
	struct npt t = {
		.fmt = &npt_format_amd, .root = &root, .page_alloc = table_page, .max_order = order,
		.identity = true,
	};

	used = 0;
	assert_int_equal(npt_init(&t), 0);
	assert_int_equal(npt_map_range(&t, 0, 0, top >> PAGE_SHIFT, NPT_WRITE), 0);
	assert_int_equal(npt_mapped(&root), top >> PAGE_SHIFT);
	return root.tables;
}

/* RAM to @top, less a PCI hole; what Bedplate keeps of it. */
static struct mem_plan plan(u64 top)
{
	static struct mem_map m;
	struct mem_plan p;

	m.nr = 3;
	m.r[0] = (struct mem_range){ 0, 0xa0000, MEM_RAM };
	m.r[1] = (struct mem_range){ SZ_1M, 2ull * SZ_1G, MEM_RAM };
	m.r[2] = (struct mem_range){ SZ_4G, top, MEM_RAM };
	assert_true(memmap_plan(&m, NULL, 0, frames_bytes(top >> PAGE_SHIFT), &p));
	return p;
}

/* Instructions to make the table of @n frames, of which @ram are RAM, and to go through it. */
static u64 boot_steps(u64 n, u64 ram)
{
	void *mem = malloc(frames_bytes(n));
	u64 pfn, steps;

	steps = STEPS(({
		frames_init(mem, n);
		frames_set(0, ram, BP_OWNER_DOM0);
		for (pfn = 0; pfn < n; pfn = frames_alike(pfn))
			;
	}));
	free(mem);
	return steps;
}

static void bounds(void **state)
{
	u64 tib;

	(void)state;
	for (tib = 1; tib <= 16; tib *= 2) {
		struct mem_plan p = plan(tib * TIB);
		u64 pages = tables(tib * TIB, 9);

		/* All of it, and domain 0's tables for CPUs and devices are in the pool. */
		assert_true(p.pool_bytes + p.frame_table_bytes <= 32 * SZ_1M + p.ram_bytes / 200);
		assert_true(2 * pages * PAGE_SIZE <= p.pool_bytes - 24 * SZ_1M);
		assert_true(p.frame_table_bytes <= p.ram_bytes / 500);
		assert_true(p.block_end <= SZ_4G && p.table_start >= SZ_4G);
	}
	assert_true(tables(8 * TIB, 18) <= 32);
}

/* Linear in the frames, RAM or hole, with few instructions for each. */
static void boot_is_linear(void **state)
{
	u64 few, many;

	(void)state;
	few = boot_steps(4096, 4096);
	many = boot_steps(16384, 16384);
	print_message("RAM: %llu for 16 MiB, %llu for 64 MiB\n", few, many);
	assert_true(many <= 4 * few + few / 10);
	few = boot_steps(4096, 512);
	many = boot_steps(16384, 512);
	print_message("hole: %llu for 16 MiB, %llu for 64 MiB\n", few, many);
	assert_true(many <= 4 * few + few / 2);
	assert_true(many <= 16384 * 24);
}

static int table(void)
{
	u64 tib, ram = boot_steps(16384, 16384), hole = boot_steps(16384, 0);

	printf("%-34s%10s%10s%10s\n", "RAM", "1 TiB", "8 TiB", "16 TiB");
	printf("%-34s", "frame table, MiB");
	for (tib = 1; tib <= 16; tib = tib == 1 ? 8 : tib * 2)
		printf("%10llu", plan(tib * TIB).frame_table_bytes >> 20);
	printf("\n%-34s", "pool, MiB");
	for (tib = 1; tib <= 16; tib = tib == 1 ? 8 : tib * 2)
		printf("%10llu", plan(tib * TIB).pool_bytes >> 20);
	printf("\n%-34s", "domain 0's tables, KiB, 1 GiB pages");
	for (tib = 1; tib <= 16; tib = tib == 1 ? 8 : tib * 2)
		printf("%9llu", tables(tib * TIB, 18) * 4);
	printf("\n%-34s", "domain 0's tables, KiB, 2 MiB pages");
	for (tib = 1; tib <= 16; tib = tib == 1 ? 8 : tib * 2)
		printf("%9llu", tables(tib * TIB, 9) * 4);
	printf("\n%-34s", "all of it, of RAM, 1/1000");
	for (tib = 1; tib <= 16; tib = tib == 1 ? 8 : tib * 2) {
		struct mem_plan p = plan(tib * TIB);

		printf("%10.2f", (p.frame_table_bytes + p.pool_bytes) * 1000.0 / p.ram_bytes);
	}
	printf("\nAt boot a frame of RAM costs %.1f instructions, one of a hole %.1f.\n",
	       ram / 16384.0, hole / 16384.0);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bounds), cmocka_unit_test(boot_is_linear),
	};

	steps_init();
	rig_memory = malloc(ARENA);
	if (argc > 1 && !strcmp(argv[1], "--table"))
		return table();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
