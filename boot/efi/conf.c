// SPDX-License-Identifier: GPL-2.0-only
/* Reader of bedplate.conf; the contract is in conf.h. */
#include "conf.h"
#include "hv/core/lib/printf.h"
#include "hv/core/lib/string.h"

#define GLOBAL		"global"
#define NAME_MAX	64

struct reader {
	struct conf *c;
	struct conf_error *e;
	u32 line;
	bool global;			/* in [global] */
	bool seen_global;
	struct conf_entry *entry;	/* in this one; neither: before the first section */
	struct conf_value dflt, timeout;
};

static bool __printf(3, 4) wrong(struct reader *r, u32 line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	bp_vsnprintf(r->e->text, sizeof(r->e->text), fmt, ap);
	va_end(ap);
	r->e->line = line;
	return false;
}

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool same(const char *a, const char *b)
{
	size_t n = strlen(a);

	return n == strlen(b) && !memcmp(a, b, n);
}

/* [s, end) without the blanks around it, and a NUL behind. */
static char *trim(char *s, char *end)
{
	while (s < end && blank(*s))
		s++;
	while (end > s && blank(end[-1]))
		end--;
	*end = 0;
	return s;
}

const struct conf_entry *conf_find(const struct conf *c, const char *name)
{
	u32 i;

	for (i = 0; i < c->nr; i++)
		if (same(c->entry[i].name.text, name))
			return &c->entry[i];
	return NULL;
}

static bool good_name(const char *s)
{
	size_t n = strlen(s), i;

	for (i = 0; i < n; i++)
		if (s[i] <= ' ' || s[i] >= 0x7f || s[i] == '[' || s[i] == ']')
			return false;
	return n > 0 && n <= NAME_MAX;
}

static void clear_entry(struct conf_entry *e)
{
	const struct conf_value none = { "", 0 };
	u32 i;

	*e = (struct conf_entry){ .name = none, .title = none, .options = none,
				  .kernel = none, .cmdline = none };
	for (i = 0; i < CONF_MAX_INITRDS; i++)
		e->initrd[i] = none;
}

/* "[NAME]" without the opening bracket. */
static bool take_section(struct reader *r, char *s)
{
	size_t n = strlen(s);

	if (!n || s[n - 1] != ']')
		return wrong(r, r->line, "a section's name ends with ]");
	s[n - 1] = 0;
	r->global = same(s, GLOBAL);
	r->entry = NULL;
	if (r->global) {
		if (r->seen_global)
			return wrong(r, r->line, "[" GLOBAL "] is there twice");
		r->seen_global = true;
		return true;
	}
	if (!good_name(s))
		return wrong(r, r->line, "an entry's name has 1 to %d letters, without blanks",
			     NAME_MAX);
	if (conf_find(r->c, s))
		return wrong(r, r->line, "[%s] is there twice", s);
	if (r->c->nr == CONF_MAX_ENTRIES)
		return wrong(r, r->line, "more than %d entries", CONF_MAX_ENTRIES);
	r->entry = &r->c->entry[r->c->nr++];
	clear_entry(r->entry);
	r->entry->name = (struct conf_value){ s, r->line };
	return true;
}

/* Where the value of @key goes; NULL: there is no such key here. */
static struct conf_value *place_of(struct reader *r, const char *key)
{
	struct conf_entry *e = r->entry;

	if (r->global)
		return same(key, "default") ? &r->dflt :
		       same(key, "timeout") ? &r->timeout : NULL;
	return same(key, "title") ? &e->title :
	       same(key, "options") ? &e->options :
	       same(key, "kernel") ? &e->kernel :
	       same(key, "cmdline") ? &e->cmdline : NULL;
}

static bool take_initrd(struct reader *r, const char *value)
{
	struct conf_entry *e = r->entry;

	if (!*value)
		return wrong(r, r->line, "initrd names no file");
	if (e->nr_initrds == CONF_MAX_INITRDS)
		return wrong(r, r->line, "more than %d initrds", CONF_MAX_INITRDS);
	e->initrd[e->nr_initrds++] = (struct conf_value){ value, r->line };
	return true;
}

static bool take_value(struct reader *r, const char *key, const char *value)
{
	struct conf_value *to;

	if (!r->global && !r->entry)
		return wrong(r, r->line, "\"%s\" stands before the first section", key);
	if (r->entry && same(key, "initrd"))
		return take_initrd(r, value);
	to = place_of(r, key);
	if (!to)
		return wrong(r, r->line, "unknown key \"%s\" in [%s]", key,
			     r->global ? GLOBAL : r->entry->name.text);
	if (to->line)
		return wrong(r, r->line, "\"%s\" is given twice, first in line %u", key, to->line);
	*to = (struct conf_value){ value, r->line };
	return true;
}

static bool take_line(struct reader *r, char *s, char *end)
{
	const char *p;
	char *eq;

	if (end > s && end[-1] == '\r')
		end--;
	for (p = s; p < end; p++)
		if (((u8)*p < ' ' && *p != '\t') || *p == 0x7f)
			return wrong(r, r->line, "a control character");
	s = trim(s, end);
	if (!*s || *s == '#')
		return true;
	if (*s == '[')
		return take_section(r, s + 1);
	eq = memchr(s, '=', strlen(s));
	if (!eq)
		return wrong(r, r->line, "neither [NAME] nor KEY=VALUE");
	end = s + strlen(s);
	return take_value(r, trim(s, eq), trim(eq + 1, end));
}

static bool take_lines(struct reader *r, char *s, char *end)
{
	char *next;

	for (; s < end; s = next + 1) {
		r->line++;
		next = memchr(s, '\n', end - s);
		if (!next)
			next = end;
		if (!take_line(r, s, next))
			return false;
	}
	return true;
}

static bool set_timeout(struct reader *r)
{
	const char *s = r->timeout.text;
	u32 n = 0;

	for (; *s >= '0' && *s <= '9' && n <= CONF_MAX_TIMEOUT; s++)
		n = n * 10 + *s - '0';
	if (*s || s == r->timeout.text || n > CONF_MAX_TIMEOUT)
		return wrong(r, r->timeout.line, "timeout is a number of seconds up to %d",
			     CONF_MAX_TIMEOUT);
	r->c->timeout = n;
	return true;
}

static bool set_default(struct reader *r)
{
	const struct conf_entry *e = conf_find(r->c, r->dflt.text);

	if (!e)
		return wrong(r, r->dflt.line, "default: there is no entry \"%s\"", r->dflt.text);
	r->c->chosen = (u32)(e - r->c->entry);
	return true;
}

/* What can be judged at the end only. */
static bool check_all(struct reader *r)
{
	const struct conf_entry *e;

	if (!r->c->nr)
		return wrong(r, 0, "there is no entry");
	for (e = r->c->entry; e < r->c->entry + r->c->nr; e++)
		if (!*e->kernel.text)
			return wrong(r, e->name.line, "[%s] names no kernel", e->name.text);
	if (r->timeout.line && !set_timeout(r))
		return false;
	return !r->dflt.line || set_default(r);
}

bool conf_parse(char *text, size_t len, struct conf *c, struct conf_error *e)
{
	struct reader r = { .c = c, .e = e };
	size_t mark = 0;

	c->nr = c->chosen = c->timeout = 0;
	if (len > CONF_MAX_BYTES)
		return wrong(&r, 0, "it has more than %d bytes", CONF_MAX_BYTES);
	/* What some editors put in front of UTF-8. */
	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		mark = 3;
	return take_lines(&r, text + mark, text + len) && check_all(&r);
}
