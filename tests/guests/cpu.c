/* SPDX-License-Identifier: GPL-2.0-only */
/* Guests for exceptions, HLT and plain spinning. */
#include "lib.h"

#define PTE_P		1
#define PTE_NX		(1ull << 63)
#define TEST_GVA	0x100000000	/* 4 GiB: PDPT entry 4, free for these tests */

static void expect(u64 vec, u64 err)
{
	if (caught.vec == vec && caught.err == err)
		return;
	P->fail_vec = caught.vec;
	P->fail_err = caught.err;
	GCHECK(!"expected exception");
}

/* Map one 2 MiB page of scratch memory at TEST_GVA with @flags. */
static void map_test(u64 flags)
{
	MEM(u64, GPA_TABLES + 0x6000) = GPA_SCRATCH | 0x80 | flags;
	MEM(u64, GPA_TABLES + 0x1000 + 4 * 8) = (GPA_TABLES + 0x6000) | 7;
	asm volatile("invlpg (%0)" :: "r"((u64)TEST_GVA) : "memory");
}

static void page_faults(void)
{
	u64 v;

	TRY("movq (%1), %0", : "=r"(v) : "r"(GVA_UNMAPPED + 0x123ull) : "memory");
	expect(14, 0);
	GCHECK(caught.cr2 == GVA_UNMAPPED + 0x123ull);
	TRY("movb %%al, (%0)", :: "r"(GVA_UNMAPPED + 0x5678ull) : "memory");
	expect(14, 2);
	GCHECK(caught.cr2 == GVA_UNMAPPED + 0x5678ull);
	map_test(PTE_P);
	TRY("movb %%al, (%0)", :: "r"(TEST_GVA + 7ull) : "memory");
	expect(14, 3);
	GCHECK(caught.cr2 == TEST_GVA + 7ull);
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | 0x800);
	map_test(PTE_P | 2 | PTE_NX);
	TRY("jmp *%0", :: "r"((u64)TEST_GVA) : "memory");
	expect(14, 0x11);
	GCHECK(caught.cr2 == TEST_GVA && caught.rip == TEST_GVA);
}

static void single_step(void)
{
	u64 n = 0;

	TRY("pushfq; orl $0x100, (%%rsp); popfq; inc %0; inc %0; pushfq; andl $~0x100, (%%rsp); popfq",
	    : "+r"(n) :: "memory");
	expect(1, 0);
	GCHECK(n == 1);
}

static volatile u64 step_rips[8];
static volatile u32 nr_steps;

/* #DB: note where, and go on without TF after as many as fit. */
static void step_handler(struct trap *t)
{
	u64 dr6;

	asm volatile("mov %%dr6, %0" : "=r"(dr6));
	asm volatile("mov %0, %%dr6" :: "r"(0xffff0ff0ull));
	P->res[0] = dr6;
	P->res[1] = rdmsr(MSR_DEBUGCTL);
	GCHECK(nr_steps < ARRAY_SIZE(step_rips));
	step_rips[nr_steps++] = t->rip;
	if (nr_steps == P->arg[0])
		t->rflags &= ~0x100ull;
}

/* Instructions that exit trap behind them as others do: CPUID, RDMSR, OUT and a load from a device. */
void guest_step_exits(int cpu)
{
	u64 at[5];

	(void)cpu;
	set_handler(1, step_handler);
	P->arg[0] = 5;
	asm volatile("lea 1f(%%rip), %%rax; mov %%rax, 0(%0); lea 2f(%%rip), %%rax; mov %%rax, 8(%0)\n\t"
		     "lea 3f(%%rip), %%rax; mov %%rax, 16(%0); lea 4f(%%rip), %%rax; mov %%rax, 24(%0)\n\t"
		     "lea 5f(%%rip), %%rax; mov %%rax, 32(%0)\n\t"
		     "xor %%eax, %%eax; xor %%ecx, %%ecx\n\t"
		     "pushfq; orl $0x100, (%%rsp); popfq\n\t"
		     "nop; 1: cpuid; 2: mov $0x277, %%ecx\n\t"
		     "3: rdmsr; 4: mov (%1), %%eax; 5: nop"
		     :: "r"(at), "r"((u64)GPA_MMIO) : "rax", "rbx", "rcx", "rdx", "memory");
	for (int i = 0; i < 5; i++)
		GCHECK(step_rips[i] == at[i]);
	GCHECK(nr_steps == 5 && (P->res[0] & 0x4000));
}

/* INT1 traps: its handler returns to the next instruction, and DR6 has no news. */
void guest_int1(int cpu)
{
	u64 behind;

	(void)cpu;
	set_handler(1, step_handler);
	asm volatile("lea 1f(%%rip), %0; .byte 0xf1; 1: nop" : "=&r"(behind) :: "memory");
	GCHECK(nr_steps == 1 && step_rips[0] == behind);
	GCHECK(!(P->res[0] & 0xe00f));
}

/* A step from branch to branch: the next one is an ordinary step, unless it is asked for again. */
void guest_step_branch(int cpu)
{
	u64 at[2];

	(void)cpu;
	set_handler(1, step_handler);
	P->arg[0] = 2;
	asm volatile("lea 1f(%%rip), %%rax; mov %%rax, 0(%0); lea 2f(%%rip), %%rax; mov %%rax, 8(%0)\n\t"
		     "mov %1, %%ecx; mov $2, %%eax; xor %%edx, %%edx; wrmsr\n\t"
		     "pushfq; orl $0x100, (%%rsp); popfq; jmp 1f; nop; 1: nop; 2: nop"
		     :: "r"(at), "i"(MSR_DEBUGCTL) : "rax", "rcx", "rdx", "memory");
	GCHECK(nr_steps == 2 && step_rips[0] == at[0] && step_rips[1] == at[1]);
	GCHECK(!(P->res[1] & 2));
}

/* #DB: past the breakpoint. */
static void resume_handler(struct trap *t)
{
	GCHECK(nr_steps < ARRAY_SIZE(step_rips));
	step_rips[nr_steps++] = t->rip;
	t->rflags |= 0x10000;
}

/* RF holds for one instruction, also for one that exits: a breakpoint on the next one counts. */
void guest_resume_flag(int cpu)
{
	u64 at[2];

	(void)cpu;
	set_handler(1, resume_handler);
	asm volatile("lea 1f(%%rip), %%rax; mov %%rax, 0(%0); mov %%rax, %%dr0\n\t"
		     "lea 2f(%%rip), %%rax; mov %%rax, 8(%0); mov %%rax, %%dr1\n\t"
		     "mov $0x40a, %%eax; mov %%rax, %%dr7; xor %%eax, %%eax; xor %%ecx, %%ecx\n\t"
		     "1: cpuid; 2: nop; mov $0x400, %%eax; mov %%rax, %%dr7"
		     :: "r"(at) : "rax", "rbx", "rcx", "rdx", "memory");
	GCHECK(nr_steps == 2 && step_rips[0] == at[0] && step_rips[1] == at[1]);
}

void guest_exceptions(int cpu)
{
	u64 zero = 0;

	(void)cpu;
	TRY("ud2", ::: "memory");
	expect(6, 0);
	TRY("xor %%edx, %%edx; div %0", :: "r"(zero) : "rax", "rdx", "memory");
	expect(0, 0);
	TRY("movq (%0), %%rax", :: "r"(0x8000000000000000ull) : "rax", "memory");
	expect(13, 0);
	TRY("mov %0, %%fs", :: "r"(0x1238) : "memory");
	expect(13, 0x1238);
	TRY("mov %%rax, %%cr4", :: "a"(1ull << 40) : "memory");
	expect(13, 0);
	TRY("int3", ::: "memory");
	expect(3, 0);
	page_faults();
	asm volatile("mov %%cr0, %%rax; or $8, %%rax; mov %%rax, %%cr0" ::: "rax", "memory");
	TRY("fninit", ::: "memory");
	expect(7, 0);
	asm volatile("clts");
	TRY("fninit", ::: "memory");
	expect(TRAP_NONE, 0);
	single_step();
}

/* No counters; no address beyond MAXPHYADDR, which is 52 bits at most. */
void guest_forbidden(int cpu)
{
	u64 cr3;

	(void)cpu;
	asm volatile("mov %%cr3, %0" : "=r"(cr3));
	TRY("rdpmc", :: "c"(0) : "rax", "rdx", "memory");
	expect(13, 0);
	TRY("mov %0, %%cr3", :: "r"(cr3 | 1ull << 60) : "memory");
	expect(13, 0);
	asm volatile("mov %%cr3, %0" : "=r"(P->res[0]));
	GCHECK(P->res[0] == cr3);
}

/*
 * Bits of CR4 that come with state nobody moves: SMXE, KL, CET, PKS, UINTR, LASS.  The width of
 * addresses does not change in long mode.
 */
void guest_hidden_cr4(int cpu)
{
	static const u8 bits[] = { 12, 14, 19, 23, 24, 25, 27 };
	u64 cr4;

	(void)cpu;
	asm volatile("mov %%cr4, %0" : "=r"(cr4));
	for (u32 i = 0; i < sizeof(bits); i++) {
		TRY("mov %0, %%cr4", :: "r"(cr4 ^ 1ull << bits[i]) : "memory");
		expect(13, 0);
	}
	TRY("xsetbv", :: "a"(0x60003), "c"(0), "d"(0) : "memory");	/* AMX's tiles */
	GCHECK(caught.vec == 13 || caught.vec == 6);
	asm volatile("mov %%cr4, %0" : "=r"(P->res[0]));
	GCHECK(P->res[0] == cr4);
}

/* No usable IDT: #UD, then #GP, then a shutdown. */
void guest_triple(int cpu)
{
	struct { u16 limit; u64 base; } __attribute__((packed)) none = { 0, 0 };

	(void)cpu;
	sync_point(1);
	asm volatile("lidt %0\n\tud2" :: "m"(none));
}

/* An exception whose frame has no memory to go to. */
void guest_stack_in_mmio(int cpu)
{
	(void)cpu;
	asm volatile("mov %0, %%rsp\n\tud2" :: "r"((u64)GPA_MMIO + 0x800));
}

/* Count in res[0] until arg[0] is written; the VMM interrupts it. */
void guest_spin(int cpu)
{
	(void)cpu;
	while (!P->arg[0])
		P->res[0]++;
}

/* arg[0] times: HLT until vector 0x51 comes. */
void guest_hlt(int cpu)
{
	(void)cpu;
	apic_enable();
	count_irq(0x51);
	sync_point(1);
	for (u64 i = 0; i < P->arg[0]; i++) {
		while (irqs[0x51] == i)
			sti_hlt_cli();
		P->res[0] = irqs[0x51];
	}
}
