// SPDX-License-Identifier: GPL-2.0-only
/*
 * The one place that looks at the vendor: which back end this machine gets.
 * Whether it can run there is that back end's probe() to say.
 */
#include "ops.h"

#include "x86.h"

#define VENDOR_INTEL	0x756e6547u	/* EBX of leaf 0: "Genu" */

#define CPUID_1_ECX_VMX	BIT(5)

const struct hv_ops *ops_choose(void)
{
	if ((cpuid(1).ecx & CPUID_1_ECX_VMX) || cpuid(0).ebx == VENDOR_INTEL)
		return &vmx_ops;
	return &svm_ops;
}
