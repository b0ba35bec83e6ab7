// SPDX-License-Identifier: GPL-2.0-only
/* bzImage header and boot_params. */
#include "linux_image.h"
#include "hv/core/lib/string.h"

/* Setup header: offsets in the image, and the same in boot_params. */
#define HDR_START		0x1f1
#define HDR_SETUP_SECTS		0x1f1	/* u8 */
#define HDR_SYSSIZE		0x1f4	/* u32, in 16 bytes */
#define HDR_BOOT_FLAG		0x1fe	/* u16 */
#define HDR_JUMP		0x200	/* jmp short: its displacement ends the header */
#define HDR_MAGIC		0x202	/* u32 */
#define HDR_VERSION		0x206	/* u16 */
#define HDR_TYPE_OF_LOADER	0x210	/* u8 */
#define HDR_LOADFLAGS		0x211	/* u8 */
#define HDR_CODE32_START	0x214	/* u32 */
#define HDR_RAMDISK_IMAGE	0x218	/* u32 */
#define HDR_RAMDISK_SIZE	0x21c	/* u32 */
#define HDR_CMD_LINE_PTR	0x228	/* u32 */
#define HDR_INITRD_ADDR_MAX	0x22c	/* u32 */
#define HDR_KERNEL_ALIGNMENT	0x230	/* u32 */
#define HDR_RELOCATABLE		0x234	/* u8 */
#define HDR_XLOADFLAGS		0x236	/* u16 */
#define HDR_CMDLINE_SIZE	0x238	/* u32 */
#define HDR_SETUP_DATA		0x250	/* u64 */
#define HDR_PREF_ADDRESS	0x258	/* u64 */
#define HDR_INIT_SIZE		0x260	/* u32 */
#define HDR_END_MIN		0x264
#define HDR_END_MAX		0x290	/* other fields of boot_params follow */

#define BOOT_FLAG		0xaa55
#define MAGIC			0x53726448	/* "HdrS" */
#define VERSION_MIN		0x020c
#define LOADED_HIGH		BIT(0)
#define LOADER_UNDEFINED	0xff

/* boot_params, outside the header */
#define BP_ACPI_RSDP		0x070	/* u64 */
#define BP_EFI_SIGNATURE	0x1c0	/* u32 */
#define BP_EFI_SYSTEM_TABLE	0x1c4	/* u32, and the upper half */
#define BP_EFI_DESC_BYTES	0x1c8	/* u32 */
#define BP_EFI_DESC_VERSION	0x1cc	/* u32 */
#define BP_EFI_MAP		0x1d0	/* u32, and the upper half */
#define BP_EFI_MAP_BYTES	0x1d4	/* u32 */
#define BP_EFI_SYSTEM_TABLE_HI	0x1d8
#define BP_EFI_MAP_HI		0x1dc
#define EFI_SIGNATURE_64	0x34364c45	/* "EL64" */
#define BP_E820_ENTRIES		0x1e8	/* u8 */
#define BP_SECURE_BOOT		0x1ec	/* u8 */
#define SECURE_BOOT_OFF		2
#define SECURE_BOOT_ON		3
#define BP_E820_TABLE		0x2d0
#define E820_MAX		128
#define E820_SIZE		20	/* u64 start, u64 size, u32 type */

/* struct setup_data: u64 next, u32 type, u32 len, then len bytes */
#define SD_TYPE			8
#define SD_LEN			12
#define SD_BYTES		16
#define SETUP_E820_EXT		1

/* screen_info, at the start of boot_params */
#define SI_VIDEO_MODE		0x06	/* u8 */
#define SI_VIDEO_COLS		0x07	/* u8 */
#define SI_EGA_BX		0x0a	/* u16 */
#define SI_VIDEO_LINES		0x0e	/* u8 */
#define SI_IS_VGA		0x0f	/* u8 */
#define SI_VIDEO_POINTS		0x10	/* u16 */
#define SI_LFB_WIDTH		0x12	/* u16 */
#define SI_LFB_HEIGHT		0x14	/* u16 */
#define SI_LFB_DEPTH		0x16	/* u16 */
#define SI_LFB_BASE		0x18	/* u32 */
#define SI_LFB_SIZE		0x1c	/* u32 */
#define SI_LFB_LINE		0x24	/* u16 */
#define SI_COLOURS		0x26	/* size and position of red, green, blue */
#define SI_CAPABILITIES		0x36	/* u32 */
#define SI_EXT_LFB_BASE		0x3a	/* u32 */
#define SI_CAP_64BIT_BASE	BIT(1)
#define VIDEO_VGA		0x01
#define VIDEO_VESA_LFB		0x23
#define VIDEO_EFI_LFB		0x70
#define VESA_SIZE_UNIT		0x10000

static u64 get(const void *p, u32 off, u32 bytes)
{
	u64 v = 0;

	memcpy(&v, (const u8 *)p + off, bytes);
	return v;
}

static void put(void *p, u32 off, u32 bytes, u64 v)
{
	memcpy((u8 *)p + off, &v, bytes);
}

static u32 header_end(const void *image)
{
	return (u32)get(image, HDR_JUMP + 1, 1) + HDR_MAGIC;
}

static void read_header(const void *image, u64 len, struct linux_image *li)
{
	u32 sects = (u32)get(image, HDR_SETUP_SECTS, 1);

	li->setup_bytes = ((sects ? sects : 4) + 1) * 512;
	li->kernel_bytes = len > li->setup_bytes ? len - li->setup_bytes : 0;
	li->room = max(get(image, HDR_INIT_SIZE, 4), li->kernel_bytes);
	li->pref_address = get(image, HDR_PREF_ADDRESS, 8);
	li->alignment = get(image, HDR_KERNEL_ALIGNMENT, 4);
	li->relocatable = get(image, HDR_RELOCATABLE, 1);
	li->initrd_max = get(image, HDR_INITRD_ADDR_MAX, 4);
	li->cmdline_max = (u32)get(image, HDR_CMDLINE_SIZE, 4);
}

const char *linux_check_image(const void *image, u64 len, struct linux_image *li)
{
	if (len < HDR_END_MIN || get(image, HDR_MAGIC, 4) != MAGIC ||
	    get(image, HDR_BOOT_FLAG, 2) != BOOT_FLAG)
		return "is no bzImage";
	if (get(image, HDR_VERSION, 2) < VERSION_MIN)
		return "speaks a boot protocol older than 2.12";
	if (header_end(image) < HDR_END_MIN)
		return "has a setup header that is too short";
	if (!(get(image, HDR_LOADFLAGS, 1) & LOADED_HIGH))
		return "is a zImage, not a bzImage";
	read_header(image, len, li);
	if (!li->kernel_bytes || li->kernel_bytes < get(image, HDR_SYSSIZE, 4) * 16)
		return "is cut short";
	if (!get(image, HDR_INIT_SIZE, 4))
		return "does not say how much memory it needs";
	if (!li->alignment || (li->alignment & (li->alignment - 1)))
		return "has a load alignment that is no power of two";
	return NULL;
}

/* Is all of [a, a + len) RAM and clear of @used? */
static bool is_free(hpa_t a, u64 len, const struct mem_map *map,
		    const struct mem_range *used, u32 nr_used)
{
	return a && memmap_find(map, used, nr_used, a, a + len, len, PAGE_SIZE, false) == a;
}

hpa_t linux_place_kernel(const struct linux_image *li, const struct mem_map *map,
			 const struct mem_range *used, u32 nr_used)
{
	hpa_t pref = ALIGN_UP(li->pref_address, li->alignment);
	u64 align = max(li->alignment, (u64)PAGE_SIZE);
	hpa_t a;

	if (!(pref & ~PAGE_MASK) && pref < SZ_4G - min(li->room, SZ_4G) &&
	    is_free(pref, li->room, map, used, nr_used))
		return pref;
	if (!li->relocatable)
		return 0;
	/* Linux moves itself up to its preferred address if put below. */
	a = memmap_find(map, used, nr_used, pref, SZ_4G, li->room, align, false);
	return a ? a : memmap_find(map, used, nr_used, SZ_1M, SZ_4G, li->room, align, false);
}

static void fill_text_screen(void *bp, const struct boot_framebuffer *fb)
{
	bool told = fb->type == BOOT_FB_TEXT && fb->width && fb->height;

	put(bp, SI_VIDEO_MODE, 1, 3);
	put(bp, SI_VIDEO_COLS, 1, told ? fb->width : 80);
	put(bp, SI_VIDEO_LINES, 1, told ? fb->height : 25);
	put(bp, SI_EGA_BX, 2, 3);
	put(bp, SI_IS_VGA, 1, VIDEO_VGA);
	put(bp, SI_VIDEO_POINTS, 2, 16);
}

static void fill_framebuffer(void *bp, const struct boot_framebuffer *fb, bool efi)
{
	const u8 colours[6] = { fb->red_size, fb->red_pos, fb->green_size,
				fb->green_pos, fb->blue_size, fb->blue_pos };
	u64 bytes = (u64)fb->pitch * fb->height;

	put(bp, SI_IS_VGA, 1, efi ? VIDEO_EFI_LFB : VIDEO_VESA_LFB);
	put(bp, SI_LFB_WIDTH, 2, fb->width);
	put(bp, SI_LFB_HEIGHT, 2, fb->height);
	put(bp, SI_LFB_DEPTH, 2, fb->bpp);
	put(bp, SI_LFB_LINE, 2, fb->pitch);
	put(bp, SI_LFB_BASE, 4, fb->addr);
	put(bp, SI_LFB_SIZE, 4, efi ? bytes : ALIGN_UP(bytes, (u64)VESA_SIZE_UNIT) /
					      VESA_SIZE_UNIT);
	if (fb->addr >> 32) {
		put(bp, SI_EXT_LFB_BASE, 4, fb->addr >> 32);
		put(bp, SI_CAPABILITIES, 4, SI_CAP_64BIT_BASE);
	}
	memcpy((u8 *)bp + SI_COLOURS, colours, sizeof(colours));
}

static void fill_ranges(void *p, const struct mem_range *r, u32 n)
{
	u32 off;

	for (off = 0; n--; r++, off += E820_SIZE) {
		put(p, off, 8, r->start);
		put(p, off + 8, 8, r->end - r->start);
		put(p, off + 16, 4, r->type);
	}
}

static void fill_efi(void *bp, const struct linux_params *p)
{
	const struct boot_efi *e = p->uefi;

	put(bp, BP_EFI_SIGNATURE, 4, EFI_SIGNATURE_64);
	put(bp, BP_EFI_SYSTEM_TABLE, 4, e->system_table);
	put(bp, BP_EFI_SYSTEM_TABLE_HI, 4, e->system_table >> 32);
	put(bp, BP_EFI_DESC_BYTES, 4, e->desc_bytes);
	put(bp, BP_EFI_DESC_VERSION, 4, e->desc_version);
	put(bp, BP_EFI_MAP, 4, p->efi_map);
	put(bp, BP_EFI_MAP_HI, 4, p->efi_map >> 32);
	put(bp, BP_EFI_MAP_BYTES, 4, p->efi_map_bytes);
	put(bp, BP_SECURE_BOOT, 1, e->secure_boot ? SECURE_BOOT_ON : SECURE_BOOT_OFF);
}

u32 linux_more_bytes(const struct mem_map *map)
{
	return map->nr > E820_MAX ? SD_BYTES + (map->nr - E820_MAX) * E820_SIZE : 0;
}

static void fill_e820(void *bp, const struct linux_params *p)
{
	u32 n = min(p->map->nr, (u32)E820_MAX), left = linux_more_bytes(p->map);

	fill_ranges((u8 *)bp + BP_E820_TABLE, p->map->r, n);
	put(bp, BP_E820_ENTRIES, 1, n);
	if (!left)
		return;
	put(p->more, 0, 8, 0);
	put(p->more, SD_TYPE, 4, SETUP_E820_EXT);
	put(p->more, SD_LEN, 4, left - SD_BYTES);
	fill_ranges((u8 *)p->more + SD_BYTES, p->map->r + n, p->map->nr - n);
	put(bp, HDR_SETUP_DATA, 8, p->more_pa);
}

void linux_fill_params(void *bp, const void *image, const struct linux_params *p)
{
	u32 end = min(header_end(image), (u32)HDR_END_MAX);

	memset(bp, 0, LINUX_BOOT_PARAMS_SIZE);
	memcpy((u8 *)bp + HDR_START, (const u8 *)image + HDR_START, end - HDR_START);
	put(bp, HDR_TYPE_OF_LOADER, 1, LOADER_UNDEFINED);
	put(bp, HDR_CODE32_START, 4, p->kernel);
	put(bp, HDR_RAMDISK_IMAGE, 4, p->initrd);
	put(bp, HDR_RAMDISK_SIZE, 4, p->initrd_bytes);
	put(bp, HDR_CMD_LINE_PTR, 4, p->cmdline);
	put(bp, BP_ACPI_RSDP, 8, p->rsdp);
	if (p->fb->type == BOOT_FB_RGB || p->fb->type == BOOT_FB_INDEXED)
		fill_framebuffer(bp, p->fb, p->efi);
	else if (p->fb->type == BOOT_FB_TEXT || !p->efi)
		fill_text_screen(bp, p->fb);
	if (p->uefi)
		fill_efi(bp, p);
	fill_e820(bp, p);
}
