// SPDX-License-Identifier: GPL-2.0-only
/* Writer of the multiboot2 information structure; the contract is in info.h. */
#include "info.h"
#include "hv/core/lib/string.h"

/* Tag types (multiboot2 specification, 3.6) */
#define TAG_END		0
#define TAG_CMDLINE	1
#define TAG_LOADER	2
#define TAG_MODULE	3
#define TAG_MMAP	6
#define TAG_FRAMEBUFFER	8
#define TAG_EFI64	12
#define TAG_ACPI_NEW	15
#define TAG_EFI_MMAP	17

#define TAG_HEADER	8	/* type and size */
#define MMAP_ENTRY	24
#define MMAP_HEADER	16
#define EFI_MMAP_HEADER	16

static void put(struct info *i, const void *from, u64 n)
{
	if (i->full || n > i->size - i->used) {
		i->full = true;
		return;
	}
	memcpy(i->buf + i->used, from, n);
	i->used += (u32)n;
}

static void put32(struct info *i, u32 v)
{
	put(i, &v, sizeof(v));
}

static void put64(struct info *i, u64 v)
{
	put(i, &v, sizeof(v));
}

/* A tag with @n bytes behind its header; they follow, then pad(). */
static void open_tag(struct info *i, u32 type, u64 n)
{
	put32(i, type);
	put32(i, (u32)(TAG_HEADER + n));
}

static void pad(struct info *i)
{
	static const u8 zero[8];

	put(i, zero, ALIGN_UP(i->used, 8u) - i->used);
}

static void put_string(struct info *i, u32 type, const char *s)
{
	u64 n = strlen(s) + 1;

	open_tag(i, type, n);
	put(i, s, n);
	pad(i);
}

void info_begin(struct info *i, void *buf, u32 size)
{
	*i = (struct info){ .buf = buf, .size = size };
	put64(i, 0);			/* total size, reserved */
}

void info_cmdline(struct info *i, const char *line)
{
	put_string(i, TAG_CMDLINE, line);
}

void info_loader(struct info *i, const char *name)
{
	put_string(i, TAG_LOADER, name);
}

void info_module(struct info *i, hpa_t start, hpa_t end, const char *line)
{
	u64 n = strlen(line) + 1;

	open_tag(i, TAG_MODULE, 8 + n);
	put32(i, (u32)start);
	put32(i, (u32)end);
	put(i, line, n);
	pad(i);
}

void info_framebuffer(struct info *i, const struct boot_framebuffer *fb)
{
	const u8 bytes[4] = { fb->bpp, fb->type, 0, 0 };
	const u8 colour[6] = { fb->red_pos, fb->red_size, fb->green_pos,
			       fb->green_size, fb->blue_pos, fb->blue_size };

	open_tag(i, TAG_FRAMEBUFFER, 24 + sizeof(colour));
	put64(i, fb->addr);
	put32(i, fb->pitch);
	put32(i, fb->width);
	put32(i, fb->height);
	put(i, bytes, sizeof(bytes));
	put(i, colour, sizeof(colour));
	pad(i);
}

void info_rsdp(struct info *i, const void *rsdp, u32 len)
{
	open_tag(i, TAG_ACPI_NEW, len);
	put(i, rsdp, len);
	pad(i);
}

void info_system_table(struct info *i, hpa_t table)
{
	open_tag(i, TAG_EFI64, 8);
	put64(i, table);
}

void info_flag(struct info *i, u32 type)
{
	open_tag(i, type, 0);
}

void info_memory(struct info *i, const struct mem_map *m)
{
	u32 k;

	open_tag(i, TAG_MMAP, MMAP_HEADER - TAG_HEADER + (u64)m->nr * MMAP_ENTRY);
	put32(i, MMAP_ENTRY);
	put32(i, 0);
	for (k = 0; k < m->nr; k++) {
		put64(i, m->r[k].start);
		put64(i, m->r[k].end - m->r[k].start);
		put64(i, m->r[k].type);
	}
}

void info_efi_map(struct info *i, const struct efi_map *m)
{
	open_tag(i, TAG_EFI_MMAP, EFI_MMAP_HEADER - TAG_HEADER + m->bytes);
	put32(i, (u32)m->desc_size);
	put32(i, m->desc_version);
	put(i, m->descs, m->bytes);
	pad(i);
}

u64 info_maps_bytes(const struct mem_map *m, u64 efi_bytes)
{
	return MMAP_HEADER + (u64)m->nr * MMAP_ENTRY + EFI_MMAP_HEADER + ALIGN_UP(efi_bytes, 8ull);
}

bool info_end(struct info *i)
{
	open_tag(i, TAG_END, 0);
	if (i->full)
		return false;
	memcpy(i->buf, &i->used, sizeof(i->used));
	return true;
}
