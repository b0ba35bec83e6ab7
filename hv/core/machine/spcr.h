/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SPCR, the table by which firmware names its serial console (Microsoft, "Serial Port
 * Console Redirection Table", revision 4). Pure: tables may be torn.
 */
#ifndef BP_CORE_SPCR_H
#define BP_CORE_SPCR_H

#include "lib/types.h"

struct spcr {
	bool io;		/* the registers are I/O ports */
	bool pci;		/* of PCI function @bdf */
	u16 bdf;
	u64 addr;
	u8 stride, width;	/* as struct uart's */
	u32 baud;		/* 0: as it is set */
};

/*
 * Read the table of @len bytes. NULL, or in one line why no console can be had by it;
 * *out is nothing then.
 */
const char *spcr_parse(const void *table, u32 len, struct spcr *out);

#endif
