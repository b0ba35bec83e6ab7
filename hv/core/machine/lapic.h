/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The physical local APIC of the calling CPU, in the mode (xAPIC, x2APIC) that
 * the CPU is in (SDM vol. 3, ch. 11; APM vol. 2, ch. 16). Bedplate owns it;
 * domain 0 sees a virtual one. No locks: all of it acts on the calling CPU.
 */
#ifndef BP_CORE_LAPIC_H
#define BP_CORE_LAPIC_H

#include "lib/types.h"

/*
 * Vectors of Bedplate's own.  Others of their priority class, which is the highest,
 * go to domain 0 too, but stay in service for nobody.
 */
#define VECTOR_OWN_CLASS	0xf0
#define VECTOR_LVT		0xf0	/* and 5 more: LVTs that domain 0 sets, irq.c */
#define VECTOR_TIMER		0xf8
#define VECTOR_KICK		0xf9
#define VECTOR_POSTED		0xfa	/* a vCPU's posted interrupts */
#define VECTOR_IOMMU		0xfb	/* an IOMMU's log has something */
#define VECTOR_ERROR		0xfe
#define VECTOR_SPURIOUS		0xff

#define LAPIC_BASE		0xfee00000ull	/* where it is, after a reset and on all machines */

/* Register offsets (x2APIC: MSR 0x800 + offset / 16) */
#define LAPIC_ID		0x020
#define LAPIC_VERSION		0x030
#define LAPIC_TPR		0x080
#define LAPIC_EOI		0x0b0
#define LAPIC_LDR		0x0d0
#define LAPIC_DFR		0x0e0
#define LAPIC_SVR		0x0f0
#define LAPIC_ISR		0x100
#define LAPIC_TMR		0x180
#define LAPIC_IRR		0x200
#define LAPIC_ESR		0x280
#define LAPIC_LVT_CMCI		0x2f0
#define LAPIC_ICR		0x300
#define LAPIC_ICR_HIGH		0x310
#define LAPIC_LVT_TIMER		0x320
#define LAPIC_LVT_THERMAL	0x330
#define LAPIC_LVT_PERF		0x340
#define LAPIC_LVT_LINT0		0x350
#define LAPIC_LVT_LINT1		0x360
#define LAPIC_LVT_ERROR		0x370
#define LAPIC_TIMER_INIT	0x380
#define LAPIC_TIMER_CURRENT	0x390
#define LAPIC_TIMER_DIVIDE	0x3e0
#define LAPIC_EILVT0		0x500

/* In an LVT */
#define LAPIC_LVT_MASKED	BIT(16)
#define LAPIC_LVT_MODE		0x700
#define LAPIC_LVT_FIXED		0
#define LAPIC_LVT_SMI		0x200
#define LAPIC_LVT_NMI		0x400

/* BSP, once, before any other function here; masks the PICs. @base: from the MADT. */
void lapic_init(hpa_t base);
/*
 * Each CPU: enabled by software, TPR 0, own vectors set, LVTs masked but NMIs
 * and SMIs that firmware wired to them. Whatever was in service is ended.
 */
void lapic_init_cpu(void);
/* Is there this LVT: thermal, CMCI, or AMD's extended ones? */
bool lapic_has_lvt(u32 reg);
/* Switch this CPU to x2APIC mode. -EOPNOTSUPP if it has none. */
int lapic_enable_x2apic(void);
/* Back to xAPIC mode on a CPU that firmware left in the other, unless it is locked there. */
void lapic_leave_x2apic(void);
bool lapic_is_x2apic(void);
/* After tsc_init(), BSP: choose and calibrate the timer. */
void lapic_timer_init(bool allow_deadline);

u32 lapic_read(u32 reg);
void lapic_write(u32 reg, u32 val);
u32 lapic_id(void);
void lapic_eoi(void);

/* IPIs to the CPU with @apic_id, physical destination, edge. */
void lapic_send_ipi(u32 apic_id, u8 vector);
/* To the calling CPU; also from an NMI's handler. */
void lapic_send_self(u8 vector);
void lapic_send_init(u32 apic_id);
void lapic_send_sipi(u32 apic_id, u8 page);
void lapic_send_nmi(u32 apic_id);
void lapic_send_nmi_others(void);

/* Is an interrupt of @vector in service on the calling CPU? */
bool lapic_isr_test(u8 vector);
/* Bit of @vector in the physical TMR: its last interrupt was level-triggered. */
bool lapic_isr_tmr_test(u8 vector);

/*
 * One interrupt VECTOR_TIMER at TSC value @tsc_deadline (at once, if that is
 * past). It may come early: much, if that is further than the timer can count,
 * and a little, if its frequency is known by calibration only. Look at the TSC
 * and arm again. Replaces what was programmed; 0 stops.
 */
void lapic_timer_program(u64 tsc_deadline);

#endif
