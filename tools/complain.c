// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "tool.h"

static void vcomplain(const char *fmt, va_list ap)
{
	fputs("bedplate: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

void complain(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vcomplain(fmt, ap);
	va_end(ap);
}

int misused(const char *command, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vcomplain(fmt, ap);
	va_end(ap);
	fprintf(stderr, "bedplate: \"bedplate help\" has the arguments of \"%s\"\n", command);
	return MISUSED;
}

void *must(void *p)
{
	if (!p) {
		complain("out of memory");
		exit(FAILED);
	}
	return p;
}
