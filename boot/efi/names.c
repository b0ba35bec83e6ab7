// SPDX-License-Identifier: GPL-2.0-only
/* Names of 16-bit characters; the contract is in names.h. */
#include "names.h"
#include "hv/core/lib/string.h"

size_t name_len(const u16 *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n])
		n++;
	return n;
}

void name_to_text(char *out, size_t size, const u16 *s, size_t len)
{
	size_t i;

	for (i = 0; i < len && i + 1 < size; i++)
		out[i] = s[i] >= ' ' && s[i] < 0x7f ? (char)s[i] : '?';
	out[i] = 0;
}

static bool slash(u16 c)
{
	return c == '/' || c == '\\';
}

/* Length of @self up to and with its last separator. */
static size_t directory(const u16 *self)
{
	size_t n = name_len(self, NAME_PATH_MAX);

	while (n && !slash(self[n - 1]))
		n--;
	return n;
}

const char *name_path(u16 out[NAME_PATH_MAX], const u16 *self, const char *path)
{
	size_t n = 0, i, len = strlen(path);

	if (!slash((u8)*path)) {
		n = directory(self);
		memcpy(out, self, n * sizeof(*out));
	}
	if (n + len >= NAME_PATH_MAX)
		return "has a name that is too long";
	for (i = 0; i < len; i++) {
		if (path[i] < ' ' || path[i] >= 0x7f)
			return "has a name that is not all ASCII";
		out[n++] = slash((u8)path[i]) ? '\\' : (u8)path[i];
	}
	out[n] = 0;
	return NULL;
}

/* Word @which of @text, blanks between; its length, 0: there are not so many. */
static size_t word(const char *text, u32 which, const char **start)
{
	const char *s;

	for (;; which--) {
		while (*text == ' ')
			text++;
		for (s = text; *text && *text != ' '; text++)
			;
		if (!which || text == s) {
			*start = s;
			return text - s;
		}
	}
}

static bool is_application(const char *s, size_t n)
{
	static const char end[] = ".efi";
	size_t i, len = sizeof(end) - 1;

	if (n < len)
		return false;
	for (i = 0; i < len; i++)
		if ((s[n - len + i] | 0x20) != (end[i] | 0x20))
			return false;
	return true;
}

static bool is_text(const u16 *s, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (s[i] < ' ' || s[i] >= 0x7f)
			return false;
	return true;
}

void name_of_entry(char *out, size_t size, const u16 *options, u32 len)
{
	char text[NAME_PATH_MAX];
	size_t n = name_len(options, len / sizeof(*options));
	const char *s;

	out[0] = 0;
	if (len % sizeof(*options) || n >= sizeof(text) || !is_text(options, n))
		return;
	name_to_text(text, sizeof(text), options, n);
	n = word(text, 0, &s);
	if (is_application(s, n))
		n = word(text, 1, &s);
	n = min(n, size - 1);
	memcpy(out, s, n);
	out[n] = 0;
}
