// SPDX-License-Identifier: GPL-2.0-only
/* bedplate COMMAND ...: what the administrator of a machine with Bedplate has; docs/tools.md. */
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tool.h"

static int cmd_help(int argc, char **argv);

static const struct command {
	const char *name, *args, *what;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "info", "", "what this machine is, what is protected on it, and what is not", cmd_info },
	{ "list", "", "one line for each guest", cmd_list },
	{ "domains", "", "the same", cmd_list },
	{ "top", "[-b] [-n N] [-d SECONDS] [-s COLUMN] [-V] [-r]", "domains and vCPUs, live", cmd_top },
	{ "log", "[-f] [--last]", "Bedplate's log; -f: go on; --last: of the boot before", cmd_log },
	{ "stats", "[--json]", "memory, domains and CPUs as numbers", cmd_stats },
	{ "set", "[NAME VALUE]", "what can be changed while it runs", cmd_set },
	{ "check", "[-q]", "can this machine run Bedplate?  Without it, too", cmd_check },
	{ "report", "[-o FILE]", "all that a bug report needs, as one text", cmd_report },
	{ "metrics", "[--listen ADDRESS:PORT]", "numbers for Prometheus, once or by HTTP", cmd_metrics },
	{ "version", "", "versions of the tool, the channel and the kernel", cmd_version },
	{ "help", "", "this", cmd_help },
};

static void usage(FILE *f)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(f, "%s bedplate %s%s%s\n\t\t%s\n", i ? "      " : "usage:", commands[i].name,
			*commands[i].args ? " " : "", commands[i].args, commands[i].what);
}

static int cmd_help(int argc, char **argv)
{
	if (argc > 1)
		return misused(argv[0], "help: \"%s\" is one argument too many", argv[1]);
	usage(stdout);
	return DONE;
}

static const struct command *find(const char *name)
{
	size_t i;

	if (!strcmp(name, "-h") || !strcmp(name, "--help"))
		name = "help";
	if (!strcmp(name, "--version"))
		name = "version";
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

/* Who reads our output may leave when he has seen enough; all else that gets lost is told. */
static int finish(int status)
{
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	if (errno == EPIPE)
		return status;
	complain("output: %s", strerror(errno));
	return FAILED;
}

int main(int argc, char **argv)
{
	const struct command *c = argc > 1 ? find(argv[1]) : NULL;

	setlocale(LC_CTYPE, "");
	signal(SIGPIPE, SIG_IGN);
	if (!c) {
		if (argc > 1)
			complain("there is no command \"%s\"", argv[1]);
		usage(stderr);
		return MISUSED;
	}
	if (argc > 2 && (!strcmp(argv[2], "-h") || !strcmp(argv[2], "--help"))) {
		printf("usage: bedplate %s %s\n\t%s\n", c->name, c->args, c->what);
		return finish(DONE);
	}
	return finish(c->run(argc - 1, argv + 1));
}
