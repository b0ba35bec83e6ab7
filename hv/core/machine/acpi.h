/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The few ACPI tables that Bedplate reads (ACPI 6.5, ch. 5.2). Parsing is pure
 * and bounded: tables are firmware's, and may be torn.
 */
#ifndef BP_CORE_ACPI_H
#define BP_CORE_ACPI_H

#include "lib/types.h"

#define ACPI_MAX_CPUS		1024
#define ACPI_MAX_IOAPICS	128
#define ACPI_MAX_ISOS		32
#define ACPI_MAX_NMIS		32
#define ACPI_MAX_TABLES		256

struct acpi_cpu {
	u32 apic_id;
	u32 uid;
};

struct acpi_ioapic {
	u32 id;
	u32 gsi_base;
	hpa_t addr;
};

struct acpi_iso {		/* interrupt source override */
	u8 irq;
	u16 flags;
	u32 gsi;
};

struct acpi_nmi {		/* local APIC NMI */
	u32 uid;		/* 0xffffffff: all CPUs */
	u16 flags;
	u8 lint;
};

struct acpi_table {
	char sig[5];
	hpa_t addr;
	u32 len;
};

struct acpi_reset {
	u8 space;		/* 0 memory, 1 I/O, 2 PCI config; 0xff: none */
	u8 value;
	u64 addr;
};

/*
 * A byte by which the machine is put to sleep or switched off: SLP_TYP is in bits 4:2, SLP_EN
 * is bit 5. The upper one of PM1a and PM1b control, or sleep control of machines with reduced
 * hardware (4.8.3.2.1, 4.8.3.7).
 */
struct acpi_sleep_reg {
	u8 space;		/* as acpi_reset */
	bool b;			/* PM1b: its SLP_TYP is the second one of a state */
	u64 addr;
};

#define SLP_EN			BIT(5)
#define SLP_TYP(byte)		((byte) >> 2 & 7)
#define ACPI_MAX_SLEEP_REGS	5

struct acpi_info {
	u32 nr_cpus;		/* enabled ones */
	u32 nr_cpus_dropped;	/* more than fit */
	u32 nr_cpus_disabled;
	struct acpi_cpu cpu[ACPI_MAX_CPUS];
	hpa_t lapic_addr;
	u32 nr_ioapics;
	struct acpi_ioapic ioapic[ACPI_MAX_IOAPICS];
	u32 nr_isos;
	struct acpi_iso iso[ACPI_MAX_ISOS];
	u32 nr_nmis;
	struct acpi_nmi nmi[ACPI_MAX_NMIS];
	u32 nr_tables;
	u32 nr_tables_dropped;	/* more than fit */
	struct acpi_table table[ACPI_MAX_TABLES];	/* of the XSDT, and the DSDT */
	const char *bad_sum[3];	/* XSDT or RSDT, MADT, FADT: used all the same, as Linux does */
	u32 nr_bad_sums;
	u32 madt_torn;		/* offset of an entry that was passed over, 0: none */
	bool wakeup_mailbox;	/* the MADT has one: INIT and SIPI may not start CPUs there */
	bool reduced;		/* hardware-reduced ACPI: no PM1 registers, no PM timer */
	u16 pm_timer;		/* I/O port, 0: none */
	bool pm_timer_32bit;
	u32 nr_sleep_regs;
	struct acpi_sleep_reg sleep_reg[ACPI_MAX_SLEEP_REGS];
	struct acpi_reset reset;
};

/*
 * Gives @len bytes of memory at @pa, readable for as long as the machine runs;
 * NULL if that cannot be.
 */
typedef const void *(*acpi_map_fn)(hpa_t pa, u64 len);

/* Is this a whole RSDP, of @len bytes at most? Its size (20 or 36), 0 if not. */
u32 acpi_check_rsdp(const void *rsdp, u32 len);

/*
 * Read everything from the RSDP (checked already) on. False: @err (of @err_len
 * bytes) says in one line what is torn.
 */
bool acpi_parse(const void *rsdp, acpi_map_fn map, struct acpi_info *info,
		char *err, u32 err_len);

/* The first table with signature @sig; NULL: none. */
const struct acpi_table *acpi_find(const struct acpi_info *info, const char *sig);

/* The machine's; constant after boot. */
extern struct acpi_info acpi_info;

struct boot_info;

/* Find the RSDP (its address to *rsdp_pa, 0 if only a copy is known); fatal on errors. */
void acpi_init(const struct boot_info *bi, hpa_t *rsdp_pa);

/* Reset the machine: ACPI, port 0xcf9, keyboard controller, triple fault. */
noreturn void machine_reset(void);

#endif
