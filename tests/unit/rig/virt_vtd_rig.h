/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A virtual VT-d with memory of domain 0 around it, and stand-ins for the real unit: the
 * table of it that results, and what was flushed.
 */
#ifndef TESTS_UNIT_VIRT_VTD_RIG_H
#define TESTS_UNIT_VIRT_VTD_RIG_H

#include "hv/core/lib/types.h"

#define RIG_UNIT	1u		/* unit 0 must stay as it is */
#define RIG_REGS	0xfed91000ull

/* Domain 0's memory; the page at RIG_HOLE is not its own. */
#define RIG_MEM		0x10000000ull
#define RIG_MEM_SIZE	0x400000ull
#define RIG_TABLE	(RIG_MEM + 0x100000)	/* 1 MiB */
#define RIG_QUEUE	(RIG_MEM + 0x200000)	/* 512 KiB */
#define RIG_STATUS	(RIG_MEM + 0x300000)
#define RIG_HOLE	(RIG_MEM + 0x3ff000)

#define GCMD		0x18
#define GSTS		0x1c
#define FSTS		0x34
#define IQH		0x80
#define IQT		0x88
#define IQA		0x90
#define ICS		0x9c
#define IRTA		0xb8

#define GCMD_TE		0x80000000u
#define SRTP		0x40000000u
#define QIE		0x04000000u
#define IRE		0x02000000u
#define SIRTP		0x01000000u
#define CFI		0x00800000u
#define IQE		0x10u

struct rig_entry {
	u64 lo, hi;
};

extern struct rig_entry rig_real[65536];
extern u32 rig_sets, rig_flushes, rig_refused;
extern u32 rig_flush_first, rig_flush_order;	/* of the last one */
extern bool rig_x2apic_mode;
extern u64 rig_rand;

/* A machine of two units, after virt_iommu_init(). */
void rig_start(bool x2apic, u32 mhmv);

void *rig_mem(gpa_t gpa);
struct rig_entry *rig_virt(u32 index);		/* domain 0's entry at RIG_TABLE */

u32 rig_read(u32 off);
u64 rig_read8(u32 off);
/* Once; the result is virt_iommu_access()'s. */
bool rig_try(u32 off, u32 size, u64 val);
/* Until it is done; the result is how often it came. */
u32 rig_write(u32 off, u64 val);
u32 rig_write8(u32 off, u64 val);

/* As Linux: the queue of 2^(8 + qs), the table of 2^(s + 1), remapping on. */
void rig_enable(u32 qs, u32 s, bool eim);
/* Put one at the tail, behind it a wait that writes; and wait. False: no status came. */
bool rig_submit(u64 lo, u64 hi);
void rig_put(u64 lo, u64 hi);			/* no more than that */
u32 rig_tell(void);				/* the tail; result: rig_write()'s */

#define IEC_GLOBAL		4ull
#define IEC_INDEX(i, order)	(4ull | 0x10 | (u64)(order) << 27 | (u64)(i) << 32)
#define WAIT_SW			(5ull | 0x20)

/* Fixed, edge, physical; vector, 8-bit destination. */
#define ENTRY(vector, dest)	(1ull | (u64)(vector) << 16 | (u64)(dest) << 40)
#define SID(bdf)		(0x40000ull | (bdf))

u32 rig_random(u32 below);

#endif
