/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the CPU itself says.  With $BEDPLATE_ROOT the machine is a made-up one: the files
 * /cpuid, lines "LEAF SUBLEAF EAX EBX ECX EDX", and /msr, lines "INDEX VALUE", all
 * hexadecimal; what they do not name is 0, or an MSR that cannot be read.
 */
#ifndef BEDPLATE_MACHINE_H
#define BEDPLATE_MACHINE_H

#include "tool.h"

struct cpuid_regs {
	u32 eax, ebx, ecx, edx;
};

/* Of the CPU that we run on; leaves beyond the highest one are 0. */
struct cpuid_regs machine_cpuid(u32 leaf, u32 sub);
/* Of CPU 0, by the module msr; false and errno. */
bool machine_msr(u32 index, u64 *val);

#endif
