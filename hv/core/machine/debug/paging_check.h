/* SPDX-License-Identifier: GPL-2.0-only */
/* The pure part of debug_check_paging(), for the unit tests too. */
#ifndef HV_CORE_DEBUG_PAGING_CHECK_H
#define HV_CORE_DEBUG_PAGING_CHECK_H

#include "lib/types.h"

/*
 * Is there an address (*@bad) that can be written and executed, or by which the
 * frames [@from, @to) can be written?
 */
bool paging_find_bad(const u64 *pml4, hpa_t from, hpa_t to, u64 *bad);

#endif
