/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The log: a ring of text lines with level and time stamp, kept for ever (as
 * far as it goes) and echoed to the consoles while Bedplate owns them. Any
 * context but NMI. A line is one call; the newline is added.
 */
#ifndef BP_CORE_LOG_H
#define BP_CORE_LOG_H

#include "last_log.h"
#include "lib/types.h"

enum log_level { LOG_ERR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* Lines above this level are not kept (option loglevel=). */
extern int log_level;

void log_printf(int level, const char *fmt, ...) __printf(2, 3);

/*
 * Copy at most @len bytes of the log, from byte position @pos on (positions
 * count from boot and never wrap), to @buf. Returns the number of bytes; @start
 * gets the position of the first byte copied (later than @pos if that was
 * overwritten), @next where to go on.
 */
u32 log_copy(u64 pos, char *buf, u32 len, u64 *start, u64 *next);

/* last_log_init(): have it keep all lines so far, as it does those that come. */
void log_keep(void);
/* last_log_end() by anybody else: under the log's lock. */
void log_ending(enum log_end how);
/* An error of which the consoles are told in another way. */
void log_quietly(const char *fmt, ...) __printf(1, 2);

/* Boot: show all lines so far by @write, as consoles show them. */
void log_replay(void (*write)(const char *s, u32 len));

/* A CPU panics: from now on take no lock. */
void log_panic_mode(void);

#ifdef BP_HOST_TEST
#define log_at(level, ...)	do { if (0) log_printf(level, __VA_ARGS__); } while (0)
#else
#define log_at(level, ...)	log_printf(level, __VA_ARGS__)
#endif
#define log_err(...)	log_at(LOG_ERR, __VA_ARGS__)
#define log_warn(...)	log_at(LOG_WARN, __VA_ARGS__)
#define log_info(...)	log_at(LOG_INFO, __VA_ARGS__)
#define log_debug(...)	log_at(LOG_DEBUG, __VA_ARGS__)

#endif
