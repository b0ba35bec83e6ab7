/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two AMD IOMMUs in software, for host tests of the driver. Include it before anything else
 * (CFLAGS: -include amdvi_rig.h): it stands in for paging.h, with physical addresses that
 * are pointers, for x86.h's ports, and for mmio.h.
 *
 * The units complain, by failing the test, of what the specification forbids: to turn
 * translation off, to move a ring that is in use, a device table entry with reserved bits,
 * a command that is none.
 */
#ifndef TESTS_UNIT_AMDVI_RIG_H
#define TESTS_UNIT_AMDVI_RIG_H

#define BP_CORE_PAGING_H
#define BP_CORE_X86_H
#define HV_IOMMU_MMIO_H
#include "hv/core/lib/types.h"
#include "hv/core/lib/errno.h"

static inline void *phys_to_virt(hpa_t pa)
{
	return (void *)(uintptr_t)pa;
}

static inline hpa_t virt_to_phys(const void *va)
{
	return (uintptr_t)va;
}

void *ioremap(hpa_t pa, u64 len);
u64 mmio_read64(const void *reg);
void mmio_write64(void *reg, u64 val);
u32 inl(u16 port);
void outl(u16 port, u32 val);

#define RIG_UNITS	2
#define RIG_SEGMENT	0
#define RIG_UNIT_ID(i)	(2u + 0x4000u * (i))	/* bdf */
#define RIG_MSI_CAP	0x64u

struct rig_unit {
	u8 regs[0x4000] __aligned(4096);
	u32 config[64];
	u32 commands;			/* executed */
	u32 kinds[16];			/* of them, by code */
	u32 interrupts;
	bool forgot_all;		/* since the device table base was written */
	bool dead;			/* executes nothing */
	bool lazy;			/* executes when time passes only */
	bool stuck;			/* its logs never stop */
	bool locked;			/* ignores new bases */
	u32 storm;			/* so often EventLogInt comes back when it is cleared */
	bool was_on;			/* IommuEn has been 1 */
	u32 lost;			/* events */
	u32 devtab[65536];		/* INVALIDATE_DEVTAB_ENTRY of each device */
	u32 pages[65536];		/* INVALIDATE_IOMMU_PAGES of each domain */
	u32 int_table[65536];
};

extern struct rig_unit rig_unit[RIG_UNITS];
extern u64 rig_now;			/* microseconds of uptime */
extern u32 rig_pages;			/* allocated */
extern u32 rig_pages_limit;		/* no more than these */

struct iommu_fault;
extern u32 rig_faults, rig_lost;
extern struct iommu_fault rig_fault;	/* the last */

/* Two units that have been reset, with features @efr, and an IVRS that names them. */
void rig_init(u64 efr);
u64 *rig_reg(u32 unit, u32 off);
/* A unit logs an event; @late: its entry comes to memory a little later. */
void rig_event(u32 unit, u64 lo, u64 hi, bool late);

#endif
