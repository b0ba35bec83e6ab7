// SPDX-License-Identifier: GPL-2.0-only
/*
 * External interrupts of a VM whose PIC is in user space and whose local APICs
 * are Bedplate's (split irqchip).
 *
 * Bedplate knows a level, INTR, and says when the vCPU would take an interrupt from
 * it (LINT0 passes it on, interrupts are enabled).  So the level stands for both
 * that user space can want: to have its vector taken, and to be told when one
 * would be.
 */
#include <asm/apicdef.h>
#include <asm/msr-index.h>

#include "channel/hypercall.h"
#include "irqchip/irqchip.h"
#include "run.h"

#define VECTORS		256

static bool split(const struct bp_vcpu *vcpu)
{
	return bp_irq_mode(vcpu->vm->irq) == BP_IRQ_SPLIT;
}

/* Without local APICs there is nothing between the vector and the vCPU. */
static void inject(struct bp_vcpu *vcpu, u8 vector)
{
	vcpu->page->inject_vector = vector;
	vcpu->page->run_flags |= BP_RUN_INJECT;
}

long bp_extint_queue(struct bp_vcpu *vcpu, u32 vector)
{
	if (vector >= VECTORS)
		return -EINVAL;
	switch (bp_irq_mode(vcpu->vm->irq)) {
	case BP_IRQ_KERNEL:
		return -ENXIO;
	case BP_IRQ_NONE:
		inject(vcpu, vector);
		return 0;
	default:
		if (vcpu->extint >= 0)
			return -EEXIST;
		vcpu->extint = vector;
		return 0;
	}
}

static bool window_wanted(const struct bp_vcpu *vcpu)
{
	return READ_ONCE(vcpu->run->request_interrupt_window);
}

void bp_extint_wire(struct bp_vcpu *vcpu)
{
	bool level = vcpu->extint >= 0 || window_wanted(vcpu);

	if (!split(vcpu) || level == vcpu->intr)
		return;
	vcpu->intr = level;
	bp_hc_extint(vcpu->vm->dom, vcpu->index, level);
}

int bp_extint_window(struct bp_vcpu *vcpu)
{
	if (vcpu->extint >= 0) {
		inject(vcpu, vcpu->extint);
		vcpu->extint = -1;
		bp_extint_wire(vcpu);
		return 1;
	}
	if (window_wanted(vcpu)) {
		vcpu->stats.irq_window_exits++;
		vcpu->run->exit_reason = KVM_EXIT_IRQ_WINDOW_OPEN;
		return 0;
	}
	bp_extint_wire(vcpu);
	return 1;
}

/* Does LINT0 pass INTR on to the vCPU? */
static bool lint0_open(struct bp_vcpu *vcpu)
{
	u32 lvt;

	if (!(vcpu->page->apic_base & MSR_IA32_APICBASE_ENABLE))
		return true;
	lvt = bp_hc_lapic_read(vcpu->vm->dom, vcpu->index, APIC_LVT0);
	return !(lvt & APIC_LVT_MASKED) &&
	       GET_APIC_DELIVERY_MODE(lvt) == APIC_MODE_EXTINT;
}

bool bp_extint_ready(struct bp_vcpu *vcpu)
{
	enum bp_irq_mode mode = bp_irq_mode(vcpu->vm->irq);

	if (mode == BP_IRQ_KERNEL)
		return true;
	if (!vcpu->page->ready_for_irq || vcpu->page->run_flags & BP_RUN_INJECT)
		return false;
	return mode == BP_IRQ_NONE || (vcpu->extint < 0 && lint0_open(vcpu));
}
