// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "out.h"
#include "rates.h"
#include "toptext.h"

static const char *const sort_names[NR_SORTS] = { "cpu", "time", "memory", "exits", "wait", "name", "id" };

enum top_sort top_sort_named(const char *name)
{
	enum top_sort s;

	for (s = 0; s < NR_SORTS; s++)
		if (!strcmp(sort_names[s], name))
			break;
	return s;
}

/* ---- lines ---- */

#define LINE	512

struct line {
	char text[LINE];
	size_t len, width;
};

static __printf(2, 3) void add(struct line *l, const char *fmt, ...)
{
	size_t room = LINE - l->len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(l->text + l->len, room, fmt, ap);
	va_end(ap);
	l->len += n < 0 ? 0 : (size_t)n < room ? (size_t)n : room - 1;
}

static void put(FILE *f, struct line *l)
{
	size_t i;

	if (l->len > l->width)
		l->len = l->width;
	while (l->len && l->text[l->len - 1] == ' ')
		l->len--;
	for (i = 0; i < l->len; i++)
		fputc(plain(l->text[i]), f);
	fputc('\n', f);
	l->len = 0;
}

/* ---- above the rows ---- */

static void head_time(struct line *l, const struct row *m, const struct top_options *o)
{
	time_t t = time(NULL);
	struct tm tm;
	char now[16] = "";

	if (localtime_r(&t, &tm))
		strftime(now, sizeof(now), "%H:%M:%S", &tm);
	add(l, "bedplate top - %s  %llu CPUs, %llu guests, %llu vCPUs  sorted by %s", now,
	    row_u64(m, "cpus"), row_u64(m, "domains"),
	    row_u64(m, "vcpus"), sort_names[o->sort]);
}

static void head_cpus(struct line *l, const struct row *m, const struct rates *all, size_t n)
{
	double cpus = row_u64(m, "cpus") ? (double)row_u64(m, "cpus") : 1, guests = 0, service = 0, idle;
	size_t i;

	for (i = 0; i < n; i++)
		*(all[i].row->dom ? &guests : &service) += all[i].cpu / cpus;
	idle = 100 - guests - service;
	add(l, "CPUs:   %5.1f%% guests, %5.1f%% service VM, %5.1f%% idle", guests, service, idle < 0 ? 0 : idle);
}

static void head_memory(struct line *l, const struct row *m)
{
	char own[16], pool[16], given[16], mapped[16];

	add(l, "Memory: %s Bedplate's (%s free), %s given for guests, %s mapped by guests",
	    human_bytes(own, sizeof(own), row_u64(m, "reserved_bytes")),
	    human_bytes(pool, sizeof(pool), row_u64(m, "pool_free") * 4096),
	    human_bytes(given, sizeof(given), row_u64(m, "donated_frames") * 4096),
	    human_bytes(mapped, sizeof(mapped), row_u64(m, "mapped_frames") * 4096));
}

static void head_columns(struct line *l)
{
	size_t i;

	add(l, "%5s %-16s %-8s %5s %9s %6s %6s %10s", "ID", "NAME", "STATE", "VCPUS", "CPU(s)", "CPU%", "WAIT%",
	    "MEMORY");
	for (i = 0; i < NR_RATES; i++)
		add(l, " %7s", rate_names[i]);
}

/* ---- rows ---- */

/* The state of most weight that one of its vCPUs has. */
static const char *domain_state(const struct view *v, u32 dom)
{
	static const char *const states[] = { "running", "inrun", "runnable", "halted" };
	const struct row *r;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(states); i++)
		for_each_vcpu(v, r, dom)
			if (!strcmp(row_str(r, "state"), states[i]))
				return states[i];
	return "stopped";
}

static void add_rates(struct line *l, const struct rates *r)
{
	char buf[16];
	size_t i;

	for (i = 0; i < NR_RATES; i++)
		add(l, " %7s", human_count(buf, sizeof(buf), r->per_s[i]));
}

static void domain_line(struct line *l, const struct view *v, const struct rates *r)
{
	char run[16], memory[16] = "-";

	if (r->row->dom)
		human_bytes(memory, sizeof(memory), row_u64(r->row, "memory_bytes"));
	add(l, "%5u %-16.16s %-8s %5llu %9s %6.1f %6.1f %10s", r->row->dom, r->row->name,
	    domain_state(v, r->row->dom), row_u64(r->row, "vcpus"),
	    human_time(run, sizeof(run), r->run_ns), r->cpu, r->wait + r->stolen, memory);
	add_rates(l, r);
}

static void vcpu_line(struct line *l, const struct rates *r)
{
	char run[16], where[24];

	snprintf(where, sizeof(where), "vCPU %u on %s", r->row->index, row_str(r->row, "cpu"));
	add(l, "%5s   %-14.14s %-8s %5s %9s %6.1f %6.1f %10s", "", where, row_str(r->row, "state"), "",
	    human_time(run, sizeof(run), r->run_ns), r->cpu, r->wait + r->stolen, "");
	add_rates(l, r);
}

/* ---- order ---- */

static double key(const struct rates *r, enum top_sort s)
{
	switch (s) {
	case SORT_CPU:
		return r->cpu;
	case SORT_TIME:
		return r->run_ns;
	case SORT_MEMORY:
		return row_u64(r->row, "memory_bytes");
	case SORT_EXITS:
		return r->per_s[RATE_EXITS];
	case SORT_WAIT:
		return r->wait + r->stolen;
	default:
		return -(double)r->row->dom;
	}
}

/* Largest first; names and ids from the beginning.  Equals stay in the order of ids. */
static int compare(const void *a, const void *b, void *arg)
{
	const struct rates *x = a, *y = b;
	const struct top_options *o = arg;
	double kx = key(x, o->sort), ky = key(y, o->sort);
	int c = o->sort == SORT_NAME ? strcmp(x->row->name, y->row->name) : (kx < ky) - (kx > ky);

	if (!c)
		return (x->row->dom > y->row->dom) - (x->row->dom < y->row->dom);
	return o->reverse ? -c : c;
}

static struct rates *domains(const struct view *before, const struct view *now, size_t *n)
{
	struct rates *all = must(calloc(now->nr + 1, sizeof(*all)));
	const struct row *r;

	*n = 0;
	for_each_domain(now, r)
		rates_domain(&all[(*n)++], before, now, r);
	return all;
}

void top_write(FILE *f, const struct view *before, const struct view *now, const struct top_options *o,
	       size_t width)
{
	struct line l = { .width = width };
	const struct row *r;
	struct rates *all, one;
	size_t i, n;

	all = domains(before, now, &n);
	qsort_r(all, n, sizeof(*all), compare, (void *)o);
	head_time(&l, &now->rows[0], o);
	put(f, &l);
	head_cpus(&l, &now->rows[0], all, n);
	put(f, &l);
	head_memory(&l, &now->rows[0]);
	put(f, &l);
	head_columns(&l);
	put(f, &l);
	for (i = 0; i < n; i++) {
		domain_line(&l, now, &all[i]);
		put(f, &l);
		if (!o->vcpus)
			continue;
		for_each_vcpu(now, r, all[i].row->dom) {
			rates_vcpu(&one, before, now, r);
			vcpu_line(&l, &one);
			put(f, &l);
		}
	}
	free(all);
}
