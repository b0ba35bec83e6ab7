// SPDX-License-Identifier: GPL-2.0-only
/* bedplate top: options, and the way without a screen. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "screen.h"

#define BATCH_WIDTH	250	/* columns, unless COLUMNS says otherwise */

struct batch {
	bool on;
	u64 times;		/* 0: for ever */
	double delay;
};

static void wait_for(double seconds)
{
	struct timespec t = { .tv_sec = (time_t)seconds };

	t.tv_nsec = (long)((seconds - (double)t.tv_sec) * 1e9);
	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

static size_t batch_width(void)
{
	const char *s = getenv("COLUMNS");
	u64 n;

	return s && parse_u64(s, &n) && n >= 20 && n <= 500 ? n : BATCH_WIDTH;
}

/* One table after another, each about the time since the one before. */
static int run_batch(const struct batch *b, const struct top_options *o)
{
	struct view before, now;
	u64 i;

	if (!view_read(&before))
		return FAILED;
	for (i = 0; !b->times || i < b->times; i++) {
		wait_for(b->delay);
		if (!view_read(&now)) {
			view_free(&before);
			return FAILED;
		}
		if (i)
			putchar('\n');
		top_write(stdout, &before, &now, o, batch_width());
		view_free(&before);
		before = now;
		if (fflush(stdout))
			break;
	}
	view_free(&before);
	return DONE;
}

static bool parse_delay(const char *s, double *delay)
{
	char *end;

	*delay = strtod(s, &end);
	return *s && !*end && *delay >= 0.1 && *delay <= 3600;
}

int cmd_top(int argc, char **argv)
{
	struct top_options o = { .sort = SORT_CPU };
	struct batch b = { .delay = 3 };
	int c;

	opterr = 0;
	while ((c = getopt(argc, argv, "bn:d:s:Vr")) != -1) {
		switch (c) {
		case 'b':
			b.on = true;
			break;
		case 'n':
			if (!parse_u64(optarg, &b.times) || !b.times)
				return misused("top", "top: \"%s\" is no number of times", optarg);
			break;
		case 'd':
			if (!parse_delay(optarg, &b.delay))
				return misused("top", "top: a delay is 0.1 to 3600 seconds, not \"%s\"", optarg);
			break;
		case 's':
			o.sort = top_sort_named(optarg);
			if (o.sort == NR_SORTS)
				return misused("top", "top: no column \"%s\": cpu, time, memory, exits, wait, name, id",
					       optarg);
			break;
		case 'V':
			o.vcpus = true;
			break;
		case 'r':
			o.reverse = true;
			break;
		default:
			return misused("top", "top: \"%s\"", argv[optind - 1]);
		}
	}
	if (optind < argc)
		return misused("top", "top: \"%s\" is one argument too many", argv[optind]);
	if (b.on)
		return run_batch(&b, &o);
	if (b.times)
		return misused("top", "top: -n is for -b");
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		complain("top: this is no terminal: use -b");
		return FAILED;
	}
	return screen_run(&o, b.delay);
}
