// SPDX-License-Identifier: GPL-2.0-only
/* The log ring: levels, lines, wrapping, reading from any position. */
// SOURCES: hv/core/machine/log.c hv/core/lib/printf.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "hv/core/machine/console.h"
#include "hv/core/machine/log.h"
#include "hv/core/lib/printf.h"
#include "hv/core/lib/string.h"
#include "hv/core/machine/tsc.h"

#define RING	(128 * 1024)

static char console[4096];
static u32 console_len;
static char buf[RING + 16];

void console_write(const char *s, u32 len)
{
	if (console_len + len < sizeof(console)) {
		memcpy(console + console_len, s, len);
		console_len += len;
	}
}

static char kept[4096];
static u32 kept_len;

void last_log_write(const char *s, u32 len)
{
	if (kept_len + len < sizeof(kept)) {
		memcpy(kept + kept_len, s, len);
		kept_len += len;
	}
}

static enum log_end ended;

void last_log_end(enum log_end how) { ended = how; }

u64 tsc_uptime_us(void)
{
	return 12000345;
}

static u64 copy_from(u64 pos, u32 len, u32 *n, u64 *start)
{
	u64 next;

	memset(buf, 0, sizeof(buf));
	*n = log_copy(pos, buf, len, start, &next);
	assert_int_equal(*start + *n, next);
	return next;
}

static u64 end_of_log(void)
{
	u64 start;
	u32 n;

	return copy_from(~0ull, RING, &n, &start);
}

static void keeps_and_shows_lines(void **state __unused)
{
	u64 pos = end_of_log(), start;
	u32 n;

	console_len = 0;
	log_printf(LOG_WARN, "hello %d", 42);
	log_printf(LOG_DEBUG, "not kept");
	copy_from(pos, RING, &n, &start);
	assert_int_equal(start, pos);
	assert_string_equal(buf, "W [   12.000345] hello 42\n");
	console[console_len] = 0;
	assert_string_equal(console, "bedplate: [   12.000345] hello 42\n");
	log_level = LOG_DEBUG;
	log_printf(LOG_DEBUG, "kept");
	log_level = LOG_INFO;
	copy_from(pos + n, RING, &n, &start);
	assert_string_equal(buf, "D [   12.000345] kept\n");
	log_printf(99, "no such level");
	log_printf(-1, "no such level");
	copy_from(start + n, RING, &n, &start);
	assert_int_equal(n, 0);
}

static void cuts_long_lines(void **state __unused)
{
	u64 pos = end_of_log(), start;
	u32 n;

	log_printf(LOG_INFO, "%2000d|", 1);
	copy_from(pos, RING, &n, &start);
	assert_in_range(n, 200, 320);
	assert_int_equal(buf[n - 1], '\n');
	assert_null(memchr(buf, 0, n));
}

static void reads_in_pieces(void **state __unused)
{
	u64 pos = end_of_log(), start;
	char whole[64] = "";
	u32 n;

	log_printf(LOG_INFO, "in pieces");
	do {
		pos = copy_from(pos, 5, &n, &start);
		assert_true(n <= 5);
		strcat(whole, buf);
	} while (n);
	assert_string_equal(whole, "I [   12.000345] in pieces\n");
}

/* What is kept elsewhere: each line as it comes, and all of them on demand. */
static void keeps_copies(void **state __unused)
{
	u64 pos = end_of_log(), start;
	u32 n;

	kept_len = 0;
	console_len = 0;
	log_printf(LOG_INFO, "shown");
	log_quietly("not %s", "shown");
	log_ending(LOG_END_OFF);
	assert_int_equal(ended, LOG_END_OFF);
	kept[kept_len] = console[console_len] = 0;
	assert_string_equal(kept, "I [   12.000345] shown\nE [   12.000345] not shown\n");
	assert_string_equal(console, "bedplate: [   12.000345] shown\n");
	copy_from(pos, RING, &n, &start);
	assert_string_equal(buf, kept);
	copy_from(0, RING, &n, &start);
	kept_len = 0;
	log_keep();
	assert_int_equal(kept_len, n);
	assert_memory_equal(kept, buf, n);
	console_len = 0;
	log_replay(console_write);
	console[console_len] = 0;
	assert_non_null(strstr(console, "bedplate: [   12.000345] shown\nbedplate: [   12.000345] not shown\n"));
}

/* Old lines go; what is read is whole, in order, and says where it starts. */
static void wraps(void **state __unused)
{
	u64 first = end_of_log(), next, start;
	u32 n, i, lines = 20000, seen = 0;
	char want[64], *at;

	for (i = 0; i < lines; i++)
		log_printf(LOG_INFO, "line %05u", i);
	next = end_of_log();
	assert_int_equal(copy_from(first, RING, &n, &start), next);
	assert_int_equal(n, RING);
	assert_true(start > first);
	at = strchr(buf, '\n') + 1;
	i = lines - (u32)(n - (at - buf)) / 28;
	for (; *at; at += 28, i++, seen++) {
		bp_snprintf(want, sizeof(want), "I [   12.000345] line %05u\n", i);
		assert_memory_equal(at, want, 28);
	}
	assert_int_equal(i, lines);
	assert_in_range(seen, RING / 28 - 2, RING / 28);
	copy_from(next + 1000, RING, &n, &start);
	assert_int_equal(n, 0);
	assert_int_equal(start, next);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_and_shows_lines),
		cmocka_unit_test(cuts_long_lines),
		cmocka_unit_test(reads_in_pieces),
		cmocka_unit_test(keeps_copies),
		cmocka_unit_test(wraps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
