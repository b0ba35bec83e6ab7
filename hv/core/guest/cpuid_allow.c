// SPDX-License-Identifier: GPL-2.0-only
/* The allow-list of CPUID; the contract is in cpuid_allow.h. */
#include "cpuid_allow.h"

#include "machine/limits.h"
#include "vcpu/run.h"

/* The last leaves of which there is a row. */
#define MAX_BASIC	0x1fu
#define MAX_EXT		0x80000026u
#define MAX_EXT_GUEST	0x80000021u

enum { EAX, EBX, ECX, EDX };

#define ANY		0xff		/* each sub-leaf */
#define DOM0		CPUID_DOM0
#define GUEST		CPUID_GUEST
#define BOTH		(CPUID_DOM0 | CPUID_GUEST)
#define ALL		0xffffffffu

/* Bits of one register that are allowed, for one reason; a register may have several rows. */
struct row {
	u32 leaf;
	u8 sub, reg, who;
	u32 bits;
};

/* All four registers: numbers, names and sizes, that are no features. */
#define FACTS(leaf, sub, who) \
	{ leaf, sub, EAX, who, ALL }, { leaf, sub, EBX, who, ALL }, \
	{ leaf, sub, ECX, who, ALL }, { leaf, sub, EDX, who, ALL }

/* SDM vol. 2, CPUID; APM vol. 3, appendix E. */
static const struct row rows[] = {
	FACTS(0, ANY, BOTH),

	/* Family and model, APIC ID, CLFLUSH's line. */
	{ 1, ANY, EAX, BOTH, ALL },
	{ 1, ANY, EBX, BOTH, ALL },
	/* SSE3 to 4.2, PCLMULQDQ, FMA, CX16, MOVBE, POPCNT, AES, F16C, RDRAND: XSAVE's or none. */
	{ 1, ANY, ECX, BOTH, BIT(0) | BIT(1) | BIT(9) | BIT(12) | BIT(13) | BIT(19) |
			     BIT(20) | BIT(22) | BIT(23) | BIT(25) | BIT(29) | BIT(30) },
	/* PCID, XSAVE, AVX: CR4 and XCR0. */
	{ 1, ANY, ECX, BOTH, BIT(17) | BIT(26) | BIT(28) },
	/* SpeedStep, TM2: domain 0's drivers. */
	{ 1, ANY, ECX, DOM0, BIT(7) | BIT(8) },
	/* x87, MMX, SSE, SSE2, FXSR, TSC, CX8, CMOV, CLFSH: XSAVE's or none. */
	{ 1, ANY, EDX, BOTH, BIT(0) | BIT(4) | BIT(8) | BIT(15) | BIT(19) | BIT(23) | BIT(24) |
			     BIT(25) | BIT(26) },
	/* VME, DE, PSE, PAE, MCE, PGE, PSE36: CR4. MSR, APIC, SEP, MTRR, MCA, PAT: msr.c. */
	{ 1, ANY, EDX, BOTH, BIT(1) | BIT(2) | BIT(3) | BIT(5) | BIT(6) | BIT(7) | BIT(9) | BIT(11) |
			     BIT(12) | BIT(13) | BIT(14) | BIT(16) | BIT(17) },
	/* Thermal monitor, self-snoop, several threads: the machine's. */
	{ 1, ANY, EDX, DOM0, BIT(22) | BIT(27) | BIT(28) | BIT(29) },

	FACTS(2, ANY, BOTH),		/* caches and TLBs */
	FACTS(4, ANY, BOTH),

	/* Temperature, turbo, HWP, package's limits and interrupts: MSRs of domain 0's. */
	{ 6, ANY, EAX, DOM0, BIT(0) | BIT(1) | BIT(2) | BIT(4) | BIT(5) | BIT(6) | BIT(7) | BIT(8) |
			     BIT(9) | BIT(10) | BIT(11) | BIT(14) | BIT(15) | BIT(16) | BIT(17) |
			     BIT(18) | BIT(20) | BIT(22) },
	{ 6, ANY, EBX, DOM0, 0xf },				/* thresholds */
	{ 6, ANY, ECX, DOM0, BIT(0) | BIT(3) },			/* APERF/MPERF, EPB */

	{ 7, 0, EAX, BOTH, ALL },	/* how many sub-leaves: cpuid_offer() */
	/* FSGSBASE, SMEP, INVPCID, SMAP: CR4. */
	{ 7, 0, EBX, BOTH, BIT(0) | BIT(7) | BIT(10) | BIT(20) },
	/* BMI1, BMI2, AVX2, ERMS, RDSEED, ADX, CLFLUSHOPT, CLWB, SHA: XSAVE's or none. */
	{ 7, 0, EBX, BOTH, BIT(3) | BIT(5) | BIT(8) | BIT(9) | BIT(18) | BIT(19) | BIT(23) |
			   BIT(24) | BIT(29) },
	/* AVX-512 F, DQ, IFMA, CD, BW, VL: XSAVE's. */
	{ 7, 0, EBX, BOTH, BIT(16) | BIT(17) | BIT(21) | BIT(28) | BIT(30) | BIT(31) },
	/* TSC_ADJUST: msr_dom0.c. HLE, RTM, and two ways of the FPU: none. PF, ER: XSAVE's. */
	{ 7, 0, EBX, DOM0, BIT(1) | BIT(4) | BIT(6) | BIT(11) | BIT(13) | BIT(26) | BIT(27) },
	/* UMIP, PKU, LA57: CR4, and PKRU in XSAVE. */
	{ 7, 0, ECX, BOTH, BIT(2) | BIT(3) | BIT(16) },
	/* AVX-512 VBMI, VBMI2, VNNI, BITALG, VPOPCNTDQ; GFNI, VAES, VPCLMULQDQ: XSAVE's. */
	{ 7, 0, ECX, BOTH, BIT(1) | BIT(6) | BIT(8) | BIT(9) | BIT(10) | BIT(11) | BIT(12) | BIT(14) },
	/* RDPID: TSC_AUX. CLDEMOTE, MOVDIRI, MOVDIR64B: none. */
	{ 7, 0, ECX, BOTH, BIT(22) | BIT(25) | BIT(27) | BIT(28) },
	/* PREFETCHWT1: none. WAITPKG: an MSR of domain 0's, and a control that guests lack. */
	{ 7, 0, ECX, DOM0, BIT(0) | BIT(5) },
	/* AVX-512 4VNNIW, 4FMAPS, FP16; FSRM, SERIALIZE, TSXLDTRK: XSAVE's or none. */
	{ 7, 0, EDX, BOTH, BIT(2) | BIT(3) | BIT(4) | BIT(8) | BIT(14) | BIT(16) | BIT(23) },
	/* What is known of speculation, and its MSRs (speculation.md). Hybrid: fact. */
	{ 7, 0, EDX, DOM0, BIT(9) | BIT(10) | BIT(11) | BIT(15) | BIT(26) | BIT(27) | BIT(28) |
			   BIT(29) | BIT(31) },
	/* SHA512, SM3, SM4, RAO-INT, AVX-VNNI, BF16, CMPCCXADD, short REP MOVSB, AVX-IFMA. */
	{ 7, 1, EAX, BOTH, BIT(0) | BIT(1) | BIT(2) | BIT(3) | BIT(4) | BIT(5) | BIT(7) | BIT(10) |
			   BIT(11) | BIT(12) | BIT(23) },
	{ 7, 1, EBX, DOM0, BIT(0) },				/* PPIN: a number */
	/* AVX-VNNI-INT8, AVX-NE-CONVERT, AVX-VNNI-INT16, PREFETCHI: XSAVE's or none. */
	{ 7, 1, EDX, BOTH, BIT(4) | BIT(5) | BIT(10) | BIT(14) },
	/* Bits of SPEC_CTRL, and what is not affected. */
	{ 7, 2, EDX, DOM0, BIT(0) | BIT(1) | BIT(2) | BIT(3) | BIT(4) | BIT(5) | BIT(7) },

	FACTS(0xb, ANY, DOM0),		/* which thread, core, package */

	{ 0xd, 0, EAX, BOTH, ALL },	/* by xcr0_supported: cpuid_offer() */
	{ 0xd, 0, EBX, BOTH, ALL },
	{ 0xd, 0, ECX, BOTH, ALL },
	{ 0xd, 0, EDX, BOTH, ALL },
	/* XSAVEOPT, XSAVEC, XGETBV of 1. Not XSAVES, for XSS is 0, nor XFD. */
	{ 0xd, 1, EAX, BOTH, BIT(0) | BIT(1) | BIT(2) },
	{ 0xd, 1, EBX, BOTH, ALL },
	{ 0xd, ANY, EAX, BOTH, ALL },	/* of 2 on: the place of each component */
	{ 0xd, ANY, EBX, BOTH, ALL },
	{ 0xd, ANY, ECX, BOTH, ALL },

	FACTS(0x15, ANY, DOM0),		/* frequencies, vendor, TLBs */
	FACTS(0x16, ANY, DOM0),
	FACTS(0x17, ANY, DOM0),
	FACTS(0x18, ANY, DOM0),
	FACTS(0x1a, ANY, DOM0),		/* kind of core */
	FACTS(0x1f, ANY, DOM0),

	FACTS(0x80000000, ANY, BOTH),
	{ 0x80000001, ANY, EAX, BOTH, ALL },
	{ 0x80000001, ANY, EBX, BOTH, ALL },
	/* LAHF, 3DNow's prefetch, CR8, LZCNT, SSE4A, XOP, FMA4, TBM: XSAVE's or none. */
	{ 0x80000001, ANY, ECX, BOTH, BIT(0) | BIT(1) | BIT(4) | BIT(5) | BIT(6) | BIT(7) | BIT(8) |
				      BIT(11) | BIT(16) | BIT(21) | BIT(22) },
	/* Extended APIC, OSVW, node's number: domain 0's registers. TCE: EFER. */
	{ 0x80000001, ANY, ECX, DOM0, BIT(3) | BIT(9) | BIT(17) | BIT(19) },
	/* As leaf 1 has them, and SYSCALL, NX, FFXSR, LM: EFER; 1 GiB pages, RDTSCP, 3DNow. */
	{ 0x80000001, ANY, EDX, BOTH, 0x0183f3ff | BIT(11) | BIT(20) | BIT(22) | BIT(25) |
				      BIT(26) | BIT(27) | BIT(29) | BIT(30) | BIT(31) },
	FACTS(0x80000002, ANY, BOTH),	/* name, caches and TLBs */
	FACTS(0x80000003, ANY, BOTH),
	FACTS(0x80000004, ANY, BOTH),
	FACTS(0x80000005, ANY, BOTH),
	FACTS(0x80000006, ANY, BOTH),
	{ 0x80000007, ANY, EBX, DOM0, 0x1f },			/* machine checks */
	{ 0x80000007, ANY, EDX, BOTH, BIT(8) },			/* the TSC never stops */
	/* Temperature, P-states, boost: domain 0's drivers. */
	{ 0x80000007, ANY, EDX, DOM0, BIT(0) | BIT(1) | BIT(2) | BIT(3) | BIT(4) | BIT(6) |
				      BIT(7) | BIT(9) | BIT(10) },
	{ 0x80000008, ANY, EAX, BOTH, ALL },			/* sizes of addresses */
	{ 0x80000008, ANY, EBX, BOTH, BIT(0) | BIT(2) | BIT(9) }, /* CLZERO, XSaveErPtr, WBNOINVD */
	/* RDPRU, interruptible WBINVD, PPIN, CPPC; speculation. */
	{ 0x80000008, ANY, EBX, DOM0, BIT(4) | BIT(12) | BIT(13) | BIT(14) | BIT(15) | BIT(16) |
				      BIT(17) | BIT(18) | BIT(19) | BIT(20) | BIT(23) | BIT(24) |
				      BIT(25) | BIT(26) | BIT(27) | BIT(28) | BIT(29) | BIT(30) },
	{ 0x80000008, ANY, ECX, DOM0, ALL },			/* number of cores */
	{ 0x80000008, ANY, EDX, DOM0, 0xffff0000 },		/* RDPRU's registers */
	FACTS(0x80000019, ANY, DOM0),
	FACTS(0x8000001a, ANY, DOM0),
	FACTS(0x8000001d, ANY, BOTH),
	FACTS(0x8000001e, ANY, DOM0),
	/* LFENCE serialises, a null selector clears its base, no nested breakpoints. */
	{ 0x80000021, ANY, EAX, BOTH, BIT(0) | BIT(2) | BIT(6) },
	/* What is known of speculation and REP; automatic IBRS: EFER. */
	{ 0x80000021, ANY, EAX, DOM0, BIT(1) | BIT(3) | BIT(5) | BIT(8) | BIT(9) | BIT(10) | BIT(11) |
				      BIT(18) | BIT(20) | BIT(27) | BIT(28) | BIT(29) | BIT(30) },
	{ 0x80000021, ANY, ECX, DOM0, BIT(1) | BIT(2) },
	FACTS(0x80000026, ANY, DOM0),
};

void cpuid_allow(u32 who, u32 leaf, u32 sub, struct cpuid *c)
{
	u32 mask[4] = { 0 }, i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *r = &rows[i];

		/* The first two of 0xd are not like the others. */
		if (r->leaf != leaf || !(r->who & who) ||
		    (r->sub != sub && (r->sub != ANY || (leaf == 0xd && sub < 2))))
			continue;
		mask[r->reg] |= r->bits;
	}
	c->eax &= mask[EAX];
	c->ebx &= mask[EBX];
	c->ecx &= mask[ECX];
	c->edx &= mask[EDX];
}

u32 xsave_bytes(u64 xcr0, bool compact)
{
	u32 i, size = 512 + 64;

	for (i = 2; i < 63; i++) {
		struct cpuid c;
		u32 at;

		if (!(xcr0 & BIT(i)))
			continue;
		c = cpuid_count(0xd, i);
		at = c.ebx;
		if (compact)
			at = c.ecx & BIT(1) ? (size + 63) & ~63u : size;
		if (size < at + c.eax)
			size = at + c.eax;
	}
	return size;
}

static void offer_xsave(u32 sub, struct cpuid *c)
{
	if (!sub) {
		c->eax &= (u32)xcr0_supported;
		c->edx &= xcr0_supported >> 32;
		c->ecx = xsave_bytes(xcr0_supported, false);
	} else if (sub > 1 && (sub > 62 || !(xcr0_supported & BIT(sub)))) {
		*c = (struct cpuid){ 0 };
	}
}

struct cpuid cpuid_offer(u32 who, u32 leaf, u32 sub)
{
	struct cpuid c = cpuid_count(leaf, sub);

	cpuid_allow(who, leaf, sub, &c);
	if (leaf == 0)
		c.eax = min(c.eax, MAX_BASIC);
	else if (leaf == 0x80000000)
		c.eax = min(c.eax, who == GUEST ? MAX_EXT_GUEST : MAX_EXT);
	else if (leaf == 7 && !sub)
		c.eax = min(c.eax, who == GUEST ? 1u : 2u);
	else if (leaf == 0xd)
		offer_xsave(sub, &c);
	else if (leaf == 0x80000008)
		c.eax = (c.eax & ~0xffu) | limits_phys_bits();
	return c;
}
