// SPDX-License-Identifier: GPL-2.0-only
/* UEFI's memory map: what it says of memory, with descriptors of any kind. */
// SOURCES: hv/core/machine/efi_map.c hv/core/machine/memplan.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "hv/core/lib/string.h"
#include "hv/core/machine/efi_map.h"

#define DESC	48		/* as firmware has them: longer than what is known */
#define MAX	1100
#define MMIO	11

static u8 bytes[MAX * DESC];
static struct boot_efi efi;
static struct mem_map m;

static void add(u32 type, u64 start, u64 pages, u64 attr)
{
	const struct efi_desc d = { type, 0, start, 0, pages, attr };

	memcpy(bytes + efi.map_bytes, &d, sizeof(d));
	efi.map_bytes += DESC;
}

static int empty(void **state __unused)
{
	efi = (struct boot_efi){ .map = bytes, .desc_bytes = DESC, .desc_version = 1 };
	memset(bytes, 0xee, sizeof(bytes));
	m.nr = 0;
	return 0;
}

static void is(u32 i, hpa_t start, hpa_t end, u32 type)
{
	assert_int_equal(m.r[i].start, start);
	assert_int_equal(m.r[i].end, end);
	assert_int_equal(m.r[i].type, type);
}

static void checks_sizes(void **state __unused)
{
	assert_non_null(efi_map_check(&efi));		/* no bytes */
	add(EFI_CONVENTIONAL, 0, 1, 0);
	assert_null(efi_map_check(&efi));
	efi.map_bytes--;
	assert_non_null(efi_map_check(&efi));
	efi.map_bytes++;
	efi.desc_bytes = 0;
	assert_non_null(efi_map_check(&efi));
	efi.desc_bytes = 32;
	assert_non_null(efi_map_check(&efi));
	efi.desc_bytes = 42;
	efi.map_bytes = 84;
	assert_non_null(efi_map_check(&efi));
	efi.desc_bytes = efi.map_bytes = 40;
	assert_null(efi_map_check(&efi));
}

static void tells_types(void **state __unused)
{
	const u32 want[16] = {
		MEM_RESERVED, MEM_RAM, MEM_RAM, MEM_RAM, MEM_RAM, MEM_RESERVED, MEM_RESERVED,
		MEM_RAM, MEM_BAD, MEM_ACPI, MEM_NVS, MEM_RESERVED, MEM_RESERVED, MEM_RESERVED,
		MEM_RESERVED, MEM_RESERVED,
	};
	u32 i;

	for (i = 0; i < 16; i++)
		add(i, i * 0x2000, 1, 0);
	assert_true(efi_map_add(&efi, &m));
	assert_int_equal(m.nr, 16);
	for (i = 0; i < 16; i++)
		is(i, i * 0x2000, i * 0x2000 + 0x1000, want[i]);
}

/* Of 300 descriptors end to end few ranges are left. */
static void joins_neighbours(void **state __unused)
{
	u32 i;

	for (i = 0; i < 300; i++)
		add(i & 1 ? EFI_BOOT_CODE : EFI_BOOT_DATA, 0x100000 + i * 0x1000, 1, 0);
	add(EFI_RUNTIME_DATA, 0x100000 + 300 * 0x1000, 1, 0);
	assert_true(efi_map_add(&efi, &m));
	assert_int_equal(m.nr, 2);
	is(0, 0x100000, 0x100000 + 300 * 0x1000, MEM_RAM);
}

static void says_when_it_is_too_long(void **state __unused)
{
	u32 i;

	for (i = 0; i <= MEM_MAX_RANGES && i < MAX; i++)
		add(EFI_CONVENTIONAL, i * 0x2000, 1, 0);
	assert_true(i < MAX);
	assert_false(efi_map_add(&efi, &m));
	assert_int_equal(m.nr, MEM_MAX_RANGES);
}

static void passes_over_the_impossible(void **state __unused)
{
	struct efi_desc d;

	add(EFI_CONVENTIONAL, 0x1000, 0, 0);
	add(EFI_CONVENTIONAL, 0x1000, 1ull << 40, 0);
	add(EFI_CONVENTIONAL, 0, ~0ull, 0);
	add(EFI_CONVENTIONAL, 0xfffffffffffff000ull, 1, 0);
	add(EFI_CONVENTIONAL, 0xfffffffffffff000ull, 2, 0);
	add(EFI_RUNTIME_DATA, 1ull << 52, 1, EFI_MEMORY_WB);
	add(EFI_CONVENTIONAL, (1ull << 52) - 0x1000, 1, 0);
	assert_true(efi_map_add(&efi, &m));
	assert_int_equal(m.nr, 1);
	is(0, (1ull << 52) - 0x1000, 1ull << 52, MEM_RAM);
	assert_false(efi_map_get(&efi, 1, &d));
	assert_true(efi_map_get(&efi, 6, &d));
	assert_int_equal(efi_map_end(&efi), 0);
}

static void keeps_boot_services(void **state __unused)
{
	add(EFI_BOOT_DATA, 0x300000, 0x10, 0);		/* unsorted */
	add(EFI_CONVENTIONAL, 0x100000, 0x200, 0);
	add(EFI_BOOT_CODE, 0x310000, 0x10, 0);
	add(EFI_LOADER_DATA, 0x320000, 0x10, 0);
	assert_true(efi_map_add(&efi, &m));
	assert_true(memmap_normalise(&m));
	assert_int_equal(m.nr, 1);
	assert_true(efi_map_keep(&efi, &m));
	assert_int_equal(m.nr, 3);
	is(0, 0x100000, 0x300000, MEM_RAM);
	is(1, 0x300000, 0x320000, MEM_RESERVED);
	is(2, 0x320000, 0x330000, MEM_RAM);
}

static void finds_the_end_of_firmware(void **state __unused)
{
	add(EFI_CONVENTIONAL, 0x90000000, 1, EFI_MEMORY_WB);
	add(EFI_RUNTIME_DATA, 0x7feec000, 0x84, EFI_MEMORY_WB | 0xf);
	add(EFI_ACPI_NVS, 0x7ff70000, 0x90, EFI_MEMORY_WB);
	add(MMIO, 0xffc00000, 0x400, EFI_MEMORY_WB);
	add(EFI_RUNTIME_CODE, 0xa0000000, 1, 1);	/* uncached only */
	assert_int_equal(efi_map_end(&efi), 0x80000000);
}

/* Bedplate's block, the trampoline and the kernel on a machine as OVMF leaves it. */
static void leaves_room_for_bedplate(void **state __unused)
{
	struct mem_map all;
	struct mem_plan p;
	hpa_t low;

	add(EFI_CONVENTIONAL, 0, 0x87, 0xf);
	add(EFI_BOOT_DATA, 0x87000, 1, 0xf);
	add(EFI_CONVENTIONAL, 0x88000, 0x18, 0xf);
	add(EFI_CONVENTIONAL, 0x100000, 0x700, 0xf);
	add(EFI_ACPI_NVS, 0x800000, 0x100, 0xf);
	add(EFI_BOOT_DATA, 0x900000, 0xe80, 0xf);
	add(EFI_CONVENTIONAL, 0x1780000, 0x30000, 0xf);
	add(EFI_BOOT_DATA, 0x31780000, 0x1000, 0xf);	/* at the top of the biggest */
	add(EFI_BOOT_CODE, 0x32780000, 0x1000, 0xf);
	add(EFI_RUNTIME_DATA, 0x33780000, 0x84, 0xf);
	assert_true(efi_map_add(&efi, &m));
	assert_true(memmap_normalise(&m));
	all = m;
	assert_true(memmap_plan(&all, NULL, 0, 0x4000, &p));
	assert_true(p.block_end > 0x31780000);		/* it would be in there */
	assert_true(efi_map_keep(&efi, &m));
	assert_true(memmap_plan(&m, NULL, 0, 0x4000, &p));
	assert_true(p.block_end <= 0x31780000 && p.block_start >= 0x1780000);
	assert_int_equal(memmap_ram_bytes(&all) - memmap_ram_bytes(&m), 0x2e81000);
	low = memmap_find(&m, NULL, 0, PAGE_SIZE, 0x88000, PAGE_SIZE, PAGE_SIZE, true);
	assert_int_equal(low, 0x86000);
	assert_int_equal(memmap_find(&m, NULL, 0, 0x1000000, SZ_4G, 0x3000000, SZ_2M, false),
			 0x1800000);
}

static void no_map_is_no_map(void **state __unused)
{
	efi = (struct boot_efi){ 0 };
	assert_int_equal(efi_map_nr(&efi), 0);
	assert_true(efi_map_add(&efi, &m));
	assert_true(efi_map_keep(&efi, &m));
	assert_int_equal(efi_map_end(&efi), 0);
	assert_int_equal(m.nr, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, empty)
	const struct CMUnitTest tests[] = {
		T(checks_sizes), T(tells_types), T(joins_neighbours), T(says_when_it_is_too_long),
		T(passes_over_the_impossible), T(keeps_boot_services),
		T(finds_the_end_of_firmware), T(leaves_room_for_bedplate), T(no_map_is_no_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
