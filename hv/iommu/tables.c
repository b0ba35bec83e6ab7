// SPDX-License-Identifier: GPL-2.0-only
/* This machine's IOMMUs, as firmware lists them in DMAR or IVRS. */
#include "dmar.h"
#include "ivrs.h"
#include "machine/acpi.h"
#include "machine/log.h"
#include "machine/paging.h"

static struct dmar dmar;
static struct ivrs ivrs;

static void log_sources(const char *table, const struct iommu_source *list, u32 nr)
{
	const struct iommu_source *s;
	u32 i;

	for (i = 0; i < acpi_info.nr_ioapics; i++) {
		s = iommu_source_find(list, nr, IOMMU_IOAPIC, (u8)acpi_info.ioapic[i].id);
		if (s)
			log_info("%s: I/O APIC %u is " PCI_FMT ", behind unit %u", table, s->id,
				 PCI_ARGS(s->dev), s->unit);
		else
			log_warn("%s does not say as which function I/O APIC %u asks", table,
				 acpi_info.ioapic[i].id);
	}
}

/* ---- Intel's ---- */

static void log_dmar(void)
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
		log_sources("DMAR", dmar.source, dmar.nr_sources);
}

/* ---- AMD's ---- */

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

static void log_ivrs(void)
{
	log_units();
	log_devices();
	log_regions();
	log_sources("IVRS", ivrs.source, ivrs.nr_sources);
}

/* ---- both ---- */

/* The table, of *len bytes; NULL: there is none, or (which sets *bad) it cannot be read. */
static const void *find(const char *name, u32 *len, bool *bad)
{
	const struct acpi_table *t = acpi_find(&acpi_info, name);
	const void *table;

	if (!t)
		return NULL;
	table = memremap(t->addr, t->len);
	*len = t->len;
	if (!table) {
		log_warn("%s at 0x%llx cannot be read", name, t->addr);
		*bad = true;
	}
	return table;
}

void iommu_init(void)
{
	u32 intel_len = 0, amd_len = 0;
	bool bad = false;
	const void *intel = find("DMAR", &intel_len, &bad);
	const void *amd = find("IVRS", &amd_len, &bad);
	char err[160];

	if (intel && dmar_parse(intel, intel_len, &dmar, err, sizeof(err)))
		log_dmar();
	else if (intel)
		log_warn("DMAR is of no use: %s", err);
	if (amd && ivrs_parse(amd, amd_len, &ivrs, err, sizeof(err)))
		log_ivrs();
	else if (amd)
		log_warn("IVRS is of no use: %s", err);
	if (intel || amd || bad)
		log_warn("DMA is not confined yet: devices can reach all memory");
}
