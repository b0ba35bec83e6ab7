/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The other checks of a debug build (make DEBUG=1, docs/assurance.md), where the code calls
 * them; nothing in other builds.  What they find is a panic.
 */
#ifndef HV_CORE_DEBUG_H
#define HV_CORE_DEBUG_H

#include "lib/types.h"
#include "lock.h"

/* CPUID leaves by which domain 0 asks: the report below; and + n: fault n of seed.c. */
#define DEBUG_LEAF	0x400001e0u

#ifdef BP_DEBUG

#define OFF_PLACES	64

/* How long interrupts were off at most, after what switched them off. */
struct off_place {
	const char *what;
	u64 detail;
	u64 max;			/* TSC ticks */
	u64 warned;
	u32 count;
};

struct debug_cpu {
	struct lock_stack locks;
	u32 nmis;			/* NMIs and machine checks being handled */
	u64 off_since;			/* 0: they are on, or not measured yet */
	const char *off_what;
	u64 off_detail;
	u32 off_lost;			/* more places than fit */
	struct off_place off[OFF_PLACES];
};
#define DEBUG_CPU_MEMBER	struct debug_cpu debug;

/* The BSP's first: a canary of its own for each boot. */
void debug_start(void);
/* No mapping of @root is writable and executable, or writes to the image's text or constants. */
void debug_check_paging(hpa_t root);

/* Freed frames, and their allocation; where a free list goes through the first @skip bytes. */
void debug_poison(void *page, u64 pages, u64 skip);
void debug_check_poison(const void *page, u64 pages, u64 skip);

void debug_no_locks(const char *when);
/* Interrupts come on, or a guest is entered; they are off again because of @what. */
void debug_irqs_on(void);
void debug_irqs_off(const char *what, u64 detail);
/* What switched them off was that hypercall of domain 0's. */
void debug_hypercall(u64 number);
/* Around the handling of a trap. */
void debug_trap_begin(u64 vector);
void debug_trap_end(u64 vector);
/* Into the log: each CPU's longest time with interrupts off; @all (or loglevel=debug): by place. */
void debug_report(bool all);
void debug_cpuid(u32 leaf);

#else

/* Macros, so that nothing that is passed is computed. */
#define DEBUG_CPU_MEMBER
#define debug_start()				do { } while (0)
#define debug_check_paging(root)		do { } while (0)
#define debug_poison(page, pages, skip)		do { } while (0)
#define debug_check_poison(page, pages, skip)	do { } while (0)
#define debug_irqs_on()				do { } while (0)
#define debug_irqs_off(what, detail)		do { } while (0)
#define debug_hypercall(number)			do { } while (0)
#define debug_trap_begin(vector)		do { } while (0)
#define debug_trap_end(vector)			do { } while (0)
#define debug_report(all)			do { } while (0)
#define debug_cpuid(leaf)			do { } while (0)

#endif

#endif
