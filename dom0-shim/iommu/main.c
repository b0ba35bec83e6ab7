// SPDX-License-Identifier: GPL-2.0-only
/*
 * bedplate_iommu.ko: tells Linux of Bedplate's IOMMU, so that VFIO can give devices away.  It
 * is a module of its own because Linux holds it for each device that there is, so that it
 * stays once it is loaded; bedplate.ko need not.
 *
 * Devices that Linux drives itself keep translating by domain 0's table, which is an identity
 * map of all that the service VM owns: their DMA costs nothing more.
 */
#include <linux/module.h>
#include <linux/pci.h>

#include "channel/hypercall.h"
#include "iommu.h"

long bp_io_info;
struct iommu_device bp_io_unit;
bool bp_io_registered;

static bool io_capable(struct device *dev, enum iommu_cap cap)
{
	switch (cap) {
	case IOMMU_CAP_CACHE_COHERENCY:
		return true;	/* as a PC's DMA is, unless a device asks otherwise */
	case IOMMU_CAP_ENFORCE_CACHE_COHERENCY:
		return bp_io_info & BP_IO_COHERENT;
	default:
		return false;
	}
}

/* A device that can be plugged in from outside gets only what is mapped for it. */
static int def_domain_type(struct device *dev)
{
	return to_pci_dev(dev)->untrusted ? IOMMU_DOMAIN_DMA : IOMMU_DOMAIN_IDENTITY;
}

static const struct iommu_ops ops = {
	.owner = THIS_MODULE,
	.capable = io_capable,
	.def_domain_type = def_domain_type,
	.identity_domain = &bp_io_identity,
	.blocked_domain = &bp_io_blocked,
	.domain_alloc_paging = bp_io_domain_alloc,
	.default_domain_ops = &bp_io_domain_ops,
	.probe_device = bp_io_probe,
	.release_device = bp_io_release,
	.device_group = pci_device_group,
	.get_resv_regions = bp_io_resv_regions,
};

static int __init bedplate_iommu_init(void)
{
	int ret = bp_find_bedplate();

	if (ret)
		return ret;
	bp_io_info = bp_hc_io_info();
	if (bp_io_info < 0 || !(bp_io_info & BP_IO_CONFINED)) {
		pr_err("bedplate_iommu: Bedplate drives no IOMMU on this machine\n");
		return -ENODEV;
	}
	ret = iommu_device_sysfs_add(&bp_io_unit, NULL, NULL, "bedplate");
	if (ret)
		return ret;
	ret = bp_io_take_over();
	if (ret)
		goto remove;
	ret = iommu_device_register(&bp_io_unit, &ops, NULL);
	if (ret) {
		pr_err("bedplate_iommu: Linux does not take it: %d\n", ret);
		goto give_back;
	}
	bp_io_registered = true;
	bp_io_claim_bound();
	pr_info("bedplate_iommu: devices can be given away; interrupts are %sremapped\n",
		bp_io_info & BP_IO_REMAPPED ? "" : "not ");
	return 0;

give_back:
	bp_io_give_back();
remove:
	iommu_device_sysfs_remove(&bp_io_unit);
	return ret;
}

/* Nothing is there that it was told of. */
static void __exit bedplate_iommu_exit(void)
{
	iommu_device_unregister(&bp_io_unit);
	iommu_device_sysfs_remove(&bp_io_unit);
}

module_init(bedplate_iommu_init);
module_exit(bedplate_iommu_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("IOMMU of the Bedplate hypervisor");
