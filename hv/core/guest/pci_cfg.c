// SPDX-License-Identifier: GPL-2.0-only
/* Domain 0's configuration space; the contract is in pci_cfg.h. */
#include "hv/iommu/iommu.h"
#include "io_dom0.h"
#include "lib/string.h"
#include "machine/acpi.h"
#include "machine/log.h"
#include "machine/memmap.h"
#include "machine/paging.h"
#include "machine/panic.h"
#include "machine/pci.h"
#include "machine/spinlock.h"
#include "memory/frames.h"
#include "pci_cfg.h"
#include "vcpu/exit.h"

#define CONFIG_BDF(a)	((u16)((a) >> 8))
#define CLASS_HOST	0x0600
#define CLASS_ISA	0x0601
#define CLASS_MEMORY	0x0580
#define INTEL		0x8086

/* MCFG (PCI Firmware 3.3, 4.1.2): header, 8 bytes, then entries */
#define MCFG_ENTRIES	44
struct mcfg_entry {
	hpa_t base;		/* of bus 0, whatever @first is */
	u16 segment;
	u8 first, last;		/* buses */
	u32 reserved;
} __packed;
static_assert(sizeof(struct mcfg_entry) == 16, "specification");

struct guarded {
	struct pci_id id;
	u16 first, last;	/* the registers that are guarded, inclusive */
	bool told;		/* that a write was lost; IOMMUs': Linux makes some */
	hpa_t page;		/* its registers in memory; 0: are not there */
	volatile u8 *regs;
};

/* A server of two sockets has some 80 host bridges, one of eight four times as many. */
#define GUARDED_MAX	640
static struct guarded guarded[GUARDED_MAX];
static u32 nr_guarded;

u32 pci_cfg_unconfined;

/* Guards PCI_CONFIG_ADDRESS from the look at it to the access that it is for, and told. */
static struct spinlock lock = SPINLOCK_INIT(LOCK_PCI_CONFIG);

static struct guarded *find(u16 segment, u16 bdf)
{
	struct guarded *g;

	for (g = guarded; g < guarded + nr_guarded; g++)
		if (g->id.segment == segment && g->id.bdf == bdf)
			return g;
	return NULL;
}

static void guard_registers(struct pci_id id, u16 first, u16 last, bool told)
{
	if (find(id.segment, id.bdf))
		return;
	if (nr_guarded == GUARDED_MAX)
		fatal("more than %u host bridges and IOMMUs on PCI", GUARDED_MAX);
	guarded[nr_guarded++] = (struct guarded){ id, first, last, .told = told };
}

static void guard(struct pci_id id, bool told)
{
	guard_registers(id, 0, PAGE_SIZE - 1, told);
}

/* Does a write of @size bytes at @reg not reach the function? */
static bool stopped(struct guarded *g, u32 reg, u32 size)
{
	if (!g || reg > g->last || reg + size <= g->first)
		return false;
	if (!g->told)
		log_warn("domain 0: writes to the configuration space of " PCI_FMT " do nothing%s",
			 PCI_ARGS(g->id), g->first ? ", where it says where ACPI's ports are" : "");
	g->told = true;
	return true;
}

/* ---- by ports ---- */

/*
 * An access within one doubleword: others are two cycles, between which the address could
 * change. Port 0xcf9 resets the machine, as it should.
 */
static bool config_port(const struct exit_io *io, u32 *val)
{
	struct guarded *g = NULL;
	u32 addr = 0;

	if ((io->port & 3) + io->size > 4)
		return false;
	spin_lock(&lock);
	if (io->port >= PCI_CONFIG_DATA) {
		addr = inl(PCI_CONFIG_ADDRESS);
		if (addr & PCI_CONFIG_ENABLE)
			g = find(0, CONFIG_BDF(addr));
	}
	if (io->in)
		*val = port_in(io->port, io->size);
	else if (!stopped(g, (addr & 0xfc) + (io->port & 3), io->size))
		port_out(io->port, io->size, *val);
	spin_unlock(&lock);
	return true;
}

/* ---- by memory ---- */

static struct guarded *find_page(gpa_t gpa)
{
	struct guarded *g;

	for (g = guarded; g < guarded + nr_guarded; g++)
		if (g->page && g->page == (gpa & PAGE_MASK))
			return g;
	return NULL;
}

bool pci_cfg_hit(gpa_t gpa)
{
	return find_page(gpa);
}

void pci_cfg_access(gpa_t gpa, u32 size, bool write, u64 *val)
{
	struct guarded *g = find_page(gpa);
	u32 reg = gpa & ~PAGE_MASK;

	spin_lock(&lock);
	if (!write)
		*val = mmio_in(g->regs + reg, size);
	else if (!stopped(g, reg, size))
		mmio_out(g->regs + reg, size, *val);
	spin_unlock(&lock);
}

/* Its page in this entry's part of memory, if the function is there. */
static void guard_page(struct guarded *g, const struct mcfg_entry *e)
{
	hpa_t page = e->base + ((u64)g->id.bdf << PAGE_SHIFT);
	u8 bus = g->id.bdf >> 8;

	if (g->id.segment != e->segment || bus < e->first || bus > e->last)
		return;
	if (frame_mmio_protect(page, PAGE_SIZE))
		fatal("too many pages of PCI configuration space to protect");
	g->page = page;
	g->regs = ioremap(page, PAGE_SIZE);
	if (!g->regs)
		fatal("no memory to map PCI configuration space");
}

/* Devices of a bus whose configuration memory is at @bus. */
static u32 count_devices(const volatile u32 *bus)
{
	u32 dev, n = 0;

	for (dev = 0; dev < 32; dev++)
		n += bus[(dev << 3 << PAGE_SHIFT) / sizeof(*bus)] != PCI_NOTHING;
	return n;
}

static void count_unconfined(const struct mcfg_entry *e)
{
	u32 bus, n = 0;
	void *regs;

	if (iommu_has_segment(e->segment))
		return;
	for (bus = e->first; bus <= e->last; bus++) {
		regs = ioremap(e->base + bus * SZ_1M, SZ_1M);
		if (!regs)
			fatal("no memory to map PCI configuration space");
		n += count_devices(regs);
	}
	if (n)
		log_warn("PCI segment %u: %u devices are behind no IOMMU, they reach all memory",
			 e->segment, n);
	pci_cfg_unconfined += n;
}

/* No chipset decodes from the middle of a bus, nor where RAM is. */
static bool can_be_window(const struct mcfg_entry *e)
{
	hpa_t first = e->base + ((u64)e->first << 20);

	return !(e->base & (SZ_1M - 1)) && memmap_type(&machine_map, first) == MEM_RESERVED;
}

static void guard_pages(void)
{
	const struct acpi_table *t = acpi_find(&acpi_info, "MCFG");
	const u8 *mcfg = t ? memremap(t->addr, t->len) : NULL;
	struct mcfg_entry e;
	u32 off, i;

	if (t && !mcfg)
		fatal("MCFG at 0x%llx cannot be read", t->addr);
	for (off = MCFG_ENTRIES; t && off + sizeof(e) <= t->len; off += sizeof(e)) {
		memcpy(&e, mcfg + off, sizeof(e));
		if (!can_be_window(&e)) {
			log_warn("MCFG: no configuration memory can be at 0x%llx: ignored", e.base);
			continue;
		}
		for (i = 0; i < nr_guarded; i++)
			guard_page(&guarded[i], &e);
		count_unconfined(&e);
	}
}

/* ---- who they are ---- */

static void guard_bridge(u16 bdf)
{
	if (pci_read(bdf, PCI_REG_CLASS) >> 16 == CLASS_HOST)
		guard((struct pci_id){ 0, bdf }, false);
}

static void guard_bridges(void)
{
	u32 bdf, fn;

	guard((struct pci_id){ 0, 0 }, false);
	for (bdf = 0; bdf < 0x10000; bdf += 8) {
		if (pci_read((u16)bdf, PCI_REG_ID) == PCI_NOTHING)
			continue;
		guard_bridge((u16)bdf);
		for (fn = 1; fn < 8 && (pci_read((u16)bdf, PCI_REG_HEADER) & PCI_HEADER_MULTI); fn++)
			guard_bridge((u16)(bdf + fn));
	}
}

/*
 * Where Intel's chipsets say where the port is that puts the machine to sleep (sleep.h): ABASE
 * and ACTL in the LPC bridge (0:1f.0) up to series 9, in the PMC (0:1f.2) from series 100 on.
 */
static void guard_acpi_base(void)
{
	const u16 lpc = PCI_BDF(0, PCI_DEVFN(0x1f, 0)), pmc = PCI_BDF(0, PCI_DEVFN(0x1f, 2));

	if ((u16)pci_read(lpc, PCI_REG_ID) != INTEL)
		return;
	if (pci_read(lpc, PCI_REG_CLASS) >> 16 == CLASS_ISA)
		guard_registers((struct pci_id){ 0, lpc }, 0x40, 0x47, false);
	if (pci_read(pmc, PCI_REG_CLASS) >> 16 == CLASS_MEMORY)
		guard_registers((struct pci_id){ 0, pmc }, 0x40, 0x4b, false);
}

void pci_cfg_init(void)
{
	struct pci_id id;
	u32 i;

	if (!iommu_caps.name)
		return;
	for (i = 0; iommu_function(i, &id); i++) {
		guard(id, true);
		log_info("PCI: writes to " PCI_FMT ", an IOMMU, do nothing", PCI_ARGS(id));
	}
	guard_bridges();
	log_info("PCI: writes to %u host bridges do nothing", nr_guarded - i);
	guard_acpi_base();
	guard_pages();
	dom0_ports_add(PCI_CONFIG_ADDRESS, PCI_CONFIG_DATA + 3, config_port);
}
