// SPDX-License-Identifier: GPL-2.0-only
/*
 * I/O APIC (Intel 82093AA).  A redirection entry becomes a message as the chip
 * sets put it on the bus (SDM 3A, "Message Signalled Interrupts").
 */
#include "ioapic.h"

#define IOREGSEL		0x00
#define IOWIN			0x10

#define REG_ID			0x00
#define REG_VERSION		0x01
#define REG_ARBITRATION		0x02
#define REG_REDIR		0x10

#define ID_SHIFT		24
#define ID_MASK			0xfu
#define VERSION			(0x11u | ((BP_IOAPIC_PINS - 1) << 16))

#define REDIR_READ_ONLY		(BP_REDIR_PENDING | BP_REDIR_REMOTE_IRR)
/* Bits 17..55 are reserved and read 0. */
#define REDIR_VALID		0xff0000000001ffffull

#define DELIVERY_FIXED		0
#define DELIVERY_LOWEST		1
#define DELIVERY_EXTINT		7

#define MSI_ADDRESS		0xfee00000u
#define MSI_ADDRESS_LOGICAL	BIT_ULL(2)
#define MSI_ADDRESS_DEST_SHIFT	12
#define MSI_DATA_ASSERT		BIT(14)
#define MSI_DATA_LEVEL		BIT(15)

_Static_assert(sizeof(struct kvm_ioapic_state) == 24 + 8 * BP_IOAPIC_PINS,
	       "KVM's I/O APIC state is one word per pin after the header");

/* Only fixed and lowest-priority messages are ever ended by an EOI. */
static bool waits_for_eoi(u64 entry)
{
	return (entry & BP_REDIR_LEVEL) &&
	       BP_REDIR_DELIVERY(entry) <= DELIVERY_LOWEST;
}

static int send(struct bp_ioapic *ioapic, u64 entry)
{
	u64 address = MSI_ADDRESS | BP_REDIR_DEST(entry) << MSI_ADDRESS_DEST_SHIFT;
	u32 data = entry & BP_REDIR_VECTOR;

	/* The PIC is wired to LINT0 alone; no message stands for it. */
	if (BP_REDIR_DELIVERY(entry) == DELIVERY_EXTINT)
		return 0;
	if (entry & BP_REDIR_LOGICAL)
		address |= MSI_ADDRESS_LOGICAL;
	data |= BP_REDIR_DELIVERY(entry) << 8 | MSI_DATA_ASSERT;
	if (waits_for_eoi(entry))
		data |= MSI_DATA_LEVEL;
	return ioapic->ops->deliver(ioapic, address, data);
}

/* Send the pin's interrupt unless it is masked or still in service. */
static int service(struct bp_ioapic *ioapic, unsigned int pin)
{
	u64 *entry = &ioapic->redir[pin];
	int reached;

	if (*entry & BP_REDIR_MASK)
		return -1;
	if (waits_for_eoi(*entry) && (*entry & BP_REDIR_REMOTE_IRR))
		return -1;
	reached = send(ioapic, *entry);
	if (!(*entry & BP_REDIR_LEVEL))
		ioapic->sent |= BIT(pin);
	if (reached > 0 && waits_for_eoi(*entry))
		*entry |= BP_REDIR_REMOTE_IRR;
	return reached;
}

static int raise(struct bp_ioapic *ioapic, unsigned int pin)
{
	bool was_high = ioapic->irr & BIT(pin);

	ioapic->irr |= BIT(pin);
	if (!(ioapic->redir[pin] & BP_REDIR_LEVEL)) {
		if (was_high)
			return 0;
		ioapic->sent &= ~BIT(pin);
	}
	return service(ioapic, pin);
}

int bp_ioapic_set(struct bp_ioapic *ioapic, unsigned int pin,
		  unsigned int source, bool level)
{
	if (level)
		ioapic->source[pin] |= BIT(source);
	else
		ioapic->source[pin] &= ~BIT(source);
	if (ioapic->source[pin])
		return raise(ioapic, pin);
	ioapic->irr &= ~BIT(pin);
	return 1;
}

static u32 read_redir(const struct bp_ioapic *ioapic, u32 reg)
{
	unsigned int pin = (reg - REG_REDIR) >> 1;

	if (pin >= BP_IOAPIC_PINS)
		return ~0u;
	return (reg & 1) ? ioapic->redir[pin] >> 32 : ioapic->redir[pin];
}

u32 bp_ioapic_read(struct bp_ioapic *ioapic, u32 offset)
{
	switch (offset) {
	case IOREGSEL:
		return ioapic->ioregsel;
	case IOWIN:
		break;
	default:
		return 0;
	}
	switch (ioapic->ioregsel) {
	case REG_VERSION:
		return VERSION;
	case REG_ID:
	case REG_ARBITRATION:
		return ioapic->id << ID_SHIFT;
	}
	return ioapic->ioregsel < REG_REDIR ? 0 : read_redir(ioapic,
							     ioapic->ioregsel);
}

static void write_redir(struct bp_ioapic *ioapic, u32 reg, u32 val)
{
	unsigned int pin = (reg - REG_REDIR) >> 1;
	u64 old, entry;

	if (pin >= BP_IOAPIC_PINS)
		return;
	old = ioapic->redir[pin];
	if (reg & 1)
		entry = (old & 0xffffffffull) | (u64)val << 32;
	else
		entry = (old & ~0xffffffffull) | val;
	entry &= REDIR_VALID & ~REDIR_READ_ONLY;
	/*
	 * Turning a pin to edge clears its remote IRR: system software without
	 * an EOI register relies on it.
	 */
	if (entry & BP_REDIR_LEVEL) {
		entry |= old & REDIR_READ_ONLY;
		ioapic->sent &= ~BIT(pin);
	}
	ioapic->redir[pin] = entry;

	if ((entry & BP_REDIR_LEVEL) && (ioapic->irr & BIT(pin)))
		service(ioapic, pin);
}

void bp_ioapic_write(struct bp_ioapic *ioapic, u32 offset, u32 val)
{
	if (offset == IOREGSEL) {
		ioapic->ioregsel = val & 0xff;
		return;
	}
	if (offset != IOWIN)
		return;
	if (ioapic->ioregsel == REG_ID)
		ioapic->id = (val >> ID_SHIFT) & ID_MASK;
	else if (ioapic->ioregsel >= REG_REDIR)
		write_redir(ioapic, ioapic->ioregsel, val);
}

u32 bp_ioapic_pins_of(const struct bp_ioapic *ioapic, u8 vector)
{
	unsigned int pin;
	u32 pins = 0;

	for (pin = 0; pin < BP_IOAPIC_PINS; pin++)
		if (waits_for_eoi(ioapic->redir[pin]) &&
		    (ioapic->redir[pin] & BP_REDIR_VECTOR) == vector)
			pins |= BIT(pin);
	return pins;
}

void bp_ioapic_eoi(struct bp_ioapic *ioapic, unsigned int pin)
{
	u64 *entry = &ioapic->redir[pin];

	/* The entry may have been rewritten since bp_ioapic_pins_of(). */
	if (!waits_for_eoi(*entry))
		return;
	*entry &= ~BP_REDIR_REMOTE_IRR;
	if ((*entry & BP_REDIR_MASK) || !(ioapic->irr & BIT(pin))) {
		ioapic->eois[pin] = 0;
		return;
	}
	if (++ioapic->eois[pin] < BP_IOAPIC_STORM) {
		service(ioapic, pin);
		return;
	}
	ioapic->eois[pin] = 0;
	ioapic->deferred |= BIT(pin);
	ioapic->ops->defer(ioapic);
}

void bp_ioapic_retry(struct bp_ioapic *ioapic)
{
	u32 pins = ioapic->deferred & ioapic->irr;
	unsigned int pin;

	ioapic->deferred = 0;
	for (pin = 0; pin < BP_IOAPIC_PINS; pin++)
		if ((pins & BIT(pin)) && waits_for_eoi(ioapic->redir[pin]))
			service(ioapic, pin);
}

void bp_ioapic_init(struct bp_ioapic *ioapic, const struct bp_ioapic_ops *ops)
{
	unsigned int pin;

	memset(ioapic, 0, sizeof(*ioapic));
	ioapic->ops = ops;
	for (pin = 0; pin < BP_IOAPIC_PINS; pin++)
		ioapic->redir[pin] = BP_REDIR_MASK;
}

void bp_ioapic_get_state(const struct bp_ioapic *ioapic,
			 struct kvm_ioapic_state *state)
{
	unsigned int pin;

	memset(state, 0, sizeof(*state));
	state->base_address = BP_IOAPIC_BASE;
	state->ioregsel = ioapic->ioregsel;
	state->id = ioapic->id;
	/* An edge that has been sent is no request any more. */
	state->irr = ioapic->irr & ~ioapic->sent;
	for (pin = 0; pin < BP_IOAPIC_PINS; pin++)
		state->redirtbl[pin].bits = ioapic->redir[pin];
}

void bp_ioapic_set_state(struct bp_ioapic *ioapic,
			 const struct kvm_ioapic_state *state)
{
	unsigned int pin;

	ioapic->ioregsel = state->ioregsel & 0xff;
	ioapic->id = state->id & ID_MASK;
	ioapic->irr = 0;
	ioapic->sent = 0;
	ioapic->deferred = 0;
	for (pin = 0; pin < BP_IOAPIC_PINS; pin++) {
		ioapic->redir[pin] = state->redirtbl[pin].bits & REDIR_VALID;
		ioapic->eois[pin] = 0;
	}
	for (pin = 0; pin < BP_IOAPIC_PINS; pin++)
		if (state->irr & BIT(pin))
			raise(ioapic, pin);
}
