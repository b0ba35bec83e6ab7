/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which device translates by whose table. An I/O domain is made, filled and destroyed as a
 * guest's (dommem.h, mmu.h); its mappings hold references as a guest's do, so a frame that
 * a device reaches cannot be donated, and one that was donated cannot be mapped.
 */
#ifndef HV_CORE_IO_H
#define HV_CORE_IO_H

#include "hv/iommu/iommu.h"

/*
 * BP_HC_IO_ATTACH: let @dev translate by the table of I/O domain @id, 0: domain 0's own,
 * BP_IO_BLOCKED: by none. On return nothing is left of what it had. Errors as channel.h
 * says; nothing has changed then. Takes the domain's lock; any CPU.
 */
int io_attach(u64 id, struct pci_id dev);

/* BP_HC_IO_INFO */
s64 io_info(void);

#endif
