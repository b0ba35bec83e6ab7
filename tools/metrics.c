// SPDX-License-Identifier: GPL-2.0-only
/* bedplate metrics [--listen ADDRESS:PORT]. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http.h"
#include "prometheus.h"

static char *page(size_t *len)
{
	struct view v;
	char *text;
	FILE *f;

	if (!view_read(&v))
		return NULL;
	f = must(open_memstream(&text, len));
	prometheus_write(f, &v);
	fclose(f);
	view_free(&v);
	return text;
}

static int once(void)
{
	size_t len;
	char *text = page(&len);

	if (!text)
		return FAILED;
	fwrite(text, 1, len, stdout);
	free(text);
	return DONE;
}

int cmd_metrics(int argc, char **argv)
{
	static const struct option options[] = { { "listen", required_argument, NULL, 'l' }, { 0 } };
	const char *where = NULL;
	int c, fd;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == '?')
			return misused("metrics", "metrics: \"%s\"", argv[optind - 1]);
		where = optarg;
	}
	if (optind < argc)
		return misused("metrics", "metrics: \"%s\" is one argument too many", argv[optind]);
	if (!where)
		return once();
	fd = http_listen(where);
	if (fd >= 0)
		http_serve(fd, page, PROMETHEUS_TYPE);
	return FAILED;
}
