/* SPDX-License-Identifier: GPL-2.0-only */
/* Atomic operations. All read-modify-write operations are full barriers. */
#ifndef BP_CORE_ATOMIC_H
#define BP_CORE_ATOMIC_H

#include "types.h"

/* On any naturally aligned integer or pointer; give the old value. */
#define xchg(p, x)		__atomic_exchange_n((p), (x), __ATOMIC_SEQ_CST)
#define fetch_add(p, x)		__atomic_fetch_add((p), (x), __ATOMIC_SEQ_CST)
#define fetch_or(p, x)		__atomic_fetch_or((p), (x), __ATOMIC_SEQ_CST)
#define fetch_and(p, x)		__atomic_fetch_and((p), (x), __ATOMIC_SEQ_CST)
/* Store @new if *@p is @old; the value found is returned. */
#define cmpxchg(p, old, new) ({					\
	__typeof__(*(p)) cx_old_ = (old);			\
	__atomic_compare_exchange_n((p), &cx_old_, (new), false,	\
				    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);	\
	cx_old_; })

/* Store 16 bytes, aligned to that, so that nobody sees half of them. */
static inline void store_128(u64 *p, u64 lo, u64 hi)
{
	u64 old_lo = READ_ONCE(p[0]), old_hi = READ_ONCE(p[1]);

	__asm__ volatile("1: lock; cmpxchg16b %0\n"
			 "jne 1b"
			 : "+m"(*(u64 (*)[2])p), "+a"(old_lo), "+d"(old_hi)
			 : "b"(lo), "c"(hi) : "memory", "cc");
}

#endif
