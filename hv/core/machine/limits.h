/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What this machine's CPUs let addresses, CR3, CR4 and EFER hold.  A back end
 * keeps it, with the bits added that only its vendor has; constant after the
 * probe.
 */
#ifndef HV_CORE_LIMITS_H
#define HV_CORE_LIMITS_H

#include "lib/types.h"

struct cpu_limits {
	u8 vaddr_bits;			/* canonical width: 48 or 57 */
	u64 phys_end;			/* first address beyond MAXPHYADDR */
	u64 cr3_valid;			/* bits that CR3 may have in long mode */
	u64 cr4_valid;			/* what a guest may set: without VMXE */
	u64 efer_valid;			/* without SVME */
	bool paged_real;		/* CR0.PG without PE may be set (APM vol. 2, 15.19) */
};

/*
 * Width of physical addresses, without the upper bits that memory encryption takes for
 * itself (AMD's SME and SEV, Intel's TME with several keys).
 */
u32 limits_phys_bits(void);

/*
 * Does the CPU take bits in CR4 that cr4_valid lacks, for what no vCPU may use? Then
 * writes have to be looked at.
 */
bool limits_hide_cr4(void);

/* As CPUID has it on the calling CPU. */
void limits_read(struct cpu_limits *l);

/* The canonical form of an address of `bits` bits. */
static inline u64 sign_extend(u64 addr, u8 bits)
{
	return (u64)((s64)(addr << (64 - bits)) >> (64 - bits));
}

static inline bool canonical(const struct cpu_limits *l, u64 addr)
{
	return sign_extend(addr, l->vaddr_bits) == addr;
}

#endif
