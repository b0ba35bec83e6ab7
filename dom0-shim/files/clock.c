// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_GET_CLOCK and KVM_SET_CLOCK.  The guest's clock is Bedplate's; the wall
 * clock that goes with it is Linux's, so it is added here.  And the frequency
 * of the TSC: the machine's, for nothing scales it.
 */
#include <linux/mm.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>
#include <asm/tsc.h>

#include "channel/hypercall.h"
#include "running/hv.h"
#include "running/xen.h"
#include "files.h"

long bp_get_clock(struct bp_vm *vm, void __user *argp)
{
	struct kvm_clock_data *clock = (void *)get_zeroed_page(GFP_KERNEL);
	unsigned long flags;
	long ret;

	if (!clock)
		return -ENOMEM;
	local_irq_save(flags);
	ret = bp_hc_domain_get(vm->dom, BP_DOM_CLOCK, bp_pfn(clock));
	clock->realtime = ktime_get_real_ns();
	local_irq_restore(flags);
	clock->flags |= KVM_CLOCK_REALTIME;
	if (ret >= 0)
		ret = copy_to_user(argp, clock, sizeof(*clock)) ? -EFAULT : 0;
	free_page((unsigned long)clock);
	return ret;
}

static long set_clock(struct bp_vm *vm, struct kvm_clock_data *clock)
{
	unsigned long flags;
	u64 now;
	long ret;

	if (clock->flags & ~BP_CLOCK_FLAGS)
		return -EINVAL;
	local_irq_save(flags);
	if (clock->flags & KVM_CLOCK_REALTIME) {
		/* The time between saving and restoring has passed. */
		now = ktime_get_real_ns();
		if (now > clock->realtime)
			clock->clock += now - clock->realtime;
	}
	ret = bp_hc_domain_set(vm->dom, BP_DOM_CLOCK, bp_pfn(clock));
	local_irq_restore(flags);
	return ret < 0 ? ret : 0;
}

long bp_set_clock(struct bp_vm *vm, void __user *argp)
{
	struct kvm_clock_data *clock = (void *)get_zeroed_page(GFP_KERNEL);
	long ret = -EFAULT;

	if (!clock)
		return -ENOMEM;
	if (!copy_from_user(clock, argp, sizeof(*clock)))
		ret = set_clock(vm, clock);
	if (!ret) {
		bp_hv_clock_set(vm);
		bp_xen_clock_set(vm);
	}
	free_page((unsigned long)clock);
	return ret;
}

#define TSC_TOLERANCE_PPM	250	/* KVM's own */

/* Bedplate's figure, as vCPUs have it; Linux measures its own. */
long bp_vm_get_tsc_khz(struct bp_vm *vm)
{
	u32 khz = READ_ONCE(vm->tsc_khz);
	u32 *word;
	long ret;

	if (khz)
		return khz;
	word = (void *)get_zeroed_page(GFP_KERNEL);
	if (!word)
		return -ENOMEM;
	ret = bp_hc_domain_get(0, BP_HV_TSC_KHZ, bp_pfn(word));
	if (ret >= 0)
		ret = *word;
	free_page((unsigned long)word);
	return ret;
}

long bp_vm_set_tsc_khz(struct bp_vm *vm, unsigned long arg)
{
	u32 khz = arg;
	u64 slack = (u64)tsc_khz * TSC_TOLERANCE_PPM / 1000000;

	if (khz && abs_diff(khz, tsc_khz) > slack)
		return -EINVAL;
	WRITE_ONCE(vm->tsc_khz, khz);
	return 0;
}
