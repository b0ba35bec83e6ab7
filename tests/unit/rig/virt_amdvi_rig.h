/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A virtual AMD-Vi unit for host tests: domain 0's memory, its registers through
 * virt_iommu_access(), and real tables that only remember what is in them.
 */
#ifndef TESTS_UNIT_VIRT_AMDVI_RIG_H
#define TESTS_UNIT_VIRT_AMDVI_RIG_H

#include "hv/iommu/amdvi.h"
#include "hv/iommu/ivrs.h"

#define RIG_UNITS	2
#define RIG_REGS(unit)	(0xfed80000ull + (unit) * 0x100000ull)

/* Domain 0's memory: [RIG_RAM, RIG_RAM + RIG_RAM_SIZE) and nothing else. */
#define RIG_RAM		0x100000ull
#define RIG_RAM_SIZE	0x400000u
extern u8 rig_ram[RIG_RAM_SIZE];
u64 rig_peek(gpa_t gpa);
void rig_poke(gpa_t gpa, u64 val);

/* Where rig_start() puts them. */
#define RIG_DEVTAB	(RIG_RAM + 0x000000)	/* 65536 entries */
#define RIG_CMDS	(RIG_RAM + 0x200000)	/* 512 entries */
#define RIG_DONE	(RIG_RAM + 0x210000)	/* where COMPLETION_WAIT stores */
#define RIG_IRT(n)	(RIG_RAM + 0x220000 + (n) * 0x8000ull)

/* A device's real table. An entry that no unit may ever have aborts the test. */
struct rig_irt {
	struct pci_id dev;
	bool there;
	u32 order;
	u64 lo[1u << AMDVI_IRTE_ORDER_MAX], hi[1u << AMDVI_IRTE_ORDER_MAX];
	bool flushed;		/* since it was written last */
};
#define RIG_TABLES	1024
extern u32 rig_tables;		/* that are there */
extern u32 rig_room;		/* more than these cannot be made */
extern u32 rig_sets;		/* entries written */
struct rig_irt *rig_irt(u16 bdf);	/* of segment 0; NULL */

/* Faults that were told; the last. */
extern u32 rig_notes;		/* lines on devices that are no faults */
extern u32 rig_faults;
extern const char *rig_fault;
extern u32 rig_fault_code;

extern bool rig_wide, rig_x2apic;

/* Two units, for buses 0 to 7f and 80 to ff; nothing is set up yet. */
void rig_init(bool wide, bool x2apic);
/* As Linux sets up unit @unit, and IOMMU_ALL invalidated. */
void rig_start(u32 unit);

u64 rig_read(u32 unit, u32 off, u32 size);
/* The write, as often as it takes; result: how often. */
u32 rig_write(u32 unit, u32 off, u32 size, u64 val);

/* A command, and the tail behind it; result: as rig_write(). */
u32 rig_command(u32 unit, u64 lo, u64 hi);
enum { RIG_WAIT = 1, RIG_INV_DEV, RIG_INV_PAGES, RIG_INV_IOTLB, RIG_INV_IRT, RIG_INV_ALL = 8 };
#define RIG_CMD(op)	((u64)(op) << 60)

/* Device @bdf's device table entry says: 2^order entries at @root; and the unit is told. */
void rig_set_dte(u32 unit, u16 bdf, gpa_t root, u32 order);

#endif
