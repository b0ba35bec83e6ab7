// SPDX-License-Identifier: GPL-2.0-only
/* This machine's IVRS. */
#include "ivrs.h"
#include "machine/acpi.h"
#include "machine/log.h"
#include "machine/paging.h"

static struct ivrs ivrs;

static void log_units(void)
{
	const struct ivrs_unit *u;

	for (u = ivrs.unit; u < ivrs.unit + ivrs.nr_units; u++)
		log_info("IVRS: unit %u is " PCI_FMT ", registers at 0x%llx, flags 0x%x, "
			 "features 0x%llx", (u32)(u - ivrs.unit), PCI_ARGS(u->id), u->regs,
			 u->flags, u->has_efr ? u->efr : u->features);
}

static void log_devices(void)
{
	const struct ivrs_devs *d;
	struct pci_id as;

	for (d = ivrs.devs; d < ivrs.devs + ivrs.nr_devs; d++) {
		as = (struct pci_id){ d->segment, d->alias };
		if (d->aliased)
			log_info("IVRS: devices %04x:%04x to %04x: units 0x%llx, settings 0x%x%s, "
				 "as " PCI_FMT, d->segment, d->first, d->last, d->units, d->dte,
				 d->no_ats ? ", no ATS" : "", PCI_ARGS(as));
		else
			log_info("IVRS: devices %04x:%04x to %04x: units 0x%llx, settings 0x%x%s",
				 d->segment, d->first, d->last, d->units, d->dte,
				 d->no_ats ? ", no ATS" : "");
	}
}

static void log_regions(void)
{
	const struct ivrs_region *r;

	for (r = ivrs.region; r < ivrs.region + ivrs.nr_regions; r++)
		log_info("IVRS: region 0x%llx to 0x%llx: devices %04x:%04x to %04x%s%s%s",
			 r->mem.start, r->mem.end, r->segment, r->first, r->last,
			 r->mem.access & IOMMU_READ ? ", read" : "",
			 r->mem.access & IOMMU_WRITE ? ", write" : "",
			 r->exclusion ? ", not translated" : "");
}

static void log_sources(void)
{
	const struct iommu_source *s;
	u32 i;

	for (i = 0; i < acpi_info.nr_ioapics; i++) {
		s = ivrs_source(&ivrs, IOMMU_IOAPIC, (u8)acpi_info.ioapic[i].id);
		if (s)
			log_info("IVRS: I/O APIC %u is " PCI_FMT ", behind unit %u", s->id,
				 PCI_ARGS(s->dev), s->unit);
		else
			log_warn("IVRS does not say as which function I/O APIC %u asks",
				 acpi_info.ioapic[i].id);
	}
}

static void log_table(void)
{
	log_units();
	log_devices();
	log_regions();
	log_sources();
}

void ivrs_init(void)
{
	const struct acpi_table *t = acpi_find(&acpi_info, "IVRS");
	const void *table = t ? memremap(t->addr, t->len) : NULL;
	char err[160];

	if (!t)
		return;
	if (!table)
		log_warn("IVRS at 0x%llx cannot be read", t->addr);
	else if (!ivrs_parse(table, t->len, &ivrs, err, sizeof(err)))
		log_warn("IVRS is of no use: %s", err);
	else
		log_table();
	log_warn("DMA is not confined yet: devices can reach all memory");
}
