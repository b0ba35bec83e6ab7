// SPDX-License-Identifier: GPL-2.0-only
/* I/O APICs in firmware's table of IOMMUs; the contract is in tables.h. */
#include "dmar.h"
#include "ivrs.h"
#include "machine/acpi.h"
#include "tables.h"
#include "unit.h"

/* Without this I/O APIC, the southbridge's, Linux remaps none on AMD's. */
#define SOUTHBRIDGE	PCI_BDF(0, PCI_DEVFN(0x14, 0))

enum iommu_kind iommu_kind;

const struct iommu_source *iommu_ioapic(u32 i)
{
	u8 id = (u8)acpi_info.ioapic[i].id;

	if (iommu_kind == IOMMU_INTEL)
		return iommu_source_find(iommu_dmar.source, iommu_dmar.nr_sources, IOMMU_IOAPIC,
					 id);
	return iommu_source_find(iommu_ivrs.source, iommu_ivrs.nr_sources, IOMMU_IOAPIC, id);
}

bool iommu_ioapics_known(void)
{
	bool southbridge = iommu_kind != IOMMU_AMD;
	const struct iommu_source *s;
	u32 i;

	for (i = 0; i < acpi_info.nr_ioapics; i++) {
		s = iommu_ioapic(i);
		if (!s)
			return false;
		southbridge |= !s->dev.segment && s->dev.bdf == SOUTHBRIDGE;
	}
	return southbridge;
}
