/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * GSI routing table: which chip pins, or which message, an interrupt number
 * stands for.  Built once from user space's entries, then read-only.
 */
#ifndef BEDPLATE_ROUTING_H
#define BEDPLATE_ROUTING_H

#include "../os.h"

#define BP_ROUTING_MAX		4096	/* GSIs, and entries in a table */
#define BP_ROUTING_NONE		0xffffu

struct bp_route {
	u32 type;		/* KVM_IRQ_ROUTING_IRQCHIP, _MSI, _HV_SINT or _XEN_EVTCHN */
	u16 next;		/* of the same GSI, or BP_ROUTING_NONE */
	u8 chip;		/* KVM_IRQCHIP_* */
	u8 pin;			/* of the PIC pair 0..15, of the IOAPIC 0..23 */
	u64 address;		/* HV_SINT: VP index; XEN_EVTCHN: KVM's number of the vCPU; and */
	u32 data;		/* number of the source or event */
	u32 gsi;
};

struct bp_routing {
	u16 head[BP_ROUTING_MAX];	/* first route of a GSI */
	/* GSI that leads to a chip's pin, or BP_ROUTING_NONE */
	u16 pic_gsi[16];
	u16 ioapic_gsi[KVM_IOAPIC_NUM_PINS];
	u32 n;
	struct bp_route route[];
};

/* Bytes of a table for @n entries. */
size_t bp_routing_size(u32 n);

/*
 * Fill @table (bp_routing_size(@n) bytes) from @n <= BP_ROUTING_MAX entries.
 * @chips: the PIC and the IOAPIC are ours.  @x2apic: messages have 32-bit IDs.  @events: so
 * many has Xen.  -EINVAL: a type, flag, chip, pin, GSI or message that does not exist, or a
 * GSI routed twice to one chip, or to a message and anything else.
 */
int bp_routing_fill(struct bp_routing *table,
		    const struct kvm_irq_routing_entry *entries, u32 n,
		    bool chips, bool x2apic, u32 events);

/* KVM's table after CREATE_IRQCHIP: GSI n = PIC pin n and IOAPIC pin n. */
#define BP_ROUTING_DEFAULT	(16 + KVM_IOAPIC_NUM_PINS)
void bp_routing_default(struct kvm_irq_routing_entry *entries);

/* The routes of @gsi (any value): first, and the one after @route; or NULL. */
const struct bp_route *bp_routing_first(const struct bp_routing *table, u32 gsi);
const struct bp_route *bp_routing_next(const struct bp_routing *table,
				       const struct bp_route *route);

/* Does @route lead to that source of Hyper-V's SynIC? */
bool bp_routing_is_sint(const struct bp_route *route, u32 vp, u32 sint);

/* Does one of the GSIs below @gsis lead to a level-triggered message with @vector? */
bool bp_routing_level_vector(const struct bp_routing *table, u32 gsis, u8 vector);

/*
 * A message's address as BP_HC_MSI takes it.  With @x2apic bits 31:8 of @hi are
 * those of the destination ID, and bits 7:0 are reserved: -EINVAL; without, @hi
 * means nothing.
 */
int bp_routing_address(u32 lo, u32 hi, bool x2apic, u64 *address);

#endif
