// SPDX-License-Identifier: GPL-2.0-only
/* The page-table walker, on both formats. */
// SOURCES: hv/core/memory/frames.c hv/core/memory/mmu.c hv/core/memory/mmu_dom0.c hv/core/memory/dommem.c hv/ept/npt.c hv/ept/format.c tests/unit/rig/mm_rig.c
// CFLAGS: -include mm_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "hv/core/lib/errno.h"
#include "hv/core/machine/memmap.h"
#include "hv/ept/npt.h"

#define RWX	(NPT_WRITE | NPT_EXEC)

static struct npt_root root;
static struct npt_gather gather;
static struct npt npt;
static u64 pages_left;

static void *test_page(void *ctx __unused)
{
	if (!pages_left)
		return NULL;
	pages_left--;
	return page_alloc();
}

static void give_pages_back(void)
{
	while (gather.nr_tables)
		page_free(phys_to_virt(gather.table[--gather.nr_tables]));
	npt_gather_init(&gather);
}

static void start(const struct npt_format *f, bool identity)
{
	rig_init_frames(false);
	memset(&root, 0, sizeof(root));
	npt_gather_init(&gather);
	pages_left = ~0ull;
	npt = (struct npt){
		.fmt = f, .root = &root, .gather = &gather,
		.page_alloc = test_page, .max_order = 18, .identity = identity,
	};
	assert_int_equal(npt_init(&npt), 0);
}

static void finish(void)
{
	npt_fini(&npt);
	give_pages_back();
	assert_int_equal(root.tables, 0);
	assert_int_equal(pool_free, pool_total);
}

static void unmap_all(u64 gfn, u64 n)
{
	u64 done;

	while (n) {
		assert_int_equal(npt_unmap(&npt, gfn, n, &done), 0);
		assert_in_range(done, 1, n);
		gfn += done;
		n -= done;
		give_pages_back();
	}
}

static u64 raw(u64 gfn, u32 level)
{
	u64 *t = phys_to_virt(root.table);
	u32 l;

	for (l = 3; l > level; l--)
		t = phys_to_virt(t[(gfn >> 9 * l) % 512] & npt.fmt->addr);
	return t[(gfn >> 9 * level) % 512];
}

static void expect(u64 gfn, u64 pfn, u32 order, u32 attr)
{
	struct npt_leaf leaf;

	assert_int_equal(npt_lookup(&npt, gfn, &leaf), NPT_MAPPED);
	assert_int_equal(leaf.pfn, pfn);
	assert_int_equal(leaf.order, order);
	assert_int_equal(leaf.attr, attr);
}

static void expect_kind(u64 gfn, enum npt_kind kind)
{
	struct npt_leaf leaf;

	assert_int_equal(npt_lookup(&npt, gfn, &leaf), kind);
}

/* The bits as the manuals have them. */
static void bits_amd(void **state __unused)
{
	start(&npt_format_amd, false);
	assert_int_equal(npt_map(&npt, 5, 0x1234, 0, RWX, NULL), 0);
	assert_int_equal(raw(5, 0), 0x1234067);
	assert_int_equal(npt_map(&npt, 6, 0x1235, 0, 0, NULL), 0);
	assert_int_equal(raw(6, 0), 0x8000000001235065);
	assert_int_equal(npt_map(&npt, 0x400, 0x200, 9, RWX | NPT_DEVICE, NULL), 0);
	assert_int_equal(raw(0x400, 1), 0x00100000002000e7);
	assert_int_equal(raw(5, 1) & ~npt.fmt->addr, 0x27);
	assert_int_equal(npt_mark(&npt, 7), 0);
	assert_int_equal(raw(7, 0) & 1, 0);
	unmap_all(0, 0x1000);
	finish();
}

static void bits_ept(void **state __unused)
{
	start(&npt_format_ept, false);
	assert_int_equal(npt_map(&npt, 5, 0x1234, 0, RWX | NPT_MT(NPT_MT_WB_ONLY), NULL), 0);
	assert_int_equal(raw(5, 0), 0x1234377);
	assert_int_equal(npt_map(&npt, 6, 0x1235, 0, NPT_WRITE | NPT_MT(NPT_MT_UC), NULL), 0);
	assert_int_equal(raw(6, 0), 0x1235303);
	assert_int_equal(npt_map(&npt, 0x40000, 0x80000, 18, NPT_MT(NPT_MT_WB), NULL), 0);
	assert_int_equal(raw(0x40000, 2), 0x800003b1);
	assert_int_equal(raw(5, 1) & ~npt.fmt->addr, 0x107);
	assert_int_equal(npt_mark(&npt, 7), 0);
	assert_int_equal(raw(7, 0) & 7, 0);
	unmap_all(0, 0x80000);
	finish();
}

static void check_map_rules(const struct npt_format *f)
{
	bool added;

	start(f, false);
	assert_int_equal(npt_map(&npt, 0, 0, 1, RWX, NULL), -EINVAL);
	assert_int_equal(npt_map(&npt, 0, 0, 27, RWX, NULL), -EINVAL);
	assert_int_equal(npt_map(&npt, 1, 0x200, 9, RWX, NULL), -EINVAL);
	assert_int_equal(npt_map(&npt, 0x200, 1, 9, RWX, NULL), -EINVAL);
	assert_int_equal(npt_map(&npt, BIT(36), 0, 0, RWX, NULL), -EINVAL);
	assert_int_equal(npt_map(&npt, 0, BIT(40), 0, RWX, NULL), -EINVAL);
	assert_int_equal(npt_mark(&npt, BIT(36)), -EINVAL);
	npt.max_order = 9;
	assert_int_equal(npt_map(&npt, 0, 0, 18, RWX, NULL), -EINVAL);
	npt.max_order = 18;
	assert_int_equal(root.tables, 1);

	/* Again, with more rights, with fewer, with others. */
	assert_int_equal(npt_map(&npt, 0x400, 0x600, 9, 0, &added), 0);
	assert_true(added);
	expect(0x4ff, 0x6ff, 9, 0);
	assert_int_equal(npt_map(&npt, 0x401, 0x601, 0, 0, &added), 0);
	assert_false(added);
	assert_int_equal(npt_map(&npt, 0x401, 0x601, 0, NPT_WRITE, &added), -EEXIST);
	assert_int_equal(npt_map(&npt, 0x401, 0x602, 0, 0, &added), -EEXIST);
	assert_int_equal(npt_map(&npt, 0x400, 0x600, 9, NPT_WRITE, &added), 0);
	assert_false(added);
	assert_int_equal(npt_map(&npt, 0x400, 0x600, 9, NPT_EXEC, &added), 0);
	expect(0x400, 0x600, 9, RWX);
	assert_int_equal(npt_map(&npt, 0x400, 0x600, 9, 0, &added), 0);
	expect(0x400, 0x600, 9, RWX);
	assert_int_equal(npt_map(&npt, 0x400, 0x800, 9, RWX, &added), -EEXIST);
	assert_int_equal(npt_map(&npt, 0, 0, 18, RWX, &added), -EEXIST);
	assert_false(added);
	assert_int_equal(npt_mapped(&root), 512);
	assert_false(gather.flush);

	/* Marks */
	assert_int_equal(npt_mark(&npt, 0x401), -EEXIST);
	assert_int_equal(npt_mark(&npt, 9), 0);
	assert_int_equal(npt_mark(&npt, 9), 0);
	expect_kind(9, NPT_MARKED);
	expect_kind(10, NPT_ABSENT);
	assert_int_equal(npt_map(&npt, 9, 9, 0, RWX, &added), -EEXIST);
	assert_int_equal(npt_map(&npt, 0, 0, 9, RWX, &added), -EEXIST);
	expect_kind(BIT(36), NPT_ABSENT);
	unmap_all(0, BIT(36));
	assert_int_equal(npt_mapped(&root), 0);
	assert_int_equal(root.tables, 1);
	finish();
}

static void map_rules(void **state __unused)
{
	check_map_rules(&npt_format_amd);
	check_map_rules(&npt_format_ept);
}

static void unmap_gathers(void **state __unused)
{
	u64 done, i;

	start(&npt_format_amd, false);
	for (i = 0; i < 1000; i++)
		assert_int_equal(npt_map(&npt, 0x600 + i, 0x5000 + i, 0, RWX, NULL), 0);
	assert_int_equal(npt_map(&npt, 0xc0000, 0x40000, 18, RWX, NULL), 0);
	assert_int_equal(npt_unmap(&npt, 0, 0, &done), -EINVAL);
	assert_int_equal(npt_unmap(&npt, BIT(36), 1, &done), -EINVAL);
	assert_int_equal(npt_unmap(&npt, 1, BIT(36), &done), -EINVAL);

	/* The gather fills, and says how far it got. */
	assert_int_equal(npt_unmap(&npt, 0x600, 1000, &done), 0);
	assert_int_equal(done, GATHER_LEAVES);
	assert_int_equal(gather.nr_leaves, GATHER_LEAVES);
	assert_true(gather.flush);
	for (i = 0; i < GATHER_LEAVES; i++)
		assert_int_equal(gather.leaf[i], NPT_GATHER_LEAF(0x5000 + i, 0));
	expect_kind(0x600 + done - 1, NPT_ABSENT);
	expect(0x600 + done, 0x5000 + done, 0, RWX);
	give_pages_back();
	unmap_all(0x600 + GATHER_LEAVES, 1000 - GATHER_LEAVES);
	expect_kind(0x600 + 999, NPT_ABSENT);

	/* A part of a large leaf takes all of it. */
	assert_int_equal(npt_unmap(&npt, 0xc1234, 2, &done), 0);
	assert_int_equal(done, 2);
	assert_int_equal(gather.leaf[0], NPT_GATHER_LEAF(0x40000, 18));
	expect_kind(0xc0000, NPT_ABSENT);
	give_pages_back();
	assert_int_equal(root.tables, 1);
	assert_int_equal(npt_mapped(&root), 0);
	finish();
}

/* One page here and there: each takes its tables with it. */
static void unmap_frees_tables(void **state __unused)
{
	u64 i;

	start(&npt_format_ept, false);
	for (i = 0; i < 300; i++)
		assert_int_equal(npt_map(&npt, i * 0x1003001, i, 0, RWX, NULL), 0);
	unmap_all(0, BIT(36));
	assert_int_equal(root.tables, 1);
	finish();
}

/* A table that a failed call left empty is in nobody's way. */
static void out_of_memory(void **state __unused)
{
	u64 n;

	for (n = 0; n < 3; n++) {
		start(&npt_format_amd, false);
		pages_left = n;
		assert_int_equal(npt_map(&npt, 0x400, 0x5, 0, RWX, NULL), -ENOMEM);
		expect_kind(0x400, NPT_ABSENT);
		assert_int_equal(npt_mark(&npt, 0x400), -ENOMEM);
		assert_int_equal(npt_mapped(&root), 0);
		pages_left = 10;
		assert_int_equal(npt_map(&npt, 0x400, 0x5, 0, RWX, NULL), 0);
		unmap_all(0x400, 1);
		assert_int_equal(root.tables, 1);
		finish();
	}
	start(&npt_format_amd, false);
	pages_left = 2;
	assert_int_equal(npt_map(&npt, 0, 5, 0, RWX, NULL), -ENOMEM);
	pages_left = 1;
	assert_int_equal(npt_map(&npt, 0, 0x200, 9, RWX, NULL), 0);
	unmap_all(0, 1);
	finish();
}

static void empty_table_gives_way(void **state __unused)
{
	u64 done;

	start(&npt_format_amd, false);
	assert_int_equal(npt_map(&npt, 0x200, 5, 0, RWX, NULL), 0);
	assert_int_equal(npt_map(&npt, 0, 5, 0, RWX, NULL), 0);
	pages_left = 0;
	/* Leave the table empty but linked, as after a failed call. */
	((u64 *)phys_to_virt(raw(0, 1) & npt.fmt->addr))[0] = 0;
	root.leaves[0]--;
	assert_int_equal(npt_map(&npt, 0, 0x400, 9, RWX, NULL), 0);
	assert_int_equal(gather.nr_tables, 1);
	assert_true(gather.flush);
	give_pages_back();
	expect(0x1ff, 0x5ff, 9, RWX);
	assert_int_equal(npt_unmap(&npt, 0, 0x400, &done), 0);
	finish();
}

static void check_identity(const struct npt_format *f)
{
	u64 tables, done, i;

	start(f, true);
	assert_int_equal(npt_map_range(&npt, 0x1fe, 0x1fe, 0x80204, RWX), 0);
	expect(0x1fe, 0x1fe, 0, RWX);
	expect(0x200, 0x200, 9, RWX);
	expect(0x40000, 0x40000, 18, RWX);
	expect(0x80000, 0x80000, 9, RWX);
	expect(0x80401, 0x80401, 0, RWX);
	expect_kind(0x80402, NPT_ABSENT);
	assert_int_equal(npt_mapped(&root), 0x80204);
	tables = root.tables;

	/* Out of the middle of 1 GiB, and back. */
	for (i = 0; i < 2; i++) {
		assert_int_equal(npt_unmap(&npt, 0x54321 + i, 1, &done), 0);
		assert_int_equal(done, 1);
		assert_true(gather.flush);
	}
	assert_int_equal(root.tables, tables + 2);
	expect_kind(0x54321, NPT_ABSENT);
	expect(0x54320, 0x54320, 0, RWX);
	expect(0x54323, 0x54323, 0, RWX);
	expect(0x54000, 0x54000, 9, RWX);
	assert_int_equal(npt_map(&npt, 0x54321, 0x54321, 0, RWX, NULL), 0);
	npt_collapse(&npt, 0x54321);
	assert_int_equal(root.tables, tables + 2);
	assert_int_equal(npt_map(&npt, 0x54322, 0x54322, 0, RWX, NULL), 0);
	npt_collapse(&npt, 0x54322);
	assert_int_equal(root.tables, tables);
	assert_int_equal(gather.nr_tables, 2);
	expect(0x54322, 0x54322, 18, RWX);
	give_pages_back();

	/* A whole table goes; its pages come back without memory. */
	for (i = 0; i < 512; i++)
		assert_int_equal(npt_unmap(&npt, 0x50000 + i, 1, &done), 0);
	pages_left = 0;
	for (i = 0; i < 512; i++)
		assert_int_equal(npt_map(&npt, 0x50000 + i, 0x50000 + i, 0, RWX, NULL), 0);
	npt_collapse(&npt, 0x50000);
	expect(0x50000, 0x50000, 18, RWX);
	give_pages_back();

	/* No page to split with: nothing changes. */
	assert_int_equal(npt_unmap(&npt, 0x50000, 1, &done), -ENOMEM);
	expect(0x50000, 0x50000, 18, RWX);
	pages_left = 1;
	assert_int_equal(npt_unmap(&npt, 0x50000, 1, &done), -ENOMEM);
	expect(0x50000, 0x50000, 9, RWX);
	npt_collapse(&npt, 0x50000);
	expect(0x50000, 0x50000, 18, RWX);
	assert_int_equal(root.tables, tables);
	assert_int_equal(npt_mapped(&root), 0x80204);
}

static void identity_splits_and_collapses(void **state __unused)
{
	check_identity(&npt_format_amd);
	check_identity(&npt_format_ept);
}

static void collapse_wants_equals(void **state __unused)
{
	u64 i, done;

	start(&npt_format_amd, true);
	/* One device page among RAM; contiguous but misaligned; accessed bits. */
	for (i = 0; i < 512; i++)
		npt_map(&npt, i, i, 0, RWX | (i == 511 ? NPT_DEVICE : 0), NULL);
	for (i = 512; i < 1024; i++)
		npt_map(&npt, i, i + 1, 0, RWX, NULL);
	for (i = 1024; i < 1536; i++)
		npt_map(&npt, i, i, 0, RWX, NULL);
	npt_collapse(&npt, 0);
	npt_collapse(&npt, 512);
	expect(0, 0, 0, RWX);
	expect(512, 513, 0, RWX);
	((u64 *)phys_to_virt(raw(1024, 1) & npt.fmt->addr))[3] &= ~npt.fmt->dirty;
	npt_collapse(&npt, 1024);
	expect(1027, 1027, 9, RWX);
	assert_int_equal(raw(1024, 1) & npt.fmt->dirty, npt.fmt->dirty);
	/* No room in the gather: it stays, and works later. */
	assert_int_equal(npt_unmap(&npt, 1024, 1, &done), 0);
	assert_int_equal(npt_map(&npt, 1024, 1024, 0, RWX, NULL), 0);
	gather.nr_leaves = GATHER_LEAVES;
	npt_collapse(&npt, 1024);
	expect(1024, 1024, 0, RWX);
	gather.nr_leaves = 0;
	npt_collapse(&npt, 1024);
	expect(1024, 1024, 9, RWX);
}

static void without_1g(void **state __unused)
{
	u64 done;

	start(&npt_format_ept, true);
	npt.max_order = 9;
	assert_int_equal(npt_map_range(&npt, 0, 0, 0x80000, RWX), 0);
	expect(0x40000, 0x40000, 9, RWX);
	assert_int_equal(root.tables, 4);
	assert_int_equal(npt_unmap(&npt, 7, 1, &done), 0);
	assert_int_equal(npt_map(&npt, 7, 7, 0, RWX, NULL), 0);
	npt_collapse(&npt, 7);
	expect(7, 7, 9, RWX);
	assert_int_equal(root.tables, 4);
}

/* ---- npt_protect() ---- */

static u64 parts, part_pfn;
static u32 part_order;
static int part_error;

static int count_parts(u64 pfn, u32 order)
{
	part_pfn = pfn;
	part_order = order;
	parts++;
	return part_error;
}

static void protect_all(u64 gfn, u64 n, bool small)
{
	u64 done;

	while (n) {
		assert_int_equal(npt_protect(&npt, gfn, n, small, &done), 0);
		assert_in_range(done, 1, n);
		gfn += done;
		n -= done;
	}
	assert_false(gather.flush);
	assert_int_equal(gather.nr_tables + gather.nr_leaves, 0);
}

/*
 * What may be written to again at the next write: the small leaves that had the right, and no others,
 * until they are mapped otherwise or lose it for good.
 */
static void check_log(const struct npt_format *f)
{
	start(f, false);
	assert_int_equal(npt_map(&npt, 3, 0x33, 0, RWX, NULL), 0);
	assert_int_equal(npt_map(&npt, 4, 0x44, 0, NPT_EXEC, NULL), 0);
	assert_int_equal(npt_map(&npt, 5, 0x55, 0, NPT_WRITE, NULL), 0);
	assert_int_equal(npt_mark(&npt, 6), 0);
	assert_int_equal(npt_map(&npt, 0x200, 0x800, 9, RWX, NULL), 0);
	assert_false(npt_log_end(&npt, 3));
	npt.log = true;
	protect_all(0, 0x400, false);
	expect(3, 0x33, 0, NPT_EXEC | NPT_LOGGED);
	expect(4, 0x44, 0, NPT_EXEC);
	expect(5, 0x55, 0, NPT_LOGGED);
	expect(0x200, 0x800, 9, NPT_EXEC);
	assert_true(npt_log_end(&npt, 3));
	expect(3, 0x33, 0, RWX);
	assert_false(npt_log_end(&npt, 3));
	assert_false(npt_log_end(&npt, 4));
	assert_false(npt_log_end(&npt, 6));
	assert_false(npt_log_end(&npt, 7));
	assert_false(npt_log_end(&npt, 0x2ff));
	assert_false(npt_log_end(&npt, 0x40000));
	assert_false(npt_log_end(&npt, BIT(36)));
	expect(4, 0x44, 0, NPT_EXEC);
	expect(0x2ff, 0x8ff, 9, NPT_EXEC);
	/* Twice is once; mapped again with fewer rights it is the same, with the right it has that. */
	protect_all(3, 3, false);
	expect(3, 0x33, 0, NPT_EXEC | NPT_LOGGED);
	expect(5, 0x55, 0, NPT_LOGGED);
	assert_int_equal(npt_map(&npt, 5, 0x55, 0, NPT_EXEC, NULL), 0);
	expect(5, 0x55, 0, NPT_EXEC | NPT_LOGGED);
	assert_int_equal(npt_map(&npt, 5, 0x55, 0, NPT_WRITE, NULL), 0);
	expect(5, 0x55, 0, RWX);
	assert_false(npt_log_end(&npt, 5));
	npt.log = false;
	protect_all(3, 1, false);
	expect(3, 0x33, 0, NPT_EXEC);
	assert_false(npt_log_end(&npt, 3));
	unmap_all(0, BIT(36));
	finish();
}

static void protect_and_log(void **state __unused)
{
	check_log(&npt_format_amd);
	check_log(&npt_format_ept);
}

/* Large leaves lose the right as a whole; marks, holes and the other rights stay. */
static void check_protect(const struct npt_format *f)
{
	u64 tables;

	start(f, false);
	assert_int_equal(npt_map(&npt, 3, 0x33, 0, RWX, NULL), 0);
	assert_int_equal(npt_map(&npt, 4, 0x44, 0, NPT_WRITE, NULL), 0);
	assert_int_equal(npt_map(&npt, 5, 0x55, 0, RWX, NULL), 0);
	assert_int_equal(npt_mark(&npt, 6), 0);
	assert_int_equal(npt_map(&npt, 0x200, 0x800, 9, RWX, NULL), 0);
	assert_int_equal(npt_map(&npt, 0x40000, 0x80000, 18, RWX, NULL), 0);
	tables = root.tables;
	protect_all(3, 2, false);
	expect(3, 0x33, 0, NPT_EXEC);
	expect(4, 0x44, 0, 0);
	expect(5, 0x55, 0, RWX);
	protect_all(0, BIT(36), false);
	expect(5, 0x55, 0, NPT_EXEC);
	expect_kind(6, NPT_MARKED);
	expect_kind(7, NPT_ABSENT);
	expect(0x3ff, 0x9ff, 9, NPT_EXEC);
	expect(0x41234, 0x81234, 18, NPT_EXEC);
	assert_int_equal(root.tables, tables);
	/* It comes back by mapping the same again. */
	assert_int_equal(npt_map(&npt, 0x200, 0x800, 9, RWX, NULL), 0);
	expect(0x200, 0x800, 9, RWX);
	assert_int_equal(npt_map(&npt, 5, 0x55, 0, NPT_WRITE, NULL), 0);
	expect(5, 0x55, 0, RWX);
	/* One page of a large leaf is all of it. */
	protect_all(0x2ff, 1, false);
	expect(0x200, 0x800, 9, NPT_EXEC);
	assert_int_equal(npt_mapped(&root), 3 + BIT(9) + BIT(18));
	unmap_all(0, BIT(36));
	finish();
}

static void protect(void **state __unused)
{
	check_protect(&npt_format_amd);
	check_protect(&npt_format_ept);
}

/* Only what is in the range is split, down to the single page, and loses the right. */
static void check_protect_small(const struct npt_format *f)
{
	u64 tables, i;

	start(f, false);
	npt.part = count_parts;
	parts = 0;
	assert_int_equal(npt_map(&npt, 0x40000, 0x80000, 18, RWX, NULL), 0);
	tables = root.tables;
	protect_all(0x413ff, 2, true);
	assert_int_equal(parts, 3);
	assert_int_equal(part_pfn, 0x81400);
	assert_int_equal(part_order, 9);
	assert_int_equal(root.tables, tables + 3);
	assert_int_equal(root.leaves[2], 0);
	assert_int_equal(root.leaves[1], 510);
	assert_int_equal(root.leaves[0], 1024);
	for (i = 0x41200; i < 0x41600; i++)
		expect(i, i + 0x40000, 0, i == 0x413ff || i == 0x41400 ? NPT_EXEC : RWX);
	expect(0x41600, 0x81600, 9, RWX);
	expect(0x411ff, 0x811ff, 9, RWX);
	/* All of it. */
	protect_all(0x40000, BIT(18), true);
	assert_int_equal(parts, 1 + 512);
	assert_int_equal(root.leaves[0], BIT(18));
	assert_int_equal(root.leaves[1], 0);
	for (i = 0x40000; i < 0x80000; i += 77)
		expect(i, i + 0x40000, 0, NPT_EXEC);
	unmap_all(0, BIT(36));
	assert_int_equal(npt_mapped(&root), 0);
	/* A device's frames have no references. */
	parts = 0;
	assert_int_equal(npt_map(&npt, 0x200, 0x800, 9, NPT_WRITE | NPT_DEVICE, NULL), 0);
	protect_all(0x234, 1, true);
	assert_int_equal(parts, 0);
	expect(0x234, 0x834, 0, NPT_DEVICE);
	expect(0x235, 0x835, 0, NPT_WRITE | NPT_DEVICE);
	unmap_all(0x200, 0x200);
	/* Nothing is in the way of a large leaf then. */
	assert_int_equal(npt_map(&npt, 0x40000, 0x80000, 18, RWX, NULL), 0);
	unmap_all(0, BIT(36));
	finish();
}

static void protect_small(void **state __unused)
{
	check_protect_small(&npt_format_amd);
	check_protect_small(&npt_format_ept);
}

/* No memory, or no reference: what is said not to be done is as it was. */
static void check_protect_fails(const struct npt_format *f)
{
	u64 done;

	start(f, false);
	npt.part = count_parts;
	assert_int_equal(npt_map(&npt, 0x40000, 0x80000, 18, RWX, NULL), 0);
	pages_left = 0;
	assert_int_equal(npt_protect(&npt, 0x40000, 1, true, &done), -ENOMEM);
	assert_int_equal(done, 0);
	expect(0x40000, 0x80000, 18, RWX);
	pages_left = 1;
	assert_int_equal(npt_protect(&npt, 0x40000, 1, true, &done), -ENOMEM);
	expect(0x40000, 0x80000, 9, RWX);
	pages_left = 1;
	assert_int_equal(npt_protect(&npt, 0x40000, 0x400, true, &done), 0);
	assert_int_equal(done, 0x200);
	expect(0x401ff, 0x801ff, 0, NPT_EXEC);
	expect(0x40200, 0x80200, 9, RWX);
	pages_left = 5;
	part_error = -EBUSY;
	assert_int_equal(npt_protect(&npt, 0x40200, 0x200, true, &done), -EBUSY);
	part_error = 0;
	assert_int_equal(done, 0);
	expect(0x40200, 0x80200, 9, RWX);
	assert_int_equal(gather.nr_tables, 1);
	give_pages_back();
	/* Without a split there is nothing that could fail. */
	pages_left = 0;
	protect_all(0x40200, 1, false);
	expect(0x403ff, 0x803ff, 9, NPT_EXEC);
	assert_int_equal(npt_protect(&npt, 0, 0, false, &done), -EINVAL);
	assert_int_equal(npt_protect(&npt, BIT(36), 1, false, &done), -EINVAL);
	assert_int_equal(npt_protect(&npt, BIT(36) - 1, 2, true, &done), -EINVAL);
	assert_int_equal(npt_protect(&npt, 5, ~0ull, true, &done), -EINVAL);
	unmap_all(0, BIT(36));
	finish();
}

static void protect_fails(void **state __unused)
{
	check_protect_fails(&npt_format_amd);
	check_protect_fails(&npt_format_ept);
}

/* A large range is done in pieces: no call looks at more than so many entries. */
static void protect_in_pieces(void **state __unused)
{
	u64 done, calls = 0, pos;

	start(&npt_format_ept, false);
	assert_int_equal(npt_map(&npt, 0, 0, 18, RWX, NULL), 0);
	for (pos = 0; pos < BIT(18); pos += done, calls++) {
		assert_int_equal(npt_protect(&npt, pos, BIT(18) - pos, true, &done), 0);
		assert_in_range(done, 1, 4096);
	}
	assert_true(calls >= 64);
	unmap_all(0, BIT(18));
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bits_amd),
		cmocka_unit_test(bits_ept),
		cmocka_unit_test(map_rules),
		cmocka_unit_test(unmap_gathers),
		cmocka_unit_test(unmap_frees_tables),
		cmocka_unit_test(out_of_memory),
		cmocka_unit_test(empty_table_gives_way),
		cmocka_unit_test(identity_splits_and_collapses),
		cmocka_unit_test(collapse_wants_equals),
		cmocka_unit_test(without_1g),
		cmocka_unit_test(protect),
		cmocka_unit_test(protect_and_log),
		cmocka_unit_test(protect_small),
		cmocka_unit_test(protect_fails),
		cmocka_unit_test(protect_in_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
