/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the AMD-Vi driver share. Where a function answers true or false,
 * false says that the unit did not answer in time.
 */
#ifndef HV_IOMMU_AMDVI_UNIT_H
#define HV_IOMMU_AMDVI_UNIT_H

#include "amdvi_regs.h"
#include "ivrs.h"
#include "machine/spinlock.h"
#include "mmio.h"
#include "unit.h"

/* A unit; iommu_ivrs.unit[] of the same index describes it. */
struct amdvi_unit {
	u8 *regs;			/* this and what follows: constant once started */
	u64 efr;
	struct amdvi_dte *table;	/* of its segment */
	struct amdvi_entry *ring;	/* commands */
	struct amdvi_entry *log;	/* events */
	u64 *done;			/* written by the unit: the last mark that it passed */
	struct spinlock lock;		/* guards the registers, and what follows */
	u32 head, tail;			/* of the ring: what was seen of the unit's, and ours */
	u64 mark;			/* the last one put into the ring */
	u32 log_head;
	u64 period;			/* start, in microseconds of uptime */
	u32 told;			/* events in it */
	bool muted;			/* too many: it does not interrupt until the next */
};

extern struct amdvi_unit amdvi_units[IVRS_MAX_UNITS];

#define for_each_amdvi(u) \
	for ((u) = amdvi_units; (u) < amdvi_units + iommu_ivrs.nr_units; (u)++)

static inline u32 amdvi_index(const struct amdvi_unit *u)
{
	return (u32)(u - amdvi_units);
}

static inline const struct ivrs_unit *amdvi_desc(const struct amdvi_unit *u)
{
	return &iommu_ivrs.unit[amdvi_index(u)];
}

static inline u64 amdvi_read(const struct amdvi_unit *u, u32 reg)
{
	return mmio_read64(u->regs + reg);
}

static inline void amdvi_write(const struct amdvi_unit *u, u32 reg, u64 val)
{
	mmio_write64(u->regs + reg, val);
}

/* amdvi_cmd.c */
/* Is (STATUS & @mask) 0, or soon? u->lock or boot. */
bool amdvi_await_off(const struct amdvi_unit *u, u64 mask);
/* An empty ring in a unit whose command buffer is off. Boot. */
void amdvi_cmd_reset(struct amdvi_unit *u);
/* Have all that the unit caches of tables forgotten. Boot, after CONTROL.CmdBufEn. */
bool amdvi_forget_all(struct amdvi_unit *u);
/*
 * Give each unit a command; device IDs are those of any segment. What it says is true
 * from amdvi_settle() on: then all commands before it are done, and all accesses that
 * began by what they invalidated. Isolation hangs on both: they panic if a unit fails.
 * Any CPU; they take u->lock.
 */
void amdvi_tell(u64 lo, u64 hi);
void amdvi_settle(void);

/* amdvi_dte.c */
/*
 * Tables by which all devices of all segments have @root and domain 0's tag, and all
 * interrupts are blocked if @remap, else pass. Boot. -ENOMEM.
 */
int amdvi_tables_make(hpa_t root, bool remap);
int amdvi_attach(struct pci_id dev, hpa_t root, u16 tag, u16 *was);
/* Its entry; NULL: it is behind no unit, or is one. */
struct amdvi_dte *amdvi_dte(struct pci_id dev);

/* amdvi_log.c */
/* An empty log in a unit whose event log is off. u->lock or boot. */
void amdvi_log_reset(struct amdvi_unit *u);
/* Tell of what is in the log, once. u->lock. */
void amdvi_log_read(struct amdvi_unit *u);
/* Let a muted unit interrupt again, if it was long enough. u->lock. */
void amdvi_log_unmute(struct amdvi_unit *u);

/* amdvi_msi.c */
/* Register at @off of the unit's configuration space; 0 where that is out of reach. Boot. */
u32 amdvi_config(const struct amdvi_unit *u, u32 off);
/* Send VECTOR_IOMMU to this CPU for events. By what, in a word; NULL: it cannot. Boot. */
const char *amdvi_msi_start(const struct amdvi_unit *u, bool x2apic);

#endif
