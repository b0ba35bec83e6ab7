/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The log of the boot before this one. A copy of the log goes to memory that keeps its
 * contents when the machine is reset, and that neither firmware nor loaders are likely to use
 * (memmap_middle()). Two places take turns there: one has the last boot's, the other
 * this one's. What is found is checked as any input is: it may be old, torn or forged.
 */
#ifndef BP_CORE_LAST_LOG_H
#define BP_CORE_LAST_LOG_H

#include "lib/types.h"

/* How a boot has ended, as far as it is known. */
enum log_end {
	LOG_END_NONE,		/* not said: reset by whomever, or a loss of power */
	LOG_END_PANIC,		/* a bug of Bedplate's */
	LOG_END_REFUSED,	/* fatal(): it could not go on */
	LOG_END_DOM0_FAULT,	/* domain 0's triple fault */
	/* What domain 0 said before it did so: */
	LOG_END_RESTART,
	LOG_END_OFF,
	LOG_END_DOM0_PANIC,
	NR_LOG_ENDS
};

/* Memory that last_log_init() wants, page-aligned. */
#define LAST_LOG_BYTES	(2 * (4096 + 128 * 1024ull))

/* Boot: find the last boot's log in @area, and begin this one's there. Says what it found. */
void last_log_init(void *area);

/* Add to this boot's copy, and have it in memory when it returns; the log's lock is held. */
void last_log_write(const char *s, u32 len);

/* The boot is about to end by this. A later word counts, but for Bedplate's own panic. As above. */
void last_log_end(enum log_end how);

/* As log_copy(), of the last boot's; positions count from the oldest byte there is. */
u32 last_log_copy(u64 pos, char *buf, u32 len, u64 *start, u64 *next);

#endif
