// SPDX-License-Identifier: GPL-2.0-only
/* Limits by CPUID; the contract is in limits.h. */
#include "limits.h"

#include "lib/x86.h"

/* CPUID 8000_0001 */
#define EXT_EDX_NX	BIT(20)

/* Bits of CR4 that come with a bit of CPUID. */
static u64 cr4_bits(void)
{
	struct cpuid one = cpuid(1), seven = { 0 };
	u64 cr4 = X86_CR4_VME | X86_CR4_PVI | X86_CR4_TSD | X86_CR4_DE |
		  X86_CR4_PSE | X86_CR4_PAE | X86_CR4_MCE | X86_CR4_PGE |
		  X86_CR4_PCE | X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT;

	if (cpuid(0).eax >= 7)
		seven = cpuid(7);
	cr4 |= one.ecx & BIT(17) ? X86_CR4_PCIDE : 0;
	cr4 |= one.ecx & BIT(26) ? X86_CR4_OSXSAVE : 0;
	cr4 |= seven.ebx & BIT(0) ? X86_CR4_FSGSBASE : 0;
	cr4 |= seven.ebx & BIT(7) ? X86_CR4_SMEP : 0;
	cr4 |= seven.ebx & BIT(20) ? X86_CR4_SMAP : 0;
	cr4 |= seven.ecx & BIT(2) ? X86_CR4_UMIP : 0;
	cr4 |= seven.ecx & BIT(3) ? X86_CR4_PKE : 0;
	return cr4;
}

void limits_read(struct cpu_limits *l)
{
	u32 sizes = cpuid(0x80000008).eax;

	l->vaddr_bits = sizes >> 8;
	l->phys_end = BIT(sizes & 0xff);
	l->cr3_valid = l->phys_end - 1;
	l->cr4_valid = cr4_bits();
	l->efer_valid = EFER_SCE | EFER_LME | EFER_LMA;
	if (cpuid(0x80000001).edx & EXT_EDX_NX)
		l->efer_valid |= EFER_NX;
}
