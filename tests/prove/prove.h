/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What harnesses of make prove are written with; scripts/prove says what one looks like.
 * CBMC takes prove_u8() and the like for any value at all, and looks at every run that
 * assume() lets go on.
 */
#ifndef TESTS_PROVE_PROVE_H
#define TESTS_PROVE_PROVE_H

#include "hv/core/lib/types.h"

#ifndef CBMC		/* a plain compiler only looks at the syntax */
void __CPROVER_assume(bool condition);
void __CPROVER_assert(bool condition, const char *what);
void __CPROVER_havoc_object(void *p);
bool __CPROVER_r_ok(const void *p, u64 bytes);
#endif

u8 nondet_u8(void);
u16 nondet_u16(void);
u32 nondet_u32(void);
u64 nondet_u64(void);
bool nondet_bool(void);

/* Go on only where it holds. */
#define assume(condition)	__CPROVER_assume(condition)
/* It holds in every run that comes here. */
#define prove(condition)	__CPROVER_assert((condition), #condition)

/*
 * Instead of machine/panic.h, so include this first: the host's own would end a run without
 * a word.  An ASSERT() of the code is proved as well.
 */
#define BP_CORE_PANIC_H
#define ASSERT(condition)	do { prove(condition); assume(condition); } while (0)
#define panic(...)		do { prove(!"panic"); assume(false); } while (0)

/* May @bytes bytes at @p be read? */
#define can_read(p, bytes)	__CPROVER_r_ok(p, bytes)

/* Any number from @low to @high. */
static inline u64 any_of(u64 low, u64 high)
{
	u64 n = nondet_u64();

	assume(n >= low && n <= high);
	return n;
}

/*
 * The last @bytes of the array @room, which has whatever it has: an access beyond them is one
 * beyond the array, and is found.  CBMC is quicker with that than with an object whose size is
 * a variable.
 */
#define tail_of(room, bytes)	((room) + sizeof(room) - (bytes))

#endif
