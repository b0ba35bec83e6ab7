// SPDX-License-Identifier: GPL-2.0-only
/*
 * Multiboot2's information: the bytes as they are, and, as few random ones form a chain of tags,
 * also as a list of tags whose sizes fit.
 */
// SOURCES: boot/multiboot2.c hv/core/machine/efi_map.c hv/core/machine/memplan.c
#include "fuzz.h"

#include "boot/multiboot2.h"
#include "hv/core/machine/efi_map.h"

static struct boot_info bi;
static struct mem_map map;

static bool within(const void *p, const u8 *buf, size_t len)
{
	return (const u8 *)p >= buf && (const u8 *)p < buf + len;
}

/* What is believed lies in the input, and is in bounds. */
static void check_accepted(const u8 *buf, size_t len)
{
	u32 i;

	REQUIRE(bi.map.nr && bi.map.nr <= MEM_MAX_RANGES);
	REQUIRE(bi.nr_modules <= BOOT_MAX_MODULES && bi.rsdp_len <= BOOT_RSDP_MAX);
	for (i = 0; i < bi.map.nr; i++)
		REQUIRE(bi.map.r[i].end >= bi.map.r[i].start);
	for (i = 0; i < bi.nr_modules; i++) {
		REQUIRE(within(bi.module[i].cmdline, buf, len));
		REQUIRE(strlen(bi.module[i].cmdline) < len);
	}
	REQUIRE(!*bi.cmdline || within(bi.cmdline, buf, len));
	REQUIRE(!*bi.loader || within(bi.loader, buf, len));
	if (bi.uefi.map)
		REQUIRE(within((const u8 *)bi.uefi.map - 1, buf, len) && bi.uefi.map_bytes <= len);
}

/* What the boot code does with the map next. */
static void use_map(void)
{
	map = bi.map;
	memmap_normalise(&map);
	if (efi_map_keep(&bi.uefi, &map))
		REQUIRE(map.nr <= MEM_MAX_RANGES);
	(void)efi_map_end(&bi.uefi);
}

static void parse(const u8 *bytes, size_t len)
{
	u8 *copy = malloc(len ? len : 1);

	REQUIRE(copy);
	memcpy(copy, bytes, len);
	if (!mb2_parse(copy, (u32)len, &bi)) {
		check_accepted(copy, len);
		use_map();
	}
	free(copy);
}

static const u32 types[] = {
	0, 1, 2, 3, 6, 6, 8, 11, 12, 14, 15, 17, 17, 18, 0x42500001, 0x42500001,
};

/* A byte for the type, one for the size, then the contents. */
static void parse_tags(const u8 *bytes, size_t len)
{
	static u8 buf[64 * 1024];
	struct input in = { bytes, len };
	u32 used = 8, size;

	memset(buf, 0, sizeof(buf));
	while (in.left && used + 8 + 256 + 16 < sizeof(buf)) {
		u8 type = take8(&in);

		size = 8u + take8(&in);
		put_at(buf, sizeof(buf), used, types[type % ARRAY_SIZE(types)], 4);
		put_at(buf, sizeof(buf), used + 4, size, 4);
		take_bytes(&in, buf + used + 8, size - 8);
		used += ALIGN_UP(size, 8u);
	}
	put_at(buf, sizeof(buf), used + 4, 8, 4);
	used += 8;
	put_at(buf, sizeof(buf), 0, used, 4);
	parse(buf, used);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 16384)
		return 0;
	parse(data, size);
	parse_tags(data, size);
	return 0;
}
