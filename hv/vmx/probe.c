// SPDX-License-Identifier: GPL-2.0-only
/* The MSRs that say what VMX can (SDM vol. 3, app. A); the contract is in probe.h. */
#include "probe.h"
#include "caps.h"
#include "lib/x86.h"

#define ONE_ECX_VMX		BIT(5)	/* CPUID 1 */
#define VENDOR_INTEL		0x756e6547u	/* EBX of leaf 0: "Genu" */

#define MSR_VMX_MISC		0x485
#define MSR_VMX_PROC2		0x48b
#define MSR_VMX_EPT_VPID	0x48c
#define MSR_VMX_TRUE_PIN	0x48d
#define MSR_VMX_TRUE_PROC	0x48e
#define MSR_VMX_TRUE_EXIT	0x48f
#define MSR_VMX_TRUE_ENTRY	0x490

bool vmx_is_for_this_cpu(void)
{
	return (cpuid(1).ecx & ONE_ECX_VMX) || cpuid(0).ebx == VENDOR_INTEL;
}

static void read_msrs(struct vmx_msrs *m)
{
	bool true_ctls;

	m->feature_control = rdmsr(MSR_FEATURE_CONTROL);
	m->basic = rdmsr(MSR_VMX_BASIC);
	m->misc = rdmsr(MSR_VMX_MISC);
	true_ctls = m->basic & VMX_BASIC_TRUE;
	m->pin = true_ctls ? rdmsr(MSR_VMX_TRUE_PIN) : 0;
	m->proc = true_ctls ? rdmsr(MSR_VMX_TRUE_PROC) : 0;
	m->exit = true_ctls ? rdmsr(MSR_VMX_TRUE_EXIT) : 0;
	m->entry = true_ctls ? rdmsr(MSR_VMX_TRUE_ENTRY) : 0;
	/* These two exist where secondary controls and EPT do. */
	m->proc2 = m->proc >> 32 & PROC_SECONDARY ? rdmsr(MSR_VMX_PROC2) : 0;
	m->ept_vpid = m->proc2 >> 32 & PROC2_EPT ? rdmsr(MSR_VMX_EPT_VPID) : 0;
}

const char *vmx_missing(struct vmx_controls *c)
{
	struct vmx_msrs m;
	const char *why;
	u64 set;

	if (!(cpuid(1).ecx & ONE_ECX_VMX))
		return "the CPU has no VMX";
	read_msrs(&m);
	why = vmx_feature_control(m.feature_control, &set);
	return why ? why : vmx_choose_controls(&m, c);
}
