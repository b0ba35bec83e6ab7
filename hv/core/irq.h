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

#include "types.h"

struct vcpu;

/* Domain 0 ended (triple fault, impossible state): reset the machine. */
noreturn void dom0_shutdown(void);
/* Domain 0's vCPU is reset: end what is in service physically on this CPU. */
void dom0_drop_level_irqs(struct vcpu *v);

#endif
