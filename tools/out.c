// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "out.h"

char *human_bytes(char *buf, size_t size, u64 bytes)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double n = bytes / 1024.0;
	size_t i = 0;

	if (bytes < 1024) {
		snprintf(buf, size, "%u B", (u32)bytes);
		return buf;
	}
	for (; n >= 1023.95 && i + 1 < ARRAY_SIZE(units); i++)
		n /= 1024;
	snprintf(buf, size, "%.1f %s", n, units[i]);
	return buf;
}

char *human_time(char *buf, size_t size, u64 ns)
{
	u64 tenths = ns / 100000000, s = tenths / 10;
	u32 tenth = tenths % 10;

	if (s < 60)
		snprintf(buf, size, "%u.%u", (u32)s, tenth);
	else if (s < 3600)
		snprintf(buf, size, "%u:%02u.%u", (u32)(s / 60), (u32)(s % 60), tenth);
	else
		snprintf(buf, size, "%llu:%02u:%02u", (s / 3600),
			 (u32)(s / 60 % 60), (u32)(s % 60));
	return buf;
}

char *human_count(char *buf, size_t size, double n)
{
	static const char units[] = " kMGT";
	size_t i = 0;

	for (; n >= 999.5 && units[i + 1]; i++)
		n /= 1000;
	if (!i)
		snprintf(buf, size, "%.0f", n);
	else
		snprintf(buf, size, n < 9.995 ? "%.2f%c" : n < 99.95 ? "%.1f%c" : "%.0f%c", n, units[i]);
	return buf;
}

/* Bytes of the UTF-8 character at @s; 0: it is none (also those that are too long by rule). */
static size_t utf8_len(const u8 *s)
{
	size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;
	size_t i;

	for (i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

/* One character, or the sign for a bad byte; how many bytes it was. */
static size_t put_utf8(FILE *f, const char *s)
{
	size_t n = utf8_len((const u8 *)s);

	if (n)
		fwrite(s, 1, n, f);
	else
		fputs("\xef\xbf\xbd", f);
	return n ? n : 1;
}

void json_string(FILE *f, const char *s)
{
	fputc('"', f);
	while (*s) {
		if (*s == '"' || *s == '\\')
			fprintf(f, "\\%c", *s++);
		else if ((u8)*s < 0x20)
			fprintf(f, "\\u%04x", *s++);
		else
			s += put_utf8(f, s);
	}
	fputc('"', f);
}

void label_value(FILE *f, const char *s)
{
	while (*s) {
		if (*s == '\n') {
			fputs("\\n", f);
			s++;
		} else if (*s == '"' || *s == '\\') {
			fprintf(f, "\\%c", *s++);
		} else {
			s += put_utf8(f, s);
		}
	}
}
