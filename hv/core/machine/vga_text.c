// SPDX-License-Identifier: GPL-2.0-only
/* VGA's text mode. Its memory is mapped by every page table of ours. */
#include "console.h"
#include "lib/string.h"
#include "paging.h"
#include "screen.h"

#define VGA_TEXT	0xb8000
#define VGA_ATTR	0x0700	/* light grey on black */

static u16 *vga;
static u32 vga_cols, vga_rows, vga_x, vga_y;

static void newline(void)
{
	u32 i;

	vga_x = 0;
	if (++vga_y < vga_rows)
		return;
	vga_y = vga_rows - 1;
	memmove(vga, vga + vga_cols, (u64)vga_y * vga_cols * sizeof(*vga));
	for (i = 0; i < vga_cols; i++)
		vga[vga_y * vga_cols + i] = VGA_ATTR | ' ';
}

static void put(char c)
{
	if (c == '\n') {
		newline();
		return;
	}
	if (vga_x == vga_cols)
		newline();
	vga[vga_y * vga_cols + vga_x++] = VGA_ATTR | (u8)c;
}

static void write(const char *s, u32 len)
{
	u32 i;

	for (i = 0; i < len; i++)
		put(s[i]);
}

static bool seize(void)
{
	return true;
}

void vga_text_init(u32 cols, u32 rows)
{
	static const struct console console = { "VGA text", write, seize, NULL };
	u32 i;

	vga = phys_to_virt(VGA_TEXT);
	vga_cols = cols;
	vga_rows = rows;
	for (i = 0; i < cols * rows; i++)
		vga[i] = VGA_ATTR | ' ';
	console_add(&console);
}
