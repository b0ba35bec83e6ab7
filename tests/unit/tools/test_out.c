// SPDX-License-Identifier: GPL-2.0-only
/* Forms of numbers and strings. */
// SOURCES: tools/out.c tools/complain.c
// CFLAGS: -D_GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tools/out.h"

static char buf[32];

static void bytes(void **state __unused)
{
	assert_string_equal(human_bytes(buf, sizeof(buf), 0), "0 B");
	assert_string_equal(human_bytes(buf, sizeof(buf), 1023), "1023 B");
	assert_string_equal(human_bytes(buf, sizeof(buf), 1024), "1.0 KiB");
	assert_string_equal(human_bytes(buf, sizeof(buf), (1 << 20) - 1), "1.0 MiB");
	assert_string_equal(human_bytes(buf, sizeof(buf), 3ull << 30), "3.0 GiB");
	assert_string_equal(human_bytes(buf, sizeof(buf), UINT64_MAX), "16.0 EiB");
}

static void times(void **state __unused)
{
	assert_string_equal(human_time(buf, sizeof(buf), 0), "0.0");
	assert_string_equal(human_time(buf, sizeof(buf), 59999999999), "59.9");
	assert_string_equal(human_time(buf, sizeof(buf), 60000000000), "1:00.0");
	assert_string_equal(human_time(buf, sizeof(buf), 3599900000000), "59:59.9");
	assert_string_equal(human_time(buf, sizeof(buf), 3600000000000), "1:00:00");
	assert_string_equal(human_time(buf, sizeof(buf), 360000000000000), "100:00:00");
}

static void counts(void **state __unused)
{
	double n;

	assert_string_equal(human_count(buf, sizeof(buf), 0), "0");
	assert_string_equal(human_count(buf, sizeof(buf), 999.4), "999");
	assert_string_equal(human_count(buf, sizeof(buf), 999.6), "1.00k");
	assert_string_equal(human_count(buf, sizeof(buf), 12345), "12.3k");
	assert_string_equal(human_count(buf, sizeof(buf), 999400), "999k");
	assert_string_equal(human_count(buf, sizeof(buf), 4560000), "4.56M");
	for (n = 0.1; n < 9e14; n *= 1.07)
		assert_true(strlen(human_count(buf, sizeof(buf), n)) <= 5);
}

static void plain_characters(void **state __unused)
{
	u32 c;

	for (c = 0; c < 256; c++)
		assert_int_equal(plain((char)c), c >= ' ' && c <= '~' ? (char)c : '?');
}

static void is_written(void (*write)(FILE *f, const char *s), const char *s, const char *wanted)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	write(f, s);
	fclose(f);
	assert_string_equal(text, wanted);
	free(text);
}

static void json(void **state __unused)
{
	is_written(json_string, "", "\"\"");
	is_written(json_string, "a\"b\\c\n\x01", "\"a\\\"b\\\\c\\u000a\\u0001\"");
	is_written(json_string, "\xc3\xa4", "\"\xc3\xa4\"");
	/* No UTF-8: alone, too long, a surrogate, too high, cut off. */
	is_written(json_string, "\xa4", "\"\xef\xbf\xbd\"");
	is_written(json_string, "\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\"");
	is_written(json_string, "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	is_written(json_string, "\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	is_written(json_string, "\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void labels(void **state __unused)
{
	is_written(label_value, "a\"b\\c\nd", "a\\\"b\\\\c\\nd");
	is_written(label_value, "\xff", "\xef\xbf\xbd");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes),
		cmocka_unit_test(times),
		cmocka_unit_test(counts),
		cmocka_unit_test(plain_characters),
		cmocka_unit_test(json),
		cmocka_unit_test(labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
