// SPDX-License-Identifier: GPL-2.0-only
/* The log ring. */
#include "log.h"
#include "console.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "spinlock.h"
#include "tsc.h"

#define LOG_SIZE	(128 * 1024)	/* a power of two */
#define LOG_LINE	320

static_assert((LOG_SIZE & (LOG_SIZE - 1)) == 0, "positions are masked");

int log_level = LOG_INFO;

static char ring[LOG_SIZE];
static u64 end;			/* bytes ever written; under lock */
static struct spinlock lock = SPINLOCK_INIT(LOCK_LOG);
static bool no_lock;		/* a CPU panics: go on, whoever holds the lock */

static const char level_letter[] = { 'E', 'W', 'I', 'D' };

static void ring_write(const char *s, u32 len)
{
	u32 at = end & (LOG_SIZE - 1);
	u32 first = min(len, (u32)LOG_SIZE - at);

	memcpy(ring + at, s, first);
	memcpy(ring, s + first, len - first);
	end += len;
	last_log_write(s, len);
}

void log_keep(void)
{
	u64 pos = end > LOG_SIZE ? end - LOG_SIZE : 0;
	u32 n;

	for (; pos < end; pos += n) {
		n = min(end - pos, LOG_SIZE - (pos & (LOG_SIZE - 1)));
		last_log_write(ring + (pos & (LOG_SIZE - 1)), n);
	}
}

/* "W [    1.234567] text\n" in @line; its length. */
static u32 format_line(char *line, int level, const char *fmt, va_list ap)
{
	u64 us = tsc_uptime_us();
	int n;

	n = bp_snprintf(line, LOG_LINE, "%c [%5llu.%06llu] ", level_letter[level],
			us / 1000000, us % 1000000);
	n += bp_vsnprintf(line + n, LOG_LINE - 1 - n, fmt, ap);
	n = min(n, LOG_LINE - 2);
	line[n++] = '\n';
	return n;
}

/* @line: as in the ring, without what says its level. */
static void show(void (*write)(const char *s, u32 len), const char *line, u32 n)
{
	static const char prefix[] = "bedplate: ";

	write(prefix, sizeof(prefix) - 1);
	write(line + 2, n - 2);
}

void log_replay(void (*write)(const char *s, u32 len))
{
	u64 pos = end > LOG_SIZE ? end - LOG_SIZE : 0;
	char line[LOG_LINE];
	u32 n = 0;

	for (; pos < end; pos++) {
		line[n++] = ring[pos & (LOG_SIZE - 1)];
		if (n == LOG_LINE || line[n - 1] == '\n') {
			if (n > 2)
				show(write, line, n);
			n = 0;
		}
	}
}

static void log_vprintf(int level, bool visible, const char *fmt, va_list ap)
{
	char line[LOG_LINE];
	bool locked = !READ_ONCE(no_lock);
	u32 n;

	n = format_line(line, level, fmt, ap);
	if (locked)
		spin_lock(&lock);
	ring_write(line, n);
	if (visible)
		show(console_write, line, n);
	if (locked)
		spin_unlock(&lock);
}

void log_printf(int level, const char *fmt, ...)
{
	va_list ap;

	if (level > log_level || level < LOG_ERR || level > LOG_DEBUG)
		return;
	va_start(ap, fmt);
	log_vprintf(level, true, fmt, ap);
	va_end(ap);
}

void log_quietly(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vprintf(LOG_ERR, false, fmt, ap);
	va_end(ap);
}

void log_ending(enum log_end how)
{
	bool locked = !READ_ONCE(no_lock);

	if (locked)
		spin_lock(&lock);
	last_log_end(how);
	if (locked)
		spin_unlock(&lock);
}

u32 log_copy(u64 pos, char *buf, u32 len, u64 *start, u64 *next)
{
	u32 at, first;

	spin_lock(&lock);
	if (end > LOG_SIZE && pos < end - LOG_SIZE)
		pos = end - LOG_SIZE;
	if (pos > end)
		pos = end;
	len = (u32)min((u64)len, end - pos);
	at = pos & (LOG_SIZE - 1);
	first = min(len, (u32)LOG_SIZE - at);
	memcpy(buf, ring + at, first);
	memcpy(buf + first, ring, len - first);
	spin_unlock(&lock);
	*start = pos;
	*next = pos + len;
	return len;
}

void log_panic_mode(void)
{
	WRITE_ONCE(no_lock, true);
}
