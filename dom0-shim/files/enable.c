// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_ENABLE_CAP of a VM's file: a row for each capability that has to be
 * asked for.  caps.c says which there are.
 */
#include <linux/uaccess.h>

#include "irqchip/irqchip.h"
#include "running/run.h"
#include "files.h"

/* The ids that vCPUs may have end there; said once, before the first vCPU. */
static long enable_max_vcpu_id(struct bp_vm *vm, const struct kvm_enable_cap *cap)
{
	long ret = -EINVAL;

	mutex_lock(&vm->lock);
	if (cap->args[0] && cap->args[0] <= BP_MAX_VCPU_ID && !vm->nr_vcpus &&
	    (!vm->max_vcpu_id || vm->max_vcpu_id == cap->args[0])) {
		vm->max_vcpu_id = cap->args[0];
		ret = 0;
	}
	mutex_unlock(&vm->lock);
	return ret;
}

static long enable_split_irqchip(struct bp_vm *vm, const struct kvm_enable_cap *cap)
{
	long ret;

	mutex_lock(&vm->lock);
	ret = bp_irq_enable_split(vm->irq, vm->nr_vcpus, cap->args[0]);
	mutex_unlock(&vm->lock);
	return ret;
}

/* The most that KVM may poll before a halt; nothing polls here. */
static long enable_halt_poll(struct bp_vm *vm, const struct kvm_enable_cap *cap)
{
	return cap->args[0] == (unsigned int)cap->args[0] ? 0 : -EINVAL;
}

static long enable_user_msr(struct bp_vm *vm, const struct kvm_enable_cap *cap)
{
	long ret;

	if (cap->args[0] & ~KVM_MSR_EXIT_REASON_VALID_MASK)
		return -EINVAL;
	mutex_lock(&vm->rules_lock);
	WRITE_ONCE(vm->msr_to_user, cap->args[0]);
	ret = bp_rules_changed(vm);
	mutex_unlock(&vm->rules_lock);
	return ret;
}

/* Of one word, which is nonzero or not. */
static long enable_rule(struct bp_vm *vm, u32 rule, bool on)
{
	long ret;

	mutex_lock(&vm->rules_lock);
	WRITE_ONCE(vm->rules, on ? vm->rules | rule : vm->rules & ~rule);
	ret = bp_rules_changed(vm);
	mutex_unlock(&vm->rules_lock);
	return ret;
}

static long enable_platform_info(struct bp_vm *vm, const struct kvm_enable_cap *cap)
{
	return enable_rule(vm, BP_RULE_NO_PLATFORM_INFO, !cap->args[0]);
}

struct enabler {
	u32 cap;
	/* cap->flags is 0.  No lock is held. */
	long (*enable)(struct bp_vm *vm, const struct kvm_enable_cap *cap);
};

static const struct enabler enablers[] = {
	{ KVM_CAP_MAX_VCPU_ID, enable_max_vcpu_id },
	{ KVM_CAP_HALT_POLL, enable_halt_poll },
	{ KVM_CAP_SPLIT_IRQCHIP, enable_split_irqchip },
	{ KVM_CAP_X86_USER_SPACE_MSR, enable_user_msr },
	{ KVM_CAP_MSR_PLATFORM_INFO, enable_platform_info },
};

long bp_vm_enable_cap(struct bp_vm *vm, const struct kvm_enable_cap *cap)
{
	const struct enabler *e;

	if (cap->flags)
		return -EINVAL;
	for (e = enablers; e < enablers + ARRAY_SIZE(enablers); e++)
		if (e->cap == cap->cap)
			return e->enable(vm, cap);
	return -EINVAL;
}
