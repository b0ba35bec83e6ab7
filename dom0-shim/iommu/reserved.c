// SPDX-License-Identifier: GPL-2.0-only
/* Reserved regions of devices, from firmware's table as the service VM sees it. */
#include <linux/acpi.h>
#include <linux/pci.h>

#include "iommu.h"
#include "regions.h"

/* No DMA goes there: what devices write is an interrupt. */
#define MSI_START	0xfee00000
#define MSI_SIZE	0x100000

struct search {
	struct pci_dev *pdev;
	struct list_head *head;
};

static bool is_behind(struct pci_dev *pdev, const struct pci_dev *bridge)
{
	for (; pdev; pdev = pci_upstream_bridge(pdev))
		if (pdev == bridge)
			return true;
	return false;
}

/* Follows the way that the region has. */
static bool is_on_path(struct pci_dev *pdev, const struct bp_region *r)
{
	struct pci_bus *bus = pci_find_bus(r->segment, r->bus);
	struct pci_dev *at = NULL;
	bool found;
	int i;

	for (i = 0; bus && i < r->depth; i++) {
		pci_dev_put(at);
		at = pci_get_slot(bus, r->path[i]);
		bus = at ? at->subordinate : NULL;
	}
	found = at && i == r->depth && (at == pdev || (r->below && is_behind(pdev, at)));
	pci_dev_put(at);
	return found;
}

static bool is_named(struct pci_dev *pdev, const struct bp_region *r)
{
	u16 id = pci_dev_id(pdev);

	if (pci_domain_nr(pdev->bus) != r->segment)
		return false;
	return r->depth ? is_on_path(pdev, r) : id >= r->first && id <= r->last;
}

/* As Linux's driver has it, firmware uses what it has for these before the kernel runs only. */
static bool is_relaxable(const struct pci_dev *pdev, const struct bp_region *r)
{
	return r->depth && (pdev->class >> 8 == PCI_CLASS_SERIAL_USB ||
			    pdev->class >> 16 == PCI_BASE_CLASS_DISPLAY);
}

static void add(struct list_head *head, u64 start, u64 len, int prot, enum iommu_resv_type type)
{
	struct iommu_resv_region *region;

	region = iommu_alloc_resv_region(start, len, prot, type, GFP_KERNEL);
	if (region)
		list_add_tail(&region->list, head);
}

static void add_if_named(void *ctx, const struct bp_region *r)
{
	const struct search *s = ctx;
	int prot = (r->read ? IOMMU_READ : 0) | (r->write ? IOMMU_WRITE : 0);

	if (!is_named(s->pdev, r))
		return;
	add(s->head, r->start, r->len, prot,
	    r->excluded ? IOMMU_RESV_RESERVED :
	    is_relaxable(s->pdev, r) ? IOMMU_RESV_DIRECT_RELAXABLE : IOMMU_RESV_DIRECT);
}

/* An IVRS that Bedplate has hidden, as it remaps no interrupts, is named XVRS. */
void bp_io_resv_regions(struct device *dev, struct list_head *head)
{
	static char *const tables[] = { "DMAR", "IVRS", "XVRS" };
	struct search s = { bp_io_requester(to_pci_dev(dev)), head };
	struct acpi_table_header *table;
	unsigned int i;

	add(head, MSI_START, MSI_SIZE, 0, IOMMU_RESV_MSI);
	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		if (ACPI_FAILURE(acpi_get_table(tables[i], 1, &table)))
			continue;
		bp_regions(table, table->length, add_if_named, &s);
		acpi_put_table(table);
	}
}
