// SPDX-License-Identifier: GPL-2.0-only
/* The one place that looks at the vendor: which back end this machine gets. */
#include "ops.h"

#include "x86.h"

#define VENDOR_INTEL	0x756e6547u	/* EBX of leaf 0: "Genu" */

const struct hv_ops *ops_choose(const char **why)
{
	if (cpuid(0).ebx == VENDOR_INTEL) {
		*why = "Intel processors (VMX) are not supported yet";
		return NULL;
	}
	return &svm_ops;
}
