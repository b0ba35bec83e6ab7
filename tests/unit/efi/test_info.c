// SPDX-License-Identifier: GPL-2.0-only
/* What is written for Bedplate is what Bedplate reads. */
// SOURCES: boot/efi/info.c boot/multiboot2.c hv/core/machine/efi_map.c hv/core/machine/memplan.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "boot/efi/info.h"
#include "boot/multiboot2.h"
#include "hv/core/lib/string.h"

static u8 buf[4096] __aligned(8);
static struct info info;
static struct boot_info bi;

static const struct boot_framebuffer screen = {
	.type = BOOT_FB_RGB, .addr = 0x4000000000ull, .pitch = 5120, .width = 1280,
	.height = 800, .bpp = 32, .red_pos = 16, .red_size = 8, .green_pos = 8,
	.green_size = 8, .blue_pos = 0, .blue_size = 8,
};

static void write_all(u32 size)
{
	static const struct mem_map map = { 2, { { 0, 0xa0000, MEM_RAM },
						 { 0x100000, 0x80000000, MEM_RAM } } };
	static const u8 descs[96] = { 7 };
	const struct efi_map efi = { descs, sizeof(descs), 48, 1 };

	info_begin(&info, buf, size);
	info_loader(&info, "bedplate.efi");
	info_cmdline(&info, "loglevel=debug");
	info_module(&info, 0x70000000, 0x70b00123, "root=/dev/sda");
	info_module(&info, 0x71000000, 0x71000000, "");
	info_framebuffer(&info, &screen);
	info_rsdp(&info, "RSD PTR 0123456789012345678901234567", 36);
	info_system_table(&info, 0x7fe00018);
	info_flag(&info, INFO_SECURE_BOOT);
	info_memory(&info, &map);
	info_efi_map(&info, &efi);
}

static void read_back(void **state)
{
	u32 size;

	(void)state;
	write_all(sizeof(buf));
	assert_true(info_end(&info));
	memcpy(&size, buf, sizeof(size));
	assert_int_equal(size, info.used);
	assert_null(mb2_parse(buf, size, &bi));
	assert_string_equal(bi.loader, "bedplate.efi");
	assert_string_equal(bi.cmdline, "loglevel=debug");
	assert_int_equal(bi.nr_modules, 2);
	assert_int_equal(bi.module[0].start, 0x70000000);
	assert_int_equal(bi.module[0].end, 0x70b00123);
	assert_string_equal(bi.module[0].cmdline, "root=/dev/sda");
	assert_int_equal(bi.module[1].end, 0x71000000);
	assert_memory_equal(&bi.fb, &screen, sizeof(screen));
	assert_int_equal(bi.rsdp_len, 36);
	assert_memory_equal(bi.rsdp, "RSD PTR ", 8);
	assert_true(bi.efi);
	assert_int_equal(bi.map.nr, 2);
	assert_int_equal(bi.map.r[1].start, 0x100000);
	assert_int_equal(bi.map.r[1].end, 0x80000000);
	assert_int_equal(bi.map.r[1].type, MEM_RAM);
}

/* Any size that does not do is told, and nothing is written past it. */
static void too_small(void **state)
{
	u32 need, i;

	(void)state;
	write_all(sizeof(buf));
	assert_true(info_end(&info));
	need = info.used;
	for (i = 8; i < need; i++) {
		memset(buf, 0xee, sizeof(buf));
		write_all(i);
		assert_false(info_end(&info));
		assert_int_equal(buf[i], 0xee);
	}
	write_all(need);
	assert_true(info_end(&info));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(read_back),
		cmocka_unit_test(too_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
