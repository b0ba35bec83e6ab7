// SPDX-License-Identifier: GPL-2.0-only
/*
 * From interrupt numbers to chip pins and messages.  Readers hold irq->srcu,
 * in any context; a writer waits for them before it frees the old table.
 */
#include <linux/slab.h>

#include "irqchip_priv.h"

static const struct bp_routing *table_of(struct bp_irq *irq)
{
	return srcu_dereference(irq->routing, &irq->srcu);
}

int bp_gsi_set_routing(struct bp_irq *irq,
		       const struct kvm_irq_routing_entry *entries, u32 n,
		       bool chips)
{
	struct bp_routing *table, *old;
	int ret;

	table = kvmalloc(bp_routing_size(n), GFP_KERNEL_ACCOUNT);
	if (!table)
		return -ENOMEM;
	ret = bp_routing_fill(table, entries, n, chips, READ_ONCE(irq->x2apic),
			      bp_irq_event_ports(irq->dom));
	if (ret) {
		kvfree(table);
		return ret;
	}
	mutex_lock(&irq->routing_lock);
	old = rcu_replace_pointer(irq->routing, table,
				  lockdep_is_held(&irq->routing_lock));
	mutex_unlock(&irq->routing_lock);
	synchronize_srcu_expedited(&irq->srcu);
	kvfree(old);
	return 0;
}

int bp_gsi_set_default(struct bp_irq *irq)
{
	struct kvm_irq_routing_entry *entries;
	int ret;

	entries = kcalloc(BP_ROUTING_DEFAULT, sizeof(*entries), GFP_KERNEL);
	if (!entries)
		return -ENOMEM;
	bp_routing_default(entries);
	ret = bp_gsi_set_routing(irq, entries, BP_ROUTING_DEFAULT, true);
	kfree(entries);
	return ret;
}

void bp_gsi_free(struct bp_irq *irq)
{
	kvfree(rcu_dereference_protected(irq->routing, true));
}

/*
 * Returns how many CPUs took it; a message that makes no sense none takes.  -EPERM, as
 * KVM's -1: it is for nobody.
 */
static int send(struct bp_irq *irq, u64 address, u32 data)
{
	long reached = bp_irq_message(irq, address, data);

	if (reached == -ENOENT)
		return -EPERM;
	return reached < 0 ? 0 : reached;
}

static int set_route(struct bp_irq *irq, const struct bp_route *route,
		     unsigned int source, bool level)
{
	if (route->type == KVM_IRQ_ROUTING_IRQCHIP)
		return bp_chips_set(irq, route, source, level);
	if (route->type == KVM_IRQ_ROUTING_HV_SINT)
		return level ? bp_irq_sint(irq->dom, route->address, route->data) : -1;
	if (route->type == KVM_IRQ_ROUTING_XEN_EVTCHN)
		return level ? bp_irq_event(irq->dom, route->address, route->data) : -1;
	return level ? send(irq, route->address, route->data) : -1;
}

int bp_irq_set(struct bp_irq *irq, unsigned int source, u32 gsi, bool level)
{
	const struct bp_routing *table;
	const struct bp_route *route;
	int one, ret = -1, idx;

	idx = srcu_read_lock(&irq->srcu);
	table = table_of(irq);
	route = table ? bp_routing_first(table, gsi) : NULL;
	for (; route; route = bp_routing_next(table, route)) {
		one = set_route(irq, route, source, level);
		if (one >= 0)
			ret = one + (ret < 0 ? 0 : ret);
	}
	srcu_read_unlock(&irq->srcu, idx);
	return ret;
}

int bp_gsi_pulse(struct bp_irq *irq, unsigned int source, u32 gsi)
{
	int ret = bp_irq_set(irq, source, gsi, true);

	bp_irq_set(irq, source, gsi, false);
	return ret;
}

int bp_gsi_signal_msi(struct bp_irq *irq, const struct kvm_msi *msi)
{
	u64 address;

	if (bp_irq_mode(irq) == BP_IRQ_NONE ||
	    (msi->flags & ~KVM_MSI_VALID_DEVID) ||
	    bp_routing_address(msi->address_lo, msi->address_hi,
			       READ_ONCE(irq->x2apic), &address))
		return -EINVAL;
	return send(irq, address, msi->data);
}

static u32 gsi_of(struct bp_irq *irq, bool pic, unsigned int pin)
{
	const struct bp_routing *table;
	u32 gsi = BP_ROUTING_NONE;
	int idx;

	idx = srcu_read_lock(&irq->srcu);
	table = table_of(irq);
	if (table)
		gsi = pic ? table->pic_gsi[pin] : table->ioapic_gsi[pin];
	srcu_read_unlock(&irq->srcu, idx);
	return gsi;
}

u32 bp_gsi_of_pic(struct bp_irq *irq, unsigned int pin)
{
	return gsi_of(irq, true, pin);
}

u32 bp_gsi_of_ioapic(struct bp_irq *irq, unsigned int pin)
{
	return gsi_of(irq, false, pin);
}

void bp_irq_sint_acked(struct bp_irq *irq, u32 vp, u32 sint)
{
	const struct bp_routing *table;
	u32 i;
	int idx;

	idx = srcu_read_lock(&irq->srcu);
	table = table_of(irq);
	for (i = 0; table && i < table->n; i++)
		if (bp_routing_is_sint(&table->route[i], vp, sint))
			bp_irqfd_ack(irq, table->route[i].gsi);
	srcu_read_unlock(&irq->srcu, idx);
}

bool bp_gsi_level_vector(struct bp_irq *irq, u8 vector)
{
	const struct bp_routing *table;
	bool found;
	int idx;

	idx = srcu_read_lock(&irq->srcu);
	table = table_of(irq);
	found = table && bp_routing_level_vector(table, irq->pins, vector);
	srcu_read_unlock(&irq->srcu, idx);
	return found;
}
