// SPDX-License-Identifier: GPL-2.0-only
/* The reader of the IVRS: tables as firmware writes them. */
// SOURCES: hv/iommu/ivrs.c hv/iommu/ivrs_devs.c hv/core/lib/printf.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "ivrs_laptop.h"

static const struct ivrs_devs *find(u16 segment, u16 id)
{
	return ivrs_find(&ivrs, (struct pci_id){ segment, id });
}

static void is_device(u16 id, u64 units, u8 dte)
{
	const struct ivrs_devs *d = find(0, id);

	assert_non_null(d);
	assert_int_equal(d->units, units);
	assert_int_equal(d->dte, dte);
	assert_false(d->aliased);
	assert_false(d->no_ats);
}

static void is_alias(u16 id, u64 units, u16 to)
{
	const struct ivrs_devs *d = find(0, id);

	assert_non_null(d);
	assert_int_equal(d->units, units);
	assert_true(d->aliased);
	assert_int_equal(d->alias, to);
}

static void is_source(u32 i, enum iommu_source_kind kind, u8 id, u16 unit, u16 bdf)
{
	const struct iommu_source *s = &ivrs.source[i];

	assert_true(i < ivrs.nr_sources);
	assert_int_equal(s->kind, kind);
	assert_int_equal(s->id, id);
	assert_int_equal(s->unit, unit);
	assert_int_equal(s->dev.bdf, bdf);
	assert_ptr_equal(iommu_source_find(ivrs.source, ivrs.nr_sources, kind, id), s);
}

static void is_region(u32 i, u16 first, u16 last, u64 start, u64 end, u32 access)
{
	const struct ivrs_region *r = &ivrs.region[i];

	assert_true(i < ivrs.nr_regions);
	assert_int_equal(r->segment, 0);
	assert_int_equal(r->first, first);
	assert_int_equal(r->last, last);
	assert_int_equal(r->mem.start, start);
	assert_int_equal(r->mem.end, end);
	assert_int_equal(r->mem.access, access);
}

/* A board of 2012: one IVHD of type 10h that names each device; a PCI bridge at 00:14.4. */
static void reads_an_old_board(void **state __unused)
{
	begin(0x00203000);
	ivhd(.type = 0x10, .flags = 0x3e, .id = 2, .regs = 0xfec30000, .info = 0x1300);
	range(0x0000, 0x0002, 0);
	sel(0x0048, 0);
	sel(0x0100, 0);
	range(0x0090, 0x0092, 0);
	sel(0x00a0, 0xd7);
	sel(0x00a3, 0);
	sel(0x00a4, 0);
	alias_range(0x0300, 0x03ff, 0x00a4);
	special(SPECIAL_IOAPIC, 8, 0x00a0, 0xd7);
	special(SPECIAL_HPET, 0, 0x00a0, 0);
	taken();
	assert_int_equal(IVRS_PA_BITS(ivrs.info), 48);
	assert_int_equal(IVRS_VA_BITS(ivrs.info), 64);
	assert_int_equal(ivrs.nr_units, 1);
	assert_int_equal(ivrs.unit[0].flags, IVHD_PASS_PW | IVHD_RES_PASS_PW | IVHD_ISOC |
			 IVHD_IOTLB_SUP | IVHD_COHERENT);
	assert_int_equal(ivrs.unit[0].msi, 0);
	assert_false(ivrs.unit[0].has_efr);
	is_device(2, 1, 0);
	assert_null(find(0, 3));
	is_device(0x100, 1, 0);
	is_device(0xa0, 1, IVRS_DTE_INIT | IVRS_DTE_EXTINT | IVRS_DTE_NMI | IVRS_DTE_LINT0 |
		  IVRS_DTE_LINT1 | 0x10);
	assert_int_equal(IVRS_DTE_SYSMGT(find(0, 0xa0)->dte), 1);
	is_alias(0x300, 1, 0xa4);
	is_alias(0x3ff, 1, 0xa4);
	is_device(0xa4, 1, 0);
	assert_null(find(0, 0x400));
	assert_int_equal(ivrs.nr_sources, 2);
	is_source(0, IOMMU_IOAPIC, 8, 0, 0xa0);
	is_source(1, IOMMU_HPET, 0, 0, 0xa0);
	assert_int_equal(ivrs.nr_regions, 0);
}

static void reads_a_laptop(void **state __unused)
{
	const struct ivrs_unit *u = &ivrs.unit[0];

	make_laptop();
	taken();
	assert_true(ivrs.info & IVRS_EFR_SUP && ivrs.info & IVRS_DMA_REMAP_SUP);
	assert_false(ivrs.info & IVRS_HT_ATS_RESV);
	assert_int_equal(ivrs.nr_units, 1);
	assert_int_equal(u->type, 0x40);
	assert_int_equal(u->flags, IVHD_IOTLB_SUP | IVHD_COHERENT);
	assert_int_equal(u->id.bdf, 2);
	assert_int_equal(u->cap, 0x40);
	assert_int_equal(u->regs, REGS);
	assert_true(u->has_efr);
	assert_int_equal(u->efr, 0x246577efa2054adaull);
	assert_int_equal(u->features, 0x48000);
	assert_int_equal(u->offset, block);
	assert_null(find(0, 2));
	is_device(3, 1, 0);
	is_device(0xa0, 1, 0xd7);
	is_device(0xa5, 1, 0x40);
	is_device(0x99, 1, 0x40);
	is_device(1, 1, 0);		/* an I/O APIC's */
	is_device(0xfeff, 1, 0);
	is_alias(0xff00, 1, 0xa5);
	is_alias(0xffff, 1, 0xa5);
	/* 1, 3-98, 99, 9a-9f, a0, a1-a4, a5, a6-feff, ff00-ffff */
	assert_int_equal(ivrs.nr_devs, 9);
	assert_int_equal(ivrs.nr_sources, 3);
	is_source(0, IOMMU_HPET, 0, 0, 0xa0);
	is_source(1, IOMMU_IOAPIC, 0x21, 0, 0xa0);
	is_source(2, IOMMU_IOAPIC, 0x22, 0, 1);
	assert_int_equal(ivrs.nr_regions, 2);
	is_region(0, 0, 0xfff, 0x9a432000, 0x9a433000, IOMMU_READ | IOMMU_WRITE);
	is_region(1, 0, 0xfff, 0x9a431000, 0x9a432000, IOMMU_READ | IOMMU_WRITE);
	assert_true(ivrs.region[0].exclusion);
	assert_int_equal(ivrs.nr_unknown, 0);
}

/* A server with four units: devices of bus ff are in a range of one, with an alias in another. */
static void reads_a_server(void **state __unused)
{
	begin(0x00203040);
	ivhd(.type = 0x11, .flags = 0xb0, .id = 0xc002, .regs = 0xf3700000);
	range(0xc008, 0xfffe, 0);
	special(SPECIAL_IOAPIC, 241, 0xc001, 0);
	ivhd(.type = 0x11, .flags = 0xb0, .id = 0x8002, .regs = 0xf2600000);
	range(0x8008, 0xbffe, 0);
	special(SPECIAL_IOAPIC, 242, 0x8001, 0);
	ivhd(.type = 0x11, .flags = 0xb0, .id = 0x4002, .regs = 0xb4800000);
	range(0x4008, 0x7ffe, 0);
	special(SPECIAL_IOAPIC, 243, 0x4001, 0);
	ivhd(.type = 0x11, .flags = 0xb0, .id = 0x0002, .regs = 0xfc800000);
	range(0x0008, 0x3ffe, 0);
	alias_range(0xff00, 0xffff, 0x00a4);
	special(SPECIAL_HPET, 0, 0x00a0, 0);
	special(SPECIAL_IOAPIC, 240, 0x00a0, 0xd7);
	special(SPECIAL_IOAPIC, 244, 0x0001, 0);
	/* Two RAID controllers want memory of their own. */
	ivmd(0x21, 8, 0x4200, 0, 0x9f58d000, 0x8040000);
	ivmd(0x21, 8, 0x8200, 0, 0x9754d000, 0x8040000);
	taken();
	assert_int_equal(ivrs.nr_units, 4);
	assert_false(ivrs.unit[0].has_efr);	/* IVinfo says that they are none */
	is_device(0xc008, BIT(0), 0);
	is_device(0x8008, BIT(1), 0);
	is_device(0x7ffe, BIT(2), 0);
	is_device(0x3ffe, BIT(3), 0);
	is_device(0xfeff, BIT(0), 0);
	is_alias(0xff00, BIT(0) | BIT(3), 0xa4);
	is_alias(0xfffe, BIT(0) | BIT(3), 0xa4);
	is_alias(0xffff, BIT(3), 0xa4);
	is_device(0xa4, BIT(3), 0);
	assert_null(find(0, 0x3fff));
	assert_int_equal(ivrs.nr_sources, 6);
	is_source(0, IOMMU_IOAPIC, 241, 0, 0xc001);
	is_source(4, IOMMU_IOAPIC, 240, 3, 0xa0);
	assert_null(iommu_source_find(ivrs.source, ivrs.nr_sources, IOMMU_HPET, 240));
	is_region(0, 0x4200, 0x4200, 0x9f58d000, 0xa75cd000, IOMMU_READ | IOMMU_WRITE);
	is_region(1, 0x8200, 0x8200, 0x9754d000, 0x9f58d000, IOMMU_READ | IOMMU_WRITE);
}

/* QEMU's: a 10h and a 11h; with bridges an entry for each function, else one for all. */
static void reads_qemus(void **state __unused)
{
	begin(1 | 40 << 8);
	ivhd(.type = 0x10, .flags = 0xd1, .id = 0x10, .regs = 0xfed80000);
	all(0);
	special(SPECIAL_IOAPIC, 0, 0xa0, 0);
	ivhd(.type = 0x11, .flags = 0x11, .id = 0x10, .regs = 0xfed80000, .efr = 0x29d3);
	all(0);
	special(SPECIAL_IOAPIC, 0, 0xa0, 0);
	taken();
	assert_int_equal(ivrs.unit[0].type, 0x11);
	assert_int_equal(ivrs.unit[0].efr, 0x29d3);
	assert_int_equal(ivrs.nr_devs, 1);
	is_device(0, 1, 0);
	is_device(0xffff, 1, 0);
	is_source(0, IOMMU_IOAPIC, 0, 0, 0xa0);

	begin(40 << 8);
	ivhd(.type = 0x10, .flags = 0xd1, .id = 0x10, .regs = 0xfed80000);
	sel(0x0000, 0);
	sel(0x0008, 0);
	sel(0x0016, 0);
	alias_range(0x0b00, 0x0cff, 0x0b00);
	sel(0x0017, 0);
	alias_range(0x0d00, 0x0dff, 0x0017);
	taken();
	is_alias(0x0c00, 1, 0x0b00);
	is_alias(0x0b00, 1, 0x0b00);
	is_alias(0x0d08, 1, 0x0017);
	assert_int_equal(ivrs.nr_devs, 5);
}

static void takes_the_newest_type(void **state __unused)
{
	static const u8 order[][3] = { { 0x10, 0x11, 0x40 }, { 0x40, 0x11, 0x10 },
				       { 0x11, 0x40, 0x10 } };
	u32 i, n;

	for (i = 0; i < ARRAY_SIZE(order); i++) {
		begin(IVRS_EFR_SUP);
		for (n = 0; n < 3; n++) {
			ivhd(.type = order[i][n], .id = 2, .regs = REGS, .efr = order[i][n]);
			sel((u16)(0x100 + order[i][n]), 0);
		}
		/* Another unit, older. */
		ivhd(.type = 0x10, .id = 0x4002, .regs = REGS + 0x100000);
		sel(0x200, 0);
		taken();
		assert_int_equal(ivrs.nr_units, 2);
		assert_int_equal(ivrs.unit[0].type, 0x40);
		assert_int_equal(ivrs.unit[0].efr, 0x40);
		assert_int_equal(ivrs.nr_devs, 2);
		is_device(0x140, BIT(0), 0);
		is_device(0x200, BIT(1), 0);
	}
}

static void tells_segments_apart(void **state __unused)
{
	begin(0);
	ivhd(.type = 0x40, .id = 2, .segment = 1, .regs = REGS, .cap = 0x64, .info = 0x1f1f);
	range(0x10, 0x20, 0);
	special(SPECIAL_HPET, 1, 0x30, 0);
	ivhd(.type = 0x40, .id = 2, .segment = 0, .regs = REGS + 0x4000);
	range(0x18, 0x28, 0);
	ivmd(0x20, 3, 0, 0, 0x1000, 0x1000);
	tab[tab_len - 24] = 1;		/* its segment */
	taken();
	assert_int_equal(ivrs.nr_units, 2);
	assert_int_equal(ivrs.unit[0].id.segment, 1);
	assert_int_equal(ivrs.unit[0].cap, 0x64);
	assert_int_equal(ivrs.unit[0].msi, 0x1f);
	assert_int_equal(ivrs.nr_devs, 3);
	assert_int_equal(find(1, 0x10)->units, BIT(0));
	assert_int_equal(find(0, 0x28)->units, BIT(1));
	assert_null(find(0, 0x10));
	assert_null(find(1, 0x28));
	assert_int_equal(ivrs.source[0].dev.segment, 1);
	assert_int_equal(ivrs.region[0].segment, 1);
}

static void reads_each_device_entry(void **state __unused)
{
	begin(0);
	ivhd(.type = 0x40, .id = 2, .regs = REGS);
	entry4(0, 0x1234, 0xff);			/* padding says nothing */
	entry8(0x40, 0x1234, 0xff, 0xffffffff);
	alias(0x310, 0x01, 0x300);
	entry8(0x46, 0x400, 0x02, BIT(31));
	entry8(0x47, 0x500, 0x04, BIT(31));
	entry4(4, 0x50f, 0xff);			/* settings are those of the start */
	entry8(0x47, 0x600, 0x08, 0x7fffffff);
	entry4(4, 0x600, 0);
	entry4(5, 0x700, 0xff);			/* types that nobody knows */
	entry8(0x7f, 0x700, 0xff, 0);
	put_entry(0xff070080, 16);
	put_entry(0xff0700c0, 32);
	special(3, 7, 0x700, 0xff);
	hid(0x800, 0x40, "NOBODY", 1, "12345678");
	taken();
	is_alias(0x310, 1, 0x300);
	assert_int_equal(find(0, 0x310)->dte, 1);
	is_device(0x300, 1, 1);
	assert_true(find(0, 0x400)->no_ats);
	assert_int_equal(find(0, 0x400)->dte, 2);
	assert_true(find(0, 0x50f)->no_ats);
	assert_int_equal(find(0, 0x50f)->dte, 4);
	is_device(0x600, 1, 8);
	is_device(0x700, 1, 0xff);		/* the special device's, of what kind ever */
	is_device(0x800, 1, 0x40);
	assert_null(find(0, 0x1234));
	assert_int_equal(ivrs.nr_devs, 7);
	assert_int_equal(ivrs.nr_sources, 0);
	assert_int_equal(ivrs.nr_unknown, 5);
}

static void adds_up_what_is_said_twice(void **state __unused)
{
	begin(0);
	ivhd(.type = 0x10, .id = 2, .regs = REGS);
	sel(0xa0, 0xd7);
	alias(0xa0, 0x20, 0xb0);
	alias(0xa0, 0, 0xb8);
	all(0);
	special(SPECIAL_IOAPIC, 1, 0xa0, 0);
	special(SPECIAL_IOAPIC, 1, 0xa0, 0);
	taken();
	is_alias(0xa0, 1, 0xb8);
	assert_int_equal(find(0, 0xa0)->dte, 0xf7);
	assert_int_equal(ivrs.nr_sources, 1);
}

static void reads_memory_of_each_kind(void **state __unused)
{
	make_laptop();
	ivmd(0x20, 1 | 2, 0x1234, 0x10, 0x100000, 0x1000);
	ivmd(0x21, 1 | 4, 0x1234, 0x10, 0x100000, 0x1001);
	ivmd(0x22, 1 | 2 | 4, 0x100, 0x100, 0x100000, 0x2000);
	ivmd(0x22, 1 | 8, 0x100, 0x1ff, (1ull << 52) - 0x1000, 0xfff);
	ivmd(0x22, 2 | 4, 0x200, 0x100, 0x123, 0);	/* neither unity nor exclusion: nothing */
	ivmd(0x22, 1, 0x100, 0x1ff, 0, 1);
	unknown_block(6);
	taken();
	assert_int_equal(ivrs.nr_regions, 2 + 5);
	is_region(2, 0, 0xffff, 0x100000, 0x101000, IOMMU_READ);
	is_region(3, 0x1234, 0x1234, 0x100000, 0x102000, IOMMU_WRITE);
	is_region(4, 0x100, 0x100, 0x100000, 0x102000, IOMMU_READ | IOMMU_WRITE);
	assert_false(ivrs.region[4].exclusion);
	is_region(5, 0x100, 0x1ff, (1ull << 52) - 0x1000, 1ull << 52, IOMMU_READ | IOMMU_WRITE);
	assert_true(ivrs.region[5].exclusion);
	is_region(6, 0x100, 0x1ff, 0, 0x1000, 0);
	assert_int_equal(ivrs.nr_unknown, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_an_old_board),
		cmocka_unit_test(reads_a_laptop),
		cmocka_unit_test(reads_a_server),
		cmocka_unit_test(reads_qemus),
		cmocka_unit_test(takes_the_newest_type),
		cmocka_unit_test(tells_segments_apart),
		cmocka_unit_test(reads_each_device_entry),
		cmocka_unit_test(adds_up_what_is_said_twice),
		cmocka_unit_test(reads_memory_of_each_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
