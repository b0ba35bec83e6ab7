/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The vector by which Bedplate interrupts a CPU of Linux's, and what Linux calls then.  Process
 * context on the CPU itself; 0 or a negative errno.
 */
#ifndef BEDPLATE_UPCALL_H
#define BEDPLATE_UPCALL_H

int bp_upcall_init(void (*handler)(void));
void bp_upcall_exit(void);
/* The calling CPU's vector. */
int bp_upcall_online(void);
void bp_upcall_offline(void);

#endif
