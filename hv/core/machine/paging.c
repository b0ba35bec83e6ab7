// SPDX-License-Identifier: GPL-2.0-only
/* Bedplate's own page tables. */
#include "paging.h"
#include "debug/debug.h"
#include "lib/string.h"
#include "lib/x86.h"
#include "limits.h"
#include "log.h"
#include "memmap.h"
#include "panic.h"
#include "spinlock.h"

extern const char image_start[], image_end[], text_start[], text_end[];
extern const char rodata_start[], rodata_end[], data_start[], data_end[];

/* Levels: 0 = 4 KiB pages ... 3 = PML4. */
#define LEVEL_SHIFT(l)	(PAGE_SHIFT + 9 * (l))
#define LEVEL_SIZE(l)	(1ull << LEVEL_SHIFT(l))
#define INDEX(va, l)	((va) >> LEVEL_SHIFT(l) & 511)

u64 kernel_cr3;

static u64 *pml4;
static struct spinlock lock = SPINLOCK_INIT(LOCK_PAGING);	/* guards tables and vmap_next */
static u64 vmap_next = VMAP_BASE;
static bool have_1g;

hpa_t virt_to_phys(const void *va)
{
	u64 a = (u64)(uintptr_t)va;

	if (a >= (u64)(uintptr_t)image_start && a < (u64)(uintptr_t)image_end)
		return a - IMAGE_BASE;
	if (a < DIRECT_MAP_BASE || a >= DIRECT_MAP_BASE + DIRECT_MAP_SIZE)
		panic("virt_to_phys(%p)", va);
	return a - DIRECT_MAP_BASE;
}

static u64 *table_of(u64 pte)
{
	return phys_to_virt(pte & HPTE_ADDR);
}

/*
 * The table below @slot, made if there is none. The upper levels allow
 * everything; NULL: out of memory.
 */
static u64 *descend(u64 *slot)
{
	u64 *t;

	if (*slot & HPTE_P) {
		ASSERT(!(*slot & HPTE_PS));
		return table_of(*slot);
	}
	t = page_alloc();
	if (t)
		*slot = virt_to_phys(t) | HPTE_P | HPTE_W | HPTE_A;
	return t;
}

/* The biggest page that fits: alignment, length, and no PAT bit trouble. */
static int page_level(u64 va, hpa_t pa, u64 len)
{
	int l;

	for (l = have_1g ? 2 : 1; l > 0; l--)
		if (IS_ALIGNED(va | pa, LEVEL_SIZE(l)) && len >= LEVEL_SIZE(l))
			break;
	return l;
}

static bool map(u64 *root, u64 va, hpa_t pa, u64 len, u64 prot)
{
	u64 *t, step;
	int l, leaf;

	for (; len; va += step, pa += step, len -= step) {
		leaf = page_level(va, pa, len);
		step = LEVEL_SIZE(leaf);
		t = root;
		for (l = 3; l > leaf && t; l--)
			t = descend(&t[INDEX(va, l)]);
		if (!t)
			return false;
		ASSERT(!(t[INDEX(va, leaf)] & HPTE_P));
		t[INDEX(va, leaf)] = pa | prot | HPTE_A | HPTE_D | (leaf ? HPTE_PS : 0);
	}
	return true;
}

static void map_or_die(u64 va, hpa_t pa, u64 len, u64 prot)
{
	if (!map(pml4, va, pa, len, prot))
		fatal("too little memory for page tables");
}

static void map_direct(hpa_t start, hpa_t end, u64 prot)
{
	if (start < end)
		map_or_die(DIRECT_MAP_BASE + start, start, end - start, prot);
}

/* [start, end) but the image. */
static void map_direct_but_image(hpa_t start, hpa_t end)
{
	hpa_t from = bp_ranges[0].start, to = bp_ranges[0].end;

	map_direct(start, min(end, from), MAP_RW);
	map_direct(max(start, to), end, MAP_RW);
}

/* The first MiB whole: RAM, VGA memory uncached, ROMs read-only. */
static void map_low(void)
{
	map_direct(0, 0xa0000, MAP_RW);
	map_direct(0xa0000, 0xc0000, MAP_UC);
	map_direct(0xc0000, SZ_1M, MAP_RO);
}

static bool direct_mapped(const struct mem_range *r)
{
	return r->type == MEM_RAM || r->type == MEM_ACPI || r->type == MEM_NVS;
}

static void map_memory(void)
{
	const struct mem_range *r;
	u32 i;

	map_low();
	for (i = 0; i < machine_map.nr; i++) {
		r = &machine_map.r[i];
		if (direct_mapped(r))
			map_direct_but_image(max(r->start, (hpa_t)SZ_1M),
					     min(r->end, (hpa_t)DIRECT_MAP_SIZE));
	}
}

bool phys_is_mapped(hpa_t pa, u64 len)
{
	const struct mem_range *r;
	hpa_t end = pa + len;
	u32 i;

	if (end < pa || end > BIT(limits_phys_bits()))
		return false;
	if (end <= SZ_1M)
		return true;
	for (i = 0; i < nr_bp_ranges; i++)
		if (pa < bp_ranges[i].end && end > bp_ranges[i].start)
			return false;
	for (i = 0; i < machine_map.nr && pa < end; i++) {
		r = &machine_map.r[i];
		if (direct_mapped(r) && r->start <= pa && r->end > pa)
			pa = r->end;
	}
	return pa >= end;
}

static void map_section(const char *start, const char *end, u64 prot)
{
	u64 va = (u64)(uintptr_t)start;

	if (start < end)
		map_or_die(va, va - IMAGE_BASE, end - start, prot);
}

void paging_init(void)
{
	pml4 = page_alloc();
	if (!pml4)
		fatal("too little memory for page tables");
	have_1g = cpuid(0x80000001).edx & BIT(26);
	map_memory();
	map_section(text_start, text_end, MAP_RX);
	map_section(rodata_start, rodata_end, MAP_RO);
	map_section(data_start, data_end, MAP_RW);
	kernel_cr3 = virt_to_phys(pml4);
	debug_check_paging(kernel_cr3);
	write_cr3(kernel_cr3);
}

/* A piece of the area of odd mappings with an unmapped page below it; 0: none. */
static u64 vmap_reserve(u64 len)
{
	u64 va = vmap_next + PAGE_SIZE;

	if (len > VMAP_SIZE || va + len > VMAP_BASE + VMAP_SIZE)
		return 0;
	vmap_next = va + len;
	return va;
}

/*
 * Addresses are firmware's word: where it has registers or tables there is no RAM, and beyond
 * the CPU's addresses there is nothing: an access would fault.
 */
static void *vmap(hpa_t pa, u64 len, u64 prot)
{
	u64 off = pa & ~PAGE_MASK, va, end = BIT(limits_phys_bits());
	bool ok;

	if (!len || pa >= end || len > end - pa || memmap_has_ram(&machine_map, pa, pa + len))
		return NULL;
	len = ALIGN_UP(len + off, PAGE_SIZE);
	spin_lock(&lock);
	va = vmap_reserve(len);
	ok = va && map(pml4, va, pa - off, len, prot);
	spin_unlock(&lock);
	return ok ? (void *)(uintptr_t)(va + off) : NULL;
}

static void *map_device(hpa_t pa, u64 len, u64 prot)
{
	if (kernel_cr3)
		return vmap(pa, len, prot);
	return pa < SZ_4G && len <= SZ_4G - pa ? phys_to_virt(pa) : NULL;
}

void *ioremap(hpa_t pa, u64 len)
{
	return map_device(pa, len, MAP_UC);
}

void *ioremap_wc(hpa_t pa, u64 len)
{
	return map_device(pa, len, MAP_WC);
}

void *memremap(hpa_t pa, u64 len)
{
	if (phys_is_mapped(pa, len))
		return phys_to_virt(pa);
	return vmap(pa, len, MAP_RW);
}

void *stack_alloc(u32 pages)
{
	u64 va;
	void *p;
	u32 i;

	spin_lock(&lock);
	va = vmap_reserve(pages * PAGE_SIZE);
	for (i = 0; va && i < pages; i++) {
		p = page_alloc();
		if (!p || !map(pml4, va + i * PAGE_SIZE, virt_to_phys(p), PAGE_SIZE, MAP_RW))
			va = 0;
	}
	spin_unlock(&lock);
	return va ? (void *)(uintptr_t)(va + pages * PAGE_SIZE) : NULL;
}

hpa_t paging_alloc_trampoline(hpa_t pa)
{
	u64 *root = page_alloc();

	if (!root)
		return 0;
	memcpy(root, pml4, PAGE_SIZE);
	root[0] = 0;
	if (!map(root, pa, pa, PAGE_SIZE, MAP_RX))
		return 0;
	debug_check_paging(virt_to_phys(root));
	return virt_to_phys(root);
}

void paging_free_trampoline(hpa_t root)
{
	u64 *t = phys_to_virt(root), *next;
	int l;

	for (l = 3; l > 0; l--) {
		/* the trampoline lies below 1 MiB: index 0 all the way to the PT */
		next = table_of(t[0]);
		page_free(t);
		t = next;
	}
	page_free(t);
}
