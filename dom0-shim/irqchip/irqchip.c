// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VM's interrupt controllers as a whole: life, mode, and where the guest's
 * accesses go.
 */
#include <linux/slab.h>

#include "i8254.h"
#include "irqchip_priv.h"

struct bp_irq *bp_irq_new(u32 dom)
{
	struct bp_irq *irq = kzalloc(sizeof(*irq), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!irq)
		return ERR_PTR(-ENOMEM);
	ret = init_srcu_struct(&irq->srcu);
	if (ret) {
		kfree(irq);
		return ERR_PTR(ret);
	}
	irq->dom = dom;
	mutex_init(&irq->routing_lock);
	bp_chips_init(irq);
	bp_irqfd_init(irq);
	return irq;
}

void bp_irq_free(struct bp_irq *irq)
{
	bp_irq_release(irq);
	bp_pit_destroy(irq);
	bp_chips_stop(irq);
	bp_gsi_free(irq);
	cleanup_srcu_struct(&irq->srcu);
	kfree(irq);
}

static_assert(BP_IRQ_MAX_GSI == BP_ROUTING_MAX);

enum bp_irq_mode bp_irq_mode(struct bp_irq *irq)
{
	return smp_load_acquire(&irq->mode); /* what was made before it is seen */
}

int bp_irq_enable_split(struct bp_irq *irq, bool have_vcpus, u64 pins)
{
	if (pins > BP_IRQ_MAX_GSI)
		return -EINVAL;
	if (irq->mode != BP_IRQ_NONE || have_vcpus)
		return -EEXIST;
	irq->pins = pins;
	smp_store_release(&irq->mode, BP_IRQ_SPLIT); /* as in create_irqchip() */
	return 0;
}

void bp_irq_x2apic_api(struct bp_irq *irq, u64 flags)
{
	if (flags & KVM_X2APIC_API_USE_32BIT_IDS)
		WRITE_ONCE(irq->x2apic, true);
	if (flags & KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK)
		WRITE_ONCE(irq->exact, BP_MSI_EXACT);
}

bool bp_irq_x2apic_format(const struct bp_irq *irq)
{
	return READ_ONCE(irq->x2apic);
}

long bp_irq_message(struct bp_irq *irq, u64 address, u32 data)
{
	return bp_hc_msi(irq->dom, address | READ_ONCE(irq->exact), data);
}

bool bp_irq_pio(struct bp_irq *irq, u16 port, unsigned int size, bool write,
		void *data)
{
	if (bp_irq_mode(irq) != BP_IRQ_KERNEL)
		return false;
	if ((port & ~3) == BP_PIT_PORT || port == BP_PIT_PORT_SPEAKER)
		return bp_pit_pio(irq, port, size, write, data);
	if (!bp_pic_owns(port))
		return false;
	if (write)
		bp_chips_pic_write(irq, port, size, data);
	else
		bp_chips_pic_read(irq, port, size, data);
	return true;
}

bool bp_irq_mmio(struct bp_irq *irq, u64 gpa, unsigned int size, bool write,
		 void *data)
{
	u64 offset = gpa - BP_IOAPIC_BASE;

	if (offset >= BP_IOAPIC_SIZE || bp_irq_mode(irq) != BP_IRQ_KERNEL)
		return false;
	if (write)
		bp_chips_ioapic_write(irq, offset, size, data);
	else
		bp_chips_ioapic_read(irq, offset, size, data);
	return true;
}
