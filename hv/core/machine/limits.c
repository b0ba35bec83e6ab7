// SPDX-License-Identifier: GPL-2.0-only
/* Limits by CPUID; the contract is in limits.h. */
#include "limits.h"

#include "lib/x86.h"

/* CPUID 8000_0001 */
#define EXT_EDX_NX	BIT(20)
/* CPUID 8000_001f EAX, SYSCFG */
#define SME		BIT(0)
#define SEV		BIT(1)
#define SYSCFG_ENCRYPTS	BIT(23)
/* CPUID 7.0; IA32_TME_ACTIVATE: locked, enabled */
#define F7_ECX_TME	BIT(13)
#define MSR_TME_ACTIVATE	0x982
#define TME_ON		(BIT(0) | BIT(1))

/* AMD: SYSCFG turns encryption on, and CPUID says how many bits go (APM vol. 2, 7.10). */
static u32 amd_key_bits(void)
{
	struct cpuid c;
	u64 syscfg;

	if (cpuid(0x80000000).eax < 0x8000001f)
		return 0;
	c = cpuid(0x8000001f);
	if (!(c.eax & (SME | SEV)) || rdmsr_safe(MSR_AMD_SYSCFG, &syscfg) ||
	    !(syscfg & SYSCFG_ENCRYPTS))
		return 0;
	return c.ebx >> 6 & 0x3f;
}

/* Intel: locked and on, with this many bits that choose a key (SDM vol. 4, IA32_TME_ACTIVATE). */
static u32 intel_key_bits(void)
{
	u64 tme;

	if (cpuid(0).eax < 7 || !(cpuid(7).ecx & F7_ECX_TME) || rdmsr_safe(MSR_TME_ACTIVATE, &tme) ||
	    (tme & TME_ON) != TME_ON)
		return 0;
	return tme >> 32 & 0xf;
}

u32 limits_phys_bits(void)
{
	return (cpuid(0x80000008).eax & 0xff) - amd_key_bits() - intel_key_bits();
}

/*
 * Key locker, shadow stacks, keys of supervisor pages; user interrupts, indirect branch
 * tracking; LASS, FRED, LAM: CPUID 7.0 ECX, EDX and 7.1 EAX.
 */
bool limits_hide_cr4(void)
{
	struct cpuid c;

	if (cpuid(0).eax < 7)
		return false;
	c = cpuid(7);
	return (c.ecx & (BIT(7) | BIT(23) | BIT(31))) || (c.edx & (BIT(5) | BIT(20))) ||
	       (c.eax && (cpuid_count(7, 1).eax & (BIT(6) | BIT(17) | BIT(26))));
}

/* Bits of CR4 that come with a bit of CPUID, of those that Bedplate lets vCPUs have. */
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
	cr4 |= seven.ecx & BIT(16) ? X86_CR4_LA57 : 0;
	return cr4;
}

void limits_read(struct cpu_limits *l)
{
	l->vaddr_bits = cpuid(0x80000008).eax >> 8;
	l->phys_end = BIT(limits_phys_bits());
	l->cr3_valid = l->phys_end - 1;
	l->cr4_valid = cr4_bits();
	l->efer_valid = EFER_SCE | EFER_LME | EFER_LMA;
	if (cpuid(0x80000001).edx & EXT_EDX_NX)
		l->efer_valid |= EFER_NX;
}
