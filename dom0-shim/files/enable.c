// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_ENABLE_CAP of a VM's file: a row for each capability that has to be
 * asked for.  caps.c says which there are.
 */
#include <linux/capability.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

#include "channel/hypercall.h"
#include "irqchip/irqchip.h"
#include "memory/memslot.h"
#include "memory/nx.h"
#include "running/run.h"
#include "files.h"

/*
 * The ids that vCPUs may have end there; said once, before the first vCPU.  KVM lets
 * the bootstrap processor's be that end itself.
 */
static long enable_max_vcpu_id(struct bp_vm *vm, const struct kvm_enable_cap *cap)
{
	long ret = -EINVAL;

	mutex_lock(&vm->lock);
	if (cap->args[0] && cap->args[0] <= BP_MAX_VCPU_ID && !vm->nr_vcpus &&
	    cap->args[0] >= vm->boot_cpu_id &&
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

static long enable_x2apic_api(struct bp_vm *vm, const struct kvm_enable_cap *cap)
{
	if (cap->args[0] & ~(u64)BP_X2APIC_API)
		return -EINVAL;
	bp_irq_x2apic_api(vm->irq, cap->args[0]);
	return 0;
}

static long set_apic_bus(struct bp_vm *vm, u32 ns)
{
	u32 *word = (void *)get_zeroed_page(GFP_KERNEL);
	long ret;

	if (!word)
		return -ENOMEM;
	*word = ns;
	ret = bp_hc_domain_set(vm->dom, BP_DOM_APIC_BUS, bp_pfn(word));
	if (ret >= 0)
		WRITE_ONCE(vm->apic_bus_ns, ns);
	free_page((unsigned long)word);
	return ret < 0 ? ret : 0;
}

#define TICKS_MAX	((u64)U32_MAX * 128)	/* the longest count, most divided */

static long enable_apic_bus(struct bp_vm *vm, const struct kvm_enable_cap *cap)
{
	long ret;

	if (!cap->args[0] || cap->args[0] > U64_MAX / TICKS_MAX)
		return -EINVAL;
	mutex_lock(&vm->lock);
	if (bp_irq_mode(vm->irq) == BP_IRQ_NONE)
		ret = -ENXIO;
	else if (vm->nr_vcpus)
		ret = -EINVAL;
	else
		ret = set_apic_bus(vm, cap->args[0]);
	mutex_unlock(&vm->lock);
	return ret;
}

/* The most that a vCPU may poll at a halt, instead of the parameter. */
static long enable_halt_poll(struct bp_vm *vm, const struct kvm_enable_cap *cap)
{
	if (cap->args[0] != (unsigned int)cap->args[0])
		return -EINVAL;
	WRITE_ONCE(vm->halt_poll_max, cap->args[0]);
	return 0;
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

static long enable_payload(struct bp_vm *vm, const struct kvm_enable_cap *cap)
{
	return enable_rule(vm, BP_RULE_PAYLOAD, cap->args[0]);
}

static long enable_exit_hypercall(struct bp_vm *vm, const struct kvm_enable_cap *cap)
{
	if (cap->args[0] & ~(u64)BP_USER_HYPERCALLS)
		return -EINVAL;
	return enable_rule(vm, BP_RULE_MAP_GPA, cap->args[0]);
}

static long enable_triple_fault(struct bp_vm *vm, const struct kvm_enable_cap *cap)
{
	WRITE_ONCE(vm->triple_fault_event, cap->args[0]);
	return 0;
}

/* As KVM: a guest's PAT is minded where the CPU's caches stand it. */
u64 bp_quirks(void)
{
	u64 all = KVM_X86_QUIRK_LINT0_REENABLED | KVM_X86_QUIRK_CD_NW_CLEARED |
		  KVM_X86_QUIRK_LAPIC_MMIO_HOLE | KVM_X86_QUIRK_OUT_7E_INC_RIP |
		  KVM_X86_QUIRK_MISC_ENABLE_NO_MWAIT | KVM_X86_QUIRK_FIX_HYPERCALL_INSN |
		  KVM_X86_QUIRK_MWAIT_NEVER_UD_FAULTS | KVM_X86_QUIRK_SLOT_ZAP_ALL |
		  KVM_X86_QUIRK_STUFF_FEATURE_MSRS | KVM_X86_QUIRK_VMCS12_ALLOW_FREEZE_IN_SMM;

	if (boot_cpu_data.x86_vendor != X86_VENDOR_INTEL || boot_cpu_has(X86_FEATURE_SELFSNOOP))
		all |= KVM_X86_QUIRK_IGNORE_GUEST_PAT;
	return all;
}

/* What Bedplate has to know of quirks; the others are the shim's, or of no effect. */
static void quirks_to_rules(struct bp_vm *vm)
{
	u32 rules = vm->rules & ~(BP_RULE_MWAIT_UD | BP_RULE_MWAIT_CPUID |
				  BP_RULE_LINT0_MASKED);

	if (!bp_has_quirk(vm, KVM_X86_QUIRK_MWAIT_NEVER_UD_FAULTS))
		rules |= BP_RULE_MWAIT_UD;
	if (!bp_has_quirk(vm, KVM_X86_QUIRK_MISC_ENABLE_NO_MWAIT))
		rules |= BP_RULE_MWAIT_CPUID;
	if (!bp_has_quirk(vm, KVM_X86_QUIRK_LINT0_REENABLED))
		rules |= BP_RULE_LINT0_MASKED;
	WRITE_ONCE(vm->rules, rules);
}

void bp_quirks_init(struct bp_vm *vm)
{
	vm->rules |= BP_RULE_UNDEFINED;
	quirks_to_rules(vm);
	atomic_set(&vm->rules_gen, 1);
}

static long enable_quirks(struct bp_vm *vm, const struct kvm_enable_cap *cap)
{
	long ret;

	mutex_lock(&vm->rules_lock);
	WRITE_ONCE(vm->quirks_off, vm->quirks_off | (cap->args[0] & bp_quirks()));
	quirks_to_rules(vm);
	ret = bp_rules_changed(vm);
	mutex_unlock(&vm->rules_lock);
	return ret;
}

static long enable_quirks2(struct bp_vm *vm, const struct kvm_enable_cap *cap)
{
	return cap->args[0] & ~bp_quirks() ? -EINVAL : enable_quirks(vm, cap);
}

#define DISABLED_EXITS (KVM_X86_DISABLE_EXITS_MWAIT | KVM_X86_DISABLE_EXITS_HLT | \
			KVM_X86_DISABLE_EXITS_PAUSE | KVM_X86_DISABLE_EXITS_CSTATE)

/* Those that cannot be switched off are not minded. */
static long enable_disable_exits(struct bp_vm *vm, const struct kvm_enable_cap *cap)
{
	u32 rules = 0;

	if (cap->args[0] & ~(u64)DISABLED_EXITS)
		return -EINVAL;
	if (cap->args[0] & KVM_X86_DISABLE_EXITS_HLT)
		rules |= BP_RULE_HLT;
	if (cap->args[0] & KVM_X86_DISABLE_EXITS_PAUSE)
		rules |= BP_RULE_PAUSE;
	return enable_rule(vm, rules, true);
}

static long enable_exit_on_failure(struct bp_vm *vm, const struct kvm_enable_cap *cap)
{
	if (cap->args[0] & ~1ull)
		return -EINVAL;
	WRITE_ONCE(vm->exit_on_failure, cap->args[0]);
	return 0;
}

static long enable_manual_dirty(struct bp_vm *vm, const struct kvm_enable_cap *cap)
{
	return bp_dirty_manual(vm, cap->args[0]);
}

static long enable_dirty_ring(struct bp_vm *vm, const struct kvm_enable_cap *cap)
{
	return bp_dirty_ring_enable(vm, cap->args[0]);
}

/* A VMM that may stop the machine may also run guests that can: KVM's rule, in words. */
static long enable_no_nx(struct bp_vm *vm, const struct kvm_enable_cap *cap)
{
	if (!capable(CAP_SYS_BOOT))
		return -EPERM;
	return cap->args[0] ? -EINVAL : bp_nx_disable(vm);
}

struct enabler {
	u32 cap;
	/* cap->flags is 0.  No lock is held. */
	long (*enable)(struct bp_vm *vm, const struct kvm_enable_cap *cap);
};

static const struct enabler enablers[] = {
	{ KVM_CAP_MAX_VCPU_ID, enable_max_vcpu_id },
	{ KVM_CAP_HALT_POLL, enable_halt_poll },
	{ KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, enable_manual_dirty },
	{ KVM_CAP_DIRTY_LOG_RING, enable_dirty_ring },
	{ KVM_CAP_DIRTY_LOG_RING_ACQ_REL, enable_dirty_ring },
	{ KVM_CAP_SPLIT_IRQCHIP, enable_split_irqchip },
	{ KVM_CAP_X2APIC_API, enable_x2apic_api },
	{ KVM_CAP_X86_USER_SPACE_MSR, enable_user_msr },
	{ KVM_CAP_MSR_PLATFORM_INFO, enable_platform_info },
	{ KVM_CAP_EXCEPTION_PAYLOAD, enable_payload },
	{ KVM_CAP_DISABLE_QUIRKS, enable_quirks },
	{ KVM_CAP_X86_DISABLE_EXITS, enable_disable_exits },
	{ KVM_CAP_DISABLE_QUIRKS2, enable_quirks2 },
	{ KVM_CAP_EXIT_HYPERCALL, enable_exit_hypercall },
	{ KVM_CAP_EXIT_ON_EMULATION_FAILURE, enable_exit_on_failure },
	{ KVM_CAP_X86_APIC_BUS_CYCLES_NS, enable_apic_bus },
	{ KVM_CAP_X86_TRIPLE_FAULT_EVENT, enable_triple_fault },
	{ KVM_CAP_VM_DISABLE_NX_HUGE_PAGES, enable_no_nx },
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
