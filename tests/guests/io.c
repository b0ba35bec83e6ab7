/* SPDX-License-Identifier: GPL-2.0-only */
/* Guests that read and write ports and MMIO; the VMM plays the device. */
#include "lib.h"

#define STR_(x) #x
#define STR(x) STR_(x)

static void run_op(struct gop *o)
{
	u64 lo = (u32)o->val, hi = o->val >> 32, a = o->addr, v = 0;
	struct cpuid r;

	switch (o->op << 4 | o->size) {
	case OP_OUT << 4 | 1: outb(a, lo); break;
	case OP_OUT << 4 | 2: outw(a, lo); break;
	case OP_OUT << 4 | 4: outl(a, lo); break;
	case OP_IN << 4 | 1: o->val = inb(a); break;
	case OP_IN << 4 | 2: o->val = inw(a); break;
	case OP_IN << 4 | 4: o->val = inl(a); break;
	case OP_WRITE << 4 | 1: TRY("movb %b0, (%1)", :: "q"(lo), "r"(a) : "memory"); break;
	case OP_WRITE << 4 | 2: TRY("movw %w0, (%1)", :: "r"(lo), "r"(a) : "memory"); break;
	case OP_WRITE << 4 | 4: TRY("movl %k0, (%1)", :: "r"(lo), "r"(a) : "memory"); break;
	case OP_WRITE << 4 | 8: TRY("movq %0, (%1)", :: "r"(o->val), "r"(a) : "memory"); break;
	case OP_READ << 4 | 1: TRY("movb (%1), %b0", : "+q"(v) : "r"(a) : "memory"); o->val = v; break;
	case OP_READ << 4 | 2: TRY("movw (%1), %w0", : "+r"(v) : "r"(a) : "memory"); o->val = v; break;
	case OP_READ << 4 | 4: TRY("movl (%1), %k0", : "+r"(v) : "r"(a) : "memory"); o->val = v; break;
	case OP_READ << 4 | 8: TRY("movq (%1), %0", : "+r"(v) : "r"(a) : "memory"); o->val = v; break;
	case OP_RDMSR << 4:
		TRY("rdmsr", : "=a"(lo), "=d"(hi) : "c"((u32)a) : "memory");
		if (caught.vec == TRAP_NONE)
			o->val = (u32)lo | hi << 32;
		break;
	case OP_WRMSR << 4: TRY("wrmsr", :: "a"((u32)lo), "d"((u32)hi), "c"((u32)a) : "memory"); break;
	case OP_SYNC << 4: sync_point(a); break;
	case OP_CPUID << 4:
		r = cpuid_count(a, a >> 32);
		o->val = r.eax | (u64)r.ebx << 32;
		o->err = r.ecx | (u64)r.edx << 32;
		break;
	case OP_HLT << 4: sti_hlt_cli(); break;
	case OP_CALL << 4: ((void (*)(void))a)(); break;
	default: GCHECK(!"known operation");
	}
}

/* Work through the VMM's list; arg[0] not 0 enables the local APIC first. */
void guest_script(int cpu)
{
	struct gop *o = (struct gop *)(u64)GPA_OPS;

	(void)cpu;
	if (P->arg[0])
		apic_enable();
	for (int i = 0; i < GOPS_MAX && o[i].op != OP_END; i++) {
		caught.vec = TRAP_NONE;
		run_op(&o[i]);
		o[i].vec = caught.vec;
		if (caught.vec != TRAP_NONE)
			o[i].err = caught.err;
	}
}

#define STRING_IO(insn, addr, n) do { \
	u64 a_ = (addr), n_ = (n); \
	asm volatile("rep " insn : "+c"(n_), "+S"(a_) : "d"(PORT_TEST), "D"(0) : "memory"); \
	GCHECK(n_ == 0); \
	end = a_; \
} while (0)

#define STRING_IN(insn, addr, n) do { \
	u64 a_ = (addr), n_ = (n); \
	asm volatile("rep " insn : "+c"(n_), "+D"(a_) : "d"(PORT_TEST) : "memory"); \
	GCHECK(n_ == 0); \
	end = a_; \
} while (0)

/*
 * String I/O.  Out: 5,000 bytes 0, 1, 2 ... 250, 0 ... over a page boundary, the same as words and as
 * double words, then 16 bytes downwards.  In: the VMM answers with the same sequence.
 */
void guest_string(int cpu)
{
	u8 *out = (u8 *)(u64)GPA_SCRATCH + 0x800, *in = (u8 *)(u64)GPA_SCRATCH2 + 0x804;
	u64 end;

	(void)cpu;
	for (int i = 0; i < 5000; i++)
		out[i] = i % 251;
	STRING_IO("outsb", (u64)out, 5000);
	GCHECK(end == (u64)out + 5000);
	STRING_IO("outsw", (u64)out, 600);
	GCHECK(end == (u64)out + 1200);
	STRING_IO("outsl", (u64)out, 300);
	GCHECK(end == (u64)out + 1200);
	asm volatile("std");
	STRING_IO("outsb", (u64)out + 15, 16);
	asm volatile("cld");
	GCHECK(end == (u64)out - 1);
	STRING_IO("outsb", (u64)out, 0);
	sync_point(1);

	STRING_IN("insb", (u64)in, 5000);
	GCHECK(end == (u64)in + 5000);
	for (int i = 0; i < 5000; i++)
		GCHECK(in[i] == i % 251);
	sync_point(2);
	STRING_IN("insw", (u64)in, 600);
	for (int i = 0; i < 1200; i++)
		GCHECK(in[i] == i % 251);
	sync_point(3);
	STRING_IN("insl", (u64)in, 300);
	GCHECK(end == (u64)in + 1200);
	for (int i = 0; i < 1200; i++)
		GCHECK(in[i] == i % 251);
	sync_point(4);
	asm volatile("std");
	STRING_IN("insb", (u64)in + 15, 16);
	asm volatile("cld");
	for (int i = 0; i < 16; i++)
		GCHECK(in[15 - i] == i % 251);
}

/* Read-modify-write and move instructions on the MMIO page, which the VMM backs with an array. */
static void mmio_arith(u64 a)
{
	u64 v, flags;

	MEM(u32, a) = 5;
	asm volatile("addl $3, (%0)" :: "r"(a) : "memory");
	GCHECK(MEM(u32, a) == 8);
	asm volatile("subw %w1, (%0)" :: "r"(a), "r"(1) : "memory");
	GCHECK(MEM(u32, a) == 7);
	asm volatile("orl $0x80, (%0)\n\tandl $0xf1, (%0)" :: "r"(a) : "memory");
	GCHECK(MEM(u32, a) == 0x81);
	asm volatile("xorb $0xff, (%0)" :: "r"(a) : "memory");
	GCHECK(MEM(u32, a) == 0x7e);
	v = 2;
	asm volatile("addq (%1), %0" : "+r"(v) : "r"(a) : "memory");
	GCHECK((u32)v == 0x80);
	asm volatile("cmpl $0x7e, (%1)\n\tpushfq\n\tpop %0" : "=r"(flags) : "r"(a) : "memory");
	GCHECK(flags & 0x40);
	asm volatile("cmpl $0x7f, (%1)\n\tpushfq\n\tpop %0" : "=r"(flags) : "r"(a) : "memory");
	GCHECK(!(flags & 0x40) && (flags & 1));
	asm volatile("testb $0x80, (%1)\n\tpushfq\n\tpop %0" : "=r"(flags) : "r"(a) : "memory");
	GCHECK(flags & 0x40);
	v = 0x1234;
	asm volatile("xchgl %k0, (%1)" : "+r"(v) : "r"(a) : "memory");
	GCHECK(v == 0x7e && MEM(u32, a) == 0x1234);
	asm volatile("movb $0x77, (%0)\n\tmovl $0xaabbccdd, 4(%0)" :: "r"(a) : "memory");
	GCHECK(MEM(u64, a) == 0xaabbccdd00001277);
}

static void mmio_extend(u64 a)
{
	u64 v;

	MEM(u64, a) = 0x80f0;
	asm volatile("movzbl (%1), %k0" : "=r"(v) : "r"(a) : "memory");
	GCHECK(v == 0xf0);
	asm volatile("movsbq (%1), %0" : "=r"(v) : "r"(a) : "memory");
	GCHECK(v == 0xfffffffffffffff0);
	asm volatile("movswl (%1), %k0" : "=r"(v) : "r"(a) : "memory");
	GCHECK(v == 0xffff80f0);
	asm volatile("movzwq (%1), %0" : "=r"(v) : "r"(a) : "memory");
	GCHECK(v == 0x80f0);
	v = 0x1122334455667788;
	asm volatile("movb 1(%1), %h0" : "+a"(v) : "r"(a) : "memory");
	GCHECK(v == 0x1122334455668088);
	asm volatile("movabs " STR(GPA_MMIO) ", %%al" : "+a"(v) :: "memory");
	GCHECK(v == 0x11223344556680f0);
	asm volatile("movslq (%1), %0" : "=r"(v) : "r"(a) : "memory");
	GCHECK(v == 0x80f0);
	asm volatile("movq $-2, (%0)" :: "r"(a) : "memory");
	GCHECK(MEM(u64, a) == 0xfffffffffffffffe);
}

static void mmio_string(u64 a)
{
	u8 *ram = (u8 *)(u64)GPA_SCRATCH;
	u64 s, d, n;

	for (int i = 0; i < 64; i++)
		ram[i] = i * 3 + 1;
	s = (u64)ram, d = a, n = 16;
	asm volatile("rep movsb" : "+S"(s), "+D"(d), "+c"(n) :: "memory");
	GCHECK(n == 0 && s == (u64)ram + 16 && d == a + 16);
	n = 4;
	asm volatile("rep movsl" : "+S"(s), "+D"(d), "+c"(n) :: "memory");
	for (int i = 0; i < 32; i++)
		GCHECK(MEM(u8, a + i) == (u8)(i * 3 + 1));
	s = a, d = (u64)ram + 0x100, n = 4;
	asm volatile("rep movsq" : "+S"(s), "+D"(d), "+c"(n) :: "memory");
	for (int i = 0; i < 32; i++)
		GCHECK(ram[0x100 + i] == (u8)(i * 3 + 1));
	s = a, d = a + 0x40;
	asm volatile("movsq" : "+S"(s), "+D"(d) :: "memory");
	GCHECK(MEM(u64, a + 0x40) == *(u64 *)ram && s == a + 8 && d == a + 0x48);
	d = a + 0x80, n = 3;
	asm volatile("rep stosw" : "+D"(d), "+c"(n) : "a"(0xbeef) : "memory");
	GCHECK(MEM(u64, a + 0x80) == 0xbeefbeefbeef);
	s = a + 0x80;
	asm volatile("lodsl" : "=a"(n), "+S"(s) :: "memory");
	GCHECK((u32)n == 0xbeefbeef && s == a + 0x84);
}

/* A push from and an indirect call through MMIO, and accesses that cross page boundaries. */
static void mmio_cross(u64 a)
{
	u64 v;

	MEM(u64, a) = 0x123456789abc;
	asm volatile("push (%1)\n\tpop %0" : "=r"(v) : "r"(a) : "memory");
	GCHECK(v == 0x123456789abc);
	MEM(u64, a + 0xffc) = 0x1122334455667788;
	GCHECK(MEM(u32, a + 0xffc) == 0x55667788);
	GCHECK(MEM(u32, a + 0x1000) == 0x11223344);
	GCHECK(MEM(u64, a + 0xffc) == 0x1122334455667788);
	/* The last bytes of memory and the first after it. */
	MEM(u64, RAM_SIZE - 4) = 0xa1a2a3a4a5a6a7a8;
	GCHECK(MEM(u32, RAM_SIZE - 4) == 0xa5a6a7a8);
	GCHECK(MEM(u64, RAM_SIZE - 4) == 0xa1a2a3a4a5a6a7a8);
}

/* Memory at arg[1] that the VMM takes away in the middle of the instruction. */
static void mmio_torn_rep(u64 a)
{
	u64 s = P->arg[1], d = a, n = 8;

	asm volatile("rep movsb" : "+S"(s), "+D"(d), "+c"(n) :: "memory");
	GCHECK(n == 0 && s == P->arg[1] + 8 && d == a + 8);
}

/*
 * CMPXCHG16B on memory, through a page directory at arg[1] that the guest may not write: there the
 * hardware gives up the walk, and somebody has to emulate the instruction.
 */
static void cmpxchg16b(u64 a)
{
	u64 *mem = (u64 *)(u64)GPA_SCRATCH, lo = 1, hi = 2;
	int equal;

	(void)a;
	MEM(u64, GPA_TABLES + 0x1000 + GVA_UNMAPPED / (1 << 30) * 8) = P->arg[1] | 7;
	mem[0] = 1;
	mem[1] = 2;
	asm volatile("lock cmpxchg16b (%[p])" : "=@ccz"(equal), "+a"(lo), "+d"(hi)
		     : "b"(3ul), "c"(4ul), [p] "r"(GVA_UNMAPPED + GPA_SCRATCH) : "memory");
	GCHECK(equal && lo == 1 && hi == 2);
	GCHECK(mem[0] == 3 && mem[1] == 4);
	asm volatile("lock cmpxchg16b (%[p])" : "=@ccz"(equal), "+a"(lo), "+d"(hi)
		     : "b"(5ul), "c"(6ul), [p] "r"(GVA_UNMAPPED + GPA_SCRATCH) : "memory");
	GCHECK(!equal && lo == 3 && hi == 4);
	GCHECK(mem[0] == 3 && mem[1] == 4);
}

/* arg[0] picks the group. */
void guest_mmio_insn(int cpu)
{
	static void (*const group[])(u64 a) = {
		mmio_arith, mmio_extend, mmio_string, mmio_cross, mmio_torn_rep, cmpxchg16b,
	};

	(void)cpu;
	GCHECK(P->arg[0] < ARRAY_SIZE(group));
	group[P->arg[0]](GPA_MMIO);
}

/*
 * Memory at arg[0], arg[4] pages: the first arg[1] are written one by one, the others by a
 * REP INS of 1 or 4 bytes (arg[3]) from the port arg[2].
 */
void guest_ins_pages(int cpu)
{
	u64 i, len = (P->arg[4] - P->arg[1]) * 4096, to = P->arg[0] + P->arg[1] * 4096;

	(void)cpu;
	for (i = 0; i < P->arg[1]; i++)
		*(volatile u64 *)(P->arg[0] + i * 4096) = i;
	if (P->arg[3] == 4) {
		len /= 4;
		asm volatile("rep insl" : "+D"(to), "+c"(len) : "d"(P->arg[2]) : "memory");
	} else {
		asm volatile("rep insb" : "+D"(to), "+c"(len) : "d"(P->arg[2]) : "memory");
	}
	GCHECK(!len && to == P->arg[0] + P->arg[4] * 4096);
}

/* arg[0] numbers, one after the other. */
void guest_numbers(int cpu)
{
	(void)cpu;
	for (u32 i = 0; i < P->arg[0]; i++)
		outl(PORT_TEST, i);
}
