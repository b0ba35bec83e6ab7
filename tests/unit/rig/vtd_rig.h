/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A model of VT-d units, by the manual: commands, root table, invalidation queue, fault
 * records, protected memory.  It fails the test when the driver does what the manual
 * forbids, or lets DMA pass where a test said that it must not.
 */
#ifndef TESTS_UNIT_VTD_RIG_H
#define TESTS_UNIT_VTD_RIG_H

#include "hv/iommu/vtd_unit.h"

#define RIG_UNITS	3
#define RIG_REGS	SZ_4K
#define RIG_DESCS	4096
#define RIG_FRO		0x400u

struct rig_unit {
	u8 regs[RIG_REGS] __aligned(16);
	hpa_t root;		/* taken by SRTP, mode bits too */
	hpa_t irta;		/* taken by SIRTP */
	bool cc_stale, pc_stale, iotlb_stale, iec_stale;
	bool confined;		/* DMA must not be free at any moment */
	bool deaf;		/* does no descriptors */
	bool broken;		/* reports an error instead */
	bool stopped;		/* CPUs stand still while it does the next ones */
	bool dead;		/* carries out no command */
	u32 nr_descs;		/* done, but for waits */
	u64 desc[RIG_DESCS];
	u32 next_record;
	u32 nr_msi;
	void (*on_clear)(struct rig_unit *m);	/* a record was cleared */
};

extern struct rig_unit rig[RIG_UNITS];

/* @units good units of segment 0, the last of them with the rest; DMAR says so. */
void rig_start(u32 units);
u64 rig_get(const struct rig_unit *m, u32 reg, u32 size);
void rig_set(struct rig_unit *m, u32 reg, u32 size, u64 val);

/* What unit @m does with requests of @bdf: root and tag, as its tables in memory say. */
bool rig_translates(const struct rig_unit *m, u16 bdf, hpa_t *root, u16 *tag);
/* 16 bytes as the unit sees them: past the caches, if it is not coherent. */
struct vtd_entry rig_see(const struct rig_unit *m, hpa_t pa);

/* The unit records a fault, or cannot. */
void rig_fault(struct rig_unit *m, u64 lo, u64 hi);
/* What the driver told. */
extern struct iommu_fault rig_told[4096];
extern u32 rig_nr_told;
extern u64 rig_lost;
/* The driver's timer: fires if it is armed, false if not. */
bool rig_timer(void);
extern bool rig_ioapics_known;	/* the table has them all */
extern u32 rig_cpu;		/* index of this CPU */
extern u32 rig_pages_left;	/* page_alloc() fails after these */

#endif
