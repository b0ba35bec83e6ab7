/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The library of the bare-metal guests: port and MMIO access, MSRs, traps, the local APIC.
 * One image serves every guest; guest_main() picks the function by the parameter page.
 */
#ifndef GUESTS_LIB_H
#define GUESTS_LIB_H

#include "lib/x86.h"
#include "params.h"

#define P ((struct gparams *)(u64)GPA_PARAMS)

/* What trap_common in start.S leaves on the stack. */
struct trap {
	u64 r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
	u64 vec, err, rip, cs, rflags, rsp, ss;
};

/* What the last trap inside TRY() was; vec is TRAP_NONE when there was none. */
struct caught {
	u64 vec, err, rip, cr2;
};

extern struct caught caught;
extern volatile u64 trap_resume;	/* where a trap below vector 32 goes on; 0: it is fatal */
extern volatile u32 irqs[256];		/* how often count_irq() ran for each vector */
extern volatile u64 irq_rip;		/* the RIP that count_irq() last interrupted */

/* Install @fn for @vec; replaces the default, which is TRY() or failure. */
void set_handler(int vec, void (*fn)(struct trap *t));
/* Install the handler that counts in irqs[] and writes EOI to the local APIC. */
void count_irq(int vec);

noreturn void fail(const char *expr, const char *file, int line);
#define GCHECK(e) do { if (!(e)) fail(#e, __FILE__, __LINE__); } while (0)

/* Run one asm statement; a trap in it lands in @caught and execution goes on after it. */
#define TRY(insn, ...) do { \
	caught.vec = TRAP_NONE; \
	trap_resume = 1; \
	asm volatile("movq $9f, trap_resume\n\t" insn "\n9:" __VA_ARGS__); \
	trap_resume = 0; \
} while (0)

static inline void outw(u16 port, u16 v) { asm volatile("outw %0, %1" :: "a"(v), "Nd"(port) : "memory"); }

static inline u16 inw(u16 port)
{
	u16 v;

	asm volatile("inw %1, %0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}

static inline void sync_point(u32 n) { outl(PORT_SYNC, n); }

/* Memory access of exactly one width, whatever the compiler thinks. */
#define MEM(type, addr) (*(volatile type *)(u64)(addr))

/* Local APIC registers by their xAPIC offset. */
#define APIC_ID		0x20
#define APIC_TPR	0x80
#define APIC_EOI	0xb0
#define APIC_SVR	0xf0
#define APIC_ISR	0x100
#define APIC_IRR	0x200
#define APIC_ICR	0x300
#define APIC_LVTT	0x320
#define APIC_LVT0	0x350
#define APIC_TMICT	0x380
#define APIC_TMCCT	0x390
#define APIC_TDCR	0x3e0

#define ICR_INIT	0x4500		/* INIT, assert */
#define ICR_SIPI	0x4600		/* start-up; the vector is the page */
#define ICR_NMI		0x4400
#define ICR_FIXED	0x4000
#define ICR_SELF	0x40000
#define ICR_ALL_BUT_SELF 0xc0000

#define LVT_PERIODIC	(1 << 17)
#define LVT_DEADLINE	(2 << 17)
#define LVT_MASKED	(1 << 16)


/* Enable this CPU's local APIC, in x2APIC mode if the VMM asked for that. */
void apic_enable(void);
u32 apic_read(u32 reg);
void apic_write(u32 reg, u32 v);
void apic_eoi(void);
/* Send an IPI; @dest is an APIC id and waits for nothing. */
void apic_icr(u32 dest, u32 lo);
/* INIT and start-up IPI to CPU @id, then wait until it has gone through start.S. */
void start_cpu(u32 id);

#define DECLARE_GUEST(name) void guest_##name(int cpu);
GUESTS(DECLARE_GUEST)

#endif
