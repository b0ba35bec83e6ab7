// SPDX-License-Identifier: GPL-2.0-only
/* The hypervisor's ELF image: whole, and torn. */
// SOURCES: boot/efi/image.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "boot/efi/image.h"
#include "hv/core/lib/string.h"

#define VBASE	0xffffffff80000000ull

struct segment {
	u32 type, flags;
	u64 offset, vaddr, paddr, filesz, memsz, align;
};

static struct {
	u8 ident[16];
	u16 type, machine;
	u32 version;
	u64 entry, phoff, shoff;
	u32 flags;
	u16 ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
	struct segment s[3];
	u8 bytes[64];
} elf;

static void make(void)
{
	const u64 off = offsetof(__typeof__(elf), bytes);

	memset(&elf, 0, sizeof(elf));
	memcpy(elf.ident, "\177ELF\2\1\1", 7);
	elf.type = 2;
	elf.machine = 62;
	elf.entry = VBASE + 0x200010;
	elf.phoff = offsetof(__typeof__(elf), s);
	elf.phentsize = sizeof(struct segment);
	elf.phnum = 3;
	elf.s[0] = (struct segment){ 1, 5, off, VBASE + 0x200000, 0x200000, 32, 32, 4096 };
	elf.s[1] = (struct segment){ 1, 6, off + 32, VBASE + 0x201000, 0x201000, 32, 0x1800, 4096 };
	elf.s[2] = (struct segment){ 0x6474e551, 6, 0, 0, 0, 0, 0, 16 };
	memset(elf.bytes, 0x11, 32);
	memset(elf.bytes + 32, 0x22, 32);
}

static struct image_plan plan;

static const char *judge(u64 len)
{
	return image_plan(&elf, len, &plan);
}

static void whole(void **state)
{
	static u8 to[0x3000];
	u32 i;

	(void)state;
	make();
	assert_null(judge(sizeof(elf)));
	assert_int_equal(plan.start, 0x200000);
	assert_int_equal(plan.end, 0x203000);
	assert_int_equal(plan.entry, 0x200010);
	memset(to, 0xee, sizeof(to));
	image_fill(&elf, &plan, to);
	for (i = 0; i < sizeof(to); i++)
		assert_int_equal(to[i], i < 32 ? 0x11 : i >= 0x1000 && i < 0x1020 ? 0x22 : 0);
}

static void torn(void **state)
{
	u64 i;

	(void)state;
	make();
	for (i = 0; i < sizeof(elf); i++)
		assert_non_null(judge(i));
	elf.machine = 3;
	assert_string_equal(judge(sizeof(elf)), "is no ELF image of x86-64");
	make();
	elf.phnum = 0xffff;
	assert_string_equal(judge(sizeof(elf)), "has no segments");
	make();
	elf.phoff = ~7ull;
	assert_string_equal(judge(sizeof(elf)), "has no segments");
	make();
	elf.s[1].filesz = ~0ull;
	assert_string_equal(judge(sizeof(elf)), "is cut short");
	make();
	elf.s[1].memsz = 31;
	assert_string_equal(judge(sizeof(elf)), "is cut short");
	make();
	elf.s[1].memsz = ~0ull;
	assert_string_equal(judge(sizeof(elf)), "has a segment outside of the first 4 GiB");
	make();
	elf.s[0].paddr = 0x1000;
	assert_string_equal(judge(sizeof(elf)), "has a segment outside of the first 4 GiB");
	make();
	elf.entry = VBASE + 0x201020;
	assert_string_equal(judge(sizeof(elf)), "has no entry point");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole),
		cmocka_unit_test(torn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
