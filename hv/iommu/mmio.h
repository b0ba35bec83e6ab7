/* SPDX-License-Identifier: GPL-2.0-only */
/* Registers in memory, each access of its size and in program order. */
#ifndef HV_IOMMU_MMIO_H
#define HV_IOMMU_MMIO_H

#include "lib/types.h"

static inline u32 mmio_read32(const void *reg)
{
	return *(const volatile u32 *)reg;
}

static inline u64 mmio_read64(const void *reg)
{
	return *(const volatile u64 *)reg;
}

static inline void mmio_write32(void *reg, u32 val)
{
	*(volatile u32 *)reg = val;
	barrier();
}

static inline void mmio_write64(void *reg, u64 val)
{
	*(volatile u64 *)reg = val;
	barrier();
}

#endif
