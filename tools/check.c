// SPDX-License-Identifier: GPL-2.0-only
/* bedplate check [-q]: can this machine run Bedplate?  For before the first boot. */
#include <stdio.h>
#include <string.h>

#include "check.h"

void check_row(struct check *c, enum verdict v, const char *what, const char *fmt, ...)
{
	static const char *const words[] = { "ok", "warning", "no" };
	va_list ap;

	c->count[v]++;
	if (c->quiet && v == CHECK_OK)
		return;
	fprintf(c->to, "%-8s %-14s ", words[v], what);
	va_start(ap, fmt);
	vfprintf(c->to, fmt, ap);
	va_end(ap);
	fputc('\n', c->to);
}

static void verdict(const struct check *c)
{
	u32 no = c->count[CHECK_NO], warnings = c->count[CHECK_WARNING];

	if (no)
		fprintf(c->to, "This machine cannot run Bedplate as it is: %u of the rows say no.\n", no);
	else if (warnings)
		fprintf(c->to, "This machine can run Bedplate; %u warning%s.\n", warnings, warnings > 1 ? "s" : "");
	else
		fprintf(c->to, "This machine can run Bedplate.\n");
}

bool check_machine(FILE *to, bool quiet)
{
	struct check c = { .to = to, .quiet = quiet };

	check_cpu(&c);
	check_acpi(&c);
	check_memory(&c);
	check_firmware(&c);
	check_kernel(&c);
	verdict(&c);
	return !c.count[CHECK_NO];
}

int cmd_check(int argc, char **argv)
{
	bool quiet = argc > 1 && !strcmp(argv[1], "-q");

	if (argc > 1 + quiet)
		return misused("check", "check: -q is all it takes");
	return check_machine(stdout, quiet) ? DONE : FAILED;
}
