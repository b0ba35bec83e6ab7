// SPDX-License-Identifier: GPL-2.0-only
/* A bzImage's header, where such a kernel goes, and boot_params made of it. */
// SOURCES: boot/linux_image.c hv/core/machine/memplan.c
#include "fuzz.h"

#include "boot/linux_image.h"

static struct linux_image li;
static struct mem_map map;
static u8 params[LINUX_BOOT_PARAMS_SIZE];

static void make_map(struct input *in)
{
	u32 n = 1 + take8(in) % 200;

	map.nr = 0;
	while (n--) {
		u64 start = (u64)take32(in) << 8, len = (u64)take16(in) << (take8(in) % 20);

		map.r[map.nr++] = (struct mem_range){ start, start + len, take8(in) & 1 ? 1 : take8(in) % 8 };
	}
	map.r[map.nr++] = (struct mem_range){ SZ_1M, SZ_1G, MEM_RAM };
	REQUIRE(memmap_normalise(&map));
}

static void place(void)
{
	struct mem_range used = { 0x200000, 0x400000, MEM_RESERVED };
	hpa_t at = linux_place_kernel(&li, &map, &used, 1);

	if (!at)
		return;
	REQUIRE(at + li.room <= SZ_4G && at + li.room >= at);
	REQUIRE(at + li.room <= used.start || at >= used.end || !li.room);
	REQUIRE(memmap_type(&map, at) == MEM_RAM);
	REQUIRE(!li.room || memmap_type(&map, at + li.room - 1) == MEM_RAM);
}

static void fill(const u8 *image, struct input *in)
{
	struct boot_framebuffer fb = { .type = take8(in) % 4, .addr = take64(in), .pitch = take32(in),
				       .width = take32(in), .height = take32(in), .bpp = take8(in) };
	struct boot_efi uefi = { .system_table = take64(in), .desc_bytes = 48 };
	u32 more = linux_more_bytes(&map);
	struct linux_params p = {
		.kernel = take32(in), .initrd = take32(in), .initrd_bytes = take32(in), .cmdline = 0x1000,
		.map = &map, .more_pa = 0x9000, .fb = &fb, .efi = take8(in) & 1,
	};

	if (p.efi)
		p.uefi = &uefi;
	p.more = more ? malloc(more) : NULL;
	linux_fill_params(params, image, &p);
	free(p.more);
}

/* As a kernel has them: without these no random header gets far. */
static void make_plausible(u8 *image, size_t len)
{
	put_at(image, len, 0x1fe, 0xaa55, 2);
	put_at(image, len, 0x202, 0x53726448, 4);
	put_at(image, len, 0x206, 0x020f, 2);
	if (len > 0x236) {
		image[0x1f1] %= 3;
		image[0x201] |= 0x64;
		image[0x211] |= 1;
		image[0x236] |= 1;
	}
	put_at(image, len, 0x1f4, len / 64, 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	u8 how = take8(&in);
	size_t len = take16(&in) % 4096;
	u8 *image;

	if (size > 8192)
		return 0;
	image = take_copy(&in, len);
	if (how & 7)
		make_plausible(image, len);
	if (!linux_check_image(image, len, &li)) {
		REQUIRE(li.setup_bytes + li.kernel_bytes <= len && li.kernel_bytes);
		make_map(&in);
		place();
		fill(image, &in);
	}
	free(image);
	return 0;
}
