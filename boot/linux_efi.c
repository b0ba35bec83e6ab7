// SPDX-License-Identifier: GPL-2.0-only
#include "linux_efi.h"
#include "hv/core/lib/string.h"
#include "hv/core/machine/efi_map.h"

/* Where the piece that begins at @pos ends, @end at most; @inside: it lies in a cut. */
static hpa_t piece_end(const struct mem_range *cut, u32 nr, hpa_t pos, hpa_t end, bool *inside)
{
	u32 i;

	*inside = false;
	for (i = 0; i < nr; i++) {
		if (pos >= cut[i].start && pos < cut[i].end) {
			*inside = true;
			return min(end, cut[i].end);
		}
		if (cut[i].start > pos)
			end = min(end, cut[i].start);
	}
	return end;
}

static void put_desc(const struct boot_efi *e, u32 i, const struct efi_desc *d, u8 *to)
{
	memcpy(to, e->map + (size_t)i * e->desc_bytes, e->desc_bytes);
	memcpy(to, d, sizeof(*d));
}

u32 linux_efi_map(const struct boot_efi *e, const struct mem_range *cut, u32 nr_cuts, void *out)
{
	hpa_t pos, next, end;
	u32 i, type, n = 0;
	struct efi_desc d;
	bool inside;

	for (i = 0; i < efi_map_nr(e); i++) {
		if (!efi_map_get(e, i, &d))
			continue;
		type = d.type;
		end = d.start + (d.pages << PAGE_SHIFT);
		for (pos = d.start; pos < end; pos = next) {
			next = piece_end(cut, nr_cuts, pos, end, &inside);
			d.type = inside ? EFI_RESERVED : type;
			d.start = pos;
			d.pages = (next - pos) >> PAGE_SHIFT;
			if (!d.pages)	/* firmware's is not page aligned */
				continue;
			if (out)
				put_desc(e, i, &d, (u8 *)out + (size_t)n * e->desc_bytes);
			n++;
		}
	}
	return n * e->desc_bytes;
}
