/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Domain 0 may switch the machine off, but not put it to sleep: from S1 to S4 firmware wakes
 * it, and goes on where domain 0 said, without Bedplate.
 */
#ifndef HV_CORE_SLEEP_H
#define HV_CORE_SLEEP_H

/*
 * Rename the sleeping states in ACPI's tables, so that domain 0 does not find them, and have
 * the registers' ports exit: writes that begin any state but S5 do nothing. Boot CPU, after
 * acpi_init(), before the back end is chosen.
 */
void sleep_init(void);

#endif
