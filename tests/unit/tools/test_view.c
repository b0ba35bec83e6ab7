// SPDX-License-Identifier: GPL-2.0-only
/* What the module tells, as rows; with text that no module writes. */
// SOURCES: tools/view.c tools/vmname.c tools/files.c tools/complain.c
// CFLAGS: -D_GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/view.h"
#include "tools/vmname.h"

static struct view v;

static void parse(const char *stats, const char *proc)
{
	view_parse(&v, strdup(stats), strdup(proc));
}

static void reads_rows(void **state __unused)
{
	parse("cpus 4\nmitigations 0x60\n",
	      "domain 0 vcpus=4\nvcpu 0 3 cpu=3 state=running x.hlt=7\n"
	      "domain 12 pid=9 comm=qemu vcpus=1\nvcpu 12 0 run_ns=18446744073709551615\n");
	assert_int_equal(v.nr, 5);
	assert_int_equal(row_u64(&v.rows[0], "cpus"), 4);
	assert_int_equal(row_u64(&v.rows[0], "mitigations"), 0x60);
	assert_int_equal(v.rows[1].kind, ROW_DOMAIN);
	assert_string_equal(v.rows[1].name, "service VM");
	assert_int_equal(v.rows[2].kind, ROW_VCPU);
	assert_int_equal(v.rows[2].index, 3);
	assert_string_equal(row_str(&v.rows[2], "state"), "running");
	assert_int_equal(row_u64(&v.rows[2], "x.hlt"), 7);
	assert_int_equal(v.rows[3].dom, 12);
	assert_string_equal(v.rows[3].name, "qemu");
	assert_int_equal(row_u64(&v.rows[4], "run_ns"), UINT64_MAX);
	view_free(&v);
}

static void absent_is_nothing(void **state __unused)
{
	parse("cpus four\n", "domain 1\n");
	assert_int_equal(row_u64(&v.rows[0], "cpus"), 0);
	assert_int_equal(row_u64(&v.rows[0], "other"), 0);
	assert_string_equal(row_str(&v.rows[1], "comm"), "");
	assert_true(row_has(&v.rows[0], "cpus"));
	assert_false(row_has(&v.rows[1], "cpus"));
	view_free(&v);
}

static void passes_over_nonsense(void **state __unused)
{
	parse("\nx\n y\nz \n",
	      "\ndomain\ndomain x\ndomain -1 a=1\nvcpu 1\nvcpu 1 x\nfoo 1 2\n"
	      "domain 99999999999 a=1\ndomain 3 =1 b a=\n");
	assert_int_equal(v.rows[0].nr, 0);
	assert_int_equal(v.nr, 2);
	assert_int_equal(v.rows[1].dom, 3);
	assert_int_equal(v.rows[1].nr, 1);
	assert_string_equal(row_str(&v.rows[1], "a"), "");
	view_free(&v);
	parse("", "");
	assert_int_equal(v.nr, 1);
	view_free(&v);
}

/* Rows and pairs fit whatever the text is: address sanitizer looks on. */
static void survives_any_text(void **state __unused)
{
	static const char chars[] = "a=1 \n0domainvcpu";
	char text[400];
	u32 seed = 1, i, n;

	for (n = 0; n < 20000; n++) {
		for (i = 0; i + 1 < sizeof(text); i++) {
			seed = seed * 1103515245 + 12345;
			text[i] = chars[(seed >> 16) % (sizeof(chars) - 1)];
		}
		text[n % sizeof(text)] = 0;
		text[sizeof(text) - 1] = 0;
		parse(text, text);
		view_free(&v);
	}
	memset(text, '=', sizeof(text) - 1);
	parse(text, "domain 1 a= b= c= d= e= f= g= h= i= j=\ndomain 2\ndomain 3\ndomain 4\nvcpu 1 1\n");
	assert_int_equal(v.nr, 6);
	view_free(&v);
}

static void numbers(void **state __unused)
{
	u64 val;

	assert_true(parse_u64("0", &val) && !val);
	assert_true(parse_u64("0xfF", &val) && val == 255);
	assert_false(parse_u64("", &val));
	assert_false(parse_u64("0x", &val));
	assert_false(parse_u64("-1", &val));
	assert_false(parse_u64("+1", &val));
	assert_false(parse_u64(" 1", &val));
	assert_false(parse_u64("1 ", &val));
	assert_false(parse_u64("1f", &val));
	assert_false(parse_u64("18446744073709551616", &val));
}

#define NAME_OF(words)	(vm_name_parse(words, sizeof(words), name, sizeof(name)) ? name : NULL)

static void names_of_vms(void **state __unused)
{
	char name[16];

	assert_string_equal(NAME_OF("qemu\0-name\0alpha\0-m\0" "1"), "alpha");
	assert_string_equal(NAME_OF("qemu\0-name\0guest=beta,debug-threads=on\0"), "beta");
	assert_string_equal(NAME_OF("qemu\0-name\0debug-threads=on,guest=a,,b\0"), "a,b");
	assert_string_equal(NAME_OF("q\0--name\0a\033[2Jb\0"), "a?[2Jb");
	/* A terminal takes U+0080 to U+009F for commands, too; U+00A0 and a "\303\233" are text. */
	assert_string_equal(NAME_OF("q\0-name\0a\302\2332J\302\200\177\0"), "a?2J??");
	assert_string_equal(NAME_OF("q\0-name\0\302\240\303\233\0"), "\302\240\303\233");
	assert_string_equal(NAME_OF("q\0-name\0ab\302\0"), "ab\302");
	assert_string_equal(NAME_OF("q\0-name\0averyveryverylongname\0"), "averyveryverylo");
	assert_null(NAME_OF("qemu\0-m\0" "1"));
	assert_null(NAME_OF("qemu\0-name\0"));
	assert_null(NAME_OF("qemu\0-name"));
	assert_false(vm_name_parse("", 0, name, sizeof(name)));
	/* The last word may lack its end. */
	assert_false(vm_name_parse("q\0-name\0abc", 10, name, sizeof(name)));
}

/* A process may say that nearly all of its memory is its command line. */
static void of_a_long_command_line_the_beginning(void **state __unused)
{
	static const char start[] = "q\0-name\0abc";
	char root[] = "/tmp/bedplate-view-XXXXXX", path[64], name[16] = "comm";
	char *text;
	size_t len;
	int fd;

	assert_non_null(mkdtemp(root));
	setenv("BEDPLATE_ROOT", root, 1);
	snprintf(path, sizeof(path), "%s/proc", root);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/proc/7", root);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/proc/7/cmdline", root);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_int_equal(write(fd, start, sizeof(start)), sizeof(start));
	assert_int_equal(ftruncate(fd, 257 << 20), 0);
	close(fd);

	assert_null(file_read("/proc/7/cmdline", NULL));
	assert_int_equal(errno, EFBIG);
	text = file_read_start("/proc/7/cmdline", &len, 10000);
	assert_int_equal(len, 10000);
	assert_memory_equal(text, start, sizeof(start));
	assert_int_equal(text[len], 0);
	free(text);
	vm_name(7, name, sizeof(name));
	assert_string_equal(name, "abc");
	vm_name(8, name, sizeof(name));
	assert_string_equal(name, "abc");

	unlink(path);
	snprintf(path, sizeof(path), "%s/proc/7", root);
	rmdir(path);
	snprintf(path, sizeof(path), "%s/proc", root);
	rmdir(path);
	rmdir(root);
	unsetenv("BEDPLATE_ROOT");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_rows),
		cmocka_unit_test(absent_is_nothing),
		cmocka_unit_test(passes_over_nonsense),
		cmocka_unit_test(survives_any_text),
		cmocka_unit_test(numbers),
		cmocka_unit_test(names_of_vms),
		cmocka_unit_test(of_a_long_command_line_the_beginning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
