// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>

#include "logline.h"

char *log_find(const char *log, const char *start, char *buf, size_t size)
{
	const char *line = log, *text, *end;

	for (; *line; line = *end ? end + 1 : end) {
		end = line + strcspn(line, "\n");
		text = memchr(line, ']', end - line);
		if (!text || end - text < 2)
			continue;
		text += 2;
		if (strncmp(text, start, strlen(start)))
			continue;
		text += strlen(start);
		snprintf(buf, size, "%.*s", (int)(end - text), text);
		return buf;
	}
	return NULL;
}
