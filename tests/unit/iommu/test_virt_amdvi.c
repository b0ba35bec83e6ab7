// SPDX-License-Identifier: GPL-2.0-only
/* The virtual AMD-Vi unit: registers, command buffer, devices' tables and their entries. */
// SOURCES: hv/iommu/virt/virt.c hv/iommu/virt/virt_amdvi.c hv/iommu/virt/virt_irt.c hv/iommu/virt/virt_ivrs.c hv/iommu/ivrs_devs.c tests/unit/rig/virt_amdvi_rig.c
// CFLAGS: -include core_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "hv/iommu/virt/virt.h"
#include "virt_amdvi_rig.h"

#define DEV_TAB_BASE	0x00
#define CMD_BASE	0x08
#define CONTROL		0x18
#define FEATURES	0x30
#define CMD_HEAD	0x2000
#define CMD_TAIL	0x2008
#define STATUS		0x2020
#define CMD_BUF_RUN	BIT(4)

#define DEV		0x0018
#define OUTSIDE		0x80000000ull	/* not domain 0's */

static int setup(void **state)
{
	(void)state;
	rig_init(true, false);
	rig_start(0);
	return 0;
}

/* ---- registers ---- */

static void features_are_the_virtual_units(void **state __unused)
{
	rig_init(true, false);
	assert_int_equal(rig_read(0, FEATURES, 8), BIT(6) | BIT(7));
	rig_init(true, true);
	assert_int_equal(rig_read(0, FEATURES, 8), BIT(2) | BIT(6) | BIT(7));
	rig_init(false, true);
	assert_int_equal(rig_read(0, FEATURES, 8), BIT(6));
	rig_write(0, FEATURES, 8, ~0ull);
	assert_int_equal(rig_read(0, FEATURES, 8), BIT(6));
	assert_int_equal(rig_read(0, 0x1a0, 8), 0);
}

static void control_keeps_what_there_is(void **state __unused)
{
	const u64 always = BIT(13) - 1;

	rig_init(false, true);
	rig_write(0, CONTROL, 8, ~0ull);
	assert_int_equal(rig_read(0, CONTROL, 8), always);
	rig_init(true, false);
	rig_write(0, CONTROL, 8, ~0ull);
	assert_int_equal(rig_read(0, CONTROL, 8), always | BIT(17));
	rig_init(true, true);
	rig_write(0, CONTROL, 8, ~0ull);
	assert_int_equal(rig_read(0, CONTROL, 8), always | BIT(17) | BIT(50));
	rig_write(0, CONTROL + 4, 4, 0);
	assert_int_equal(rig_read(0, CONTROL, 8), always | BIT(17));
}

static void halves_and_wholes(void **state __unused)
{
	rig_init(true, false);
	rig_write(0, DEV_TAB_BASE, 8, ~0ull);
	assert_int_equal(rig_read(0, DEV_TAB_BASE, 8), 0x000ffffffffff1ffull);
	rig_write(0, DEV_TAB_BASE, 4, 0x12345003);
	assert_int_equal(rig_read(0, DEV_TAB_BASE, 8), 0x000fffff12345003ull);
	rig_write(0, DEV_TAB_BASE + 4, 4, 7);
	assert_int_equal(rig_read(0, DEV_TAB_BASE, 4), 0x12345003);
	assert_int_equal(rig_read(0, DEV_TAB_BASE + 4, 4), 7);
	assert_int_equal(rig_read(0, DEV_TAB_BASE + 2, 2), 0x1234);
	assert_int_equal(rig_read(1, DEV_TAB_BASE, 8), 0);
	rig_write(0, CMD_BASE, 8, ~0ull);
	assert_int_equal(rig_read(0, CMD_BASE, 8), 0x0f0ffffffffff000ull);
	rig_write(0, 0x28, 8, ~0ull);
	assert_int_equal(rig_read(0, 0x28, 8), 0x000ffffffffff000ull);
	rig_write(0, CMD_TAIL, 8, ~0ull);
	assert_int_equal(rig_read(0, CMD_TAIL, 8), 0x7fff0);
}

static void nothing_elsewhere(void **state __unused)
{
	u32 off;

	for (off = 0; off < IVRS_REGS_SIZE; off += 8) {
		if (off <= 0x30 || (off >= 0x2000 && off <= 0x2020))
			continue;
		rig_write(0, off, 8, ~0ull);
		rig_write(0, off + 4, 4, ~0u);
		assert_int_equal(rig_read(0, off, 8), 0);
		assert_int_equal(rig_read(0, off + 4, 4), 0);
	}
}

/* ---- command buffer ---- */

static void runs_when_all_is_on(void **state __unused)
{
	rig_init(true, false);
	rig_write(0, CMD_BASE, 8, RIG_CMDS | 8ull << 56);
	rig_write(0, CONTROL, 8, BIT(12));
	assert_int_equal(rig_read(0, STATUS, 4), 0);
	rig_write(0, CONTROL, 8, BIT(12) | BIT(2) | 1);
	assert_int_equal(rig_read(0, STATUS, 4), CMD_BUF_RUN | BIT(3));
	rig_write(0, CMD_BASE, 8, RIG_CMDS | 7ull << 56);
	assert_int_equal(rig_read(0, STATUS, 4), BIT(3));
	rig_write(0, CONTROL, 8, 1);
	assert_int_equal(rig_read(0, STATUS, 4), 0);
}

static void wait_stores(void **state __unused)
{
	rig_command(0, RIG_CMD(RIG_WAIT) | RIG_DONE | 1, 0x1122334455667788ull);
	assert_int_equal(rig_peek(RIG_DONE), 0x1122334455667788ull);
	rig_command(0, RIG_CMD(RIG_WAIT) | RIG_DONE, 5);
	assert_int_equal(rig_peek(RIG_DONE), 0x1122334455667788ull);
	assert_int_equal(rig_read(0, CMD_HEAD, 4), rig_read(0, CMD_TAIL, 4));
	assert_int_equal(rig_read(0, STATUS, 4) & BIT(2), 0);
	rig_command(0, RIG_CMD(RIG_WAIT) | 2, 0);
	assert_int_equal(rig_read(0, STATUS, 4) & BIT(2), BIT(2));
	rig_write(0, STATUS, 4, BIT(1));
	assert_int_equal(rig_read(0, STATUS, 4) & BIT(2), BIT(2));
	rig_write(0, STATUS, 4, BIT(2));
	assert_int_equal(rig_read(0, STATUS, 4) & BIT(2), 0);
	assert_int_equal(rig_faults, 0);
}

static void buffer_wraps(void **state __unused)
{
	u64 n;

	for (n = 1; n <= 1500; n++) {
		rig_command(0, RIG_CMD(RIG_WAIT) | RIG_DONE | 1, n);
		assert_int_equal(rig_peek(RIG_DONE), n);
	}
	assert_true(rig_read(0, CMD_HEAD, 4) < 0x2000);
	/* A tail that is behind the end is one modulo the size. */
	rig_write(0, CMD_TAIL, 4, 0x4000 + (u32)rig_read(0, CMD_HEAD, 4));
	assert_int_equal(rig_peek(RIG_DONE), 1500);
	assert_int_equal(rig_faults, 0);
}

/* A whole buffer takes several accesses, and each command happens once, in order. */
static void many_commands_come_in_pieces(void **state __unused)
{
	u32 i;

	rig_write(0, CONTROL, 8, 0);
	rig_write(0, CMD_HEAD, 4, 0);
	for (i = 0; i < 511; i++) {
		rig_poke(RIG_CMDS + 16 * i, RIG_CMD(RIG_WAIT) | (RIG_DONE + 8 * i) | 1);
		rig_poke(RIG_CMDS + 16 * i + 8, i + 1);
	}
	rig_write(0, CMD_TAIL, 4, 511 * 16);
	assert_int_equal(rig_peek(RIG_DONE), 0);
	assert_in_range(rig_write(0, CONTROL, 8, BIT(12) | 1), 511 / 16, 511 / 4);
	for (i = 0; i < 511; i++)
		assert_int_equal(rig_peek(RIG_DONE + 8 * i), i + 1);
	assert_int_equal(rig_read(0, CMD_HEAD, 4), 511 * 16);
}

static void stopped_at(u32 head, const char *why)
{
	assert_int_equal(rig_read(0, STATUS, 4) & CMD_BUF_RUN, 0);
	assert_int_equal(rig_read(0, CMD_HEAD, 4), head);
	assert_int_equal(rig_faults, 1);
	assert_non_null(strstr(rig_fault, why));
}

static void unknown_command_stops(void **state __unused)
{
	static const u8 unknown[] = { 0, 6, 7, 9, 15 };
	u32 i, head;

	for (i = 0; i < ARRAY_SIZE(unknown); i++) {
		rig_init(true, false);
		rig_start(0);
		head = (u32)rig_read(0, CMD_HEAD, 4);
		rig_command(0, RIG_CMD(unknown[i]), 0);
		stopped_at(head, "unknown");
		assert_int_equal(rig_fault_code, unknown[i]);
		rig_command(0, RIG_CMD(RIG_WAIT) | RIG_DONE | 1, 7);
		assert_int_equal(rig_peek(RIG_DONE), 0);
		/* As Linux does after an error. */
		rig_write(0, CONTROL, 8, 1);
		rig_write(0, CMD_HEAD, 4, 0);
		rig_write(0, CMD_TAIL, 4, 0);
		rig_write(0, CONTROL, 8, BIT(12) | 1);
		rig_command(0, RIG_CMD(RIG_WAIT) | RIG_DONE | 1, 8);
		assert_int_equal(rig_peek(RIG_DONE), 8);
	}
}

static void hostile_addresses_stop(void **state __unused)
{
	u32 head = (u32)rig_read(0, CMD_HEAD, 4);

	rig_command(0, RIG_CMD(RIG_WAIT) | OUTSIDE | 1, 7);
	stopped_at(head, "store");
	setup(NULL);
	rig_command(0, RIG_CMD(RIG_WAIT) | 0x000ffffffffffff8ull | 1, 7);
	stopped_at(head, "store");
	setup(NULL);
	rig_write(0, CMD_BASE, 8, OUTSIDE | 15ull << 56);
	rig_write(0, CMD_TAIL, 4, 0x7fff0);
	stopped_at(head, "not in domain 0's memory");
	setup(NULL);
	rig_write(0, CMD_BASE, 8, 0x000ffffffffff000ull | 15ull << 56);
	rig_write(0, CMD_TAIL, 4, 0x7fff0);
	stopped_at(head, "not in domain 0's memory");
}

static void translations_are_not_its_own(void **state __unused)
{
	rig_set_dte(0, DEV, RIG_IRT(0), 9);
	rig_sets = 0;
	rig_command(0, RIG_CMD(RIG_INV_PAGES) | 5ull << 32, 0x7ffffffffffff003ull);
	rig_command(0, RIG_CMD(RIG_INV_IOTLB) | DEV, 0x7ffffffffffff003ull);
	assert_int_equal(rig_sets, 0);
	assert_int_equal(rig_faults, 0);
	assert_int_equal(rig_read(0, CMD_HEAD, 4), rig_read(0, CMD_TAIL, 4));
}

/* ---- devices ---- */

/* Entry @i of the wide table at @root. */
static void put_wide(gpa_t root, u32 i, u64 lo, u64 hi)
{
	rig_poke(root + 16 * i, lo);
	rig_poke(root + 16 * i + 8, hi);
}

static void is(u16 bdf, u32 i, u64 lo, u64 hi)
{
	struct rig_irt *t = rig_irt(bdf);

	assert_non_null(t);
	assert_true(t->flushed);
	assert_int_equal(t->lo[i], lo);
	assert_int_equal(t->hi[i], hi);
}

static void table_is_copied(void **state __unused)
{
	u32 order;

	for (order = 0; order <= 9; order++) {
		setup(NULL);
		put_wide(RIG_IRT(0), 0, 0x0101, 0x30);
		put_wide(RIG_IRT(0), (1u << order) - 1, 0x0301, 0x31);
		put_wide(RIG_IRT(0), 1u << order, 0x0301, 0x32);
		rig_set_dte(0, DEV, RIG_IRT(0), order);
		assert_int_equal(rig_irt(DEV)->order, order);
		assert_int_equal(rig_sets, 1u << order);
		is(DEV, (1u << order) - 1, 0x0301, 0x31);
		if (order)
			is(DEV, 0, 0x0101, 0x30);
	}
	assert_int_equal(rig_faults, 0);
}

static void entries_change(void **state __unused)
{
	rig_set_dte(0, DEV, RIG_IRT(0), 9);
	is(DEV, 5, 0, 0);
	put_wide(RIG_IRT(0), 5, 0x0201, 0x41);
	is(DEV, 5, 0, 0);
	rig_command(0, RIG_CMD(RIG_INV_IRT) | DEV, 0);
	is(DEV, 5, 0x0201, 0x41);
	put_wide(RIG_IRT(0), 5, 0x0200, 0x41);
	rig_command(0, RIG_CMD(RIG_INV_IRT) | (DEV + 1), 0);
	is(DEV, 5, 0x0201, 0x41);
	rig_command(0, RIG_CMD(RIG_INV_IRT) | DEV, 0);
	is(DEV, 5, 0, 0);
}

/* The device table entry counts when the unit is told of it, and only then. */
static void table_moves(void **state __unused)
{
	put_wide(RIG_IRT(1), 5, 0x0201, 0x41);
	rig_set_dte(0, DEV, RIG_IRT(0), 9);
	rig_poke(RIG_DEVTAB + DEV * 32 + 16, RIG_IRT(1) | 9 << 1 | 1 | 2ull << 60);
	rig_command(0, RIG_CMD(RIG_INV_IRT) | DEV, 0);
	is(DEV, 5, 0, 0);
	rig_command(0, RIG_CMD(RIG_INV_DEV) | DEV, 0);
	is(DEV, 5, 0x0201, 0x41);
	rig_set_dte(0, DEV, RIG_IRT(1), 4);
	assert_int_equal(rig_irt(DEV)->order, 4);
	is(DEV, 5, 0x0201, 0x41);
	assert_int_equal(rig_tables, 1);
}

static void blocked_otherwise(void **state __unused)
{
	static const u64 words[] = {
		0,					/* IV clear: Linux has it pass */
		1,					/* IntCtl 0: blocked */
		1 | 1ull << 60,				/* passed on unmapped */
		1 | 3ull << 60,				/* reserved */
		2ull << 60 | 9 << 1 | RIG_IRT(0),	/* remapped, but IV clear */
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		rig_set_dte(0, DEV, RIG_IRT(0), 9);
		assert_non_null(rig_irt(DEV));
		/* Whatever is said of DMA, and of INIT, ExtINT, NMI, LINT0 and LINT1. */
		rig_poke(RIG_DEVTAB + DEV * 32, ~0ull);
		rig_poke(RIG_DEVTAB + DEV * 32 + 16, words[i] | 0xc7ull << 56);
		rig_command(0, RIG_CMD(RIG_INV_DEV) | DEV, 0);
		assert_null(rig_irt(DEV));
	}
	assert_int_equal(rig_tables, 0);
}

/* Domain 0's page tables for a device: it hears that they have no effect. */
static void tables_for_dma_are_told(void **state __unused)
{
	rig_set_dte(0, 0x10, RIG_IRT(0), 5);
	rig_poke(RIG_DEVTAB + 0x10 * 32, 3);			/* V, TV, no levels */
	rig_command(0, RIG_CMD(RIG_INV_DEV) | 0x10, 0);
	rig_poke(RIG_DEVTAB + 0x10 * 32, 1 | 3 << 9);		/* not TV */
	rig_command(0, RIG_CMD(RIG_INV_DEV) | 0x10, 0);
	assert_int_equal(rig_notes, 0);
	rig_poke(RIG_DEVTAB + 0x10 * 32, 3 | 3 << 9);
	rig_command(0, RIG_CMD(RIG_INV_DEV) | 0x10, 0);
	assert_int_equal(rig_notes, 1);
	assert_int_equal(rig_faults, 0);
	assert_non_null(rig_irt(0x10));
}

static void device_table_has_an_end(void **state __unused)
{
	rig_write(0, DEV_TAB_BASE, 8, RIG_DEVTAB);	/* one page: 128 */
	rig_set_dte(0, 127, RIG_IRT(0), 9);
	rig_set_dte(0, 128, RIG_IRT(0), 9);
	assert_non_null(rig_irt(127));
	assert_null(rig_irt(128));
	rig_write(0, DEV_TAB_BASE, 8, OUTSIDE | 0x1ff);
	rig_command(0, RIG_CMD(RIG_INV_DEV) | 127, 0);
	assert_null(rig_irt(127));
}

static void refused(const char *why)
{
	assert_int_equal(rig_faults, 1);
	assert_non_null(strstr(rig_fault, why));
	rig_faults = 0;
}

static void who_gets_a_table(void **state __unused)
{
	rig_set_dte(0, DEV, RIG_IRT(0), 10);
	refused("too long");
	rig_set_dte(0, DEV, RIG_IRT(0), 15);
	refused("too long");
	rig_set_dte(0, 0x8000, RIG_IRT(0), 9);
	refused("not behind");
	rig_set_dte(0, 0xffff, RIG_IRT(0), 9);
	refused("not behind");
	assert_int_equal(rig_tables, 0);
	rig_start(1);
	rig_set_dte(1, 0x8000, RIG_IRT(0), 9);
	assert_int_equal(rig_tables, 1);
	rig_room = 1;
	rig_set_dte(0, DEV, RIG_IRT(0), 9);
	refused("no table");
	assert_int_equal(rig_tables, 1);
}

/* A table that is too long now leaves none, rather than the old one. */
static void refused_change_blocks(void **state __unused)
{
	rig_set_dte(0, DEV, RIG_IRT(0), 4);
	rig_set_dte(0, DEV, RIG_IRT(0), 10);
	refused("too long");
	assert_null(rig_irt(DEV));
	rig_set_dte(0, DEV, RIG_IRT(0), 4);
	assert_non_null(rig_irt(DEV));
}

static void tables_have_an_end(void **state __unused)
{
	u32 i;

	for (i = 0; i < 600; i++)
		rig_set_dte(0, (u16)i, RIG_IRT(0), 0);
	assert_int_equal(rig_tables, 512);
	assert_int_equal(rig_faults, 600 - 512);
	assert_null(rig_irt(512));
	rig_poke(RIG_DEVTAB + 7 * 32 + 16, 1);
	rig_command(0, RIG_CMD(RIG_INV_DEV) | 7, 0);
	rig_set_dte(0, 512, RIG_IRT(0), 0);
	assert_non_null(rig_irt(512));
	assert_null(rig_irt(7));
}

static void table_that_is_nowhere_blocks(void **state __unused)
{
	put_wide(RIG_IRT(0), 3, 0x0201, 0x41);
	rig_set_dte(0, DEV, RIG_IRT(0), 9);
	is(DEV, 3, 0x0201, 0x41);
	rig_set_dte(0, DEV, OUTSIDE, 9);
	refused("not in its memory");
	is(DEV, 3, 0, 0);
	/* The last half of it is. */
	rig_set_dte(0, DEV, RIG_RAM + RIG_RAM_SIZE - 0x1000, 9);
	refused("not in its memory");
	is(DEV, 3, 0, 0);
}

/* A bridge's requests come with an alias; Linux tells of the device behind it. */
static void shared_table_is_copied_for_all(void **state __unused)
{
	rig_set_dte(0, 0x0300, RIG_IRT(0), 9);
	rig_set_dte(0, 0x00a4, RIG_IRT(0), 9);
	rig_set_dte(0, 0x0301, RIG_IRT(1), 9);
	put_wide(RIG_IRT(0), 8, 0x0101, 0x50);
	put_wide(RIG_IRT(1), 8, 0x0101, 0x51);
	rig_command(0, RIG_CMD(RIG_INV_IRT) | 0x0300, 0);
	is(0x0300, 8, 0x0101, 0x50);
	is(0x00a4, 8, 0x0101, 0x50);
	is(0x0301, 8, 0, 0);
}

/* Domain 0 puts another command where one is being done: that one is done from its start. */
static void another_command_underway(void **state __unused)
{
	u64 val;
	u32 i, tail;

	for (i = 0; i < 100; i++)
		rig_set_dte(0, (u16)i, RIG_IRT(0), 9);
	rig_set_dte(0, 0x0200, RIG_IRT(1), 9);
	tail = (u32)rig_read(0, CMD_TAIL, 4);
	put_wide(RIG_IRT(0), 1, 0x0301, 0x60);
	rig_poke(RIG_CMDS + tail, RIG_CMD(RIG_INV_ALL));
	val = tail + 16;
	assert_false(virt_iommu_access(RIG_REGS(0) + CMD_TAIL, 8, true, &val));
	put_wide(RIG_IRT(0), 1, 0x0301, 0x61);
	rig_poke(RIG_CMDS + tail, RIG_CMD(RIG_INV_IRT) | 5);
	rig_write(0, CMD_TAIL, 8, tail + 16);
	for (i = 0; i < 100; i++)
		is((u16)i, 1, 0x0301, 0x61);
}

static void all_is_read_anew(void **state __unused)
{
	u32 i, accesses;

	rig_start(1);
	rig_set_dte(1, 0x8000, RIG_IRT(0), 9);
	for (i = 0; i < 100; i++)
		rig_set_dte(0, (u16)i, RIG_IRT(0), 9);
	put_wide(RIG_IRT(0), 1, 0x0301, 0x60);
	put_wide(RIG_IRT(1), 1, 0x0301, 0x61);
	rig_poke(RIG_DEVTAB + 50 * 32 + 16, RIG_IRT(1) | 9 << 1 | 1 | 2ull << 60);
	rig_poke(RIG_DEVTAB + 51 * 32 + 16, 1);
	accesses = rig_command(0, RIG_CMD(RIG_INV_ALL), 0);
	assert_in_range(accesses, 100 / 16, 100 / 4);
	for (i = 0; i < 100; i++)
		if (i != 51)
			is((u16)i, 1, 0x0301, i == 50 ? 0x61 : 0x60);
	assert_null(rig_irt(51));
	is(0x8000, 1, 0, 0);
	assert_int_equal(rig_read(0, CMD_HEAD, 4), rig_read(0, CMD_TAIL, 4));
}

/* ---- entries ---- */

struct entry {
	u64 lo, hi;
};

static void check(const struct entry *e, u32 nr, bool taken)
{
	u32 i;

	for (i = 0; i < nr; i++)
		put_wide(RIG_IRT(0), i, e[i].lo, e[i].hi);
	rig_set_dte(0, DEV, RIG_IRT(0), 9);
	for (i = 0; i < nr; i++) {
		if (taken != (rig_irt(DEV)->lo[i] & 1))
			fail_msg("%llx %llx is %s", e[i].hi, e[i].lo, taken ? "refused" : "taken");
		is(DEV, i, taken ? e[i].lo : 0, taken ? e[i].hi : 0);
	}
}

/* What must be so in both modes of APIC IDs. */
static const struct entry good[] = {
	{ 0x0001, 0x30 }, { 0xff01, 0x30 }, { 0x0001, 0x20 }, { 0x0001, 0xef },
	{ 0x0003, 0x30 },			/* SupIOPF */
	{ 0x0041, 0x30 },			/* logical */
	{ 0x0005, 0x30 },			/* arbitrated */
};

static const struct entry bad[] = {
	{ 0x0009, 0x30 }, { 0x000d, 0x30 }, { 0x0011, 0x30 },	/* SMI, reserved, NMI */
	{ 0x0015, 0x30 }, { 0x0019, 0x30 }, { 0x001d, 0x30 },	/* INIT, reserved, ExtINT */
	{ 0x0021, 0x30 },			/* RqEoi */
	{ 0x0081, 0x30 }, { 0x00c1, 0x30 },	/* GuestMode, and IsRun */
	{ 0x0081, 0x0000000123456030ull },	/* with a backing page */
	{ 0x0001, 0x0000000123456030ull },
	{ 0x0001, 0x130 }, { 0x0001, 0x0010000000000030ull },
	{ 0x0000000100000001ull, 0x30 }, { 0x8000000000000001ull, 0x30 },	/* GATag */
	{ 0x0001, 0x00 }, { 0x0001, 0x1f }, { 0x0001, 0x02 },
	{ 0x0001, 0xf0 }, { 0x0001, 0xf8 }, { 0x0001, 0xff },
	{ 0xfffffffffffffffeull, ~0ull },	/* all but RemapEn */
	{ 0x0100, 0x30 },
};

/* Destinations of 32 bits */
static const struct entry far[] = {
	{ 0x00010001, 0x30 }, { 0x80000001, 0x30 }, { 0x0001, 0x0100000000000030ull },
	{ 0xffffff01, 0xff00000000000030ull },
};

static void wide_entries(void **state __unused)
{
	check(good, ARRAY_SIZE(good), true);
	check(bad, ARRAY_SIZE(bad), false);
	check(far, ARRAY_SIZE(far), false);
}

static void wide_entries_x2apic(void **state __unused)
{
	rig_init(true, true);
	rig_start(0);
	check(good, ARRAY_SIZE(good), true);
	check(bad, ARRAY_SIZE(bad), false);
	check(far, ARRAY_SIZE(far), true);
	/* Who leaves XTEn alone has bytes. */
	rig_write(0, CONTROL, 8, BIT(17) | BIT(12) | 1);
	check(good, ARRAY_SIZE(good), true);
	check(far, ARRAY_SIZE(far), false);
}

static void refusals_are_told(void **state __unused)
{
	put_wide(RIG_IRT(0), 1, 0x0101, 0x00);	/* Linux, on its way to a vector */
	put_wide(RIG_IRT(0), 2, 0x0000, 0xff);	/* and its mark of an index in use */
	rig_set_dte(0, DEV, RIG_IRT(0), 9);
	assert_int_equal(rig_faults, 0);
	put_wide(RIG_IRT(0), 1, 0x0111, 0x30);
	rig_command(0, RIG_CMD(RIG_INV_IRT) | DEV, 0);
	refused("may not have");
	assert_int_equal(rig_fault_code, 0x300111);
}

static void put_narrow(gpa_t root, u32 i, u32 val)
{
	memcpy(rig_ram + (root - RIG_RAM) + 4 * i, &val, sizeof(val));
}

static const u32 narrow_good[] = { 0x00300001, 0x00ef0047, 0x0030ff01 };
static const u32 narrow_bad[] = {
	0x00300011, 0x00300021, 0x00300081, 0x01300001, 0x80300001, 0x00000001, 0x001f0001,
	0x00f00001, 0x00300000, ~1u,
};
#define BAD_AT	ARRAY_SIZE(narrow_good)

static void put_all_narrow(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(narrow_good); i++)
		put_narrow(RIG_IRT(0), i, narrow_good[i]);
	for (i = 0; i < ARRAY_SIZE(narrow_bad); i++)
		put_narrow(RIG_IRT(0), BAD_AT + i, narrow_bad[i]);
	put_narrow(RIG_IRT(0), 511, 0x00310001);
	put_narrow(RIG_IRT(0), 512, 0x00310001);
	rig_set_dte(0, DEV, RIG_IRT(0), 9);
	for (i = 0; i < ARRAY_SIZE(narrow_bad); i++)
		is(DEV, BAD_AT + i, 0, 0);
	assert_int_equal(rig_sets, 512);
}

static void narrow_entries(void **state __unused)
{
	u32 i;

	rig_init(false, false);
	rig_start(0);
	put_all_narrow();
	for (i = 0; i < ARRAY_SIZE(narrow_good); i++)
		is(DEV, i, narrow_good[i], 0);
	is(DEV, 511, 0x00310001, 0);
}

/* Who leaves GAEn alone has narrow entries also where the real ones are wide. */
static void narrow_entries_in_wide_tables(void **state __unused)
{
	u32 i;

	rig_write(0, CONTROL, 8, BIT(12) | 1);
	put_all_narrow();
	for (i = 0; i < ARRAY_SIZE(narrow_good); i++)
		is(DEV, i, narrow_good[i] & 0xffff, narrow_good[i] >> 16);
	is(DEV, 511, 0x0001, 0x31);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(features_are_the_virtual_units, setup),
		cmocka_unit_test_setup(control_keeps_what_there_is, setup),
		cmocka_unit_test_setup(halves_and_wholes, setup),
		cmocka_unit_test_setup(nothing_elsewhere, setup),
		cmocka_unit_test_setup(runs_when_all_is_on, setup),
		cmocka_unit_test_setup(wait_stores, setup),
		cmocka_unit_test_setup(buffer_wraps, setup),
		cmocka_unit_test_setup(many_commands_come_in_pieces, setup),
		cmocka_unit_test_setup(unknown_command_stops, setup),
		cmocka_unit_test_setup(hostile_addresses_stop, setup),
		cmocka_unit_test_setup(translations_are_not_its_own, setup),
		cmocka_unit_test_setup(table_is_copied, setup),
		cmocka_unit_test_setup(entries_change, setup),
		cmocka_unit_test_setup(table_moves, setup),
		cmocka_unit_test_setup(blocked_otherwise, setup),
		cmocka_unit_test_setup(tables_for_dma_are_told, setup),
		cmocka_unit_test_setup(device_table_has_an_end, setup),
		cmocka_unit_test_setup(who_gets_a_table, setup),
		cmocka_unit_test_setup(refused_change_blocks, setup),
		cmocka_unit_test_setup(tables_have_an_end, setup),
		cmocka_unit_test_setup(table_that_is_nowhere_blocks, setup),
		cmocka_unit_test_setup(shared_table_is_copied_for_all, setup),
		cmocka_unit_test_setup(another_command_underway, setup),
		cmocka_unit_test_setup(all_is_read_anew, setup),
		cmocka_unit_test_setup(wide_entries, setup),
		cmocka_unit_test_setup(wide_entries_x2apic, setup),
		cmocka_unit_test_setup(refusals_are_told, setup),
		cmocka_unit_test_setup(narrow_entries, setup),
		cmocka_unit_test_setup(narrow_entries_in_wide_tables, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
