/* SPDX-License-Identifier: GPL-2.0-only */
/* Per-CPU memory and the start of the application processors. */
#ifndef BP_CORE_SMP_H
#define BP_CORE_SMP_H

#include "cpu.h"
#include "lib/types.h"

struct acpi_info;
struct boot_info;

/* The BSP's struct cpu and GS base: first thing in hv_main(). */
void smp_init_boot_cpu(void);
/* BSP: descriptor tables and stacks of its own; goes on in fn on the new stack. */
noreturn void smp_enter_boot_cpu(void (*fn)(void));
/*
 * Start every other enabled CPU of the MADT. Those that stay silent get a
 * warning and no struct cpu. Each that came up waits in ap_main().
 */
void smp_start_aps(const struct acpi_info *acpi, const struct boot_info *bi);
/* Let the waiting APs go on in @fn, which does not return. */
void smp_release_aps(void (*fn)(void));

/* CR0, CR4, EFER, PAT, XCR0, the same on every CPU. */
void cpu_init_control_registers(void);

/* GDT, TSS and interrupt stacks of @c (gdt.c). False: no memory. */
bool gdt_alloc(struct cpu *c);
void gdt_load(struct cpu *c);

#endif
