/* SPDX-License-Identifier: GPL-2.0-only */
/* Intel's form of microcode updates (SDM vol. 3, 10.11). */
#ifndef HV_VMX_MICROCODE_H
#define HV_VMX_MICROCODE_H

#include "machine/microcode.h"

extern const struct microcode_kind vmx_microcode;

/*
 * The update with the highest revision above @rev for the CPU whose CPUID 1.EAX is
 * @signature (of platform bit @platform): what the MSR is to be given.
 * NULL: none, or what comes first is malformed.  Pure.
 */
const u8 *vmx_microcode_find(const u8 *p, u64 len, u32 signature, u32 platform, u32 rev);

#endif
