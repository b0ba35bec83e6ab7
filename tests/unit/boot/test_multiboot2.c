// SPDX-License-Identifier: GPL-2.0-only
/* The loader's information, whole and torn. */
// SOURCES: boot/multiboot2.c hv/core/machine/efi_map.c hv/core/machine/memplan.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "boot/multiboot2.h"
#include "hv/core/lib/string.h"

static u8 buf[1024] __aligned(8);
static u32 len;
static struct boot_info bi;

static void tag(u32 type, const void *body, u32 n)
{
	u32 size = 8 + n;

	memcpy(buf + len, &type, 4);
	memcpy(buf + len + 4, &size, 4);
	if (n)
		memcpy(buf + len + 8, body, n);
	len += ALIGN_UP(size, 8u);
}

static void start(void)
{
	memset(buf, 0, sizeof(buf));
	len = 8;
}

static void mmap_tag(void)
{
	const struct {
		u32 entry_size, version;
		struct { u64 addr, len; u32 type, zero; } e[2];
	} body = { 24, 0, { { 0, 0x9f000, 1, 0 }, { 0x100000, 0x7000000, 1, 0 } } };

	tag(6, &body, sizeof(body));
}

static void efi_mmap_tag(u32 desc_bytes, u32 n)
{
	struct {
		u32 desc_bytes, version;
		struct { u32 type, pad; u64 start, virt, pages, attr, more; } d[2];
	} body = { desc_bytes, 1, {
		{ 7, 0, 0x40000000, 0, 0x100, 0xf, 0 }, { 6, 0, 0x100000, 0, 1, 0xf, 0 } } };

	tag(17, &body, 8 + n);
}

static void module_tag(const char *line)
{
	u8 body[64] = { 0 };

	memcpy(body, &(u32){ 0x800000 }, 4);
	memcpy(body + 4, &(u32){ 0x900000 }, 4);
	memcpy(body + 8, line, strlen(line) + 1);
	tag(3, body, 8 + (u32)strlen(line) + 1);
}

/* Parse an exact-size copy, so that reading past the end is caught. */
static const char *parse(u32 n)
{
	static u8 *copy;

	free(copy);
	copy = malloc(n ? n : 1);
	memcpy(copy, buf, n);
	return mb2_parse(copy, n, &bi);
}

static void make_all(void)
{
	const u8 fb[] = { 0, 0x80, 0xb, 0, 0, 0, 0, 0, 160, 0, 0, 0, 80, 0, 0, 0,
			  25, 0, 0, 0, 16, 2, 0, 0 };
	u8 rsdp[36] = "RSD PTR new";

	start();
	tag(1, "loglevel=debug", 15);
	tag(2, "test", 5);
	module_tag("console=ttyS0");
	module_tag("");
	mmap_tag();
	tag(8, fb, sizeof(fb));
	tag(15, rsdp, 36);
	tag(14, "RSD PTR old.........", 20);
	tag(12, &(u64){ 0x17f9ec018 }, 8);
	efi_mmap_tag(48, 96);
	tag(0x42500001, NULL, 0);
	tag(0x1234, "unknown", 8);
	tag(0, NULL, 0);
}

static void reads_all(void **state __unused)
{
	make_all();
	assert_null(parse(len));
	assert_string_equal(bi.cmdline, "loglevel=debug");
	assert_string_equal(bi.loader, "test");
	assert_int_equal(bi.nr_modules, 2);
	assert_int_equal(bi.module[0].start, 0x800000);
	assert_int_equal(bi.module[0].end, 0x900000);
	assert_string_equal(bi.module[0].cmdline, "console=ttyS0");
	assert_int_equal(bi.map.nr, 4);
	assert_int_equal(bi.map.r[1].end, 0x7100000);
	assert_int_equal(bi.map.r[2].start, 0x40000000);
	assert_int_equal(bi.map.r[3].type, MEM_RESERVED);
	assert_int_equal(bi.fb.type, BOOT_FB_TEXT);
	assert_int_equal(bi.fb.addr, 0xb8000);
	assert_int_equal(bi.fb.width, 80);
	assert_int_equal(bi.rsdp_len, 36);
	assert_memory_equal(bi.rsdp, "RSD PTR new", 11);
	assert_true(bi.efi);
	assert_int_equal(bi.uefi.system_table, 0x17f9ec018);
	assert_int_equal(bi.uefi.map_bytes, 96);
	assert_int_equal(bi.uefi.desc_bytes, 48);
	assert_int_equal(bi.uefi.desc_version, 1);
	assert_int_equal(bi.uefi.map[0], 7);
	assert_true(bi.uefi.secure_boot);
}

static const char *with_efi_map(u32 desc_bytes, u32 n)
{
	start();
	mmap_tag();
	efi_mmap_tag(desc_bytes, n);
	tag(0, NULL, 0);
	return parse(len);
}

static void refuses_bad_efi_tags(void **state __unused)
{
	assert_null(with_efi_map(48, 96));
	assert_null(with_efi_map(40, 40));
	assert_string_equal(with_efi_map(48, 95), "UEFI's memory map is cut short");
	assert_string_equal(with_efi_map(48, 0), "UEFI's memory map is cut short");
	assert_string_equal(with_efi_map(0, 96), "UEFI's memory map has descriptors of a wrong size");
	assert_string_equal(with_efi_map(36, 72), "UEFI's memory map has descriptors of a wrong size");
	start();
	mmap_tag();
	tag(17, "\60\0\0", 4);
	tag(0, NULL, 0);
	assert_string_equal(parse(len), "UEFI's memory map is cut short");
	start();
	mmap_tag();
	tag(12, "1234", 4);
	tag(0, NULL, 0);
	assert_string_equal(parse(len), "the EFI64 tag is cut short");
	start();
	mmap_tag();
	tag(18, NULL, 0);
	tag(0, NULL, 0);
	assert_string_equal(parse(len), "UEFI's boot services still run");
}

/* One map is enough, whichever; 32-bit UEFI has no system table for us. */
static void reads_what_there_is(void **state __unused)
{
	start();
	efi_mmap_tag(48, 96);
	tag(11, "1234", 4);
	tag(0, NULL, 0);
	assert_null(parse(len));
	assert_int_equal(bi.map.nr, 2);
	assert_true(bi.efi);
	assert_int_equal(bi.uefi.system_table, 0);
	start();
	mmap_tag();
	tag(12, &(u64){ 0x7f9ec018 }, 8);
	tag(0, NULL, 0);
	assert_null(parse(len));
	assert_true(bi.efi);
	assert_int_equal(bi.uefi.map_bytes, 0);
	assert_false(bi.uefi.secure_boot);
	assert_int_equal(bi.map.nr, 2);
}

static void refuses_every_cut(void **state __unused)
{
	u32 n;

	make_all();
	for (n = 0; n < len; n++)
		assert_non_null(parse(n));
	assert_null(parse(len));
}

static void refuses_bad_tags(void **state __unused)
{
	start();
	tag(0, NULL, 0);
	assert_string_equal(parse(len), "it has no memory map");
	start();
	mmap_tag();
	buf[12] = 7;
	assert_string_equal(parse(len), "a tag is cut short");
	start();
	tag(1, "endless", 7);
	mmap_tag();
	tag(0, NULL, 0);
	assert_string_equal(parse(len), "the command line does not end");
	start();
	tag(3, "\0\0\0\0", 4);
	tag(0, NULL, 0);
	assert_string_equal(parse(len), "a module tag is cut short");
}

static void refuses_bad_memory_maps(void **state __unused)
{
	start();
	mmap_tag();
	tag(0, NULL, 0);
	assert_null(parse(len));
	buf[16] = 0;		/* entry size */
	assert_non_null(parse(len));
	buf[16] = 25;
	assert_non_null(parse(len));
	buf[16] = 24;
	/* Past the end of all addresses: firmware's fault, and no RAM. */
	memset(buf + 24, 0xff, 8);	/* address */
	assert_null(parse(len));
	assert_int_equal(bi.nr_wrapped, 1);
	assert_int_equal(bi.map.r[0].start, bi.map.r[0].end);
	buf[40] = 2;			/* type */
	assert_null(parse(len));
	assert_int_equal(bi.nr_wrapped, 1);
	assert_int_equal(bi.map.r[0].end, ~0ull);
}

static void counts_modules(void **state __unused)
{
	int i;

	start();
	for (i = 0; i < 9; i++)
		module_tag("m");
	mmap_tag();
	tag(0, NULL, 0);
	assert_string_equal(parse(len), "too many modules");
}

static void survives_any_contents(void **state __unused)
{
	u32 n, at, good;
	const char *err;

	srand(2);
	make_all();
	good = len;
	for (n = 0; n < 20000; n++) {
		make_all();
		at = 8 + (u32)rand() % (good - 8);
		buf[at] = (u8)rand();
		err = parse(good);
		if (!err)
			assert_in_range(bi.map.nr, 1, MEM_MAX_RANGES);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_all),
		cmocka_unit_test(refuses_every_cut),
		cmocka_unit_test(refuses_bad_tags),
		cmocka_unit_test(refuses_bad_efi_tags),
		cmocka_unit_test(reads_what_there_is),
		cmocka_unit_test(refuses_bad_memory_maps),
		cmocka_unit_test(counts_modules),
		cmocka_unit_test(survives_any_contents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
