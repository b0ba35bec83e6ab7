/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of hyperv/ share.  Names and layouts are those of the Hypervisor
 * Top-Level Functional Specification (TLFS), as Linux has it.
 *
 * A guest has this interface if its CPUID says so.  Bedplate knows of it that unknown
 * MSRs, and hypercalls once the guest has set HV_X64_MSR_GUEST_OS_ID, are the shim's.
 */
#ifndef BEDPLATE_HYPERV_H
#define BEDPLATE_HYPERV_H

#include <linux/hrtimer.h>
#include <linux/kvm.h>
#include <linux/xarray.h>

#include "compat.h"
#include "running/hv.h"
#include "running/run.h"

#define HV_CPUID_SIGNATURE	0x31237648u	/* "Hv#1" */

/* The debugger's interface, of which the TLFS says nothing: as in KVM and QEMU. */
#define HV_X64_SYNDBG_CAP_ALLOW_KERNEL_DEBUGGING (1u << 1)
#define HV_X64_SYNDBG_OPTION_USE_HCALLS		(1u << 2)

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
	struct {
		u64 control, status, send, recv, pending, options;
	} syndbg;
	struct xarray conns;	/* of KVM_HYPERV_EVENTFD, by number; readers under RCU */
};

/* vcpu->hv_work */
#define HV_WORK_TSC_PAGE	0	/* the page is stale */
#define HV_WORK_INVTSC		1	/* CPUID is to tell of the invariant TSC */
#define HV_WORK_TIMERS		2	/* ->timers_due */

/* TLFS 11; all by the vCPU's thread, but that others read active and sint. */
struct bp_hv_synic {
	bool active;		/* user space has asked for it */
	bool keep_pages;	/* it clears them itself */
	u64 control, version, siefp, simp;
	u64 sint[HV_SYNIC_SINT_COUNT];
};

struct bp_hv_stimer {
	struct bp_vcpu *vcpu;
	struct hrtimer timer;	/* makes it due */
	union hv_stimer_config config;
	u64 count;
	u64 expires;		/* reference time; 0: not armed */
	bool waits;		/* for the guest to take an earlier message */
};

/* Of an access or a hypercall: KVM_RUN returns, *run is filled. */
#define BP_HV_TO_USER		1

struct bp_hv_vcpu {
	bool enabled;		/* by CPUID */
	bool enforce;
	bool invtsc_hidden;	/* Bedplate's table lacks it, for the guest has to ask */
	u32 feat_eax, feat_ebx, feat_edx;	/* leaf 40000003 */
	u32 enl_eax, enl_ebx;			/* leaf 40000004 */
	u32 nested_eax;				/* leaf 4000000a */
	bool syndbg;		/* leaf 40000082: the debugger's MSRs and calls */
	u32 vp_index;
	u64 assist;		/* HV_X64_MSR_VP_ASSIST_PAGE */
	u64 runtime;		/* HV_X64_MSR_VP_RUNTIME less the thread's time, 100 ns */
	struct bp_hv_synic synic;
	struct bp_hv_stimer stimer[HV_SYNIC_STIMER_COUNT];
	unsigned long timers_due; /* bits of stimer; any context */
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
/* After the MSR was written, by the guest if @guest.  0 or -EINTR, which changes nothing. */
int bp_hv_tsc_page(struct bp_vcpu *vcpu, bool guest);

/*
 * ---- synic.c ----
 * raise: any context; as send, -ENOENT masked, -EINVAL none.  message: 0 also if one is there
 * and the next will do, -EAGAIN if it is to be sent after that one, -EFAULT nobody took it, or
 * an errno as raise.
 * set, get: MSRs; BP_HV_TO_USER, -EINVAL.  send: a fixed interrupt, @data as a message has it.
 */
int bp_hv_synic_raise(struct bp_vcpu *vcpu, u32 sint);
int bp_hv_synic_message(struct bp_vcpu *vcpu, u32 sint, const struct hv_message *m, bool retry);
long bp_hv_synic_set(struct bp_vcpu *vcpu, u32 msr, u64 val, bool guest);
long bp_hv_synic_get(struct bp_vcpu *vcpu, u32 msr, u64 *val, bool guest);
long bp_hv_send(struct bp_vcpu *vcpu, u32 data);	/* how many APICs took it: 0 or 1 */
/* HvCallSignalEvent; false: no such connection is an eventfd. */
bool bp_hv_signal(struct bp_vm *vm, u32 conn);
void bp_hv_conns_free(struct bp_hv *hv);

/*
 * ---- stimer.c ----
 * process: the vCPU is stopped; 0, or -EINTR: it is due still.  acked: the guest has taken a message of the source.
 * set, get: MSRs; -EINVAL.
 */
void bp_hv_timers_init(struct bp_vcpu *vcpu);
int bp_hv_timers_process(struct bp_vcpu *vcpu);
void bp_hv_timers_acked(struct bp_vcpu *vcpu, u32 sint);
long bp_hv_timer_set(struct bp_vcpu *vcpu, u32 msr, u64 val, bool guest);
long bp_hv_timer_get(struct bp_vcpu *vcpu, u32 msr, u64 *val);

/* ---- syndbg.c: MSRs; vm->hv->lock is held.  -ENOENT: not one of these, BP_HV_TO_USER ---- */
long bp_hv_syndbg_set(struct bp_vcpu *vcpu, u32 msr, u64 val, bool guest);
long bp_hv_syndbg_get(struct bp_vcpu *vcpu, u32 msr, u64 *val);

/* ---- cpuid.c ---- */
/* Whether the guest may see the invariant TSC has changed. */
void bp_hv_show_invtsc(struct bp_vcpu *vcpu);

#endif
