/* SPDX-License-Identifier: GPL-2.0-only */
/* What `bedplate top` shows, as lines of text: the same on a screen and in a file. */
#ifndef BEDPLATE_TOPTEXT_H
#define BEDPLATE_TOPTEXT_H

#include <stdio.h>

#include "view.h"

#define TOP_HEAD	4	/* lines above the rows; the last one names the columns */

enum top_sort { SORT_CPU, SORT_TIME, SORT_MEMORY, SORT_EXITS, SORT_WAIT, SORT_NAME, SORT_ID, NR_SORTS };

/* "cpu", "time", ...; NR_SORTS: there is no such column. */
enum top_sort top_sort_named(const char *name);

struct top_options {
	enum top_sort sort;
	bool reverse;
	bool vcpus;		/* a line for each vCPU, below its domain's */
};

/*
 * TOP_HEAD lines and one for each row, none wider than @width columns, all ASCII, without
 * trailing blanks.  @before may be NULL: then there are no rates yet.
 */
void top_write(FILE *f, const struct view *before, const struct view *now, const struct top_options *o,
	       size_t width);

#endif
