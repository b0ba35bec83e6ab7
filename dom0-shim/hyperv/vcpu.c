// SPDX-License-Identifier: GPL-2.0-only
/* Hyper-V's side of a VM and its vCPUs: life, rules, and what waits for the next RUN. */
#include <linux/slab.h>
#include <linux/smp.h>

#include "channel/ring.h"
#include "hyperv.h"

int bp_hv_vm_init(struct bp_vm *vm)
{
	vm->hv = kzalloc(sizeof(*vm->hv), GFP_KERNEL_ACCOUNT);
	if (!vm->hv)
		return -ENOMEM;
	mutex_init(&vm->hv->lock);
	xa_init(&vm->hv->conns);
	vm->hv->tsc_khz = bp_hv_machine_khz();
	return vm->hv->tsc_khz ? 0 : -ENOMEM;
}

void bp_hv_vm_free(struct bp_vm *vm)
{
	if (vm->hv)
		bp_hv_conns_free(vm->hv);
	kfree(vm->hv);
}

int bp_hv_vcpu_init(struct bp_vcpu *vcpu)
{
	vcpu->hv = kzalloc(sizeof(*vcpu->hv), GFP_KERNEL_ACCOUNT);
	if (!vcpu->hv)
		return -ENOMEM;
	vcpu->hv->vp_index = vcpu->vm->nr_vcpus;
	bp_hv_timers_init(vcpu);
	return 0;
}

void bp_hv_vcpu_free(struct bp_vcpu *vcpu)
{
	if (vcpu->hv)
		bp_hv_timers_free(vcpu);
	kfree(vcpu->hv);
}

u32 bp_hv_rules(const struct bp_vcpu *vcpu)
{
	return vcpu->hv->enabled && READ_ONCE(vcpu->vm->hv->os_id) ? BP_RULE_HYPERCALL : 0;
}

void bp_hv_enforce(struct bp_vcpu *vcpu, bool on)
{
	vcpu->hv->enforce = on;
}

static int renew_tsc_page(struct bp_vcpu *vcpu)
{
	struct mutex *lock = &vcpu->vm->hv->lock;
	int ret = mutex_lock_interruptible(lock);

	if (!ret) {
		ret = bp_hv_tsc_page(vcpu, false);
		mutex_unlock(lock);
	}
	if (ret)
		set_bit(HV_WORK_TSC_PAGE, &vcpu->hv_work);
	return ret;
}

int bp_hv_prepare(struct bp_vcpu *vcpu)
{
	int ret = 0;

	if (test_and_clear_bit(HV_WORK_TSC_PAGE, &vcpu->hv_work))
		ret = renew_tsc_page(vcpu);
	if (!ret && test_and_clear_bit(HV_WORK_INVTSC, &vcpu->hv_work))
		bp_hv_show_invtsc(vcpu);
	if (!ret && test_and_clear_bit(HV_WORK_TIMERS, &vcpu->hv_work))
		ret = bp_hv_timers_process(vcpu);
	return ret ?: 1;
}
