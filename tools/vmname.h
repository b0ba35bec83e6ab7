/* SPDX-License-Identifier: GPL-2.0-only */
/* The name that a VM was started with: of QEMU's option -name. */
#ifndef BEDPLATE_VMNAME_H
#define BEDPLATE_VMNAME_H

#include "tool.h"

/*
 * From a command line as /proc/PID/cmdline has it, words of @len bytes in all, each with a
 * NUL behind; what a terminal could take for a command becomes '?'.  False: none there.
 */
bool vm_name_parse(const char *cmdline, size_t len, char *name, size_t size);
/* Of a process; @name is left alone if it says none. */
void vm_name(u64 pid, char *name, size_t size);

#endif
