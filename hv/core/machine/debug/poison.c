// SPDX-License-Identifier: GPL-2.0-only
/* Free frames hold a pattern: who writes to one is found when it is used again. */
#include "debug.h"
#include "machine/paging.h"
#include "machine/panic.h"

#define POISON	0xdbdbdbdbdbdbdbdbull

void debug_poison(void *page, u64 pages, u64 skip)
{
	u64 *word = page, i;

	for (i = skip / sizeof(u64); i < pages * PAGE_SIZE / sizeof(u64); i++)
		word[i] = POISON;
}

void debug_check_poison(const void *page, u64 pages, u64 skip)
{
	const u64 *word = page;
	u64 i;

	for (i = skip / sizeof(u64); i < pages * PAGE_SIZE / sizeof(u64); i++)
		if (word[i] != POISON)
			panic("a free frame was written to: %p has %llx\n", (const void *)&word[i],
			      word[i]);
}
