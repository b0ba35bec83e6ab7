// SPDX-License-Identifier: GPL-2.0-only
/* Reader of the SPCR; the contract is in spcr.h. */
#include "spcr.h"
#include "lib/bytes.h"
#include "lib/string.h"

struct spcr_table {
	u8 header[36];
	u8 interface;
	u8 reserved[3];
	struct {		/* generic address (ACPI 6.5, 5.2.3.2) */
		u8 space, bits, offset, access;
		u64 addr;
	} __packed base;
	u8 interrupt_type, irq;
	u32 gsi;
	u8 baud, parity, stop_bits, flow, terminal, language;
	u16 pci_device, pci_vendor;
	u8 pci_bus, pci_slot, pci_function;
	u32 pci_flags;
	u8 pci_segment;
	u32 clock;
} __packed;
static_assert(offsetof(struct spcr_table, base) == 40, "specification");
static_assert(offsetof(struct spcr_table, baud) == 58, "specification");
static_assert(offsetof(struct spcr_table, pci_device) == 64, "specification");
static_assert(sizeof(struct spcr_table) == 80, "specification");

#define SPACE_MEMORY	0
#define SPACE_IO	1
#define NO_PCI		0xffff

#define IF_16550	0x00
#define IF_16450	0x01	/* for us the same: its FIFOs are not needed */
#define IF_16550_GAS	0x12	/* with the widths that the address tells */

static bool known_interface(u8 type)
{
	return type == IF_16550 || type == IF_16450 || type == IF_16550_GAS;
}

/* 0: as it is set, and for codes that nobody has defined. */
static u32 baud_of(u8 code)
{
	static const u32 baud[] = { [3] = 9600, [4] = 19200, [6] = 57600, [7] = 115200 };

	return code < ARRAY_SIZE(baud) ? baud[code] : 0;
}

/* Bytes of an access: as it says, else as wide as a register; 0: cannot be. */
static u8 width_of(const struct spcr_table *t)
{
	u8 bytes = t->base.bits / 8;

	if (t->base.access)
		return t->base.access <= 3 ? 1 << (t->base.access - 1) : 0;
	return bytes <= 4 && bytes != 3 ? max(bytes, (u8)1) : 0;
}

static const char *read_address(const struct spcr_table *t, struct spcr *out)
{
	out->io = t->base.space == SPACE_IO;
	out->addr = t->base.addr;
	out->width = width_of(t);
	out->stride = max(out->width, (u8)(t->base.bits / 8));
	if (!out->addr)
		return "it says that there is none";
	if (t->base.space > SPACE_IO)
		return "its registers are neither ports nor memory";
	if (!out->width || out->stride > 4 || out->stride == 3 || t->base.offset)
		return "its registers have a width that cannot be";
	if (out->io)
		out->width = out->stride = 1;
	if (out->io ? out->addr > 0xfff8 : (out->addr | out->stride) & (out->width - 1))
		return "its registers are at an address that cannot be";
	return NULL;
}

static const char *read_pci(const struct spcr_table *t, struct spcr *out)
{
	out->pci = t->pci_device != NO_PCI && t->pci_vendor != NO_PCI;
	if (!out->pci)
		return NULL;
	if (t->pci_segment || t->pci_slot > 31 || t->pci_function > 7)
		return "it names a PCI function that cannot be";
	out->bdf = (u16)(t->pci_bus << 8 | t->pci_slot << 3 | t->pci_function);
	return NULL;
}

const char *spcr_parse(const void *table, u32 len, struct spcr *out)
{
	struct spcr_table t;
	const char *err;

	memset(out, 0, sizeof(*out));
	if (len < sizeof(t))
		return "it is too short";
	memcpy(&t, table, sizeof(t));
	if (memcmp(t.header, "SPCR", 4) || sum_bytes(table, len))
		return "its checksum is wrong";
	if (!known_interface(t.interface))
		return "its interface is no 16550";
	out->baud = baud_of(t.baud);
	err = read_address(&t, out);
	return err ? err : read_pci(&t, out);
}
