// SPDX-License-Identifier: GPL-2.0-only
/*
 * PCI functions: which of Bedplate's tables each translates by.  Before Linux says anything
 * that is domain 0's for all.
 */
#include <linux/device.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "channel/hypercall.h"
#include "compat.h"
#include "iommu.h"

#define DEVFNS		256	/* on a bus */

struct io_device {
	u32 target;		/* what it translates by */
	bool bound;		/* its driver came before us */
};

static int attach_id(const struct pci_dev *pdev, u16 id, u32 target)
{
	return bp_hc_io_attach(target, (u32)pci_domain_nr(pdev->bus) << 16 | id);
}

struct pci_dev *bp_io_requester(struct pci_dev *pdev)
{
#if IS_ENABLED(CONFIG_VMD)
	if (is_vmd(pdev->bus))
		return to_pci_sysdata(pdev->bus)->vmd_dev;
#endif
	return pdev;
}

/*
 * The ID that @bridge puts in place of those of devices behind it, or -1: a PCIe port leaves
 * them alone, and a bridge from PCIe to PCI takes device 0 of the bus behind it.
 */
static int bridge_id(struct pci_dev *bridge)
{
	bool takes_bus = bridge->dev_flags & PCI_DEV_FLAG_PCIE_BRIDGE_ALIAS;

	if (pci_is_pcie(bridge)) {
		takes_bus = pci_pcie_type(bridge) == PCI_EXP_TYPE_PCI_BRIDGE;
		if (!takes_bus && pci_pcie_type(bridge) != PCI_EXP_TYPE_PCIE_BRIDGE)
			return -1;
	}
	if (takes_bus)
		return PCI_DEVID(bridge->subordinate->number, 0);
	return PCI_DEVID(bridge->bus->number, bridge->devfn);
}

static int attach_bridges(const struct pci_dev *pdev, u32 target)
{
	const struct pci_bus *bus;
	int id, ret = 0;

	for (bus = pdev->bus; bus->parent && !ret; bus = bus->parent) {
		if (!bus->self)
			continue;	/* one of a PF's, for VFs */
		if (bus->self->dev_flags & PCI_DEV_FLAGS_BRIDGE_XLATE_ROOT)
			break;
		id = bridge_id(bus->self);
		if (id >= 0)
			ret = attach_id(bus->self, id, target);
	}
	return ret;
}

/* Linux's own walk over these IDs is not for modules. */
static int attach_all(struct pci_dev *pdev, u32 target)
{
	unsigned int devfn;
	int ret;

	pdev = bp_io_requester(pdev);
	ret = attach_id(pdev, pci_dev_id(pdev), target);
	if (!ret && pdev->dma_alias_mask)
		for_each_set_bit(devfn, pdev->dma_alias_mask, DEVFNS)
			ret = ret ?: attach_id(pdev, PCI_DEVID(pdev->bus->number, devfn), target);
	return ret ?: attach_bridges(pdev, target);
}

int bp_io_attach(struct device *dev, u32 target)
{
	struct io_device *io = dev_iommu_priv_get(dev);
	int ret = attach_all(to_pci_dev(dev), target);

	if (ret)
		attach_all(to_pci_dev(dev), io->target);
	else
		io->target = target;
	return ret;
}

static int attach_identity(struct iommu_domain *domain, struct device *dev BP_OLD_DOMAIN)
{
	return bp_io_attach(dev, 0);
}

static int attach_blocked(struct iommu_domain *domain, struct device *dev BP_OLD_DOMAIN)
{
	return bp_io_attach(dev, BP_IO_BLOCKED);
}

static const struct iommu_domain_ops identity_ops = { .attach_dev = attach_identity };
static const struct iommu_domain_ops blocked_ops = { .attach_dev = attach_blocked };

struct iommu_domain bp_io_identity = { .type = IOMMU_DOMAIN_IDENTITY, .ops = &identity_ops };
struct iommu_domain bp_io_blocked = { .type = IOMMU_DOMAIN_BLOCKED, .ops = &blocked_ops };

/* -ENODEV: Linux goes on without an IOMMU for it, and VFIO leaves it alone. */
struct iommu_device *bp_io_probe(struct device *dev)
{
	struct io_device *io;
	int ret;

	if (!dev_is_pci(dev))
		return ERR_PTR(-ENODEV);
	io = kzalloc(sizeof(*io), GFP_KERNEL);
	if (!io)
		return ERR_PTR(-ENOMEM);
	io->bound = dev->driver;
	dev_iommu_priv_set(dev, io);
	ret = bp_io_attach(dev, 0);
	if (!ret) {
		bp_io_remap_interrupts(to_pci_dev(dev));
		return &bp_io_unit;
	}
	if (ret != -ENODEV)
		dev_err(dev, "bedplate_iommu: Bedplate refuses it: %d\n", ret);
	dev_iommu_priv_set(dev, NULL);
	kfree(io);
	return ERR_PTR(-ENODEV);
}

/*
 * Its own ID stays blocked until there is a device again; others that its DMA may have carried
 * may be those of devices that are still there.
 */
void bp_io_release(struct device *dev)
{
	u32 target = bp_io_registered ? BP_IO_BLOCKED : 0;
	struct io_device *io = dev_iommu_priv_get(dev);
	struct pci_dev *pdev = to_pci_dev(dev);

	if (bp_io_requester(pdev) == pdev)
		attach_id(pdev, pci_dev_id(pdev), target);
	dev_iommu_priv_set(dev, NULL);
	kfree(io);
}

/* What the driver core does before it binds a driver; it would have done so had we been there. */
static void claim(struct device *dev)
{
	struct io_device *io;

	device_lock(dev);
	io = device_iommu_mapped(dev) ? dev_iommu_priv_get(dev) : NULL;
	if (io && io->bound && dev->driver && dev->bus->dma_configure(dev))
		dev_warn(dev, "bedplate_iommu: its driver stays outside of the group\n");
	device_unlock(dev);
}

void bp_io_claim_bound(void)
{
	struct pci_dev *pdev = NULL;

	for_each_pci_dev(pdev)
		claim(&pdev->dev);
}
