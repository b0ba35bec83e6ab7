/* SPDX-License-Identifier: GPL-2.0-only */
/* Text on the firmware's consoles. */
#ifndef BP_EFI_SAY_H
#define BP_EFI_SAY_H

#include "uefi.h"

/* printf.h has the formats. A line is at most 255 characters; '\n' ends it. */
void say(const char *fmt, ...) __printf(1, 2);

/* "bedplate: " and the text as a line of its own; gives @status back. */
EFI_STATUS fail(EFI_STATUS status, const char *fmt, ...) __printf(2, 3);

/* The same for line @line of the configuration; 0: of all of it. */
EFI_STATUS fail_conf(EFI_STATUS status, u32 line, const char *fmt, ...) __printf(3, 4);

/* A firmware's status in a word or two. */
const char *status_text(EFI_STATUS status);

#endif
