/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The virtual local APIC, xAPIC and x2APIC, of every vCPU (SDM vol. 3, ch. 11;
 * APM vol. 2, ch. 16).  The register page has struct kvm_lapic_state's layout,
 * so that state crosses the channel by copying.
 *
 * IRR (or, with ->post, what is posted) and TMR are changed by any CPU with
 * vlapic_set_irr(), atomically; all else is touched by the CPU where the vCPU is
 * RUNNING, by the one that CLAIMED it, or else with v->lock held.
 */
#ifndef HV_CORE_VLAPIC_H
#define HV_CORE_VLAPIC_H

#include "vcpu/vcpu.h"

struct domain;

/*
 * Power-up state; apic_id is fixed for the vCPU's life, bsp sets APIC_BASE_BSP.
 * reg is set already, and post where the back end offers it.
 */
void vlapic_init(struct vcpu *v, u32 apic_id, bool bsp);
/* INIT: registers back to power-up, APIC ID and base kept (SDM 11.4.7.3). */
void vlapic_reset(struct vcpu *v);

/* As MCG_CAP says: is LVT CMCI there?  Masked when it comes. */
void vlapic_set_cmci(struct vcpu *v, bool cmci);

/*
 * Register access by the guest.  offset is that of the xAPIC page.
 * 0, or -EINVAL: no such register in this mode (x2APIC: #GP; xAPIC: reads 0).
 * An ICR write delivers at once; EOI may call the domain's level hook.
 */
int vlapic_read(struct vcpu *v, u32 offset, u64 *val);
int vlapic_write(struct vcpu *v, u32 offset, u64 val);
/* MSRs 0x800-0x8ff in x2APIC mode, 0x1b, 0x6e0.  -ENOENT: not one of them. */
int vlapic_rdmsr(struct vcpu *v, u32 msr, u64 *val);
int vlapic_wrmsr(struct vcpu *v, u32 msr, u64 val);
/* Is gpa in this vCPU's enabled xAPIC page, where that is after reset? */
bool vlapic_mmio_hit(const struct vcpu *v, gpa_t gpa);

/* Make a vector pending; any CPU.  False: it was pending already. */
bool vlapic_set_irr(struct vcpu *v, u8 vector, bool level);
/*
 * Deliver a message with the encoding of ICR/MSI to the domain's vCPUs: dest
 * 32 bits and, of a message without @src, EXACT (0xff is an ID for those in x2APIC
 * mode); mode as in ICR bits 10:8.  Any CPU.  Result: number of APICs that
 * accepted, -EINVAL reserved mode, -ENOENT a broadcast that nobody is there for, or
 * there are no vCPUs.  Wakes and kicks them.  No lock is held: where there are many,
 * interrupts are let in meanwhile.
 */
#define VLAPIC_DEST_EXACT	BIT(32)
int vlapic_deliver(struct domain *d, struct vcpu *src, u64 dest, bool logical,
		   u8 shorthand, u8 mode, u8 vector, bool level);
/*
 * To those whose ID less @min is the number of a bit that is set, each by itself: none
 * is a broadcast, and none arbitrates.  Result: as above, 0 for a mode that is reserved.
 */
int vlapic_deliver_ids(struct domain *d, const u64 ids[2], u32 min, u8 mode, u8 vector);
/* An MSI as written on the bus (x2APIC extended destination in addr 63:40; BP_MSI_EXACT). */
int vlapic_msi(struct domain *d, u64 addr, u32 data);

/* Highest pending vector that PPR lets through, or -1. */
int vlapic_pending(struct vcpu *v);
/* A vector that waits (vlapic_waits()), or one that was acknowledged already (vcpu_intr_queued())?  For windows. */
bool vlapic_has_interrupt(struct vcpu *v);
/* Is anything pending but `vector`, whatever the priorities? */
bool vlapic_others_pending(const struct vlapic *a, u8 vector);
/* Class of the highest pending vector if the TPR alone holds it back, else 0. */
u8 vlapic_tpr_blocked(struct vcpu *v);
/* Does LINT0 pass the PIC's INTR on (ExtINT, unmasked; or APIC off)?  Another line needs no LINT0. */
bool vlapic_accepts_extint(const struct vcpu *v);
/* Its delivery is also its end. */
bool vlapic_auto_eoi(const struct vcpu *v, u8 vector);
/* Pending becomes in service: the vector is about to be injected. */
void vlapic_ack(struct vcpu *v, u8 vector);
/* End of the highest in-service vector. */
void vlapic_eoi(struct vcpu *v);

/*
 * For a back end with ->post.  collect: what was posted goes into IRR; right before
 * each entry.  status: highest vector in service << 8 | highest pending, 0 for none.
 * ended: the CPU did vlapic_eoi() for the vector.
 */
void vlapic_collect(struct vlapic *a);
u16 vlapic_status(const struct vcpu *v);
void vlapic_ended(struct vcpu *v, u8 vector);
/* The CPU has put a guest's write into the register page: act on it. */
void vlapic_written(struct vcpu *v, u32 offset);

/* v has a CPU: its timer goes on here, if it has waited for that or is on another CPU. */
void vlapic_timer_resume(struct vcpu *v);

/* Task priority as CR8 has it; vlapic_get_cr8() is in vcpu.h. */
void vlapic_set_cr8(struct vcpu *v, u8 cr8);
/* What the guest has set: L2 may have a CR8 of its own. */
static inline void vcpu_set_cr8(struct vcpu *v, u8 cr8)
{
	if (unlikely(v->nested.flags & BP_NESTED_TPR))
		v->nested.tpr = cr8;
	else
		vlapic_set_cr8(v, cr8);
}

/* KVM_GET_LAPIC / KVM_SET_LAPIC.  set restarts the timer; an x2APIC keeps its ID. */
void vlapic_get_state(struct vcpu *v, struct kvm_lapic_state *s);
void vlapic_set_state(struct vcpu *v, const struct kvm_lapic_state *s);
/* Could IA32_APIC_BASE hold that, whatever it holds now? */
bool vlapic_base_valid(u64 base);
/* -EINVAL: invalid transition or bits. */
int vlapic_set_base(struct vcpu *v, u64 base);

/* Domain 0's vCPUs have the physical APIC behind them (irq.c). */

/* A level-triggered vector got its EOI on v. */
void vcpu_level_eoi(struct vcpu *v, u8 vector);
/* Mode, LDR or DFR changed: domain 0's are mirrored into the physical APIC. */
void vcpu_apic_changed(struct vcpu *v);

#endif
