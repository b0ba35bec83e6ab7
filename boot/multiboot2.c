// SPDX-License-Identifier: GPL-2.0-only
/* Reader of the multiboot2 information structure. */
#include "multiboot2.h"
#include "hv/core/lib/string.h"
#include "hv/core/machine/efi_map.h"

/* Tag types (multiboot2 specification, 3.6) */
#define TAG_END		0
#define TAG_CMDLINE	1
#define TAG_LOADER	2
#define TAG_MODULE	3
#define TAG_MMAP	6
#define TAG_FRAMEBUFFER	8
#define TAG_EFI32	11
#define TAG_EFI64	12
#define TAG_ACPI_OLD	14
#define TAG_ACPI_NEW	15
#define TAG_EFI_MMAP	17
#define TAG_EFI_RUNNING	18
#define TAG_SECURE_BOOT	0x42500001	/* of our own application; without contents */

struct tag {
	u32 type;
	u32 size;
};

struct tag_module {
	struct tag tag;
	u32 start, end;
	char cmdline[];
};
static_assert(offsetof(struct tag_module, cmdline) == 16, "specification");

struct mmap_entry {
	u64 addr, len;
	u32 type, zero;
};

struct tag_mmap {
	struct tag tag;
	u32 entry_size, entry_version;
	u8 entries[];
};

struct tag_framebuffer {
	struct tag tag;
	u64 addr;
	u32 pitch, width, height;
	u8 bpp, type;
	u16 reserved;
	u8 colour[6];		/* RGB: position and size of red, green, blue */
};
static_assert(offsetof(struct tag_framebuffer, colour) == 32, "specification");

struct tag_efi64 {
	struct tag tag;
	u64 system_table;
};

struct tag_efi_mmap {
	struct tag tag;
	u32 desc_bytes, desc_version;
	u8 map[];
};

/* The string at offset @off of a tag; NULL if it does not end in there. */
static const char *tag_string(const struct tag *t, u32 off)
{
	const char *s = (const char *)t + off;

	if (t->size <= off || !memchr(s, 0, t->size - off))
		return NULL;
	return s;
}

static const char *read_module(const struct tag *t, struct boot_info *bi)
{
	const struct tag_module *m = (const void *)t;
	const char *cmdline = tag_string(t, offsetof(struct tag_module, cmdline));

	if (!cmdline)
		return "a module tag is cut short";
	if (m->end < m->start)
		return "a module ends before it starts";
	if (bi->nr_modules == BOOT_MAX_MODULES)
		return "too many modules";
	bi->module[bi->nr_modules++] = (struct boot_module){ m->start, m->end, cmdline };
	return NULL;
}

static const char *read_mmap(const struct tag *t, struct boot_info *bi)
{
	const struct tag_mmap *mm = (const void *)t;
	struct mmap_entry e;
	u32 off;

	if (t->size < sizeof(*mm) || mm->entry_size < sizeof(e) || mm->entry_size % 8)
		return "the memory map tag is malformed";
	for (off = sizeof(*mm); t->size - off >= mm->entry_size; off += mm->entry_size) {
		memcpy(&e, (const u8 *)t + off, sizeof(e));
		if (bi->map.nr == MEM_MAX_RANGES)
			return "too many memory ranges";
		if (e.addr + e.len < e.addr) {
			bi->nr_wrapped++;
			e.len = e.type == MEM_RAM ? 0 : -e.addr - 1;
		}
		bi->map.r[bi->map.nr++] =
			(struct mem_range){ e.addr, e.addr + e.len, e.type };
	}
	return NULL;
}

static const char *read_framebuffer(const struct tag *t, struct boot_info *bi)
{
	struct tag_framebuffer f = { 0 };

	if (t->size < offsetof(struct tag_framebuffer, colour))
		return "the framebuffer tag is cut short";
	memcpy(&f, t, min((size_t)t->size, sizeof(f)));
	if (f.type > BOOT_FB_TEXT)
		return NULL;
	if (f.type == BOOT_FB_RGB && t->size < sizeof(f) - 2)
		return "the framebuffer tag is cut short";
	bi->fb = (struct boot_framebuffer){
		.type = f.type, .addr = f.addr, .pitch = f.pitch,
		.width = f.width, .height = f.height, .bpp = f.bpp,
		.red_pos = f.colour[0], .red_size = f.colour[1],
		.green_pos = f.colour[2], .green_size = f.colour[3],
		.blue_pos = f.colour[4], .blue_size = f.colour[5],
	};
	return NULL;
}

static const char *read_rsdp(const struct tag *t, struct boot_info *bi)
{
	u32 len = min(t->size - (u32)sizeof(*t), (u32)BOOT_RSDP_MAX);

	/* The newer one, which is longer, is preferred. */
	if (len > bi->rsdp_len) {
		memcpy(bi->rsdp, t + 1, len);
		bi->rsdp_len = len;
	}
	return NULL;
}

static const char *read_efi64(const struct tag *t, struct boot_info *bi)
{
	struct tag_efi64 e;

	if (t->size < sizeof(e))
		return "the EFI64 tag is cut short";
	memcpy(&e, t, sizeof(e));
	bi->efi = true;
	bi->uefi.system_table = e.system_table;
	return NULL;
}

static const char *read_efi_mmap(const struct tag *t, struct boot_info *bi)
{
	const struct tag_efi_mmap *m = (const void *)t;

	if (t->size < sizeof(*m))
		return "UEFI's memory map is cut short";
	bi->uefi.map = m->map;
	bi->uefi.map_bytes = t->size - (u32)sizeof(*m);
	bi->uefi.desc_bytes = m->desc_bytes;
	bi->uefi.desc_version = m->desc_version;
	return efi_map_check(&bi->uefi);
}

static const char *read_tag(const struct tag *t, struct boot_info *bi)
{
	switch (t->type) {
	case TAG_CMDLINE:
		bi->cmdline = tag_string(t, sizeof(*t));
		return bi->cmdline ? NULL : "the command line does not end";
	case TAG_LOADER:
		bi->loader = tag_string(t, sizeof(*t));
		return bi->loader ? NULL : "the loader's name does not end";
	case TAG_MODULE:
		return read_module(t, bi);
	case TAG_MMAP:
		return read_mmap(t, bi);
	case TAG_FRAMEBUFFER:
		return read_framebuffer(t, bi);
	case TAG_EFI32:
		bi->efi = true;
		return NULL;
	case TAG_EFI64:
		return read_efi64(t, bi);
	case TAG_EFI_MMAP:
		return read_efi_mmap(t, bi);
	case TAG_EFI_RUNNING:
		return "UEFI's boot services still run";
	case TAG_SECURE_BOOT:
		bi->uefi.secure_boot = true;
		return NULL;
	case TAG_ACPI_OLD:
	case TAG_ACPI_NEW:
		return read_rsdp(t, bi);
	default:
		return NULL;
	}
}

const char *mb2_parse(const void *mbi, u32 len, struct boot_info *bi)
{
	const struct tag *t;
	const char *err;
	u32 off = 8;		/* total_size, reserved */

	memset(bi, 0, sizeof(*bi));
	bi->loader = bi->cmdline = "";
	bi->fb.type = BOOT_FB_NONE;
	for (;;) {
		if (off > len || len - off < sizeof(*t))
			return "it has no end tag";
		t = (const void *)((const u8 *)mbi + off);
		if (t->type == TAG_END)
			break;
		if (t->size < sizeof(*t) || t->size > len - off)
			return "a tag is cut short";
		err = read_tag(t, bi);
		if (err)
			return err;
		off += ALIGN_UP(t->size, 8u);
	}
	/* Where they differ the more restrictive counts. */
	if (!efi_map_add(&bi->uefi, &bi->map))
		return "too many memory ranges";
	return bi->map.nr ? NULL : "it has no memory map";
}
