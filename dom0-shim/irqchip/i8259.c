// SPDX-License-Identifier: GPL-2.0-only
/*
 * i8259 pair.  Names follow the Intel 8259A data sheet (ICW, OCW, IRR, ISR,
 * IMR); ELCR is that of the PIIX chips.
 */
#include "i8259.h"

#define ICW1_IC4		0x01	/* ICW4 follows */
#define ICW1_SELECT		0x10	/* A0 = 0, D4 = 1: this is ICW1 */
#define ICW2_BASE		0xf8
#define ICW4_AEOI		0x02
#define ICW4_SFNM		0x10

#define OCW3_SELECT		0x08	/* A0 = 0, D4 = 0, D3 = 1: OCW3 */
#define OCW3_READ_ISR		0x01
#define OCW3_READ		0x02
#define OCW3_POLL		0x04
#define OCW3_SMM		0x20
#define OCW3_SMM_ENABLE		0x40

#define OCW2_COMMAND_SHIFT	5
#define OCW2_COMMAND_ROTATE	0x4
#define OCW2_PIN		0x07

#define POLL_PENDING		0x80

#define SPURIOUS_PIN		7

/* What the next write to the odd port is: kvm_pic_state.init_state. */
enum { EXPECT_OCW1, EXPECT_ICW2, EXPECT_ICW3, EXPECT_ICW4 };

static const u8 elcr_mask[2] = { 0xf8, 0xde };

static bool is_slave(const struct bp_pic *pic, const struct kvm_pic_state *s)
{
	return s == &pic->chip[1];
}

/* Rank of the most urgent pin of @pins, 0 = highest; 8 = none. */
static unsigned int best_rank(const struct kvm_pic_state *s, u8 pins)
{
	unsigned int rank;

	for (rank = 0; rank < 8; rank++)
		if (pins & BIT((rank + s->priority_add) & 7))
			break;
	return rank;
}

/* The pin that may interrupt now, or -1. */
static int pending_pin(const struct bp_pic *pic, const struct kvm_pic_state *s)
{
	unsigned int rank = best_rank(s, s->irr & ~s->imr);
	u8 busy = s->isr;

	if (rank == 8)
		return -1;
	if (s->special_mask)
		busy &= ~s->imr;
	/* The slave may interrupt again while the master serves it. */
	if (s->special_fully_nested_mode && !is_slave(pic, s))
		busy &= ~BIT(BP_PIC_CASCADE);
	if (rank >= best_rank(s, busy))
		return -1;
	return (rank + s->priority_add) & 7;
}

static int drive(struct kvm_pic_state *s, unsigned int pin, bool level)
{
	u8 bit = BIT(pin);
	int ret = 1;

	if (level) {
		if ((s->elcr & bit) || !(s->last_irr & bit)) {
			ret = !(s->irr & bit);
			s->irr |= bit;
		}
		s->last_irr |= bit;
	} else {
		if (s->elcr & bit)
			s->irr &= ~bit;
		s->last_irr &= ~bit;
	}
	return (s->imr & bit) ? -1 : ret;
}

/*
 * Propagate the slave's request into the master and the master's outwards.
 * The cascade pin follows the slave: two requests of the slave in a row make
 * no edge, and one that is withdrawn leaves nothing behind.
 */
static void update(struct bp_pic *pic)
{
	if (pending_pin(pic, &pic->chip[1]) >= 0)
		pic->chip[0].irr |= BIT(BP_PIC_CASCADE);
	else
		pic->chip[0].irr &= ~BIT(BP_PIC_CASCADE);
	pic->output = pending_pin(pic, &pic->chip[0]) >= 0;
}

static void end_service(struct bp_pic *pic, struct kvm_pic_state *s,
			unsigned int pin)
{
	s->isr &= ~BIT(pin);
	pic->acked |= BIT(pin + (is_slave(pic, s) ? 8 : 0));
}

static void begin_service(struct bp_pic *pic, struct kvm_pic_state *s,
			  unsigned int pin)
{
	s->isr |= BIT(pin);
	if (!(s->elcr & BIT(pin)))
		s->irr &= ~BIT(pin);
	if (!s->auto_eoi)
		return;
	if (s->rotate_on_auto_eoi)
		s->priority_add = (pin + 1) & 7;
	end_service(pic, s, pin);
}

static u8 intack_slave(struct bp_pic *pic)
{
	struct kvm_pic_state *s = &pic->chip[1];
	int pin = pending_pin(pic, s);

	if (pin < 0)
		return s->irq_base + SPURIOUS_PIN;
	begin_service(pic, s, pin);
	return s->irq_base + pin;
}

u8 bp_pic_intack(struct bp_pic *pic)
{
	struct kvm_pic_state *s = &pic->chip[0];
	int pin = pending_pin(pic, s);
	u8 vector;

	if (pin < 0) {
		vector = s->irq_base + SPURIOUS_PIN;
	} else {
		begin_service(pic, s, pin);
		vector = s->irq_base + pin;
		if (pin == BP_PIC_CASCADE)
			vector = intack_slave(pic);
	}
	update(pic);
	return vector;
}

/* ICW1: edge requests, masks, priorities and services are forgotten. */
static void begin_init(struct bp_pic *pic, struct kvm_pic_state *s, u8 icw1)
{
	unsigned int pin;

	for (pin = 0; pin < 8; pin++)
		if (s->isr & BIT(pin))
			end_service(pic, s, pin);

	s->init4 = icw1 & ICW1_IC4;
	s->last_irr = 0;
	s->irr &= s->elcr;
	s->imr = 0;
	s->priority_add = 0;
	s->special_mask = 0;
	s->read_reg_select = 0;
	s->poll = 0;
	s->rotate_on_auto_eoi = 0;
	if (!s->init4) {
		s->special_fully_nested_mode = 0;
		s->auto_eoi = 0;
	}
	s->init_state = EXPECT_ICW2;
}

static void write_ocw3(struct kvm_pic_state *s, u8 val)
{
	if (val & OCW3_POLL)
		s->poll = 1;
	if (val & OCW3_READ)
		s->read_reg_select = val & OCW3_READ_ISR;
	if (val & OCW3_SMM_ENABLE)
		s->special_mask = !!(val & OCW3_SMM);
}

static void nonspecific_eoi(struct bp_pic *pic, struct kvm_pic_state *s,
			    bool rotate)
{
	/* In special mask mode a masked pin's service is not the one meant. */
	u8 busy = s->special_mask ? s->isr & ~s->imr : s->isr;
	unsigned int rank = best_rank(s, busy);
	unsigned int pin = (rank + s->priority_add) & 7;

	if (rank == 8)
		return;
	if (rotate)
		s->priority_add = (pin + 1) & 7;
	end_service(pic, s, pin);
}

static void write_ocw2(struct bp_pic *pic, struct kvm_pic_state *s, u8 val)
{
	unsigned int command = val >> OCW2_COMMAND_SHIFT;
	unsigned int pin = val & OCW2_PIN;

	switch (command) {
	case 0:
	case 4:
		s->rotate_on_auto_eoi = !!(command & OCW2_COMMAND_ROTATE);
		break;
	case 1:
	case 5:
		nonspecific_eoi(pic, s, command & OCW2_COMMAND_ROTATE);
		break;
	case 3:
	case 7:
		end_service(pic, s, pin);
		if (command & OCW2_COMMAND_ROTATE)
			s->priority_add = (pin + 1) & 7;
		break;
	case 6:
		s->priority_add = (pin + 1) & 7;
		break;
	}
}

static void write_command(struct bp_pic *pic, struct kvm_pic_state *s, u8 val)
{
	if (val & ICW1_SELECT)
		begin_init(pic, s, val);
	else if (val & OCW3_SELECT)
		write_ocw3(s, val);
	else
		write_ocw2(pic, s, val);
}

static void write_data(struct kvm_pic_state *s, u8 val)
{
	switch (s->init_state) {
	case EXPECT_OCW1:
		s->imr = val;
		break;
	case EXPECT_ICW2:
		s->irq_base = val & ICW2_BASE;
		s->init_state = EXPECT_ICW3;
		break;
	case EXPECT_ICW3:	/* how the pair is wired does not change */
		s->init_state = s->init4 ? EXPECT_ICW4 : EXPECT_OCW1;
		break;
	case EXPECT_ICW4:
		s->special_fully_nested_mode = !!(val & ICW4_SFNM);
		s->auto_eoi = !!(val & ICW4_AEOI);
		s->init_state = EXPECT_OCW1;
		break;
	}
}

void bp_pic_write(struct bp_pic *pic, u16 port, u8 val)
{
	struct kvm_pic_state *s = &pic->chip[!!(port & 0x80)];

	if (port >= BP_PIC_PORT_ELCR) {
		s = &pic->chip[port & 1];
		s->elcr = val & s->elcr_mask;
		return;
	}
	if (port & 1)
		write_data(s, val);
	else
		write_command(pic, s, val);
	update(pic);
}

/* A read after a poll command takes the place of the acknowledge cycle. */
static u8 poll_read(struct bp_pic *pic, struct kvm_pic_state *s)
{
	int pin = pending_pin(pic, s);

	s->poll = 0;
	if (pin >= 0)
		begin_service(pic, s, pin);
	update(pic);
	return pin < 0 ? 0 : POLL_PENDING | pin;
}

u8 bp_pic_read(struct bp_pic *pic, u16 port)
{
	struct kvm_pic_state *s = &pic->chip[!!(port & 0x80)];

	if (port >= BP_PIC_PORT_ELCR)
		return pic->chip[port & 1].elcr;
	if (s->poll)
		return poll_read(pic, s);
	if (port & 1)
		return s->imr;
	return s->read_reg_select ? s->isr : s->irr;
}

bool bp_pic_owns(u16 port)
{
	port &= ~1;
	return port == BP_PIC_PORT_MASTER || port == BP_PIC_PORT_SLAVE ||
	       port == BP_PIC_PORT_ELCR;
}

int bp_pic_set(struct bp_pic *pic, unsigned int pin, unsigned int source,
	       bool level)
{
	int ret;

	if (level)
		pic->source[pin] |= BIT(source);
	else
		pic->source[pin] &= ~BIT(source);
	ret = drive(&pic->chip[pin >> 3], pin & 7, pic->source[pin] != 0);
	update(pic);
	return ret;
}

void bp_pic_init(struct bp_pic *pic)
{
	memset(pic, 0, sizeof(*pic));
	pic->chip[0].elcr_mask = elcr_mask[0];
	pic->chip[1].elcr_mask = elcr_mask[1];
}

void bp_pic_get_state(const struct bp_pic *pic, unsigned int chip,
		      struct kvm_pic_state *state)
{
	*state = pic->chip[chip];
}

void bp_pic_set_state(struct bp_pic *pic, unsigned int chip,
		      const struct kvm_pic_state *state)
{
	struct kvm_pic_state *s = &pic->chip[chip];

	*s = *state;
	s->priority_add &= 7;
	s->init_state &= EXPECT_ICW4;
	s->elcr_mask = elcr_mask[chip];
	s->elcr &= s->elcr_mask;
	update(pic);
}
