// SPDX-License-Identifier: GPL-2.0-only
/* The frame buffer of the graphics output protocol; the contract is in display.h. */
#include "display.h"
#include "app.h"

#define BYTES_PER_PIXEL	4

typedef EFI_GRAPHICS_OUTPUT_PROTOCOL gop_t;

static void set_mask(u32 mask, u8 *pos, u8 *size)
{
	*pos = mask ? (u8)__builtin_ctz(mask) : 0;
	*size = mask ? (u8)(32 - __builtin_clz(mask) - *pos) : 0;
}

/* False: pixels that memory accesses do not reach, or of a form that is not known. */
static bool set_colours(const EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *m, struct boot_framebuffer *fb)
{
	bool red_first = m->PixelFormat == PixelRedGreenBlueReserved8BitPerColor;

	if (m->PixelFormat == PixelBitMask) {
		set_mask(m->PixelInformation.RedMask, &fb->red_pos, &fb->red_size);
		set_mask(m->PixelInformation.GreenMask, &fb->green_pos, &fb->green_size);
		set_mask(m->PixelInformation.BlueMask, &fb->blue_pos, &fb->blue_size);
		return true;
	}
	fb->red_size = fb->green_size = fb->blue_size = 8;
	fb->red_pos = red_first ? 0 : 16;
	fb->green_pos = 8;
	fb->blue_pos = red_first ? 16 : 0;
	return red_first || m->PixelFormat == PixelBlueGreenRedReserved8BitPerColor;
}

static bool read_mode(const gop_t *gop, struct boot_framebuffer *fb)
{
	const EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *m = gop->Mode ? gop->Mode->Info : NULL;

	if (!m || !gop->Mode->FrameBufferBase || !set_colours(m, fb))
		return false;
	fb->type = BOOT_FB_RGB;
	fb->addr = gop->Mode->FrameBufferBase;
	fb->width = m->HorizontalResolution;
	fb->height = m->VerticalResolution;
	fb->pitch = m->PixelsPerScanLine * BYTES_PER_PIXEL;
	fb->bpp = 8 * BYTES_PER_PIXEL;
	return true;
}

/*
 * The console's own handle first; where that is a splitter without a frame buffer, the
 * first of all that has one.
 */
struct boot_framebuffer display_find(void)
{
	static const EFI_GUID guid = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
	struct boot_framebuffer fb = { 0 };
	EFI_HANDLE *handles = NULL;
	UINTN nr = 0, i;
	gop_t *gop = app_protocol(efi->ConsoleOutHandle, &guid);
	bool found = gop && read_mode(gop, &fb);

	if (found || EFI_ERROR(efi_boot->LocateHandleBuffer(ByProtocol, (EFI_GUID *)&guid, NULL,
							    &nr, &handles)))
		nr = 0;
	for (i = 0; i < nr && !found; i++) {
		gop = app_protocol(handles[i], &guid);
		found = gop && read_mode(gop, &fb);
	}
	if (handles)
		efi_boot->FreePool(handles);
	if (!found)
		fb.type = BOOT_FB_NONE;
	return fb;
}
