// SPDX-License-Identifier: GPL-2.0-only
/* This machine's DMAR. */
#include "dmar.h"
#include "machine/acpi.h"
#include "machine/log.h"
#include "machine/paging.h"

static struct dmar dmar;

static void log_sources(void)
{
	const struct iommu_source *s;
	u32 i;

	for (i = 0; i < acpi_info.nr_ioapics; i++) {
		s = dmar_source(&dmar, IOMMU_IOAPIC, (u8)acpi_info.ioapic[i].id);
		if (s)
			log_info("DMAR: I/O APIC %u is " PCI_FMT ", behind unit %u", s->id,
				 PCI_ARGS(s->dev), s->unit);
		else
			log_warn("DMAR does not say as which function I/O APIC %u asks",
				 acpi_info.ioapic[i].id);
	}
}

static void log_table(void)
{
	const struct dmar_unit *u;
	const struct dmar_region *r;

	log_info("DMAR: addresses of %u bits%s%s%s", dmar.width,
		 dmar.intr_remap ? ", remaps interrupts" : "",
		 dmar.x2apic_opt_out ? ", wants no x2APIC mode" : "",
		 dmar.dma_opt_in ? ", firmware's DMA is over" : "");
	for (u = dmar.unit; u < dmar.unit + dmar.nr_units; u++)
		log_info("DMAR: unit %u at 0x%llx, %u KiB: segment %u, %u device scopes%s",
			 (u32)(u - dmar.unit), u->base, u->size >> 10, u->segment, u->dev.nr,
			 u->rest ? " and all other devices" : "");
	for (r = dmar.region; r < dmar.region + dmar.nr_regions; r++)
		log_info("DMAR: region 0x%llx to 0x%llx: segment %u, %u device scopes",
			 r->mem.start, r->mem.end, r->segment, r->dev.nr);
	if (dmar.intr_remap)
		log_sources();
}

void dmar_init(void)
{
	const struct acpi_table *t = acpi_find(&acpi_info, "DMAR");
	const void *table = t ? memremap(t->addr, t->len) : NULL;
	char err[160];

	if (!t)
		return;
	if (!table)
		log_warn("DMAR at 0x%llx cannot be read", t->addr);
	else if (!dmar_parse(table, t->len, &dmar, err, sizeof(err)))
		log_warn("DMAR is of no use: %s", err);
	else
		log_table();
	log_warn("DMA is not confined yet: devices can reach all memory");
}
