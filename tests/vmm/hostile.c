/* SPDX-License-Identifier: GPL-2.0-only */
/* bp-hostile: options; see hostile.h. */
#include "hostile.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void vmm_fail(const char *what, const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	printf("not ok setup: %s %s:%d (", what, file, line);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf(")\n");
	fflush(stdout);
	_exit(1);
}

static void usage(void)
{
	fprintf(stderr,
		"usage: bp-hostile user|guest|kill [--seed N] [--calls N] [--from N] [--cpus N]\n"
		"  user     processes without rights make random calls on KVM's files\n"
		"  guest    a guest makes random accesses, and its CPUs fight each other\n"
		"  kill     such processes are killed at random moments\n"
		"  --seed   the same makes the same inputs; timing still varies (default: 1)\n"
		"  --calls  how many calls, accesses or kills, about (default: 1000)\n"
		"  --from   the first round\n"
		"  --cpus   of the guest (default: 4)\n");
	exit(2);
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "seed", required_argument, NULL, 's' }, { "calls", required_argument, NULL, 'n' },
		{ "from", required_argument, NULL, 'f' }, { "cpus", required_argument, NULL, 'c' }, {},
	};
	struct options opt = { .seed = 1, .calls = 1000, .cpus = 4 };
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 's': opt.seed = strtoull(optarg, NULL, 0); break;
		case 'n': opt.calls = strtoull(optarg, NULL, 0); break;
		case 'f': opt.from = strtoull(optarg, NULL, 0); break;
		case 'c': opt.cpus = atoi(optarg); break;
		default: usage();
		}
	}
	setlinebuf(stdout);
	if (optind + 1 != argc || opt.cpus < 1 || opt.cpus > VMM_MAX_VCPUS)
		usage();
	CHECK_EQ(vmm_open(), 0);
	if (!strcmp(argv[optind], "user"))
		return hostile_user(&opt);
	if (!strcmp(argv[optind], "guest"))
		return hostile_guest(&opt);
	if (!strcmp(argv[optind], "kill"))
		return hostile_kill(&opt);
	usage();
}
