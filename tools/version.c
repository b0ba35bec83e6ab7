// SPDX-License-Identifier: GPL-2.0-only
/* bedplate version. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include "tool.h"

#ifndef BEDPLATE_VERSION	/* the build's */
#define BEDPLATE_VERSION "unknown"
#endif

const char *tool_version(void)
{
	return BEDPLATE_VERSION;
}

int cmd_version(int argc, char **argv)
{
	struct utsname u;
	char *text;

	if (argc > 1)
		return misused(argv[0], "version: \"%s\" is one argument too many", argv[1]);
	printf("tool %s\n", tool_version());
	if (!uname(&u))
		printf("kernel %s\n", u.release);
	text = file_need(SYS_VERSION, NULL);
	if (!text)
		return FAILED;
	fputs(text, stdout);
	free(text);
	return DONE;
}
