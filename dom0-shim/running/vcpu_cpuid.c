// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU's CPUID table.  Once the vCPU has run the table stands: it may only be set to
 * what it is, as KVM has it.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <asm/kvm_para.h>

#include "apf.h"
#include "hv.h"
#include "nest.h"
#include "state.h"
#include "xen.h"

#define BP_MAX_CPUID	100

#define F1_EDX_APIC	(1u << 9)
#define F1_ECX_OSXSAVE	(1u << 27)
#define F7_ECX_OSPKE	(1u << 4)

long bp_cpuid_to_user(struct kvm_cpuid2 __user *user,
		      const struct kvm_cpuid2 *cpuid)
{
	struct kvm_cpuid2 head;

	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	if (head.nent < cpuid->nent)
		return -E2BIG;
	if (copy_to_user(user, cpuid, sizeof(*cpuid) + cpuid->nent *
			 sizeof(struct kvm_cpuid_entry2)))
		return -EFAULT;
	return 0;
}

long bp_cpuid_get(struct bp_vcpu *vcpu, void __user *argp)
{
	long ret = bp_state_get(vcpu, BP_STATE_CPUID, PAGE_SIZE);

	if (ret < 0)
		return ret;
	bp_hv_cpuid_shown(vcpu, vcpu->state);
	return bp_cpuid_to_user(argp, vcpu->state);
}

/* Without what follows from the vCPU's own state. */
static void fixed_part(struct kvm_cpuid_entry2 *e)
{
	memset(e->padding, 0, sizeof(e->padding));
	switch (e->function) {
	case 1:
		e->edx &= ~F1_EDX_APIC;
		e->ecx &= ~F1_ECX_OSXSAVE;
		break;
	case 7:
		if (!e->index)
			e->ecx &= ~F7_ECX_OSPKE;
		break;
	case 0xd:
		if (e->index <= 1)
			e->ebx = 0;
		break;
	}
}

static bool same_table(const struct kvm_cpuid2 *a, const struct kvm_cpuid2 *b)
{
	u32 i;

	if (a->nent != b->nent)
		return false;
	for (i = 0; i < a->nent; i++) {
		struct kvm_cpuid_entry2 x = a->entries[i], y = b->entries[i];

		fixed_part(&x);
		fixed_part(&y);
		if (memcmp(&x, &y, sizeof(x)))
			return false;
	}
	return true;
}

/* 0: the table of a vCPU that has run is *wanted already. */
static long check_unchanged(struct bp_vcpu *vcpu, const struct kvm_cpuid2 *wanted)
{
	long ret = bp_state_get(vcpu, BP_STATE_CPUID, PAGE_SIZE);

	if (ret < 0)
		return ret;
	bp_hv_cpuid_shown(vcpu, vcpu->state);
	return same_table(vcpu->state, wanted) ? 0 : -EINVAL;
}

/* Nobody is woken by a hypercall who halts without an exit. */
static void hide_unhalt(struct kvm_cpuid2 *cpuid)
{
	struct kvm_cpuid_entry2 *e;

	for (e = cpuid->entries; e < cpuid->entries + cpuid->nent; e++)
		if (e->function == KVM_CPUID_FEATURES)
			e->eax &= ~BIT(KVM_FEATURE_PV_UNHALT);
}

static long set_table(struct bp_vcpu *vcpu, struct kvm_cpuid2 *cpuid)
{
	size_t len = struct_size(cpuid, entries, cpuid->nent);
	long ret;

	if (READ_ONCE(vcpu->vm->rules) & BP_RULE_HLT)
		hide_unhalt(cpuid);
	bp_xen_cpuid_set(vcpu, cpuid);
	if (vcpu->has_run)
		return check_unchanged(vcpu, cpuid);
	bp_apf_cpuid_set(vcpu, cpuid);
	bp_hv_cpuid_set(vcpu, cpuid);
	ret = bp_nest_cpuid_set(vcpu, cpuid);
	if (ret)
		return ret;
	memcpy(vcpu->state, cpuid, len);
	return bp_state_set(vcpu, BP_STATE_CPUID, len);
}

/* An empty table for as many entries as user space has, or an ERR_PTR(). */
static struct kvm_cpuid2 *new_table(const void __user *user)
{
	struct kvm_cpuid2 *cpuid, head;

	static_assert(sizeof(struct kvm_cpuid) == sizeof(head));
	if (copy_from_user(&head, user, sizeof(head)))
		return ERR_PTR(-EFAULT);
	if (head.nent > BP_MAX_CPUID)
		return ERR_PTR(-E2BIG);
	cpuid = kzalloc(struct_size(cpuid, entries, head.nent), GFP_KERNEL_ACCOUNT);
	if (!cpuid)
		return ERR_PTR(-ENOMEM);
	cpuid->nent = head.nent;
	return cpuid;
}

long bp_cpuid_set(struct bp_vcpu *vcpu, void __user *argp)
{
	struct kvm_cpuid2 __user *user = argp;
	struct kvm_cpuid2 *cpuid = new_table(user);
	long ret = -EFAULT;

	if (IS_ERR(cpuid))
		return PTR_ERR(cpuid);
	if (!copy_from_user(cpuid->entries, user->entries,
			    flex_array_size(cpuid, entries, cpuid->nent)))
		ret = set_table(vcpu, cpuid);
	kfree(cpuid);
	return ret;
}

static int read_old(struct kvm_cpuid2 *cpuid, const struct kvm_cpuid_entry __user *user)
{
	struct kvm_cpuid_entry e;
	u32 i;

	for (i = 0; i < cpuid->nent; i++) {
		if (copy_from_user(&e, &user[i], sizeof(e)))
			return -EFAULT;
		cpuid->entries[i] = (struct kvm_cpuid_entry2){
			.function = e.function,
			.eax = e.eax, .ebx = e.ebx, .ecx = e.ecx, .edx = e.edx,
		};
	}
	return 0;
}

long bp_cpuid_set_old(struct bp_vcpu *vcpu, void __user *argp)
{
	struct kvm_cpuid __user *user = argp;
	struct kvm_cpuid2 *cpuid = new_table(user);
	long ret;

	if (IS_ERR(cpuid))
		return PTR_ERR(cpuid);
	ret = read_old(cpuid, user->entries);
	if (!ret)
		ret = set_table(vcpu, cpuid);
	kfree(cpuid);
	return ret;
}
