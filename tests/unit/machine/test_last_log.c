// SPDX-License-Identifier: GPL-2.0-only
/* The last boot's log: kept, found again, and doubted where it is not as it was written. */
// SOURCES: hv/core/lib/printf.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "hv/core/lib/printf.h"
#include "hv/core/machine/log.h"
/* Its lines are looked at here. */
#undef log_at
#define log_at(level, ...)	log_printf(level, __VA_ARGS__)
#include "hv/core/machine/last_log.c"

static u8 area[LAST_LOG_BYTES] __aligned(4096);
static char said[512];
static char got[RING_SIZE + 16];
static const char *early = "early\n";
int log_level;

void log_printf(int level __unused, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	bp_vsnprintf(said + strlen(said), sizeof(said) - strlen(said), fmt, ap);
	va_end(ap);
}

void log_keep(void)
{
	last_log_write(early, (u32)strlen(early));
}

/* A boot in the same memory. */
static void boot(void)
{
	mine = NULL;
	last = NULL;
	said[0] = 0;
	last_log_init(area);
}

static void writes(const char *s)
{
	last_log_write(s, (u32)strlen(s));
}

static u32 read_all(void)
{
	u64 pos = 0, start, next;
	u32 n, total = 0;

	do {
		n = last_log_copy(pos, got + total, 4000, &start, &next);
		assert_int_equal(start, pos);
		assert_int_equal(next, pos + n);
		pos = next;
		total += n;
	} while (n);
	got[total] = 0;
	return total;
}

static void shows(const char *text)
{
	read_all();
	assert_string_equal(got, text);
}

static int forget(void **state __unused)
{
	memset(area, 0xa5, sizeof(area));
	boot();
	assert_non_null(strstr(said, "no log of the last boot"));
	shows("");
	return 0;
}

static void boot_after_boot(void **state __unused)
{
	writes("one\n");
	boot();
	shows("early\none\n");
	assert_non_null(strstr(said, "has 10 bytes, ended by a reset"));
	writes("two\n");
	boot();
	shows("early\ntwo\n");
	boot();
	shows("early\n");
	boot();
	boot();
	shows("early\n");
}

static void says_how_it_ended(void **state __unused)
{
	last_log_end(LOG_END_RESTART);
	boot();
	assert_non_null(strstr(said, "ended by a restart by domain 0"));
	last_log_end(LOG_END_DOM0_PANIC);
	last_log_end(LOG_END_DOM0_FAULT);
	boot();
	assert_non_null(strstr(said, "ended by a triple fault of domain 0"));
	last_log_end(LOG_END_PANIC);
	last_log_end(LOG_END_OFF);
	boot();
	assert_non_null(strstr(said, "ended by a panic of Bedplate"));
	boot();
	assert_non_null(strstr(said, "ended by a reset"));
}

static void wraps(void **state __unused)
{
	char line[32];
	u32 i, n;

	for (i = 0; i < 10000; i++) {
		bp_snprintf(line, sizeof(line), "this is line %06u\n", i);
		writes(line);
	}
	boot();
	assert_int_equal(read_all(), RING_SIZE);
	assert_null(strstr(said, "damaged"));
	n = 20 - (6 + 10000u * 20 - RING_SIZE - 6) % 20;
	assert_memory_equal(got + RING_SIZE - 20, "this is line 009999\n", 20);
	assert_memory_equal(got + n, "this is line 00", 15);
}

/* Each byte of the header, turned over, and of the ring. */
static void doubts_what_is_damaged(void **state __unused)
{
	u8 *slot;
	u32 i;

	for (i = 0; i < sizeof(struct head); i++) {
		memset(area, 0, sizeof(area));
		boot();
		slot = (u8 *)mine;
		writes("text\n");
		slot[i] ^= 0x10;
		boot();
		assert_non_null(strstr(said, "no log"));
		shows("");
	}
	memset(area, 0, sizeof(area));
	boot();
	for (i = 0; i < 100; i++)
		writes("text\n");
	mine->ring[300] ^= 1;
	boot();
	assert_non_null(strstr(said, "1 of the 512 pieces"));
	assert_int_equal(read_all(), 506);
	assert_memory_equal(got, "early\ntext\n", 11);
	for (i = 256; i < 506; i++)
		assert_int_equal(got[i], '?');
}

/* A header that somebody else made, with a checksum that is right. */
static void forged(u64 end, u32 seen, u32 ended)
{
	struct slot *s = mine;

	s->head.end = end;
	s->head.seen = seen;
	s->head.ended = ended;
	s->head.crc = crc32(&s->head, offsetof(struct head, crc));
	boot();
}

static void bears_forgery(void **state __unused)
{
	u64 start, next;
	u32 i;

	forged(~0ull, 0, 0);
	assert_int_equal(read_all(), RING_SIZE);
	assert_int_equal(last_log_copy(~0ull, got, 100, &start, &next), 0);
	assert_int_equal(start, RING_SIZE);
	forged(10, 1, 0);
	assert_non_null(strstr(said, "no log"));
	forged(10, 0, NR_LOG_ENDS);
	assert_non_null(strstr(said, "no log"));
	forged(0, 0, 0);
	assert_non_null(strstr(said, "no log"));
	writes("\x1b[2Jx\x80\n");
	boot();
	shows("early\n?[2Jx?\n");
	srand(4);
	for (i = 0; i < 200; i++) {
		area[(u32)rand() % sizeof(area)] = (u8)rand();
		area[(u32)rand() % 64] = (u8)rand();
		boot();
		read_all();
	}
}

static void nowhere_to_keep_it(void **state __unused)
{
	mine = NULL;
	last = NULL;
	writes("lost\n");
	last_log_end(LOG_END_PANIC);
	shows("");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(boot_after_boot, forget),
		cmocka_unit_test_setup(says_how_it_ended, forget),
		cmocka_unit_test_setup(wraps, forget),
		cmocka_unit_test_setup(doubts_what_is_damaged, forget),
		cmocka_unit_test_setup(bears_forgery, forget),
		cmocka_unit_test_setup(nowhere_to_keep_it, forget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
