// SPDX-License-Identifier: GPL-2.0-only
/*
 * Text on a frame buffer. What is on the screen is kept here as text: frame buffers are slow
 * to read, and when lines move up only the cells that change are drawn.
 */
#include "boot_info.h"
#include "console.h"
#include "lib/string.h"
#include "log.h"
#include "memmap.h"
#include "paging.h"
#include "screen.h"

#define FONT_WIDTH	8
#define COLS_MAX	256
#define ROWS_MAX	96
#define GREY		0xaau	/* of 0xff, as VGA's text has it */

static struct boot_framebuffer fb;
static u8 *base;		/* NULL: cannot be reached yet */
static u32 grey;		/* a pixel of the text */
static u32 cols, rows, x, y;
static char text[ROWS_MAX][COLS_MAX];

static u64 fb_len(void)
{
	return (u64)fb.pitch * fb.height;
}

static u32 pixel_bytes(void)
{
	return (fb.bpp + 7u) / 8;
}

static void put_pixel(volatile u8 *p, u32 val)
{
	if (pixel_bytes() == 4) {
		*(volatile u32 *)p = val;
	} else if (pixel_bytes() == 2) {
		*(volatile u16 *)p = (u16)val;
	} else {
		p[0] = (u8)val;
		p[1] = (u8)(val >> 8);
		p[2] = (u8)(val >> 16);
	}
}

static void draw(u32 row, u32 col)
{
	u8 c = (u8)text[row][col], line;
	volatile u8 *p;
	u32 i, bit;

	if (c < FONT_FIRST || c > FONT_LAST)
		c = '?';
	for (i = 0; i < FONT_HEIGHT; i++) {
		line = font[c - FONT_FIRST][i];
		p = base + (u64)(row * FONT_HEIGHT + i) * fb.pitch +
		    col * FONT_WIDTH * pixel_bytes();
		for (bit = 0; bit < FONT_WIDTH; bit++, p += pixel_bytes())
			put_pixel(p, line & (0x80 >> bit) ? grey : 0);
	}
}

static void set(u32 row, u32 col, char c)
{
	if (text[row][col] == c)
		return;
	text[row][col] = c;
	draw(row, col);
}

static void scroll(void)
{
	u32 row, col;

	for (row = 0; row < rows; row++)
		for (col = 0; col < cols; col++)
			set(row, col, row + 1 < rows ? text[row + 1][col] : ' ');
}

static void newline(void)
{
	x = 0;
	if (y + 1 < rows)
		y++;
	else
		scroll();
}

static void write(const char *s, u32 len)
{
	u32 i;

	for (i = 0; i < len && base; i++) {
		if (s[i] == '\n' || x == cols)
			newline();
		if (s[i] != '\n')
			set(y, x++, s[i]);
	}
}

static void clear(void)
{
	u64 at;

	memset(text, ' ', sizeof(text));
	for (at = 0; at + sizeof(u32) <= fb_len(); at += sizeof(u32))
		*(volatile u32 *)(base + at) = 0;
	x = y = 0;
}

/* Domain 0's driver may have drawn what it likes, but the mode is taken to be the same. */
static bool seize(void)
{
	if (base)
		clear();
	return base;
}

static bool remap(void)
{
	bool was_there = base;

	base = ioremap_wc(fb.addr, fb_len());
	if (base && !was_there) {
		clear();
		log_replay(write);
	}
	return base;
}

static bool colour_fits(u8 pos, u8 size)
{
	return size && size <= 16 && pos + size <= fb.bpp;
}

static u32 colour(u8 pos, u8 size)
{
	return (size < 8 ? GREY >> (8 - size) : GREY << (size - 8)) << pos;
}

static bool usable(const struct mem_map *map)
{
	return (fb.bpp == 15 || fb.bpp == 16 || fb.bpp == 24 || fb.bpp == 32) &&
	       fb.width >= FONT_WIDTH && fb.height >= FONT_HEIGHT && fb.pitch < SZ_1M &&
	       fb.pitch >= (u64)fb.width * pixel_bytes() && fb_len() <= SZ_1G &&
	       !((fb.addr | fb.pitch) & 3) && fb.addr && fb.addr < 1ull << 52 &&
	       !memmap_has_ram(map, fb.addr, fb.addr + fb_len()) &&
	       colour_fits(fb.red_pos, fb.red_size) &&
	       colour_fits(fb.green_pos, fb.green_size) && colour_fits(fb.blue_pos, fb.blue_size);
}

bool fb_init(const struct boot_framebuffer *told, const struct mem_map *map)
{
	static const struct console console = { "frame buffer", write, seize, remap };

	fb = *told;
	if (!usable(map))
		return false;
	grey = colour(fb.red_pos, fb.red_size) | colour(fb.green_pos, fb.green_size) |
	       colour(fb.blue_pos, fb.blue_size);
	cols = min(fb.width / FONT_WIDTH, (u32)COLS_MAX);
	rows = min(fb.height / FONT_HEIGHT, (u32)ROWS_MAX);
	base = ioremap_wc(fb.addr, fb_len());
	if (base)
		clear();
	console_add(&console);
	return true;
}
