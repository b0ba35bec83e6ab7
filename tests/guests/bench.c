/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guests of the benchmark: arg[0] round trips after arg[1] to warm up; res[0] gets the TSC ticks that
 * the former took.  All use x2APIC.
 *
 * A vector may arrive more often than it was sent: an emulator is known to
 * deliver one twice (docs/testbed.md).  So each round trip waits for the next
 * arrival, not for a count.
 */
#include "lib.h"
#include "marks.h"

#define LOOP(body) do { \
	u64 n_ = P->arg[0], warm_ = P->arg[1], t_; \
	for (u64 i = 0; i < warm_; i++) { body; } \
	MARK_BEGIN(); \
	t_ = rdtsc(); \
	for (u64 i = 0; i < n_; i++) { body; } \
	P->res[0] = rdtsc() - t_; \
	MARK_END(); \
} while (0)

/* Waits until the vector came once more than BEFORE, the count read before it was sent. */
static void await(u32 before)
{
	while (irqs[0x51] == before)
		pause();
}

void guest_bench_cpuid(int cpu)
{
	(void)cpu;
	LOOP(cpuid(0));
}

void guest_bench_rdmsr(int cpu)
{
	(void)cpu;
	LOOP(rdmsr(MSR_APIC_BASE));
}

void guest_bench_in(int cpu)
{
	(void)cpu;
	LOOP(inl(PORT_TEST));
}

void guest_bench_mmio(int cpu)
{
	(void)cpu;
	LOOP(MEM(u32, GPA_MMIO) = 1);
}

/* A thread of the service VM has taken the bell, and counted it. */
static void await_answer(u64 before)
{
	while (*(volatile u64 *)&P->arg[4] == before)
		pause();
}

/* arg[2]: 1 = port instead of MMIO, 2 = port, and somebody answers. */
void guest_bench_ioeventfd(int cpu)
{
	u64 before;

	(void)cpu;
	if (P->arg[2] == 2)
		LOOP(before = P->arg[4]; outw(PORT_TEST, 1); await_answer(before));
	else if (P->arg[2])
		LOOP(outw(PORT_TEST, 1));
	else
		LOOP(MEM(u16, GPA_MMIO) = 1);
}

void guest_bench_selfipi(int cpu)
{
	u32 before;

	(void)cpu;
	apic_enable();
	count_irq(0x51);
	sti();
	LOOP(before = irqs[0x51]; wrmsr(MSR_X2APIC_BASE + 0x3f, 0x51); await(before));
	cli();
}

/* Until *stop; arg[2]: spinning instead of halting. */
static void take_interrupts(const volatile uint64_t *stop)
{
	while (!*stop) {
		if (P->arg[2]) {
			sti();
			pause();
			cli();
		} else {
			sti_hlt_cli();
		}
	}
}

/* CPU 1's handler is the answer; arg[2]: CPU 1 spins instead of halting. */
void guest_bench_ipi(int cpu)
{
	volatile uint64_t *stop = &P->res[40];
	u32 before;

	apic_enable();
	count_irq(0x51);
	if (cpu) {
		P->res[1] = 1;
		take_interrupts(stop);
		return;
	}
	start_cpu(1);
	while (!P->res[1])
		pause();
	LOOP(before = irqs[0x51]; apic_icr(1, ICR_FIXED | 0x51); await(before));
	*stop = 1;
	apic_icr(1, ICR_FIXED | 0x51);
}

static volatile u64 fired;

static void deadline_handler(struct trap *t)
{
	fired = rdtsc();
	irqs[t->vec]++;
	apic_eoi();
}

/* From the deadline, arg[2] ticks ahead, to the handler's first instruction, out of HLT. */
void guest_bench_timer(int cpu)
{
	u64 deadline, late = 0, n = P->arg[0] + P->arg[1];

	(void)cpu;
	apic_enable();
	set_handler(0x51, deadline_handler);
	apic_write(APIC_LVTT, 0x51 | LVT_DEADLINE);
	for (u64 i = 0; i < n; i++) {
		u32 before = irqs[0x51];

		if (i == P->arg[1])
			MARK_BEGIN();
		deadline = rdtsc() + P->arg[2];
		wrmsr(MSR_TSC_DEADLINE, deadline);
		while (irqs[0x51] == before)
			sti_hlt_cli();
		if (i >= P->arg[1])
			late += fired - deadline;
	}
	MARK_END();
	P->res[0] = late;
}

/* A deadline that is now: armed, fired and taken, without HLT. */
void guest_bench_deadline(int cpu)
{
	u32 before;

	(void)cpu;
	apic_enable();
	count_irq(0x51);
	apic_write(APIC_LVTT, 0x51 | LVT_DEADLINE);
	sti();
	LOOP(before = irqs[0x51]; wrmsr(MSR_TSC_DEADLINE, rdtsc()); await(before));
	cli();
}

static void arrival(struct trap *t)
{
	(void)t;
	P->res[1]++;
	apic_eoi();
	if (P->arg[3])
		outw(PORT_TEST, 1);
}

/*
 * Takes interrupts, counted in res[1], until res[40] is set; arg[2]: spins instead of halting; arg[3]: rings
 * back.
 */
void guest_bench_irqfd(int cpu)
{
	volatile uint64_t *stop = &P->res[40];

	(void)cpu;
	apic_enable();
	set_handler(0x51, arrival);
	P->res[2] = 1;
	take_interrupts(stop);
}

/* Writes to each of arg[1] pages from arg[0] on, and stops at a stage, for ever. */
void guest_bench_dirty(int cpu)
{
	(void)cpu;
	for (;; sync_point(1))
		for (u64 i = 0; i < P->arg[1]; i++)
			MEM(u64, P->arg[0] + i * 4096)++;
}

/* All CPUs halt, with a tick each arg[0] us if that is not 0, until res[40] is set; res[2]: how many are up. */
void guest_bench_idle(int cpu)
{
	volatile uint64_t *stop = &P->res[40];
	u64 left = P->arg[1];

	apic_enable();
	count_irq(0x51);
	if (!cpu)
		for (u32 id = 1; id <= left; id++)
			start_cpu(id);
	if (P->arg[0]) {
		apic_write(APIC_LVTT, 0x51 | LVT_PERIODIC);
		apic_write(APIC_TDCR, 0xb);
		apic_write(APIC_TMICT, P->arg[0] * 1000);
	}
	__atomic_fetch_add(&P->res[2], 1, __ATOMIC_SEQ_CST);
	while (!*stop)
		sti_hlt_cli();
}
