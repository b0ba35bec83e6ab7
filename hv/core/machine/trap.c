// SPDX-License-Identifier: GPL-2.0-only
/* The IDT and what happens on exceptions and interrupts in root mode. */
#include "trap.h"
#include "debug/debug.h"
#include "lib/x86.h"
#include "panic.h"
#include "smp.h"
#include "watchdog.h"

/* Gate descriptor (SDM vol. 3, 6.14.1) */
struct idt_gate {
	u16 offset_low;
	u16 selector;
	u8 ist;
	u8 type;
	u16 offset_mid;
	u32 offset_high;
	u32 reserved;
};
static_assert(sizeof(struct idt_gate) == 16, "hardware format");

#define GATE_INTERRUPT	0x8e	/* present, DPL 0, interrupt gate */
#define STUB_SIZE	16
#define IST_NMI		1	/* index into the TSS, from 1; gdt.c */
#define IST_DF		2
#define IST_MC		3

struct ex_entry {
	s32 from, to;		/* relative to the fields themselves */
};

extern const u8 trap_stubs[];
extern const u8 trap_nmi_taken[];
extern const struct ex_entry ex_table_start[], ex_table_end[];

static struct idt_gate idt[256] __aligned(16);

static void set_gate(u32 vector, u8 ist)
{
	u64 addr = (u64)(uintptr_t)(trap_stubs + vector * STUB_SIZE);

	idt[vector] = (struct idt_gate){
		.offset_low = (u16)addr,
		.selector = SEL_CODE64,
		.ist = ist,
		.type = GATE_INTERRUPT,
		.offset_mid = (u16)(addr >> 16),
		.offset_high = (u32)(addr >> 32),
	};
}

void trap_load(void)
{
	struct desc_ptr d = { sizeof(idt) - 1, (u64)(uintptr_t)idt };

	lidt(&d);
}

void trap_init_early(void)
{
	u32 v;

	for (v = 0; v < 256; v++)
		set_gate(v, 0);
	trap_load();
}

void trap_use_ist(void)
{
	set_gate(X86_TRAP_NMI, IST_NMI);
	set_gate(X86_TRAP_DF, IST_DF);
	set_gate(X86_TRAP_MC, IST_MC);
}

static bool fixup(struct trap_frame *f)
{
	const struct ex_entry *e;

	for (e = ex_table_start; e < ex_table_end; e++) {
		if ((u64)(uintptr_t)&e->from + (s64)e->from != f->rip)
			continue;
		f->rip = (u64)(uintptr_t)&e->to + (s64)e->to;
		return true;
	}
	return false;
}

static const char *exception_name(u64 vector)
{
	static const char *const names[32] = {
		"divide error", "debug", "NMI", "breakpoint", "overflow",
		"bound range", "invalid opcode", "device not available",
		"double fault", "vector 9", "invalid TSS", "segment not present",
		"stack fault", "general protection", "page fault", "vector 15",
		"x87 error", "alignment check", "machine check", "SIMD error",
		"virtualization exception", "control protection",
	};

	return vector < 32 && names[vector] ? names[vector] : "reserved vector";
}

#define OPCODE_HLT	0xf4

/*
 * STI's shadow ends with an NMI that comes before the HLT.  What the HLT was to wait for is
 * then taken in front of it, so it is not to wait any more.
 */
static void pass_hlt(struct trap_frame *f)
{
	if (*(const u8 *)(uintptr_t)f->rip == OPCODE_HLT)
		f->rip++;
}

void trap_handler(struct trap_frame *f)
{
	debug_trap_begin(f->vector);
	if (f->vector >= 32 || irq_not_exception((u8)f->vector)) {
		debug_irqs_off("interrupt", f->vector);
		irq_dispatch((u8)f->vector);
		debug_irqs_on();
	} else if (f->vector == X86_TRAP_NMI) {
		if (panic_in_progress())
			panic_nmi(f);
		if (!watchdog_nmi(f))
			nmi_handler();
		pass_hlt(f);
	} else if (f->vector == X86_TRAP_MC) {
		mce_handler();
		pass_hlt(f);
	} else if (f->vector == X86_TRAP_SX) {
		;		/* an INIT, as AMD's back end wants it */
	} else if (!fixup(f)) {
		panic_frame(f, "%s in root mode", exception_name(f->vector));
	}
	debug_trap_end(f->vector);
}

void trap_take_nmi(void)
{
	__asm__ volatile("int %0\n"
			 ".globl trap_nmi_taken\n"
			 "trap_nmi_taken:" :: "i"(X86_TRAP_NMI) : "memory");
}

bool trap_took_nmi(u64 rip)
{
	return rip == (u64)(uintptr_t)trap_nmi_taken;
}

int read_u64_safe(const void *p, u64 *val)
{
	u64 v = 0;
	int err;

	__asm__ volatile("1: movq (%[p]), %[v]\n"
			 "xorl %[err], %[err]\n"
			 "jmp 3f\n"
			 "2: movl %[fault], %[err]\n"
			 "3:\n"
			 EX_TABLE("1b", "2b")
			 : [v] "+r"(v), [err] "=&r"(err)
			 : [p] "r"(p), [fault] "i"(-EFAULT) : "memory", "cc");
	if (!err)
		*val = v;
	return err;
}
