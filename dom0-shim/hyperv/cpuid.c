// SPDX-License-Identifier: GPL-2.0-only
/* What of Hyper-V there is (KVM_GET_SUPPORTED_HV_CPUID), and what a vCPU was given. */
#include <linux/cpu.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "hv_cpuid.h"
#include "hyperv.h"
#include "running/nest.h"
#include "running/state.h"

#define LEAF_SYNDBG		0x40000080u
#define LEAF_SYNDBG_INTERFACE	0x40000081u
#define LEAF_SYNDBG_CAPS	0x40000082u
#define SYNDBG_INTERFACE	0x31235356u	/* "VS#1" */
#define VERSION_BUILD		0x00003839u	/* Hyper-V 2016's */
#define VERSION_NUMBER		0x000a0000u
#define SPIN_RETRIES		0x00000fffu
#define LOGICAL_CPUS		64

#define LEAF_POWER		0x80000007u
#define INVARIANT_TSC		(1u << 8)

static void sign(struct kvm_cpuid_entry2 *e)
{
	static const char signature[12] = "Linux KVM Hv";

	memcpy(&e->ebx, signature, 4);
	memcpy(&e->ecx, signature + 4, 4);
	memcpy(&e->edx, signature + 8, 4);
}

static void features(struct kvm_cpuid_entry2 *e)
{
	e->eax = HV_MSR_VP_RUNTIME_AVAILABLE | HV_MSR_TIME_REF_COUNT_AVAILABLE |
		 HV_MSR_APIC_ACCESS_AVAILABLE | HV_MSR_HYPERCALL_AVAILABLE |
		 HV_MSR_VP_INDEX_AVAILABLE | HV_MSR_RESET_AVAILABLE |
		 HV_MSR_REFERENCE_TSC_AVAILABLE | HV_ACCESS_FREQUENCY_MSRS |
		 HV_ACCESS_REENLIGHTENMENT | HV_ACCESS_TSC_INVARIANT |
		 HV_MSR_SYNIC_AVAILABLE | HV_MSR_SYNTIMER_AVAILABLE;
	e->ebx = HV_ENABLE_EXTENDED_HYPERCALLS | HV_POST_MESSAGES | HV_SIGNAL_EVENTS |
		 HV_DEBUGGING;
	e->edx = HV_FEATURE_DEBUG_MSRS_AVAILABLE | HV_STIMER_DIRECT_MODE_AVAILABLE |
		 HV_X64_HYPERCALL_XMM_INPUT_AVAILABLE | HV_FEATURE_FREQUENCY_MSRS_AVAILABLE |
		 HV_FEATURE_GUEST_CRASH_MSR_AVAILABLE | HV_FEATURE_EXT_GVA_RANGES_FLUSH;
}

static void enlightenments(struct kvm_cpuid_entry2 *e)
{
	e->eax = HV_X64_REMOTE_TLB_FLUSH_RECOMMENDED | HV_X64_APIC_ACCESS_RECOMMENDED |
		 HV_X64_RELAXED_TIMING_RECOMMENDED | HV_X64_CLUSTER_IPI_RECOMMENDED |
		 HV_X64_EX_PROCESSOR_MASKS_RECOMMENDED;
	if (!cpu_smt_possible())
		e->eax |= HV_X64_NO_NONARCH_CORESHARING;
	e->ebx = SPIN_RETRIES;
}

static void fill(struct kvm_cpuid_entry2 *e)
{
	switch (e->function) {
	case HYPERV_CPUID_VENDOR_AND_MAX_FUNCTIONS:
	case LEAF_SYNDBG:
		sign(e);
		e->eax = LEAF_SYNDBG_CAPS;
		break;
	case HYPERV_CPUID_INTERFACE:
		e->eax = HV_CPUID_SIGNATURE;
		break;
	case HYPERV_CPUID_VERSION:
		e->eax = VERSION_BUILD;
		e->ebx = VERSION_NUMBER;
		break;
	case HYPERV_CPUID_FEATURES:
		features(e);
		break;
	case HYPERV_CPUID_ENLIGHTMENT_INFO:
		enlightenments(e);
		break;
	case HYPERV_CPUID_IMPLEMENT_LIMITS:
		e->eax = BP_MAX_VCPUS;
		e->ebx = LOGICAL_CPUS;
		break;
	case HYPERV_CPUID_NESTED_FEATURES:
		/* Of use to a nested hypervisor only; KVM's tests want the one always. */
		e->eax = HV_X64_NESTED_MSR_BITMAP;
		if (bp_nest_offered())
			e->eax |= HV_X64_NESTED_DIRECT_FLUSH;
		break;
	case LEAF_SYNDBG_INTERFACE:
		e->eax = SYNDBG_INTERFACE;
		break;
	case LEAF_SYNDBG_CAPS:
		e->eax = HV_X64_SYNDBG_CAP_ALLOW_KERNEL_DEBUGGING;
		break;
	}
}

long bp_hv_cpuid(struct kvm_cpuid2 __user *user, void *page)
{
	static const u32 leaves[] = {
		HYPERV_CPUID_VENDOR_AND_MAX_FUNCTIONS, HYPERV_CPUID_INTERFACE,
		HYPERV_CPUID_VERSION, HYPERV_CPUID_FEATURES, HYPERV_CPUID_ENLIGHTMENT_INFO,
		HYPERV_CPUID_IMPLEMENT_LIMITS, LEAF_SYNDBG, LEAF_SYNDBG_INTERFACE,
		LEAF_SYNDBG_CAPS, HYPERV_CPUID_NESTED_FEATURES,
	};
	struct kvm_cpuid2 *cpuid = page;
	unsigned int i;

	cpuid->nent = ARRAY_SIZE(leaves);
	cpuid->padding = 0;
	for (i = 0; i < ARRAY_SIZE(leaves); i++) {
		cpuid->entries[i] = (struct kvm_cpuid_entry2){ .function = leaves[i] };
		fill(&cpuid->entries[i]);
	}
	return bp_cpuid_to_user(user, cpuid);
}

/* ---- what a vCPU was given ---- */

static struct kvm_cpuid_entry2 *find(struct kvm_cpuid2 *cpuid, u32 leaf)
{
	u32 i;

	for (i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function == leaf)
			return &cpuid->entries[i];
	return NULL;
}

static void take_features(struct bp_hv_vcpu *hv, struct kvm_cpuid2 *cpuid)
{
	const struct kvm_cpuid_entry2 *e = find(cpuid, HYPERV_CPUID_FEATURES);

	hv->feat_eax = e ? e->eax : 0;
	hv->feat_ebx = e ? e->ebx : 0;
	hv->feat_edx = e ? e->edx : 0;
	e = find(cpuid, HYPERV_CPUID_ENLIGHTMENT_INFO);
	hv->enl_eax = e ? e->eax : 0;
	hv->enl_ebx = e ? e->ebx : 0;
	e = find(cpuid, HYPERV_CPUID_NESTED_FEATURES);
	hv->nested_eax = e ? e->eax : 0;
	e = find(cpuid, LEAF_SYNDBG_CAPS);
	hv->syndbg = e && e->eax & HV_X64_SYNDBG_CAP_ALLOW_KERNEL_DEBUGGING;
}

/* A guest that may ask for the invariant TSC does not see it before (TLFS 12.7.1). */
static void hide_invtsc(struct bp_vcpu *vcpu, struct kvm_cpuid2 *cpuid)
{
	struct kvm_cpuid_entry2 *e = find(cpuid, LEAF_POWER);
	struct bp_hv_vcpu *hv = vcpu->hv;

	hv->invtsc_hidden = hv->enabled && hv->feat_eax & HV_ACCESS_TSC_INVARIANT &&
			    !READ_ONCE(vcpu->vm->hv->invtsc) && e && e->edx & INVARIANT_TSC;
	if (hv->invtsc_hidden)
		e->edx &= ~INVARIANT_TSC;
}

void bp_hv_cpuid_set(struct bp_vcpu *vcpu, struct kvm_cpuid2 *cpuid)
{
	struct kvm_cpuid_entry2 *e = find(cpuid, HYPERV_CPUID_INTERFACE);
	struct bp_hv_vcpu *hv = vcpu->hv;

	hv->enabled = e && e->eax == HV_CPUID_SIGNATURE;
	take_features(hv, cpuid);
	vcpu->rules_gen = bp_rules_gen(vcpu->vm) - 1;
	hide_invtsc(vcpu, cpuid);
}

void bp_hv_cpuid_shown(const struct bp_vcpu *vcpu, struct kvm_cpuid2 *cpuid)
{
	struct kvm_cpuid_entry2 *e = find(cpuid, LEAF_POWER);

	if (vcpu->hv->invtsc_hidden && e)
		e->edx |= INVARIANT_TSC;
}

void bp_hv_show_invtsc(struct bp_vcpu *vcpu)
{
	struct kvm_cpuid2 *cpuid = vcpu->state;

	if (bp_state_get(vcpu, BP_STATE_CPUID, PAGE_SIZE) < 0)
		return;
	bp_hv_cpuid_shown(vcpu, cpuid);
	hide_invtsc(vcpu, cpuid);
	bp_state_set(vcpu, BP_STATE_CPUID, struct_size(cpuid, entries, cpuid->nent));
}
