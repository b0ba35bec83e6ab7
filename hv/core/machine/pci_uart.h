/* SPDX-License-Identifier: GPL-2.0-only */
/* Serial lines that are PCI functions. Boot and panic only, as pci.h. */
#ifndef BP_CORE_PCI_UART_H
#define BP_CORE_PCI_UART_H

#include "lib/types.h"

struct pci_uart {
	u16 bdf;
	bool io;		/* its registers are I/O ports */
	u64 addr;
};

/* The first function that calls itself a 16550. False: there is none. */
bool pci_uart_search(u16 *bdf);
/* Where the registers of function u->bdf are now; it decodes them from then on. False: nowhere. */
bool pci_uart_locate(struct pci_uart *u);

#endif
