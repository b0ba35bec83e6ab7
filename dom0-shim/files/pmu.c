// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_SET_PMU_EVENT_FILTER.  No vCPU has a PMU, so there is nothing that a filter
 * could keep from it; one is looked at as KVM does, and not kept.
 */
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/perf_event.h>

#include "files.h"

#define MAX_EVENTS	300

static u64 entry_bits(void)
{
	u64 select = ARCH_PERFMON_EVENTSEL_EVENT;

	if (boot_cpu_data.x86_vendor != X86_VENDOR_INTEL)
		select = AMD64_EVENTSEL_EVENT;
	return select | KVM_PMU_MASKED_ENTRY_UMASK_MASK | KVM_PMU_MASKED_ENTRY_UMASK_MATCH |
	       KVM_PMU_MASKED_ENTRY_EXCLUDE;
}

static long check_events(const __u64 __user *user, u32 n, bool masked)
{
	u64 *events = memdup_array_user(user, n, sizeof(*events));
	long ret = 0;
	u32 i;

	if (IS_ERR(events))
		return PTR_ERR(events);
	for (i = 0; masked && i < n; i++)
		if (events[i] & ~entry_bits())
			ret = -EINVAL;
	kfree(events);
	return ret;
}

long bp_set_pmu_filter(void __user *argp)
{
	struct kvm_pmu_event_filter __user *user = argp;
	struct kvm_pmu_event_filter head;

	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	if (head.action != KVM_PMU_EVENT_ALLOW && head.action != KVM_PMU_EVENT_DENY)
		return -EINVAL;
	if (head.flags & ~KVM_PMU_EVENT_FLAGS_VALID_MASK)
		return -EINVAL;
	if (head.nevents > MAX_EVENTS)
		return -E2BIG;
	return check_events(user->events, head.nevents,
			    head.flags & KVM_PMU_EVENT_FLAG_MASKED_EVENTS);
}
