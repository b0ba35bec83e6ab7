/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which features of the machine's CPUs a vCPU may know of: those whose state Bedplate
 * moves from vCPU to vCPU, those that have none, and, for domain 0, those of which the
 * state is the machine's and domain 0's drivers own it.  All others are hidden, also
 * those that nobody has heard of yet.
 */
#ifndef HV_CORE_CPUID_ALLOW_H
#define HV_CORE_CPUID_ALLOW_H

#include "lib/types.h"
#include "lib/x86.h"

#define CPUID_DOM0	1u
#define CPUID_GUEST	2u

/* Clear in *c, the machine's answer, what is not for `who`, one of the above.  Pure. */
void cpuid_allow(u32 who, u32 leaf, u32 sub, struct cpuid *c);

/*
 * This machine's answer to `who`: allowed bits only, as many leaves as there may be some in,
 * physical addresses without the bits that memory encryption takes, and of
 * XSAVE what xcr0_supported has.  What depends on the vCPU is cpuid.c's.
 */
struct cpuid cpuid_offer(u32 who, u32 leaf, u32 sub);

/* What XSAVE, or with @compact XSAVEC, writes at most (SDM vol. 1, 13.4). */
u32 xsave_bytes(u64 xcr0, bool compact);

#endif
