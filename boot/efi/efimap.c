// SPDX-License-Identifier: GPL-2.0-only
/* The firmware's memory map; the contract is in efimap.h. */
#include "efimap.h"
#include "hv/core/lib/string.h"
#include "hv/core/machine/efi_map.h"

static void read_desc(const struct efi_map *in, u64 i, struct efi_desc *d)
{
	memcpy(d, (const u8 *)in->descs + i * in->desc_size, sizeof(*d));
}

static const char *check(const struct efi_map *in, u64 n)
{
	struct efi_desc d;
	u64 i;

	for (i = 0; i < n; i++) {
		read_desc(in, i, &d);
		if (d.start & ~PAGE_MASK)
			return "a range does not begin at a page";
		if (d.pages > (~0ull - d.start) >> PAGE_SHIFT)
			return "a range wraps around";
	}
	return NULL;
}

/* After descriptor @last in the order of addresses, then of places; n: none. */
static u64 next_desc(const struct efi_map *in, u64 n, u64 last, struct efi_desc *found)
{
	struct efi_desc d;
	u64 i, best = n, from = 0;

	if (last != n) {
		read_desc(in, last, &d);
		from = d.start;
	}
	for (i = 0; i < n; i++) {
		read_desc(in, i, &d);
		if (last != n && (d.start < from ||
				  (d.start == from && i <= last)))
			continue;
		if (best == n || d.start < found->start) {
			best = i;
			*found = d;
		}
	}
	return best;
}

const char *efimap_ranges(const struct efi_map *in, struct mem_map *out)
{
	u64 n = in->desc_size ? in->bytes / in->desc_size : 0, i = n;
	struct efi_desc d = { 0 };
	struct mem_range *last;
	const char *err;
	hpa_t end;
	u32 type;

	out->nr = 0;
	if (in->desc_size < sizeof(d) || in->bytes % in->desc_size)
		return "its size is no multiple of a range's";
	err = check(in, n);
	if (err)
		return err;
	while ((i = next_desc(in, n, i, &d)) != n) {
		type = efi_map_type(&d);
		end = d.start + (d.pages << PAGE_SHIFT);
		last = out->nr ? &out->r[out->nr - 1] : NULL;
		if (last && last->end == d.start && last->type == type) {
			last->end = end;
			continue;
		}
		if (end == d.start)
			continue;
		if (out->nr == MEM_MAX_RANGES)
			return "it has too many ranges";
		out->r[out->nr++] = (struct mem_range){ d.start, end, type };
	}
	return NULL;
}

bool efimap_keep(const struct efi_map *in, struct mem_map *m)
{
	const struct boot_efi e = { .map = in->descs, .map_bytes = (u32)in->bytes,
				    .desc_bytes = (u32)in->desc_size };

	return efi_map_keep(&e, m);
}

bool efimap_is_ram(const struct mem_map *m, hpa_t start, hpa_t end)
{
	u32 i;

	for (i = 0; i < m->nr && start < end; i++)
		if (m->r[i].type == MEM_RAM && m->r[i].start <= start && m->r[i].end > start)
			start = m->r[i].end;
	return start >= end;
}
