// SPDX-License-Identifier: GPL-2.0-only
/* The module's frames, and what is written into them; see hostile.h. */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <asm/asm.h>

#include "hostile.h"

#define BLOCK_ORDER	9
#define BLOCK		(1u << BLOCK_ORDER)

static const unsigned int zone_blocks[ZONES] = { [ZONE_GIVE] = 6, [ZONE_MAP] = 2, [ZONE_SHARE] = 1,
						 [ZONE_LIST] = 1 };
static struct page *blocks[ZONES][6];

int frames_take(void)
{
	unsigned int zone, i;

	for (zone = 0; zone < ZONES; zone++)
		for (i = 0; i < zone_blocks[zone]; i++) {
			blocks[zone][i] = alloc_pages(GFP_KERNEL | __GFP_ZERO, BLOCK_ORDER);
			if (!blocks[zone][i])
				return -ENOMEM;
		}
	memset(page_address(blocks[ZONE_LIST][0]), 0xff, PAGE_SIZE << BLOCK_ORDER);
	return 0;
}

/* A read of a donated frame raises #GP. */
static bool load(const u64 *at, u64 *val)
{
	bool bad = true;

	asm volatile("1: mov %2, %1\n\tmovb $0, %0\n2:\n"
		     _ASM_EXTABLE(1b, 2b)
		     : "+q" (bad), "=r" (*val) : "m" (*at) : "memory");
	return !bad;
}

static void store(u64 *at, u64 val)
{
	asm volatile("1: mov %1, %0\n2:\n" _ASM_EXTABLE(1b, 2b) : "=m" (*at) : "r" (val) : "memory");
}

static u64 *word_of(u64 pfn, unsigned int word)
{
	return (u64 *)__va(pfn << PAGE_SHIFT) + word % 512;
}

u64 frame_read(u64 pfn, unsigned int word)
{
	u64 val = 0;

	return load(word_of(pfn, word), &val) ? val : 0;
}

void frame_write(u64 pfn, unsigned int word, u64 val)
{
	store(word_of(pfn, word), val);
}

unsigned int frames_release(void)
{
	unsigned int zone, i, f, away = 0;
	u64 val;

	for (zone = 0; zone < ZONES; zone++)
		for (i = 0; i < zone_blocks[zone] && blocks[zone][i]; i++)
			for (f = 0; f < BLOCK; f++)
				away += !load(page_address(blocks[zone][i] + f), &val);
	for (zone = 0; zone < ZONES && !away; zone++)
		for (i = 0; i < zone_blocks[zone] && blocks[zone][i]; i++)
			__free_pages(blocks[zone][i], BLOCK_ORDER);
	return away;
}

/* Not a block's first: Linux reads over the end of the page before it (channel/frames.h). */
u64 frame_row(struct thread *t, enum hostile_zone zone, unsigned int n)
{
	return page_to_pfn(blocks[zone][below(t, zone_blocks[zone])]) + 1 + below(t, BLOCK - n);
}

u64 frame_of(struct thread *t, enum hostile_zone zone)
{
	return frame_row(t, zone != ZONE_LIST && once_in(t, 24) ? below(t, ZONE_LIST) : zone, 1);
}

/* Below the last RAM under 2 GiB, what is none of Linux's is Bedplate's, but for the first MiB. */
static u64 ram_top(void)
{
	static u64 top;
	u64 pfn = 1ull << 19;

	if (!top) {
		while (!page_is_ram(pfn - 1))
			pfn--;
		top = pfn;
	}
	return top;
}

/* Linux leaves the first MiB alone, but for its trampoline. Above 16 TiB there is nothing. */
bool harmless(u64 word)
{
	if (word && word < 0x60)
		return true;
	return word >= 1ull << 32 || (word >= 256 && word < ram_top() && !page_is_ram(word));
}

u64 frame_odd(struct thread *t)
{
	static const u64 odd[] = { 0xfee00, 0xfec00, 0xfed00, 0xb8, 1ull << 36, 1ull << 40, 1ull << 52, ~0ull,
				   ~0ull >> 12 };
	u64 pfn;
	int tries;

	for (tries = 0; tries < 64 && !once_in(t, 20); tries++) {
		pfn = 256 + below(t, ram_top() - 256);
		if (!page_is_ram(pfn))
			return pfn;
	}
	return odd[below(t, ARRAY_SIZE(odd))];
}

void frame_scribble(struct thread *t, u64 pfn)
{
	int n;

	for (n = 1 + below(t, 8); n; n--)
		frame_write(pfn, once_in(t, 2) ? below(t, 64) : below(t, 512), rnd_word(t));
}

/* CPUID, HLT, PAUSE, RDMSR, WRMSR, OUT, IN, MOV to and from memory, CLI, STI, UD2, a loop. */
void frame_code(struct thread *t, u64 pfn)
{
	static const u64 code[] = {
		0x90a20f90a20f9090, 0xf4f4f4f4f4f4f4f4, 0x90f390f390f390f3, 0x320f300f320f300f,
		0xefefeeeeedededec, 0x8900898b008b0089, 0xfafbf4fbfafbf4fb, 0x0b0f0b0fcccccccc,
		0xfeebfeebfeebfeeb, 0x01d9010fc1010f90, 0xc0220fc0200fe022, 0xa36666a1a0a2a3a0,
	};
	unsigned int at = below(t, 512), n;

	for (n = 1 + below(t, 32); n; n--)
		frame_write(pfn, at++, once_in(t, 4) ? rnd(t) : code[below(t, ARRAY_SIZE(code))]);
}
