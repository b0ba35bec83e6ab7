// SPDX-License-Identifier: GPL-2.0-only
/* What SVM must have (APM vol. 2, 15.4); the contract is in probe.h. */
#include "probe.h"
#include "lib/x86.h"

#define EXT_ECX_SVM	BIT(2)	/* CPUID 8000_0001 */
#define SVM_EDX_NPT	BIT(0)	/* CPUID 8000_000A */

const char *svm_missing(void)
{
	struct cpuid rev;
	u64 vm_cr;

	if (cpuid(0x80000000).eax < 0x8000000a || !(cpuid(0x80000001).ecx & EXT_ECX_SVM))
		return "the CPU has no SVM";
	if (rdmsr_safe(MSR_AMD_VM_CR, &vm_cr))
		return "SVM: MSR VM_CR cannot be read";
	if (vm_cr & VM_CR_SVMDIS)
		return "SVM is disabled by firmware (VM_CR.SVMDIS)";
	rev = cpuid(0x8000000a);
	if (!(rev.edx & SVM_EDX_NPT))
		return "SVM has no nested paging";
	if (rev.ebx < 2)
		return "SVM has fewer than two ASIDs";
	return NULL;
}
