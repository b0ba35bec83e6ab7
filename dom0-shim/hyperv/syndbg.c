// SPDX-License-Identifier: GPL-2.0-only
/*
 * The debugger's MSRs: user space carries what passes between it and the guest, and
 * answers a write of CONTROL with a new status.
 */
#include <linux/kernel.h>
#include <linux/string.h>

#include "hyperv.h"

static long to_debugger(struct bp_vcpu *vcpu, u32 msr)
{
	const struct bp_hv *hv = vcpu->vm->hv;
	struct kvm_run *run = vcpu->run;

	run->exit_reason = KVM_EXIT_HYPERV;
	memset(&run->hyperv, 0, sizeof(run->hyperv));
	run->hyperv.type = KVM_EXIT_HYPERV_SYNDBG;
	run->hyperv.u.syndbg.msr = msr;
	run->hyperv.u.syndbg.control = hv->syndbg.control;
	run->hyperv.u.syndbg.status = hv->syndbg.status;
	run->hyperv.u.syndbg.send_page = hv->syndbg.send;
	run->hyperv.u.syndbg.recv_page = hv->syndbg.recv;
	run->hyperv.u.syndbg.pending_page = hv->syndbg.pending;
	return BP_HV_TO_USER;
}

static u64 *syndbg_reg(struct bp_hv *hv, u32 msr)
{
	switch (msr) {
	case HV_X64_MSR_SYNDBG_CONTROL:
		return &hv->syndbg.control;
	case HV_X64_MSR_SYNDBG_STATUS:
		return &hv->syndbg.status;
	case HV_X64_MSR_SYNDBG_SEND_BUFFER:
		return &hv->syndbg.send;
	case HV_X64_MSR_SYNDBG_RECV_BUFFER:
		return &hv->syndbg.recv;
	case HV_X64_MSR_SYNDBG_PENDING_BUFFER:
		return &hv->syndbg.pending;
	case HV_X64_MSR_SYNDBG_OPTIONS:
		return &hv->syndbg.options;
	default:
		return NULL;
	}
}

long bp_hv_syndbg_set(struct bp_vcpu *vcpu, u32 msr, u64 val, bool guest)
{
	u64 *reg = syndbg_reg(vcpu->vm->hv, msr);
	bool tells = msr == HV_X64_MSR_SYNDBG_CONTROL || msr == HV_X64_MSR_SYNDBG_PENDING_BUFFER;

	if (!reg)
		return -ENOENT;
	*reg = val;
	return guest && tells ? to_debugger(vcpu, msr) : 0;
}

long bp_hv_syndbg_get(struct bp_vcpu *vcpu, u32 msr, u64 *val)
{
	const u64 *reg = syndbg_reg(vcpu->vm->hv, msr);

	*val = reg ? *reg : 0;
	return reg ? 0 : -ENOENT;
}

int bp_hv_complete_debug(struct bp_vcpu *vcpu)
{
	mutex_lock(&vcpu->vm->hv->lock);
	vcpu->vm->hv->syndbg.status = READ_ONCE(vcpu->run->hyperv.u.syndbg.status);
	mutex_unlock(&vcpu->vm->hv->lock);
	return 1;
}
