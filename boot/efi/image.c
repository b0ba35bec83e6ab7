// SPDX-License-Identifier: GPL-2.0-only
/* The hypervisor's ELF image in memory; the contract is in image.h. */
#include "image.h"
#include "hv/core/lib/string.h"

/* System V ABI, chapter 4 and 5 */
#define ELF_MAGIC	0x464c457fu
#define ELF_CLASS_64	2
#define ELF_X86_64	62
#define PT_LOAD		1

struct elf_header {
	u32 magic;
	u8 class, data, version, abi[9];
	u16 type, machine;
	u32 version2;
	u64 entry, phoff, shoff;
	u32 flags;
	u16 ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
static_assert(sizeof(struct elf_header) == 64, "System V ABI");

struct elf_segment {
	u32 type, flags;
	u64 offset, vaddr, paddr, filesz, memsz, align;
};
static_assert(sizeof(struct elf_segment) == 56, "System V ABI");

static const struct elf_segment *segments(const void *elf, u32 *nr)
{
	const struct elf_header *h = elf;

	*nr = h->phnum;
	return (const void *)((const u8 *)elf + h->phoff);
}

static const char *check_header(const struct elf_header *h, u64 len)
{
	if (len < sizeof(*h) || h->magic != ELF_MAGIC || h->class != ELF_CLASS_64 ||
	    h->machine != ELF_X86_64)
		return "is no ELF image of x86-64";
	if (h->phentsize != sizeof(struct elf_segment) || h->phoff % 8 || h->phoff > len ||
	    h->phnum > (len - h->phoff) / sizeof(struct elf_segment))
		return "has no segments";
	return NULL;
}

static const char *add_segment(const struct elf_segment *s, u64 len, struct image_plan *p)
{
	if (s->offset > len || s->filesz > len - s->offset || s->filesz > s->memsz)
		return "is cut short";
	if (s->paddr < SZ_1M || s->paddr >= SZ_4G || s->memsz > SZ_4G - s->paddr)
		return "has a segment outside of the first 4 GiB";
	p->start = min(p->start, ALIGN_DOWN(s->paddr, PAGE_SIZE));
	p->end = max(p->end, ALIGN_UP(s->paddr + s->memsz, PAGE_SIZE));
	return NULL;
}

const char *image_plan(const void *elf, u64 len, struct image_plan *p)
{
	const struct elf_header *h = elf;
	const char *err = check_header(h, len);
	const struct elf_segment *s;
	u32 nr, i;

	if (err)
		return err;
	*p = (struct image_plan){ .start = SZ_4G };
	s = segments(elf, &nr);
	for (i = 0; i < nr; i++, s++) {
		if (s->type != PT_LOAD || !s->memsz)
			continue;
		err = add_segment(s, len, p);
		if (err)
			return err;
		if (h->entry - s->vaddr < s->filesz)
			p->entry = h->entry - s->vaddr + s->paddr;
	}
	return p->entry ? NULL : "has no entry point";
}

void image_fill(const void *elf, const struct image_plan *p, void *to)
{
	const struct elf_segment *s;
	u32 nr, i;

	memset(to, 0, p->end - p->start);
	s = segments(elf, &nr);
	for (i = 0; i < nr; i++, s++)
		if (s->type == PT_LOAD)
			memcpy((u8 *)to + (s->paddr - p->start), (const u8 *)elf + s->offset,
			       s->filesz);
}
