/* SPDX-License-Identifier: GPL-2.0-only */
/* Start of a guest's C code, traps and the local APIC: see lib.h. */
#include "lib.h"

struct idt_gate {
	u16 off0, sel, flags, off1;
	u32 off2, zero;
};

struct idt_gate idt[256] __attribute__((aligned(16)));
extern u8 vectors[];

struct caught caught;
volatile u64 trap_resume;
volatile u32 irqs[256];
volatile u64 irq_rip;
static void (*handlers[256])(struct trap *t);

#define GUEST_ENTRY(name) guest_##name,
static void (*const guests[])(int cpu) = { GUESTS(GUEST_ENTRY) };

void fail(const char *expr, const char *file, int line)
{
	P->fail_expr = (u64)expr;
	P->fail_file = (u64)file;
	P->fail_line = line;
	for (;;)
		outl(PORT_FAIL, 1);
}

/* Called by trap_common in start.S for every vector. */
void trap(struct trap *t)
{
	if (handlers[t->vec]) {
		handlers[t->vec](t);
		return;
	}
	if (t->vec < 32 && trap_resume) {
		caught = (struct caught){ t->vec, t->err, t->rip, read_cr2() };
		t->rip = trap_resume;
		t->rflags &= ~0x100ull;
		return;
	}
	P->fail_expr = 0;
	P->fail_vec = t->vec;
	P->fail_err = t->err;
	P->fail_rip = t->rip;
	P->fail_cr2 = read_cr2();
	for (;;)
		outl(PORT_FAIL, 2);
}

void set_handler(int vec, void (*fn)(struct trap *t))
{
	handlers[vec] = fn;
}

static void counting_handler(struct trap *t)
{
	irqs[t->vec]++;
	irq_rip = t->rip;
	apic_eoi();
}

void count_irq(int vec)
{
	set_handler(vec, counting_handler);
}

/*
 * The spurious-interrupt vector: no EOI, unless it is in service after all, as on Bochs when a
 * notification of posted interrupts finds nothing posted (docs/testbed.md).
 */
static void spurious_handler(struct trap *t)
{
	if (apic_read(APIC_ISR + (t->vec >> 5) * 0x10) >> (t->vec & 31) & 1)
		apic_eoi();
}

static void idt_init(void)
{
	set_handler(0xff, spurious_handler);
	for (int i = 0; i < 256; i++) {
		u64 a = (u64)vectors + i * 16;

		idt[i] = (struct idt_gate){ a, 0x18, 0x8e00, a >> 16, a >> 32, 0 };
	}
}

/* The first CPU's gates serve all. */
void guest_main(int cpu)
{
	if (cpu == 0)
		idt_init();
	guests[P->guest](cpu);
	for (;;)
		outl(PORT_DONE, cpu);
}

void apic_enable(void)
{
	u64 base = rdmsr(MSR_APIC_BASE) | 0x800;

	if (P->x2apic)
		base |= 0x400;
	wrmsr(MSR_APIC_BASE, base);
	apic_write(APIC_TPR, 0);
	apic_write(APIC_SVR, 0x1ff);
}

u32 apic_read(u32 reg)
{
	if (P->x2apic)
		return rdmsr(MSR_X2APIC_BASE + (reg >> 4));
	return MEM(u32, 0xfee00000ull + reg);
}

void apic_write(u32 reg, u32 v)
{
	if (P->x2apic)
		wrmsr(MSR_X2APIC_BASE + (reg >> 4), v);
	else
		MEM(u32, 0xfee00000ull + reg) = v;
}

void apic_eoi(void)
{
	apic_write(APIC_EOI, 0);
}

void apic_icr(u32 dest, u32 lo)
{
	if (P->x2apic) {
		wrmsr(MSR_X2APIC_BASE + (APIC_ICR >> 4), (u64)dest << 32 | lo);
		return;
	}
	MEM(u32, 0xfee00000ull + APIC_ICR + 0x10) = dest << 24;
	MEM(u32, 0xfee00000ull + APIC_ICR) = lo;
}

void start_cpu(u32 id)
{
	u32 before = *(volatile u32 *)&P->cpus;

	apic_icr(id, ICR_INIT);
	apic_icr(id, ICR_SIPI | GPA_IMAGE >> 12);
	while (*(volatile u32 *)&P->cpus == before)
		pause();
}
