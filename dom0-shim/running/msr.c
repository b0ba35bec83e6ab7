// SPDX-License-Identifier: GPL-2.0-only
/*
 * RDMSR and WRMSR that Bedplate asks about: the filter that user space has set
 * allows them or not, and what is not allowed, or refused by Bedplate, goes to user
 * space if it wants that, or is a #GP.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/apicdef.h>
#include <asm/msr-index.h>
#include <asm/trapnr.h>

#include "apf.h"
#include "hv.h"
#include "nest.h"
#include "run.h"
#include "xen.h"

struct filter_range {
	u32 flags, base, nmsrs;
	unsigned long *bitmap;	/* a bit set: allowed */
};

struct bp_msr_filter {
	bool default_allow;
	unsigned int n;
	struct filter_range range[KVM_MSR_FILTER_MAX_RANGES];
};

/* ---- the filter ---- */

static bool is_x2apic(u32 msr)
{
	return msr >= APIC_BASE_MSR && msr <= APIC_BASE_MSR + 0xff;
}

/* The first range that has the MSR and is for this kind of access decides. */
static bool allows(const struct bp_msr_filter *f, u32 msr, u32 access)
{
	const struct filter_range *r;

	if (!f || is_x2apic(msr))
		return true;
	for (r = f->range; r < f->range + f->n; r++)
		if (r->flags & access && msr - r->base < r->nmsrs)
			return test_bit(msr - r->base, r->bitmap);
	return f->default_allow;
}

/* What guests have without an exit, as long as nobody filters it. */
static bool keeps_own(const struct bp_msr_filter *f)
{
	static const u32 own[] = {
		MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS_BASE, MSR_STAR, MSR_LSTAR,
		MSR_CSTAR, MSR_SYSCALL_MASK, MSR_IA32_SYSENTER_CS,
		MSR_IA32_SYSENTER_ESP, MSR_IA32_SYSENTER_EIP,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(own); i++)
		if (!allows(f, own[i], KVM_MSR_FILTER_READ) ||
		    !allows(f, own[i], KVM_MSR_FILTER_WRITE))
			return false;
	return true;
}

static void rules_add(struct bp_rules *rules, u32 first, u32 last)
{
	rules->msr[rules->nranges].first = first;
	rules->msr[rules->nranges++].last = last;
}

static_assert(ARRAY_SIZE(((struct bp_rules *)0)->msr) >= KVM_MSR_FILTER_MAX_RANGES);

void bp_msr_rules(const struct bp_msr_filter *f, struct bp_rules *rules)
{
	unsigned int i;

	if (!f)
		return;
	if (!keeps_own(f))
		rules->flags |= BP_RULE_MSR_TRAP;
	if (!f->default_allow) {
		rules_add(rules, 0, APIC_BASE_MSR - 1);
		rules_add(rules, APIC_BASE_MSR + 0x100, U32_MAX);
		return;
	}
	for (i = 0; i < f->n; i++)
		rules_add(rules, f->range[i].base,
			  min_t(u64, (u64)f->range[i].base + f->range[i].nmsrs - 1, U32_MAX));
}

void bp_msr_filter_free(struct bp_msr_filter *f)
{
	unsigned int i;

	if (!f)
		return;
	for (i = 0; i < f->n; i++)
		kfree(f->range[i].bitmap);
	kfree(f);
}

static int copy_range(struct bp_msr_filter *f, const struct kvm_msr_filter_range *user)
{
	size_t size = BITS_TO_LONGS((u64)user->nmsrs) * sizeof(long);
	struct filter_range *r = &f->range[f->n];

	if (!user->nmsrs)
		return 0;
	if (!user->flags || user->flags & ~KVM_MSR_FILTER_RANGE_VALID_MASK ||
	    size > KVM_MSR_FILTER_MAX_BITMAP_SIZE)
		return -EINVAL;
	r->flags = user->flags;
	r->base = user->base;
	r->nmsrs = user->nmsrs;
	r->bitmap = memdup_user((void __user *)user->bitmap, size);
	if (IS_ERR(r->bitmap))
		return PTR_ERR(r->bitmap);
	f->n++;
	return 0;
}

static int copy_filter(struct bp_msr_filter *f, const struct kvm_msr_filter *user)
{
	unsigned int i;
	int ret = 0;

	if (user->flags & ~KVM_MSR_FILTER_VALID_MASK)
		return -EINVAL;
	f->default_allow = !(user->flags & KVM_MSR_FILTER_DEFAULT_DENY);
	for (i = 0; i < ARRAY_SIZE(user->ranges) && !ret; i++)
		ret = copy_range(f, &user->ranges[i]);
	if (!ret && !f->n && !f->default_allow)
		ret = -EINVAL;
	return ret;
}

long bp_msr_filter_set(struct bp_vm *vm, struct kvm_msr_filter *user)
{
	struct bp_msr_filter *old, *new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	long ret;

	if (!new)
		return -ENOMEM;
	ret = copy_filter(new, user);
	if (ret) {
		bp_msr_filter_free(new);
		return ret;
	}
	mutex_lock(&vm->rules_lock);
	old = rcu_replace_pointer(vm->msr_filter, new, lockdep_is_held(&vm->rules_lock));
	ret = bp_rules_changed(vm);
	mutex_unlock(&vm->rules_lock);
	synchronize_srcu(&vm->srcu);
	bp_msr_filter_free(old);
	return ret;
}

/* ---- exits ---- */

static u32 reason_of(const struct bp_exit_msr *msr)
{
	switch (msr->why) {
	case BP_MSR_RULE:
		return KVM_MSR_EXIT_REASON_FILTER;
	case BP_MSR_UNKNOWN:
		return KVM_MSR_EXIT_REASON_UNKNOWN;
	default:
		return KVM_MSR_EXIT_REASON_INVAL;
	}
}

static int gp(struct bp_vcpu *vcpu)
{
	bp_queue_exception(vcpu, X86_TRAP_GP, true, 0, 0);
	return 1;
}

static void msr_done(struct bp_vcpu *vcpu, u64 val)
{
	struct kvm_regs *regs = &vcpu->page->regs;

	if (!vcpu->msr.write) {
		regs->rax = (u32)val;
		regs->rdx = val >> 32;
	}
	bp_insn_done(vcpu, vcpu->msr.insn_len);
}

static int msr_to_user(struct bp_vcpu *vcpu, u32 reason)
{
	const struct bp_exit_msr *msr = &vcpu->msr;
	struct kvm_run *run = vcpu->run;

	run->exit_reason = msr->write ? KVM_EXIT_X86_WRMSR : KVM_EXIT_X86_RDMSR;
	memset(&run->msr, 0, sizeof(run->msr));
	run->msr.reason = reason;
	run->msr.index = msr->index;
	run->msr.data = msr->data;
	vcpu->pending = BP_PENDING_MSR;
	vcpu->pending_rip = vcpu->page->regs.rip;
	return 0;
}

/* 1, or as bp_apf_set_msr(). */
static int apf_exit(struct bp_vcpu *vcpu)
{
	struct bp_exit_msr *msr = &vcpu->msr;
	long ret = msr->write ? bp_apf_set_msr(vcpu, msr->index, msr->data) :
				bp_apf_get_msr(vcpu, msr->index, &msr->data);

	if (ret)
		return ret;
	msr_done(vcpu, msr->data);
	return 1;
}

int bp_exit_msr(struct bp_vcpu *vcpu)
{
	struct bp_exit_msr *msr = &vcpu->msr;
	struct bp_vm *vm = vcpu->vm;
	u32 reason;
	int ret;

	*msr = vcpu->page->msr;
	reason = reason_of(msr);
	if (msr->why == BP_MSR_RULE &&
	    allows(srcu_dereference(vm->msr_filter, &vm->srcu), msr->index,
		   msr->write ? KVM_MSR_FILTER_WRITE : KVM_MSR_FILTER_READ)) {
		vcpu->page->run_flags |= BP_RUN_MSR;
		return 1;
	}
	if (msr->why == BP_MSR_UNKNOWN) {
		ret = bp_xen_exit_msr(vcpu);
		if (ret != -ENOENT && ret != -EINVAL)
			return ret;
		if (ret == -ENOENT)
			ret = bp_smm_exit_msr(vcpu);
		if (ret == -ENOENT && bp_nest_owns(msr->index))
			ret = bp_nest_exit_msr(vcpu);
		if (ret == -ENOENT)
			ret = bp_apf_owns(msr->index) ? apf_exit(vcpu) : bp_hv_exit_msr(vcpu);
		if (ret >= 0 || ret == -EINTR)
			return ret;
		if (ret == -EINVAL)
			reason = KVM_MSR_EXIT_REASON_INVAL;
	}
	if (!(READ_ONCE(vm->msr_to_user) & reason))
		return gp(vcpu);
	return msr_to_user(vcpu, reason);
}

void bp_complete_msr(struct bp_vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;

	if (READ_ONCE(run->msr.error))
		gp(vcpu);
	else
		msr_done(vcpu, run->msr.data);
}
