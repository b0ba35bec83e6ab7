// SPDX-License-Identifier: GPL-2.0-only
/* Formatting, against libc's. */
// SOURCES: hv/core/lib/printf.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "hv/core/lib/printf.h"
#include "hv/core/lib/string.h"

#define SAME(...) do {							\
	char a_[128], b_[128];						\
	assert_int_equal(bp_snprintf(a_, sizeof(a_), __VA_ARGS__),	\
			 snprintf(b_, sizeof(b_), __VA_ARGS__));	\
	assert_string_equal(a_, b_);					\
} while (0)

static void numbers(void **state __unused)
{
	SAME("%d %i %u %x %X", -5, 0, 4000000000u, 0xabcdu, 0xabcdu);
	SAME("%lld %llu %llx", -9223372036854775807ll - 1, ~0ull, ~0ull);
	SAME("%ld %lu %lx %zu", -1l, ~0ul, 1ul << 63, (size_t)12);
	SAME("[%5d] [%-5d] [%05d] [%08x] [%2x]", -42, -42, -42, 0xbeefu, 0x12345u);
	SAME("[%*d] [%-*d]", 6, 7, 6, 7);
	SAME("%hhx %hx", 0x12, 0x1234);
}

static void strings(void **state __unused)
{
	SAME("[%s] [%10s] [%-10s] [%.3s] [%.*s]", "abc", "abc", "abc", "abcdef", 2, "xyz");
	SAME("%c%c%% %s", 'a', 'b', "");
	SAME("plain");
}

static void pointers(void **state __unused)
{
	char buf[32];

	bp_snprintf(buf, sizeof(buf), "%p", (void *)0x1234);
	assert_string_equal(buf, "0000000000001234");
}

static void cuts_and_tells(void **state __unused)
{
	char buf[8];

	memset(buf, 'z', sizeof(buf));
	assert_int_equal(bp_snprintf(buf, 5, "%s", "0123456789"), 10);
	assert_string_equal(buf, "0123");
	assert_int_equal(buf[5], 'z');
	assert_int_equal(bp_snprintf(NULL, 0, "%d", 12345), 5);
	assert_int_equal(bp_snprintf(buf, 1, "%d", 12345), 5);
	assert_int_equal(buf[0], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(strings),
		cmocka_unit_test(pointers),
		cmocka_unit_test(cuts_and_tells),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
