/* SPDX-License-Identifier: GPL-2.0-only */
/* Guests that show their registers to the VMM and take what it sets. */
#include "lib.h"

/*
 * Read MSR arg[0] until it is arg[1]; res[0] counts. With interrupts on, so that Bochs
 * ends the loop, which has no exit, also on SVM.
 */
void guest_msrloop(int cpu)
{
	(void)cpu;
	sti();
	do
		P->res[0]++;
	while (rdmsr(P->arg[0]) != P->arg[1]);
}

/* All registers hold REG(n) at stage 1 but RAX and RDX; what they hold after it goes to res[], from 0x7050. */
void guest_regs(int cpu)
{
	(void)cpu;
	asm volatile(
		"push %%rbp\n\t"
		"mov %%rsp, 0x200000\n\t"
		"mov $0x1000000000000003, %%rbx\n\tmov $0x1000000000000001, %%rcx\n\t"
		"mov $0x1000000000000006, %%rsi\n\tmov $0x1000000000000007, %%rdi\n\t"
		"mov $0x1000000000000005, %%rbp\n\tmov $0x1000000000000004, %%rsp\n\t"
		"mov $0x1000000000000008, %%r8\n\tmov $0x1000000000000009, %%r9\n\t"
		"mov $0x100000000000000a, %%r10\n\tmov $0x100000000000000b, %%r11\n\t"
		"mov $0x100000000000000c, %%r12\n\tmov $0x100000000000000d, %%r13\n\t"
		"mov $0x100000000000000e, %%r14\n\tmov $0x100000000000000f, %%r15\n\t"
		"mov %[port], %%edx\n\tmov $1, %%eax\n\t"
		"out %%eax, %%dx\n\t"
		"mov %%rax, 0x7050\n\tmov %%rcx, 0x7058\n\tmov %%rdx, 0x7060\n\tmov %%rbx, 0x7068\n\t"
		"mov %%rsp, 0x7070\n\tmov %%rbp, 0x7078\n\tmov %%rsi, 0x7080\n\tmov %%rdi, 0x7088\n\t"
		"mov %%r8, 0x7090\n\tmov %%r9, 0x7098\n\tmov %%r10, 0x70a0\n\tmov %%r11, 0x70a8\n\t"
		"mov %%r12, 0x70b0\n\tmov %%r13, 0x70b8\n\tmov %%r14, 0x70c0\n\tmov %%r15, 0x70c8\n\t"
		"mov 0x200000, %%rsp\n\tpushfq\n\tpop 0x70d0\n\tpop %%rbp"
		:: [port]"i"(PORT_SYNC)
		: "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
		  "r15", "memory");
}

#define XMM_EACH(op) \
	op(0) op(1) op(2) op(3) op(4) op(5) op(6) op(7) op(8) op(9) op(10) op(11) op(12) op(13) op(14) op(15)
#define XMM_LOAD(n) "movdqu " #n "*16(%0), %%xmm" #n "\n\t"
#define XMM_STORE(n) "movdqu %%xmm" #n ", " #n "*16(%0)\n\t"
#define YMM_LOAD(n) "vmovdqu " #n "*32(%0), %%ymm" #n "\n\t"
#define YMM_STORE(n) "vmovdqu %%ymm" #n ", " #n "*32(%0)\n\t"

static void load_fp(void *p, int ymm)
{
	if (ymm)
		asm volatile(XMM_EACH(YMM_LOAD) :: "r"(p) : "memory");
	else
		asm volatile(XMM_EACH(XMM_LOAD) :: "r"(p) : "memory");
}

static void store_fp(void *p, int ymm)
{
	if (ymm)
		asm volatile(XMM_EACH(YMM_STORE) :: "r"(p) : "memory");
	else
		asm volatile(XMM_EACH(XMM_STORE) :: "r"(p) : "memory");
}

static void avx_on(void)
{
	asm volatile("mov %%cr4, %%rax; or $0x40000, %%rax; mov %%rax, %%cr4; "
		     "xor %%ecx, %%ecx; xor %%edx, %%edx; mov $7, %%eax; xsetbv"
		     ::: "rax", "rcx", "rdx", "memory");
}

static void fill(u32 *p, u32 seed, int words)
{
	for (int i = 0; i < words; i++)
		p[i] = seed + i * 0x01010101;
}

/*
 * Vector registers and x87.  Stage 1: they hold the pattern of arg[0] and pi, the control words 0x27f and
 * 0x1fa0; stage 2: they hold what the VMM set meanwhile, copied to GPA_SCRATCH2.  arg[1]: use YMM.
 */
void guest_fpregs(int cpu)
{
	u32 *p = (u32 *)(u64)GPA_SCRATCH, *q = (u32 *)(u64)GPA_SCRATCH2;
	u32 mxcsr = 0x1fa0;
	u16 cw = 0x27f;

	(void)cpu;
	if (P->arg[1])
		avx_on();
	fill(p, P->arg[0], P->arg[1] ? 128 : 64);
	load_fp(p, P->arg[1]);
	asm volatile("fninit; fldcw %0; fldpi; ldmxcsr %1" :: "m"(cw), "m"(mxcsr));
	sync_point(1);
	store_fp(q, P->arg[1]);
	asm volatile("stmxcsr 0x300600; fstpl 0x300608" ::: "memory");
	sync_point(2);
}

/* Keep arg[0]'s pattern in the vector registers for arg[2] rounds, with an exit in every 16th. */
void guest_fpspin(int cpu)
{
	u32 *p = (u32 *)(u64)GPA_SCRATCH, *q = (u32 *)(u64)GPA_SCRATCH2;
	int words = P->arg[1] ? 128 : 64;

	(void)cpu;
	if (P->arg[1])
		avx_on();
	fill(p, P->arg[0], words);
	load_fp(p, P->arg[1]);
	for (u64 i = 0; i < P->arg[2]; i++) {
		for (int j = 0; j < 2000; j++)
			pause();
		if (i % 16 == 0)
			sync_point(7);
		store_fp(q, P->arg[1]);
		for (int j = 0; j < words; j++)
			GCHECK(p[j] == q[j]);
	}
}

static void debug_handler(struct trap *t)
{
	P->res[1]++;
	P->res[2] = t->rip;
	P->res[3] = read_dr6();
	write_dr6(0xffff0ff0);
	t->rflags |= 0x10000;		/* RF: past an instruction breakpoint */
}

/* The VMM sets DR0 to an instruction (address in res[0]) at stage 1, DR1 to res[4]'s address at stage 2. */
void guest_breakpoint(int cpu)
{
	(void)cpu;
	set_handler(1, debug_handler);
	asm volatile("lea 1f(%%rip), %%rcx; mov %%rcx, %0; mov $1, %%eax; out %%eax, %%dx; nop; 1: nop"
		     : "=m"(P->res[0]) : "d"(PORT_SYNC) : "rax", "rcx", "memory");
	GCHECK(P->res[1] == 1 && P->res[2] == P->res[0]);
	GCHECK((P->res[3] & 0xf) == 1);
	sync_point(2);
	P->res[4] = 5;
	GCHECK(P->res[1] == 2);
	GCHECK((P->res[3] & 0xf) == 2);
	sync_point(3);			/* the VMM takes the breakpoints away */
	P->res[4] = 6;
	GCHECK(P->res[1] == 2);
}

/* Debug registers set by the guest, seen by the VMM at stage 1, and the other way round after it. */
void guest_setdr(int cpu)
{
	u64 v;

	(void)cpu;
	asm volatile("mov %0, %%dr0" :: "r"(0x1111ull));
	asm volatile("mov %0, %%dr1" :: "r"(0x2222ull));
	asm volatile("mov %0, %%dr2" :: "r"(0x3333ull));
	asm volatile("mov %0, %%dr3" :: "r"(0x4444ull));
	asm volatile("mov %0, %%dr7" :: "r"(0x401ull));
	sync_point(1);
	asm volatile("mov %%dr0, %0" : "=r"(v));
	P->res[0] = v;
	asm volatile("mov %%dr3, %0" : "=r"(v));
	P->res[1] = v;
	asm volatile("mov %%dr7, %0" : "=r"(v));
	P->res[2] = v;
}

static u64 nr_bp, bp_rip;

static void bp_handler(struct trap *t)
{
	nr_bp++;
	bp_rip = t->rip;
}

static u64 swap_dr1(u64 val)
{
	u64 v;

	asm volatile("mov %1, %%dr1; mov %%dr1, %0" : "=r"(v) : "r"(val));
	return v;
}

/*
 * What a debugger outside stops at.  res[16] on: the addresses of the steps from stage 1,
 * in order; res[8]: the word that is written at the second of them, res[9]: INT3.
 * The guest's own debug registers are as it sets them, whatever the VMM does.
 */
void guest_debugged(int cpu)
{
	u64 v;

	(void)cpu;
	set_handler(3, bp_handler);
	set_handler(1, debug_handler);
	asm volatile("mov %0, %%dr0" :: "r"(0x1111ull));
	P->res[8] = (u64)&P->res[10];
	asm volatile("lea 1f(%%rip), %%rax; mov %%rax, 0(%0); lea 2f(%%rip), %%rax; mov %%rax, 8(%0)\n\t"
		     "lea 3f(%%rip), %%rax; mov %%rax, 16(%0); lea 4f(%%rip), %%rax; mov %%rax, 24(%0)\n\t"
		     "lea 5f(%%rip), %%rax; mov %%rax, 32(%0); lea 6f(%%rip), %%rax; mov %%rax, 40(%0)\n\t"
		     "lea 7f(%%rip), %%rax; mov %%rax, 48(%0); lea 8f(%%rip), %%rax; mov %%rax, 56(%0)\n\t"
		     "lea 9f(%%rip), %%rax; mov %%rax, 64(%0); lea 10f(%%rip), %%rax; mov %%rax, 72(%0)\n\t"
		     "lea 11f(%%rip), %%rax; mov %%rax, 80(%0)\n\t"
		     "mov $1, %%eax; mov %1, %%edx; out %%eax, %%dx\n\t"
		     "1: nop; 2: movl $7, (%2); 3: xor %%eax, %%eax; 4: cpuid\n\t"
		     "5: mov (%3), %%ebx; 6: mov %4, %%edx; 7: out %%al, %%dx\n\t"
		     "8: nop; 9: sti; 10: nop; 11: cli"
		     :: "r"(&P->res[16]), "i"(PORT_SYNC), "r"(&P->res[10]), "r"((u64)GPA_MMIO), "i"(PORT_TEST)
		     : "rax", "rbx", "rcx", "rdx", "memory");
	sync_point(2);
	asm volatile("lea 1f(%%rip), %%rax; mov %%rax, %0; xor %%eax, %%eax; 1: int3"
		     : "=m"(P->res[9]) :: "rax", "memory");
	GCHECK(nr_bp == 1 && bp_rip == P->res[9] + 1);
	sync_point(3);
	GCHECK(P->res[1] == P->arg[0]);
	asm volatile("mov %%dr0, %0" : "=r"(v));
	GCHECK(v == 0x1111);
	GCHECK(swap_dr1(0x7777) == 0x7777);
	asm volatile("mov %%dr7, %0" : "=r"(v));
	GCHECK(v == 0x400);
	GCHECK(read_dr6() == 0xffff0ff0);
	if (P->arg[1]) {		/* TCG alone does not mind */
		TRY("mov %0, %%dr7", :: "r"(0x100000400ull) : "memory");
		GCHECK(caught.vec == 13 && !caught.err);
	}
	sync_point(4);
	asm volatile("mov %%dr1, %0" : "=r"(v));
	GCHECK(v == 0x7777);
}
