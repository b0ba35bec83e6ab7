// SPDX-License-Identifier: GPL-2.0-only
/* Which writes to the registers of sleeping states reach the machine. */
// SOURCES: hv/core/guest/sleep.c hv/core/guest/io_dom0.c hv/core/machine/aml_sleep.c
// CFLAGS: -include core_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "hv/core/guest/io_dom0.h"
#include "hv/core/guest/sleep.h"
#include "hv/core/machine/acpi.h"
#include "hv/core/machine/paging.h"
#include "hv/core/vcpu/exit.h"

#define PM1A	0x604
#define PM1B	0xb104
#define CONTROL	0x3f0		/* sleep control */
#define MMIO	0xfed80e04	/* the same, in memory */

struct acpi_info acpi_info;

/* S3 is 1 and 1, S5 is 7 and 6. */
static u8 dsdt[] =
	"DSDT................................"
	"\x08_S3_\x12\x06\x04\x01\x01\x00\x00"
	"\x08_S5_\x12\x08\x04\x0a\x07\x0a\x06\x00\x00";
static u32 outs, last;

u32 host_in(u16 port, u32 size)
{
	return 0x1001u * size + port;
}

void host_out(u16 port __unused, u32 size __unused, u32 val)
{
	outs++;
	last = val;
}

void *memremap(hpa_t pa, u64 len)
{
	assert_int_equal(pa, 0x7ffe0000);
	assert_int_equal(len, sizeof(dsdt) - 1);
	return dsdt;
}

static u8 regs[PAGE_SIZE] __aligned(PAGE_SIZE);
static u64 kept;

void *ioremap(hpa_t pa, u64 len)
{
	assert_int_equal(pa, MMIO & PAGE_MASK);
	assert_int_equal(len, PAGE_SIZE);
	return regs;
}

int frame_mmio_protect(hpa_t pa, u64 len)
{
	assert_int_equal(len, PAGE_SIZE);
	kept = pa;
	return 0;
}

bool phys_is_mapped(hpa_t pa __unused, u64 len __unused)
{
	return false;
}

static bool passes(u16 port, u8 size, u32 val)
{
	u32 before = outs;

	assert_true(dom0_port(&(struct exit_io){ .port = port, .size = size }, &val));
	assert_true(outs == before || last == val);
	return outs != before;
}

#define EN(typ)		(0x20u | (u32)(typ) << 2)	/* the byte */

static int boot(void **state __unused)
{
	acpi_info = (struct acpi_info){
		.nr_tables = 3,
		.table = { { "FACP", 0x7ffd0000, 100 }, { "DSDT", 0x7ffe0000, sizeof(dsdt) - 1 },
			   { "SSDT", 0xf1000, 100 } },	/* in ROM */
		.nr_sleep_regs = 4,
		.sleep_reg = { { 1, false, PM1A + 1 }, { 1, true, PM1B + 1 },
			       { 1, false, CONTROL }, { 0, false, MMIO } },
	};
	sleep_init();
	return 0;
}

static void hides_the_state(void **state __unused)
{
	assert_memory_equal(dsdt + 36, "\x08XS3_", 5);
}

static void lets_it_be_switched_off(void **state __unused)
{
	assert_true(passes(PM1A, 2, EN(7) << 8 | 1));
	assert_true(passes(PM1A + 1, 1, EN(7)));
	assert_true(passes(PM1B, 2, EN(6) << 8));
	assert_true(passes(CONTROL, 1, EN(7)));
}

static void drops_all_other_states(void **state __unused)
{
	u32 typ;

	for (typ = 0; typ < 8; typ++) {
		assert_int_equal(passes(PM1A, 2, EN(typ) << 8), typ == 7);
		assert_int_equal(passes(PM1A, 4, EN(typ) << 8), typ == 7);
		assert_int_equal(passes(PM1A + 1, 1, EN(typ)), typ == 7);
		assert_int_equal(passes(PM1A + 1, 2, EN(typ)), typ == 7);
		assert_int_equal(passes(PM1A - 2, 4, EN(typ) << 24), typ == 7);
		assert_int_equal(passes(PM1A - 1, 4, EN(typ) << 16), typ == 7);
		assert_int_equal(passes(PM1B, 2, EN(typ) << 8), typ == 6);
		assert_int_equal(passes(CONTROL, 1, EN(typ)), typ == 7);
	}
}

static void lets_the_rest_pass(void **state __unused)
{
	u32 val = 0;

	assert_true(passes(PM1A, 2, 0x1c01));		/* SLP_TYP alone */
	assert_true(passes(PM1A, 2, 0xc0ff));
	assert_true(passes(PM1A + 1, 1, 0x04));
	assert_true(passes(PM1A + 1, 4, EN(1) << 8));	/* of the next register */
	assert_true(dom0_port(&(struct exit_io){ .port = PM1A, .size = 2, .in = true }, &val));
	assert_int_equal(val, 0x2002 + PM1A);
}

static u64 mmio(hpa_t at, u32 size, bool write, u64 val)
{
	assert_true(sleep_hit(at));
	sleep_access(at, size, write, &val);
	return val;
}

/* The whole page goes by way of Bedplate; the neighbours are not touched. */
static void watches_memory(void **state __unused)
{
	u32 typ;

	assert_int_equal(kept, MMIO & PAGE_MASK);
	assert_false(sleep_hit(MMIO + PAGE_SIZE));
	assert_false(sleep_hit(0));
	for (typ = 0; typ < 8; typ++) {
		memset(regs, 0, sizeof(regs));
		mmio(MMIO, 1, true, EN(typ));
		assert_int_equal(regs[0xe04], typ == 7 ? EN(7) : 0);
		mmio(MMIO, 2, true, 0xab00 | EN(typ));
		assert_int_equal(regs[0xe05], typ == 7 ? 0xab : 0);
		mmio(MMIO & ~7ull, 8, true, (u64)EN(typ) << 32 | 0x11);
		assert_int_equal(regs[0xe00], typ == 7 ? 0x11 : 0);
	}
	mmio(MMIO - 4, 4, true, 0x20202020);
	assert_int_equal(mmio(MMIO - 4, 4, false, 0), 0x20202020);
	mmio(MMIO, 1, true, 0x1c);			/* SLP_TYP alone */
	assert_int_equal(mmio(MMIO, 1, false, 0), 0x1c);
	assert_int_equal(mmio(MMIO - 4, 8, false, 0) & 0xffffffffff, 0x1c20202020);
}

/* Of the registers only the bytes that count exit. */
static void watches_ports(void **state __unused)
{
	assert_int_equal(dom0_ports_len, 3);
	assert_int_equal(dom0_ports[0].first, PM1A + 1);
	assert_int_equal(dom0_ports[0].last, PM1A + 1);
	assert_int_equal(dom0_ports[1].first, PM1B + 1);
	assert_int_equal(dom0_ports[2].first, CONTROL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hides_the_state), cmocka_unit_test(lets_it_be_switched_off),
		cmocka_unit_test(drops_all_other_states), cmocka_unit_test(lets_the_rest_pass),
		cmocka_unit_test(watches_ports),
		cmocka_unit_test(watches_memory),
	};

	return cmocka_run_group_tests(tests, boot, NULL);
}
