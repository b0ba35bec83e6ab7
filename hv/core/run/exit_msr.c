// SPDX-License-Identifier: GPL-2.0-only
/* RDMSR and WRMSR; the contract is in exit_msr.h. */
#include "exit_msr.h"

#include "guest/insn.h"
#include "guest/msr.h"
#include "lib/errno.h"
#include "vcpu/run.h"

static bool has_rule(const struct vcpu *v, u32 msr)
{
	u32 i;

	for (i = 0; i < v->rules.nranges; i++)
		if (msr >= v->rules.msr[i].first && msr <= v->rules.msr[i].last)
			return true;
	return false;
}

/* False: the instruction's page went after the exit, and its fetch faults. */
static bool tell(struct vcpu *v, u64 data, bool write, u8 why)
{
	struct bp_exit_msr *x = &v->page->msr;
	u8 len = vcpu_insn_len(v);

	if (!len)
		return false;
	*x = (struct bp_exit_msr){
		.index = v->regs.gpr[RCX], .write = write, .insn_len = len,
		.why = why, .data = write ? data : 0,
	};
	vcpu_service(v, BP_EXIT_MSR);
	return true;
}

/* True: v has stopped. */
static bool refuse(struct vcpu *v, u64 data, bool write, int err)
{
	if (v->rules.flags & BP_RULE_MSR_REFUSED)
		return tell(v, data, write, err == -ENOENT ? BP_MSR_UNKNOWN : BP_MSR_INVALID);
	vcpu_gp(v);
	return false;
}

/* True: v has stopped. */
static bool msr_access(struct vcpu *v, bool write, bool asked)
{
	u64 *r = v->regs.gpr, val = (u32)r[RAX] | r[RDX] << 32;
	u32 msr = r[RCX];
	int err;

	if (unlikely(v->rules.nranges) && !asked && has_rule(v, msr))
		return tell(v, val, write, BP_MSR_RULE);
	err = write ? vcpu_wrmsr(v, msr, val) : vcpu_rdmsr(v, msr, &val);
	if (unlikely(err))
		return refuse(v, val, write, err);
	if (!write) {
		r[RAX] = (u32)val;
		r[RDX] = val >> 32;
	}
	vcpu_skip(v);
	return false;
}

void exit_rdmsr(struct vcpu *v)
{
	msr_access(v, false, false);
}

void exit_wrmsr(struct vcpu *v)
{
	msr_access(v, true, false);
}

bool exit_msr_go(struct vcpu *v)
{
	u32 reason = v->exit.reason;

	v->msr_go = false;
	if (reason != VM_EXIT_RDMSR && reason != VM_EXIT_WRMSR)
		return true;
	return !msr_access(v, reason == VM_EXIT_WRMSR, true);
}
