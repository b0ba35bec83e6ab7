// SPDX-License-Identifier: GPL-2.0-only
/* Finding the ACPI tables of this machine, and resetting it by them. */
#include "acpi.h"
#include "boot_info.h"
#include "lapic.h"
#include "lib/string.h"
#include "lib/x86.h"
#include "log.h"
#include "paging.h"
#include "panic.h"
#include "pci.h"

#define BDA_EBDA_SEGMENT	0x40e
#define EBDA_SCAN		1024
#define ROM_SCAN_START		0xe0000
#define RSDP_ALIGN		16

#define KBC_COMMAND		0x64
#define KBC_BUSY		0x02
#define KBC_RESET		0xfe
#define RESET_CONTROL		0xcf9

/* Address spaces of registers (ACPI 6.5, 5.2.3.2) */
#define SPACE_MEMORY		0
#define SPACE_IO		1
#define SPACE_PCI		2

struct acpi_info acpi_info;

static volatile u8 *reset_mmio;		/* mapped early: a panic has no time for it */

/* The RSDP in [start, end) of the first MiB; 0: none. */
static hpa_t scan(hpa_t start, hpa_t end)
{
	hpa_t pa;

	for (pa = start; pa + 36 <= end; pa += RSDP_ALIGN)
		if (acpi_check_rsdp(phys_to_virt(pa), 36))
			return pa;
	return 0;
}

static hpa_t scan_bios(void)
{
	hpa_t ebda = (hpa_t)*(u16 *)phys_to_virt(BDA_EBDA_SEGMENT) << 4, pa = 0;

	if (ebda >= 0x400 && ebda < 0xa0000)
		pa = scan(ebda, ebda + EBDA_SCAN);
	return pa ? pa : scan(ROM_SCAN_START, SZ_1M);
}

static const void *map_acpi(hpa_t pa, u64 len)
{
	return memremap(pa, len);
}

/* What Linux takes, so do we; but somebody should know. */
static void tell_oddities(const struct acpi_info *info)
{
	u32 i;

	for (i = 0; i < info->nr_bad_sums; i++)
		log_warn("ACPI: %s has a wrong checksum, and is used all the same",
			 info->bad_sum[i]);
	if (info->madt_torn)
		log_warn("ACPI: MADT has a torn entry at offset %u, which is passed over",
			 info->madt_torn);
	if (info->nr_tables_dropped)
		log_warn("ACPI: %u tables more than Bedplate looks at", info->nr_tables_dropped);
	if (info->wakeup_mailbox)
		log_warn("ACPI: firmware wants CPUs woken by its mailbox; Bedplate sends SIPIs");
	if (info->nr_cpus_dropped)
		log_warn("%u CPUs more than Bedplate can use stay off", info->nr_cpus_dropped);
	if (info->nr_cpus_disabled)
		log_info("ACPI: %u more CPUs are disabled, or may be plugged in: they stay off",
			 info->nr_cpus_disabled);
	if (info->lapic_addr != LAPIC_BASE)
		fatal("the local APIC is at 0x%llx, where Bedplate cannot keep it from domain 0",
		      info->lapic_addr);
}

void acpi_init(const struct boot_info *bi, hpa_t *rsdp_pa)
{
	const void *rsdp = bi->rsdp;
	char err[160];

	/* UEFI's is not in low memory; the loader has a copy only. */
	*rsdp_pa = bi->efi ? 0 : scan_bios();
	if (!bi->rsdp_len && !*rsdp_pa)
		fatal("no ACPI: the loader gave no RSDP and there is none in low memory");
	if (!bi->rsdp_len)
		rsdp = phys_to_virt(*rsdp_pa);
	else if (!acpi_check_rsdp(rsdp, bi->rsdp_len))
		fatal("torn ACPI table: RSDP has a wrong checksum or length");
	if (!acpi_parse(rsdp, map_acpi, &acpi_info, err, sizeof(err)))
		fatal("torn ACPI table: %s", err);
	tell_oddities(&acpi_info);
	if (acpi_info.reset.space == SPACE_MEMORY)
		reset_mmio = ioremap(acpi_info.reset.addr, 1);
	log_info("ACPI: %u CPUs, %u I/O APICs", acpi_info.nr_cpus, acpi_info.nr_ioapics);
}

/* A register in configuration space is on bus 0 (ACPI 6.5, 4.8.3.6). */
static void reset_by_acpi(void)
{
	const struct acpi_reset *r = &acpi_info.reset;

	if (r->space == SPACE_IO) {
		outb((u16)r->addr, r->value);
	} else if (r->space == SPACE_PCI) {
		pci_select((u16)((r->addr >> 32 & 31) << 3 | (r->addr >> 16 & 7)), (u8)r->addr);
		outb(PCI_CONFIG_DATA + (r->addr & 3), r->value);
	} else if (reset_mmio) {
		*reset_mmio = r->value;
	}
}

static void settle(void)
{
	u32 i;

	for (i = 0; i < 200000; i++)
		inb(0x80);
}

noreturn void machine_reset(void)
{
	const struct desc_ptr none = { 0, 0 };
	u32 i;

	cli();
	reset_by_acpi();
	settle();
	outb(RESET_CONTROL, 0x02);
	outb(RESET_CONTROL, 0x06);
	settle();
	for (i = 0; i < 10000 && (inb(KBC_COMMAND) & KBC_BUSY); i++)
		;
	outb(KBC_COMMAND, KBC_RESET);
	settle();
	lidt(&none);
	__asm__ volatile("int3");
	panic_stop_cpu();
}
