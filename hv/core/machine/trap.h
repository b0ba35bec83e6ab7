/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exceptions and interrupts in root mode. Interrupts are off but for windows
 * that the code opens on purpose (sti_nop_cli(), sti_hlt_cli()), so handlers
 * find nothing half done; NMI and #MC come at any moment, on their own stacks.
 */
#ifndef BP_CORE_TRAP_H
#define BP_CORE_TRAP_H

#include "lib/types.h"

/* On the stack when a handler runs; trap.S builds it. */
struct trap_frame {
	u64 r15, r14, r13, r12, r11, r10, r9, r8;
	u64 rdi, rsi, rbp, rbx, rdx, rcx, rax;
	u64 vector, error;
	u64 rip, cs, rflags, rsp, ss;
};

static_assert(sizeof(struct trap_frame) == 22 * 8, "as trap.S pushes it");

struct cpu;

/* Load the IDT (no stacks of their own for NMI, #DF, #MC yet): BSP, at once. */
void trap_init_early(void);
/* Let NMI, #DF and #MC use their stacks; every later trap_load() has that. */
void trap_use_ist(void);
/* Load the IDT on the calling CPU. */
void trap_load(void);

/* Called from trap.S. */
void trap_handler(struct trap_frame *f);

/*
 * Hooks. irq_dispatch() takes each interrupt's vector and sends the EOI itself;
 * irq_not_exception() says whether one below 0x20 is an interrupt;
 * nmi_handler() and mce_handler(), which is for a #MC in root mode, must take no lock.
 */
void irq_dispatch(u8 vector);
bool irq_not_exception(u8 vector);
void nmi_handler(void);
void mce_handler(void);

/*
 * Run the handler of an NMI that an exit has taken from the CPU.  Its IRET ends the
 * blocking of others.
 */
void trap_take_nmi(void);
/* Is @rip, of an NMI's frame, that of trap_take_nmi()? Then a vCPU was running. */
bool trap_took_nmi(u64 rip);

/* Read memory that may not be mapped: 0 or -EFAULT. For backtraces. */
int read_u64_safe(const void *p, u64 *val);

#endif
