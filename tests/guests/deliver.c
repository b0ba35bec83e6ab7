/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guests for the ways in which a local APIC delivers, by hardware or not: to a CPU that runs, that
 * sleeps behind a task priority, that is in a handler; before and after a change of mode.
 */
#include "lib.h"

#define VEC_LOW		0x41
#define VEC		0x51
#define VEC_HIGH	0x71
#define READY		P->res[1]
#define FINISH		P->res[40]

static u32 bit(u32 reg, u32 vec)
{
	return apic_read(reg + (vec >> 5) * 0x10) >> (vec & 31) & 1;
}

/*
 * arg[0] interrupts to CPU 1, one after the other, and then three vectors at once as often: CPU 1 runs all the
 * time and makes no exit of its own.  arg[1]: how long to wait between them.
 */
void guest_ipi_running(int cpu)
{
	static const u8 vecs[] = { VEC_LOW, VEC, VEC_HIGH };
	u32 i, k;

	apic_enable();
	if (cpu) {
		for (k = 0; k < 3; k++)
			count_irq(vecs[k]);
		sti();
		READY = 1;
		while (!FINISH)
			asm volatile("" ::: "memory");
		cli();
		for (k = 0; k < 3; k++)
			P->res[2 + k] = irqs[vecs[k]];
		return;
	}
	start_cpu(1);
	while (!READY)
		pause();
	for (i = 1; i <= P->arg[0]; i++) {
		apic_icr(1, ICR_FIXED | VEC);
		while (irqs[VEC] != i)
			asm volatile("" ::: "memory");
		for (u64 t = rdtsc() + P->arg[1]; rdtsc() < t; )
			asm volatile("" ::: "memory");
	}
	for (i = 1; i <= P->arg[0]; i++) {
		for (k = 0; k < 3; k++)
			apic_icr(1, ICR_FIXED | vecs[k]);
		while (irqs[VEC_LOW] != i || irqs[VEC] != P->arg[0] + i || irqs[VEC_HIGH] != i)
			asm volatile("" ::: "memory");
	}
	FINISH = 1;
	while (!P->res[4])
		pause();
}

/* CPU 0 sleeps with a task priority: what that holds back does not wake it, what is above does. */
void guest_halt_priority(int cpu)
{
	apic_enable();
	if (cpu) {
		for (u64 n = 1; n <= P->arg[0]; n++) {
			while (READY != n)
				pause();
			for (u64 t = rdtsc() + P->arg[1]; rdtsc() < t; )
				pause();
			apic_icr(0, ICR_FIXED | VEC);
			apic_icr(0, ICR_FIXED | VEC_LOW);
			for (u64 t = rdtsc() + P->arg[1]; rdtsc() < t; )
				pause();
			P->res[2] = n;
			apic_icr(0, ICR_FIXED | VEC_HIGH);
		}
		return;
	}
	count_irq(VEC_LOW);
	count_irq(VEC);
	count_irq(VEC_HIGH);
	start_cpu(1);
	for (u64 n = 1; n <= P->arg[0]; n++) {
		apic_write(APIC_TPR, 0x60);
		READY = n;
		sti_hlt_cli();
		GCHECK(P->res[2] == n && irqs[VEC_HIGH] == n);
		GCHECK(irqs[VEC] == n - 1 && irqs[VEC_LOW] == n - 1);
		GCHECK(bit(APIC_IRR, VEC) && bit(APIC_IRR, VEC_LOW) && !bit(APIC_IRR, VEC_HIGH));
		asm volatile("mov %0, %%cr8" :: "r"(4ull) : "memory");
		sti();
		pause();
		pause();
		cli();
		GCHECK(irqs[VEC] == n && irqs[VEC_LOW] == n - 1);
		apic_write(APIC_TPR, 0);
		sti_hlt_cli();
		GCHECK(irqs[VEC_LOW] == n);
	}
}

static u32 order[8], came;

static void note(struct trap *t)
{
	order[came++ & 7] = t->vec;
	if (t->vec == VEC) {
		/* In service, with one above and one below pending: the VMM reads and writes the state. */
		apic_icr(0, ICR_FIXED | ICR_SELF | VEC_HIGH);
		apic_icr(0, ICR_FIXED | ICR_SELF | VEC_LOW);
		GCHECK(bit(APIC_ISR, VEC));
		sync_point(1);
		GCHECK(bit(APIC_ISR, VEC) && bit(APIC_IRR, VEC_LOW) && bit(APIC_IRR, VEC_HIGH));
	}
	apic_eoi();
}

/* arg[0]: a vector that the VMM adds meanwhile. */
void guest_in_service(int cpu)
{
	(void)cpu;
	apic_enable();
	set_handler(VEC_LOW, note);
	set_handler(VEC, note);
	set_handler(VEC_HIGH, note);
	set_handler(P->arg[0], note);
	apic_icr(0, ICR_FIXED | ICR_SELF | VEC);
	sti();
	while (came < 4)
		pause();
	cli();
	for (int i = 0; i < 4; i++)
		P->res[i] = order[i];
	for (int i = 0; i < 8; i++)
		GCHECK(!apic_read(APIC_ISR + i * 0x10) && !apic_read(APIC_IRR + i * 0x10));
}

/* What is pending and what is in service when the APIC goes from xAPIC to x2APIC mode stays so. */
static void change_mode(struct trap *t)
{
	(void)t;
	irqs[VEC]++;
	apic_icr(0, ICR_FIXED | ICR_SELF | VEC_LOW);
	apic_write(APIC_TPR, 0x20);
	P->x2apic = 1;
	wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | 0x400);
	GCHECK(bit(APIC_ISR, VEC) && bit(APIC_IRR, VEC_LOW) && apic_read(APIC_TPR) == 0x20);
	GCHECK(rdmsr(MSR_X2APIC_BASE + 0x0a) == 0x50);	/* PPR */
	apic_eoi();
	GCHECK(!bit(APIC_ISR, VEC) && rdmsr(MSR_X2APIC_BASE + 0x0a) == 0x20);
}

void guest_apic_mode(int cpu)
{
	(void)cpu;
	P->x2apic = 0;
	apic_enable();
	set_handler(VEC, change_mode);
	count_irq(VEC_LOW);
	apic_icr(0, ICR_FIXED | ICR_SELF | VEC);
	sti();
	while (!irqs[VEC_LOW])
		pause();
	cli();
	GCHECK(irqs[VEC] == 1 && irqs[VEC_LOW] == 1);
	/* Each register that reads as it stands, and those that may not be touched. */
	GCHECK(rdmsr(MSR_X2APIC_BASE + 2) == 0 && (apic_read(0x30) & 0xff) >= 0x10);
	GCHECK(apic_read(0xd0) == 1 && apic_read(APIC_SVR) == 0x1ff);
	apic_write(APIC_LVTT, VEC | LVT_MASKED);
	GCHECK(apic_read(APIC_LVTT) == (VEC | LVT_MASKED));
	apic_icr(5, ICR_FIXED | 0x60);
	GCHECK(rdmsr(MSR_X2APIC_BASE + 0x30) == (5ull << 32 | ICR_FIXED | 0x60));
	TRY("rdmsr", :: "c"(MSR_X2APIC_BASE + 0x0b) : "rax", "rdx", "memory");
	GCHECK(caught.vec == 13);
	TRY("rdmsr", :: "c"(MSR_X2APIC_BASE + 0x3f) : "rax", "rdx", "memory");
	GCHECK(caught.vec == 13);
	TRY("wrmsr", :: "c"(MSR_X2APIC_BASE + 0x0b), "a"(1), "d"(0) : "memory");
	GCHECK(caught.vec == 13);
	TRY("wrmsr", :: "c"(MSR_X2APIC_BASE + 0x08), "a"(0x100), "d"(0) : "memory");
	GCHECK(caught.vec == 13);
	GCHECK(apic_read(APIC_TPR) == 0x20);
}

/* arg[0] reads of a register of the xAPIC page, from one stage to the next. */
static void read_often(u32 stage)
{
	P->x2apic = 0;
	apic_enable();
	apic_write(APIC_LVTT, VEC | LVT_MASKED);
	sync_point(stage);
	for (u64 i = 0; i < P->arg[0]; i++)
		GCHECK(apic_read(APIC_LVTT) == (VEC | LVT_MASKED));
	sync_point(stage + 1);
}

/* The VMM brings the APIC back to xAPIC mode at stage 3. */
void guest_apic_reads(int cpu)
{
	(void)cpu;
	read_often(1);
	P->x2apic = 1;
	apic_enable();
	sync_point(3);
	for (u32 stage = 4; stage <= 8; stage += 2)
		read_often(stage);
}

/* arg[0]: how often the level-triggered vector comes; its EOI is the VMM's to see. */
void guest_level_eoi(int cpu)
{
	(void)cpu;
	apic_enable();
	count_irq(VEC);
	count_irq(VEC_LOW);
	sync_point(1);
	while (irqs[VEC] < P->arg[0])
		sti_hlt_cli();
	/* The same vector, edge-triggered: nobody need be told. */
	apic_icr(0, ICR_FIXED | ICR_SELF | VEC);
	while (irqs[VEC] <= P->arg[0])
		sti_hlt_cli();
	P->res[0] = irqs[VEC];
}

/* An interrupt that a debugger holds back from stage 1 to 2: res[0], res[1], how many came by when. */
void guest_blocked_irq(int cpu)
{
	(void)cpu;
	apic_enable();
	count_irq(VEC);
	sync_point(1);
	apic_icr(0, ICR_FIXED | ICR_SELF | VEC);
	asm volatile("sti; nop; nop; cli");
	P->res[0] = irqs[VEC];
	sync_point(2);
	asm volatile("sti; nop; nop; cli");
	P->res[1] = irqs[VEC];
	apic_icr(0, ICR_FIXED | ICR_SELF | VEC);
	asm volatile("sti; nop; nop; cli");
	P->res[2] = irqs[VEC];
}
