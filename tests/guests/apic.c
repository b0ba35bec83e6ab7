/* SPDX-License-Identifier: GPL-2.0-only */
/* Guests for the local APIC of one CPU: timer, self-IPI, task priority, interrupt shadows. */
#include "lib.h"

/* One-shot and periodic timer; arg[0] is the initial count. */
void guest_timer(int cpu)
{
	u32 a, b;
	u64 t0;

	(void)cpu;
	apic_enable();
	count_irq(0x51);
	apic_write(APIC_TDCR, 0xb);		/* divide by 1 */
	apic_write(APIC_LVTT, 0x51);
	t0 = rdtsc();
	apic_write(APIC_TMICT, P->arg[0]);
	a = apic_read(APIC_TMCCT);
	b = apic_read(APIC_TMCCT);
	GCHECK(a <= P->arg[0] && b <= a);
	while (!irqs[0x51])
		sti_hlt_cli();
	P->res[0] = rdtsc() - t0;
	GCHECK(apic_read(APIC_TMCCT) == 0);
	sti();
	for (t0 = rdtsc() + 2 * P->res[0]; rdtsc() < t0; )
		pause();
	cli();
	GCHECK(irqs[0x51] == 1);		/* one-shot */

	apic_write(APIC_LVTT, 0x51 | LVT_PERIODIC);
	apic_write(APIC_TMICT, P->arg[0]);
	while (irqs[0x51] < 6)
		sti_hlt_cli();
	apic_write(APIC_LVTT, 0x51 | LVT_PERIODIC | LVT_MASKED);
	apic_write(APIC_TMICT, 0);
	sti();
	pause();
	cli();
	P->res[1] = irqs[0x51];
	for (t0 = rdtsc() + 2 * P->res[0]; rdtsc() < t0; )
		pause();
	sti();
	pause();
	cli();
	GCHECK(irqs[0x51] == P->res[1]);	/* stopped */
}

/*
 * Armed @ahead ticks from now and disarmed at once: nothing comes.  A host that stands still between the two
 * lets it come; then that one is taken, and it is done anew with more time.
 */
static void disarm(u64 ahead)
{
	u64 deadline;
	u32 before;

	do {
		sti();
		pause();
		cli();
		before = irqs[0x51];
		deadline = rdtsc() + ahead;
		wrmsr(MSR_TSC_DEADLINE, deadline);
		wrmsr(MSR_TSC_DEADLINE, 0);
		ahead *= 2;
	} while (rdtsc() >= deadline);
	sti();
	while (rdtsc() < deadline + ahead)
		pause();
	cli();
	GCHECK(irqs[0x51] == before);
}

/* arg[0]: TSC ticks ahead. */
void guest_deadline(int cpu)
{
	u64 deadline;

	(void)cpu;
	apic_enable();
	count_irq(0x51);
	apic_write(APIC_LVTT, 0x51 | LVT_DEADLINE);
	/* So far ahead that no host, however busy, gets there before the read. */
	deadline = rdtsc() + (1ull << 44);
	wrmsr(MSR_TSC_DEADLINE, deadline);
	GCHECK(rdmsr(MSR_TSC_DEADLINE) == deadline);
	for (u32 i = 1; i <= 5; i++) {
		deadline = rdtsc() + P->arg[0];
		wrmsr(MSR_TSC_DEADLINE, deadline);
		while (irqs[0x51] < i)
			sti_hlt_cli();
		GCHECK(rdtsc() >= deadline);
		GCHECK(rdmsr(MSR_TSC_DEADLINE) == 0);
	}
	/* One in the past fires at once. */
	wrmsr(MSR_TSC_DEADLINE, rdtsc() - 1);
	while (irqs[0x51] < 6)
		sti_hlt_cli();
	disarm(P->arg[0]);
}

static u32 irr(u32 vec) { return apic_read(APIC_IRR + (vec >> 5) * 0x10) >> (vec & 31) & 1; }

static u32 isr_in_handler;

static void check_isr(struct trap *t)
{
	irqs[t->vec]++;
	isr_in_handler = apic_read(APIC_ISR + (t->vec >> 5) * 0x10) >> (t->vec & 31) & 1;
	apic_eoi();
}

void guest_selfipi(int cpu)
{
	(void)cpu;
	apic_enable();
	set_handler(0x51, check_isr);
	count_irq(0x61);
	apic_icr(0, ICR_FIXED | ICR_SELF | 0x51);
	GCHECK(irr(0x51) && irqs[0x51] == 0);
	sti();
	pause();
	cli();
	GCHECK(irqs[0x51] == 1 && isr_in_handler && !irr(0x51));
	GCHECK(!(apic_read(APIC_ISR + 0x20) >> 17 & 1));
	if (P->x2apic) {
		GCHECK(rdmsr(MSR_X2APIC_BASE + 2) == 0);
		wrmsr(MSR_X2APIC_BASE + 0x3f, 0x61);
		TRY("wrmsr", :: "c"(MSR_X2APIC_BASE + 2), "a"(5), "d"(0) : "memory");
		GCHECK(caught.vec == 13);	/* the id is read-only */
	} else {
		apic_icr(0, ICR_FIXED | 0x61);
	}
	GCHECK(irr(0x61));
	/* Two of one vector are one interrupt. */
	apic_icr(0, ICR_FIXED | ICR_SELF | 0x61);
	sti();
	pause();
	pause();
	cli();
	GCHECK(irqs[0x61] == 1);
}

/* Priority: a vector not above the task priority waits, through the register and through CR8. */
void guest_tpr(int cpu)
{
	u64 cr8;

	(void)cpu;
	apic_enable();
	count_irq(0x51);
	count_irq(0x71);
	sti();
	apic_write(APIC_TPR, 0x60);
	asm volatile("mov %%cr8, %0" : "=r"(cr8));
	GCHECK(cr8 == 6);
	apic_icr(0, ICR_FIXED | ICR_SELF | 0x51);
	apic_icr(0, ICR_FIXED | ICR_SELF | 0x71);
	for (int i = 0; i < 1000; i++)
		pause();
	GCHECK(irqs[0x51] == 0 && irqs[0x71] == 1);
	apic_write(APIC_TPR, 0x50);
	pause();
	GCHECK(irqs[0x51] == 0);
	apic_write(APIC_TPR, 0x40);
	pause();
	GCHECK(irqs[0x51] == 1);
	asm volatile("mov %0, %%cr8" :: "r"(6ull) : "memory");
	GCHECK(apic_read(APIC_TPR) == 0x60);
	apic_icr(0, ICR_FIXED | ICR_SELF | 0x51);
	pause();
	GCHECK(irqs[0x51] == 1);
	asm volatile("mov %0, %%cr8" :: "r"(0ull) : "memory");
	pause();
	GCHECK(irqs[0x51] == 2 && apic_read(APIC_TPR) == 0);
	cli();
}

/* STI: the instruction after it runs first, also when that instruction exits. */
void guest_stishadow(int cpu)
{
	u64 first, after;

	(void)cpu;
	apic_enable();
	count_irq(0x51);
	for (int i = 0; i < 20; i++) {
		apic_icr(0, ICR_FIXED | ICR_SELF | 0x51);
		asm volatile("sti; cli" ::: "memory");
		GCHECK(irqs[0x51] == (u32)i * 3);
		asm volatile("lea 1f(%%rip), %0; lea 2f(%%rip), %1; sti; 1: nop; 2: nop; nop; cli"
			     : "=&r"(first), "=&r"(after) :: "memory");
		GCHECK(irqs[0x51] == (u32)i * 3 + 1);
		GCHECK(irq_rip != first && irq_rip >= after);

		apic_icr(0, ICR_FIXED | ICR_SELF | 0x51);
		asm volatile("lea 1f(%%rip), %0; lea 2f(%%rip), %1; sti; 1: cpuid; 2: nop; nop; cli"
			     : "=&S"(first), "=&D"(after) : "a"(0), "c"(0) : "rbx", "rdx", "memory");
		GCHECK(irqs[0x51] == (u32)i * 3 + 2);
		GCHECK(irq_rip >= after);

		apic_icr(0, ICR_FIXED | ICR_SELF | 0x51);
		asm volatile("lea 1f(%%rip), %0; lea 2f(%%rip), %1; sti; 1: out %%eax, %%dx; 2: nop; nop; cli"
			     : "=&S"(first), "=&D"(after) : "a"(0x77), "d"(PORT_SYNC) : "memory");
		GCHECK(irqs[0x51] == (u32)i * 3 + 3);
		GCHECK(irq_rip >= after);
	}
}

/* MOV SS: a periodic timer interrupts this loop anywhere but between MOV SS and what follows. */
void guest_movss(int cpu)
{
	u64 shadowed;

	(void)cpu;
	apic_enable();
	count_irq(0x51);
	apic_write(APIC_TDCR, 0xb);
	apic_write(APIC_LVTT, 0x51 | LVT_PERIODIC);
	apic_write(APIC_TMICT, P->arg[0]);
	sti();
	while (irqs[0x51] < 100) {
		asm volatile("lea 1f(%%rip), %0\n\t"
			     ".rept 8\n\tmov %1, %%ss\n\t1: nop\n\t.endr"
			     : "=&r"(shadowed) : "a"(0x10) : "memory");
		for (int i = 0; i < 8; i++)
			GCHECK(irq_rip != shadowed + i * 3);
	}
	cli();
	apic_write(APIC_TMICT, 0);
	P->res[0] = irqs[0x51];
}
