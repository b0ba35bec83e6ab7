// SPDX-License-Identifier: GPL-2.0-only
/* Finding the ACPI tables of this machine, and resetting it by them. */
#include "acpi.h"
#include "boot_info.h"
#include "lib/string.h"
#include "lib/x86.h"
#include "log.h"
#include "paging.h"
#include "panic.h"

#define BDA_EBDA_SEGMENT	0x40e
#define EBDA_SCAN		1024
#define ROM_SCAN_START		0xe0000
#define RSDP_ALIGN		16

#define KBC_COMMAND		0x64
#define KBC_BUSY		0x02
#define KBC_RESET		0xfe
#define RESET_CONTROL		0xcf9

struct acpi_info acpi_info;

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
	if (acpi_info.nr_cpus_dropped)
		log_warn("%u CPUs more than Bedplate can use stay off",
			 acpi_info.nr_cpus_dropped);
	log_info("ACPI: %u CPUs, %u I/O APICs", acpi_info.nr_cpus, acpi_info.nr_ioapics);
}

static void reset_by_acpi(void)
{
	const struct acpi_reset *r = &acpi_info.reset;

	if (r->space == 1)
		outb((u16)r->addr, r->value);
	else if (r->space == 0 && phys_is_mapped(r->addr, 1))
		*(volatile u8 *)phys_to_virt(r->addr) = r->value;
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
