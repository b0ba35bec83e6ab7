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

#include <linux/kvm.h>

#include "lib/types.h"
#include "machine/timer.h"

struct vcpu;
struct domain;

/* Register offsets in the xAPIC page; x2APIC MSR = 0x800 + (offset >> 4). */
#define APIC_REG_ID		0x020
#define APIC_REG_VERSION	0x030
#define APIC_REG_TPR		0x080
#define APIC_REG_PPR		0x0a0
#define APIC_REG_EOI		0x0b0
#define APIC_REG_LDR		0x0d0
#define APIC_REG_DFR		0x0e0
#define APIC_REG_SVR		0x0f0
#define APIC_REG_ISR		0x100
#define APIC_REG_TMR		0x180
#define APIC_REG_IRR		0x200
#define APIC_REG_ESR		0x280
#define APIC_REG_LVT_CMCI	0x2f0
#define APIC_REG_ICR		0x300
#define APIC_REG_ICR2		0x310
#define APIC_REG_LVT_TIMER	0x320
#define APIC_REG_LVT_THERMAL	0x330
#define APIC_REG_LVT_PERF	0x340
#define APIC_REG_LVT_LINT0	0x350
#define APIC_REG_LVT_LINT1	0x360
#define APIC_REG_LVT_ERROR	0x370
#define APIC_REG_TIMER_INIT	0x380
#define APIC_REG_TIMER_CUR	0x390
#define APIC_REG_TIMER_DIV	0x3e0
#define APIC_REG_SELF_IPI	0x3f0
#define APIC_REG_EILVT0		0x500	/* AMD's extended LVTs (APM vol. 2, 16.7) */
#define APIC_EILVTS		4

#define APIC_BASE_DEFAULT	0xfee00000ull

/*
 * Where the CPU delivers interrupts by itself: what is on its way to a vCPU, and
 * what the back end is to tell the CPU.  Any CPU posts; all else is touched as
 * struct vlapic says.  The first 64 bytes are the CPU's to read and clear as well,
 * while the vCPU runs (SDM vol. 3, 31.6).
 */
struct vlapic_post {
	u64 vectors[4];			/* posted, not in IRR yet */
	u64 control;			/* POST_OUTSTANDING: look at vectors */
	u64 unused[3];

	u64 late[4];			/* posted, but not in eoi_exits yet */
	bool late_any;
	bool notify;			/* VECTOR_POSTED makes a running CPU look */
	bool eoi_changed;		/* eoi_exits: not in the CPU's hands yet */
	bool status_changed;		/* vlapic_status(): likewise */
	u64 eoi_exits[4];		/* vectors whose EOI is reported; only grows */
};

#define POST_OUTSTANDING	BIT(0)

/* How the CPU may take the guest's accesses to registers on itself. */
enum vlapic_mode {
	VLAPIC_OFF,
	VLAPIC_XAPIC,
	VLAPIC_X2APIC,			/* while software has it enabled */
};

/* Is there anything for vlapic_collect(), or for the back end to tell the CPU? */
static inline bool vlapic_post_news(const struct vlapic_post *p)
{
	return READ_ONCE(p->control) | READ_ONCE(p->late_any) | p->eoi_changed |
	       p->status_changed;
}

struct vlapic {
	union {				/* a page, which hardware may know */
		u32 *reg;		/* reg[offset / 4] */
		struct kvm_lapic_state *state;
	};
	struct vlapic_post *post;	/* NULL: the run loop injects interrupts */
	/*
	 * A page that stands for the xAPIC page in second-level tables, whose accesses
	 * the CPU then takes on itself in xAPIC mode; 0: none.
	 */
	hpa_t access_page;
	bool bars_page;			/* in another mode: nobody may have it */
	enum vlapic_mode mode;		/* follows from base and SVR */
	u64 base;			/* IA32_APIC_BASE */
	u32 id;				/* the APIC ID given at creation */
	bool irr_hint;			/* some IRR bit may be set; without post */
	u8 isr_count;			/* vectors in service; without post */
	u32 lvt_timer;			/* as last written by software */
	struct hv_timer timer;
	u64 timer_start;		/* TSC when the current count began */
	u64 timer_period;		/* TSC ticks of one period, 0 = stopped */
	u64 tsc_deadline;		/* guest TSC of TSC-deadline mode, 0 = off */
	u32 pending_esr;
	u32 eilvt[APIC_EILVTS];		/* domain 0's: kept, without effect */
};

/*
 * Power-up state; apic_id is fixed for the vCPU's life, bsp sets APIC_BASE_BSP.
 * reg is set already, and post where the back end offers it.
 */
void vlapic_init(struct vcpu *v, u32 apic_id, bool bsp);
/* INIT: registers back to power-up, APIC ID and base kept (SDM 11.4.7.3). */
void vlapic_reset(struct vcpu *v);

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
/* Is gpa in this vCPU's enabled xAPIC page? */
bool vlapic_mmio_hit(const struct vcpu *v, gpa_t gpa);

/* Make a vector pending; any CPU.  False: it was pending already. */
bool vlapic_set_irr(struct vcpu *v, u8 vector, bool level);
/*
 * Deliver a message with the encoding of ICR/MSI to the domain's vCPUs: dest
 * 32 bits, mode as in ICR bits 10:8.  Any CPU.  Result: number of APICs that
 * accepted, -EINVAL reserved mode.  Wakes and kicks them.
 */
int vlapic_deliver(struct domain *d, struct vcpu *src, u32 dest, bool logical,
		   u8 shorthand, u8 mode, u8 vector, bool level);
/* An MSI as written on the bus (x2APIC extended destination in addr 63:40). */
int vlapic_msi(struct domain *d, u64 addr, u32 data);

/* Highest pending vector that PPR lets through, or -1. */
int vlapic_pending(struct vcpu *v);
/* Is anything pending but `vector`, whatever the priorities? */
bool vlapic_others_pending(const struct vlapic *a, u8 vector);
/* Class of the highest pending vector if the TPR alone holds it back, else 0. */
u8 vlapic_tpr_blocked(struct vcpu *v);
/*
 * Anything in IRR above PPR, INTR from the PIC through LINT0, or a vector that the
 * next entry injects in any case (vcpu_intr_queued())?  For wake-up and windows.
 */
bool vlapic_has_interrupt(struct vcpu *v);
/* Does LINT0 pass the PIC's INTR on (ExtINT, unmasked; or APIC off)? */
bool vlapic_accepts_extint(const struct vcpu *v);
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

/* Task priority as CR8 has it (bits 7:4 of TPR). */
u8 vlapic_get_cr8(const struct vcpu *v);
void vlapic_set_cr8(struct vcpu *v, u8 cr8);

/* KVM_GET_LAPIC / KVM_SET_LAPIC.  set restarts the timer. -EINVAL. */
void vlapic_get_state(struct vcpu *v, struct kvm_lapic_state *s);
int vlapic_set_state(struct vcpu *v, const struct kvm_lapic_state *s);
/* IA32_APIC_BASE.  -EINVAL: invalid transition or bits. */
int vlapic_set_base(struct vcpu *v, u64 base);

/* What the virtual local APIC asks of the rest of the core (vcpu.c, dom0.c): */
/* vCPU v must look at its IRR, NMI or INIT/SIPI request. */
void vcpu_kick(struct vcpu *v);
/* The same where only a vector is new: a CPU that delivers by itself need not exit. */
void vcpu_notify(struct vcpu *v);
/* A level-triggered vector got its EOI on v. */
void vcpu_level_eoi(struct vcpu *v, u8 vector);
/* Mode, LDR or DFR changed: domain 0's are mirrored into the physical APIC. */
void vcpu_apic_changed(struct vcpu *v);
/* Current TSC of the machine. */
u64 hv_tsc(void);

#endif
