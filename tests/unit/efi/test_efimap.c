// SPDX-License-Identifier: GPL-2.0-only
/* The firmware's memory map as ranges, byte for byte. */
// SOURCES: boot/efi/efimap.c hv/core/machine/efi_map.c hv/core/machine/memplan.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "boot/efi/efimap.h"
#include "hv/core/machine/efi_map.h"

#define STRIDE	48		/* OVMF's: wider than what the specification has today */
#define MAX	(MEM_MAX_RANGES + 1)

static u8 descs[MAX * STRIDE];
static u32 nr;
static struct mem_map out;

static void add(u32 type, u64 start, u64 pages, u64 attribute)
{
	const struct efi_desc d = { .type = type, .start = start, .pages = pages,
				    .attr = attribute };

	memset(descs + nr * STRIDE, 0xee, STRIDE);
	memcpy(descs + nr++ * STRIDE, &d, sizeof(d));
}

static const char *convert(void)
{
	const struct efi_map in = { descs, nr * STRIDE, STRIDE, 1 };

	return efimap_ranges(&in, &out);
}

static void range_is(u32 i, u64 start, u64 end, u32 type)
{
	assert_true(i < out.nr);
	assert_int_equal(out.r[i].start, start);
	assert_int_equal(out.r[i].end, end);
	assert_int_equal(out.r[i].type, type);
}

static u32 type_of(u32 type, u64 attribute)
{
	const struct efi_desc d = { .type = type, .attr = attribute };

	return efi_map_type(&d);
}

/* UEFI 2.10, table 7.6 */
static void types(void **state)
{
	static const u32 want[] = {
		MEM_RESERVED,		/* reserved */
		MEM_RAM, MEM_RAM,	/* loader */
		MEM_RAM, MEM_RAM,	/* boot services */
		MEM_RESERVED, MEM_RESERVED,	/* run-time services */
		MEM_RAM,		/* conventional */
		MEM_BAD, MEM_ACPI, MEM_NVS,
		MEM_RESERVED, MEM_RESERVED,	/* MMIO, ports */
		MEM_RESERVED,		/* PAL */
		MEM_RESERVED,		/* persistent */
		MEM_RESERVED,		/* unaccepted */
		MEM_RESERVED,		/* the next to be invented */
	};
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(want); i++)
		assert_int_equal(type_of(i, EFI_MEMORY_WB), want[i]);
	assert_int_equal(type_of(0x80000000, 0), MEM_RESERVED);	/* a vendor's */
	assert_int_equal(type_of(EFI_CONVENTIONAL, EFI_MEMORY_SP), MEM_RESERVED);
	assert_int_equal(type_of(EFI_ACPI_RECLAIM, EFI_MEMORY_SP), MEM_ACPI);
}

/* Out of order, neighbours of one type, holes, nothing, the top of the address space. */
static void order(void **state)
{
	(void)state;
	nr = 0;
	add(EFI_RUNTIME_DATA, 0x300000, 0x100, BIT(63));
	add(EFI_CONVENTIONAL, 0x100000, 0x100, 0);
	add(EFI_BOOT_DATA, 0x200000, 0x100, 0);
	add(EFI_LOADER_CODE, 0, 0xa0, 0);
	add(EFI_ACPI_NVS, 0x400000, 0, 0);
	add(EFI_CONVENTIONAL, 0x400000, 1, EFI_MEMORY_SP);
	add(11, 0xfffffffffffff000ull - 0x1000, 1, 0);
	assert_null(convert());
	assert_int_equal(out.nr, 4);
	range_is(0, 0, 0xa0000, MEM_RAM);
	range_is(1, 0x100000, 0x300000, MEM_RAM);
	range_is(2, 0x300000, 0x401000, MEM_RESERVED);
	range_is(3, 0xffffffffffffe000ull, 0xfffffffffffff000ull, MEM_RESERVED);
}

/* As real servers have them: hundreds of pieces of memory that is all the same to us. */
static void hundreds(void **state)
{
	u64 at = 0x100000;
	u32 i;

	(void)state;
	nr = 0;
	for (i = 0; i < 900; i++, at += 0x3000)
		add(i % 3 ? EFI_BOOT_DATA : EFI_CONVENTIONAL, at, 3, 0);
	add(EFI_RUNTIME_CODE, at, 1, 0);
	assert_null(convert());
	assert_int_equal(out.nr, 2);
	range_is(0, 0x100000, at, MEM_RAM);
}

/* The same start twice: both are there, for the reader to take the stricter. */
static void doubled(void **state)
{
	(void)state;
	nr = 0;
	add(EFI_CONVENTIONAL, 0x100000, 2, 0);
	add(EFI_ACPI_NVS, 0x100000, 1, 0);
	assert_null(convert());
	assert_int_equal(out.nr, 2);
	range_is(0, 0x100000, 0x102000, MEM_RAM);
	range_is(1, 0x100000, 0x101000, MEM_NVS);
}

static void torn(void **state)
{
	struct efi_map in = { descs, STRIDE, STRIDE, 1 };
	u32 i;

	(void)state;
	nr = 0;
	add(EFI_CONVENTIONAL, 0x100800, 1, 0);
	assert_string_equal(convert(), "a range does not begin at a page");
	nr = 0;
	add(EFI_CONVENTIONAL, 0x100000, ~0ull, 0);
	assert_string_equal(convert(), "a range wraps around");
	nr = 0;
	add(EFI_CONVENTIONAL, 0x1000, (~0ull >> PAGE_SHIFT), 0);
	assert_string_equal(convert(), "a range wraps around");
	nr = 0;
	for (i = 0; i < MEM_MAX_RANGES + 1; i++)
		add(EFI_CONVENTIONAL, 0x2000ull * i, 1, 0);
	assert_string_equal(convert(), "it has too many ranges");
	nr--;
	assert_null(convert());
	in.desc_size = 39;
	assert_non_null(efimap_ranges(&in, &out));
	in.desc_size = 0;
	assert_non_null(efimap_ranges(&in, &out));
	in.desc_size = STRIDE;
	in.bytes = STRIDE - 8;
	assert_non_null(efimap_ranges(&in, &out));
}

static void is_ram(void **state)
{
	(void)state;
	nr = 0;
	add(EFI_CONVENTIONAL, 0x100000, 0x100, 0);
	add(EFI_BOOT_DATA, 0x200000, 0x10, 0);
	add(EFI_RUNTIME_DATA, 0x210000, 0x10, 0);
	add(EFI_CONVENTIONAL, 0x220000, 0x10, 0);
	assert_null(convert());
	assert_true(efimap_is_ram(&out, 0x100000, 0x210000));
	assert_true(efimap_is_ram(&out, 0x1ff000, 0x201000));
	assert_false(efimap_is_ram(&out, 0x200000, 0x211000));
	assert_false(efimap_is_ram(&out, 0x210000, 0x220000));
	assert_false(efimap_is_ram(&out, 0xff000, 0x101000));
	assert_false(efimap_is_ram(&out, 0x220000, 0x231000));
}

/* Any bytes: an answer, and ranges that are in order. */
static void hostile(void **state)
{
	u32 i, k;

	(void)state;
	srand(1);
	for (i = 0; i < 2000; i++) {
		struct efi_map in = { descs, (rand() % 8) * STRIDE, STRIDE, 1 };

		for (k = 0; k < in.bytes; k++)
			descs[k] = (u8)(rand() % 4 ? 0 : rand());
		if (efimap_ranges(&in, &out))
			continue;
		for (k = 0; k < out.nr; k++)
			assert_true(out.r[k].start < out.r[k].end &&
				    (!k || out.r[k - 1].start <= out.r[k].start));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types),
		cmocka_unit_test(order),
		cmocka_unit_test(hundreds),
		cmocka_unit_test(doubled),
		cmocka_unit_test(torn),
		cmocka_unit_test(is_ram),
		cmocka_unit_test(hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
