/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bedplate's own address space, the same on all CPUs (drawn in docs/boot.md):
 *
 *   0xffff800000000000  direct map: RAM, ACPI memory, the first MiB
 *   0xffffe00000000000  stacks, devices: what ioremap() and friends hand out
 *   0xffffffff80000000  + physical: the image, W^X
 *
 * The image's frames are not in the direct map: only its own addresses reach it.
 */
#ifndef BP_CORE_PAGING_H
#define BP_CORE_PAGING_H

#include "lib/types.h"
#include "lib/x86_regs.h"

#define DIRECT_MAP_BASE		0xffff800000000000ull
#define DIRECT_MAP_SIZE		0x0000600000000000ull	/* 96 TiB */
#define VMAP_BASE		0xffffe00000000000ull
#define VMAP_SIZE		0x0000010000000000ull
#define IMAGE_BASE		0xffffffff80000000ull

/* Protection of a mapping of ours. PAT index: 0 = WB, 1 (PWT) = WC, 3 (PCD|PWT) = UC. */
#define MAP_RO		(HPTE_P | HPTE_NX)
#define MAP_RW		(HPTE_P | HPTE_W | HPTE_NX)
#define MAP_RX		(HPTE_P)
#define MAP_UC		(HPTE_P | HPTE_W | HPTE_NX | HPTE_PCD | HPTE_PWT)
#define MAP_WC		(HPTE_P | HPTE_W | HPTE_NX | HPTE_PWT)

extern u64 kernel_cr3;

/* Direct map. Any RAM address that is not the image's. */
static inline void *phys_to_virt(hpa_t pa)
{
	return (void *)(uintptr_t)(DIRECT_MAP_BASE + pa);
}

/* Of a pointer into the direct map or the image; anything else panics. */
hpa_t virt_to_phys(const void *va);

/* True if the direct map reaches all of [pa, pa + len), and none of it is Bedplate's. */
bool phys_is_mapped(hpa_t pa, u64 len);

/*
 * Map device memory uncached (ioremap) or write-combining (ioremap_wc), or firmware's
 * tables write-back (memremap), any alignment. NULL when out of page-table memory or of
 * addresses, and for what cannot be: beyond the CPU's addresses, devices in RAM, tables in
 * what is Bedplate's. There is no unmapping. Any CPU, any time after paging_init(); before that
 * the first two give what the image's tables map, until paging_init(), or NULL above 4 GiB.
 */
void *ioremap(hpa_t pa, u64 len);
void *ioremap_wc(hpa_t pa, u64 len);
void *memremap(hpa_t pa, u64 len);

/* A stack of @pages pages with an unmapped page below: its top, NULL if no memory. */
void *stack_alloc(u32 pages);

/* BSP, after memmap_init(): build the tables and switch to them. */
void paging_init(void);
/*
 * A PML4 like ours that also maps the page at @pa to itself, for AP start;
 * freed by paging_free_trampoline().
 */
hpa_t paging_alloc_trampoline(hpa_t pa);
void paging_free_trampoline(hpa_t pml4);

#endif
