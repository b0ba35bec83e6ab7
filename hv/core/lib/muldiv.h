/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef HV_CORE_MULDIV_H
#define HV_CORE_MULDIV_H

#include "types.h"

/* a * b / c through 128 bits; the caller sees to it that the quotient fits. */
static inline u64 muldiv(u64 a, u64 b, u64 c)
{
	u64 lo, hi;

	__asm__("mulq %3" : "=a"(lo), "=d"(hi) : "0"(a), "rm"(b) : "cc");
	__asm__("divq %4" : "=a"(lo), "=d"(hi) : "0"(lo), "1"(hi), "rm"(c) : "cc");
	return lo;
}

#endif
