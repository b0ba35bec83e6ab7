/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bedplate.conf, the configuration beside the UEFI application (docs/uefi.md).
 * Pure, tested on the host with hostile input.
 */
#ifndef BP_EFI_CONF_H
#define BP_EFI_CONF_H

#include "hv/core/lib/types.h"

#define CONF_MAX_BYTES		(64 * 1024)
#define CONF_MAX_ENTRIES	32
#define CONF_MAX_INITRDS	8
#define CONF_MAX_TIMEOUT	3600	/* seconds */

/* A value and the number of its line; text is "" and line 0 if it is not given. */
struct conf_value {
	const char *text;
	u32 line;
};

struct conf_entry {
	struct conf_value name;		/* without the brackets */
	struct conf_value title, options, kernel, cmdline;
	struct conf_value initrd[CONF_MAX_INITRDS];
	u32 nr_initrds;
};

struct conf {
	u32 timeout;			/* seconds; 0: no menu */
	u32 chosen;			/* index of the entry that is the default */
	u32 nr;				/* at least 1 */
	struct conf_entry entry[CONF_MAX_ENTRIES];
};

struct conf_error {
	u32 line;			/* 0: of the file as a whole */
	char text[128];
};

/*
 * Read @len bytes at @text, with room for one byte more. The text is changed, and
 * what *c points to lies in it. False: *e says why, and *c means nothing.
 */
bool conf_parse(char *text, size_t len, struct conf *c, struct conf_error *e);

/* The entry of that name; NULL: there is none. */
const struct conf_entry *conf_find(const struct conf *c, const char *name);

#endif
