// SPDX-License-Identifier: GPL-2.0-only
/* This machine's units behind their driver; the contract is in iommu.h. */
#include "dmar.h"
#include "ivrs.h"
#include "machine/log.h"
#include "machine/panic.h"
#include "tables.h"
#include "unit.h"

struct iommu_caps iommu_caps;
static const struct iommu_driver *driver;

void iommu_init(void)
{
	const struct iommu_driver *d;
	const char *why;

	iommu_read_tables();
	if (iommu_kind == IOMMU_NONE)
		return;
	d = iommu_kind == IOMMU_INTEL ? &vtd_driver : &amdvi_driver;
	why = d->probe(&iommu_caps);
	if (why) {
		iommu_caps = (struct iommu_caps){ 0 };
		log_warn("the IOMMUs are of no use: %s", why);
		return;
	}
	driver = d;
}

int iommu_start(hpa_t root, bool remap)
{
	iommu_caps.remapping = remap && iommu_caps.remaps;
	return driver->start(root, iommu_caps.remapping);
}

void iommu_flush(u16 tag)
{
	driver->flush(tag);
}

int iommu_attach(struct pci_id dev, hpa_t root, u16 tag, u16 *was)
{
	return driver->attach(dev, root, tag, was);
}

void iommu_interrupt(void)
{
	if (driver)
		driver->interrupt();
}
