// SPDX-License-Identifier: GPL-2.0-only
/* DMAR as real machines have it, as it may be, and damaged in every way. */
// SOURCES: hv/iommu/dmar.c hv/core/lib/printf.c tests/unit/rig/dmar_rig.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "dmar_rig.h"
#include "hv/core/lib/string.h"

static void assert_scope(u32 i, u8 type, u8 id, u8 bus, u8 devfn)
{
	const struct dmar_scope *s = &dmar.scope[i];

	assert_int_equal(s->type, type);
	assert_int_equal(s->id, id);
	assert_int_equal(s->bus, bus);
	assert_int_equal(s->depth, 1);
	assert_int_equal(s->path[0], devfn);
}

static void assert_source(enum iommu_source_kind kind, u8 id, u16 unit, u16 bdf)
{
	const struct iommu_source *s = iommu_source_find(dmar.source, dmar.nr_sources, kind, id);

	assert_non_null(s);
	assert_int_equal(s->unit, unit);
	assert_int_equal(s->dev.bdf, bdf);
}

static void (*const machines[])(void) = {
	build_qemu, build_notebook, build_small_pc, build_server,
};

static void reads_qemus(void **state __unused)
{
	build_qemu();
	accepted();
	assert_int_equal(dmar.width, 48);
	assert_true(dmar.intr_remap && !dmar.x2apic_opt_out && !dmar.dma_opt_in);
	assert_int_equal(dmar.nr_units, 1);
	assert_int_equal(dmar.unit[0].base, 0xfed90000);
	assert_int_equal(dmar.unit[0].size, 4096);
	assert_int_equal(dmar.unit[0].segment, 0);
	assert_true(dmar.unit[0].rest);
	assert_source(IOMMU_IOAPIC, 0, 0, PCI_BDF(0xff, 0));
	assert_null(iommu_source_find(dmar.source, dmar.nr_sources, IOMMU_HPET, 0));
	assert_int_equal(dmar.nr_regions, 0);
	assert_int_equal(dmar.nr_groups, 1);
	assert_int_equal(dmar.group[0].kind, DMAR_ATSR);
	assert_true(dmar.group[0].flag);
}

static void reads_a_notebooks(void **state __unused)
{
	build_notebook();
	accepted();
	assert_int_equal(dmar.width, 39);
	assert_true(dmar.intr_remap && !dmar.x2apic_opt_out && dmar.dma_opt_in);
	assert_int_equal(dmar.nr_units, 4);
	assert_false(dmar.unit[2].rest);
	assert_int_equal(dmar.unit[2].dev.nr, 1);
	assert_scope(dmar.unit[2].dev.first, DMAR_BRIDGE, 0, 0, PCI_DEVFN(7, 1));
	assert_true(dmar.unit[3].rest);
	assert_source(IOMMU_IOAPIC, 2, 3, PCI_BDF(0, PCI_DEVFN(0x1e, 7)));
	assert_source(IOMMU_HPET, 0, 3, PCI_BDF(0, PCI_DEVFN(0x1e, 6)));
	assert_int_equal(dmar.nr_regions, 1);
	assert_int_equal(dmar.region[0].mem.start, 0x83800000);
	assert_int_equal(dmar.region[0].mem.end, 0x87c00000);
	assert_int_equal(dmar.region[0].mem.access, IOMMU_READ | IOMMU_WRITE);
	assert_scope(dmar.region[0].dev.first, DMAR_ENDPOINT, 0, 0, PCI_DEVFN(2, 0));
}

static void reads_a_small_pcs(void **state __unused)
{
	build_small_pc();
	accepted();
	assert_true(dmar.intr_remap && dmar.x2apic_opt_out && !dmar.dma_opt_in);
	assert_source(IOMMU_IOAPIC, 2, 1, PCI_BDF(0xf0, PCI_DEVFN(0x1f, 0)));
	assert_source(IOMMU_HPET, 0, 1, PCI_BDF(0xf0, PCI_DEVFN(0x0f, 0)));
	assert_scope(dmar.unit[1].dev.first + 2u, DMAR_ACPI, 2, 0, PCI_DEVFN(0x17, 0));
	assert_int_equal(dmar.nr_regions, 2);
	assert_int_equal(dmar.region[0].dev.nr, 2);
	assert_int_equal(dmar.region[1].dev.nr, 1);
	assert_int_equal(dmar.nr_unknown, 0);
}

static void reads_a_servers(void **state __unused)
{
	const struct dmar_scope *s;
	u32 i;

	build_server();
	accepted();
	assert_int_equal(dmar.nr_units, 8);
	for (i = 0; i < 8; i++)
		assert_source(IOMMU_IOAPIC, socket_units[i].ioapic, (u16)i,
			      PCI_BDF(socket_units[i].bus, PCI_DEVFN(5, 4)));
	assert_source(IOMMU_IOAPIC, 8, 7, PCI_BDF(0xf0, PCI_DEVFN(0x1f, 0)));
	s = &dmar.scope[dmar.region[0].dev.first + 1];
	assert_int_equal(s->depth, 3);
	assert_memory_equal(s->path, ((u8[]){ PCI_DEVFN(0x1c, 4), 0, 1, 0, 0, 0, 0, 0 }), 8);
	assert_int_equal(dmar.nr_groups, 4);
	assert_int_equal(dmar.group[0].dev.nr, 2);
	assert_false(dmar.group[1].flag);
	assert_int_equal(dmar.group[2].kind, DMAR_SATC);
	assert_true(dmar.group[2].flag);
	assert_int_equal(dmar.group[3].kind, DMAR_SIDP);
	assert_false(dmar.group[3].flag);
	assert_scope(dmar.group[3].dev.first, DMAR_ENDPOINT, 0, 0x6a, PCI_DEVFN(2, 0));
}

/* Seen on a workstation: each DRHD stands there twice. */
static void counts_a_repeated_unit_once(void **state __unused)
{
	u32 i;

	begin(46, 3);
	for (i = 0; i < 4; i++) {
		drhd(i >= 2, 0, 0, i >= 2 ? 0x7fffc000 : 0x8fffc000);
		scope(3, i >= 2 ? 8 : 10, 3, 5, 4);
		scope(2, 0, 3, 0, 0);
	}
	accepted();
	assert_int_equal(dmar.nr_units, 2);
	assert_int_equal(dmar.nr_scopes, 4);
	assert_int_equal(dmar.nr_sources, 2);
	hop(0, 0);
	refused("DRHD at offset 0x90 has its registers at 0x7fffc000, where another unit's are");
}

/* Two at one place that do not say the same. */
static void refuses_a_unit_that_changes(void **state __unused)
{
	u32 change;

	for (change = 0; change < 5; change++) {
		begin(46, 0);
		drhd(0, 0, 0, 0x8fffc000);
		scope(2, 0, 3, 0, 0);
		scope(2, 0, 3, 1, 0);
		drhd(change == 0, change == 1, change == 2, 0x8fffc000);
		scope(2, 0, 3, 0, 0);
		if (change != 3)
			scope(2, 0, 3, change == 4 ? 2 : 1, 0);
		refused("DRHD at offset 0x50 has its registers at 0x8fffc000, where another");
	}
}

static void reads_segments_and_sizes(void **state __unused)
{
	begin(52, 0);
	drhd(1, 1, 0, 0xfed90000);
	drhd(1, 0xf0, 1, 0xfed92000);	/* the upper half is reserved */
	drhd(0, 15, 0xffff, (1ull << 52) - (4096u << 15));
	scope(3, 1, 1, 2, 3);
	rmrr(0xfffe, 0, 0xfff);
	accepted();
	assert_false(dmar.intr_remap);
	assert_int_equal(dmar.unit[0].size, 0x2000);
	assert_int_equal(dmar.unit[1].size, 0x1000);
	assert_int_equal(dmar.unit[1].segment, 1);
	assert_int_equal(dmar.unit[2].size, 4096u << 15);
	assert_int_equal(iommu_source_find(dmar.source, dmar.nr_sources, IOMMU_IOAPIC, 1)->dev.segment, 0xffff);
	assert_int_equal(dmar.region[0].segment, 0xfffe);
	assert_int_equal(dmar.region[0].mem.end, 0x1000);
	assert_int_equal(dmar.region[0].dev.nr, 0);
}

static void refuses_a_bad_head(void **state __unused)
{
	u32 i;

	build_notebook();
	finish();
	for (i = 0; i < len; i++) {
		assert_false(parse_bytes(i));
		check_refusal(len);
	}
	begin(39, 0);
	buf[3] = 'S';
	refused("head at offset 0x0 is no DMAR's");
	begin(39, 0);
	finish();
	buf[20] ^= 1;
	assert_false(parse_bytes(len));
	assert_string_equal(err, "head at offset 0x0 has a wrong checksum");
	poke(4, 4, 47);
	assert_false(parse_bytes(len));
	assert_string_equal(err, "head at offset 0x0 says 47 bytes, and there are 48");
	poke(4, 4, 0xffffffff);
	assert_false(parse_bytes(len));
	assert_non_null(strstr(err, "says 4294967295 bytes"));
}

static void wants_a_sane_address_width(void **state __unused)
{
	u32 width;

	for (width = 1; width <= 256; width++) {
		begin((u8)width, 0);
		if (width >= 32 && width <= 52)
			accepted();
		else
			refused("has an address width of");
	}
}

/* More memory than the table says: what follows is not read. */
static void stops_at_the_tables_end(void **state __unused)
{
	build_qemu();
	finish();
	memset(buf + len, 0xff, 64);
	assert_true(parse_bytes(len + 64));
	assert_int_equal(dmar.nr_units, 1);
}

static void refuses_a_cut_table(void **state __unused)
{
	u32 m, i, whole, at;

	for (m = 0; m < ARRAY_SIZE(machines); m++) {
		machines[m]();
		whole = len;
		at = HEAD;
		for (i = HEAD; i < whole; i++) {
			at += i == at + *(u16 *)(buf + at + 2) ? *(u16 *)(buf + at + 2) : 0;
			len = i;
			finish();
			assert_int_equal(parse_bytes(i), i == at);
			if (i != at)
				check_refusal(i);
		}
	}
}

static void refuses_bad_lengths(void **state __unused)
{
	const u16 min[] = { 16, 24, 8, 20, 9, 8, 8 };
	const char *const names[] = { "DRHD", "RMRR", "ATSR", "RHSA", "ANDD", "SATC", "SIDP" };
	char why[64];
	u32 i, n;

	for (i = 0; i < ARRAY_SIZE(min); i++) {
		for (n = 0; n < min[i]; n++) {
			begin(39, 0);
			structure((u16)i);
			while (len < HEAD + 64)
				put(4, 0);
			poke(last + 2, 2, n);
			snprintf(why, sizeof(why), "%s at offset " FIRST " is %u bytes long",
				 names[i], n);
			refused(why);
		}
		poke(last + 2, 2, 65);
		refused("bytes long in the last 64 of the table");
		poke(last + 2, 2, 0xffff);
		refused("is 65535 bytes long in the last 64");
	}
}

static void passes_over_unknown_structures(void **state __unused)
{
	build_qemu();
	structure(7);
	end_structure();
	structure(0xffff);
	put(5, ~0ull);
	end_structure();
	accepted();
	assert_int_equal(dmar.nr_unknown, 2);
	assert_int_equal(dmar.nr_units, 1);
	structure(8);
	refused("structure at offset 0x5d is 0 bytes long");
}

static void takes_a_long_table(void **state __unused)
{
	begin(39, 0);
	while (len + 4 <= sizeof(buf)) {
		structure(9);
		end_structure();
	}
	accepted();
	assert_int_equal(dmar.nr_unknown, (sizeof(buf) - HEAD) / 4);
}

static void one_unit(void)
{
	begin(39, 0);
	drhd(0, 0, 0, 0xfed90000);
	scope(2, 0, 0, 1, 0);
}

static void refuses_torn_scopes(void **state __unused)
{
	u32 n;

	for (n = 0; n < 6; n++) {
		one_unit();
		buf[last_scope + 1] = (u8)n;
		refused("DRHD at offset " FIRST " has a torn device scope at 0x40");
	}
	for (n = 9; n < 256; n++) {
		buf[last_scope + 1] = (u8)n;
		refused("has a torn device scope at 0x40");
	}
	for (n = 1; n < 6; n++) {
		one_unit();
		put(n, 2);
		end_structure();
		refused("has a torn device scope at 0x48");
	}
	buf[last_scope + 1] = 6;
	refused("has a device scope at 0x40 without a whole path");
	buf[last_scope + 1] = 7;
	refused("has a device scope at 0x40 without a whole path");
}

static void refuses_bad_paths(void **state __unused)
{
	u32 i;

	one_unit();
	for (i = 1; i < DMAR_MAX_DEPTH; i++)
		hop(31, 7);
	accepted();
	assert_int_equal(dmar.scope[0].depth, 8);
	assert_int_equal(dmar.scope[0].path[7], 0xff);
	hop(0, 0);
	refused("with a path of 9, not 8 at most");
	one_unit();
	buf[last_scope + 6] = 32;
	refused("has a device scope at 0x40 with 20.0 in its path");
	one_unit();
	hop(1, 8);
	refused("with 1.8 in its path");
}

static void passes_over_unknown_scopes(void **state __unused)
{
	one_unit();
	scope(0, 0, 0, 99, 99);
	scope(6, 0, 0, 99, 99);
	scope(1, 0, 0, 3, 0);
	accepted();
	assert_int_equal(dmar.unit[0].dev.nr, 2);
	assert_scope(1, DMAR_ENDPOINT, 0, 0, PCI_DEVFN(3, 0));
}

static void refuses_bad_registers(void **state __unused)
{
	const u64 bad[] = { 0, 0xfed90800, 1ull << 39, ~0xfffull };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		begin(39, 0);
		drhd(0, 0, 0, bad[i]);
		refused(i < 2 ? "which is no page" : "above the address width of 39 bits");
	}
	begin(39, 0);
	drhd(0, 1, 0, (1ull << 39) - 0x1000);
	refused("above the address width of 39 bits");
}

static void refuses_clashing_units(void **state __unused)
{
	begin(39, 0);
	drhd(0, 1, 0, 0xfed90000);
	drhd(0, 0, 0, 0xfed91000);
	refused("DRHD at offset 0x40 has its registers at 0xfed91000, where another unit's are");
	begin(39, 0);
	drhd(0, 0, 0, 0xfed91000);
	drhd(0, 1, 0, 0xfed90000);
	refused("where another unit's are");
	begin(39, 0);
	drhd(0, 0, 0, 0xfed90000);
	drhd(0, 0, 1, 0xfed90000);
	refused("where another unit's are");
	begin(39, 0);
	drhd(1, 0, 3, 0xfed90000);
	drhd(1, 0, 4, 0xfed91000);
	drhd(1, 0, 3, 0xfed92000);
	refused("DRHD at offset 0x50 is a second one for all of segment 3");
}

static void refuses_bad_regions(void **state __unused)
{
	static const struct {
		u64 base, limit;
		const char *why;
	} bad[] = {
		{ 0x2000, 0x1fff, "RMRR at offset " FIRST " ends at 0x1fff, before its start at 0x2000" },
		{ 0x1000, 0, "before its start" },
		{ 0, ~0ull, "ends at 0xffffffffffffffff, above the address width of 39 bits" },
		{ 0x1000, 1ull << 39, "above the address width of 39 bits" },
		{ 1ull << 39, (1ull << 39) + 0xfff, "above the address width of 39 bits" },
		{ 0x1800, 0x2fff, "is 0x1800 to 0x2fff, which are no whole pages" },
		{ 0x1000, 0x2000, "no whole pages" },
		{ 0x1000, 0x1000, "no whole pages" },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		begin(39, 0);
		rmrr(0, bad[i].base, bad[i].limit);
		refused(bad[i].why);
	}
	begin(39, 0);
	rmrr(0, (1ull << 39) - 0x1000, (1ull << 39) - 1);
	rmrr(0, (1ull << 39) - 0x1000, (1ull << 39) - 1);
	accepted();
	assert_int_equal(dmar.nr_regions, 2);
}

static void refuses_ambiguous_sources(void **state __unused)
{
	one_unit();
	scope(3, 5, 0xf0, 0x1f, 0);
	scope(4, 5, 0xf0, 0x0f, 0);	/* an HPET of the same number is another thing */
	scope(3, 5, 0xf0, 0x1f, 0);
	accepted();
	assert_int_equal(dmar.nr_sources, 2);
	scope(3, 5, 0xf0, 0x1f, 1);
	refused("DRHD at offset " FIRST " has I/O APIC 5 a second time, and elsewhere");
	one_unit();
	scope(4, 0, 0xf0, 0x1f, 0);
	drhd(0, 0, 0, 0xfed91000);
	scope(4, 0, 0xf0, 0x1f, 0);
	refused("has HPET 0 a second time, and elsewhere");
}

/* Its bus is only known to the bridge. And where there is no DRHD, there is no source. */
static void leaves_out_what_is_no_plain_source(void **state __unused)
{
	one_unit();
	scope(3, 5, 0, 0x1c, 0);
	hop(2, 1);
	rmrr(0, 0x1000, 0x1fff);
	scope(3, 6, 0, 0, 0);
	accepted();
	assert_int_equal(dmar.nr_sources, 0);
	assert_int_equal(dmar.scope[1].depth, 2);
	assert_null(iommu_source_find(dmar.source, dmar.nr_sources, IOMMU_IOAPIC, 5));
}

static void wants_names_that_end(void **state __unused)
{
	build_small_pc();
	memset(buf + last + 8, 'x', len - last - 8);
	refused("ANDD at offset 0xb8 has a name without an end");
	buf[len - 1] = 0;
	accepted();
	/* The next structure's zeros do not end it. */
	memset(buf + last + 8, 'x', len - last - 8);
	structure(9);
	put(8, 0);
	end_structure();
	refused("has a name without an end");
}

/* As many as fit, and one more. */
static void knows_its_limits(void **state __unused)
{
	u32 i;

	begin(46, 0);
	for (i = 0; i < DMAR_MAX_UNITS; i++)
		drhd(0, 0, 0, 4 * GIB + i * SZ_4K);
	accepted();
	assert_int_equal(dmar.nr_units, 256);
	drhd(0, 0, 0, 4 * GIB);
	accepted();
	drhd(0, 0, 0, 8 * GIB);
	refused("DRHD at offset 0x1040 is one more than the 256 units that fit");
	begin(46, 0);
	for (i = 0; i < DMAR_MAX_REGIONS; i++)
		rmrr(0, i * SZ_4K, i * SZ_4K + 0xfff);
	accepted();
	rmrr(0, 0, 0xfff);
	refused("is one more than the 128 regions that fit");
	begin(46, 0);
	for (i = 0; i < DMAR_MAX_GROUPS; i++)
		group(i % 2 ? 2 : 5, 0, 0);
	accepted();
	group(6, 0, 0);
	refused("is one more than the 128 of ATSR, SATC and SIDP that fit");
	begin(46, 0);
	drhd(0, 0, 0, GIB);
	for (i = 0; i < DMAR_MAX_SCOPES; i++)
		scope(1, 0, (u8)i, 0, 0);
	accepted();
	assert_int_equal(dmar.unit[0].dev.nr, 2048);
	scope(1, 0, 0, 0, 0);
	refused("has the table's device scope 2049 at 0x4040: 2048 fit");
	begin(46, 0);
	drhd(0, 0, 0, GIB);
	for (i = 0; i < DMAR_MAX_SOURCES; i++)
		scope(3, (u8)i, 0, 0, 0);
	accepted();
	scope(4, 0, 0, 0, 0);
	refused("has more than the 128 I/O APICs and HPETs that fit");
}

static void cuts_its_message(void **state __unused)
{
	char small[12];

	memset(small, 'x', sizeof(small));
	assert_false(dmar_parse(buf, 0, &dmar, small, 8));
	assert_string_equal(small, "head at");
	assert_int_equal(small[8], 'x');
}

/* One byte anywhere becomes anything; a length field often something near. */
static void mutate(void)
{
	u32 at = (u32)rand() % len;

	if (rand() % 4)
		buf[at] = (u8)rand();
	else
		buf[at] = (u8)(buf[at] + rand() % 33 - 16);
}

/* Whatever it says, with its length and sum made right: an answer, and no stray read. */
static void survives_any_contents(void **state __unused)
{
	u32 n, i, whole, good = 0;

	srand(1);
	for (n = 0; n < 40000; n++) {
		machines[n % ARRAY_SIZE(machines)]();
		whole = len;
		for (i = (u32)rand() % 4; i < 4; i++)
			mutate();
		if (rand() % 8 == 0)
			len = HEAD + (u32)rand() % (whole - HEAD + 1);
		finish();
		if (parse_bytes(len)) {
			check_result();
			good++;
		} else {
			check_refusal(len);
		}
	}
	assert_in_range(good, 1000, 39000);
}

int main(void)
{
#define T(f) cmocka_unit_test(f)
	const struct CMUnitTest tests[] = {
		T(reads_qemus), T(reads_a_notebooks), T(reads_a_small_pcs), T(reads_a_servers),
		T(counts_a_repeated_unit_once), T(refuses_a_unit_that_changes),
		T(reads_segments_and_sizes),
		T(refuses_a_bad_head), T(wants_a_sane_address_width), T(stops_at_the_tables_end),
		T(refuses_a_cut_table), T(refuses_bad_lengths), T(passes_over_unknown_structures),
		T(takes_a_long_table), T(refuses_torn_scopes), T(refuses_bad_paths),
		T(passes_over_unknown_scopes), T(refuses_bad_registers),
		T(refuses_clashing_units), T(refuses_bad_regions), T(refuses_ambiguous_sources),
		T(leaves_out_what_is_no_plain_source), T(wants_names_that_end),
		T(knows_its_limits), T(cuts_its_message), T(survives_any_contents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
