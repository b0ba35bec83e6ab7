/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers and strings in the forms that people and programs read. */
#ifndef BEDPLATE_OUT_H
#define BEDPLATE_OUT_H

#include <stdio.h>

#include "tool.h"

/* "512 B", "3.9 MiB": at most 10 characters.  Returns @buf. */
char *human_bytes(char *buf, size_t size, u64 bytes);
/* "17.3", "8:05.2", "3:20:11": seconds, minutes, hours. */
char *human_time(char *buf, size_t size, u64 ns);
/* "950", "12.3k", "4.56M": at most 5 characters. */
char *human_count(char *buf, size_t size, double n);

/* A character as a terminal shows it, whatever the locale; '?' for what it could take for a command. */
static inline char plain(char c)
{
	return c >= ' ' && c < 0x7f ? c : '?';
}

/* A JSON string with its quotes; bytes that are no UTF-8 become U+FFFD. */
void json_string(FILE *f, const char *s);
/* The value of a label in Prometheus's text format, without the quotes. */
void label_value(FILE *f, const char *s);

#endif
