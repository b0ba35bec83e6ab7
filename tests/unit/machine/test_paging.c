// SPDX-License-Identifier: GPL-2.0-only
/* Mappings of devices and tables, of which firmware says where they are. */
// SOURCES: hv/core/machine/memplan.c
// CFLAGS: -include core_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* The direct map is an array here: of page tables, and of no address that is tried. */
#define phys_to_virt	real_phys_to_virt
#include "hv/core/machine/paging.h"
#undef phys_to_virt
#undef DIRECT_MAP_BASE
#define DIRECT_MAP_BASE		((u64)(uintptr_t)tables)
#define phys_to_virt(pa)	((void *)(uintptr_t)(DIRECT_MAP_BASE + (pa)))

#define TABLES		64
static u8 tables[TABLES][PAGE_SIZE] __aligned(PAGE_SIZE);

#include "hv/core/machine/paging.c"

const char image_start[1], image_end[1], text_start[1], text_end[1];
const char rodata_start[1], rodata_end[1], data_start[1], data_end[1];
struct mem_map machine_map;
struct mem_range bp_ranges[5];
u32 nr_bp_ranges;
u64 host_tsc;

static u32 bits = 40;		/* of the CPU's addresses */

u32 limits_phys_bits(void)
{
	return bits;
}

void *page_alloc(void)
{
	static u32 n;

	assert_true(n < TABLES);
	return tables[n++];
}

void page_free(void *page __unused) { }
void host_write_cr(int n __unused, u64 val __unused) { }

struct cpuid host_cpuid(u32 leaf __unused, u32 sub __unused)
{
	return (struct cpuid){ 0 };
}

/* What is mapped at @va; 0: nothing. */
static u64 entry_of(const void *va)
{
	u64 a = (u64)(uintptr_t)va, *t = pml4;
	int l;

	for (l = 3; l > 0; l--) {
		if (!(t[INDEX(a, l)] & HPTE_P))
			return 0;
		t = table_of(t[INDEX(a, l)]);
	}
	return t[INDEX(a, 0)];
}

static bool in_direct_map(const void *va, hpa_t pa)
{
	return (u64)(uintptr_t)va == DIRECT_MAP_BASE + pa;
}

/* 1 GiB of RAM, of which Bedplate has its image and a block; ACPI's tables above. */
static int machine(void **state __unused)
{
	machine_map = (struct mem_map){ 2, { { SZ_1M, SZ_1G, MEM_RAM },
					     { SZ_1G, SZ_1G + SZ_64K, MEM_ACPI } } };
	bp_ranges[0] = (struct mem_range){ SZ_2M, 2 * SZ_2M, MEM_RESERVED };
	bp_ranges[1] = (struct mem_range){ SZ_1G - SZ_2M, SZ_1G, MEM_RESERVED };
	nr_bp_ranges = 2;
	bits = 40;
	if (!pml4)
		pml4 = page_alloc();
	kernel_cr3 = 1;
	return 0;
}

static void maps_devices(void **state __unused)
{
	u8 *a = ioremap(0xfed90010, 8), *b = ioremap_wc(0xe0000000, SZ_64K);

	assert_int_equal((uintptr_t)a & ~PAGE_MASK, 0x10);
	assert_int_equal(entry_of(a) & (HPTE_ADDR | MAP_UC), 0xfed90000 | MAP_UC);
	assert_int_equal(entry_of(b + SZ_64K - 1) & (HPTE_ADDR | MAP_WC),
			 0xe000f000 | MAP_WC);
	assert_false(entry_of(b + SZ_64K));
	assert_non_null(ioremap(BIT(40) - PAGE_SIZE, PAGE_SIZE));
}

static void refuses_devices_in_ram(void **state __unused)
{
	assert_null(ioremap(SZ_1M, 1));
	assert_null(ioremap(SZ_1G - 1, 2));
	assert_null(ioremap(SZ_2M, PAGE_SIZE));
	assert_null(ioremap_wc(SZ_1M - 1, 2));
	assert_null(ioremap_wc(0, SZ_4G));
	assert_non_null(ioremap(SZ_1G, 1));
}

static void refuses_what_is_too_far(void **state __unused)
{
	static const hpa_t far[] = { BIT(40), BIT(40) - 1, BIT(46), BIT(51), BIT(52), BIT(63),
				     0ull - PAGE_SIZE, ~0ull };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(far); i++) {
		assert_null(ioremap(far[i], 2));
		assert_null(ioremap_wc(far[i], 2));
		assert_null(memremap(far[i], 2));
	}
	assert_null(ioremap(SZ_4G, ~0ull));
	assert_null(ioremap(SZ_4G, 0));
	/* Even if the memory map has it. */
	machine_map.r[machine_map.nr++] = (struct mem_range){ BIT(40), BIT(41), MEM_ACPI };
	assert_null(memremap(BIT(40), 36));
	bits = 46;
	assert_true(in_direct_map(memremap(BIT(40), 36), BIT(40)));
}

static void maps_tables(void **state __unused)
{
	u8 *t;

	assert_true(in_direct_map(memremap(SZ_1G + 0x123, 36), SZ_1G + 0x123));
	assert_true(in_direct_map(memremap(0xf5a40, 20), 0xf5a40));
	t = memremap(0xbffff000, 0x1001);		/* of a type that is none */
	assert_int_equal(entry_of(t) & (HPTE_ADDR | MAP_UC), 0xbffff000 | MAP_RW);
	assert_int_equal(entry_of(t + PAGE_SIZE) & HPTE_ADDR, 0xc0000000);
}

/* A table there cannot be firmware's, and some are written to. */
static void refuses_tables_in_bedplate(void **state __unused)
{
	assert_null(memremap(SZ_2M, 36));
	assert_null(memremap(2 * SZ_2M - 1, 36));
	assert_null(memremap(SZ_2M - 35, 36));
	assert_true(in_direct_map(memremap(SZ_2M - 36, 36), SZ_2M - 36));
	assert_null(memremap(SZ_1G - SZ_64K, 36));
	assert_null(memremap(SZ_1G - SZ_2M - 8, SZ_4G));
}

/* Where other CPUs start, at its own address: what runs there cannot be written there. */
static void trampoline_runs_only(void **state __unused)
{
	u64 *t = phys_to_virt(paging_alloc_trampoline(0x8000));
	int l;

	for (l = 3; l > 0; l--)
		t = table_of(t[INDEX(0x8000ull, l)]);
	assert_int_equal(t[8] & (HPTE_ADDR | HPTE_P | HPTE_W | HPTE_NX), 0x8000 | HPTE_P);
	assert_int_equal(t[7] | t[9], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(maps_devices, machine),
		cmocka_unit_test_setup(refuses_devices_in_ram, machine),
		cmocka_unit_test_setup(refuses_what_is_too_far, machine),
		cmocka_unit_test_setup(maps_tables, machine),
		cmocka_unit_test_setup(refuses_tables_in_bedplate, machine),
		cmocka_unit_test_setup(trampoline_runs_only, machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
