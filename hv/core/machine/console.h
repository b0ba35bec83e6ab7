/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bedplate's consoles: a 16550 serial port and the VGA text screen. They are
 * Bedplate's from boot until console_release() gives them to domain 0; a panic
 * takes them back. Locking is the log's.
 */
#ifndef BP_CORE_CONSOLE_H
#define BP_CORE_CONSOLE_H

#include "lib/types.h"

#define CONSOLE_NO_SERIAL	0
#define CONSOLE_SERIAL_DEFAULT	0x3f8

/* Start the serial port at I/O @port (0: none) with 115200 8N1. */
void console_init_serial(u16 port);
/* Use the text screen at @base (direct map) of @cols x @rows; NULL: none. */
void console_init_vga(void *base, u32 cols, u32 rows);

/* Write to whatever console Bedplate owns; "\n" becomes "\r\n" on serial. */
void console_write(const char *s, u32 len);

/* Domain 0 drives the devices from now on. */
void console_release(void);
/* Panic: take the devices back, whoever has them. */
void console_seize(void);

#endif
