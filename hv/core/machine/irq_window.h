/* SPDX-License-Identifier: GPL-2.0-only */
/* Where root mode, which runs with interrupts off, lets them in on purpose. */
#ifndef BP_CORE_IRQ_WINDOW_H
#define BP_CORE_IRQ_WINDOW_H

#include "debug/debug.h"
#include "lib/x86.h"

/*
 * Physical interrupts that wait are taken here, by irq_dispatch().  No lock is held; vCPUs may
 * have been woken, and c->resched set, when it returns.
 */
static inline void irq_window(void)
{
	debug_irqs_on();
	sti_nop_cli();
	debug_irqs_off("a window", 0);
}

#endif
