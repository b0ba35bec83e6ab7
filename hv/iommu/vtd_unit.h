/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the VT-d driver share. Where a function answers true or false,
 * false says that the unit did not answer in time or reports an error.
 */
#ifndef HV_IOMMU_VTD_UNIT_H
#define HV_IOMMU_VTD_UNIT_H

#include "dmar.h"
#include "machine/spinlock.h"
#include "machine/tsc.h"
#include "mmio.h"
#include "unit.h"
#include "vtd_regs.h"

/*
 * How long a unit may take for anything, before it is held to be broken. When the time is up
 * it is asked once more: the whole machine may have been stopped.
 */
#define VTD_PATIENCE_US		10000000

/* A unit; iommu_dmar.unit[] of the same index describes it. */
struct vtd_unit {
	u8 *regs;			/* this and what follows: constant once started */
	u64 cap;
	u64 ecap;
	struct vtd_entry *root;		/* table of its segment */
	struct vtd_entry *irt;		/* NULL: interrupts are not remapped */
	struct vtd_entry *queue;
	struct spinlock lock;		/* guards the registers, and what follows */
	u32 tail;			/* of the queue, in entries */
	u32 done;			/* written by the unit when its work is done */
};

extern struct vtd_unit vtd_units[DMAR_MAX_UNITS];

/*
 * All units work in scalable mode (3.4), or all in legacy mode. From probe() on. A context
 * entry and a descriptor are vtd_width() entries then.
 */
extern bool vtd_scalable;

static inline u32 vtd_width(void)
{
	return vtd_scalable ? 2 : 1;
}

#define for_each_vtd(u) \
	for ((u) = vtd_units; (u) < vtd_units + iommu_dmar.nr_units; (u)++)

static inline u32 vtd_index(const struct vtd_unit *u)
{
	return (u32)(u - vtd_units);
}

static inline u16 vtd_segment(const struct vtd_unit *u)
{
	return iommu_dmar.unit[vtd_index(u)].segment;
}

static inline u32 vtd_read(const struct vtd_unit *u, u32 reg)
{
	return mmio_read32(u->regs + reg);
}

static inline void vtd_write(const struct vtd_unit *u, u32 reg, u32 val)
{
	mmio_write32(u->regs + reg, val);
}

/* What hardware reads of tables was changed: let it see that, wherever it looks. */
void vtd_publish(const void *p, u64 len);

/* vtd.c. Is (register & @mask) == @val, or soon? u->lock or boot. */
bool vtd_await(struct vtd_unit *u, u32 reg, u32 mask, u32 val);
/* Give GCMD @cmd, on or off, and wait until GSTS says so. u->lock or boot. */
bool vtd_command(struct vtd_unit *u, u32 cmd, bool on);

/* vtd_queue.c */
/* An empty queue; what firmware had is turned off. Boot. -ENOMEM, -EIO. */
int vtd_queue_start(struct vtd_unit *u);
/* Have one descriptor done, and those before it. u->lock or boot. */
bool vtd_submit(struct vtd_unit *u, u64 desc);
/*
 * The same, where isolation hangs on it: panics if the unit fails. Any CPU; takes u->lock.
 */
void vtd_invalidate(struct vtd_unit *u, u64 desc);
/* No translation of @tag is left, nor an access by one. As vtd_invalidate(). */
void vtd_flush_tag(struct vtd_unit *u, u16 tag);

/* vtd_tables.c */
/* Tables by which all devices of all segments have @root and domain 0's tag. Boot. -ENOMEM. */
int vtd_tables_make(hpa_t root);
int vtd_attach(struct pci_id dev, hpa_t root, u16 tag, u16 *was);

/* vtd_pasid.c: scalable mode's tables behind a context entry. Boot, or under the tables' lock. */
/*
 * A directory by which requests that bear no PASID translate by @root with @tag. 0: no memory,
 * or there are too many.
 */
hpa_t vtd_pasid_make(hpa_t root, u16 tag);
/* The tag that was made so. */
u16 vtd_pasid_tag(hpa_t dir);
/* No unit may know of it any more. */
void vtd_pasid_free(hpa_t dir);

/* vtd_irt.c: remap interrupts by a table in which all are blocked. Boot. -ENOMEM, -EIO. */
int vtd_irt_start(struct vtd_unit *u);

/*
 * vtd_fault.c: VECTOR_IOMMU to this CPU when there are faults, from the first call of
 * vtd_fault_interrupt() on. Boot.
 */
void vtd_fault_start(const struct vtd_unit *u);
void vtd_fault_interrupt(void);

#endif
