// SPDX-License-Identifier: GPL-2.0-only
/* Waiting with nothing to run; the contract is in idle.h. */
#include "idle.h"

#include "cmdline.h"
#include "cpu.h"
#include "lib/x86.h"
#include "log.h"
#include "tsc.h"

#define ONE_ECX_MONITOR		BIT(3)
#define MWAIT_ECX_LISTS		BIT(0)		/* EDX says which states there are */
#define MWAIT_ECX_BREAKS	BIT(1)		/* an interrupt ends it with IF clear */
#define POWER_EAX_ARAT		BIT(2)		/* the local APIC's timer does not stop */
#define EXT7_EDX_TSC		BIT(8)		/* nor does the TSC */

/* Deep states take some 100 us to leave, and more to be worth it. */
#define FAR_US	1000

static u32 hint = IDLE_HLT;

/* Four bits of EDX count the kinds of each state, from C0 on; C1 is 0 in a hint's bits 7:4. */
u32 idle_choose(const struct idle_enum *e)
{
	u32 need = MWAIT_ECX_LISTS | MWAIT_ECX_BREAKS, n;

	if (!(e->one_ecx & ONE_ECX_MONITOR) || (e->mwait_ecx & need) != need ||
	    !(e->power_eax & POWER_EAX_ARAT) || !(e->ext7_edx & EXT7_EDX_TSC))
		return IDLE_HLT;
	for (n = 7; n >= 1; n--)
		if (e->mwait_edx >> n * 4 & 0xf)
			return (n - 1) << 4;
	return IDLE_HLT;
}

void idle_init(void)
{
	struct idle_enum e = { .one_ecx = cpuid(1).ecx };

	if (!hv_options.idle_deep)
		return;
	if (cpuid(0).eax >= 6) {
		e.mwait_ecx = cpuid(5).ecx;
		e.mwait_edx = cpuid(5).edx;
		e.power_eax = cpuid(6).eax;
	}
	if (cpuid(0x80000000).eax >= 0x80000007)
		e.ext7_edx = cpuid(0x80000007).edx;
	hint = idle_choose(&e);
	if (hint == IDLE_HLT)
		log_warn("idle: HLT; no deeper state in which timer and TSC go on");
	else
		log_info("idle: MWAIT %x", hint);
}

/* Nobody writes to what is watched: a kick is an interrupt. */
void idle_wait(void)
{
	struct cpu *c = this_cpu();
	u64 next = c->timers.programmed;

	if (hint == IDLE_HLT || (next && (s64)(next - rdtsc()) < (s64)tsc_from_us(FAR_US))) {
		sti_hlt_cli();
		return;
	}
	monitor(&c->timers.programmed);
	mwait(hint);
	sti_nop_cli();
}
