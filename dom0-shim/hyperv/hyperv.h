/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of hyperv/ share.  Names and layouts are those of the Hypervisor
 * Top-Level Functional Specification (TLFS), as in <asm/hyperv-tlfs.h>.
 *
 * A guest has this interface if its CPUID says so.  Bedplate knows of it that unknown
 * MSRs, and hypercalls once the guest has set HV_X64_MSR_GUEST_OS_ID, are the shim's.
 */
#ifndef BEDPLATE_HYPERV_H
#define BEDPLATE_HYPERV_H

#include <linux/kvm.h>
#include <asm/hyperv-tlfs.h>

#include "running/hv.h"
#include "running/run.h"

#define HV_CPUID_SIGNATURE	0x31237648u	/* "Hv#1" */
#define HV_MAX_BANKS		64		/* of 64 VPs each, in a set of VPs */

/* The page of the reference TSC (TLFS 12.7). */
enum bp_hv_page { HV_PAGE_UNSET, HV_PAGE_SET, HV_PAGE_STALE, HV_PAGE_BROKEN };

struct bp_hv {
	u32 tsc_khz;		/* kvmclock's, which is Bedplate's; constant */
	struct mutex lock;	/* the rest; innermost but for vm->mmu_lock */
	u64 os_id, hypercall;
	u64 tsc_page;		/* HV_X64_MSR_REFERENCE_TSC */
	enum bp_hv_page tsc_state;
	u64 tsc_scale, tsc_offset; /* as in the page */
	u64 crash[5], crash_ctl;
	u64 reenlightenment, tsc_emul_control, tsc_emul_status;
	u64 invtsc;
};

/* vcpu->hv_work */
#define HV_WORK_TSC_PAGE	0	/* the page is stale */
#define HV_WORK_INVTSC		1	/* CPUID is to tell of the invariant TSC */

struct bp_hv_vcpu {
	bool enabled;		/* by CPUID */
	bool enforce;
	bool invtsc_hidden;	/* Bedplate's table lacks it, for the guest has to ask */
	u32 feat_eax, feat_ebx, feat_edx;	/* leaf 40000003 */
	u32 enl_eax, enl_ebx;			/* leaf 40000004 */
	u32 vp_index;
	u64 assist;		/* HV_X64_MSR_VP_ASSIST_PAGE */
	u64 runtime;		/* HV_X64_MSR_VP_RUNTIME less the thread's time, 100 ns */
};

static inline bool bp_hv_allowed(const struct bp_hv_vcpu *hv, u32 have, u32 need)
{
	return !hv->enforce || have & need;
}

/* ---- clock.c ---- */
/* The machine's, of which kvmclock is made; 0: no memory. */
u32 bp_hv_machine_khz(void);
/* vm->hv->lock is held, the vCPU is stopped: */
u64 bp_hv_ref_time(struct bp_vcpu *vcpu);	/* 100 ns */
/* After the MSR was written, by the guest if @guest. */
void bp_hv_tsc_page(struct bp_vcpu *vcpu, bool guest);

/* ---- cpuid.c ---- */
/* Whether the guest may see the invariant TSC has changed. */
void bp_hv_show_invtsc(struct bp_vcpu *vcpu);

#endif
