/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The units that domain 0 sees: of the machine's kind, at the same addresses, for
 * interrupt remapping alone. Linux's own driver writes remapping entries into its memory,
 * and at its invalidations they are checked and copied into the real tables at the same
 * index. None translates DMA: a VT-d says so itself (no address widths), of an AMD-Vi Linux
 * is told on its command line.
 */
#ifndef HV_IOMMU_VIRT_H
#define HV_IOMMU_VIRT_H

#include "hv/iommu/iommu.h"
#include "machine/spinlock.h"

struct virt_unit;

struct virt_kind {
	/*
	 * An access of @size (4 or 8) bytes, aligned, to the registers at @off. Read gives
	 * the value; what is not there reads 0 and ignores writes. Under u->lock.
	 *
	 * A write does what it has caused, such as a queue's commands, in pieces of less
	 * than a millisecond. False: some is left, and domain 0 executes its instruction
	 * again, so that the write comes again; meanwhile it can be interrupted, and others
	 * have the CPU.
	 */
	u64 (*read)(struct virt_unit *u, u32 off, u32 size);
	bool (*write)(struct virt_unit *u, u32 off, u32 size, u64 val);
};

struct virt_unit {
	const struct virt_kind *kind;
	u32 index;		/* of the unit in firmware's table */
	hpa_t regs;
	u64 len;
	struct spinlock lock;	/* guards what the kind keeps of the unit; dom0.lock is inner */
};

/*
 * Boot CPU, after iommu_init() and before iommu_start(): show them, if units can remap
 * interrupts (caps.remaps). Otherwise all of their registers read 0, and writes do nothing.
 */
void virt_iommu_init(void);

/* What Linux's command line must end with; "" if nothing. Boot CPU, after iommu_start(). */
const char *virt_iommu_words(void);

/* Is @gpa a register of a unit? Any CPU. */
bool virt_iommu_hit(gpa_t gpa);
/*
 * Domain 0's access of 1, 2, 4 or 8 bytes there, by a plain MOV. *val is written or read.
 * Of what is narrower than a register only reads are served, and nothing that is not
 * aligned. False: it is not done yet, or not begun as another CPU is at the unit, and the
 * same access is to come again.
 */
bool virt_iommu_access(gpa_t gpa, u32 size, bool write, u64 *val);

/* The kinds: make @u that of unit @index. */
void virt_vtd_init(struct virt_unit *u, u32 index);
void virt_amdvi_init(struct virt_unit *u, u32 index);
/*
 * Units that remap no interrupts: domain 0 finds no IVRS. Linux would wait for commands that
 * are never done.
 */
void virt_amdvi_hide(void);

/*
 * May an entry of domain 0's have this (VT-d 9.10; 48882 ch. 2.2.5.2)? Only fixed and
 * lowest-priority interrupts, of vectors that are neither an exception's nor Bedplate's.
 * Who takes them does not matter: each CPU has one of its vCPUs.
 */
bool virt_intr_allowed(u32 delivery, u8 vector);

#endif
