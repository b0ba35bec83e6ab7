/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by the files of the virtual local APIC only. */
#ifndef HV_CORE_VLAPIC_PRIV_H
#define HV_CORE_VLAPIC_PRIV_H

#include "lib/atomic.h"
#include "lib/x86_regs.h"
#include "vcpu/run.h"
#include "vcpu/vcpu.h"
#include "vlapic.h"

/* MSI and ICR delivery modes, bits 10:8 (SDM vol. 3, 11.6.1). */
#define DM_FIXED	0
#define DM_LOWEST	1
#define DM_SMI		2
#define DM_RESERVED	3
#define DM_NMI		4
#define DM_INIT		5
#define DM_STARTUP	6
#define DM_EXTINT	7

#define SHORT_NONE	0
#define SHORT_SELF	1
#define SHORT_ALL	2
#define SHORT_OTHERS	3

#define ICR_LOGICAL	BIT(11)
#define ICR_BUSY	BIT(12)
#define ICR_ASSERT	BIT(14)
#define ICR_LEVEL	BIT(15)
#define ICR_X2_RESERVED	0xfff32000u	/* 31:20, 17:16, 13: #GP in x2APIC mode */

#define LVT_MASKED	BIT(16)
#define LVT_EXTINT	0x700u
#define LVT_TIMER_MODE	(3u << 17)
#define LVT_ONESHOT	(0u << 17)
#define LVT_PERIODIC	(1u << 17)
#define LVT_DEADLINE	(2u << 17)

#define SVR_ENABLE	BIT(8)

#define MSR_X2APIC_LAST		(MSR_X2APIC_BASE + 0xff)

static inline u32 areg(const struct vlapic *a, u32 offset)
{
	return READ_ONCE(a->reg[offset / 4]);
}

static inline void areg_set(struct vlapic *a, u32 offset, u32 val)
{
	WRITE_ONCE(a->reg[offset / 4], val);
}

/* Bit `vec` of one of the 256-bit registers ISR, TMR, IRR. */
static inline u32 *vec_word(struct vlapic *a, u32 base, u8 vec)
{
	return &a->reg[(base + (vec / 32) * 0x10) / 4];
}

static inline bool vec_test(struct vlapic *a, u32 base, u8 vec)
{
	return READ_ONCE(*vec_word(a, base, vec)) & BIT(vec % 32);
}

static inline bool vlapic_hw_on(const struct vlapic *a)
{
	return a->base & APIC_BASE_ENABLE;
}

/* Its page is not where it is after reset: the shim answers accesses there. */
static inline bool vlapic_moved(const struct vlapic *a)
{
	return (u32)(a->base & PAGE_MASK) != APIC_BASE_DEFAULT;
}

static inline bool vlapic_x2(const struct vlapic *a)
{
	return a->base & APIC_BASE_EXTD;
}

static inline bool vlapic_sw_on(const struct vlapic *a)
{
	return vlapic_hw_on(a) && (areg(a, APIC_REG_SVR) & SVR_ENABLE);
}

static inline u32 vlapic_id(const struct vlapic *a)
{
	return vlapic_x2(a) ? a->id : areg(a, APIC_REG_ID) >> 24;
}

/* The LDR of x2APIC mode follows from the ID (SDM vol. 3, 11.12.10.2). */
static inline u32 x2apic_ldr(u32 id)
{
	return (id >> 4) << 16 | 1u << (id & 15);
}

/* Highest bit of one of the 256-bit registers, or -1.  Each entry may look at several. */
static inline int vec_highest(const struct vlapic *a, u32 base)
{
	int i;

#pragma GCC unroll 8
	for (i = 7; i >= 0; i--) {
		u32 w = areg(a, base + i * 0x10);

		if (w)
			return i * 32 + 31 - __builtin_clz(w);
	}
	return -1;
}

/* vlapic_post.c: make a vector pending where the CPU delivers; as vlapic_set_irr() */
bool vlapic_post(struct vlapic *a, u8 vector, bool level);
/* Forget what is on its way; IRR, ISR and TMR are new. */
void vlapic_post_restart(struct vlapic *a);
/* Software has changed IRR or ISR. */
static inline void vlapic_touched(struct vlapic *a)
{
	if (a->post)
		a->post->status_changed = true;
}

/* Base or SVR is new. */
static inline void vlapic_new_mode(struct vlapic *a)
{
	if (vlapic_hw_on(a) && !vlapic_x2(a))
		a->mode = VLAPIC_XAPIC;
	else
		a->mode = vlapic_sw_on(a) ? VLAPIC_X2APIC : VLAPIC_OFF;
	vlapic_touched(a);
}

/* vlapic_timer.c */
void vlapic_timer_fire(struct hv_timer *t);
void vlapic_timer_stop(struct vcpu *v);
void vlapic_timer_start(struct vcpu *v, u32 count);
u32 vlapic_timer_current(struct vcpu *v);
void vlapic_lvt_timer_write(struct vcpu *v, u32 val);
u64 vlapic_deadline_read(struct vcpu *v);
void vlapic_deadline_write(struct vcpu *v, u64 guest_tsc);

/* Dispatch an ICR value (x2APIC layout: destination in bits 63:32). */
void vlapic_icr_write(struct vcpu *v, u64 icr);

/* ESR bits latched by an illegal vector, reported on the next ESR write. */
#define ESR_SEND_ILLEGAL	BIT(5)
#define ESR_ILLEGAL_REG		BIT(7)

#endif
