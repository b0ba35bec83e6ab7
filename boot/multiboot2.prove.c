// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reader of what the loader tells (multiboot2.c).
 *
 * Proved: whatever is in the structure, no byte outside it is read and none outside
 * struct boot_info written, and the reader ends. What it gives lies in the structure:
 * strings end in it, UEFI's map is inside; what it counts fits its array, and no
 * range of memory ends before it starts.
 *
 * Bounds: a structure of up to 24 bytes (two tags) as a whole, for the steps from tag to tag. Each kind of
 * tag by itself: strings up to 4 bytes behind a module tag's fixed part, memory maps of up to two entries,
 * RSDPs of up to 40 bytes; read into a boot_info that any number of tags have filled.
 * Memory maps of 3 ranges instead of 1024 (small_map.h).
 * Assumed: mbi is readable for len bytes, as multiboot2.h has it.
 */
#include "multiboot2.c"
#include "prove.h"

// SOURCES: hv/core/machine/efi_map.c
// CFLAGS: -include plain_string.h -include small_map.h

static struct boot_info bi;
struct boot_info nondet_boot_info(void);

/* As any tags may have left it. */
static bool is_sane(void)
{
	return bi.nr_modules <= BOOT_MAX_MODULES && bi.map.nr <= MEM_MAX_RANGES &&
	       bi.rsdp_len <= BOOT_RSDP_MAX;
}

/* A tag at the end of @room: with its fixed part of @least bytes, and no byte behind it. */
#define any_tag(room, least) ({								\
	u32 size_ = (u32)any_of(least, sizeof(room));					\
	struct tag *t_ = (void *)tail_of(room, size_);					\
											\
	bi = nondet_boot_info();							\
	assume(is_sane() && t_->size == size_);						\
	t_; })

// PROVE: multiboot2.whole prove_whole --unwind 17 --unwindset mb2_parse.0:4,efi_map_add.0:1,read_mmap.0:1
// MUTANT: boot/multiboot2.c
// - 		if (off > len || len - off < sizeof(*t))
// + 		if (len - off < sizeof(*t))
// MUTANT: boot/multiboot2.c
// - t->size > len - off)
// + t->size > len)
// MUTANT: boot/multiboot2.c
// - 		off += ALIGN_UP(t->size, 8u);
// + 		off += ALIGN_DOWN(t->size, 16u);
void prove_whole(void)
{
	u8 room[24];
	u32 len = (u32)any_of(0, sizeof(room));

	mb2_parse(tail_of(room, len), len, &bi);
	prove(is_sane());
}

// PROVE: multiboot2.strings prove_strings --unwind 17
// MUTANT: boot/multiboot2.c
// - 	if (t->size <= off || !memchr(s, 0, t->size - off))
// + 	if (t->size <= off || !memchr(s, 0, t->size))
// MUTANT: boot/multiboot2.c
// - 	if (bi->nr_modules == BOOT_MAX_MODULES)
// + 	if (bi->nr_modules > BOOT_MAX_MODULES)
void prove_strings(void)
{
	u8 room[20];
	struct tag *t = any_tag(room, sizeof(*t));
	const char *s = tag_string(t, sizeof(*t));

	prove(!s || (s >= (char *)room && plain_memchr(s, 0, (char *)room + sizeof(room) - s)));
	if (!read_module(t, &bi))
		prove(is_sane() && bi.module[bi.nr_modules - 1].start <=
				   bi.module[bi.nr_modules - 1].end);
}

// PROVE: multiboot2.memory prove_memory --unwind 4
// MUTANT: boot/multiboot2.c
// - 		if (bi->map.nr == MEM_MAX_RANGES)
// + 		if (bi->map.nr > MEM_MAX_RANGES)
// MUTANT: boot/multiboot2.c
// - mm->entry_size < sizeof(e) ||
// + mm->entry_size < sizeof(e) - 8 ||
// MUTANT: boot/multiboot2.c
// - t->size - off >= mm->entry_size;
// + t->size >= off;
// MUTANT: boot/multiboot2.c
// - 			e.len = e.type == MEM_RAM ? 0 : -e.addr - 1;
// + 			e.len = e.type == MEM_RAM ? 0 : -e.addr + 1;
void prove_memory(void)
{
	u8 room[64];
	struct tag *t = any_tag(room, sizeof(*t));
	u32 before = bi.map.nr, i = nondet_u32();

	if (read_mmap(t, &bi))
		return;
	prove(is_sane() && bi.map.nr >= before);
	if (i >= before && i < bi.map.nr)
		prove(bi.map.r[i].start <= bi.map.r[i].end);
}

// PROVE: multiboot2.rsdp prove_rsdp --unwind 38
// MUTANT: boot/multiboot2.c
// - 	u32 len = min(t->size - (u32)sizeof(*t), (u32)BOOT_RSDP_MAX);
// + 	u32 len = min(t->size, (u32)BOOT_RSDP_MAX);
// MUTANT: boot/multiboot2.c
// - (u32)BOOT_RSDP_MAX);
// + (u32)BOOT_RSDP_MAX + 1);
void prove_rsdp(void)
{
	u8 room[48];

	read_rsdp(any_tag(room, sizeof(struct tag)), &bi);
	prove(is_sane());
}

// PROVE: multiboot2.uefi prove_uefi --unwind 4
// MUTANT: boot/multiboot2.c
// - 	bi->uefi.map_bytes = t->size - (u32)sizeof(*m);
// + 	bi->uefi.map_bytes = t->size - (u32)sizeof(*t);
// MUTANT: boot/multiboot2.c
// - 	if (t->size < sizeof(e))
// + 	if (t->size < sizeof(*t))
// MUTANT: hv/core/machine/efi_map.c
// - 	if (!e->map_bytes || e->map_bytes % e->desc_bytes)
// + 	if (!e->map_bytes)
// MUTANT: hv/core/machine/efi_map.c
// - 	if (m->nr == MEM_MAX_RANGES)
// + 	if (m->nr > MEM_MAX_RANGES)
// MUTANT: hv/core/machine/efi_map.c
// - 	       d->pages <= (PHYS_END - d->start) >> PAGE_SHIFT;
// + 	       d->pages <= PHYS_END - d->start;
void prove_uefi(void)
{
	u8 room[16 + 2 * 48];
	struct tag *t = any_tag(room, sizeof(*t));
	struct efi_desc d;
	u32 i = nondet_u32();

	if (nondet_bool()) {
		read_efi64(t, &bi);
		return;
	}
	if (read_efi_mmap(t, &bi))
		return;
	prove(is_sane());
	prove(bi.uefi.map + bi.uefi.map_bytes == room + sizeof(room));
	prove(bi.uefi.map_bytes && !(bi.uefi.map_bytes % bi.uefi.desc_bytes));
	if (i < efi_map_nr(&bi.uefi) && efi_map_get(&bi.uefi, i, &d))
		prove(d.start + (d.pages << PAGE_SHIFT) > d.start);
	efi_map_add(&bi.uefi, &bi.map);
	prove(is_sane());
}

// PROVE: multiboot2.screen prove_screen --unwind 43
// MUTANT: boot/multiboot2.c
// - 	memcpy(&f, t, min((size_t)t->size, sizeof(f)));
// + 	memcpy(&f, t, sizeof(f));
// MUTANT: boot/multiboot2.c
// - 	memcpy(&f, t, min((size_t)t->size, sizeof(f)));
// + 	memcpy(&f, t, (size_t)t->size);
void prove_screen(void)
{
	u8 room[48];

	read_framebuffer(any_tag(room, sizeof(struct tag)), &bi);
	prove(is_sane());
}
