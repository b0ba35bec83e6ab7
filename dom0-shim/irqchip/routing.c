// SPDX-License-Identifier: GPL-2.0-only
/*
 * GSI routing table.
 */
#include "routing.h"

#define PIC_CHIP_PINS		8
#define ADDRESS_HI_RESERVED	0xffu

#define MSI_DATA_VECTOR		0xffu
#define MSI_DATA_LEVEL		BIT(15)

size_t bp_routing_size(u32 n)
{
	return sizeof(struct bp_routing) + n * sizeof(struct bp_route);
}

const struct bp_route *bp_routing_first(const struct bp_routing *table, u32 gsi)
{
	u16 at = gsi < BP_ROUTING_MAX ? table->head[gsi] : BP_ROUTING_NONE;

	return at == BP_ROUTING_NONE ? NULL : &table->route[at];
}

const struct bp_route *bp_routing_next(const struct bp_routing *table,
				       const struct bp_route *route)
{
	return route->next == BP_ROUTING_NONE ? NULL : &table->route[route->next];
}

int bp_routing_address(u32 lo, u32 hi, bool x2apic, u64 *address)
{
	if (x2apic && (hi & ADDRESS_HI_RESERVED))
		return -EINVAL;
	*address = x2apic ? (u64)hi << 32 | lo : lo;
	return 0;
}

bool bp_routing_is_sint(const struct bp_route *route, u32 vp, u32 sint)
{
	return route->type == KVM_IRQ_ROUTING_HV_SINT && route->address == vp &&
	       route->data == sint;
}

bool bp_routing_level_vector(const struct bp_routing *table, u32 gsis, u8 vector)
{
	const struct bp_route *route;
	u32 gsi;

	for (gsi = 0; gsi < gsis; gsi++) {
		route = bp_routing_first(table, gsi);
		if (route && route->type == KVM_IRQ_ROUTING_MSI && route->data & MSI_DATA_LEVEL &&
		    (route->data & MSI_DATA_VECTOR) == vector)
			return true;
	}
	return false;
}

static int fill_chip(struct bp_routing *table, struct bp_route *route,
		     const struct kvm_irq_routing_entry *e)
{
	u32 pin = e->u.irqchip.pin;

	switch (e->u.irqchip.irqchip) {
	case KVM_IRQCHIP_PIC_MASTER:
	case KVM_IRQCHIP_PIC_SLAVE:
		if (pin >= PIC_CHIP_PINS)
			return -EINVAL;
		if (e->u.irqchip.irqchip == KVM_IRQCHIP_PIC_SLAVE)
			pin += PIC_CHIP_PINS;
		table->pic_gsi[pin] = e->gsi;
		break;
	case KVM_IRQCHIP_IOAPIC:
		if (pin >= KVM_IOAPIC_NUM_PINS)
			return -EINVAL;
		table->ioapic_gsi[pin] = e->gsi;
		break;
	default:
		return -EINVAL;
	}
	route->chip = e->u.irqchip.irqchip;
	route->pin = pin;
	return 0;
}

static int fill_route(struct bp_routing *table, struct bp_route *route,
		      const struct kvm_irq_routing_entry *e, bool chips,
		      bool x2apic, u32 events)
{
	route->type = e->type;
	switch (e->type) {
	case KVM_IRQ_ROUTING_IRQCHIP:
		if (e->flags || !chips)
			return -EINVAL;
		return fill_chip(table, route, e);
	case KVM_IRQ_ROUTING_MSI:
		if (e->flags & ~KVM_MSI_VALID_DEVID)
			return -EINVAL;
		route->data = e->u.msi.data;
		return bp_routing_address(e->u.msi.address_lo,
					  e->u.msi.address_hi, x2apic,
					  &route->address);
	case KVM_IRQ_ROUTING_HV_SINT:
		if (e->flags)
			return -EINVAL;
		route->address = e->u.hv_sint.vcpu;
		route->data = e->u.hv_sint.sint;
		return 0;
	case KVM_IRQ_ROUTING_XEN_EVTCHN:
		if (e->flags || e->u.xen_evtchn.port >= events ||
		    e->u.xen_evtchn.priority != KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL)
			return -EINVAL;
		route->address = e->u.xen_evtchn.vcpu;
		route->data = e->u.xen_evtchn.port;
		return 0;
	default:
		return -EINVAL;
	}
}

/* A GSI may lead to one pin of each chip, or to one message. */
static bool conflicts(const struct bp_routing *table, u32 gsi,
		      const struct bp_route *route)
{
	const struct bp_route *other = bp_routing_first(table, gsi);

	for (; other; other = bp_routing_next(table, other))
		if (route->type != KVM_IRQ_ROUTING_IRQCHIP ||
		    other->type != KVM_IRQ_ROUTING_IRQCHIP ||
		    other->chip == route->chip)
			return true;
	return false;
}

int bp_routing_fill(struct bp_routing *table,
		    const struct kvm_irq_routing_entry *entries, u32 n,
		    bool chips, bool x2apic, u32 events)
{
	struct bp_route *route = table->route;
	u32 i;
	int ret;

	memset(table, 0xff, sizeof(*table));
	table->n = n;
	for (i = 0; i < n; i++, route++) {
		if (entries[i].gsi >= BP_ROUTING_MAX)
			return -EINVAL;
		memset(route, 0, sizeof(*route));
		route->gsi = entries[i].gsi;
		ret = fill_route(table, route, &entries[i], chips, x2apic, events);
		if (ret)
			return ret;
		if (conflicts(table, entries[i].gsi, route))
			return -EINVAL;
		route->next = table->head[entries[i].gsi];
		table->head[entries[i].gsi] = i;
	}
	return 0;
}

static void default_entry(struct kvm_irq_routing_entry *e, u32 gsi, u32 chip,
			  u32 pin)
{
	memset(e, 0, sizeof(*e));
	e->gsi = gsi;
	e->type = KVM_IRQ_ROUTING_IRQCHIP;
	e->u.irqchip.irqchip = chip;
	e->u.irqchip.pin = pin;
}

void bp_routing_default(struct kvm_irq_routing_entry *entries)
{
	u32 gsi;

	for (gsi = 0; gsi < KVM_IOAPIC_NUM_PINS; gsi++)
		default_entry(entries++, gsi, KVM_IRQCHIP_IOAPIC, gsi);
	for (gsi = 0; gsi < 2 * PIC_CHIP_PINS; gsi++)
		default_entry(entries++, gsi,
			      gsi < PIC_CHIP_PINS ? KVM_IRQCHIP_PIC_MASTER :
						    KVM_IRQCHIP_PIC_SLAVE,
			      gsi % PIC_CHIP_PINS);
}
