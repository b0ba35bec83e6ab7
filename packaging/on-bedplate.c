// SPDX-License-Identifier: GPL-2.0-only
/* Ends with status 0 if this Linux is Bedplate's service VM, else with 1. */
#include <cpuid.h>
#include <string.h>

#include "../compat/kvm-abi/channel.h"

int main(void)
{
	unsigned int eax, sig[3];

	/* Without a hypervisor these leaves read as the last basic one. */
	__cpuid(BP_CPUID_BASE, eax, sig[0], sig[1], sig[2]);
	return eax < BP_CPUID_VERSION || memcmp(sig, BP_SIGNATURE, sizeof(sig)) != 0;
}
