// SPDX-License-Identifier: GPL-2.0-only
/* What the processor must have; the back ends say what of virtualisation (probe.h). */
#include "processor.h"
#include "hv/core/lib/x86.h"
#include "hv/svm/probe.h"
#include "hv/vmx/caps.h"
#include "hv/vmx/probe.h"

#define ONE_ECX_XSAVE	BIT(26)

const char *processor_missing(void)
{
	struct vmx_controls unused;

	if (!(cpuid(1).ecx & ONE_ECX_XSAVE))
		return "this processor has no XSAVE";
	if (vmx_is_for_this_cpu())
		return vmx_missing(&unused);
	return svm_missing();
}
