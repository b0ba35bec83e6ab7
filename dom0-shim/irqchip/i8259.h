/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pair of i8259 interrupt controllers with PIIX edge/level registers.
 * Pure state: the caller locks, looks at ->output and ->acked afterwards and
 * tells the world.
 */
#ifndef BEDPLATE_I8259_H
#define BEDPLATE_I8259_H

#include "../os.h"

#define BP_PIC_PINS		16
#define BP_PIC_CASCADE		2	/* pin of the master the slave drives */

#define BP_PIC_PORT_MASTER	0x20
#define BP_PIC_PORT_SLAVE	0xa0
#define BP_PIC_PORT_ELCR	0x4d0

struct bp_pic {
	struct kvm_pic_state chip[2];	/* master, slave */
	u32 source[BP_PIC_PINS];	/* bit n: source n holds the pin high */
	bool output;			/* INTR, the wire to the CPU */
	u16 acked;			/* pins whose service has ended; the
					 * caller clears what it has handled */
};

void bp_pic_init(struct bp_pic *pic);

/* Is @port one of the pair's? */
bool bp_pic_owns(u16 port);

/* 8-bit accesses to a port that bp_pic_owns(). */
void bp_pic_write(struct bp_pic *pic, u16 port, u8 val);
u8 bp_pic_read(struct bp_pic *pic, u16 port);

/*
 * Drive a pin (0..15) for one source.  Returns 1 when this makes a request,
 * 0 when one was latched already, -1 when the pin is masked.
 */
int bp_pic_set(struct bp_pic *pic, unsigned int pin, unsigned int source,
	       bool level);

/* The CPU's acknowledge cycle.  Returns the vector, spurious ones included. */
u8 bp_pic_intack(struct bp_pic *pic);

/*
 * State of one chip (0 master, 1 slave) in KVM's layout.  What is out of
 * range in @state is cut to what a chip can hold.
 */
void bp_pic_get_state(const struct bp_pic *pic, unsigned int chip,
		      struct kvm_pic_state *state);
void bp_pic_set_state(struct bp_pic *pic, unsigned int chip,
		      const struct kvm_pic_state *state);

#endif
