/* SPDX-License-Identifier: GPL-2.0-only */
/* Atomic counters and bits. All read-modify-write operations are full barriers. */
#ifndef BP_CORE_ATOMIC_H
#define BP_CORE_ATOMIC_H

#include "types.h"

typedef struct { u32 v; } atomic_t;
typedef struct { u64 v; } atomic64_t;

#define ATOMIC_INIT(x)	{ (x) }

#define atomic_read(a)		__atomic_load_n(&(a)->v, __ATOMIC_RELAXED)
#define atomic_set(a, x)	__atomic_store_n(&(a)->v, (x), __ATOMIC_RELAXED)
#define atomic_add(a, x)	((void)__atomic_fetch_add(&(a)->v, (x), __ATOMIC_SEQ_CST))
#define atomic_sub(a, x)	((void)__atomic_fetch_sub(&(a)->v, (x), __ATOMIC_SEQ_CST))
#define atomic_inc(a)		atomic_add(a, 1)
#define atomic_dec(a)		atomic_sub(a, 1)
/* These give the new value. */
#define atomic_add_return(a, x)	__atomic_add_fetch(&(a)->v, (x), __ATOMIC_SEQ_CST)
#define atomic_sub_return(a, x)	__atomic_sub_fetch(&(a)->v, (x), __ATOMIC_SEQ_CST)
#define atomic_dec_and_test(a)	(atomic_sub_return(a, 1) == 0)

/* The generic ones, on any naturally aligned integer or pointer; give the old value. */
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

/* Bitmaps of u64 words: bit n is bit n % 64 of word n / 64. */
static inline bool test_bit(const u64 *map, u32 n)
{
	return __atomic_load_n(&map[n / 64], __ATOMIC_RELAXED) & BIT(n % 64);
}

static inline void set_bit(u64 *map, u32 n)
{
	fetch_or(&map[n / 64], BIT(n % 64));
}

static inline void clear_bit(u64 *map, u32 n)
{
	fetch_and(&map[n / 64], ~BIT(n % 64));
}

static inline bool test_and_set_bit(u64 *map, u32 n)
{
	return fetch_or(&map[n / 64], BIT(n % 64)) & BIT(n % 64);
}

static inline bool test_and_clear_bit(u64 *map, u32 n)
{
	return fetch_and(&map[n / 64], ~BIT(n % 64)) & BIT(n % 64);
}

#endif
