// SPDX-License-Identifier: GPL-2.0-only
/*
 * The walk through the MCFG (pci_cfg.c), which may be torn.
 *
 * Proved: no byte outside the table is read, and each entry is looked at once, as it stands there;
 * one that cannot be a window is passed over. A guarded function's page is where the window has it,
 * protected before it is mapped, and only in a window of its segment and bus.
 *
 * Bounds: tables of up to two entries, two guarded functions.
 * Assumed: the table is as long as acpi.c has listed it; where memory or room for protected pages is
 * missing the machine stops. Not seen: the count of devices that are behind no IOMMU.
 */
#include "stand_in.h"

#define fatal(...)	assume(false)

#include "pci_cfg.c"

// CFLAGS: -include core_host.h -include plain_string.h -iquote hv/core/guest

struct acpi_info acpi_info;
struct iommu_caps iommu_caps;
struct mem_map machine_map;
struct mcfg_entry nondet_entry(void);

static struct acpi_table listed;
static u8 room[MCFG_ENTRIES + 2 * sizeof(struct mcfg_entry) + 4];
static bool there;
static u32 windows;		/* entries that are done, those that were passed over too */
static u32 guards;		/* functions that have been shown the next one */
static u32 type[2];		/* of memory, by address */
static hpa_t protected;
static struct mcfg_entry e;
static u8 regs[PAGE_SIZE];

void log_printf(int level __unused, const char *fmt __unused, ...) { }

const struct acpi_table *acpi_find(const struct acpi_info *info __unused,
				   const char *sig __unused)
{
	return there ? &listed : NULL;
}

void *memremap(hpa_t pa, u64 len)
{
	prove(pa == listed.addr && len == listed.len);
	return nondet_bool() ? tail_of(room, len) : NULL;
}

u32 memmap_type(const struct mem_map *m, hpa_t pa)
{
	prove(m == &machine_map);
	return pa & SZ_1G ? type[0] : type[1];
}

int frame_mmio_protect(hpa_t hpa, u64 len)
{
	prove(len == PAGE_SIZE);
	protected = hpa;
	return nondet_bool() ? -1 : 0;
}

void *ioremap(hpa_t pa, u64 len)
{
	prove(len == PAGE_SIZE && pa == protected);
	return nondet_bool() ? regs : NULL;
}

/* ---- the table ---- */

static struct mcfg_entry entry(u32 n)
{
	struct mcfg_entry x;

	memcpy(&x, tail_of(room, listed.len) + MCFG_ENTRIES + n * sizeof(x), sizeof(x));
	return x;
}

/* The first entry from @n on that can be a window, or how many there are. */
static u32 next_window(u32 n)
{
	u32 nr = listed.len < MCFG_ENTRIES ? 0 : (listed.len - MCFG_ENTRIES) / sizeof(e);

	while (n < nr && !can_be_window(&(struct mcfg_entry){ entry(n).base, 0, entry(n).first, 0, 0 }))
		n++;
	return n < nr ? n : nr;
}

/* In place of guard_page(): of each guarded function. */
void any_guard(struct guarded *g, const struct mcfg_entry *at __unused)
{
	prove(g == &guarded[guards++]);
}

/* In place of count_unconfined(). */
void any_count(const struct mcfg_entry *at)
{
	struct mcfg_entry is;

	windows = next_window(windows);
	is = entry(windows++);
	prove(at->base == is.base && at->segment == is.segment);
	prove(at->first == is.first && at->last == is.last);
	prove(guards == nr_guarded && !(is.base & (SZ_1M - 1)));
	guards = 0;
}

// PROVE: pci_cfg.mcfg prove_mcfg --unwind 4
// REPLACE: guard_page any_guard
// REPLACE: count_unconfined any_count
// MUTANT: hv/core/guest/pci_cfg.c
// - t && off + sizeof(e) <= t->len;
// + t && off + 12 <= t->len;
// MUTANT: hv/core/guest/pci_cfg.c
// - t && off + sizeof(e) <= t->len;
// + off + sizeof(e) <= t->len;
// MUTANT: hv/core/guest/pci_cfg.c
// - off + sizeof(e) <= t->len; off += sizeof(e)) {
// + off + sizeof(e) < t->len; off += sizeof(e)) {
// MUTANT: hv/core/guest/pci_cfg.c
// - 	return !(e->base & (SZ_1M - 1)) && memmap
// + 	return !(e->base & (PAGE_SIZE - 1)) && memmap
// MUTANT: hv/core/guest/pci_cfg.c
// - ignored", e.base);
// - 			continue;
// + ignored", e.base);
void prove_mcfg(void)
{
	listed.addr = nondet_u64();
	listed.len = (u32)any_of(36, sizeof(room));
	__CPROVER_havoc_object(room);
	type[0] = nondet_u32();
	type[1] = nondet_u32();
	nr_guarded = (u32)any_of(0, 2);
	there = nondet_bool();
	guard_pages();
	prove(!there || next_window(windows) == next_window(2));
}

// PROVE: pci_cfg.window prove_window
// MUTANT: hv/core/guest/pci_cfg.c
// - bus < e->first || bus > e->last)
// + bus < e->first || bus >= e->last)
// MUTANT: hv/core/guest/pci_cfg.c
// - 	if (g->id.segment != e->segment || bus
// + 	if (bus
// MUTANT: hv/core/guest/pci_cfg.c
// - 	hpa_t page = e->base + ((u64)g->id.bdf << PAGE_SHIFT);
// + 	hpa_t page = e->base + ((u64)(g->id.bdf - (e->first << 8)) << PAGE_SHIFT);
// MUTANT: hv/core/guest/pci_cfg.c
// - 	if (frame_mmio_protect(page, PAGE_SIZE))
// + 	if (frame_mmio_protect(page & ~SZ_1M, PAGE_SIZE))
void prove_window(void)
{
	struct guarded g = { .id = { nondet_u16(), nondet_u16() } };
	u8 bus = g.id.bdf >> 8;
	bool is_in;

	e = nondet_entry();
	assume(!(e.base & (SZ_1M - 1)));
	is_in = g.id.segment == e.segment && bus >= e.first && bus <= e.last;
	guard_page(&g, &e);
	prove(is_in ? g.page == e.base + (u64)g.id.bdf * PAGE_SIZE && g.regs : !g.page && !g.regs);
}
