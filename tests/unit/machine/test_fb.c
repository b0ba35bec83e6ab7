// SPDX-License-Identifier: GPL-2.0-only
/* Text on a frame buffer of each depth: what is drawn, and that nothing is beside it. */
// SOURCES: hv/core/machine/memplan.c
// CFLAGS: -include console_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "hv/core/machine/fb.c"

#define ADDR	0x3800000000ull
#define WIDTH	100		/* 12 characters and a half */
#define HEIGHT	58		/* three lines and some */
#define COLS	12
#define ROWS	3

/* Some letters; all other glyphs are blank. */
#define GLYPH(c)	[(c) - FONT_FIRST] = { 0x80 | ((c) & 0x7f), [15] = 1 | (((c) & 0x3f) << 1) }
const u8 font[FONT_LAST - FONT_FIRST + 1][FONT_HEIGHT] = {
	GLYPH('a'), GLYPH('b'), GLYPH('c'), GLYPH('d'), GLYPH('e'), GLYPH('y'), GLYPH('?'), GLYPH('~'),
};

struct mem_map machine_map;
static u8 *mem;			/* an allocation, so that what is drawn beside it is caught */
static bool reachable;
static const struct console *con;
static struct boot_framebuffer told;

void console_add(const struct console *c) { con = c; }
void log_replay(void (*show)(const char *s, u32 len)) { show("ae", 2); }

void *ioremap_wc(hpa_t pa, u64 len)
{
	assert_int_equal(pa, told.addr);
	assert_int_equal(len, (u64)told.pitch * told.height);
	return reachable && !memmap_has_ram(&machine_map, pa, pa + len) ? mem : NULL;
}

static int power_on(void **state __unused)
{
	told = (struct boot_framebuffer){
		.type = BOOT_FB_RGB, .addr = ADDR, .width = WIDTH, .height = HEIGHT, .bpp = 32,
		.pitch = WIDTH * 4 + 8, .red_pos = 16, .red_size = 8, .green_pos = 8,
		.green_size = 8, .blue_pos = 0, .blue_size = 8,
	};
	machine_map.nr = 1;
	machine_map.r[0] = (struct mem_range){ 0, 0x80000000, MEM_RAM };
	con = NULL;
	base = NULL;
	reachable = true;
	return 0;
}

static void setup(void)
{
	u32 len = told.pitch * told.height;

	free(mem);
	mem = malloc(len);
	memset(mem, 0x5a, len);
	assert_true(fb_init(&told, &machine_map));
	assert_non_null(con);
}

static u32 pixel(u32 px, u32 py)
{
	u32 bytes = (told.bpp + 7) / 8, val = 0;

	memcpy(&val, mem + py * told.pitch + px * bytes, bytes);
	return val;
}

static char cell(u32 row, u32 col, u32 colour_of_text)
{
	u8 line[16] = { 0 };
	u32 i, bit, c;

	for (i = 0; i < 16; i++)
		for (bit = 0; bit < 8; bit++) {
			u32 p = pixel(col * 8 + bit, row * 16 + i);

			assert_true(p == 0 || p == colour_of_text);
			line[i] |= p ? 0x80 >> bit : 0;
		}
	for (c = FONT_FIRST; c <= FONT_LAST; c++)
		if (!memcmp(line, font[c - FONT_FIRST], 16))
			return (char)c;
	return 0;
}

static void shows(u32 row, const char *want, u32 colour_of_text)
{
	char line[COLS + 1] = "";
	u32 i;

	for (i = 0; i < COLS; i++)
		line[i] = cell(row, i, colour_of_text);
	for (i = COLS; i && line[i - 1] == ' '; i--)
		line[i - 1] = 0;
	assert_string_equal(line, want);
}

static void say(const char *s)
{
	con->write(s, (u32)strlen(s));
}

static void depths(void **state __unused)
{
	static const struct {
		u8 bpp, red, red_size, green, green_size, blue, blue_size;
		u32 grey;
	} d[] = {
		{ 32, 16, 8, 8, 8, 0, 8, 0xaaaaaa }, { 32, 0, 8, 8, 8, 16, 8, 0xaaaaaa },
		{ 32, 20, 10, 10, 10, 0, 10, 0x2a8u << 20 | 0x2a8 << 10 | 0x2a8 },
		{ 24, 16, 8, 8, 8, 0, 8, 0xaaaaaa }, { 16, 11, 5, 5, 6, 0, 5, 0x15 << 11 | 0x2a << 5 | 0x15 },
		{ 15, 10, 5, 5, 5, 0, 5, 0x15 << 10 | 0x15 << 5 | 0x15 },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(d); i++) {
		power_on(NULL);
		told.bpp = d[i].bpp;
		told.pitch = WIDTH * ((told.bpp + 7u) / 8);
		told.red_pos = d[i].red;
		told.red_size = d[i].red_size;
		told.green_pos = d[i].green;
		told.green_size = d[i].green_size;
		told.blue_pos = d[i].blue;
		told.blue_size = d[i].blue_size;
		setup();
		say("ab\nc~");
		shows(0, "ab", d[i].grey);
		shows(1, "c~", d[i].grey);
		shows(2, "", d[i].grey);
	}
}

static void wraps_and_scrolls(void **state __unused)
{
	setup();
	say("aaaaaaaaaaaabb\n\x01");
	shows(0, "aaaaaaaaaaaa", 0xaaaaaa);
	shows(1, "bb", 0xaaaaaa);
	shows(2, "?", 0xaaaaaa);
	say("\ncd\n");
	shows(0, "?", 0xaaaaaa);
	shows(1, "cd", 0xaaaaaa);
	shows(2, "", 0xaaaaaa);
	say("e");
	shows(2, "e", 0xaaaaaa);
}

/* Domain 0 has drawn over all of it. */
static void seized(void **state __unused)
{
	setup();
	say("ab");
	memset(mem, 0x77, (u64)told.pitch * told.height);
	assert_true(con->seize());
	say("\nc");
	shows(0, "", 0xaaaaaa);
	shows(1, "c", 0xaaaaaa);
	shows(2, "", 0xaaaaaa);
	assert_int_equal(mem[(u64)told.pitch * told.height - 1], 0);
}

static void above_4g(void **state __unused)
{
	reachable = false;
	setup();
	say("not yet");
	assert_int_equal(mem[0], 0x5a);
	reachable = true;
	assert_true(con->remap());
	shows(0, "ae", 0xaaaaaa);
	say("b");
	assert_true(con->remap());	/* it was there: nothing is shown again */
	shows(0, "aeb", 0xaaaaaa);
	reachable = false;
	assert_false(con->remap());
	say("c");
}

static void keeps_off_ram(void **state __unused)
{
	reachable = false;
	setup();
	machine_map.r[0].end = ADDR + 1;
	reachable = true;
	assert_false(con->remap());
	say("c");
	assert_int_equal(mem[0], 0x5a);
	con = NULL;
	assert_false(fb_init(&told, &machine_map));
	assert_null(con);
}

static void big_screens(void **state __unused)
{
	told.width = 3840;
	told.pitch = 3840 * 4;
	told.height = 2160;
	setup();
	assert_int_equal(cols, COLS_MAX);
	assert_int_equal(rows, ROWS_MAX);
	say("ab");
	assert_int_equal(cell(0, 1, 0xaaaaaa), 'b');
}

static void refuses(void **state __unused)
{
	u32 i;

	for (i = 0; i < 15; i++) {
		power_on(NULL);
		switch (i) {
		case 0: told.bpp = 8; break;
		case 1: told.bpp = 64; break;
		case 2: told.width = 7; break;
		case 3: told.height = 15; break;
		case 4: told.pitch = WIDTH * 4 - 1; break;
		case 5: told.pitch = 0xfffffff8; break;
		case 6: told.height = 0xffffffff; break;
		case 7: told.addr = 0; break;
		case 8: told.addr = 0x7ffffff0; break;
		case 9: told.red_size = 0; break;
		case 10: told.red_pos = 25; break;
		case 11: told.green_size = 17; break;
		case 12: told.addr = ~7ull; break;
		case 13: told.width = 0x40000001; break;
		case 14:		/* more than page tables are for */
			told.pitch = SZ_1M / 2;
			told.height = 0x801;
			told.addr = SZ_4G;
			break;
		}
		assert_false(fb_init(&told, &machine_map));
		assert_null(con);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(depths, power_on),
		cmocka_unit_test_setup(wraps_and_scrolls, power_on),
		cmocka_unit_test_setup(seized, power_on),
		cmocka_unit_test_setup(above_4g, power_on),
		cmocka_unit_test_setup(keeps_off_ram, power_on),
		cmocka_unit_test_setup(big_screens, power_on),
		cmocka_unit_test_setup(refuses, power_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
