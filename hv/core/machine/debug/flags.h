/* SPDX-License-Identifier: GPL-2.0-only */
/* RFLAGS, of which a test has its own. */
#ifndef HV_CORE_DEBUG_FLAGS_H
#define HV_CORE_DEBUG_FLAGS_H

#include "lib/types.h"

#ifdef BP_HOST_TEST
u64 read_flags(void);
#else
static inline u64 read_flags(void)
{
	u64 flags;

	__asm__ volatile("pushfq; popq %0" : "=r"(flags));
	return flags;
}
#endif

#endif
