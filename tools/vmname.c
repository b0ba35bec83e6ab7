// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmname.h"

#define ENOUGH	(128u << 10)	/* of a command line, which may be as long as its process likes */

/* Bytes at @s that a terminal could take for a command: a control character of ASCII, or of UTF-8. */
static size_t control_len(const char *s)
{
	if ((u8)*s == 0xc2 && (u8)s[1] >= 0x80 && (u8)s[1] < 0xa0)
		return 2;
	return (u8)*s < ' ' || *s == 0x7f;
}

/* "debian,debug-threads=on", "guest=debian,process=x": a comma in a name is doubled. */
static void copy_name(const char *word, char *name, size_t size)
{
	const char *guest = strstr(word, "guest=");
	size_t n = 0, control;

	if (guest && (guest == word || guest[-1] == ','))
		word = guest + 6;
	for (; *word && n + 1 < size; word++) {
		if (*word == ',' && word[1] != ',')
			break;
		word += *word == ',';
		control = control_len(word);
		name[n++] = control ? '?' : *word;
		word += control == 2;
	}
	name[n] = 0;
}

bool vm_name_parse(const char *cmdline, size_t len, char *name, size_t size)
{
	const char *word = cmdline, *end = cmdline + len;
	bool next = false;

	while (word < end && memchr(word, 0, end - word)) {
		if (next && *word && *word != ',') {
			copy_name(word, name, size);
			return *name;
		}
		next = !strcmp(word, "-name") || !strcmp(word, "--name");
		word += strlen(word) + 1;
	}
	return false;
}

void vm_name(u64 pid, char *name, size_t size)
{
	char path[64], found[64];
	size_t len;
	char *text;

	snprintf(path, sizeof(path), "/proc/%llu/cmdline", pid);
	text = file_read_start(path, &len, ENOUGH);
	if (text && vm_name_parse(text, len, found, sizeof(found)))
		snprintf(name, size, "%s", found);
	free(text);
}
