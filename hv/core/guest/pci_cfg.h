/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PCI configuration space as domain 0 has it: all of it passes, by ports (PCI Local Bus
 * 3.0, 3.2.2.3.2) and by memory (PCI Express Base 5.0, 7.2.2), but for three kinds of functions.
 *
 *   IOMMUs		reads pass, writes do nothing: Linux's driver wants to see the function
 *			before it remaps devices' messages, and to turn its interrupt on
 *   host bridges	the same, and writes are logged once a function
 *   LPC bridges	Intel's, and its PMC: the same for the registers that say where ACPI's
 *			ports are, so that the one that sleep.h watches stays; others pass
 *
 * Registers of host bridges say where RAM, memory windows and configuration space itself
 * are, so who writes there can lay anything over Bedplate's memory. That concerns all that
 * call themselves host bridges on segment 0, and 0000:00:00.0 by whatever name.
 */
#ifndef HV_CORE_PCI_CFG_H
#define HV_CORE_PCI_CFG_H

#include "lib/types.h"

/*
 * Find these functions, if the machine has an IOMMU that is driven; else everything
 * passes and nothing exits. Boot CPU, after iommu_init(), before the back end is chosen and
 * domain 0's table is built.
 */
void pci_cfg_init(void);

/*
 * Devices in segments for which firmware names no IOMMU, where one is driven: they reach
 * all memory. Constant after pci_cfg_init(), which logs them.
 */
extern u32 pci_cfg_unconfined;

/* Is @gpa in the configuration space of one of them? Any CPU. */
bool pci_cfg_hit(gpa_t gpa);
/* Domain 0's access of 1, 2, 4 or 8 bytes there, aligned. *val is written or read. Any CPU. */
void pci_cfg_access(gpa_t gpa, u32 size, bool write, u64 *val);

#endif
