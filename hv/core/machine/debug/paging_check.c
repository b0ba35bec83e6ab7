// SPDX-License-Identifier: GPL-2.0-only
/* Bedplate's page tables as they are: W^X, and nothing writes to what runs or is constant. */
#include "paging_check.h"
#include "debug.h"
#include "lib/x86.h"
#include "machine/paging.h"
#include "machine/panic.h"

extern const char text_start[], rodata_end[];

#define LEVEL_SHIFT(l)	(PAGE_SHIFT + 9 * (l))
#define CANONICAL(va)	((va) & BIT(47) ? (va) | 0xffffull << 48 : (va))

struct leaf {
	u64 size;
	hpa_t pa;
	bool present, writable, executable;
};

/* The rights of all levels together. */
static struct leaf look_up(const u64 *table, u64 va)
{
	struct leaf leaf = { .writable = true, .executable = true };
	int l;
	u64 e;

	for (l = 3;; l--) {
		e = table[va >> LEVEL_SHIFT(l) & 511];
		leaf.writable &= !!(e & HPTE_W);
		leaf.executable &= !(e & HPTE_NX);
		if (!(e & HPTE_P) || !l || (e & HPTE_PS))
			break;
		table = phys_to_virt(e & HPTE_ADDR);
	}
	leaf.present = e & HPTE_P;
	leaf.size = 1ull << LEVEL_SHIFT(l);
	leaf.pa = e & HPTE_ADDR & ~(leaf.size - 1);
	return leaf;
}

static bool is_bad(const struct leaf *leaf, hpa_t from, hpa_t to)
{
	return leaf->present && leaf->writable &&
	       (leaf->executable || (leaf->pa < to && leaf->pa + leaf->size > from));
}

bool paging_find_bad(const u64 *pml4, hpa_t from, hpa_t to, u64 *bad)
{
	struct leaf leaf;
	u64 va;

	for (va = 0; va < BIT(48); va += leaf.size) {
		leaf = look_up(pml4, va);
		*bad = CANONICAL(va);
		if (is_bad(&leaf, from, to))
			return true;
	}
	return false;
}

void debug_check_paging(hpa_t root)
{
	u64 bad;

	if (paging_find_bad(phys_to_virt(root), virt_to_phys(text_start),
			    virt_to_phys(rodata_end), &bad))
		panic("what runs, or is constant, can be written at %llx", bad);
}
