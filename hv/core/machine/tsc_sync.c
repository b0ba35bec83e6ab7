// SPDX-License-Identifier: GPL-2.0-only
/* Time stamp counters that agree, or that are known not to; the contract is in tsc.h. */
#include "lib/atomic.h"
#include "lib/x86.h"
#include "tsc.h"

#define CPUID_7_EBX_TSC_ADJUST	BIT(1)
#define ROUNDS			16

bool tsc_alike = true;

static bool has_adjust;
static u64 boot_adjust;

/* Who is asked; a round is answered when both counts are the same. */
static struct {
	u32 cpu;
	u32 round, answered;
	u64 tsc;
} question;

void tsc_adjust_init(void)
{
	has_adjust = cpuid(0).eax >= 7 && (cpuid(7).ebx & CPUID_7_EBX_TSC_ADJUST);
	if (has_adjust)
		boot_adjust = rdmsr(MSR_TSC_ADJUST);
}

bool tsc_adjust_sync(void)
{
	if (!has_adjust || rdmsr(MSR_TSC_ADJUST) == boot_adjust)
		return false;
	wrmsr(MSR_TSC_ADJUST, boot_adjust);
	return true;
}

void tsc_sync_answer(u32 cpu)
{
	u32 round = smp_load_acquire(&question.round);

	if (READ_ONCE(question.cpu) != cpu || round == READ_ONCE(question.answered))
		return;
	question.tsc = rdtsc_ordered();
	smp_store_release(&question.answered, round);
}

/* How far @seen, which was read meanwhile, is outside of [before, after]. */
static s64 outside(u64 before, u64 seen, u64 after)
{
	if ((s64)(seen - before) < 0)
		return (s64)(seen - before);
	return max((s64)(seen - after), (s64)0);
}

static u64 magnitude(s64 n)
{
	return n < 0 ? -(u64)n : (u64)n;
}

s64 tsc_sync_ask(u32 cpu)
{
	u64 before, after;
	s64 off, most = 0;
	u32 i, round;

	for (i = 0; i < ROUNDS; i++) {
		before = rdtsc_ordered();
		WRITE_ONCE(question.cpu, cpu);
		round = question.round + 1;
		smp_store_release(&question.round, round);
		while (smp_load_acquire(&question.answered) != round)
			pause();
		after = rdtsc_ordered();
		off = outside(before, question.tsc, after);
		if (magnitude(off) > magnitude(most))
			most = off;
	}
	return most;
}
