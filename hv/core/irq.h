/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Physical interrupts and domain 0.
 *
 * Bedplate takes every physical interrupt.  Its own vectors it handles; all
 * others belong to domain 0's vCPU on the CPU that took them.  Edge-triggered
 * ones get their physical EOI at once.  A level-triggered one stays in
 * service physically until domain 0's own EOI, so that it cannot storm; and
 * longer while a higher one is in service, which a physical EOI would end.
 */
#ifndef HV_CORE_IRQ_H
#define HV_CORE_IRQ_H

#include "tsc.h"
#include "types.h"
#include "x86.h"

struct vcpu;

/* Domain 0 ended (triple fault, impossible state): reset the machine. */
noreturn void dom0_shutdown(void);
/* Domain 0's vCPU is reset: end what is in service physically on this CPU. */
void dom0_drop_level_irqs(struct vcpu *v);

/*
 * A physical interrupt ends a guest's run whatever its IF says.  Bochs 3.0
 * forgets that after an entry with IF clear, until the guest changes IF
 * (docs/testbed.md): while a guest keeps IF clear, its back end ends the run
 * every now and then, however often it was entered meanwhile.
 *
 * Result: TSC ticks until that is due.  *until: when, 0 to begin.
 */
#define IRQ_MASKED_US	5000

static inline u64 irq_masked_left(u64 *until)
{
	u64 now = rdtsc();

	if (!*until)
		*until = now + tsc_from_us(IRQ_MASKED_US);
	return now < *until ? *until - now : 0;
}

#endif
