/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * AMD IOMMUs as the virtual unit of the service VM uses them (AMD I/O Virtualization
 * Technology specification, publication 48882, ch. 2.2.2.1 and 2.2.8). Each device has
 * an interrupt remapping table of its own, or none; entries are of 128 bits where all
 * units have GASup, of 32 bits otherwise.
 */
#ifndef HV_IOMMU_AMDVI_H
#define HV_IOMMU_AMDVI_H

#include "iommu.h"

#define AMDVI_IRTE_ORDER_MAX	9u	/* 512 entries; for 2048 most units have no room */

/* The extended feature register, what all units have in common. */
u64 amdvi_efr(void);
/* Are entries 128 bits wide? */
bool amdvi_irte_wide(void);

/*
 * Give @dev a table of 2^order entries, all blocked; one that it has is replaced, and goes
 * back to the pool when no unit uses it any more. Interrupts of other kinds than fixed and
 * arbitrated (INIT, NMI, ExtINT, LINT) never pass. An alias of @dev is a device of its own
 * here. -ENOMEM: it has what it had; -EINVAL: the order; -ENODEV, also if interrupts pass.
 */
int amdvi_irt_make(struct pci_id dev, u32 order);
/* Back to none: all interrupts of the device are blocked. */
void amdvi_irt_drop(struct pci_id dev);
/* Write an entry, which the caller has checked. -EINVAL: there is no such table or index. */
int amdvi_irte_set(struct pci_id dev, u32 index, u64 lo, u64 hi);
/* On return no unit uses an entry of @dev as it was before. */
void amdvi_irt_flush(struct pci_id dev);

#endif
