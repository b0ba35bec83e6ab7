/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the capability MSRs allow (SDM vol. 3, app. A), and what we make of
 * it.  Pure: the caller reads the MSRs.
 */
#ifndef HV_VMX_CAPS_H
#define HV_VMX_CAPS_H

#include "lib/types.h"
#include "vmcs.h"

/* Values of the MSRs; the four "true" ones count only with VMX_BASIC_TRUE. */
struct vmx_msrs {
	u64 feature_control;
	u64 basic;
	u64 pin, proc, exit, entry;	/* IA32_VMX_TRUE_..._CTLS */
	u64 proc2;
	u64 ept_vpid;
	u64 misc;
};

/* The control fields that every vCPU starts from. */
struct vmx_controls {
	u32 pin, proc, proc2, exit, entry;
	bool tpr_shadow, vpid, pause_loop, encls;
	bool cr8_exits;			/* accesses to CR8 can be made to exit */
	bool timer;			/* preemption timer; counts TSC >> timer_shift */
	u8 timer_shift;
	u32 apic;			/* of proc2: APIC virtualisation, for guests */
	bool posted;			/* posted interrupts; with PROC2_DELIVERY only */
	bool ept_ad;
	bool invept_one;		/* single-context; else all contexts */
};

#define FEATURE_LOCKED		BIT(0)
#define FEATURE_VMXON		BIT(2)	/* outside of SMX */

#define VMX_BASIC_REVISION(b)	((u32)(b) & 0x7fffffff)
#define VMX_BASIC_SIZE(b)	((u32)((b) >> 32) & 0x1fff)
#define VMX_BASIC_MEMTYPE(b)	((u32)((b) >> 50) & 0xf)
#define VMX_BASIC_TRUE		BIT(55)

#define VMX_MISC_TIMER_SHIFT(m)	((u8)(m) & 0x1f)

/*
 * IA32_FEATURE_CONTROL: NULL if VMXON may be used, after *set has been
 * written to the MSR (if it differs from val); else the reason why not.
 */
const char *vmx_feature_control(u64 val, u64 *set);

#define PROC2_APICV	(PROC2_APIC_ACCESS | PROC2_X2APIC | PROC2_APIC_REGS | PROC2_DELIVERY)

/* Take away from *c what option apicv= (APICV_, cmdline.h) does not allow. */
void vmx_limit_apicv(struct vmx_controls *c, u32 most);

/* NULL and *c filled, or one line that names the first thing missing. */
const char *vmx_choose_controls(const struct vmx_msrs *m, struct vmx_controls *c);

#endif
