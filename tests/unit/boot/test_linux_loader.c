// SPDX-License-Identifier: GPL-2.0-only
/* bzImage checks, placement, and the contents of boot_params. */
// SOURCES: boot/linux_image.c hv/core/machine/memplan.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "boot/linux_image.h"
#include "hv/core/lib/string.h"

#define IMAGE_LEN	(512 * 5 + 8192)

static u8 image[IMAGE_LEN];
static u8 bp[LINUX_BOOT_PARAMS_SIZE];
static struct linux_image li;

static void set(u32 off, u32 n, u64 v)
{
	memcpy(image + off, &v, n);
}

static u64 param(u32 off, u32 n)
{
	u64 v = 0;

	memcpy(&v, bp + off, n);
	return v;
}

static int make_image(void **state __unused)
{
	memset(image, 0, sizeof(image));
	set(0x1f1, 1, 4);
	set(0x1f4, 4, 8192 / 16);
	set(0x1fe, 2, 0xaa55);
	set(0x200, 2, 0x6aeb);		/* header ends at 0x202 + 0x6a */
	memcpy(image + 0x202, "HdrS", 4);
	set(0x206, 2, 0x20f);
	set(0x211, 1, 1);
	set(0x22c, 4, 0x7fffffff);
	set(0x230, 4, 0x200000);
	set(0x234, 1, 1);
	set(0x238, 4, 2047);
	set(0x258, 8, 0x1000000);
	set(0x260, 4, 0x3000000);
	return 0;
}

static const char *check(u64 len)
{
	return linux_check_image(image, len, &li);
}

static void takes_a_bzimage(void **state __unused)
{
	assert_null(check(IMAGE_LEN));
	assert_int_equal(li.setup_bytes, 512 * 5);
	assert_int_equal(li.kernel_bytes, 8192);
	assert_int_equal(li.room, 0x3000000);
	assert_int_equal(li.pref_address, 0x1000000);
	assert_int_equal(li.alignment, 0x200000);
	assert_int_equal(li.cmdline_max, 2047);
	set(0x1f1, 1, 0);		/* zero means four */
	assert_null(check(IMAGE_LEN));
	assert_int_equal(li.setup_bytes, 512 * 5);
}

static void refuses_what_is_none(void **state __unused)
{
	const char *none = "is no bzImage";

	assert_string_equal(check(0), none);
	assert_string_equal(check(0x263), none);
	image[0x202] = 'h';
	assert_string_equal(check(IMAGE_LEN), none);
	image[0x202] = 'H';
	set(0x1fe, 2, 0x55aa);
	assert_string_equal(check(IMAGE_LEN), none);
	memcpy(image, "\177ELF", 4);
	assert_string_equal(check(IMAGE_LEN), none);
}

static void refuses_bad_headers(void **state __unused)
{
	set(0x206, 2, 0x20b);
	assert_non_null(strstr(check(IMAGE_LEN), "older than 2.12"));
	make_image(NULL);
	set(0x201, 1, 0x20);
	assert_non_null(strstr(check(IMAGE_LEN), "too short"));
	make_image(NULL);
	set(0x211, 1, 0);
	assert_non_null(strstr(check(IMAGE_LEN), "zImage"));
	make_image(NULL);
	set(0x260, 4, 0);
	assert_non_null(strstr(check(IMAGE_LEN), "how much memory"));
	make_image(NULL);
	set(0x230, 4, 0x300000);
	assert_non_null(strstr(check(IMAGE_LEN), "power of two"));
	set(0x230, 4, 0);
	assert_non_null(strstr(check(IMAGE_LEN), "power of two"));
}

static void refuses_cut_images(void **state __unused)
{
	u64 len;

	for (len = 0x264; len < IMAGE_LEN; len += 100)
		assert_string_equal(check(len), "is cut short");
	set(0x1f1, 1, 255);
	assert_string_equal(check(IMAGE_LEN), "is cut short");
	make_image(NULL);
	set(0x1f4, 4, 0xffffffff);
	assert_string_equal(check(IMAGE_LEN), "is cut short");
}

static const struct mem_map ram = {
	.nr = 3,
	.r = { { 0, 0x9f000, MEM_RAM }, { 0x100000, 0x40000000, MEM_RAM },
	       { 0x100000000, 0x200000000, MEM_RAM } },
};

static void places_the_kernel(void **state __unused)
{
	struct mem_range used = { 0x3000000, 0x3001000, 0 };

	assert_null(check(IMAGE_LEN));
	assert_int_equal(linux_place_kernel(&li, &ram, NULL, 0), 0x1000000);
	/* In the way: the next place that is free and aligned. */
	assert_int_equal(linux_place_kernel(&li, &ram, &used, 1), 0x3200000);
	li.relocatable = false;
	assert_int_equal(linux_place_kernel(&li, &ram, &used, 1), 0);
	li.relocatable = true;
	/* Free below the preferred address only, then nowhere: never above 4 GiB. */
	used = (struct mem_range){ 0x3400000, 0x40000000, 0 };
	assert_int_equal(linux_place_kernel(&li, &ram, &used, 1), 0x200000);
	used = (struct mem_range){ 0x2000000, 0x40000000, 0 };
	assert_int_equal(linux_place_kernel(&li, &ram, &used, 1), 0);
	li.room = 0x200000000;
	assert_int_equal(linux_place_kernel(&li, &ram, NULL, 0), 0);
}

static void fills_boot_params(void **state __unused)
{
	const struct boot_framebuffer text = { .type = BOOT_FB_TEXT, .width = 80, .height = 25 };
	const struct linux_params p = {
		.kernel = 0x1200000, .initrd = 0xde8000, .initrd_bytes = 0x12345,
		.cmdline = 0x8e000, .rsdp = 0xf59e0, .map = &ram, .fb = &text,
	};

	image[0x26b] = 0x77;		/* the last byte of the header */
	image[0x26c] = 0x88;		/* not of the header any more */
	linux_fill_params(bp, image, &p);
	assert_int_equal(param(0x202, 4), 0x53726448);
	assert_int_equal(param(0x26b, 1), 0x77);
	assert_int_equal(param(0x26c, 1), 0);
	assert_int_equal(param(0x1ef, 1), 0);		/* sentinel */
	assert_int_equal(param(0x210, 1), 0xff);
	assert_int_equal(param(0x214, 4), 0x1200000);
	assert_int_equal(param(0x218, 4), 0xde8000);
	assert_int_equal(param(0x21c, 4), 0x12345);
	assert_int_equal(param(0x228, 4), 0x8e000);
	assert_int_equal(param(0x070, 8), 0xf59e0);
	assert_int_equal(param(0x1e8, 1), 3);
	assert_int_equal(param(0x2d0 + 20, 8), 0x100000);
	assert_int_equal(param(0x2d0 + 28, 8), 0x40000000 - 0x100000);
	assert_int_equal(param(0x2d0 + 36, 4), 1);
	assert_int_equal(param(0x07, 1), 80);
	assert_int_equal(param(0x0e, 1), 25);
	assert_int_equal(param(0x0f, 1), 1);
}

static void describes_a_framebuffer(void **state __unused)
{
	const struct boot_framebuffer fb = {
		.type = BOOT_FB_RGB, .addr = 0x180000000, .pitch = 4096, .width = 1024,
		.height = 768, .bpp = 32, .red_pos = 16, .red_size = 8, .green_pos = 8,
		.green_size = 8, .blue_pos = 0, .blue_size = 8,
	};
	struct linux_params p = { .map = &ram, .fb = &fb, .efi = true };

	linux_fill_params(bp, image, &p);
	assert_int_equal(param(0x0f, 1), 0x70);
	assert_int_equal(param(0x12, 2), 1024);
	assert_int_equal(param(0x14, 2), 768);
	assert_int_equal(param(0x16, 2), 32);
	assert_int_equal(param(0x18, 4), 0x80000000);
	assert_int_equal(param(0x3a, 4), 1);
	assert_int_equal(param(0x1c, 4), 4096 * 768);
	assert_int_equal(param(0x24, 2), 4096);
	assert_int_equal(param(0x26, 2), 8 | 16 << 8);
	p.efi = false;
	linux_fill_params(bp, image, &p);
	assert_int_equal(param(0x0f, 1), 0x23);
	assert_int_equal(param(0x1c, 4), 4096 * 768 / 65536);
}

static void describes_uefi(void **state __unused)
{
	const struct boot_framebuffer none = { .type = BOOT_FB_NONE };
	struct boot_efi efi = { .system_table = 0x17f9ec018, .desc_bytes = 48, .desc_version = 1 };
	struct linux_params p = { .map = &ram, .fb = &none, .efi = true, .uefi = &efi,
				  .efi_map = 0x8d000, .efi_map_bytes = 48 * 100 };

	linux_fill_params(bp, image, &p);
	assert_memory_equal(bp + 0x1c0, "EL64", 4);
	assert_int_equal(param(0x1c4, 4), 0x7f9ec018);
	assert_int_equal(param(0x1c8, 4), 48);
	assert_int_equal(param(0x1cc, 4), 1);
	assert_int_equal(param(0x1d0, 4), 0x8d000);
	assert_int_equal(param(0x1d4, 4), 4800);
	assert_int_equal(param(0x1d8, 4), 1);
	assert_int_equal(param(0x1dc, 4), 0);
	assert_int_equal(param(0x1ec, 1), 2);		/* Secure Boot is off */
	assert_int_equal(param(0x0f, 1), 0);		/* no screen */
	efi.secure_boot = true;
	linux_fill_params(bp, image, &p);
	assert_int_equal(param(0x1ec, 1), 3);
	p.uefi = NULL;
	linux_fill_params(bp, image, &p);
	assert_int_equal(param(0x1c0, 8), 0);
	assert_int_equal(param(0x1ec, 1), 0);
}

/* What boot_params has no room for goes into a piece of its own. */
static void splits_a_long_map(void **state __unused)
{
	static struct mem_map big;
	static u8 more[16 + (MEM_MAX_RANGES - 128) * 20];
	const struct boot_framebuffer none = { .type = BOOT_FB_NONE };
	struct linux_params p = { .map = &big, .fb = &none };
	u64 v;

	for (big.nr = 0; big.nr < 128; big.nr++)
		big.r[big.nr] = (struct mem_range){ big.nr * 8192, big.nr * 8192 + 4096, 1 };
	assert_int_equal(linux_more_bytes(&big), 0);
	linux_fill_params(bp, image, &p);
	assert_int_equal(param(0x1e8, 1), 128);
	assert_int_equal(param(0x250, 8), 0);
	for (; big.nr < MEM_MAX_RANGES; big.nr++)
		big.r[big.nr] = (struct mem_range){ big.nr * 8192, big.nr * 8192 + 4096, 2 };
	assert_int_equal(linux_more_bytes(&big), sizeof(more));
	p.more = more;
	p.more_pa = 0x7654000;
	memset(more, 0xff, sizeof(more));
	linux_fill_params(bp, image, &p);
	assert_int_equal(param(0x1e8, 1), 128);
	assert_int_equal(param(0x2d0 + 127 * 20, 8), 127 * 8192);
	assert_int_equal(param(0x250, 8), 0x7654000);
	memcpy(&v, more, 8);			/* next */
	assert_int_equal(v, 0);
	memcpy(&v, more + 8, 8);		/* type, length */
	assert_int_equal(v, 1 | (u64)(sizeof(more) - 16) << 32);
	memcpy(&v, more + 16, 8);
	assert_int_equal(v, 128 * 8192);
	memcpy(&v, more + sizeof(more) - 12, 8);
	assert_int_equal(v, 4096);
	assert_int_equal(more[sizeof(more) - 4], 2);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, make_image)
	const struct CMUnitTest tests[] = {
		T(takes_a_bzimage), T(refuses_what_is_none), T(refuses_bad_headers),
		T(refuses_cut_images), T(places_the_kernel), T(fills_boot_params),
		T(describes_a_framebuffer), T(describes_uefi), T(splits_a_long_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
