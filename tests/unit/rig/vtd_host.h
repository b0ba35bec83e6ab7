/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The machine for host tests of the VT-d driver.  Include it before anything else (CFLAGS:
 * -include vtd_host.h): it stands in for x86.h, paging.h and mmio.h.  Addresses are their
 * own physical ones, and registers are those of a model (vtd_rig.h).
 */
#ifndef TESTS_UNIT_VTD_HOST_H
#define TESTS_UNIT_VTD_HOST_H

#define BP_CORE_X86_H
#define BP_CORE_PAGING_H
#define HV_IOMMU_MMIO_H
#include "hv/core/lib/errno.h"
#include "hv/core/lib/types.h"

u64 rig_read(const void *reg, u32 size);
void rig_write(void *reg, u32 size, u64 val);

static inline u32 mmio_read32(const void *reg)
{
	return (u32)rig_read(reg, 4);
}

static inline u64 mmio_read64(const void *reg)
{
	return rig_read(reg, 8);
}

static inline void mmio_write32(void *reg, u32 val)
{
	rig_write(reg, 4, val);
}

static inline void mmio_write64(void *reg, u64 val)
{
	rig_write(reg, 8, val);
}

static inline void *phys_to_virt(hpa_t pa)
{
	return (void *)(uintptr_t)pa;
}

static inline hpa_t virt_to_phys(const void *va)
{
	return (uintptr_t)va;
}

void *ioremap(hpa_t pa, u64 len);
void cache_flush(const void *p, u64 len);

/* The instruction, not what <unistd.h> has. */
#include <unistd.h>
#define pause()	barrier()

#endif
