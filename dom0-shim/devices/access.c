// SPDX-License-Identifier: GPL-2.0-only
/* What a vCPU's port or memory access reaches inside the kernel. */
#include <linux/mm.h>
#include <asm/apicdef.h>
#include <asm/msr-index.h>

#include "channel/hypercall.h"
#include "irqchip/irqchip.h"
#include "access.h"
#include "bus.h"

int bp_pio_access(struct bp_vcpu *vcpu, u16 port, int size, bool write,
		  void *data)
{
	if (bp_irq_pio(vcpu->vm->irq, port, size, write, data))
		return 0;
	return bp_bus_access(vcpu, BP_BUS_PIO, port, size, write, data);
}

/*
 * The page of an APIC that does not answer there, as in x2APIC mode: nothing is
 * there, though the VMM does not hear of it.
 */
static bool in_apic_hole(const struct bp_vcpu *vcpu, u64 gpa)
{
	u64 base = vcpu->page->apic_base;

	return bp_irq_mode(vcpu->vm->irq) != BP_IRQ_NONE &&
	       (base & MSR_IA32_APICBASE_BASE) >> 12 == gpa >> 12 &&
	       bp_has_quirk(vcpu->vm, KVM_X86_QUIRK_LAPIC_MMIO_HOLE);
}

static bool in_xapic_page(const struct bp_vcpu *vcpu, u64 gpa)
{
	u64 base = vcpu->page->apic_base;

	return (base & (MSR_IA32_APICBASE_ENABLE | X2APIC_ENABLE)) ==
		MSR_IA32_APICBASE_ENABLE &&
	       (base & MSR_IA32_APICBASE_BASE) >> 12 == gpa >> 12;
}

/*
 * Registers are 32 bits wide, 16 bytes apart.  Parts of one may be read;
 * writes other than of a whole register do nothing, as on KVM.
 */
static void xapic_access(struct bp_vcpu *vcpu, u32 offset, int len, bool write,
			 void *data)
{
	u32 val;

	if (write) {
		if (len != 4 || offset & 0xf)
			return;
		memcpy(&val, data, 4);
		bp_hc_lapic_write(vcpu->vm->dom, vcpu->index, offset, val);
		return;
	}
	memset(data, 0, len);
	if ((offset & 3) + len > 4)
		return;
	val = bp_hc_lapic_read(vcpu->vm->dom, vcpu->index, offset & ~3u);
	val >>= 8 * (offset & 3);
	memcpy(data, &val, len);
}

int bp_mmio_access(struct bp_vcpu *vcpu, u64 gpa, int len, bool write,
		   void *data)
{
	if (in_xapic_page(vcpu, gpa)) {
		xapic_access(vcpu, offset_in_page(gpa), len, write, data);
		return 0;
	}
	if (in_apic_hole(vcpu, gpa)) {
		if (!write)
			memset(data, 0xff, len);
		return 0;
	}
	if (bp_irq_mmio(vcpu->vm->irq, gpa, len, write, data))
		return 0;
	return bp_bus_access(vcpu, BP_BUS_MMIO, gpa, len, write, data);
}
