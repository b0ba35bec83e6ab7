// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_GET_CLOCK and KVM_SET_CLOCK.  The guest's clock is Bedplate's; the wall
 * clock that goes with it is Linux's, so it is added here.
 */
#include <linux/mm.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>

#include "channel/hypercall.h"
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
	free_page((unsigned long)clock);
	return ret;
}
