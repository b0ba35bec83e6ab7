// SPDX-License-Identifier: GPL-2.0-only
/* Domain 0's configuration space, on a machine whose bridge and memory are the test's. */
// SOURCES: hv/core/guest/pci_cfg.c hv/core/guest/io_dom0.c hv/core/machine/memplan.c
// CFLAGS: -include core_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "hv/core/guest/io_dom0.h"
#include "hv/core/guest/pci_cfg.h"
#include "hv/core/machine/acpi.h"
#include "hv/core/machine/memmap.h"
#include "hv/core/machine/paging.h"
#include "hv/core/memory/frames.h"
#include "hv/core/vcpu/exit.h"
#include "hv/iommu/iommu.h"

#define WINDOW		0xe0000000ull
#define PAGE(bdf)	(WINDOW + ((u64)(bdf) << PAGE_SHIFT))

/* ---- the machine: functions, by what their first registers say ---- */

static const struct {
	u16 bdf;
	u32 id, class, header;
} function[] = {
	{ 0x0000, 0x14808086, 0x06000001, 0x00800000 },	/* host bridge, has more functions */
	{ 0x0002, 0x14811022, 0x08060000, 0 },		/* the IOMMU */
	{ 0x0008, 0x11111234, 0x03000000, 0 },		/* a display, of one function */
	{ 0x0009, 0x22221234, 0x06000000, 0 },		/* so this one is not there */
	{ 0x00c3, 0x14431022, 0x06000000, 0 },		/* no function 0 of its device */
	{ 0x00f8, 0x29188086, 0x06010000, 0x00800000 },	/* ISA bridge */
	{ 0x00fa, 0xa1218086, 0x05800000, 0 },		/* PMC */
	{ 0x00fb, 0x29308086, 0x06000000, 0 },
	{ 0x4000, 0x14801022, 0x06000000, 0 },		/* another root's host bridge */
};

static u32 config_address;
static u8 page[5][PAGE_SIZE] __aligned(8);	/* what ioremap() gives */
static hpa_t mapped[5];
static u32 nr_mapped, nr_protected;
static u32 out_port, out_size, out_val, outs;

static u32 function_read(u32 addr)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(function); i++)
		if (function[i].bdf == (u16)(addr >> 8))
			return (addr & 0xfc) == 0 ? function[i].id :
			       (addr & 0xfc) == 8 ? function[i].class :
			       (addr & 0xfc) == 12 ? function[i].header : 0x12345678;
	return 0xffffffff;
}

u32 host_in(u16 port, u32 size)
{
	u32 val = port < 0xcfc ? config_address : function_read(config_address);

	if (port >= 0xcfc && !(config_address & BIT(31)))
		val = 0xabababab;		/* whatever is there */
	val >>= 8 * (port & 3);
	return size == 4 ? val : val & ((1u << 8 * size) - 1);
}

void host_out(u16 port, u32 size, u32 val)
{
	if (port == 0xcf8 && size == 4) {
		config_address = val;
		return;
	}
	out_port = port;
	out_size = size;
	out_val = val;
	outs++;
}

struct acpi_info acpi_info;
struct iommu_caps iommu_caps;

static u8 mcfg[44 + 5 * 16];

struct mem_map machine_map = { .nr = 1, .r = { { 0, SZ_1G, MEM_RAM } } };

const struct acpi_table *acpi_find(const struct acpi_info *info, const char *sig)
{
	return !strcmp(sig, "MCFG") && info->nr_tables ? &info->table[0] : NULL;
}

void *memremap(hpa_t pa __unused, u64 len __unused)
{
	return mcfg;
}

/* Buses 2 and 3 of segment 5, which has no unit; bus 3 has two devices. */
#define OTHER_WINDOW	0xd0000000ull
static u8 other_bus[2][SZ_1M] __aligned(8);

static void *other(hpa_t pa)
{
	u32 bus = (u32)((pa - OTHER_WINDOW) / SZ_1M), dev;

	assert_true(bus == 2 || bus == 3);
	memset(other_bus[bus - 2], 0xff, SZ_1M);
	for (dev = 0; bus == 3 && dev < 32; dev += 31)
		memset(&other_bus[1][dev * 8 * PAGE_SIZE], 0x10, PAGE_SIZE);
	return other_bus[bus - 2];
}

bool iommu_has_segment(u16 segment)
{
	return segment != 5;
}

void *ioremap(hpa_t pa, u64 len)
{
	if (len == SZ_1M)
		return other(pa);
	assert_int_equal(len, PAGE_SIZE);
	assert_true(nr_mapped < ARRAY_SIZE(page));
	mapped[nr_mapped] = pa;
	memset(page[nr_mapped], (int)(0x40 + nr_mapped), PAGE_SIZE);
	return page[nr_mapped++];
}

int frame_mmio_protect(hpa_t hpa, u64 len)
{
	assert_int_equal(len, PAGE_SIZE);
	assert_int_equal(hpa & ~PAGE_MASK, 0);
	nr_protected++;
	return 0;
}

bool iommu_function(u32 i, struct pci_id *id)
{
	*id = (struct pci_id){ 0, 2 };
	return i == 0;
}

/* ---- domain 0 ---- */

static u32 in(u16 port, u8 size)
{
	u32 val = 0x5a5a5a5a;

	assert_true(dom0_port(&(struct exit_io){ .port = port, .size = size, .in = true }, &val));
	return size == 4 ? val : val & ((1u << 8 * size) - 1);
}

static void out(u16 port, u8 size, u32 val)
{
	assert_true(dom0_port(&(struct exit_io){ .port = port, .size = size }, &val));
}

static u32 read_reg(u16 bdf, u8 reg, u8 size)
{
	out(0xcf8, 4, BIT(31) | (u32)bdf << 8 | (reg & 0xfc));
	return in(0xcfc + (reg & 3), size);
}

static bool write_passes(u16 bdf, u8 reg, u8 size)
{
	u32 before = outs;

	out(0xcf8, 4, BIT(31) | (u32)bdf << 8 | (reg & 0xfc));
	out(0xcfc + (reg & 3), size, 0x87654321);
	if (outs == before)
		return false;
	assert_int_equal(out_port, 0xcfc + (reg & 3));
	assert_int_equal(out_size, size);
	assert_int_equal(out_val, 0x87654321);
	return true;
}

/* ---- the tests ---- */

static void add_window(u32 n, u64 base, u16 segment, u8 first, u8 last)
{
	u8 *e = mcfg + 44 + 16 * n;

	memcpy(e, &base, 8);
	memcpy(e + 8, &segment, 2);
	e[10] = first;
	e[11] = last;
	acpi_info.table[0].len = 44 + 16 * (n + 1);
}

/* Boot happens once a process: all tests look at the same machine. */
static int boot(void **state __unused)
{
	acpi_info.nr_tables = 1;
	acpi_info.table[0] = (struct acpi_table){ "MCFG", 0x7000, 0 };
	add_window(0, WINDOW, 0, 0, 0x3f);
	add_window(1, 0xc0000000, 1, 0, 0xff);
	add_window(2, OTHER_WINDOW, 5, 2, 3);
	add_window(3, 0, 0, 0, 0x3f);			/* RAM */
	add_window(4, 0xd0080000, 0, 0, 0x3f);		/* from the middle of a bus on */
	pci_cfg_init();
	assert_int_equal(dom0_ports_len, 0);	/* no IOMMU */
	assert_int_equal(nr_protected, 0);
	assert_int_equal(pci_cfg_unconfined, 0);
	iommu_caps.name = "test";
	pci_cfg_init();
	assert_int_equal(dom0_ports_len, 1);
	return 0;
}

static void stops_writes_to_iommus(void **state __unused)
{
	u8 size;

	for (size = 1; size <= 4; size *= 2) {
		assert_int_equal(read_reg(0x0002, 0, size), 0x14811022 & 0xffffffff >> (32 - 8 * size));
		assert_false(write_passes(0x0002, 0x44, size));
	}
	assert_int_equal(read_reg(0x0002, 0x0b, 1), 0x08);
}

static void stops_writes_to_host_bridges(void **state __unused)
{
	static const u16 bridge[] = { 0x0000, 0x00fb, 0x4000 };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(bridge); i++) {
		assert_int_equal(read_reg(bridge[i], 0x0a, 2), 0x0600);
		assert_int_equal(read_reg(bridge[i], 0x60, 4), 0x12345678);
		assert_false(write_passes(bridge[i], 0x60, 4));
		assert_false(write_passes(bridge[i], 0x62, 2));
		assert_false(write_passes(bridge[i], 0x63, 1));
	}
}

static void lets_others_pass(void **state __unused)
{
	static const u16 other[] = { 0x0001, 0x0008, 0x0009, 0x00f8, 0x4001, 0xffff };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(other); i++) {
		assert_int_equal(read_reg(other[i], 0, 4), function_read((u32)other[i] << 8));
		assert_true(write_passes(other[i], 0x10, 4));
		assert_true(write_passes(other[i], 0x3d, 1));
	}
}

/* Without the bit that makes it one it is no configuration cycle; more address bits (AMD's
 * extended ones) are the register's. */
static void reads_the_address(void **state __unused)
{
	u32 before = outs;

	out(0xcf8, 4, 0x00000000);
	assert_int_equal(in(0xcfc, 4), 0xabababab);
	out(0xcfc, 4, 1);
	assert_int_equal(outs, before + 1);
	out(0xcf8, 4, 0x8f000000);
	out(0xcfc, 4, 1);
	assert_int_equal(outs, before + 1);
	assert_int_equal(in(0xcf8, 4), 0x8f000000);
}

static void passes_the_reset_port(void **state __unused)
{
	u32 before = outs;

	out(0xcf9, 1, 6);
	assert_int_equal(outs, before + 1);
	assert_int_equal(out_port, 0xcf9);
	assert_int_equal(out_val, 6);
}

static bool refused(u16 port, u8 size, bool string)
{
	u32 val = 0, before = outs;
	bool done = dom0_port(&(struct exit_io){ .port = port, .size = size, .string = string },
			      &val);

	assert_true(done || outs == before);
	return !done;
}

static void refuses_odd_accesses(void **state __unused)
{
	assert_true(refused(0xcfb, 2, false));
	assert_true(refused(0xcfa, 4, false));
	assert_true(refused(0xcf7, 2, false));
	assert_true(refused(0xcfe, 4, false));
	assert_true(refused(0xcff, 2, false));
	assert_true(refused(0xcfc, 4, true));
	assert_true(refused(0x80, 1, false));	/* nobody's: it should not have exited */
	assert_false(refused(0xcfe, 2, false));
}

/* Pages of all that are in the window; bus 40h is not. */
static void guards_pages(void **state __unused)
{
	u32 i;

	assert_int_equal(nr_mapped, 5);
	assert_int_equal(nr_protected, 5);
	assert_true(pci_cfg_hit(PAGE(0x0000)));
	assert_true(pci_cfg_hit(PAGE(0x0002) + 0xfff));
	assert_true(pci_cfg_hit(PAGE(0x00fb)));
	assert_false(pci_cfg_hit(PAGE(0x0001)));
	assert_false(pci_cfg_hit(PAGE(0x4000)));
	assert_false(pci_cfg_hit(0xc0000000));
	assert_false(pci_cfg_hit(0));
	for (i = 0; i < nr_mapped; i++)
		assert_true(pci_cfg_hit(mapped[i]));
}

static void counts_what_is_behind_no_unit(void **state __unused)
{
	assert_int_equal(pci_cfg_unconfined, 2);
}

static u8 *page_of(u16 bdf)
{
	u32 i = 0;

	while (mapped[i] != PAGE(bdf))
		assert_true(++i < nr_mapped);
	return page[i];
}

/* The registers that say where ACPI's ports are; those around them pass. */
static void keeps_acpis_ports(void **state __unused)
{
	static const struct { u16 bdf; u8 last; } chip[] = { { 0x00f8, 0x47 }, { 0x00fa, 0x4b } };
	u32 i, reg;
	u8 *regs;
	u64 val;

	for (i = 0; i < ARRAY_SIZE(chip); i++) {
		regs = page_of(chip[i].bdf);
		for (reg = 0; reg < 0x100; reg++) {
			bool kept = reg >= 0x40 && reg <= chip[i].last;

			assert_int_equal(write_passes(chip[i].bdf, (u8)reg, 1), !kept);
			val = 0xaa;
			pci_cfg_access(PAGE(chip[i].bdf) + reg, 1, true, &val);
			assert_int_equal(regs[reg] == 0xaa, !kept);
		}
		assert_false(write_passes(chip[i].bdf, 0x40, 4));
		assert_false(write_passes(chip[i].bdf, 0x46, 2));
		assert_true(write_passes(chip[i].bdf, 0x3c, 4));
		val = 0x1122334455667788;
		pci_cfg_access(PAGE(chip[i].bdf) + 0x38, 8, true, &val);
		assert_memory_equal(regs + 0x38, &val, 8);
		val = 0;
		pci_cfg_access(PAGE(chip[i].bdf) + 0x40, 8, true, &val);
		assert_int_equal(regs[0x40], 0x40 + (regs - page[0]) / PAGE_SIZE);
		/* Bits that the chipset may not look at do not lead past it. */
		out(0xcf8, 4, 0x81000000u | (u32)chip[i].bdf << 8 | 0x40);
		reg = outs;
		out(0xcfc, 4, 0x701);
		assert_int_equal(outs, reg);
	}
}

static void accesses_in_memory(void **state __unused)
{
	u32 size;
	u64 val;
	u8 *regs = page_of(0x0000);

	regs[0x108] = 0x11;
	for (size = 1; size <= 8; size *= 2) {
		u64 expect = 0;

		memcpy(&expect, regs + 0x108, size);
		pci_cfg_access(PAGE(0) + 0x108, size, false, &val);
		assert_int_equal(val, expect);
		val = 0;
		pci_cfg_access(PAGE(0) + 0x108, size, true, &val);
		assert_int_equal(regs[0x108], 0x11);
		pci_cfg_access(PAGE(2) + 0x108, size, true, &val);
		pci_cfg_access(PAGE(2) + 0x108, size, false, &val);
		assert_int_equal(val & 0xf0, 0x40);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stops_writes_to_iommus), cmocka_unit_test(stops_writes_to_host_bridges),
		cmocka_unit_test(lets_others_pass), cmocka_unit_test(reads_the_address),
		cmocka_unit_test(passes_the_reset_port), cmocka_unit_test(refuses_odd_accesses),
		cmocka_unit_test(guards_pages), cmocka_unit_test(counts_what_is_behind_no_unit),
		cmocka_unit_test(keeps_acpis_ports), cmocka_unit_test(accesses_in_memory),
	};

	return cmocka_run_group_tests(tests, boot, NULL);
}
