/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest "hostile": each of up to eight CPUs does what it must not, at random from arg[0], and all interrupt,
 * reset and start each other.  Whatever comes of it, exception or interrupt, begins the next step; what
 * cannot be mended here ends in a triple fault, or nowhere, and the VMM starts the CPU anew.  Steps are counted
 * in res[CPU], and once more inverted, as random code may write there.
 */
#include "lib.h"

#define AREA(cpu)	((struct area *)(GPA_SCRATCH + (u64)(cpu) * sizeof(struct area)))
#define CPUS		8
#define LOOSE		(GPA_SCRATCH2)		/* memory for accesses that miss nothing */

#define SEL_RING332	0x28
#define SEL_RING3	0x30
#define SEL_RING364	0x38
#define SEL_TASK		0x40

struct area {
	u8 stack[0x2000];
	u8 trap_stack[0x1000];
	u8 code[0x800];
	u64 gdt[16];
	u8 tss[0x80];
	u64 random;
	u64 xcr0;
	u64 cr0, cr4, efer;
	struct { u16 limit; u64 base; } __attribute__((packed)) gdtr, idtr;
	u8 fill[0x800 - 16 * 8 - 0x80 - 5 * 8 - 20];
};

_Static_assert(sizeof(struct area) == 0x4000, "areas follow one another");

extern u16 idt[256][8];		/* as lib.c fills it */

static u64 rnd(struct area *a)
{
	u64 x = a->random += 0x9e3779b97f4a7c15;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

static u64 below(struct area *a, u64 n) { return (rnd(a) >> 11) % n; }

static u64 rnd_value(struct area *a)
{
	static const u64 borders[] = { 0, 1, 0xfff, 0xfee00000, 0xfee00800, 0xfec00000, 0xfed00000, 0xffffffff,
		0x100000000, 0x7fffffffffff, 0x800000000000, 0xffff800000000000, ~0ull, 0xfffffff0, GPA_MMIO };

	switch (below(a, 5)) {
	case 0: return borders[below(a, sizeof(borders) / 8)];
	case 1: return below(a, RAM_SIZE);
	case 2: return 1ull << below(a, 64);
	case 3: return below(a, 256);
	default: return rnd(a);
	}
}

/* ---- steps ---- */

static u32 pick_msr(struct area *a)
{
	static const u32 first[] = { 0, 0x10, 0x38, 0x48, 0x79, 0x8b, 0xc0, 0x110, 0x170, 0x186, 0x198, 0x1a0, 0x1d8, 0x200,
		0x250, 0x268, 0x270, 0x2f8, 0x380, 0x400, 0x480, 0x490, 0x560, 0x680, 0x6a0, 0x6e0, 0x800, 0x810, 0x820,
		0x830, 0x838, 0xd90, 0xda0, 0x40000000, 0x40000020, 0x40000070, 0x40000080, 0x400000b0, 0x40000100,
		0x4b564d00, 0xc0000080, 0xc00000e0, 0xc0000100, 0xc0010000, 0xc0010010, 0xc0010050, 0xc0010110,
		0xc0010114, 0xc0010117, 0xc0011020, 0xc0011028, 0xc0011030 };

	if (!below(a, 8))
		return rnd_value(a);
	return first[below(a, sizeof(first) / 4)] + below(a, 16);
}

static void step_msr(struct area *a)
{
	u32 msr = pick_msr(a);
	u64 val = 0;

	if (below(a, 3))
		val = rdmsr(msr);
	if (!below(a, 3))
		return;
	/* What is there with a bit changed, or anything. */
	val = below(a, 2) ? val ^ 1ull << below(a, 64) : rnd_value(a);
	wrmsr(msr, val);
}

static void step_cr(struct area *a)
{
	u64 bit = 1ull << below(a, below(a, 4) ? 32 : 64);

	switch (below(a, 7)) {
	case 0: write_cr0(a->cr0 ^ bit); break;
	case 1: write_cr4(a->cr4 ^ bit); break;
	case 2: write_cr3(below(a, 3) ? GPA_TABLES | below(a, 0x20) : rnd_value(a)); break;
	case 3: asm volatile("mov %0, %%cr8" :: "r"(below(a, 3) ? below(a, 16) : rnd_value(a))); break;
	case 4: asm volatile("lmsw %w0" :: "r"(rnd(a))); break;
	case 5: asm volatile("clts"); break;
	case 6: asm volatile("mov %0, %%cr2" :: "r"(rnd_value(a))); break;
	}
}

static void step_dr(struct area *a)
{
	u64 val = rnd_value(a);

	switch (below(a, 7)) {
	case 0: asm volatile("mov %0, %%dr0" :: "r"(val)); break;
	case 1: asm volatile("mov %0, %%dr3" :: "r"(val)); break;
	case 2: asm volatile("mov %0, %%dr6" :: "r"(val)); break;
	case 3: asm volatile("mov %0, %%dr7" :: "r"(val)); break;
	case 4: asm volatile("mov %%dr6, %0" : "=r"(val)); break;
	case 5: asm volatile("mov %%dr7, %0" : "=r"(val)); break;
	case 6: asm volatile("mov %%dr4, %0" : "=r"(val)); break;
	}
}

static void step_xcr(struct area *a)
{
	u64 val = below(a, 2) ? a->xcr0 ^ 1ull << below(a, 20) : rnd_value(a);

	asm volatile("xsetbv" :: "c"(below(a, 4) ? 0 : (u32)rnd_value(a)), "a"((u32)val), "d"(val >> 32));
}

static u16 pick_port(struct area *a)
{
	static const u16 ports[] = {
		0x20, 0x21, 0xa0, 0xa1, 0x40, 0x41, 0x42, 0x43, 0x60, 0x61, 0x64, 0x70, 0x71, 0x80, 0x92, 0xb2, 0x3f8,
		0x4d0, 0x4d1, 0x600, 0xcf8, 0xcf9, 0xcfc, 0x510, 0x5658, 0xffff, 0xfffe,
	};

	return below(a, 3) ? ports[below(a, sizeof(ports) / 2)] : rnd(a);
}

static void step_port(struct area *a)
{
	u16 port = pick_port(a);
	u32 val = rnd_value(a);
	u64 at = below(a, 3) ? LOOSE + below(a, 0x10000) : rnd_value(a), n = below(a, 40);

	switch (below(a, 10)) {
	case 0: asm volatile("outb %b0, %w1" :: "a"(val), "Nd"(port)); break;
	case 1: asm volatile("outw %w0, %w1" :: "a"(val), "Nd"(port)); break;
	case 2: asm volatile("outl %0, %w1" :: "a"(val), "Nd"(port)); break;
	case 3: asm volatile("inb %w1, %b0" : "=a"(val) : "Nd"(port)); break;
	case 4: asm volatile("inw %w1, %w0" : "=a"(val) : "Nd"(port)); break;
	case 5: asm volatile("inl %w1, %0" : "=a"(val) : "Nd"(port)); break;
	case 6: asm volatile("rep insb" : "+D"(at), "+c"(n) : "d"(port) : "memory"); break;
	case 7: asm volatile("rep outsb" : "+S"(at), "+c"(n) : "d"(port) : "memory"); break;
	case 8: asm volatile("rep insl" : "+D"(at), "+c"(n) : "d"(port) : "memory"); break;
	case 9: asm volatile("std; rep outsl; cld" : "+S"(at), "+c"(n) : "d"(port) : "memory"); break;
	}
}

static u64 pick_hole(struct area *a)
{
	static const u64 at[] = {
		GPA_MMIO, 0xfee00000, 0xfec00000, 0xfed00000, GPA_HOLE, 0xfff00000, 0xc0000000, GPA_MMIO + 0xff8,
	};

	return at[below(a, sizeof(at) / 8)] + (below(a, 2) ? below(a, 0x100) << 4 : below(a, 0x1000));
}

static void step_mmio(struct area *a)
{
	u64 at = pick_hole(a), val = rnd_value(a), n = below(a, 20), loose = LOOSE + below(a, 0x1000);

	switch (below(a, 15)) {
	case 0: MEM(u8, at) = val; break;
	case 1: MEM(u16, at) = val; break;
	case 2: MEM(u32, at) = val; break;
	case 3: MEM(u64, at) = val; break;
	case 4: val = MEM(u8, at); break;
	case 5: val = MEM(u32, at); break;
	case 6: val = MEM(u64, at); break;
	case 7: asm volatile("lock xaddl %k0, %1" : "+r"(val), "+m"(MEM(u32, at))); break;
	case 8: asm volatile("xchg %0, %1" : "+r"(val), "+m"(MEM(u64, at))); break;
	case 9: asm volatile("rep movsb" : "+S"(at), "+D"(loose), "+c"(n) :: "memory"); break;
	case 10: asm volatile("rep movsl" : "+S"(loose), "+D"(at), "+c"(n) :: "memory"); break;
	case 11: asm volatile("rep stosq" : "+D"(at), "+c"(n) : "a"(val) : "memory"); break;
	case 12: asm volatile("lock btsl %k0, %1" :: "r"(val), "m"(MEM(u32, at)) : "memory"); break;
	case 13: asm volatile("lock cmpxchg16b %0"
			      : "+m"(MEM(u64, at & ~15ull)), "+a"(val), "+d"(n) : "b"(0ull), "c"(0ull)); break;
	case 14: asm volatile("movups %0, %%xmm0; movups %%xmm0, %0" : "+m"(MEM(u64, at))); break;
	}
}

static void icr_write(u64 icr)
{
	if (rdmsr(MSR_APIC_BASE) & 0x400) {
		wrmsr(MSR_X2APIC_BASE + (APIC_ICR >> 4), icr);
		return;
	}
	MEM(u32, 0xfee00000ull + APIC_ICR + 0x10) = icr >> 32 << 24;
	MEM(u32, 0xfee00000ull + APIC_ICR) = icr;
}

/* Interrupts, NMIs, INITs and start-ups for the others, or oneself. */
static void step_icr(struct area *a)
{
	static const u32 modes[] = {
		0x4000, 0x4000, 0x4100, ICR_NMI, ICR_NMI, ICR_INIT, ICR_SIPI, ICR_SIPI, ICR_SIPI, ICR_SIPI, 0x4200, 0x4700,
	};
	u32 mode = modes[below(a, sizeof(modes) / 4)];
	u64 icr = mode | below(a, 256);

	if (mode == ICR_SIPI && below(a, 8))
		icr = mode | GPA_IMAGE >> 12;
	if (!below(a, 4))
		icr |= below(a, 4) << 18 | below(a, 2) << 11 | below(a, 2) << 15;
	icr |= (below(a, 8) ? below(a, 4) : rnd(a) & 0xffffffff) << 32;
	icr_write(icr);
}

static void step_lapic(struct area *a)
{
	static const u32 regs[] = {
		APIC_TPR, APIC_EOI, 0xd0, 0xe0, APIC_SVR, 0x280, 0x2f0, APIC_LVTT, 0x330, 0x340, APIC_LVT0, 0x360, 0x370,
		APIC_TMICT, APIC_TDCR, 0x3f0, 0x20, 0x30, 0x390,
	};
	u32 reg = below(a, 8) ? regs[below(a, sizeof(regs) / 4)] : below(a, 256) << 4;

	if (rdmsr(MSR_APIC_BASE) & 0x400)
		wrmsr(MSR_X2APIC_BASE + (reg >> 4), rnd_value(a));
	else
		MEM(u32, 0xfee00000ull + reg) = rnd_value(a);
}

static void step_call(struct area *a)
{
	u64 nr = below(a, 3) ? below(a, 16) : below(a, 2) ? 0x42500000 + below(a, 32) : rnd_value(a);
	u64 b = rnd_value(a), c = rnd_value(a), d = rnd_value(a), s = rnd_value(a);

	if (below(a, 2))
		asm volatile("vmmcall" : "+a"(nr), "+b"(b), "+c"(c), "+d"(d), "+S"(s) :: "memory");
	else
		asm volatile("vmcall" : "+a"(nr), "+b"(b), "+c"(c), "+d"(d), "+S"(s) :: "memory");
}

/* One of many with registers at random: most are forbidden. */
static void step_insn(struct area *a)
{
	u64 ax = rnd_value(a), b = rnd_value(a), c = rnd_value(a), d = rnd_value(a);

#define ONE(n, insn) case n: asm volatile(insn : "+a"(ax), "+b"(b), "+c"(c), "+d"(d) :: "memory"); break
	switch (below(a, 40)) {
	ONE(0, "cpuid");
	ONE(1, "rdpmc");
	ONE(2, "wbinvd");
	ONE(3, "invd");
	ONE(4, "invlpg (%%rax)");
	ONE(5, "monitor");
	ONE(6, "mwait");
	ONE(7, "pause");
	ONE(8, "xgetbv");
	ONE(9, "rdtscp");
	ONE(10, "rdrand %%rax");
	ONE(11, "vmrun");
	ONE(12, "vmload");
	ONE(13, "vmsave");
	ONE(14, "stgi");
	ONE(15, "clgi");
	ONE(16, "skinit");
	ONE(17, "invlpga");
	ONE(18, "vmxon (%%rax)");
	ONE(19, "vmptrld (%%rax)");
	ONE(20, "vmread %%rax, %%rbx");
	ONE(21, "vmlaunch");
	ONE(22, "invept (%%rax), %%rbx");
	ONE(23, "lgdt (%%rax)");
	ONE(24, "lidt (%%rax)");
	ONE(25, "lldt %%ax");
	ONE(26, "or $8, %%al; ltr %%ax");	/* not null: docs/testbed.md */
	ONE(27, "mov %%ax, %%ss");
	ONE(28, "mov %%ax, %%fs");
	ONE(29, "invpcid (%%rax), %%rbx");
	ONE(30, "rsm");
	ONE(31, "int3");
	ONE(32, "int $0x80");
	ONE(33, ".byte 0xf1");
	ONE(34, "sysenter");
	ONE(35, "sysretq");
	ONE(36, "swapgs");
	ONE(37, "getsec");
	ONE(38, "xsave (%%rax)");
	ONE(39, "xrstor (%%rax)");
	}
#undef ONE
}

static void timer_arm(u32 ticks)
{
	u64 base = rdmsr(MSR_APIC_BASE);

	if (base & 0x400) {
		wrmsr(MSR_X2APIC_BASE + (APIC_SVR >> 4), 0x1ff);
		wrmsr(MSR_X2APIC_BASE + (APIC_LVTT >> 4), 0xee);
		wrmsr(MSR_X2APIC_BASE + (APIC_TMICT >> 4), ticks);
	} else if (base & 0x800) {
		MEM(u32, 0xfee00000ull + APIC_SVR) = 0x1ff;
		MEM(u32, 0xfee00000ull + APIC_LVTT) = 0xee;
		MEM(u32, 0xfee00000ull + APIC_TMICT) = ticks;
	}
}

static void code_write(struct area *a)
{
	for (u64 i = 0; i < sizeof(a->code); i += 8)
		*(u64 *)(a->code + i) = rnd(a);
	/* Pieces that do something; the rest is noise between them. */
	for (u64 n = below(a, 64); n; n--) {
		static const u32 pieces[] = { 0x90a20f90, 0x90320f90, 0x90300f90, 0x90ef90ed, 0x90f490fb, 0x22c0200f,
					      0x0b0fcdcc, 0x9090feeb, 0xd9010f90, 0xc1010f90, 0x8900008b, 0xcf9d9c90, 0x0f01f800, 0xa4f3a5f3 };

		*(u32 *)(a->code + below(a, sizeof(a->code) - 4)) = pieces[below(a, sizeof(pieces) / 4)];
	}
}

/* Random code at CPL 0 or 3, of 64 or 32 bits; the timer ends it, if it lets it. */
static void step_code(struct area *a)
{
	u64 rip = (u64)a->code + below(a, 64), rsp = LOOSE + 0x8000 + below(a, 0x8000);
	u64 flags = 2 | (below(a, 8) ? 0x200 : 0) | (below(a, 8) ? 0 : 0x100) | below(a, 4) << 12;
	u64 cs = 0x18, ss = 0x10;

	code_write(a);
	timer_arm(2000 + below(a, 50000));
	switch (below(a, 4)) {
	case 0: cs = SEL_RING364 | 3; ss = SEL_RING3 | 3; break;
	case 1: cs = SEL_RING332 | 3; ss = SEL_RING3 | 3; break;
	case 2: cs = 0x08; break;
	}
	asm volatile("push %0; push %1; push %2; push %3; push %4; iretq"
		     :: "r"(ss), "r"(rsp), "r"(flags), "r"(cs), "r"(rip) : "memory");
}

static void step_sleep(struct area *a)
{
	timer_arm(1000 + below(a, 20000));
	if (below(a, 8))
		sti_hlt_cli();
	else
		asm volatile("hlt");
}

/* ---- the loop ---- */

static void mend(struct area *a)
{
	asm volatile("lgdt %0; lidt %1" :: "m"(a->gdtr), "m"(a->idtr));
	if (read_cr0() != a->cr0)
		write_cr0(a->cr0);
	if (read_cr4() != a->cr4)
		write_cr4(a->cr4);
	if (read_cr3() != GPA_TABLES)
		write_cr3(GPA_TABLES);
	asm volatile("mov %0, %%dr7; mov %0, %%dr6; mov %0, %%cr8" :: "r"(0ull));
	asm volatile("mov %w0, %%ds; mov %w0, %%es" :: "r"(0x10));
}

static noreturn void loop(struct area *a, int cpu)
{
	static void (*const steps[])(struct area *a) = {
		step_msr, step_msr, step_msr, step_cr, step_cr, step_dr, step_xcr, step_port, step_port,
		step_mmio, step_mmio, step_icr, step_icr, step_lapic, step_call, step_insn, step_insn, step_code, step_code, step_sleep,
	};

	for (;;) {
		P->res[cpu]++;
		P->res[CPUS + cpu] = ~P->res[cpu];
		if (!below(a, 16))
			asm volatile("sti");
		steps[below(a, sizeof(steps) / sizeof(steps[0]))](a);
		mend(a);
	}
}

/* On a stack of its own, so that it is known which CPU this is, and whatever RSP was. */
static noreturn void again(int cpu)
{
	struct area *a = AREA(cpu);

	mend(a);
	asm volatile("mov %0, %%rsp; push $0; jmp *%3"
		     :: "r"(a->stack + sizeof(a->stack)), "D"(a), "S"(cpu), "r"(loop) : "memory");
	__builtin_unreachable();
}

static int cpu_is(void)
{
	return cpuid(1).ebx >> 24 & (CPUS - 1);
}

static void eoi(void)
{
	u64 base = rdmsr(MSR_APIC_BASE);

	if (base & 0x400)
		wrmsr(MSR_X2APIC_BASE + (APIC_EOI >> 4), 0);
	else if (base & 0x800)
		MEM(u32, 0xfee00000ull + APIC_EOI) = 0;
}

/* By IRET to the loop, which lets NMIs in again. */
static void on_trap(struct trap *t)
{
	u64 cpu = ((u64)t - GPA_SCRATCH) / sizeof(struct area);

	if (cpu >= CPUS)
		cpu = cpu_is();
	mend(AREA(cpu));
	if (t->vec >= 32)
		eoi();
	t->rip = (u64)again;
	t->rdi = cpu;
	t->cs = 0x18;
	t->ss = 0x10;
	t->rsp = (u64)AREA(cpu)->stack + sizeof(AREA(cpu)->stack) - 8;
	t->rflags = 2;
}

static void tables_make(struct area *a)
{
	static const u64 gdt[] = { 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00af9b000000ffff, 0x00009b010000ffff,
				   0x00cffb000000ffff, 0x00cff3000000ffff, 0x00affb000000ffff };
	u64 tss = (u64)a->tss;

	for (u64 i = 0; i < sizeof(gdt) / 8; i++)
		a->gdt[i] = gdt[i];
	a->gdt[8] = 0x0000890000000067 | (tss & 0xffffff) << 16 | (tss >> 24 & 0xff) << 56;
	a->gdt[9] = 0;
	for (u64 i = 0; i < sizeof(a->tss); i++)
		a->tss[i] = 0;
	*(u64 *)(a->tss + 4) = (u64)a->trap_stack + sizeof(a->trap_stack);	/* RSP0, IST1 */
	*(u64 *)(a->tss + 36) = (u64)a->trap_stack + sizeof(a->trap_stack);
	a->gdtr.limit = sizeof(a->gdt) - 1;
	a->gdtr.base = (u64)a->gdt;
	a->idtr.limit = 256 * 16 - 1;
	a->idtr.base = (u64)idt;
}

void guest_hostile(int unused)
{
	int cpu = cpu_is();
	struct area *a = AREA(cpu);

	(void)unused;
	P->cpus = 0;
	for (int i = 0; i < 256; i++) {
		set_handler(i, on_trap);
		idt[i][2] |= 1;
	}
	tables_make(a);
	a->random = P->arg[0] + ((u64)cpu << 56) + P->res[cpu] * 0x10001;
	a->cr0 = read_cr0();
	a->cr4 = read_cr4() | 0x40000;		/* XSAVE */
	mend(a);
	asm volatile("ltr %w0" :: "r"(SEL_TASK));
	wrmsr(MSR_APIC_BASE, (rdmsr(MSR_APIC_BASE) | 0x800) ^ (P->x2apic ? 0x400 : 0));
	asm volatile("xgetbv" : "=a"(a->xcr0) : "c"(0) : "rdx");
	again(cpu);
}
