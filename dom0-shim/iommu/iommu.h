/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * bedplate_iommu.ko: Bedplate's IOMMU as Linux knows IOMMUs.  It is for VFIO: each of VFIO's
 * containers is an I/O domain of Bedplate's, whose table says what its devices reach.
 */
#ifndef BEDPLATE_IOMMU_H
#define BEDPLATE_IOMMU_H

#include <linux/iommu.h>
#include <linux/types.h>

struct pci_dev;

/* ---- main.c ---- */
extern long bp_io_info;			/* of BP_HC_IO_INFO; constant */
extern struct iommu_device bp_io_unit;
extern bool bp_io_registered;		/* Linux knows it */

/* ---- device.c ---- */
extern struct iommu_domain bp_io_identity, bp_io_blocked;
/*
 * Let each ID that the device's DMA may carry translate by @target, as BP_HC_IO_ATTACH has it.
 * On an error they all do as before.  The group's mutex is held.
 */
int bp_io_attach(struct device *dev, u32 target);
struct iommu_device *bp_io_probe(struct device *dev);
void bp_io_release(struct device *dev);
/* The controller that stands for it on the machine's own buses, if it is behind Intel's VMD. */
struct pci_dev *bp_io_requester(struct pci_dev *pdev);
/*
 * Devices whose drivers were bound before they had a group: their groups hear of it.  After
 * the driver is registered.
 */
void bp_io_claim_bound(void);

/* ---- takeover.c ---- */
/*
 * Take the devices from other IOMMU drivers, before ours is registered and after bp_io_unit is
 * in sysfs.  -EBUSY, with a line in the log: one is in use in a way that does not allow it, and
 * nothing has changed.
 */
int bp_io_take_over(void);
/* Undo that: ours could not be registered. */
void bp_io_give_back(void);
/* A device is new: its interrupts are remapped if its neighbours' are. */
void bp_io_remap_interrupts(struct pci_dev *pdev);

/* ---- reserved.c ---- */
/*
 * Where messages go, and what firmware's table wants the device to reach as it is: Linux
 * refuses to give such a device away, as its own drivers would.
 */
void bp_io_resv_regions(struct device *dev, struct list_head *head);

/* ---- domain.c ---- */
/* An I/O domain; ERR_PTR. */
struct iommu_domain *bp_io_domain_alloc(struct device *dev);
extern const struct iommu_domain_ops bp_io_domain_ops;

#endif
