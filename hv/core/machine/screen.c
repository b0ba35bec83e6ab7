// SPDX-License-Identifier: GPL-2.0-only
/* Which screen there is; the contract is in screen.h. */
#include "screen.h"
#include "boot_info.h"

#define VGA_TEXT	0xb8000
#define VGA_TEXT_BYTES	0x8000

void screen_init(const struct boot_info *bi)
{
	const struct boot_framebuffer *fb = &bi->fb;

	if (fb->type == BOOT_FB_RGB)
		fb_init(fb, &bi->map);
	else if (fb->type == BOOT_FB_TEXT && fb->addr == VGA_TEXT && fb->width && fb->height &&
		 (u64)fb->width * fb->height * 2 <= VGA_TEXT_BYTES)
		vga_text_init(fb->width, fb->height);
	else if (fb->type == BOOT_FB_NONE && !bi->efi)
		vga_text_init(80, 25);
}
