/* SPDX-License-Identifier: GPL-2.0-only */
/* The screen as a console: VGA's text mode, or a frame buffer that the loader has set up. */
#ifndef BP_CORE_SCREEN_H
#define BP_CORE_SCREEN_H

#include "lib/types.h"

struct boot_info;
struct boot_framebuffer;
struct mem_map;

/* Boot, once, before paging_init(): use what the loader tells of, if it can be used. */
void screen_init(const struct boot_info *bi);

/* Text of @cols x @rows characters at 0xb8000. */
void vga_text_init(u32 cols, u32 rows);
/*
 * True if @fb is a console now: RGB, 16 to 32 bits a pixel, and nowhere in @map's RAM. Of a
 * big screen the upper left is used.
 */
bool fb_init(const struct boot_framebuffer *fb, const struct mem_map *map);

/* A glyph is eight pixels wide, a byte a line, the leftmost pixel in bit 7. */
#define FONT_HEIGHT	16
#define FONT_FIRST	32
#define FONT_LAST	126
/* Made by hv/font from Debian's console font. */
extern const u8 font[FONT_LAST - FONT_FIRST + 1][FONT_HEIGHT];

#endif
