/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The I/O APIC, 24 pins, version 0x11, in KVM's state layout.  Pure state: the
 * caller locks and supplies the bus to the local APICs.
 */
#ifndef BEDPLATE_IOAPIC_H
#define BEDPLATE_IOAPIC_H

#include "../os.h"

#define BP_IOAPIC_BASE		0xfec00000u
#define BP_IOAPIC_SIZE		0x100u
#define BP_IOAPIC_PINS		KVM_IOAPIC_NUM_PINS

/* Redirection entry (82093AA, 3.2.4). */
#define BP_REDIR_VECTOR		0xffull
#define BP_REDIR_DELIVERY(x)	(((x) >> 8) & 7)
#define BP_REDIR_LOGICAL	BIT_ULL(11)
#define BP_REDIR_PENDING	BIT_ULL(12)
#define BP_REDIR_REMOTE_IRR	BIT_ULL(14)
#define BP_REDIR_LEVEL		BIT_ULL(15)
#define BP_REDIR_MASK		BIT_ULL(16)
#define BP_REDIR_DEST(x)	((x) >> 56)

/*
 * After so many EOIs in a row that found the pin still high, deliver again only
 * after a pause: a guest that cannot silence a device yet gets to run.
 */
#define BP_IOAPIC_STORM		10000

struct bp_ioapic;

struct bp_ioapic_ops {
	/*
	 * Send a message.  Returns how many local APICs accepted it, < 0 for
	 * none.  Called with the caller's lock held.
	 */
	int (*deliver)(struct bp_ioapic *ioapic, u64 address, u32 data);
	/* Call bp_ioapic_retry() in about 10 ms. */
	void (*defer)(struct bp_ioapic *ioapic);
};

struct bp_ioapic {
	const struct bp_ioapic_ops *ops;
	u32 ioregsel;
	u32 id;
	u32 irr;			/* level of each pin as last driven */
	u32 sent;			/* edge pins whose edge has been sent */
	u32 deferred;			/* pins that wait for bp_ioapic_retry() */
	u64 redir[BP_IOAPIC_PINS];
	u32 source[BP_IOAPIC_PINS];	/* bit n: source n holds the pin high */
	u32 eois[BP_IOAPIC_PINS];	/* in a row, with the pin high */
};

void bp_ioapic_init(struct bp_ioapic *ioapic, const struct bp_ioapic_ops *ops);

/* 32-bit registers at BP_IOAPIC_BASE + @offset. */
u32 bp_ioapic_read(struct bp_ioapic *ioapic, u32 offset);
void bp_ioapic_write(struct bp_ioapic *ioapic, u32 offset, u32 val);

/*
 * Drive a pin (< BP_IOAPIC_PINS) for one source.  Returns the number of CPUs
 * reached (1 when the pin goes low), 0 = coalesced, -1 = masked or in service.
 */
int bp_ioapic_set(struct bp_ioapic *ioapic, unsigned int pin,
		  unsigned int source, bool level);

/*
 * The level-triggered pins whose vector is @vector, as a bit mask: whom to tell
 * before bp_ioapic_eoi().
 */
u32 bp_ioapic_pins_of(const struct bp_ioapic *ioapic, u8 vector);

/* End of interrupt for one of those pins. */
void bp_ioapic_eoi(struct bp_ioapic *ioapic, unsigned int pin);

/* Deliver what ops->defer() put off. */
void bp_ioapic_retry(struct bp_ioapic *ioapic);

/* SET replays the requests pending in the state, as KVM does. */
void bp_ioapic_get_state(const struct bp_ioapic *ioapic,
			 struct kvm_ioapic_state *state);
void bp_ioapic_set_state(struct bp_ioapic *ioapic,
			 const struct kvm_ioapic_state *state);

#endif
