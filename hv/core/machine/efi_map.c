// SPDX-License-Identifier: GPL-2.0-only
/* Reader of UEFI's memory map; the contract is in efi_map.h. */
#include "efi_map.h"
#include "lib/string.h"

#define PHYS_END	BIT(52)

const char *efi_map_check(const struct boot_efi *e)
{
	if (e->desc_bytes < sizeof(struct efi_desc) || e->desc_bytes % 8)
		return "UEFI's memory map has descriptors of a wrong size";
	if (!e->map_bytes || e->map_bytes % e->desc_bytes)
		return "UEFI's memory map is cut short";
	return NULL;
}

u32 efi_map_nr(const struct boot_efi *e)
{
	return e->map_bytes ? e->map_bytes / e->desc_bytes : 0;
}

bool efi_map_get(const struct boot_efi *e, u32 i, struct efi_desc *d)
{
	memcpy(d, e->map + (size_t)i * e->desc_bytes, sizeof(*d));
	return d->pages && d->start < PHYS_END &&
	       d->pages <= (PHYS_END - d->start) >> PAGE_SHIFT;
}

static hpa_t end_of(const struct efi_desc *d)
{
	return d->start + (d->pages << PAGE_SHIFT);
}

u32 efi_map_type(const struct efi_desc *d)
{
	switch (d->type) {
	case EFI_LOADER_CODE:
	case EFI_LOADER_DATA:
	case EFI_BOOT_CODE:
	case EFI_BOOT_DATA:
	case EFI_CONVENTIONAL:	return d->attr & EFI_MEMORY_SP ? MEM_RESERVED : MEM_RAM;
	case EFI_ACPI_RECLAIM:	return MEM_ACPI;
	case EFI_ACPI_NVS:	return MEM_NVS;
	case EFI_UNUSABLE:	return MEM_BAD;
	default:		return MEM_RESERVED;
	}
}

/* Firmware's maps have many descriptors that lie end to end. */
static bool add(struct mem_map *m, hpa_t start, hpa_t end, u32 type)
{
	struct mem_range *last = m->nr ? &m->r[m->nr - 1] : NULL;

	if (last && last->end == start && last->type == type) {
		last->end = end;
		return true;
	}
	if (m->nr == MEM_MAX_RANGES)
		return false;
	m->r[m->nr++] = (struct mem_range){ start, end, type };
	return true;
}

bool efi_map_add(const struct boot_efi *e, struct mem_map *m)
{
	struct efi_desc d;
	bool ok = true;
	u32 i;

	for (i = 0; i < efi_map_nr(e); i++)
		if (efi_map_get(e, i, &d))
			ok = ok && add(m, d.start, end_of(&d), efi_map_type(&d));
	return ok;
}

bool efi_map_keep(const struct boot_efi *e, struct mem_map *m)
{
	struct efi_desc d;
	bool ok = true;
	u32 i;

	for (i = 0; i < efi_map_nr(e); i++)
		if (efi_map_get(e, i, &d) &&
		    (d.type == EFI_BOOT_CODE || d.type == EFI_BOOT_DATA))
			ok = ok && memmap_set(m, ALIGN_DOWN(d.start, PAGE_SIZE),
					      ALIGN_UP(end_of(&d), PAGE_SIZE), MEM_RESERVED);
	return ok;
}

hpa_t efi_map_end(const struct boot_efi *e)
{
	struct efi_desc d;
	hpa_t end = 0;
	u32 i;

	for (i = 0; i < efi_map_nr(e); i++)
		if (efi_map_get(e, i, &d) && (d.attr & EFI_MEMORY_WB) &&
		    (d.type == EFI_RUNTIME_CODE || d.type == EFI_RUNTIME_DATA ||
		     d.type == EFI_ACPI_RECLAIM || d.type == EFI_ACPI_NVS))
			end = max(end, end_of(&d));
	return end;
}
