// SPDX-License-Identifier: GPL-2.0-only
/* Finding the registers of a serial line on PCI; the contract is in pci_uart.h. */
#include "pci_uart.h"
#include "pci.h"

#define CLASS_SERIAL	0x0700
#define IF_16550_LAST	0x06		/* interfaces up to here know the 16550's registers */
#define COMMAND_IO	BIT(0)
#define COMMAND_MEMORY	BIT(1)
#define NR_BARS		6

/* A base address register (PCI Local Bus 3.0, 6.2.5.1) */
#define BAR_IO		BIT(0)
#define BAR_IO_ADDR	0xfffcu
#define BAR_TYPE(b)	((b) >> 1 & 3)
#define BAR_64		2
#define BAR_MEM_ADDR	0xfffffff0u

static bool is_uart(u16 bdf)
{
	u32 class = pci_read(bdf, PCI_REG_CLASS);

	return class >> 16 == CLASS_SERIAL && (class >> 8 & 0xff) <= IF_16550_LAST;
}

bool pci_uart_search(u16 *bdf)
{
	u32 at, functions = 1;

	for (at = 0; at < 0x10000; at++) {
		if (!(at & 7))
			functions = pci_read((u16)at, PCI_REG_HEADER) & PCI_HEADER_MULTI ? 8 : 1;
		if ((at & 7) >= functions || !is_uart((u16)at))
			continue;
		*bdf = (u16)at;
		return true;
	}
	return false;
}

static bool read_bar(u16 bdf, u32 n, struct pci_uart *u)
{
	u32 bar = pci_read(bdf, PCI_REG_BAR(n));

	u->io = bar & BAR_IO;
	if (u->io) {
		u->addr = bar & BAR_IO_ADDR;
	} else {
		u->addr = bar & BAR_MEM_ADDR;
		if (BAR_TYPE(bar) == BAR_64 && n + 1 < NR_BARS)
			u->addr |= (u64)pci_read(bdf, PCI_REG_BAR(n + 1)) << 32;
	}
	return u->addr;
}

bool pci_uart_locate(struct pci_uart *u)
{
	u32 n, command;

	if (pci_read(u->bdf, PCI_REG_ID) == PCI_NOTHING ||
	    PCI_HEADER_TYPE(pci_read(u->bdf, PCI_REG_HEADER)))
		return false;
	for (n = 0; n < NR_BARS; n++)
		if (read_bar(u->bdf, n, u))
			break;
	if (n == NR_BARS)
		return false;
	/* The upper half is status, whose bits are cleared by ones. */
	command = pci_read(u->bdf, PCI_REG_COMMAND) & 0xffff;
	pci_write(u->bdf, PCI_REG_COMMAND, command | (u->io ? COMMAND_IO : COMMAND_MEMORY));
	return true;
}
