/* SPDX-License-Identifier: GPL-2.0-only */
/* Function names by address, from the table that the second link embeds. */
#ifndef BP_CORE_SYMBOLS_H
#define BP_CORE_SYMBOLS_H

#include "lib/types.h"

/* Name of the function that holds @addr, and the offset in it; NULL: none. */
const char *symbol_lookup(u64 addr, u64 *offset);

#endif
