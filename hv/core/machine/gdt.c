// SPDX-License-Identifier: GPL-2.0-only
/* Descriptor tables of a CPU and its stacks for NMI, #DF and #MC. */
#include "lib/x86.h"
#include "memmap.h"
#include "paging.h"
#include "smp.h"

#define IST_STACK_PAGES	2
#define NR_IST		3	/* order: NMI, #DF, #MC, as in trap.c */

/* 64-bit TSS (SDM vol. 3, 8.7) */
struct tss {
	u32 reserved0;
	u64 rsp[3];
	u64 reserved1;
	u64 ist[7];
	u64 reserved2;
	u16 reserved3;
	u16 iomap;
} __packed;
static_assert(sizeof(struct tss) == 104, "hardware format");

struct arch_cpu {
	u64 gdt[5];		/* null, code, data, TSS (two slots) */
	struct tss tss;
};
static_assert(sizeof(struct arch_cpu) <= PAGE_SIZE, "one page each");

#define GDT_CODE64	0x00af9b000000ffffull
#define GDT_DATA	0x00cf93000000ffffull
#define GDT_TSS_TYPE	0x0000890000000000ull	/* present, available */

bool gdt_alloc(struct cpu *c)
{
	struct arch_cpu *a = page_alloc();
	u64 base = (u64)(uintptr_t)&a->tss;
	u64 limit = sizeof(a->tss) - 1;
	void *stack;
	u32 i;

	if (!a)
		return false;
	for (i = 0; i < NR_IST; i++) {
		stack = stack_alloc(IST_STACK_PAGES);
		if (!stack)
			return false;
		a->tss.ist[i] = (u64)(uintptr_t)stack;
	}
	a->tss.iomap = sizeof(a->tss);
	a->gdt[SEL_CODE64 / 8] = GDT_CODE64;
	a->gdt[SEL_DATA / 8] = GDT_DATA;
	a->gdt[SEL_TSS / 8] = GDT_TSS_TYPE | limit | (base & 0xffffff) << 16 |
			      (base >> 24 & 0xff) << 56;
	a->gdt[SEL_TSS / 8 + 1] = base >> 32;
	c->arch = a;
	return true;
}

void gdt_load(struct cpu *c)
{
	struct arch_cpu *a = c->arch;
	struct desc_ptr d = { sizeof(a->gdt) - 1, (u64)(uintptr_t)a->gdt };

	lgdt(&d);
	__asm__ volatile("pushq %[cs]\n"
			 "leaq 1f(%%rip), %%rax\n"
			 "pushq %%rax\n"
			 "lretq\n"
			 "1:\n"
			 "movl %[ds], %%eax\n"
			 "movl %%eax, %%ds\n"
			 "movl %%eax, %%es\n"
			 "movl %%eax, %%ss\n"
			 "xorl %%eax, %%eax\n"
			 "movl %%eax, %%fs\n"
			 "movl %%eax, %%gs\n"
			 :: [cs] "i"(SEL_CODE64), [ds] "i"(SEL_DATA)
			 : "rax", "memory");
	ltr(SEL_TSS);
	wrmsr(MSR_GS_BASE, (u64)(uintptr_t)c);
}
