// SPDX-License-Identifier: GPL-2.0-only
/*
 * What /dev/kvm promises: capabilities, CPUID and MSR lists.  A capability is
 * listed here only when all of it works; anything else reads 0.
 */
#include <linux/cpumask.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

#include "channel/hypercall.h"
#include "compat.h"
#include "hyperv/hv_cpuid.h"
#include "irqchip/irqchip.h"
#include "memory/memslot.h"
#include "memory/private.h"
#include "running/apf.h"
#include "running/hv.h"
#include "running/nest.h"
#include "running/run.h"
#include "running/state.h"
#include "running/xen.h"
#include "files.h"

#define BP_MCE_BANKS		32

long bp_check_extension(const struct bp_vm *vm, long ext)
{
	switch (ext) {
	case KVM_CAP_IRQCHIP:
	case KVM_CAP_HLT:
	case KVM_CAP_USER_MEMORY:
	case KVM_CAP_SET_TSS_ADDR:
	case KVM_CAP_EXT_CPUID:
	case KVM_CAP_EXT_EMUL_CPUID:
	case KVM_CAP_LAST_CPU:
	case KVM_CAP_MMU_SHADOW_CACHE_CONTROL:
	case KVM_CAP_CLOCKSOURCE:
	case KVM_CAP_PIT:
	case KVM_CAP_NOP_IO_DELAY:
	case KVM_CAP_REINJECT_CONTROL:
	case KVM_CAP_PCI_SEGMENT:
	case KVM_CAP_IOAPIC_POLARITY_IGNORED:
	case KVM_CAP_HALT_POLL:
	case KVM_CAP_STEAL_TIME:
	case KVM_CAP_SYSTEM_EVENT_DATA:
	case KVM_CAP_MEMORY_FAULT_INFO:
	case KVM_CAP_X86_GUEST_MODE:
	case KVM_CAP_MP_STATE:
	case KVM_CAP_SYNC_MMU:
	case KVM_CAP_DESTROY_MEMORY_REGION_WORKS:
	case KVM_CAP_USER_NMI:
	case KVM_CAP_IRQ_INJECT_STATUS:
	case KVM_CAP_JOIN_MEMORY_REGIONS_WORKS:
	case KVM_CAP_IRQFD:
	case KVM_CAP_PIT2:
	case KVM_CAP_SET_BOOT_CPU_ID:
	case KVM_CAP_PIT_STATE2:
	case KVM_CAP_IOEVENTFD:
	case KVM_CAP_SET_IDENTITY_MAP_ADDR:
	case KVM_CAP_INTERNAL_ERROR_DATA:
	case KVM_CAP_VCPU_EVENTS:
	case KVM_CAP_DEBUGREGS:
	case KVM_CAP_X86_ROBUST_SINGLESTEP:
	case KVM_CAP_XSAVE:
	case KVM_CAP_XCRS:
	case KVM_CAP_GET_TSC_KHZ:
	case KVM_CAP_TSC_DEADLINE_TIMER:
	case KVM_CAP_SIGNAL_MSI:
	case KVM_CAP_READONLY_MEM:
	case KVM_CAP_IRQFD_RESAMPLE:
	case KVM_CAP_DEVICE_CTRL:
	case KVM_CAP_IOEVENTFD_NO_LENGTH:
	case KVM_CAP_CHECK_EXTENSION_VM:
	case KVM_CAP_IOEVENTFD_ANY_LENGTH:
	case KVM_CAP_IMMEDIATE_EXIT:
	case KVM_CAP_COALESCED_PIO:
	case KVM_CAP_USER_MEMORY2:
	case KVM_CAP_ENABLE_CAP_VM:
	case KVM_CAP_X86_USER_SPACE_MSR:
	case KVM_CAP_X86_MSR_FILTER:
	case KVM_CAP_GET_MSR_FEATURES:
	case KVM_CAP_MSR_PLATFORM_INFO:
	case KVM_CAP_PMU_EVENT_FILTER:
	case KVM_CAP_PMU_EVENT_MASKED_EVENTS:
	case KVM_CAP_EXCEPTION_PAYLOAD:
	case KVM_CAP_VCPU_ATTRIBUTES:
	case KVM_CAP_SYS_ATTRIBUTES:
	case KVM_CAP_KVMCLOCK_CTRL:
	case KVM_CAP_ENABLE_CAP:
	case KVM_CAP_ENFORCE_PV_FEATURE_CPUID:
	case KVM_CAP_DISABLE_QUIRKS:
	case KVM_CAP_EXIT_ON_EMULATION_FAILURE:
	case KVM_CAP_SREGS2:
	case KVM_CAP_X86_TRIPLE_FAULT_EVENT:
	case KVM_CAP_VM_DISABLE_NX_HUGE_PAGES:
	case KVM_CAP_PRE_FAULT_MEMORY:
	case KVM_CAP_SET_GUEST_DEBUG:
	case KVM_CAP_SPLIT_IRQCHIP:
	case KVM_CAP_HYPERV:
	case KVM_CAP_HYPERV_VAPIC:
	case KVM_CAP_HYPERV_SYNIC:
	case KVM_CAP_HYPERV_SYNIC2:
	case KVM_CAP_HYPERV_EVENTFD:
	case KVM_CAP_HYPERV_SPIN:
	case KVM_CAP_HYPERV_TIME:
	case KVM_CAP_HYPERV_VP_INDEX:
	case KVM_CAP_HYPERV_TLBFLUSH:
	case KVM_CAP_HYPERV_SEND_IPI:
	case KVM_CAP_HYPERV_CPUID:
	case KVM_CAP_SYS_HYPERV_CPUID:
	case KVM_CAP_HYPERV_ENFORCE_CPUID:
	case KVM_CAP_X86_APIC_BUS_CYCLES_NS:
	case KVM_CAP_BINARY_STATS_FD:
	case KVM_CAP_ASYNC_PF:
	case KVM_CAP_ASYNC_PF_INT:
	case KVM_CAP_X86_SMM:
		return 1;
	case KVM_CAP_MULTI_ADDRESS_SPACE:
		return bp_address_spaces(vm);
	case KVM_CAP_EXIT_HYPERCALL:
		return BP_USER_HYPERCALLS;
	case KVM_CAP_XEN_HVM:
		return BP_XEN_FEATURES;
	case KVM_CAP_SET_GUEST_DEBUG2:
		return BP_GUEST_DEBUG;
	case KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2:
		return KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE | KVM_DIRTY_LOG_INITIALLY_SET;
	case KVM_CAP_VM_TYPES:
		return BP_VM_TYPES;
	case KVM_CAP_GUEST_MEMFD:
		return !!bp_attributes(vm);
	case KVM_CAP_MEMORY_ATTRIBUTES:
		return bp_attributes(vm);
	case KVM_CAP_SYNC_REGS:
		return KVM_SYNC_X86_VALID_FIELDS;
	case KVM_CAP_DIRTY_LOG_RING:
	case KVM_CAP_DIRTY_LOG_RING_ACQ_REL:
		return BP_DIRTY_RING_MAX;
	case KVM_CAP_X2APIC_API:
		return BP_X2APIC_API;
	case KVM_CAP_X86_DISABLE_EXITS:
		return BP_EXITS_OFF;
	case KVM_CAP_DISABLE_QUIRKS2:
		return bp_quirks();
	case KVM_CAP_XSAVE2:
		return sizeof(struct kvm_xsave);
	case KVM_CAP_NESTED_STATE:
		return bp_nest_state_size();
	case KVM_CAP_COALESCED_MMIO:
		return BP_COALESCED_OFFSET;
	case KVM_CAP_NR_VCPUS:
		return min_t(unsigned int, num_online_cpus(), BP_MAX_VCPUS);
	case KVM_CAP_MAX_VCPUS:
		return BP_MAX_VCPUS;
	case KVM_CAP_MAX_VCPU_ID:
		return BP_MAX_VCPU_ID;
	case KVM_CAP_NR_MEMSLOTS:
		return BP_NR_MEMSLOTS;
	case KVM_CAP_IRQ_ROUTING:
		return BP_IRQ_MAX_GSI;
	case KVM_CAP_MCE:
		return BP_MCE_BANKS;
	case KVM_CAP_ADJUST_CLOCK:
		return BP_CLOCK_FLAGS;
	default:
		return 0;
	}
}

static long machine_get(enum bp_domain_state class, void *page)
{
	return bp_hc_domain_get(0, class, bp_pfn(page));
}

/* Behind the other leaves. */
static void add_svm(struct kvm_cpuid2 *cpuid)
{
	u32 i;

	for (i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == 0x80000001)
			cpuid->entries[i].ecx |= BIT(2);
	if (!WARN_ON_ONCE(struct_size(cpuid, entries, cpuid->nent + 1) > PAGE_SIZE))
		bp_nest_cpuid(&cpuid->entries[cpuid->nent++]);
}

static long supported_cpuid(void __user *argp, void *page)
{
	long ret = machine_get(BP_HV_CPUID, page);
	struct kvm_cpuid2 *cpuid = page;
	u32 i;

	for (i = 0; ret >= 0 && i < cpuid->nent; i++)
		if (cpuid->entries[i].function == KVM_CPUID_FEATURES)
			cpuid->entries[i].eax |= BP_APF_FEATURES;
	if (ret >= 0 && bp_nest_offered())
		add_svm(cpuid);
	return ret < 0 ? ret : bp_cpuid_to_user(argp, page);
}

static long hv_cpuid(void __user *argp, void *page)
{
	return bp_hv_cpuid(argp, page);
}

/* What the shim has, behind what Bedplate has. */
static const u32 own_msrs[] = {
	MSR_IA32_SMBASE, MSR_SMI_COUNT, MSR_VM_CR, MSR_VM_HSAVE_PA,
	MSR_KVM_ASYNC_PF_EN, MSR_KVM_ASYNC_PF_INT, MSR_KVM_ASYNC_PF_ACK,
	HV_X64_MSR_GUEST_OS_ID, HV_X64_MSR_HYPERCALL, HV_X64_MSR_VP_INDEX, HV_X64_MSR_RESET,
	HV_X64_MSR_VP_RUNTIME, HV_X64_MSR_TIME_REF_COUNT, HV_X64_MSR_REFERENCE_TSC,
	HV_X64_MSR_TSC_FREQUENCY, HV_X64_MSR_APIC_FREQUENCY, HV_X64_MSR_VP_ASSIST_PAGE,
	HV_X64_MSR_CRASH_P0, HV_X64_MSR_CRASH_P1, HV_X64_MSR_CRASH_P2, HV_X64_MSR_CRASH_P3,
	HV_X64_MSR_CRASH_P4, HV_X64_MSR_CRASH_CTL, HV_X64_MSR_REENLIGHTENMENT_CONTROL,
	HV_X64_MSR_TSC_EMULATION_CONTROL, HV_X64_MSR_TSC_EMULATION_STATUS,
	HV_X64_MSR_TSC_INVARIANT_CONTROL,
	/* Of SynIC and timers the one by which QEMU knows that there are all, as with KVM. */
	HV_X64_MSR_SCONTROL, HV_X64_MSR_STIMER0_CONFIG,
	HV_X64_MSR_SYNDBG_OPTIONS, HV_X64_MSR_SYNDBG_CONTROL, HV_X64_MSR_SYNDBG_STATUS,
	HV_X64_MSR_SYNDBG_SEND_BUFFER, HV_X64_MSR_SYNDBG_RECV_BUFFER,
	HV_X64_MSR_SYNDBG_PENDING_BUFFER,
};

static void add_own(struct kvm_msr_list *list)
{
	u32 room = (PAGE_SIZE - sizeof(*list)) / sizeof(u32) - list->nmsrs;

	if (WARN_ON_ONCE(room < ARRAY_SIZE(own_msrs)))
		return;
	memcpy(list->indices + list->nmsrs, own_msrs, sizeof(own_msrs));
	list->nmsrs += ARRAY_SIZE(own_msrs);
}

static long msr_index_list(void __user *argp, void *page)
{
	struct kvm_msr_list __user *user = argp;
	struct kvm_msr_list *list = page;
	long ret;
	u32 n;

	if (get_user(n, &user->nmsrs))
		return -EFAULT;
	ret = machine_get(BP_HV_MSR_LIST, page);
	if (ret < 0)
		return ret;
	add_own(list);
	if (put_user(list->nmsrs, &user->nmsrs))
		return -EFAULT;
	if (n < list->nmsrs)
		return -E2BIG;
	if (copy_to_user(user->indices, list->indices,
			 list->nmsrs * sizeof(u32)))
		return -EFAULT;
	return 0;
}

static long msr_feature_list(void __user *argp, void *page)
{
	struct kvm_msr_list __user *user = argp;
	struct kvm_msrs *msrs = page;
	long ret = machine_get(BP_HV_MSR_FEATURES, page);
	u32 i, n;

	if (ret < 0)
		return ret;
	if (get_user(n, &user->nmsrs) || put_user(msrs->nmsrs, &user->nmsrs))
		return -EFAULT;
	if (n < msrs->nmsrs)
		return -E2BIG;
	for (i = 0; i < msrs->nmsrs; i++)
		if (put_user(msrs->entries[i].index, &user->indices[i]))
			return -EFAULT;
	return 0;
}

static const struct kvm_msr_entry *find_msr(const struct kvm_msrs *msrs, u32 index)
{
	u32 i;

	for (i = 0; i < msrs->nmsrs; i++)
		if (msrs->entries[i].index == index)
			return &msrs->entries[i];
	return NULL;
}

/* As many as there are up to the first that is none. */
static long msr_features(void __user *argp, void *page)
{
	struct kvm_msrs __user *user = argp;
	const struct kvm_msr_entry *e;
	long ret = machine_get(BP_HV_MSR_FEATURES, page);
	struct kvm_msrs head;
	u32 i, n, index;

	if (ret < 0)
		return ret;
	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	n = head.nmsrs;
	if (n > BP_MAX_MSRS)
		return -E2BIG;
	for (i = 0; i < n; i++) {
		if (get_user(index, &user->entries[i].index))
			return -EFAULT;
		e = find_msr(page, index);
		if (!e)
			break;
		if (put_user(e->data, &user->entries[i].data))
			return -EFAULT;
	}
	return i;
}

static long with_page(long (*fn)(void __user *argp, void *page),
		      void __user *argp)
{
	void *page = (void *)get_zeroed_page(GFP_KERNEL);
	long ret;

	if (!page)
		return -ENOMEM;
	ret = fn(argp, page);
	free_page((unsigned long)page);
	return ret;
}

/* What guests may have in XCR0, as leaf 0xd of their CPUID says. */
static long guest_xcr0(void *page, u64 *val)
{
	const struct kvm_cpuid2 *cpuid = page;
	long ret = machine_get(BP_HV_CPUID, page);
	u32 i;

	*val = 0;
	for (i = 0; ret >= 0 && i < cpuid->nent; i++)
		if (cpuid->entries[i].function == 0xd && !cpuid->entries[i].index)
			*val = cpuid->entries[i].eax | (u64)cpuid->entries[i].edx << 32;
	return ret;
}

static long get_attr(void __user *argp, void *page)
{
	struct kvm_device_attr attr;
	u64 val;
	long ret;

	if (copy_from_user(&attr, argp, sizeof(attr)))
		return -EFAULT;
	if (attr.group || attr.attr != KVM_X86_XCOMP_GUEST_SUPP)
		return -ENXIO;
	ret = guest_xcr0(page, &val);
	if (ret < 0)
		return ret;
	return put_user(val, (u64 __user *)u64_to_user_ptr(attr.addr)) ? -EFAULT : 0;
}

static long has_attr(void __user *argp)
{
	struct kvm_device_attr attr;

	if (copy_from_user(&attr, argp, sizeof(attr)))
		return -EFAULT;
	return attr.group || attr.attr != KVM_X86_XCOMP_GUEST_SUPP ? -ENXIO : 0;
}

static long mce_cap(void __user *argp)
{
	u64 cap = bp_mce_cap();

	return copy_to_user(argp, &cap, sizeof(cap)) ? -EFAULT : 0;
}

long bp_system_ioctl(unsigned int cmd, void __user *argp)
{
	unsigned long arg = (unsigned long)argp;

	switch (cmd) {
	case KVM_GET_API_VERSION:
		return arg ? -EINVAL : KVM_API_VERSION;
	case KVM_CREATE_VM:
		return bp_vm_create(arg);
	case KVM_CHECK_EXTENSION:
		return bp_check_extension(NULL, arg);
	case KVM_GET_VCPU_MMAP_SIZE:
		return arg ? -EINVAL : BP_VCPU_MMAP_PAGES * PAGE_SIZE;
	case KVM_GET_SUPPORTED_CPUID:
		return with_page(supported_cpuid, argp);
	case KVM_GET_EMULATED_CPUID:
		return bp_emulated_cpuid(argp);
	case KVM_GET_SUPPORTED_HV_CPUID:
		return with_page(hv_cpuid, argp);
	case KVM_GET_MSR_INDEX_LIST:
		return with_page(msr_index_list, argp);
	case KVM_GET_DEVICE_ATTR:
		return with_page(get_attr, argp);
	case KVM_HAS_DEVICE_ATTR:
		return has_attr(argp);
	case KVM_GET_MSR_FEATURE_INDEX_LIST:
		return with_page(msr_feature_list, argp);
	case KVM_GET_MSRS:
		return with_page(msr_features, argp);
	case KVM_X86_GET_MCE_CAP_SUPPORTED:
		return mce_cap(argp);
	default:
		return -EINVAL;	/* as KVM has it */
	}
}
