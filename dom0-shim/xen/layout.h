/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Xen's interface as it is in memory and registers (xen/include/public of Xen): pure code,
 * which also builds for the host.
 */
#ifndef BEDPLATE_XEN_LAYOUT_H
#define BEDPLATE_XEN_LAYOUT_H

#include "../os.h"

/* Hypercalls, and the commands of which some are made here. */
#define XEN_SET_TIMER_OP	15
#define XEN_XEN_VERSION		17
#define XEN_VCPU_OP		24
#define XEN_SCHED_OP		29
#define XEN_EVENT_CHANNEL_OP	32
#define XENVER_VERSION		0
#define XEN_VCPUOP_SET_SINGLESHOT	8
#define XEN_VCPUOP_STOP_SINGLESHOT	9
#define XEN_SCHEDOP_YIELD	0
#define XEN_SCHEDOP_POLL	3
#define XEN_EVTCHNOP_SEND	4
/* What an event channel is. */
#define XEN_EVTCHN_INTERDOMAIN	2
#define XEN_EVTCHN_IPI		5

/* Of struct vcpu_info, in either layout. */
#define XEN_VCPU_UPCALL		0	/* a byte: something is pending */
#define XEN_VCPU_TIME		32	/* struct pvclock_vcpu_time_info */
#define XEN_VCPU_INFO_SIZE	64

#define XEN_MAX_PORTS		4096	/* of a 64-bit guest: the most */

/* What differs between guests of 32 and 64 bits: offsets in bytes. */
struct bp_xen_layout {
	u32 ports;		/* event channels */
	u32 pending, mask;	/* in the shared page: a bit of each */
	u32 wall, wall_hi;	/* there: the wall clock, and its seconds' upper half */
	u32 sel;		/* in struct vcpu_info: a bit for each word of pending */
	u32 word_shift;		/* of so many channels */
	u32 times;		/* in struct vcpu_runstate_info: the state's entry, and times */
};
const struct bp_xen_layout *bp_xen_layout(bool wide);

/* ---- the hypercall page: entries of this size, which call by @insn ---- */
#define XEN_STUB_SIZE		32
#define XEN_INSN_SIZE		3
void bp_xen_stub(u8 *to, u32 nr, const u8 *insn);

/* ---- runstates ---- */
enum { XEN_RUNNING, XEN_RUNNABLE, XEN_BLOCKED, XEN_OFFLINE, XEN_RUNSTATES };

struct bp_xen_runstate {
	u32 state;
	u64 since;		/* guest's clock, ns */
	u64 time[XEN_RUNSTATES];
};
#define XEN_RUNSTATE_UPDATE	BIT_ULL(63)	/* of since: it is being written */
#define XEN_RUNSTATE_MAX	48		/* bytes */

/* From @state on at @now; of the time before, if it ran, it waited @stolen for a CPU. */
void bp_xen_runstate_to(struct bp_xen_runstate *rs, u32 state, u64 now, u64 stolen);
/* As the guest sees it; how many bytes (<= XEN_RUNSTATE_MAX). */
u32 bp_xen_runstate_put(const struct bp_xen_runstate *rs, bool wide, u8 *to);
/* What user space sets or adds: -EINVAL, it does not add up, or lies in the future of @now. */
int bp_xen_runstate_set(struct bp_xen_runstate *rs, const struct kvm_xen_vcpu_attr *attr, u64 now);
int bp_xen_runstate_add(struct bp_xen_runstate *rs, const struct kvm_xen_vcpu_attr *attr, u64 now);
void bp_xen_runstate_get(const struct bp_xen_runstate *rs, struct kvm_xen_vcpu_attr *attr);

/* ---- time ---- */
/* How pvclock makes ns of TSC ticks: ((ticks << shift) * mul) >> 32. */
struct bp_xen_scale {
	u32 mul;
	s8 shift;
};
void bp_xen_scale(u32 khz, struct bp_xen_scale *s);
u64 bp_xen_scaled(const struct bp_xen_scale *s, u64 ticks);

/*
 * When a guest's timer is due that it sets for *@at: ns from now, not positive if at once.
 * What can only come of an overflow is 100 ms, as in Xen; *@at says so then.
 */
s64 bp_xen_timeout(u64 *at, u64 now);

/* ---- CPUID ---- */
/* Leaf 3 of Xen's, if @cpuid has Xen's: what a guest is told of the TSC.  True: it changed. */
bool bp_xen_cpuid_time(struct kvm_cpuid2 *cpuid, const struct bp_xen_scale *s, u32 khz);

#endif
