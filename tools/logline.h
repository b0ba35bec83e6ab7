/* SPDX-License-Identifier: GPL-2.0-only */
/* Finding lines in Bedplate's log, "I [    1.234567] text". */
#ifndef BEDPLATE_LOGLINE_H
#define BEDPLATE_LOGLINE_H

#include "tool.h"

/*
 * The first line of @log whose text begins with @start, or NULL: what follows @start, up to
 * the line's end, in @buf.
 */
char *log_find(const char *log, const char *start, char *buf, size_t size);

#endif
