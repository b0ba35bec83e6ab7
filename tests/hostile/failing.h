/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bp_failing.ko: of the requests that bedplate.ko makes for processes of one name, one fails, or each
 * so many-th.  Debian's kernel is built without fault injection, so there are probes: at the entry of what
 * allocates, and on the hypercalls that may find no frame, of which Bedplate then hears nothing.
 */
#ifndef FAILING_H
#define FAILING_H

#include <linux/types.h>

/* Kinds of requests, each counted by itself. */
enum failing_kind {
	FAILING_MEMORY,		/* of Linux: memory, files, identifiers */
	FAILING_MAP,		/* of Bedplate: MAP */
	FAILING_DONATE,		/* DOMAIN_CREATE, DONATE */
	FAILING_FRAMES,		/* what else Bedplate needs a domain's frames for */
	FAILING_KINDS
};

/*
 * bedplate.ko makes a request, from @from (others do not count), of what is called @what; true: it is
 * to fail.  Any context.
 */
bool failing_due(enum failing_kind kind, const char *what, unsigned long from);

/* failing_memory.c, failing_calls.c: the probes; 0 or an errno. */
int failing_memory_init(void);
void failing_memory_exit(void);
/* @text, @end: where bedplate.ko's code begins and ends. */
int failing_calls_init(unsigned long text, unsigned long end);
void failing_calls_exit(void);

#endif
