// SPDX-License-Identifier: GPL-2.0-only
/* Memory and string functions, against libc's. */
// SOURCES:
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "hv/core/lib/types.h"

/* Ours under other names. */
#define memcpy bp_memcpy
#define memmove bp_memmove
#define memset bp_memset
#define memcmp bp_memcmp
#define memchr bp_memchr
#define strlen bp_strlen
#define strnlen bp_strnlen
#define strncmp bp_strncmp
#include "hv/core/lib/string.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef memchr
#undef strlen
#undef strnlen
#undef strncmp

static int sign(int v)
{
	return (v > 0) - (v < 0);
}

static void moves_as_libc(void **state __unused)
{
	u8 a[640], b[640];
	u32 i, n, from, to, len;

	srand(4);
	for (n = 0; n < 5000; n++) {
		for (i = 0; i < 640; i++)
			a[i] = b[i] = (u8)rand();
		from = (u32)rand() % 320;
		to = (u32)rand() % 320;
		len = (u32)rand() % (n % 2 ? 32 : 320);
		assert_ptr_equal(bp_memmove(a + to, a + from, len), a + to);
		memmove(b + to, b + from, len);
		assert_memory_equal(a, b, 640);
		assert_ptr_equal(bp_memset(a + to, (int)n, len), a + to);
		memset(b + to, (int)n, len);
		assert_memory_equal(a, b, 640);
		assert_ptr_equal(bp_memcpy(a + 320, b, len), a + 320);
		assert_memory_equal(a + 320, b, len);
	}
}

static void compares_as_libc(void **state __unused)
{
	static const char *const s[] = { "", "a", "ab", "abc", "abd", "b", "\xff", "ab\xff" };
	u32 i, j, n;

	for (i = 0; i < ARRAY_SIZE(s); i++)
		for (j = 0; j < ARRAY_SIZE(s); j++) {
			for (n = 0; n < 4; n++)
				assert_int_equal(sign(bp_strncmp(s[i], s[j], n)),
						 sign(strncmp(s[i], s[j], n)));
		}
	assert_int_equal(sign(bp_memcmp("ab\xff", "ab\x01", 3)), 1);
	assert_int_equal(bp_memcmp("abx", "aby", 2), 0);
}

static void finds_as_libc(void **state __unused)
{
	static const char s[] = "hello, world";

	assert_ptr_equal(bp_memchr(s, 'w', 12), s + 7);
	assert_null(bp_memchr(s, 'w', 7));
	assert_int_equal(bp_strlen(s), 12);
	assert_int_equal(bp_strnlen(s, 5), 5);
	assert_int_equal(bp_strnlen(s, 50), 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moves_as_libc),
		cmocka_unit_test(compares_as_libc),
		cmocka_unit_test(finds_as_libc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
