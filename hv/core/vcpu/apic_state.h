/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a vCPU has of its local APIC; hv/core/apic gives it life, and vlapic.h there
 * says who may touch what.
 */
#ifndef HV_CORE_APIC_STATE_H
#define HV_CORE_APIC_STATE_H

#include <linux/kvm.h>

#include "lib/types.h"
#include "machine/timer.h"

struct vcpu;

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
	bool off;			/* for good: the run loop injects, as without post */
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
	struct vlapic_post *post;	/* NULL, or off: the run loop injects interrupts */
	/*
	 * A page that stands for the xAPIC page in second-level tables, whose accesses
	 * the CPU then takes on itself in xAPIC mode; 0: none.
	 */
	hpa_t access_page;
	bool bars_page;			/* in another mode: nobody may have it */
	enum vlapic_mode mode;		/* follows from base and SVR */
	u64 base;			/* IA32_APIC_BASE */
	u32 id;				/* the APIC ID given at creation */
	bool cmci;			/* has LVT CMCI */
	bool irr_hint;			/* some IRR bit may be set; without post */
	u16 isr_count;			/* vectors in service; without post */
	u32 bus_ns;			/* a tick of the timer's undivided clock */
	u32 lvt_timer;			/* as last written by software */
	struct hv_timer timer;
	u64 timer_start;		/* TSC when the current count began */
	u64 timer_period;		/* TSC ticks of one period, 0 = stopped */
	bool timer_waits;		/* for vlapic_timer_resume(), when its vCPU has a CPU: */
	bool timer_idle;		/* it is periodic, and not armed meanwhile */
	u64 tsc_deadline;		/* guest TSC of TSC-deadline mode, 0 = off */
	u32 pending_esr;
	u32 eilvt[APIC_EILVTS];		/* domain 0's */
};

/* Supplied by apic/vlapic.c: anything in IRR above PPR, or INTR from the PIC through LINT0?  For wake-up. */
bool vlapic_waits(struct vcpu *v);

#endif
