// SPDX-License-Identifier: GPL-2.0-only
/*
 * Another IOMMU driver of Linux that has the devices.  On AMD's machines amd_iommu does: Linux
 * needs it for the remapping of interrupts, and it takes DMA along, into tables that Bedplate
 * does not read.  Linux has one driver for all devices that firmware ties to none, the first
 * that registers, so the other lets go.  Its remapping of interrupts stays.
 *
 * No DMA changes: devices translate by Bedplate's table for domain 0 before, meanwhile, and
 * after, and nothing is taken from a driver that expects anything else.
 */
#include <linux/device.h>
#include <linux/irqdomain.h>
#include <linux/msi.h>
#include <linux/pci.h>
#include <linux/platform_device.h>

#include "iommu.h"

static const struct bus_type *const buses[] = { &pci_bus_type, &platform_bus_type };

static bool theirs(const struct device *dev)
{
	return dev->iommu && dev->iommu->iommu_dev && dev->iommu->iommu_dev != &bp_io_unit;
}

static int on_devices(int (*fn)(struct device *dev, void *data))
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < ARRAY_SIZE(buses) && !ret; i++)
		ret = bus_for_each_dev(buses[i], NULL, NULL, fn);
	return ret;
}

/* ---- devices with drivers ---- */

/* VFIO keeps groups, which would not be the devices' any more. */
static bool given_away(struct device *dev)
{
	struct pci_dev *pdev = dev_is_pci(dev) ? to_pci_dev(dev) : NULL;

	return pdev && pdev->driver->driver_managed_dma && !pci_is_bridge(pdev);
}

static int may_take(struct device *dev, void *data)
{
	struct iommu_domain *domain;
	int ret = 0;

	device_lock(dev);
	if (!theirs(dev) || !dev->driver)
		goto out;
	domain = iommu_get_domain_for_dev(dev);
	if (given_away(dev)) {
		dev_err(dev, "bedplate_iommu: %s has it: unbind it first\n", dev->driver->name);
		ret = -EBUSY;
	} else if (domain && domain->type != IOMMU_DOMAIN_IDENTITY) {
		dev_err(dev, "bedplate_iommu: Linux translates its DMA: start it with iommu=pt\n");
		ret = -EBUSY;
	}
out:
	device_unlock(dev);
	return ret;
}

/* What the driver core does after it has unbound a driver; bp_io_claim_bound() takes it back. */
static int leave_group(struct device *dev, void *data)
{
	device_lock(dev);
	if (theirs(dev) && dev->driver && dev->bus->dma_cleanup)
		dev->bus->dma_cleanup(dev);
	device_unlock(dev);
	return 0;
}

static int enter_group(struct device *dev, void *data)
{
	device_lock(dev);
	if (theirs(dev) && dev->driver && dev->bus->dma_configure &&
	    dev->bus->dma_configure(dev))
		dev_warn(dev, "bedplate_iommu: its driver stays outside of the group\n");
	device_unlock(dev);
	return 0;
}

/* ---- units ---- */

/* The unit behind a device of the class of IOMMUs, if it competes with ours, or NULL. */
static struct iommu_device *rival(struct device *dev)
{
	struct iommu_device *unit = dev_get_drvdata(dev);

	return unit && unit != &bp_io_unit && unit->ops && !unit->fwnode ? unit : NULL;
}

static int take(struct device *dev, void *data)
{
	struct iommu_device *unit = rival(dev);

	if (unit) {
		iommu_device_unregister(unit);
		pr_info("bedplate_iommu: %s no longer has the devices' DMA\n", dev_name(dev));
	}
	return 0;
}

static int give_back(struct device *dev, void *data)
{
	struct iommu_device *unit = rival(dev);
	int ret = unit ? iommu_device_register(unit, unit->ops, NULL) : 0;

	if (ret)
		pr_err("bedplate_iommu: %s does not get devices back: %d\n", dev_name(dev), ret);
	return 0;
}

int bp_io_take_over(void)
{
	int ret = on_devices(may_take);

	if (ret)
		return ret;
	on_devices(leave_group);
	class_for_each_device(bp_io_unit.dev->class, NULL, NULL, take);
	return 0;
}

void bp_io_give_back(void)
{
	class_for_each_device(bp_io_unit.dev->class, NULL, NULL, give_back);
	on_devices(enter_group);
}

/* ---- interrupts of devices that come later ---- */

static bool remaps(const struct irq_domain *domain)
{
	return domain && domain->flags & IRQ_DOMAIN_FLAG_ISOLATED_MSI;
}

static const struct pci_bus *root(const struct pci_bus *bus)
{
	while (bus->parent)
		bus = bus->parent;
	return bus;
}

/* A root bus and all below it are one unit's. */
void bp_io_remap_interrupts(struct pci_dev *pdev)
{
	struct pci_dev *other = NULL;
	struct irq_domain *domain;

	if (remaps(dev_get_msi_domain(&pdev->dev)))
		return;
	for_each_pci_dev(other) {
		domain = dev_get_msi_domain(&other->dev);
		if (root(other->bus) == root(pdev->bus) && remaps(domain)) {
			dev_set_msi_domain(&pdev->dev, domain);
			pci_dev_put(other);
			return;
		}
	}
}
