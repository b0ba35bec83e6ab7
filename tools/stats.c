// SPDX-License-Identifier: GPL-2.0-only
/* bedplate stats [--json]: docs/tools.md says what each name means. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "out.h"
#include "view.h"

static int show_text(void)
{
	char *text = file_need(SYS_STATS, NULL);

	if (!text)
		return FAILED;
	fputs(text, stdout);
	free(text);
	return DONE;
}

/* Before each member but the first: what separates them. */
static void member(const char *name, bool *first)
{
	if (!*first)
		fputs(", ", stdout);
	*first = false;
	json_string(stdout, name);
	fputs(": ", stdout);
}

static void json_value(const char *value)
{
	u64 val;

	if (parse_u64(value, &val))
		printf("%llu", val);
	else
		json_string(stdout, value);
}

/* Those without a prefix, as "x." is one. */
static void json_plain(const struct row *r, bool *first)
{
	size_t i;

	for (i = 0; i < r->nr; i++)
		if (!strchr(r->pairs[i].name, '.')) {
			member(r->pairs[i].name, first);
			json_value(r->pairs[i].value);
		}
}

static void json_counters(const struct row *r, const char *name, const char *prefix, bool *first)
{
	size_t i, n = strlen(prefix);
	bool inner = true;

	member(name, first);
	fputc('{', stdout);
	for (i = 0; i < r->nr; i++)
		if (!strncmp(r->pairs[i].name, prefix, n)) {
			member(r->pairs[i].name + n, &inner);
			json_value(r->pairs[i].value);
		}
	fputc('}', stdout);
}

static void json_vcpu(const struct row *r)
{
	bool first = true;

	fputs("\n    {", stdout);
	member("index", &first);
	printf("%u", r->index);
	json_plain(r, &first);
	json_counters(r, "exits", "x.", &first);
	json_counters(r, "service", "s.", &first);
	fputc('}', stdout);
}

static void json_domain(const struct view *v, const struct row *d)
{
	const struct row *r;
	bool first = true, any = false;

	fputs("\n  {", stdout);
	member("id", &first);
	printf("%u", d->dom);
	member("name", &first);
	json_string(stdout, d->name);
	json_plain(d, &first);
	member("vcpu", &first);
	fputc('[', stdout);
	for_each_vcpu(v, r, d->dom) {
		if (any)
			fputc(',', stdout);
		any = true;
		json_vcpu(r);
	}
	fputs("]}", stdout);
}

static int show_json(void)
{
	bool first = true, any = false;
	const struct row *r;
	struct view v;

	if (!view_read(&v))
		return FAILED;
	fputs("{\"machine\": {", stdout);
	json_plain(&v.rows[0], &first);
	fputs("},\n \"domains\": [", stdout);
	for_each_domain(&v, r) {
		if (any)
			fputc(',', stdout);
		any = true;
		json_domain(&v, r);
	}
	fputs("]}\n", stdout);
	view_free(&v);
	return DONE;
}

int cmd_stats(int argc, char **argv)
{
	if (argc == 1)
		return show_text();
	if (argc == 2 && !strcmp(argv[1], "--json"))
		return show_json();
	return misused("stats", "stats: --json is all it takes");
}
