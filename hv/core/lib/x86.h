/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * x86 instructions that C has no words for. Register and MSR numbers and bits
 * are in x86_regs.h, which this includes. Hypervisor build only.
 */
#ifndef BP_CORE_X86_H
#define BP_CORE_X86_H

#include "errno.h"
#include "types.h"
#include "x86_regs.h"

static inline u64 rdmsr(u32 msr)
{
	u32 lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr) : "memory");
	return (u64)hi << 32 | lo;
}

static inline void wrmsr(u32 msr, u64 val)
{
	__asm__ volatile("wrmsr" :: "c"(msr), "a"((u32)val), "d"((u32)(val >> 32))
			 : "memory");
}

/*
 * Write [p, p + len) back from the caches to memory, for devices that do not look there.
 * A line is 64 bytes on every CPU that has CLFLUSH and SVM or VMX.
 */
static inline void cache_flush(const void *p, u64 len)
{
	const u8 *at = (const u8 *)((uintptr_t)p & ~63ull), *end = (const u8 *)p + len;

	for (; at < end; at += 64)
		__asm__ volatile("clflush %0" :: "m"(*at) : "memory");
	__asm__ volatile("mfence" ::: "memory");
}

/*
 * Exception fixup: a fault at @from goes on at @to. In assembly; addresses are
 * kept relative to the entry itself (see exception.c).
 */
#define EX_TABLE(from, to)				\
	".pushsection .ex_table, \"a\"\n"		\
	".balign 4\n"					\
	".long " from " - ., " to " - .\n"		\
	".popsection\n"

/* 0, or -EFAULT if the access raised #GP (*val is unchanged then). */
static inline int rdmsr_safe(u32 msr, u64 *val)
{
	u32 lo, hi;
	int err;

	__asm__ volatile("1: rdmsr\n"
			 "xorl %[err], %[err]\n"
			 "jmp 3f\n"
			 "2: movl %[fault], %[err]\n"
			 "3:\n"
			 EX_TABLE("1b", "2b")
			 : "=a"(lo), "=d"(hi), [err] "=&r"(err)
			 : "c"(msr), [fault] "i"(-EFAULT) : "memory", "cc");
	if (!err)
		*val = (u64)hi << 32 | lo;
	return err;
}

static inline int wrmsr_safe(u32 msr, u64 val)
{
	int err;

	__asm__ volatile("1: wrmsr\n"
			 "xorl %[err], %[err]\n"
			 "jmp 3f\n"
			 "2: movl %[fault], %[err]\n"
			 "3:\n"
			 EX_TABLE("1b", "2b")
			 : [err] "=&r"(err)
			 : "c"(msr), "a"((u32)val), "d"((u32)(val >> 32)),
			   [fault] "i"(-EFAULT) : "memory", "cc");
	return err;
}

struct cpuid {
	u32 eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid_count(u32 leaf, u32 sub)
{
	struct cpuid r;

	__asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
			 : "a"(leaf), "c"(sub) : "memory");
	return r;
}

static inline struct cpuid cpuid(u32 leaf)
{
	return cpuid_count(leaf, 0);
}

static inline u64 rdtsc(void)
{
	u32 lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi) :: "memory");
	return (u64)hi << 32 | lo;
}

/* Not executed before earlier loads, nor later ones before it. */
static inline u64 rdtsc_ordered(void)
{
	u32 lo, hi;

	__asm__ volatile("lfence; rdtsc; lfence" : "=a"(lo), "=d"(hi) :: "memory");
	return (u64)hi << 32 | lo;
}

static inline u8 inb(u16 port)
{
	u8 v;

	__asm__ volatile("inb %w1, %b0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}

static inline u32 inl(u16 port)
{
	u32 v;

	__asm__ volatile("inl %w1, %0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}

static inline void outb(u16 port, u8 v)
{
	__asm__ volatile("outb %b0, %w1" :: "a"(v), "Nd"(port) : "memory");
}

static inline void outl(u16 port, u32 v)
{
	__asm__ volatile("outl %0, %w1" :: "a"(v), "Nd"(port) : "memory");
}

/* The same of 1, 2 or 4 bytes. */
static inline u32 port_in(u16 port, u32 size)
{
	u16 v;

	if (size == 4)
		return inl(port);
	if (size == 1)
		return inb(port);
	__asm__ volatile("inw %w1, %w0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}

static inline void port_out(u16 port, u32 size, u32 v)
{
	if (size == 4)
		outl(port, v);
	else if (size == 1)
		outb(port, (u8)v);
	else
		__asm__ volatile("outw %w0, %w1" :: "a"(v), "Nd"(port) : "memory");
}

#define CR_ACCESSORS(n)							\
static inline u64 read_cr##n(void)					\
{									\
	u64 v;								\
	__asm__ volatile("mov %%cr" #n ", %0" : "=r"(v) :: "memory");	\
	return v;							\
}									\
static inline void write_cr##n(u64 v)					\
{									\
	__asm__ volatile("mov %0, %%cr" #n :: "r"(v) : "memory");	\
}
CR_ACCESSORS(0)
CR_ACCESSORS(2)
CR_ACCESSORS(3)
CR_ACCESSORS(4)
CR_ACCESSORS(8)
#undef CR_ACCESSORS

#define DR_ACCESSORS(n)							\
static inline u64 read_dr##n(void)					\
{									\
	u64 v;								\
	__asm__ volatile("mov %%db" #n ", %0" : "=r"(v) :: "memory");	\
	return v;							\
}									\
static inline void write_dr##n(u64 v)					\
{									\
	__asm__ volatile("mov %0, %%db" #n :: "r"(v) : "memory");	\
}
DR_ACCESSORS(0)
DR_ACCESSORS(1)
DR_ACCESSORS(2)
DR_ACCESSORS(3)
DR_ACCESSORS(6)
DR_ACCESSORS(7)
#undef DR_ACCESSORS

static inline u64 xgetbv(u32 reg)
{
	u32 lo, hi;

	__asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(reg) : "memory");
	return (u64)hi << 32 | lo;
}

static inline void xsetbv(u32 reg, u64 val)
{
	__asm__ volatile("xsetbv" :: "c"(reg), "a"((u32)val), "d"((u32)(val >> 32))
			 : "memory");
}

static inline void wbinvd(void)
{
	__asm__ volatile("wbinvd" ::: "memory");
}

static inline void pause(void)
{
	__asm__ volatile("pause" ::: "memory");
}

static inline void cli(void)
{
	__asm__ volatile("cli" ::: "memory");
}

static inline void sti(void)
{
	__asm__ volatile("sti" ::: "memory");
}

static inline void hlt(void)
{
	__asm__ volatile("hlt" ::: "memory");
}

/* Interrupts open for one HLT: one that is pending already wakes it at once. */
static inline void sti_hlt_cli(void)
{
	__asm__ volatile("sti; hlt; cli" ::: "memory");
}

/* Watch this line; wait until it is written or an interrupt, masked or not, is there. */
static inline void monitor(const void *p)
{
	__asm__ volatile("monitor" :: "a"(p), "c"(0), "d"(0) : "memory");
}

static inline void mwait(u32 hint)
{
	__asm__ volatile("mwait" :: "a"(hint), "c"(1) : "memory");
}

/* Let what is pending in the local APIC in, now. */
static inline void sti_nop_cli(void)
{
	__asm__ volatile("sti; nop; cli" ::: "memory");
}

/* VERW with a memory operand: clears CPU buffers where CPUID says so. */
static inline void clear_cpu_buffers(void)
{
	static const u16 sel = SEL_DATA;

	__asm__ volatile("verw %0" :: "m"(sel) : "memory", "cc");
}

/* The divider keeps what it last worked on (Zen): these numbers. */
static inline void clear_divider(void)
{
	u32 a = 0, d = 0;

	__asm__ volatile("div %2" : "+a"(a), "+d"(d) : "r"(1) : "cc");
}

/* 32 CALLs: no older entry of the return stack is left. */
static inline void fill_return_stack(void)
{
	__asm__ volatile(".rept 32\n"
			 "call 1f\n"
			 "int3\n"
			 "1:\n"
			 ".endr\n"
			 "add $32 * 8, %%rsp\n"
			 "lfence" ::: "memory", "cc");
}

struct desc_ptr {
	u16 limit;
	u64 base;
} __packed;

static inline void lgdt(const struct desc_ptr *d)
{
	__asm__ volatile("lgdt %0" :: "m"(*d) : "memory");
}

static inline void lidt(const struct desc_ptr *d)
{
	__asm__ volatile("lidt %0" :: "m"(*d) : "memory");
}

static inline void sgdt(struct desc_ptr *d)
{
	__asm__ volatile("sgdt %0" : "=m"(*d) :: "memory");
}

static inline void sidt(struct desc_ptr *d)
{
	__asm__ volatile("sidt %0" : "=m"(*d) :: "memory");
}

static inline void ltr(u16 sel)
{
	__asm__ volatile("ltr %0" :: "r"(sel) : "memory");
}

#define SEG_READER(seg)							\
static inline u16 read_##seg(void)					\
{									\
	u16 v;								\
	__asm__ volatile("mov %%" #seg ", %0" : "=r"(v));		\
	return v;							\
}
SEG_READER(cs)
SEG_READER(ds)
SEG_READER(es)
SEG_READER(fs)
SEG_READER(gs)
SEG_READER(ss)
#undef SEG_READER

#endif
