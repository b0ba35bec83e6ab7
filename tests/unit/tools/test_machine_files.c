// SPDX-License-Identifier: GPL-2.0-only
/* Firmware's and the kernel's descriptions of the machine: MADT, /proc/iomem, Bedplate's log. */
// SOURCES: tools/madt.c tools/iomem.c tools/logline.c
// CFLAGS: -D_GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tools/iomem.h"
#include "tools/logline.h"
#include "tools/madt.h"

static u8 madt[256];
static u32 madt_len;

static void add(const void *entry, u32 len)
{
	memcpy(madt + madt_len, entry, len);
	madt_len += len;
	memcpy(madt + 4, &madt_len, 4);
}

static void begin(void)
{
	memset(madt, 0, sizeof(madt));
	memcpy(madt, "APIC", 4);
	madt_len = 44;
	memcpy(madt + 4, &madt_len, 4);
}

/* From memory of just that size. */
static bool parse(u32 len, struct madt_cpus *out)
{
	u8 *exact = malloc(len ? len : 1);
	bool fine;

	memcpy(exact, madt, len);
	fine = madt_parse(exact, len, out);
	free(exact);
	return fine;
}

static void counts_cpus(void **state __unused)
{
	struct madt_cpus c;

	begin();
	add((u8[]){ 0, 8, 0, 4, 1, 0, 0, 0 }, 8);
	add((u8[]){ 0, 8, 1, 200, 0, 0, 0, 0 }, 8);	/* off for good */
	add((u8[]){ 0, 8, 2, 6, 2, 0, 0, 0 }, 8);	/* may come */
	add((u8[]){ 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, 12);
	add((u8[]){ 9, 16, 0, 0, 0x2c, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0 }, 16);
	assert_true(parse(madt_len, &c));
	assert_int_equal(c.enabled, 2);
	assert_int_equal(c.later, 1);
	assert_int_equal(c.highest, 300);
}

static void refuses_torn(void **state __unused)
{
	struct madt_cpus c;
	u32 len, i;

	begin();
	assert_true(parse(madt_len, &c));
	add((u8[]){ 0, 8, 0, 4, 1, 0, 0, 0 }, 8);
	for (len = 0; len < madt_len; len++)
		assert_false(parse(len, &c));
	madt[45] = 0;				/* would go on for ever */
	assert_false(parse(madt_len, &c));
	madt[45] = 9;				/* past the end */
	assert_false(parse(madt_len, &c));
	for (i = 0; i < 100000; i++) {
		madt[44 + rand() % 8] = rand();
		parse(madt_len, &c);
	}
}

static void iomem(void **state __unused)
{
	static const char map[] =
		"00000000-00000fff : Reserved\n00001000-0009ffff : System RAM\n"
		"00100000-7fffffff : System RAM\n  01000000-01ffffff : System RAM\n"
		"80000000-8fffffff : Reserved\n100000000-17fffffff : System RAM\n";

	assert_int_equal(iomem_ram(map, UINT64_MAX), 0x9f000 + 0x7ff00000ull + 0x80000000ull);
	assert_int_equal(iomem_ram(map, 0xa0000), 0x9f000);
	assert_int_equal(iomem_ram(map, 0x110000000), 0x9f000 + 0x7ff00000ull + 0x10000000);
	assert_int_equal(iomem_largest(map, SZ_4G), 0x7ff00000);
	/* As one sees it who is not root; and nonsense. */
	assert_int_equal(iomem_ram("00000000-00000000 : System RAM\n", UINT64_MAX), 0);
	assert_int_equal(iomem_ram("5-4 : System RAM\nx\n\n : System RAM\n5-6 : System RAMx\n", UINT64_MAX), 0);
	assert_int_equal(iomem_ram("", UINT64_MAX), 0);
}

static void log_lines(void **state __unused)
{
	static const char log[] = "I [    0.1] one\nW [    0.2] VMX: yes\n\nI [\nI []\nx] y\nI [    1.0] VMX: no";
	char buf[8];

	assert_string_equal(log_find(log, "VMX: ", buf, sizeof(buf)), "yes");
	assert_string_equal(log_find(log, "", buf, sizeof(buf)), "one");
	assert_null(log_find(log, "two", buf, sizeof(buf)));
	assert_null(log_find("", "", buf, sizeof(buf)));
	assert_string_equal(log_find("I [0] a very long line", "a ", buf, sizeof(buf)), "very lo");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_cpus),
		cmocka_unit_test(refuses_torn),
		cmocka_unit_test(iomem),
		cmocka_unit_test(log_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
