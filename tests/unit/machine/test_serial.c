// SPDX-License-Identifier: GPL-2.0-only
/* Which UART becomes the console, and what is written to it, also when domain 0 had it. */
// SOURCES: hv/core/machine/serial_option.c hv/core/machine/cmdline.c hv/core/machine/uart.c hv/core/machine/pci_uart.c hv/core/machine/spcr.c hv/core/machine/acpi.c hv/core/machine/memplan.c hv/core/lib/printf.c
// CFLAGS: -include console_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "hv/core/lib/string.h"
/* Their state begins anew in each test. */
#define remap remap_one
#define seize seize_one
#include "hv/core/machine/console.c"
#undef remap
#undef seize
#include "hv/core/machine/serial.c"

/* ---- the machine ---- */

static struct {
	u32 base;		/* its port; 0: not there */
	u8 reg[8];
	u16 divisor;
	char text[256];
	u32 len;
} line;

static u32 config[0x10000][16], config_address;
static u32 regs[8], ioremaps;
static hpa_t regs_at;
static bool paged;
struct mem_map machine_map;
struct acpi_info acpi_info;
static u8 spcr_table[80];

u8 inb(u16 port)
{
	u32 reg = port - line.base;

	if (!line.base || reg >= 8)
		return 0xff;
	return reg == 5 ? 0x60 : line.reg[reg];
}

void outb(u16 port, u8 val)
{
	u32 reg = port - line.base;

	assert_true(line.base && reg < 8);
	if (reg < 2 && (line.reg[3] & 0x80))
		line.divisor = (u16)(reg ? (line.divisor & 0xff) | val << 8 : val);
	else if (reg)
		line.reg[reg] = val;
	else if (line.len + 1 < sizeof(line.text))
		line.text[line.len++] = (char)val;
}

static u32 *config_reg(void)
{
	assert_true(config_address & 0x80000000u);
	return &config[config_address >> 8 & 0xffff][(config_address & 0x3c) / 4];
}

void outl(u16 port, u32 val)
{
	if (port == 0xcf8)
		config_address = val;
	else
		*config_reg() = val;
}

u32 inl(u16 port)
{
	assert_int_equal(port, 0xcfc);
	return *config_reg();
}

void *ioremap(hpa_t pa, u64 len)
{
	assert_int_equal(pa, regs_at);
	assert_true(len <= sizeof(regs));
	ioremaps++;
	return paged || pa + len <= 1ull << 32 ? regs : NULL;
}

void *memremap(hpa_t pa, u64 len)
{
	assert_int_equal(pa, 0x7000);
	assert_int_equal(len, sizeof(spcr_table));
	return spcr_table;
}

/* The log, of one line. */
void log_replay(void (*show)(const char *s, u32 len)) { show("early\n", 6); }
int log_level;
void log_printf(int level __unused, const char *fmt __unused, ...) { }

/* ---- what the tests say ---- */

static struct serial_option o;

static bool parse(const char *s)
{
	return serial_option_parse(s, strlen(s), &o);
}

static void function(u32 bdf, u32 class, u32 bar)
{
	config[bdf][0] = 0x00021b36;
	config[bdf][1] = 0x02900000;
	config[bdf][2] = class << 8 | 1;
	config[bdf][3] = 0;
	config[bdf][4] = bar;
}

static void table(u8 space, u32 addr)
{
	u8 sum = 0;
	u32 i;

	memset(spcr_table, 0, sizeof(spcr_table));
	memcpy(spcr_table, "SPCR", 4);
	spcr_table[40] = space;
	spcr_table[41] = 8;
	memcpy(spcr_table + 44, &addr, 4);
	spcr_table[58] = 3;
	memset(spcr_table + 64, 0xff, 4);
	for (i = 0; i < sizeof(spcr_table); i++)
		sum += spcr_table[i];
	spcr_table[9] = (u8)-sum;
	acpi_info.nr_tables = 1;
	acpi_info.table[0] = (struct acpi_table){ "SPCR", 0x7000, sizeof(spcr_table) };
}

static void start(const char *option)
{
	assert_true(parse(option));
	serial_init(&o, &machine_map);
	paged = true;
	console_remap();
	serial_init_spcr();
}

static void wrote(const char *text)
{
	line.len = 0;
	memset(line.text, 0, sizeof(line.text));
	console_write("x\n", 2);
	assert_string_equal(line.text, text);
}

/* ---- the option ---- */

static void option_forms(void **state __unused)
{
	assert_true(parse("off") && o.kind == SERIAL_OFF);
	assert_true(parse("auto") && o.kind == SERIAL_AUTO);
	assert_true(parse("spcr") && o.kind == SERIAL_SPCR);
	assert_true(parse("0x2f8") && o.kind == SERIAL_PORT && o.addr == 0x2f8 && o.baud == 115200);
	assert_true(parse("744,9600") && o.addr == 744 && o.baud == 9600);
	assert_true(parse("mmio:0xfedc9001") && o.kind == SERIAL_MMIO && o.width == 1 && !o.baud);
	assert_true(parse("mmio32:0x380fe000000,57600") && o.width == 4 && o.baud == 57600);
	assert_int_equal(o.addr, 0x380fe000000ull);
	assert_true(parse("pci") && o.kind == SERIAL_PCI && o.search && o.baud == 115200);
	assert_true(parse("pci:0a:1f.7") && !o.search && o.bdf == 0xaff);
	assert_true(parse("pci:3:4.0,0") && o.bdf == 0x320 && !o.baud);
}

static void option_malformed(void **state __unused)
{
	static const char *const bad[] = {
		"", "com1", "0x", "0xf", "0xfff9", "-1", "99999999999999999999", "0x3f8,", "0x3f8,fast",
		"0x3f8,99999999", ",", "mmio", "mmio:", "mmio:0", "mmio32:0xfedc9002", "mmio16:0x1000",
		"mmio:0x10000000000000", "mmio:0xfffffffffffffffff", "pci:", "pci:1", "pci:1:2",
		"pci:1:2.", "pci:1:20.0", "pci:1:1.8", "pci:100:1.1", "pci:1:1.1x", "pcix", "offx",
		"auto,9600", "spcr:1",
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		if (parse(bad[i]))
			fail_msg("taken: %s", bad[i]);
}

/* ---- which one; each test is a process of its own machine, but has one console ---- */

static int power_on(void **state __unused)
{
	memset(&line, 0, sizeof(line));
	memset(config, 0xff, sizeof(config));
	memset(regs, 0, sizeof(regs));
	memset(&acpi_info, 0, sizeof(acpi_info));
	machine_map.nr = 1;
	machine_map.r[0] = (struct mem_range){ 0, 0x40000000, MEM_RAM };
	ioremaps = 0;
	paged = false;
	nr_consoles = 0;
	remapped = released = false;
	is_pci = up = want_spcr = false;
	return 0;
}

static void com1(void **state __unused)
{
	line.base = 0x3f8;
	table(1, 0x2f8);
	start("auto");
	assert_int_equal(line.divisor, 1);
	assert_int_equal(line.reg[3], 3);
	wrote("x\r\n");
	console_release();
	wrote("");
	console_seize();
	wrote("x\r\n");
}

static void nothing(void **state __unused)
{
	line.base = 0x2f8;
	start("auto");
	wrote("");
	power_on(NULL);
	line.base = 0x3f8;
	start("off");
	wrote("");
}

/* What firmware names, with the log from its beginning. */
static void from_spcr(void **state __unused)
{
	line.base = 0x2f8;
	table(1, 0x2f8);
	start("auto");
	assert_string_equal(line.text, "early\r\n");
	assert_int_equal(line.divisor, 12);
	wrote("x\r\n");
	power_on(NULL);
	line.base = 0x2f8;
	table(1, 0x2e8);	/* nothing is there */
	start("spcr");
	wrote("");
	power_on(NULL);
	line.base = 0x3f8;
	table(0, 0x7000000);	/* in RAM */
	start("spcr");
	wrote("");
	assert_int_equal(ioremaps, 0);
}

static void in_memory(void **state __unused)
{
	regs_at = 0xfedc9000;
	regs[5] = 0x60;
	start("mmio32:0xfedc9000");
	assert_int_equal(ioremaps, 2);
	assert_int_equal(regs[3], 3);
	assert_int_equal(regs[4], 3);
	console_write("ab", 2);
	assert_int_equal(regs[0], 'b');
	power_on(NULL);
	regs_at = 0x380fe000000ull;	/* reached only once it is mapped */
	regs[5] = 0x60;
	start("mmio32:0x380fe000000");
	assert_int_equal(regs[0], '\n');
	assert_int_equal(regs[3], 3);
	power_on(NULL);
	start("mmio:0x1000000");	/* RAM */
	assert_int_equal(ioremaps, 0);
	console_write("ab", 2);
	assert_int_equal(regs[0], 0);
	power_on(NULL);
	memset(regs, 0xff, sizeof(regs));	/* nothing answers */
	regs_at = 0xfedc9000;
	start("mmio:0xfedc9000");
	console_write("ab", 2);
	assert_int_equal(regs[0], 0xffffffff);
}

static void on_pci(void **state __unused)
{
	line.base = 0xc000;
	function(0x08, 0x020000, 0x0000c101);	/* a card */
	config[0x08][3] = 0x00800000;
	function(0x0b, 0x070002, 0x0000c001);
	start("pci");
	assert_int_equal(config[0x0b][1], 1);	/* decodes ports; status is left */
	wrote("x\r\n");
	console_release();
	line.base = 0xd000;			/* domain 0 has moved it, and turned it off */
	config[0x0b][1] = 0;
	config[0x0b][4] = 0x0000d001;
	console_seize();
	assert_int_equal(config[0x0b][1], 1);
	wrote("x\r\n");
}

static void not_there_any_more(void **state __unused)
{
	static const u32 bars[] = { 0x0cf9, 0x0601, 0x0001, 0xfffd, 0xfe000000, 0xffffffff };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(bars); i++) {
		power_on(NULL);
		line.base = 0xc000;
		function(0x100, 0x070002, 0x0000c001);
		acpi_info.nr_sleep_regs = 1;
		acpi_info.sleep_reg[0] = (struct acpi_sleep_reg){ 1, false, 0x605 };
		start("pci:01:00.0");
		wrote("x\r\n");
		console_release();
		line.base = 0;		/* an access anywhere fails the test */
		config[0x100][4] = bars[i];
		memset(&config[0x100][5], 0, 20);
		if (bars[i] == 0xffffffff)
			config[0x100][0] = 0xffffffff;
		console_seize();
		wrote("");
	}
}

static void moved_in_memory(void **state __unused)
{
	regs_at = 0xfe000000;
	((u8 *)regs)[5] = 0x60;
	function(0x100, 0x070002, 0xfe000004);
	config[0x100][5] = 0;
	start("pci:01:00.0");
	assert_int_equal(config[0x100][1], 2);
	console_release();
	config[0x100][5] = 1;
	ioremaps = 0;
	console_seize();
	console_write("q", 1);
	assert_int_equal(ioremaps, 0);
	assert_int_not_equal(((u8 *)regs)[0], 'q');
	config[0x100][5] = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(option_forms),
		cmocka_unit_test(option_malformed),
		cmocka_unit_test_setup(com1, power_on),
		cmocka_unit_test_setup(nothing, power_on),
		cmocka_unit_test_setup(from_spcr, power_on),
		cmocka_unit_test_setup(in_memory, power_on),
		cmocka_unit_test_setup(on_pci, power_on),
		cmocka_unit_test_setup(not_there_any_more, power_on),
		cmocka_unit_test_setup(moved_in_memory, power_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
