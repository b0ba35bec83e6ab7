/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Physical interrupts and domain 0.
 *
 * Bedplate takes every physical interrupt.  Its own vectors it handles; all
 * others belong to domain 0's vCPU on the CPU that took them.  Edge-triggered
 * ones get their physical EOI at once.  A level-triggered one stays in
 * service physically until domain 0's own EOI, so that it cannot storm; and
 * longer while a higher one is in service, which a physical EOI would end.
 * Not so from VECTOR_OWN_CLASS on, where Linux has no devices: no kick would get
 * through, and a CPU that waits for one (mmu_flush_domain()) would wait for ever.
 */
#ifndef HV_CORE_IRQ_H
#define HV_CORE_IRQ_H

#include "lib/types.h"
#include "lib/x86_regs.h"

struct vcpu;

/* Domain 0 ended (triple fault, impossible state): reset the machine. */
noreturn void dom0_shutdown(void);
/*
 * Domain 0 wrote an LVT of its virtual APIC, whose source is the CPU: thermal, CMCI, AMD's
 * extended ones.  The machine's is masked or not as it says.  Its CPU.
 */
void dom0_lvt_written(struct vcpu *v, u32 offset, u32 val);
/* Domain 0's virtual APIC is reset: end what is in service physically on this CPU. */
void dom0_drop_level_irqs(struct vcpu *v);

/*
 * A physical interrupt ends a guest's run whatever its IF says.  Bochs 3.0
 * forgets that after an entry with IF clear, until the guest changes IF
 * (docs/testbed.md).  So a run with IF clear lasts IRQ_MASKED_US at most, where
 * the CPU has a timer for that; and this, before each entry, is true when it is
 * time to report an interrupt exit instead.  *entries: in a row with IF clear.
 */
#define IRQ_MASKED_US		5000
#define IRQ_MASKED_ENTRIES	64

static inline bool irq_masked_enough(u8 *entries, u64 rflags)
{
	if (rflags & X86_EFLAGS_IF) {
		*entries = 0;
		return false;
	}
	if (likely(++*entries < IRQ_MASKED_ENTRIES))
		return false;
	*entries = 0;
	return true;
}

#endif
