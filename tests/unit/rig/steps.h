/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Instructions counted by the processor's single step: the same each time, whatever else the
 * machine does.  What is counted runs a few hundred times slower.
 */
#ifndef TESTS_UNIT_STEPS_H
#define TESTS_UNIT_STEPS_H

#include <signal.h>
#include <stdint.h>

#define STEPS_TF	0x100ull

static volatile uint64_t steps_taken;

static void steps_trap(int sig)
{
	(void)sig;
	steps_taken++;
}

static inline void steps_begin(void)
{
	steps_taken = 0;
	__builtin_ia32_writeeflags_u64(__builtin_ia32_readeflags_u64() | STEPS_TF);
}

static inline uint64_t steps_end(void)
{
	__builtin_ia32_writeeflags_u64(__builtin_ia32_readeflags_u64() & ~STEPS_TF);
	return steps_taken;
}

/* What beginning and end count themselves. */
static uint64_t steps_own;

static inline void steps_init(void)
{
	signal(SIGTRAP, steps_trap);
	steps_own = 0;
	steps_begin();
	steps_own = steps_end();
}

#define STEPS(what) ({ steps_begin(); what; steps_end() - steps_own; })

#endif
