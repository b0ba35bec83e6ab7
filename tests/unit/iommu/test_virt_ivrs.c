// SPDX-License-Identifier: GPL-2.0-only
/* What domain 0 reads in the IVRS of a virtual unit's features. */
// SOURCES: hv/iommu/virt/virt_ivrs.c hv/iommu/ivrs.c hv/iommu/ivrs_devs.c hv/core/lib/printf.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "hv/iommu/amdvi_regs.h"
#include "hv/iommu/virt/virt_amdvi.h"
#include "ivrs_rig.h"

#define REGS	0xfd200000ull
#define EFR	0x246577efa2254adaull
#define SHOWN	(AMDVI_EFR_XT | AMDVI_EFR_IA | AMDVI_EFR_GA)

static u8 before[IVRS_MAX_LEN];

/* Of the finished table; it stays one that the reader takes. */
static void show(u64 efr)
{
	u8 *exact = malloc(tab_len);

	assert_true(read_table());
	memcpy(before, tab, tab_len);
	memcpy(exact, tab, tab_len);
	ivrs_show_features(exact, efr);
	memcpy(tab, exact, tab_len);
	free(exact);
	if (!read_bytes(tab_len))
		fail_msg("refused: %s", err);
}

/* Changed is nothing but IVinfo, checksum and what @may says, offsets that end with 0. */
static void changed_only(const u32 *may, u32 len)
{
	u32 i, k;

	for (i = 0; i < tab_len; i++) {
		if (tab[i] == before[i] || i == 9 || i == 36)
			continue;
		for (k = 0; may[k]; k++)
			if (i >= may[k] && i < may[k] + len)
				break;
		if (!may[k])
			fail_msg("byte 0x%x is %02x, was %02x", i, tab[i], before[i]);
	}
}

static void devices(void)
{
	range(0x0003, 0xfffe, 0);
	alias_range(0xff00, 0xffff, 0x00a5);
	special(SPECIAL_HPET, 0, 0x00a0, 0);
	special(SPECIAL_IOAPIC, 0x21, 0x00a0, 0xd7);
}

/* One unit in all three types, as laptops have it. */
static void all_types_say_the_same(void **state __unused)
{
	u32 ivhd10, ivhd11, ivhd40;

	begin(0x00203043);
	ivhd(.type = 0x10, .flags = 0xf7, .id = 2, .regs = REGS, .features = 0x80048f6e);
	ivhd10 = block;
	devices();
	ivmd(0x22, 8, 0x0100, 0x01ff, 0x7f000000, 0x2000);
	ivhd(.type = 0x11, .flags = 0x33, .id = 2, .regs = REGS, .features = 0x48000, .efr = EFR,
	     .efr2 = 0x10);
	ivhd11 = block;
	devices();
	ivhd(.type = 0x40, .flags = 0x33, .id = 2, .regs = REGS, .features = 0x48000, .efr = EFR,
	     .efr2 = 0x10);
	ivhd40 = block;
	devices();
	hid(0x98, 0, "AMDI0020", 1, "ID00");
	show(SHOWN);
	assert_int_equal(ivrs.unit[0].type, 0x40);
	assert_true(ivrs.unit[0].has_efr);
	assert_int_equal(ivrs.unit[0].efr, SHOWN);
	assert_int_equal(ivrs.unit[0].efr2, 0);
	assert_int_equal(ivrs.unit[0].flags, 0x23);
	assert_int_equal(ivrs.unit[0].features, 0);
	assert_int_equal(memcmp(tab + ivhd11 + 24, tab + ivhd40 + 24, 16), 0);
	assert_int_equal(tab[ivhd10 + 1], 0x27);
	assert_int_equal(tab[ivhd10 + 20], BIT(0) | BIT(5) | BIT(6));
	assert_int_equal(tab[ivhd10 + 21] | tab[ivhd10 + 22] | tab[ivhd10 + 23], 0);
	changed_only((u32 []){ ivhd10 + 1, ivhd11 + 1, ivhd40 + 1, 0 }, 39);
}

/* Type 10h alone has no register's image, and its device entries begin where that would be. */
static void old_type_keeps_its_devices(void **state __unused)
{
	u32 at;

	begin(0x00203000);
	ivhd(.type = 0x10, .flags = 0x3e, .id = 2, .regs = 0xfec30000, .features = 0xffffffff);
	at = block;
	all(0xd7);
	sel(0x0048, 0);
	alias(0x0300, 0, 0x00a4);
	special(SPECIAL_IOAPIC, 8, 0x00a0, 0xd7);
	show(AMDVI_EFR_IA);
	assert_int_equal(ivrs.unit[0].features, BIT(5));
	assert_int_equal(ivrs.info, 0x00203001);
	assert_int_equal(ivrs.nr_sources, 1);
	changed_only((u32 []){ at + 1, at + 20, 0 }, 4);
}

/* A server's units all say the same, which Linux wants. */
static void units_agree(void **state __unused)
{
	u32 i;

	begin(0x00203041);
	for (i = 0; i < 8; i++) {
		ivhd(.type = 0x11, .id = (u16)(0x2000 * i + 2), .regs = REGS + i * 0x100000ull,
		     .efr = EFR ^ i, .efr2 = i);
		range((u16)(0x2000 * i + 8), (u16)(0x2000 * i + 0x1fff), 0);
	}
	show(AMDVI_EFR_IA | AMDVI_EFR_GA);
	for (i = 0; i < 8; i++) {
		assert_int_equal(ivrs.unit[i].efr, AMDVI_EFR_IA | AMDVI_EFR_GA);
		assert_int_equal(ivrs.unit[i].efr2, 0);
	}
}

/* What Bedplate does not know it does not change. */
static void unknown_blocks_stay(void **state __unused)
{
	u32 at;

	begin(0x00203041);
	ivhd(.type = 0x11, .id = 2, .regs = REGS, .efr = EFR);
	at = block;
	all(0);
	put(0x00180041, 4);		/* type 41h, of 24 bytes: type, flags, length */
	put(~0ull, 8);
	put(0x12345678, 12);
	show(SHOWN);
	assert_int_equal(ivrs.nr_unknown, 1);
	changed_only((u32 []){ at + 24, 0 }, 16);
}

/* ACPI's lists still name it. */
static void hidden_is_a_table(void **state __unused)
{
	u32 i;
	u8 sum = 0;

	begin(0x00203041);
	ivhd(.type = 0x11, .id = 2, .regs = REGS, .efr = EFR);
	all(0);
	assert_true(read_table());
	ivrs_hide(tab);
	assert_false(read_bytes(tab_len));
	for (i = 0; i < tab_len; i++)
		sum += tab[i];
	assert_int_equal(sum, 0);
	assert_memory_equal(tab, "XVRS", 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_types_say_the_same),
		cmocka_unit_test(old_type_keeps_its_devices),
		cmocka_unit_test(units_agree),
		cmocka_unit_test(unknown_blocks_stay),
		cmocka_unit_test(hidden_is_a_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
