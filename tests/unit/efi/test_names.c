// SPDX-License-Identifier: GPL-2.0-only
/* Paths on the volume, and the words that the application was started with. */
// SOURCES: boot/efi/names.c
// CFLAGS: -fshort-wchar
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <wchar.h>
#include <cmocka.h>

#include "boot/efi/names.h"
#include "hv/core/lib/string.h"

#define SELF	(const u16 *)L"\\EFI\\bedplate\\bedplate.efi"

static void path_is(const u16 *self, const char *path, const char *want)
{
	u16 out[NAME_PATH_MAX];
	char text[NAME_PATH_MAX];

	assert_null(name_path(out, self, path));
	name_to_text(text, sizeof(text), out, name_len(out, NAME_PATH_MAX));
	assert_string_equal(text, want);
}

static void paths(void **state)
{
	(void)state;
	path_is(SELF, "vmlinuz", "\\EFI\\bedplate\\vmlinuz");
	path_is(SELF, "a/b\\c", "\\EFI\\bedplate\\a\\b\\c");
	path_is(SELF, "/boot/vmlinuz", "\\boot\\vmlinuz");
	path_is(SELF, "\\boot", "\\boot");
	path_is((const u16 *)L"bedplate.efi", "vmlinuz", "vmlinuz");
	path_is((const u16 *)L"", "vmlinuz", "vmlinuz");
	path_is((const u16 *)L"/EFI/x.efi", "vmlinuz", "/EFI/vmlinuz");
}

static void wrong_paths(void **state)
{
	u16 out[NAME_PATH_MAX];
	char s[NAME_PATH_MAX + 1];

	(void)state;
	memset(s, 'a', sizeof(s) - 1);
	s[NAME_PATH_MAX] = 0;
	assert_non_null(name_path(out, SELF, s));
	s[NAME_PATH_MAX - 1] = 0;
	assert_non_null(name_path(out, SELF, s));
	assert_null(name_path(out, (const u16 *)L"", s));
	assert_non_null(name_path(out, SELF, "ke\xc3\xa4rnel"));
	assert_non_null(name_path(out, SELF, "a\tb"));
}

static void entry_is(const void *options, u32 len, const char *want)
{
	char out[16];

	name_of_entry(out, sizeof(out), options, len);
	assert_string_equal(out, want);
}

#define ENTRY(text, want)	entry_is(L##text, sizeof(L##text), want)

static void entries(void **state)
{
	(void)state;
	ENTRY("", "");
	ENTRY("debian", "debian");
	ENTRY("  debian  quiet", "debian");
	ENTRY("bedplate.efi", "");
	ENTRY("fs0:\\EFI\\bedplate\\BEDPLATE.EFI debian", "debian");
	ENTRY(".efi a", "a");
	ENTRY("efi a", "efi");
	/* Cut to the room there is; and what is no text is nothing. */
	ENTRY("0123456789abcdef", "0123456789abcde");
	ENTRY("a\tb", "");
	ENTRY("\xff61", "");
	entry_is(L"debian", 12, "debian");	/* not ended */
	entry_is(L"debian", 11, "");		/* half a character */
	entry_is(NULL, 0, "");
}

static void text(void **state)
{
	char out[4];

	(void)state;
	name_to_text(out, sizeof(out), (const u16 *)L"abcdef", 6);
	assert_string_equal(out, "abc");
	name_to_text(out, sizeof(out), (const u16 *)L"a\x1234", 2);
	assert_string_equal(out, "a?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths),
		cmocka_unit_test(wrong_paths),
		cmocka_unit_test(entries),
		cmocka_unit_test(text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
