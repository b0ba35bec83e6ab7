/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Formatting of text: %d %i %u %x %X %p %c %s %%, lengths h hh l ll z, flags
 * '-' and '0', width, '.' precision for %s; width and precision may be '*'.
 */
#ifndef BP_CORE_PRINTF_H
#define BP_CORE_PRINTF_H

#include "types.h"

/*
 * At most @size bytes with the final NUL go to @buf. Returns the length of the
 * whole text, which is >= @size if it was cut.
 */
int bp_vsnprintf(char *buf, size_t size, const char *fmt, va_list ap) __printf(3, 0);
int bp_snprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);

#endif
