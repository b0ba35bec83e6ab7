// SPDX-License-Identifier: GPL-2.0-only
/* Devices and I/O domains; the contract is in io.h. */
#include "io.h"
#include "dommem.h"
#include "lib/errno.h"
#include "machine/panic.h"
#include "mmu.h"

/* One device changes its table at a time: the count of the domain that it leaves must hold. */
static struct spinlock lock = SPINLOCK_INIT(LOCK_IO);

/* A device no longer translates by the table with that tag: 0 none, 1 domain 0's. */
static void leave(u16 tag)
{
	struct domain *d;

	if (tag <= IOMMU_TAG(0))
		return;
	d = domains[tag - IOMMU_TAG(0)];	/* it has a device, so it is there */
	spin_lock(&d->lock);
	ASSERT(d->nr_devices);
	d->nr_devices--;
	spin_unlock(&d->lock);
}

static int attach_domain(struct domain *d, struct pci_id dev, u16 *was)
{
	int err = -EINVAL;

	spin_lock(&d->lock);
	if (d->io && d->phase == DOM_LIVE && d->npt.table)
		err = iommu_attach(dev, d->npt.table, IOMMU_TAG(d->id), was);
	if (!err)
		d->nr_devices++;
	spin_unlock(&d->lock);
	return err;
}

static int attach(u64 id, struct pci_id dev, u16 *was)
{
	struct domain *d;
	int err;

	if (id == 0)
		return iommu_attach(dev, dom0_io_root(), IOMMU_TAG(0), was);
	if (id == BP_IO_BLOCKED)
		return iommu_attach(dev, 0, 0, was);
	d = id < MAX_DOMAINS ? domain_get(id) : NULL;
	if (!d)
		return -ENOENT;
	err = attach_domain(d, dev, was);
	domain_put(d);
	return err;
}

int io_attach(u64 id, struct pci_id dev)
{
	u16 was = 0;
	int err;

	if (!iommu_caps.name)
		return -EOPNOTSUPP;
	spin_lock(&lock);
	err = attach(id, dev, &was);
	if (!err)
		leave(was);
	spin_unlock(&lock);
	return err;
}

s64 io_info(void)
{
	s64 info = BP_IO_CONFINED | (s64)iommu_caps.max_order << BP_IO_ORDER_SHIFT;

	if (!iommu_caps.name)
		return -EOPNOTSUPP;
	if (iommu_caps.remapping)
		info |= BP_IO_REMAPPED;
	if (iommu_caps.snoops)
		info |= BP_IO_COHERENT;
	return info;
}
