// SPDX-License-Identifier: GPL-2.0-only
/* This machine's IOMMUs, as firmware lists them in DMAR or IVRS; the contract is in tables.h. */
#include "dmar.h"
#include "ivrs.h"
#include "lib/printf.h"
#include "machine/acpi.h"
#include "machine/log.h"
#include "machine/paging.h"
#include "tables.h"
#include "unit.h"

struct dmar iommu_dmar;
struct ivrs iommu_ivrs;

static void log_sources(const char *table)
{
	const struct iommu_source *s;
	u32 i;

	for (i = 0; i < acpi_info.nr_ioapics; i++) {
		s = iommu_ioapic(i);
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

	log_info("DMAR: addresses of %u bits%s%s%s", iommu_dmar.width,
		 iommu_dmar.intr_remap ? ", remaps interrupts" : "",
		 iommu_dmar.x2apic_opt_out ? ", wants no x2APIC mode" : "",
		 iommu_dmar.dma_opt_in ? ", firmware's DMA is over" : "");
	for (u = iommu_dmar.unit; u < iommu_dmar.unit + iommu_dmar.nr_units; u++)
		log_info("DMAR: unit %u at 0x%llx, %u KiB: segment %u, %u device scopes%s",
			 (u32)(u - iommu_dmar.unit), u->base, u->size >> 10, u->segment, u->dev.nr,
			 u->rest ? " and all other devices" : "");
	for (r = iommu_dmar.region; r < iommu_dmar.region + iommu_dmar.nr_regions; r++)
		log_info("DMAR: region 0x%llx to 0x%llx: segment %u, %u device scopes",
			 r->mem.start, r->mem.end, r->segment, r->dev.nr);
	if (iommu_dmar.intr_remap)
		log_sources("DMAR");
}

/* ---- AMD's ---- */

static void log_units(void)
{
	const struct ivrs_unit *u;

	for (u = iommu_ivrs.unit; u < iommu_ivrs.unit + iommu_ivrs.nr_units; u++)
		log_info("IVRS: unit %u is " PCI_FMT ", registers at 0x%llx, flags 0x%x, "
			 "features 0x%llx", (u32)(u - iommu_ivrs.unit), PCI_ARGS(u->id), u->regs,
			 u->flags, u->has_efr ? u->efr : u->features);
}

static void log_devices(void)
{
	const struct ivrs_devs *d;
	struct pci_id as;

	for (d = iommu_ivrs.devs; d < iommu_ivrs.devs + iommu_ivrs.nr_devs; d++) {
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

	for (r = iommu_ivrs.region; r < iommu_ivrs.region + iommu_ivrs.nr_regions; r++)
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
	log_sources("IVRS");
}

/* ---- both ---- */

/* The table, of *len bytes; NULL: there is none, or it cannot be read. */
static const void *find(const char *name, u32 *len)
{
	const struct acpi_table *t = acpi_find(&acpi_info, name);
	const void *table;

	if (!t)
		return NULL;
	table = memremap(t->addr, t->len);
	*len = t->len;
	if (!table)
		log_warn("%s at 0x%llx cannot be read", name, t->addr);
	return table;
}

/* Some firmware leaves a table without units when its IOMMUs are off. */
static bool dmar_has_units(const void *table, u32 len, char *err, u32 err_len)
{
	if (!dmar_parse(table, len, &iommu_dmar, err, err_len))
		return false;
	if (!iommu_dmar.nr_units)
		bp_snprintf(err, err_len, "it lists no unit");
	return iommu_dmar.nr_units;
}

void iommu_read_tables(void)
{
	u32 intel_len = 0, amd_len = 0;
	const void *intel = find("DMAR", &intel_len);
	const void *amd = find("IVRS", &amd_len);
	char err[160];

	if (intel && dmar_has_units(intel, intel_len, err, sizeof(err))) {
		iommu_kind = IOMMU_INTEL;
		log_dmar();
		return;
	}
	if (intel) {
		log_warn("DMAR is of no use: %s", err);
		iommu_dmar.nr_units = iommu_dmar.nr_regions = 0;
	}
	if (amd && ivrs_parse(amd, amd_len, &iommu_ivrs, err, sizeof(err))) {
		iommu_kind = IOMMU_AMD;
		log_ivrs();
		return;
	}
	if (amd) {
		log_warn("IVRS is of no use: %s", err);
		iommu_ivrs.nr_units = iommu_ivrs.nr_regions = 0;
	}
}

bool iommu_regs(u32 i, hpa_t *base, u64 *len)
{
	if (i < iommu_dmar.nr_units) {
		*base = iommu_dmar.unit[i].base;
		*len = iommu_dmar.unit[i].size;
		return true;
	}
	i -= iommu_dmar.nr_units;
	if (i >= iommu_ivrs.nr_units)
		return false;
	*base = iommu_ivrs.unit[i].regs;
	*len = IVRS_REGS_SIZE;
	return true;
}

bool iommu_function(u32 i, struct pci_id *id)
{
	if (i >= iommu_ivrs.nr_units)
		return false;
	*id = iommu_ivrs.unit[i].id;
	return true;
}

bool iommu_has_segment(u16 segment)
{
	u32 i;

	for (i = 0; i < iommu_dmar.nr_units; i++)
		if (iommu_dmar.unit[i].segment == segment)
			return true;
	for (i = 0; i < iommu_ivrs.nr_units; i++)
		if (iommu_ivrs.unit[i].id.segment == segment)
			return true;
	return false;
}

const struct iommu_region *iommu_reserved(u32 i)
{
	if (i < iommu_dmar.nr_regions)
		return &iommu_dmar.region[i].mem;
	i -= iommu_dmar.nr_regions;
	return i < iommu_ivrs.nr_regions ? &iommu_ivrs.region[i].mem : NULL;
}
