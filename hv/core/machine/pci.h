/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Configuration space of segment 0 by ports (PCI Local Bus 3.0, 3.2.2.3.2). The functions are
 * for boot and panic: nobody else may use the ports meanwhile.
 */
#ifndef BP_CORE_PCI_H
#define BP_CORE_PCI_H

#include "lib/x86.h"

#define PCI_CONFIG_ADDRESS	0xcf8
#define PCI_CONFIG_DATA		0xcfc
#define PCI_CONFIG_ENABLE	BIT(31)
#define PCI_NOTHING		0xffffffffu	/* what is read where no function is */

#define PCI_REG_ID		0x00
#define PCI_REG_COMMAND		0x04
#define PCI_REG_CLASS		0x08		/* class, subclass, interface, revision */
#define PCI_REG_HEADER		0x0c
#define PCI_REG_BAR(n)		(0x10 + 4 * (n))
#define PCI_HEADER_MULTI	BIT(23)		/* in the doubleword of the header's type */
#define PCI_HEADER_TYPE(r)	((r) >> 16 & 0x7f)

/* The doubleword with @reg is at PCI_CONFIG_DATA from now on. */
static inline void pci_select(u16 bdf, u8 reg)
{
	outl(PCI_CONFIG_ADDRESS, (u32)PCI_CONFIG_ENABLE | (u32)bdf << 8 | (reg & 0xfc));
}

static inline u32 pci_read(u16 bdf, u8 reg)
{
	pci_select(bdf, reg);
	return inl(PCI_CONFIG_DATA);
}

static inline void pci_write(u16 bdf, u8 reg, u32 val)
{
	pci_select(bdf, reg);
	outl(PCI_CONFIG_DATA, val);
}

#endif
