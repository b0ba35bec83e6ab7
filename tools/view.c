// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "view.h"
#include "vmname.h"

bool parse_u64(const char *s, u64 *val)
{
	bool hex = s[0] == '0' && s[1] == 'x';
	const char *digits = hex ? s + 2 : s;
	char *end;

	if (!*digits || strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789") != strlen(digits))
		return false;
	errno = 0;
	*val = strtoull(digits, &end, hex ? 16 : 10);
	return !errno && !*end;
}

static const struct pair *find(const struct row *r, const char *name)
{
	size_t i;

	for (i = 0; i < r->nr; i++)
		if (!strcmp(r->pairs[i].name, name))
			return &r->pairs[i];
	return NULL;
}

bool row_has(const struct row *r, const char *name)
{
	return find(r, name);
}

const char *row_str(const struct row *r, const char *name)
{
	const struct pair *p = find(r, name);

	return p ? p->value : "";
}

u64 row_u64(const struct row *r, const char *name)
{
	u64 val = 0;

	return parse_u64(row_str(r, name), &val) ? val : 0;
}

/* ---- parsing ---- */

/* Arrays as long as texts could need at most: a pair or a row takes four bytes of it. */
struct parser {
	struct view *v;
	struct pair *next;
};

static struct row *add_row(struct parser *p, enum row_kind kind)
{
	struct row *r = &p->v->rows[p->v->nr++];

	memset(r, 0, sizeof(*r));
	r->kind = kind;
	r->pairs = p->next;
	return r;
}

static void add_pair(struct parser *p, struct row *r, char *name, char *value)
{
	*p->next++ = (struct pair){ name, value };
	r->nr++;
}

/* Lines "name value". */
static void parse_stats(struct parser *p, char *text)
{
	struct row *r = add_row(p, ROW_MACHINE);
	char *line, *name;

	while ((line = strsep(&text, "\n"))) {
		name = strsep(&line, " ");
		if (line && *name && *line)
			add_pair(p, r, name, line);
	}
}

static bool take_id(char **line, u32 *id)
{
	char *word = strsep(line, " ");
	u64 val;

	if (!word || !parse_u64(word, &val) || val > UINT32_MAX)
		return false;
	*id = val;
	return true;
}

static void parse_pairs(struct parser *p, struct row *r, char *line)
{
	char *word, *value;

	while ((word = strsep(&line, " "))) {
		value = strchr(word, '=');
		if (!value || value == word)
			continue;
		*value++ = 0;
		add_pair(p, r, word, value);
	}
}

static void parse_line(struct parser *p, char *line)
{
	char *kind = strsep(&line, " ");
	u32 dom, index = 0;
	struct row *r;
	bool vcpu = !strcmp(kind, "vcpu");

	if (!vcpu && strcmp(kind, "domain"))
		return;
	if (!take_id(&line, &dom) || (vcpu && !take_id(&line, &index)))
		return;
	r = add_row(p, vcpu ? ROW_VCPU : ROW_DOMAIN);
	r->dom = dom;
	r->index = index;
	parse_pairs(p, r, line);
	snprintf(r->name, sizeof(r->name), "%s", dom ? row_str(r, "comm") : "service VM");
}

void view_parse(struct view *v, char *stats, char *proc)
{
	size_t room = (strlen(stats) + strlen(proc)) / 3 + 4;
	struct parser p = { .v = v };
	char *line;

	memset(v, 0, sizeof(*v));
	v->text[0] = stats;
	v->text[1] = proc;
	v->pairs = must(calloc(room, sizeof(*v->pairs)));
	v->rows = must(calloc(room, sizeof(*v->rows)));
	p.next = v->pairs;
	parse_stats(&p, stats);
	while ((line = strsep(&proc, "\n")))
		parse_line(&p, line);
}

bool view_read(struct view *v)
{
	char *stats = file_need(SYS_STATS, NULL), *proc;
	struct timespec now;
	struct row *r;

	if (!stats)
		return false;
	proc = file_need(PROC_VIEW, NULL);
	if (!proc) {
		free(stats);
		return false;
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	view_parse(v, stats, proc);
	v->at_ns = now.tv_sec * 1000000000ull + now.tv_nsec;
	for_each_domain(v, r)
		if (r->dom)
			vm_name(row_u64(r, "pid"), r->name, sizeof(r->name));
	return true;
}

void view_free(struct view *v)
{
	free(v->text[0]);
	free(v->text[1]);
	free(v->pairs);
	free(v->rows);
	memset(v, 0, sizeof(*v));
}
