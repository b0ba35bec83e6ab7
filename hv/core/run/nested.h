/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What of a guest's guest (struct bp_nested) concerns the run loop.  v is current, and as a
 * rule has stopped with BP_EXIT_NESTED where true is returned.
 */
#ifndef HV_CORE_RUN_NESTED_H
#define HV_CORE_RUN_NESTED_H

#include "vcpu/vcpu.h"

/* v->exit is L1's, or is of an instruction of SVM's. */
void nested_exit(struct vcpu *v);
/*
 * Is v->inject an exception that L1 is told of instead?  If it is NONE: does an SMI, NMI or
 * interrupt of L1's end L2?
 */
bool nested_stops(struct vcpu *v);
/* v->inject is another event: may one of the following come next? */
bool nested_waits(struct vcpu *v);
/* What is to be injected has been chosen: L2's virtual interrupt. */
bool nested_virq(struct vcpu *v);

/* Are L1's interrupts, the PIC's too, nothing to inject? */
static inline bool nested_no_irq(const struct vcpu *v)
{
	return v->nested.flags & BP_NESTED_NO_IRQ;
}

#endif
