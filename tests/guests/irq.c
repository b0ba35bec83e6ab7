/* SPDX-License-Identifier: GPL-2.0-only */
/* Guests for the PIC, the IOAPIC, the PIT and NMI. */
#include "lib.h"

#define PIC_BASE	0x20
#define IOAPIC		0xfec00000ull

/* Both PICs on vectors 0x20 to 0x2f, everything masked but @unmasked; @level is the ELCR. */
static void pic_init(u16 unmasked, u16 level)
{
	outb(0x20, 0x11);
	outb(0x21, PIC_BASE);
	outb(0x21, 4);
	outb(0x21, 1);
	outb(0xa0, 0x11);
	outb(0xa1, PIC_BASE + 8);
	outb(0xa1, 2);
	outb(0xa1, 1);
	outb(0x4d0, level);
	outb(0x4d1, level >> 8);
	outb(0x21, ~unmasked);
	outb(0xa1, ~unmasked >> 8);
	apic_enable();
	apic_write(APIC_LVT0, 0x700);
}

/* arg[0]: IRQ; arg[1]: level-triggered; the third interrupt asks the VMM to lower the line. */
static void pic_handler(struct trap *t)
{
	u32 irq = t->vec - PIC_BASE;

	irqs[t->vec]++;
	if (P->arg[1] && irqs[t->vec] == 3)
		sync_point(3);
	if (irq >= 8)
		outb(0xa0, 0x20);
	outb(0x20, 0x20);
}

/* Interrupts that are due come in here. */
static void drain(void)
{
	sti();
	for (int i = 0; i < 1000; i++)
		pause();
	cli();
}

void guest_pic(int cpu)
{
	u32 irq = P->arg[0], vec = PIC_BASE + irq, want = P->arg[1] ? 3 : 1;

	(void)cpu;
	pic_init(1 << irq | 1 << 2, P->arg[1] ? 1 << irq : 0);
	set_handler(vec, pic_handler);
	sync_point(1);
	while (irqs[vec] < want)
		sti_hlt_cli();
	sync_point(2);
	drain();
	P->res[0] = irqs[vec];
}

static void ioapic_write(u32 reg, u32 v)
{
	MEM(u32, IOAPIC) = reg;
	MEM(u32, IOAPIC + 0x10) = v;
}

/* Pin @pin alone delivers: the same line also leads to the PIC, which is silenced. */
static void ioapic_init(u32 pin, u32 entry)
{
	outb(0x21, 0xff);
	outb(0xa1, 0xff);
	ioapic_write(0x11 + pin * 2, 0);
	ioapic_write(0x10 + pin * 2, entry);
}

static u32 ioapic_read(u32 reg)
{
	MEM(u32, IOAPIC) = reg;
	return MEM(u32, IOAPIC + 0x10);
}

static void ioapic_handler(struct trap *t)
{
	irqs[t->vec]++;
	if (P->arg[1] && irqs[t->vec] == 2)
		sync_point(3);
	apic_eoi();
}

/* arg[0]: pin; arg[1]: level-triggered; the second interrupt asks the VMM to lower the line. */
void guest_ioapic(int cpu)
{
	u32 pin = P->arg[0], want = P->arg[1] ? 2 : 1;

	(void)cpu;
	apic_enable();
	set_handler(0x51, ioapic_handler);
	GCHECK((ioapic_read(1) >> 16 & 0xff) == 23);
	ioapic_init(pin, 0x51 | (P->arg[1] ? 1 << 15 : 0));
	GCHECK((ioapic_read(0x10 + pin * 2) & 0x1a7ff) == (0x51u | (P->arg[1] ? 1 << 15 : 0)));
	sync_point(1);
	while (irqs[0x51] < want)
		sti_hlt_cli();
	sync_point(2);
	drain();
	P->res[0] = irqs[0x51];
	P->res[1] = ioapic_read(0x10 + pin * 2);
}

/*
 * Wait until vectors 0x51 and 0x52 came arg[0] times together, with a stage between; IOAPIC pin
 * arg[1] delivers 0x52.  The VMM's MSIs and irqfds are what comes.
 */
void guest_irqcount(int cpu)
{
	(void)cpu;
	apic_enable();
	count_irq(0x51);
	count_irq(0x52);
	ioapic_init(P->arg[1], 0x52);
	sync_point(1);
	for (u32 n = 1; n <= P->arg[0]; n++) {
		while (irqs[0x51] + irqs[0x52] < n)
			sti_hlt_cli();
		P->res[0] = irqs[0x51];
		P->res[1] = irqs[0x52];
		sync_point(1 + n);
	}
}

static volatile u32 nmi_depth, nmi_depth_max;

static void nmi_handler(struct trap *t)
{
	irqs[t->vec]++;
	nmi_depth++;
	if (nmi_depth > nmi_depth_max)
		nmi_depth_max = nmi_depth;
	if (irqs[2] == 1)
		sync_point(2);		/* the VMM sends another: it must wait for IRET */
	for (int i = 0; i < 1000; i++)
		pause();
	nmi_depth--;
}

void guest_nmi(int cpu)
{
	(void)cpu;
	set_handler(2, nmi_handler);
	sync_point(1);
	while (irqs[2] < 2)
		pause();
	P->res[0] = irqs[2];
	P->res[1] = nmi_depth_max;
}

static u32 pit_count(void)
{
	u32 lo;

	outb(0x43, 0);			/* latch channel 0 */
	lo = inb(0x40);
	return lo | inb(0x40) << 8;
}

#define PIT_DIVISOR	(1193182 / 200)

/* Channel 0 at about 200 Hz in mode 2 through the PIC. */
static void pit_ticks(void)
{
	pic_init(1, 0);
	set_handler(PIC_BASE, pic_handler);
	outb(0x43, 0x34);
	outb(0x40, PIT_DIVISOR & 0xff);
	outb(0x40, PIT_DIVISOR >> 8);
}

/* arg[0] ticks, and the counter's value in between. */
void guest_pit(int cpu)
{
	u32 a, b, moved = 0;

	(void)cpu;
	pit_ticks();
	P->res[1] = rdtsc();
	while (irqs[PIC_BASE] < P->arg[0])
		sti_hlt_cli();
	P->res[2] = rdtsc();
	P->res[0] = irqs[PIC_BASE];
	for (int i = 0; i < 50; i++) {
		a = pit_count();
		b = pit_count();
		GCHECK(a <= PIT_DIVISOR && b <= PIT_DIVISOR);
		moved += a != b;
	}
	GCHECK(moved);
}

/*
 * Interrupts are off from the first tick of 200 Hz until stage 1 is over, then on
 * for arg[0] cycles; res[0]: how many came then.
 */
void guest_pitlate(int cpu)
{
	u64 start;

	(void)cpu;
	pit_ticks();
	sync_point(1);
	start = rdtsc();
	sti();
	while (rdtsc() - start < P->arg[0])
		;
	cli();
	P->res[0] = irqs[PIC_BASE];
}

/* Let channel 2 count down from 8191 in mode 0, which takes 6.9 ms; returns the TSC before that. */
static u64 load_channel2(void)
{
	u64 start = rdtsc();

	outb(0x61, 0);
	outb(0x43, 0xb0);
	outb(0x42, 0xff);
	outb(0x42, 0x1f);
	return start;
}

/*
 * Channel 2: its output goes high when the count in mode 0 has run out, and not before; the gate does not hold
 * it.  arg[0]: the TSC ticks that the count takes at least.
 */
void guest_port61(int cpu)
{
	u64 start, n = 0;

	(void)cpu;
	/* A host that stands still for so long makes it high at once. */
	while (start = load_channel2(), inb(0x61) & 0x20)
		GCHECK(rdtsc() - start >= P->arg[0]);
	outb(0x61, 1);
	GCHECK((inb(0x61) & 3) == 1);
	while (!(inb(0x61) & 0x20))
		GCHECK(++n < 10000000);
	P->res[0] = rdtsc() - start;
}

static void extint_handler(struct trap *t)
{
	irqs[t->vec]++;
}

/*
 * Vector 0x61 from a PIC that the VMM has: taken when interrupts are enabled, held back by
 * a masked LINT0, and waking from HLT.
 */
void guest_extint(int cpu)
{
	(void)cpu;
	apic_enable();
	apic_write(APIC_LVT0, 0x700);
	set_handler(0x61, extint_handler);
	sync_point(1);
	drain();
	GCHECK(irqs[0x61] == 1);
	apic_write(APIC_LVT0, 0x10700);
	sync_point(2);
	drain();
	GCHECK(irqs[0x61] == 1);
	apic_write(APIC_LVT0, 0x700);
	apic_eoi();			/* KVM looks again at this, not at the write before */
	drain();
	GCHECK(irqs[0x61] == 2);
	sync_point(3);
	sti_hlt_cli();
	P->res[0] = irqs[0x61];
}
