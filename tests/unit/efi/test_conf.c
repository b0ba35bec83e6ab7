// SPDX-License-Identifier: GPL-2.0-only
/* bedplate.conf: what it may say, each mistake with its line, and bytes from anywhere. */
// SOURCES: boot/efi/conf.c hv/core/lib/printf.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "boot/efi/conf.h"
#include "hv/core/lib/string.h"

static struct conf c;
static struct conf_error e;
static char *text;

/* An exact-size copy, so that touching what is past the end is caught. */
static bool parse_bytes(const void *s, size_t len)
{
	free(text);
	text = malloc(len + 1);
	memcpy(text, s, len);
	memset(&e, 0, sizeof(e));
	return conf_parse(text, len, &c, &e);
}

static bool parse(const char *s)
{
	return parse_bytes(s, strlen(s));
}

static void refused(const char *s, u32 line, const char *why)
{
	assert_false(parse(s));
	if (!strstr(e.text, why))
		fail_msg("\"%s\" says \"%s\", not \"%s\"", s, e.text, why);
	assert_int_equal(e.line, line);
}

static void whole_file(void **state)
{
	(void)state;
	assert_true(parse("# comment\n"
			  "[global]\n"
			  "default=old\n"
			  "timeout=5\n"
			  "\n"
			  "[new]\n"
			  "title=Debian GNU/Linux, with Bedplate\n"
			  "options=loglevel=info panic=reboot\n"
			  "kernel=vmlinuz-6.12\n"
			  "initrd=ucode.img\n"
			  "initrd=initrd.img-6.12\n"
			  "cmdline=root=/dev/sda2 console=ttyS0\n"
			  "[old]\n"
			  "kernel=\\EFI\\old\\vmlinuz\n"));
	assert_int_equal(c.nr, 2);
	assert_int_equal(c.timeout, 5);
	assert_int_equal(c.chosen, 1);
	assert_string_equal(c.entry[0].name.text, "new");
	assert_string_equal(c.entry[0].title.text, "Debian GNU/Linux, with Bedplate");
	assert_string_equal(c.entry[0].options.text, "loglevel=info panic=reboot");
	assert_int_equal(c.entry[0].options.line, 8);
	assert_string_equal(c.entry[0].kernel.text, "vmlinuz-6.12");
	assert_int_equal(c.entry[0].nr_initrds, 2);
	assert_string_equal(c.entry[0].initrd[0].text, "ucode.img");
	assert_string_equal(c.entry[0].initrd[1].text, "initrd.img-6.12");
	assert_int_equal(c.entry[0].initrd[1].line, 11);
	assert_string_equal(c.entry[0].cmdline.text, "root=/dev/sda2 console=ttyS0");
	assert_string_equal(c.entry[1].kernel.text, "\\EFI\\old\\vmlinuz");
	assert_string_equal(c.entry[1].title.text, "");
	assert_int_equal(c.entry[1].cmdline.line, 0);
	assert_ptr_equal(conf_find(&c, "old"), &c.entry[1]);
	assert_null(conf_find(&c, "ol"));
	assert_null(conf_find(&c, ""));
}

static void defaults_and_forms(void **state)
{
	(void)state;
	/* The first entry, no menu, no newline at the end, CRLF, blanks, a mark of UTF-8. */
	assert_true(parse("\xef\xbb\xbf[one]\r\n \tkernel =  vmlinuz \t\r\n; "
			  "=x\r\n") == false);
	assert_int_equal(e.line, 3);
	assert_true(parse("\xef\xbb\xbf[one]\r\n \tkernel =  vmlinuz \t\r\n   # x\r\ncmdline="));
	assert_int_equal(c.timeout, 0);
	assert_int_equal(c.chosen, 0);
	assert_string_equal(c.entry[0].kernel.text, "vmlinuz");
	assert_string_equal(c.entry[0].cmdline.text, "");
	assert_int_equal(c.entry[0].cmdline.line, 4);
	/* A value may hold any of the signs. */
	assert_true(parse("[a]\nkernel=v\ncmdline=a=b # [c] \xc3\xa4\n"));
	assert_string_equal(c.entry[0].cmdline.text, "a=b # [c] \xc3\xa4");
	/* [global] may stand last. */
	assert_true(parse("[a]\nkernel=v\n[b]\nkernel=w\n[global]\ndefault=b\ntimeout=3600\n"));
	assert_int_equal(c.chosen, 1);
	assert_int_equal(c.timeout, 3600);
}

static void each_mistake(void **state)
{
	(void)state;
	refused("", 0, "there is no entry");
	refused("# nothing\n\n", 0, "there is no entry");
	refused("[global]\ntimeout=1\n", 0, "there is no entry");
	refused("[a\nkernel=v\n", 1, "ends with ]");
	refused("[]\n", 1, "name");
	refused("[a b]\n", 1, "name");
	refused("[a[b]\n", 1, "name");
	refused("[aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa]\n", 1, "name");
	refused("[a]\nkernel=v\n[a]\n", 3, "[a] is there twice");
	refused("[global]\n[a]\nkernel=v\n[global]\n", 4, "[global] is there twice");
	refused("kernel=v\n[a]\n", 1, "before the first section");
	refused("[a]\nkernel\n", 2, "neither");
	refused("[a]\nkernel=v\n=x\n", 3, "unknown key \"\"");
	refused("[a]\nkernel=v\ninitramfs=x\n", 3, "unknown key \"initramfs\" in [a]");
	refused("[global]\nkernel=v\n", 2, "unknown key \"kernel\" in [global]");
	refused("[a]\nkernel=v\ncmdline=x\n\ncmdline=y\n", 5, "given twice, first in line 3");
	refused("[global]\ndefault=a\ndefault=a\n[a]\nkernel=v\n", 3, "given twice");
	refused("[a]\noptions=x\n", 1, "[a] names no kernel");
	refused("[b]\nkernel=v\n[a]\nkernel=\n", 3, "[a] names no kernel");
	refused("[a]\nkernel=v\ninitrd=\n", 3, "initrd names no file");
	refused("[global]\ndefault=c\n[a]\nkernel=v\n", 2, "there is no entry \"c\"");
	refused("[global]\ndefault=\n[a]\nkernel=v\n", 2, "there is no entry \"\"");
	refused("[global]\ntimeout=\n[a]\nkernel=v\n", 2, "timeout");
	refused("[global]\ntimeout=1s\n[a]\nkernel=v\n", 2, "timeout");
	refused("[global]\ntimeout=-1\n[a]\nkernel=v\n", 2, "timeout");
	refused("[global]\ntimeout=3601\n[a]\nkernel=v\n", 2, "timeout");
	refused("[global]\ntimeout=99999999999999999999\n[a]\nkernel=v\n", 2, "timeout");
	refused("[a]\nkernel=v\x01\n", 2, "control character");
	refused("[a]\rkernel=v\n", 1, "control character");
	assert_false(parse_bytes("[a]\nkernel=v\0w\n", 15));
	assert_int_equal(e.line, 2);
}

static void limits(void **state)
{
	static char s[CONF_MAX_BYTES + 1];
	size_t n = 0;
	u32 i;

	(void)state;
	for (i = 0; i < CONF_MAX_ENTRIES; i++)
		n += sprintf(s + n, "[e%u]\nkernel=v\n", i);
	assert_true(parse(s));
	assert_int_equal(c.nr, CONF_MAX_ENTRIES);
	strcpy(s + n, "[more]\n");
	refused(s, 2 * CONF_MAX_ENTRIES + 1, "more than 32 entries");

	n = sprintf(s, "[a]\nkernel=v\n");
	for (i = 0; i < CONF_MAX_INITRDS; i++)
		n += sprintf(s + n, "initrd=i%u\n", i);
	assert_true(parse(s));
	strcpy(s + n, "initrd=more\n");
	refused(s, CONF_MAX_INITRDS + 3, "more than 8 initrds");

	memset(s, '#', sizeof(s));
	memcpy(s, "[a]\nkernel=v\n", 13);
	assert_true(parse_bytes(s, CONF_MAX_BYTES));
	assert_false(parse_bytes(s, CONF_MAX_BYTES + 1));
	assert_int_equal(e.line, 0);
}

/* One changed, cut or doubled byte, and bytes of all kinds: an answer, and no crash. */
static void hostile(void **state)
{
	static const char good[] = "[global]\ndefault=b\ntimeout=5\n[a]\nkernel=v\ninitrd=i\n"
				   "[b]\r\ntitle=T\noptions=x=y\nkernel=/v\ncmdline=root=/dev/sda\n";
	static const char signs[] = "[]=#\r\n\t \\a\0\xff";
	char s[512];
	u32 i, k;

	(void)state;
	for (i = 0; i < sizeof(good) - 1; i++) {
		parse_bytes(good, i);
		for (k = 0; k < sizeof(signs); k++) {
			memcpy(s, good, sizeof(good));
			s[i] = signs[k];
			parse_bytes(s, sizeof(good) - 1);
		}
	}
	srand(1);
	for (i = 0; i < 20000; i++) {
		for (k = 0; k < 64; k++)
			s[k] = i & 1 ? signs[rand() % sizeof(signs)] : (char)rand();
		if (parse_bytes(s, rand() % 65))
			assert_true(c.nr && c.chosen < c.nr && *c.entry[0].kernel.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_file),
		cmocka_unit_test(defaults_and_forms),
		cmocka_unit_test(each_mistake),
		cmocka_unit_test(limits),
		cmocka_unit_test(hostile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
