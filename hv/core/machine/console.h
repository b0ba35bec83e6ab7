/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bedplate's consoles: at most one serial line (serial.h) and one screen (screen.h). They
 * are Bedplate's from boot until console_release() gives them to domain 0; a panic
 * takes them back. Locking is the log's.
 */
#ifndef BP_CORE_CONSOLE_H
#define BP_CORE_CONSOLE_H

#include "lib/types.h"

struct console {
	const char *name;
	/* Any text; lines end with "\n". */
	void (*write)(const char *s, u32 len);
	/* Panic: domain 0 may have left the device in any state. False: it cannot be had. */
	bool (*seize)(void);
	/*
	 * Called once, when our own page tables have just replaced the image's, which
	 * mapped all below 4 GiB. May be NULL. False: the device is given up.
	 */
	bool (*remap)(void);
};

/* Boot: write to @con from now on; after console_remap() also what the log has so far. */
void console_add(const struct console *con);
/* Boot, right after paging_init(), before anything is written. */
void console_remap(void);

/* Write to whatever consoles Bedplate owns. */
void console_write(const char *s, u32 len);

/* Domain 0 drives the devices from now on. */
void console_release(void);
/* Panic: take the devices back, whoever has them. */
void console_seize(void);

#endif
