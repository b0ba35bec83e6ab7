/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Domain 0 may switch the machine off, but not put it to sleep: from S1 to S4 firmware wakes
 * it, and goes on where domain 0 said, without Bedplate.
 */
#ifndef HV_CORE_SLEEP_H
#define HV_CORE_SLEEP_H

#include "lib/types.h"

/*
 * Rename the sleeping states in ACPI's tables, so that domain 0 does not find them, and have
 * accesses to the registers' ports, or pages, exit: writes that begin any state but S5 do nothing. Boot CPU, after
 * acpi_init(), before the back end is chosen.
 */
void sleep_init(void);

/* Does the page at @gpa hold such a register? Domain 0 has none of these pages. */
bool sleep_hit(gpa_t gpa);
/* An access within that page, @size (1, 2, 4, 8) and aligned to it. Any CPU. */
void sleep_access(gpa_t gpa, u32 size, bool write, u64 *val);

#endif
