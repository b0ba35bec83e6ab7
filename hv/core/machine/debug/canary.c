// SPDX-License-Identifier: GPL-2.0-only
/* What gcc's stack protector calls: one canary for all CPUs, another one at each boot. */
#include "debug.h"
#include "lib/x86.h"
#include "machine/panic.h"

#define CPUID_1_ECX_RDRAND	BIT(30)

extern u64 __stack_chk_guard;
noreturn void __stack_chk_fail(void);

u64 __stack_chk_guard = 0x5ac3a96900ull;

noreturn void __stack_chk_fail(void)
{
	panic("a stack frame's end is overwritten");
}

static u64 rdrand(void)
{
	u64 val = 0;

	if (cpuid(1).ecx & CPUID_1_ECX_RDRAND)
		__asm__ volatile("rdrand %0" : "+r"(val) :: "cc");
	return val;
}

/* A byte of 0 in it ends what copies strings.  Every frame from here on never returns. */
__attribute__((no_stack_protector))
void debug_start(void)
{
	__stack_chk_guard ^= (rdrand() ^ rdtsc() * 0x9e3779b97f4a7c15ull) & ~0xffull;
}
