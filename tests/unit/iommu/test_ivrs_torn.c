// SPDX-License-Identifier: GPL-2.0-only
/* The reader of the IVRS: tables that are torn, each refused in a line that says where, and any bytes. */
// SOURCES: hv/iommu/ivrs.c hv/iommu/ivrs_devs.c hv/core/lib/printf.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "ivrs_laptop.h"

static void refuses_a_wrong_header(void **state __unused)
{
	u32 len;

	make_laptop();
	tab[0] ^= 1;
	refused_at(0, "signature");
	tab[0] ^= 1;
	taken();
	tab[20] ^= 1;
	assert_false(read_bytes(tab_len));
	assert_string_equal(err, "checksum at offset 0x9 is wrong");
	for (len = 0; len < tab_len; len++)
		assert_false(read_bytes(len));		/* the length is more than there is */
	assert_non_null(strstr(err, "at offset 0x4"));
	memcpy(tab + 4, &(u32){ 47 }, 4);
	assert_false(read_bytes(tab_len));
	memcpy(tab + 4, &(u32){ 0xffffffff }, 4);
	assert_false(read_bytes(tab_len));
	memcpy(tab + 4, &(u32){ 0 }, 4);
	assert_false(read_bytes(tab_len));
	assert_non_null(strstr(err, "at offset 0x4"));
}

/* More can be read than the table's length says: the rest is not the table's. */
static void stops_where_the_table_ends(void **state __unused)
{
	make_laptop();
	taken();
	memset(tab + tab_len, 0xa5, 50);
	assert_true(read_bytes(tab_len + 50));
	assert_int_equal(ivrs.nr_unknown, 0);
}

/* Cut anywhere, with length and checksum made right: whole blocks are taken, others not. */
static void refuses_cut_tables(void **state __unused)
{
	u32 full, n, cuts = 0;

	make_laptop();
	full = tab_len;
	for (n = 0; n < full; n++) {
		tab_len = n;
		if (n >= 48 && read_table())
			cuts++;
		else if (n < 48)
			assert_false(read_bytes(n));
	}
	assert_int_equal(cuts, 4);	/* after the 10h, the 11h and each IVMD */
}

static void refuses_torn_blocks(void **state __unused)
{
	static const u16 bad[] = { 0, 1, 3, 5, 0xffff };
	u32 i, unit;

	begin(0);
	ivhd(.type = 0x10, .id = 2, .regs = REGS);
	sel(8, 0);
	unit = block;
	ivhd(.type = 0x11, .id = 0x4002, .regs = 2 * REGS);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		memcpy(tab + block + 2, &bad[i], 2);
		refused_at(block, "torn");
	}
	memcpy(tab + block + 2, &(u16){ 39 }, 2);
	refused_at(block, "too short (39 bytes)");
	memcpy(tab + block + 2, &(u16){ 41 }, 2);
	refused_at(block, "torn");
	memcpy(tab + block + 2, &(u16){ 40 }, 2);
	taken();
	memcpy(tab + unit + 2, &(u16){ 23 }, 2);
	refused_at(unit, "too short (23 bytes)");
	memcpy(tab + unit + 2, &(u16){ 24 }, 2);
	refused_at(unit + 24, "torn");		/* the entry is taken for a block */
	memcpy(tab + unit + 2, &(u16){ 28 }, 2);
	put(0, 5);
	refused_at(tab_len - 5, "torn");
}

static void refuses_wrong_units(void **state __unused)
{
	static const u64 bad_regs[] = { 0, REGS + 0x1000, REGS + 1, 1ull << 52, ~0ull };
	static const u16 bad_cap[] = { 1, 0x3c, 0x41, 0x100, 0xfff0 };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(bad_regs); i++) {
		begin(0);
		ivhd(.type = 0x11, .id = 2, .regs = bad_regs[i]);
		refused_at(48, "has registers at");
	}
	for (i = 0; i < ARRAY_SIZE(bad_cap); i++) {
		begin(0);
		ivhd(.type = 0x11, .id = 2, .regs = REGS, .cap = bad_cap[i]);
		refused_at(48, "has its capability at");
	}
	begin(0);
	ivhd(.type = 0x11, .id = 2, .regs = REGS);
	ivhd(.type = 0x11, .id = 2, .regs = REGS + 0x80000);
	refused_at(block, "same unit as that at 0x30");
	begin(0);
	ivhd(.type = 0x11, .id = 2, .regs = REGS);
	ivhd(.type = 0x11, .id = 0x4002, .regs = REGS);
	refused_at(block, "registers of that at 0x30");
	begin(0);
	refused_at(48, "no IVHD");
	ivmd(0x20, 3, 0, 0, 0, 0x1000);
	refused_at(48, "no IVHD");
}

static u32 begin_entries(u8 type)
{
	begin(0);
	ivhd(.type = type, .id = 2, .regs = REGS);
	sel(8, 0);
	return tab_len;
}

static void refuses_torn_entries(void **state __unused)
{
	u32 off, i;

	for (i = 1; i < 4; i++) {			/* not even its type is followed by all */
		off = begin_entries(0x10);
		put_entry(2, i);
		refused_at(off, "torn");
	}
	for (i = 4; i < 8; i++) {
		off = begin_entries(0x10);
		put_entry(0x42, i);
		refused_at(off, "torn");
	}
	off = begin_entries(0x40);
	put_entry(0x80, 15);
	refused_at(off, "torn");
	off = begin_entries(0x40);
	put_entry(0xf1, 40);				/* nobody knows how long */
	refused_at(off, "torn");
	off = begin_entries(0x11);
	hid(0xa5, 0, "AMDI0020", 0, "");		/* names are for type 40h */
	refused_at(off, "torn");
	for (i = 1; i < 22; i++) {
		off = begin_entries(0x40);
		put_entry(0xf0, i);
		refused_at(off, "torn");
	}
	off = begin_entries(0x40);
	hid(0xa5, 0, "AMDI0020", 2, "12345678");
	tab[off + 21]++;
	refused_at(off, "torn");
	tab[off + 21] = 0xff;
	refused_at(off, "torn");
}

static void refuses_wrong_ranges(void **state __unused)
{
	u32 off = begin_entries(0x10);

	entry4(4, 0x100, 0);
	refused_at(off, "without a start");
	off = begin_entries(0x10);
	entry4(3, 0x100, 0);
	refused_at(off, "has no end");
	entry4(0, 0, 0);
	refused_at(off, "has no end");
	off = begin_entries(0x10);
	entry4(3, 0x100, 0);
	range(0x110, 0x120, 0);
	refused_at(off, "has no end");
	off = begin_entries(0x10);
	entry8(0x43, 0x100, 0, 0);
	ivhd(.type = 0x10, .id = 0x4002, .regs = 2 * REGS);	/* no end of another's range */
	entry4(4, 0x200, 0);
	refused_at(off, "has no end");
	off = begin_entries(0x10);
	range(0x100, 0xff, 0);
	refused_at(off, "from 0100 to 00ff");
	off = begin_entries(0x10);
	range(0x100, 0x110, 0);
	off = tab_len;
	entry4(4, 0x120, 0);
	refused_at(off, "without a start");
}

static void refuses_sources_in_two_places(void **state __unused)
{
	u32 off;

	begin_entries(0x10);
	special(SPECIAL_IOAPIC, 33, 0xa0, 0);
	special(SPECIAL_HPET, 33, 0xa8, 0);
	taken();
	off = tab_len;
	special(SPECIAL_IOAPIC, 33, 0x4001, 0);
	refused_at(off, "I/O APIC 33 is 0000:40:00.1, not 0000:00:14.0");
	begin_entries(0x10);
	special(SPECIAL_HPET, 0, 0xa0, 0);
	ivhd(.type = 0x10, .id = 2, .segment = 1, .regs = 2 * REGS);
	off = tab_len;
	special(SPECIAL_HPET, 0, 0xa0, 0);
	refused_at(off, "HPET 0 is 0001:00:14.0, not 0000:00:14.0");
}

static void refuses_wrong_memory(void **state __unused)
{
	static const struct { u64 start, len; } bad[] = {
		{ 0x1000, 0 }, { 0x1001, 0x1000 }, { 0x1fff, 1 }, { 0x1000, ~0ull },
		{ 1ull << 52, 1 }, { ~0xfffull, 0x1000 }, { ~0xfffull, 0x2000 },
		{ (1ull << 52) - 0x1000, 0x1001 },
	};
	u32 i, off;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		off = begin_entries(0x10);
		ivmd(0x20, 3, 0, 0, bad[i].start, bad[i].len);
		refused_at(off, "bytes at");
	}
	off = begin_entries(0x10);
	ivmd(0x22, 8, 0x100, 0xff, 0x1000, 0x1000);
	refused_at(off, "devices 0100 to 00ff");
	off = begin_entries(0x10);
	ivmd(0x22, 8, 0x100, 0x1ff, 0x1000, 0x1000);
	taken();
	memcpy(tab + off + 2, &(u16){ 31 }, 2);
	refused_at(off, "too short (31 bytes)");
}

static void refuses_more_than_fits(void **state __unused)
{
	u32 i, off = 0;

	begin(0);
	for (i = 0; i <= IVRS_MAX_UNITS; i++) {
		if (i == IVRS_MAX_UNITS)
			taken();
		off = tab_len;
		ivhd(.type = 0x10, .id = (u16)i, .regs = REGS + i * 0x4000);
	}
	refused_at(off, "one unit more than 64");

	begin_entries(0x10);
	for (i = 0; i <= IVRS_MAX_SOURCES; i++) {
		if (i == IVRS_MAX_SOURCES)
			taken();
		off = tab_len;
		special(SPECIAL_IOAPIC, (u8)i, 0xa0, 0);
	}
	refused_at(off, "one source more than 64");

	begin_entries(0x10);
	for (i = 0; i <= IVRS_MAX_REGIONS; i++) {
		if (i == IVRS_MAX_REGIONS)
			taken();
		off = tab_len;
		ivmd(0x21, 3, (u16)i, 0, 0x1000, 0x1000);
	}
	refused_at(off, "one more than 256");

	begin_entries(0x10);			/* which has one device */
	for (i = 1; i <= IVRS_MAX_DEVS; i++) {
		if (i == IVRS_MAX_DEVS)
			taken();
		off = tab_len;
		sel((u16)(8 + 2 * i), 0);
	}
	refused_at(off, "more than 1024 ranges");

	begin_entries(0x10);
	while (tab_len < IVRS_MAX_LEN)
		unknown_block(min(IVRS_MAX_LEN - tab_len, 0x8000u));
	taken();
	tab_len++;
	assert_false(read_table());
	assert_string_equal(err, "length 262145 at offset 0x4 is not from 48 to 262144");
}

static bool source_is_behind(const struct iommu_source *s)
{
	const struct ivrs_devs *d = ivrs_find(&ivrs, s->dev);

	return s->unit < ivrs.nr_units && d && d->units & BIT(s->unit) &&
	       s->dev.segment == ivrs.unit[s->unit].id.segment;
}

/* What holds of everything that was taken. */
static void check_taken(void)
{
	const struct ivrs_region *r;
	const struct ivrs_devs *d, *to;
	const struct ivrs_unit *u;
	u32 i;

	assert_true(ivrs.nr_units && ivrs.nr_units <= IVRS_MAX_UNITS);
	assert_true(ivrs.nr_devs <= IVRS_MAX_DEVS && ivrs.nr_sources <= IVRS_MAX_SOURCES &&
		    ivrs.nr_regions <= IVRS_MAX_REGIONS);
	for (u = ivrs.unit; u < ivrs.unit + ivrs.nr_units; u++)
		assert_true(u->regs && IS_ALIGNED(u->regs, 0x4000) && u->regs < BIT(52) &&
			    u->cap >= 0x40 && u->cap <= 0xfc && u->offset < tab_len);
	for (d = ivrs.devs; d < ivrs.devs + ivrs.nr_devs; d++) {
		assert_true(d->first <= d->last && d->units);
		assert_true(ivrs.nr_units == 64 || !(d->units >> ivrs.nr_units));
		to = ivrs_find(&ivrs, (struct pci_id){ d->segment, d->alias });
		assert_true(!d->aliased || to);
		assert_true(d == ivrs.devs || d[-1].segment < d->segment ||
			    (d[-1].segment == d->segment && d[-1].last < d->first));
	}
	for (i = 0; i < ivrs.nr_sources; i++)
		assert_true(source_is_behind(&ivrs.source[i]));
	for (r = ivrs.region; r < ivrs.region + ivrs.nr_regions; r++)
		assert_true(r->first <= r->last && r->mem.start < r->mem.end &&
			    r->mem.end <= BIT(52) && IS_ALIGNED(r->mem.start, PAGE_SIZE) &&
			    IS_ALIGNED(r->mem.end, PAGE_SIZE) &&
			    !(r->mem.access & ~(IOMMU_READ | IOMMU_WRITE)));
}

/* Bytes that mean something somewhere come more often. */
static u8 any_byte(void)
{
	static const u8 likely_ones[] = { 0, 1, 2, 3, 4, 0x10, 0x11, 0x20, 0x21, 0x22, 0x28, 0x40,
					  0x42, 0x43, 0x46, 0x47, 0x48, 0x80, 0xf0, 0xff };

	return rand() % 2 ? likely_ones[(u32)rand() % sizeof(likely_ones)] : (u8)rand();
}

static void survives_any_contents(void **state __unused)
{
	u32 round, n, full, taken_rounds = 0;

	srand(1);
	for (round = 0; round < 20000; round++) {
		make_laptop();
		ivhd(.type = 0x10, .id = 0x4002, .regs = REGS + 0x100000);
		range(0x4008, 0x7ffe, 0);
		full = tab_len;
		for (n = 1 + (u32)rand() % 6; n; n--)
			tab[36 + (u32)rand() % (full - 36)] = any_byte();
		if (!(rand() % 8))
			tab_len = 48 + (u32)rand() % (full - 48);
		if (read_table()) {
			check_taken();
			taken_rounds++;
		} else if (!strstr(err, "offset") || strchr(err, '\n')) {
			fail_msg("no error message: \"%s\"", err);
		}
	}
	/* Both happen often enough for the test to be worth something. */
	assert_in_range(taken_rounds, 2000, 18000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_a_wrong_header),
		cmocka_unit_test(stops_where_the_table_ends),
		cmocka_unit_test(refuses_cut_tables),
		cmocka_unit_test(refuses_torn_blocks),
		cmocka_unit_test(refuses_wrong_units),
		cmocka_unit_test(refuses_torn_entries),
		cmocka_unit_test(refuses_wrong_ranges),
		cmocka_unit_test(refuses_sources_in_two_places),
		cmocka_unit_test(refuses_wrong_memory),
		cmocka_unit_test(refuses_more_than_fits),
		cmocka_unit_test(survives_any_contents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
