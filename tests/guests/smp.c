/* SPDX-License-Identifier: GPL-2.0-only */
/* Guests with several CPUs: start-up, IPIs in both directions, broadcasts, INIT of a running CPU. */
#include "lib.h"

#define VEC_TO_BSP	0x52
#define VEC_TO_AP	0x53
#define VEC_WAKE	0x54
#define FINISH		P->res[40]

static void wait_for(volatile uint64_t *p, u64 v)
{
	while (*p != v)
		pause();
}

/* Start CPU 1; it must come up with its own APIC id and stack, in the mode the VMM chose. */
void guest_ap_start(int cpu)
{
	apic_enable();
	if (cpu) {
		P->res[2] = P->x2apic ? apic_read(APIC_ID) : apic_read(APIC_ID) >> 24;
		P->res[3] = (u64)__builtin_frame_address(0);
		P->res[1] = 1;
		return;
	}
	start_cpu(1);
	wait_for(&P->res[1], 1);
	GCHECK(P->res[2] == 1);
	GCHECK(P->res[3] > GPA_STACKS + STACK_SIZE && P->res[3] <= GPA_STACKS + 2 * STACK_SIZE);
}

/* arg[0] times: an interrupt to CPU 1, which answers with one to CPU 0; both sleep in HLT. */
void guest_pingpong(int cpu)
{
	u32 vec = cpu ? VEC_TO_AP : VEC_TO_BSP;

	apic_enable();
	count_irq(vec);
	if (cpu) {
		P->res[1] = 1;
	} else {
		start_cpu(1);
		wait_for(&P->res[1], 1);
	}
	for (u32 i = 1; i <= P->arg[0]; i++) {
		if (!cpu)
			apic_icr(1, ICR_FIXED | VEC_TO_AP);
		while (irqs[vec] < i)
			sti_hlt_cli();
		if (cpu)
			apic_icr(0, ICR_FIXED | VEC_TO_BSP);
	}
	P->res[2 + cpu] = irqs[vec];
}

static void ap_nmi(struct trap *t)
{
	(void)t;
	P->res[2]++;
}

/* CPU 1 spins with interrupts off; an NMI reaches it; INIT and a start-up IPI begin it anew. */
void guest_ap_init(int cpu)
{
	apic_enable();
	if (cpu == 2) {
		P->res[1] = 2;
		return;
	}
	if (cpu == 1) {
		set_handler(2, ap_nmi);
		P->res[1] = 1;
		for (;;)
			pause();
	}
	start_cpu(1);
	wait_for(&P->res[1], 1);
	apic_icr(1, ICR_NMI);
	wait_for(&P->res[2], 1);
	start_cpu(1);
	wait_for(&P->res[1], 2);
}

static void tally(struct trap *t)
{
	__atomic_fetch_add(&P->res[t->vec == 2 ? 2 : 3], 1, __ATOMIC_SEQ_CST);
	if (t->vec != 2)
		apic_eoi();
}

/* arg[0] CPUs in all: all-but-self interrupts and NMIs reach each of the others, once. */
void guest_broadcast(int cpu)
{
	u64 others = P->arg[0] - 1;

	apic_enable();
	set_handler(2, tally);
	set_handler(VEC_WAKE, tally);
	if (cpu) {
		__atomic_fetch_add(&P->res[1], 1, __ATOMIC_SEQ_CST);
		while (!FINISH)
			sti_hlt_cli();
		__atomic_fetch_add(&P->res[4], 1, __ATOMIC_SEQ_CST);
		return;
	}
	for (u64 i = 1; i <= others; i++) {
		start_cpu(i);
		wait_for(&P->res[1], i);
	}
	for (int round = 1; round <= 10; round++) {
		apic_icr(0, ICR_FIXED | ICR_ALL_BUT_SELF | VEC_WAKE);
		wait_for(&P->res[3], round * others);
		apic_icr(0, ICR_NMI | ICR_ALL_BUT_SELF);
		wait_for(&P->res[2], round * others);
	}
	FINISH = 1;
	while (P->res[4] != others)
		apic_icr(0, ICR_FIXED | ICR_ALL_BUT_SELF | VEC_WAKE);
}
