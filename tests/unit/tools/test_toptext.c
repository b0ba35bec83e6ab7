// SPDX-License-Identifier: GPL-2.0-only
/* Rates between two views, and the lines of top. */
// SOURCES: tools/toptext.c tools/rates.c tools/out.c tools/view.c tools/vmname.c tools/files.c tools/complain.c
// CFLAGS: -D_GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tools/rates.h"
#include "tools/toptext.h"

#define STATS	"cpus 2\ndomains 2\nvcpus 3\npool_free 256\nreserved_bytes 1048576\n"
#define BEFORE	"domain 0 vcpus=1\nvcpu 0 0 run_ns=1000000000\n" \
	"domain 3 pid=7 comm=beta memory_bytes=1073741824 vcpus=2\n" \
	"vcpu 3 0 cpu=1 state=halted run_ns=5000000000 wait_ns=0 x.io=100 x.hlt=50 x.odd=1 s.all=90\n" \
	"vcpu 3 1 cpu=0 state=running run_ns=0\n" \
	"domain 5 pid=8 comm=alpha memory_bytes=4096 vcpus=1\nvcpu 5 0 run_ns=9000000000 x.io=9\n"
#define NOW	"domain 0 vcpus=1\nvcpu 0 0 run_ns=1200000000\n" \
	"domain 3 pid=7 comm=beta memory_bytes=1073741824 vcpus=2\n" \
	"vcpu 3 0 cpu=1 state=halted run_ns=6000000000 wait_ns=500000000 stolen_ns=100000000 x.io=300 " \
	"x.hlt=60 x.odd=5 s.all=290\n" \
	"vcpu 3 1 cpu=0 state=running run_ns=2000000000 x.rdmsr=1 x.wrmsr=3\n" \
	"domain 5 pid=8 comm=alpha memory_bytes=4096 vcpus=1\nvcpu 5 0 run_ns=100000000 x.io=20\n" \
	"domain 9 comm=new vcpus=1\nvcpu 9 0 run_ns=7000000000\n"

static struct view before, now;
static char *text;
static char *line[32];
static size_t nr_lines;

static int read_both(void **state __unused)
{
	view_parse(&before, strdup(STATS), strdup(BEFORE));
	view_parse(&now, strdup(STATS), strdup(NOW));
	before.at_ns = 1000000000;
	now.at_ns = 3000000000;		/* two seconds later */
	return 0;
}

static int drop_both(void **state __unused)
{
	view_free(&before);
	view_free(&now);
	free(text);
	text = NULL;
	return 0;
}

static const struct row *domain(u32 id)
{
	const struct row *r;

	for_each_domain(&now, r)
		if (r->dom == id)
			return r;
	fail();
	return NULL;
}

#define IS_NEAR(a, b)	assert_true((a) > (b) - 0.01 && (a) < (b) + 0.01)

static void sums_up(void **state __unused)
{
	struct rates r;

	rates_domain(&r, &before, &now, domain(3));
	IS_NEAR(r.cpu, 150);		/* 1 s and 2 s of 2 s */
	IS_NEAR(r.wait, 25);
	IS_NEAR(r.stolen, 5);
	IS_NEAR(r.per_s[RATE_IO], 100);
	IS_NEAR(r.per_s[RATE_HLT], 5);
	IS_NEAR(r.per_s[RATE_MSR], 2);
	IS_NEAR(r.per_s[RATE_OTHER], 2);
	IS_NEAR(r.per_s[RATE_EXITS], 109);
	IS_NEAR(r.per_s[RATE_SERVICE], 100);
	assert_int_equal(r.run_ns, 8000000000);
}

/* A number that another guest had: all since its start.  A new one: nothing yet. */
static void numbers_come_again(void **state __unused)
{
	struct rates r;

	rates_domain(&r, &before, &now, domain(5));
	IS_NEAR(r.cpu, 5);
	IS_NEAR(r.per_s[RATE_IO], 10);
	rates_domain(&r, &before, &now, domain(9));
	IS_NEAR(r.cpu, 0);
	rates_domain(&r, NULL, &now, domain(3));
	IS_NEAR(r.cpu, 0);
	rates_domain(&r, &now, &now, domain(3));	/* no time between */
	IS_NEAR(r.cpu, 0);
}

static void write_top(const struct top_options *o, size_t width)
{
	char *rest, *one;
	size_t len;
	FILE *f;

	free(text);
	f = open_memstream(&text, &len);
	top_write(f, &before, &now, o, width);
	fclose(f);
	assert_int_equal(text[len - 1], '\n');
	text[len - 1] = 0;
	rest = text;
	for (nr_lines = 0; (one = strsep(&rest, "\n")); )
		line[nr_lines++] = one;
}

static void order_is(const struct top_options *o, const u32 *ids)
{
	size_t i;

	write_top(o, 200);
	assert_int_equal(nr_lines, TOP_HEAD + 4);
	for (i = 0; i < 4; i++)
		assert_int_equal(atoi(line[TOP_HEAD + i]), ids[i]);
}

static void sorts(void **state __unused)
{
	order_is(&(struct top_options){ .sort = SORT_CPU }, (u32[]){ 3, 0, 5, 9 });
	order_is(&(struct top_options){ .sort = SORT_CPU, .reverse = true }, (u32[]){ 9, 5, 0, 3 });
	order_is(&(struct top_options){ .sort = SORT_TIME }, (u32[]){ 3, 9, 0, 5 });
	order_is(&(struct top_options){ .sort = SORT_MEMORY }, (u32[]){ 3, 5, 0, 9 });
	order_is(&(struct top_options){ .sort = SORT_EXITS }, (u32[]){ 3, 5, 0, 9 });
	order_is(&(struct top_options){ .sort = SORT_NAME }, (u32[]){ 5, 3, 9, 0 });
	order_is(&(struct top_options){ .sort = SORT_ID }, (u32[]){ 0, 3, 5, 9 });
	order_is(&(struct top_options){ .sort = SORT_ID, .reverse = true }, (u32[]){ 9, 5, 3, 0 });
	assert_int_equal(top_sort_named("exits"), SORT_EXITS);
	assert_int_equal(top_sort_named("x"), NR_SORTS);
}

static void shows_what_it_knows(void **state __unused)
{
	write_top(&(struct top_options){ .sort = SORT_ID, .vcpus = true }, 200);
	assert_int_equal(nr_lines, TOP_HEAD + 4 + 5);
	assert_non_null(strstr(line[0], "2 CPUs, 2 guests, 3 vCPUs"));
	assert_non_null(strstr(line[1], " 77.5% guests,   5.0% service VM,  17.5% idle"));
	assert_non_null(strstr(line[2], "1.0 MiB Bedplate's (1.0 MiB free)"));
	assert_non_null(strstr(line[3], "NAME"));
	assert_non_null(strstr(line[6], "beta             running      2       8.0  150.0   30.0    1.0 GiB     109"));
	assert_non_null(strstr(line[7], "vCPU 0 on 1    halted"));
}

/* No line is wider than asked for, and what a terminal could take for a command is gone. */
static void keeps_to_the_width(void **state __unused)
{
	size_t width, i, k;

	memcpy(now.rows[3].name, "a\033[2J\xff", 7);
	for (width = 1; width < 260; width++) {
		write_top(&(struct top_options){ .vcpus = true }, width);
		for (i = 0; i < nr_lines; i++) {
			assert_true(strlen(line[i]) <= width);
			for (k = 0; line[i][k]; k++)
				assert_true(line[i][k] >= ' ' && line[i][k] < 0x7f);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sums_up, read_both, drop_both),
		cmocka_unit_test_setup_teardown(numbers_come_again, read_both, drop_both),
		cmocka_unit_test_setup_teardown(sorts, read_both, drop_both),
		cmocka_unit_test_setup_teardown(shows_what_it_knows, read_both, drop_both),
		cmocka_unit_test_setup_teardown(keeps_to_the_width, read_both, drop_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
