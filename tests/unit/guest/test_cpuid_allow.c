// SPDX-License-Identifier: GPL-2.0-only
/* The allow-list of CPUID, and control registers that go with it. */
// SOURCES: hv/core/guest/cpuid_allow.c hv/core/machine/limits.c hv/core/vcpu/sregs.c
// CFLAGS: -include core_host.h
#include <cpuid.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <linux/kvm.h>

#include "hv/core/guest/cpuid_allow.h"
#include "hv/core/machine/limits.h"
#include "hv/core/vcpu/run.h"
#include "hv/core/vcpu/sregs.h"

#define NONE	(struct cpuid){ 0 }
#define EVERY	(struct cpuid){ ~0u, ~0u, ~0u, ~0u }

u64 xcr0_supported;

/* ---- the machine: every bit set, or this one, and some leaves as a test wants them ---- */

static bool real;
static struct {
	u32 leaf, sub;
	struct cpuid c;
} made[8];
static u32 nmade;
static u64 syscfg, tme;

struct cpuid host_cpuid(u32 leaf, u32 sub)
{
	struct cpuid c = EVERY;
	u32 i;

	for (i = 0; i < nmade; i++)
		if (made[i].leaf == leaf && made[i].sub == sub)
			return made[i].c;
	if (real)
		__cpuid_count(leaf, sub, c.eax, c.ebx, c.ecx, c.edx);
	return c;
}

int host_rdmsr(u32 msr, u64 *val)
{
	if (real || (msr != MSR_AMD_SYSCFG && msr != 0x982))
		return -EFAULT;
	*val = msr == 0x982 ? tme : syscfg;
	return 0;
}

static void make(u32 leaf, u32 sub, u32 eax, u32 ebx, u32 ecx, u32 edx)
{
	assert_true(nmade < ARRAY_SIZE(made));
	made[nmade].leaf = leaf;
	made[nmade].sub = sub;
	made[nmade++].c = (struct cpuid){ eax, ebx, ecx, edx };
}

static int setup(void **state __unused)
{
	real = false;
	nmade = 0;
	syscfg = tme = 0;
	xcr0_supported = XCR0_FP | XCR0_SSE | XCR0_AVX | XCR0_PKRU;
	return 0;
}

static struct cpuid allowed(u32 who, u32 leaf, u32 sub)
{
	struct cpuid c = EVERY;

	cpuid_allow(who, leaf, sub, &c);
	return c;
}

static void is_none(struct cpuid c)
{
	assert_int_equal(c.eax | c.ebx | c.ecx | c.edx, 0);
}

/* ---- the tests ---- */

/* Each has state, or reaches devices and memory, that nobody moves or confines. */
static const struct hidden {
	u32 leaf, sub;
	struct cpuid bits;
} hidden[] = {
	/* DTES64, MONITOR, DS-CPL, VMX, SMX, SDBG, PDCM, DCA; DS, PBE */
	{ 1, 0, { 0, 0, BIT(2) | BIT(3) | BIT(4) | BIT(5) | BIT(6) | BIT(11) | BIT(15) | BIT(18),
		  BIT(21) | BIT(31) } },
	/* HDC, HFI, thread director */
	{ 6, 0, { BIT(13) | BIT(19) | BIT(23), 0, 0xff00, ~0u } },
	/* SGX, RDT, MPX, PT; CET_SS, TME, MPX, KL, bus lock, ENQCMD, SGX_LC, PKS; UINTR, PCONFIG,
	 * ARCH_LBR, IBT, AMX, core capabilities */
	{ 7, 0, { 0, BIT(2) | BIT(12) | BIT(14) | BIT(15) | BIT(25),
		  BIT(7) | BIT(13) | 0x3e0000 | BIT(23) | BIT(24) | BIT(29) | BIT(30) | BIT(31),
		  BIT(1) | BIT(5) | BIT(13) | BIT(18) | BIT(19) | BIT(20) | BIT(22) | BIT(24) |
		  BIT(25) | BIT(30) } },
	/* LASS, FRED, LKGS, NMI_SRC, HRESET, LAM, MSRLIST; UINTR's, USER_MSR, CET_SSS, AVX10, APX */
	{ 7, 1, { BIT(6) | BIT(8) | BIT(17) | BIT(18) | BIT(20) | BIT(21) | BIT(22) | BIT(26) | BIT(27),
		  BIT(1), ~0u, BIT(8) | BIT(13) | BIT(15) | BIT(17) | BIT(18) | BIT(19) | BIT(21) } },
	/* XSAVES, XFD, and what XSS would have */
	{ 0xd, 1, { BIT(3) | BIT(4), 0, ~0u, ~0u } },
	/* SVM, IBS, SKINIT, WDT, LWP, counters, breakpoints' masks, MONITORX */
	{ 0x80000001, 0, { 0, 0, BIT(2) | BIT(10) | BIT(12) | BIT(13) | BIT(15) | BIT(23) | BIT(24) |
			   BIT(26) | BIT(27) | BIT(28) | BIT(29) | BIT(30), 0 } },
	/* INVLPGB, MBE, MCOMMIT, LBR; INVLPGB's pages */
	{ 0x80000008, 0, { 0, BIT(3) | BIT(6) | BIT(8) | BIT(10) | BIT(21) | BIT(31), 0, 0xffff } },
	/* upper addresses ignored, prefetch control, CPUID faulting */
	{ 0x80000021, 0, { BIT(7) | BIT(13) | BIT(17) | BIT(24), 0, 0, ~0u } },
	/* MONITOR, counters, RDT, SGX, PT, PCONFIG, KL, LBR, AMX, HRESET, AVX10 */
	{ 5, 0, EVERY }, { 0xa, 0, EVERY }, { 0xf, 0, EVERY }, { 0xf, 1, EVERY }, { 0x10, 0, EVERY },
	{ 0x12, 0, EVERY }, { 0x12, 2, EVERY }, { 0x14, 0, EVERY }, { 0x14, 1, EVERY },
	{ 0x19, 0, EVERY }, { 0x1b, 0, EVERY }, { 0x1c, 0, EVERY }, { 0x1d, 0, EVERY },
	{ 0x1d, 1, EVERY }, { 0x1e, 0, EVERY }, { 0x20, 0, EVERY }, { 0x23, 0, EVERY },
	{ 0x24, 0, EVERY },
	/* SVM, IBS, LWP, encryption, RDT, counters */
	{ 0x8000000a, 0, EVERY }, { 0x8000001b, 0, EVERY }, { 0x8000001c, 0, EVERY },
	{ 0x8000001f, 0, EVERY }, { 0x80000020, 0, EVERY }, { 0x80000022, 0, EVERY },
};

static void hides(void **state __unused)
{
	u32 i, who;

	for (i = 0; i < ARRAY_SIZE(hidden); i++) {
		for (who = CPUID_DOM0; who <= CPUID_GUEST; who++) {
			struct cpuid c = allowed(who, hidden[i].leaf, hidden[i].sub);

			c.eax &= hidden[i].bits.eax;
			c.ebx &= hidden[i].bits.ebx;
			c.ecx &= hidden[i].bits.ecx;
			c.edx &= hidden[i].bits.edx;
			is_none(c);
		}
	}
}

/* What nobody has heard of: leaves and sub-leaves to come. */
static void hides_the_unknown(void **state __unused)
{
	u32 who, leaf;

	for (who = CPUID_DOM0; who <= CPUID_GUEST; who++) {
		is_none(allowed(who, 3, 0));
		for (leaf = 0x20; leaf < 0x100; leaf++)
			is_none(allowed(who, leaf, 0));
		for (leaf = 0x80000027; leaf < 0x80000100; leaf++)
			is_none(allowed(who, leaf, 0));
		is_none(allowed(who, 7, 3));
		is_none(allowed(who, 0x40000000, 0));
		is_none(allowed(who, 0xc0000001, 0));
		is_none(allowed(who, ~0u, ~0u));
	}
}

/* A guest has nothing that domain 0 has not, and nobody a bit that is not there. */
static void guests_have_less(void **state __unused)
{
	u32 leaf, sub;

	for (leaf = 0; leaf < 0x40; leaf++) {
		for (sub = 0; sub < 70; sub++) {
			u32 l = leaf < 0x20 ? leaf : 0x80000000 + leaf - 0x20;
			struct cpuid host = allowed(CPUID_DOM0, l, sub);
			struct cpuid guest = allowed(CPUID_GUEST, l, sub), c = NONE;

			guest.eax &= ~host.eax;
			guest.ebx &= ~host.ebx;
			guest.ecx &= ~host.ecx;
			guest.edx &= ~host.edx;
			is_none(guest);
			cpuid_allow(CPUID_DOM0, l, sub, &c);
			is_none(c);
		}
	}
}

static void shows(void **state __unused)
{
	struct cpuid c = allowed(CPUID_GUEST, 7, 0);

	assert_int_equal(c.ebx & (BIT(5) | BIT(16)), BIT(5) | BIT(16));		/* AVX2, AVX-512 */
	assert_int_equal(c.ecx & (BIT(2) | BIT(3) | BIT(16)), BIT(2) | BIT(3) | BIT(16));
	assert_int_equal(c.ecx & BIT(5), 0);					/* WAITPKG */
	c = allowed(CPUID_DOM0, 7, 0);
	assert_int_equal(c.ecx & BIT(5), BIT(5));
	assert_int_equal(c.edx & BIT(26), BIT(26));				/* SPEC_CTRL */
	c = allowed(CPUID_DOM0, 6, 0);
	assert_int_equal(c.eax & BIT(7), BIT(7));				/* HWP */
	is_none(allowed(CPUID_GUEST, 6, 0));
}

static void counts_leaves(void **state __unused)
{
	assert_int_equal(cpuid_offer(CPUID_DOM0, 0, 0).eax, 0x1f);
	assert_int_equal(cpuid_offer(CPUID_DOM0, 0x80000000, 0).eax, 0x80000026);
	assert_int_equal(cpuid_offer(CPUID_GUEST, 0x80000000, 0).eax, 0x80000021);
	assert_int_equal(cpuid_offer(CPUID_DOM0, 7, 0).eax, 2);
	assert_int_equal(cpuid_offer(CPUID_GUEST, 7, 0).eax, 1);
	make(0, 0, 0xd, 1, 2, 3);
	make(0x80000000, 0, 0x80000008, 0, 0, 0);
	make(7, 0, 0, 0, 0, 0);
	assert_int_equal(cpuid_offer(CPUID_DOM0, 0, 0).eax, 0xd);
	assert_int_equal(cpuid_offer(CPUID_DOM0, 0, 0).ebx, 1);
	assert_int_equal(cpuid_offer(CPUID_DOM0, 0x80000000, 0).eax, 0x80000008);
	assert_int_equal(cpuid_offer(CPUID_GUEST, 7, 0).eax, 0);
}

/* As on a CPU with AMX: neither its components nor their bytes are there. */
static void cuts_xsave(void **state __unused)
{
	struct cpuid c;

	make(0xd, 2, 256, 576, 0, 0);
	make(0xd, 9, 8, 2688, 0, 0);
	make(0xd, 18, 8192, 2816, 6, 0);
	make(0xd, 0, 0x602e7, 0x2b00, 0x2b00, 0);
	c = cpuid_offer(CPUID_DOM0, 0xd, 0);
	assert_int_equal(c.eax, xcr0_supported);
	assert_int_equal(c.ecx, 2696);
	assert_int_equal(cpuid_offer(CPUID_GUEST, 0xd, 0).ecx, 2696);
	assert_int_equal(cpuid_offer(CPUID_DOM0, 0xd, 1).eax, 7);
	assert_int_equal(cpuid_offer(CPUID_DOM0, 0xd, 2).eax, 256);
	is_none(cpuid_offer(CPUID_DOM0, 0xd, 18));
	is_none(cpuid_offer(CPUID_DOM0, 0xd, 62));
	is_none(cpuid_offer(CPUID_DOM0, 0xd, 63));
	is_none(cpuid_offer(CPUID_GUEST, 0xd, 64 + 2));
}

/* A machine of vendor's own leaves, with 52 bits of address. */
static u32 width(u32 f7_ecx, u32 sme, u32 taken)
{
	nmade = 0;
	make(0, 0, 0x1f, 0, 0, 0);
	make(7, 0, 0, 0, f7_ecx, 0);
	make(0x80000000, 0, sme ? 0x8000001f : 0x80000008, 0, 0, 0);
	make(0x8000001f, 0, sme, taken << 6 | 0x33, 0, 0);
	make(0x80000008, 0, 0x3934, 0, 0, 0);
	assert_int_equal(cpuid_offer(CPUID_DOM0, 0x80000008, 0).eax & 0xff, limits_phys_bits());
	assert_int_equal(cpuid_offer(CPUID_GUEST, 0x80000008, 0).eax, 0x3900 | limits_phys_bits());
	return limits_phys_bits();
}

static void encryption_takes_bits(void **state __unused)
{
	struct cpu_limits l;

	assert_int_equal(width(0, 0, 5), 52);
	assert_int_equal(width(0, BIT(0), 5), 52);		/* not turned on */
	syscfg = BIT(23);
	assert_int_equal(width(0, BIT(0), 5), 47);
	assert_int_equal(width(0, BIT(1) | BIT(3), 6), 46);
	assert_int_equal(width(0, BIT(2), 5), 52);
	tme = BIT(0) | BIT(1) | 6ull << 32;
	assert_int_equal(width(BIT(13), 0, 0), 46);
	limits_read(&l);
	assert_int_equal(l.phys_end, BIT(46));
	assert_int_equal(l.cr3_valid, BIT(46) - 1);
	assert_int_equal(l.vaddr_bits, 57);
	assert_int_equal(width(0, 0, 0), 52);
	tme &= ~BIT(0);						/* not locked */
	assert_int_equal(width(BIT(13), 0, 0), 52);
	tme = BIT(0) | 6ull << 32;				/* not enabled */
	assert_int_equal(width(BIT(13), 0, 0), 52);
}

/* A bit of CR4 can be set where the feature is shown, and there only. */
static void control_register_4(void **state __unused)
{
	static const struct {
		u64 cr4;
		u32 leaf, reg, bit;
	} t[] = {
		{ X86_CR4_PCIDE, 1, 2, 17 }, { X86_CR4_OSXSAVE, 1, 2, 26 },
		{ X86_CR4_FSGSBASE, 7, 1, 0 }, { X86_CR4_SMEP, 7, 1, 7 }, { X86_CR4_SMAP, 7, 1, 20 },
		{ X86_CR4_UMIP, 7, 2, 2 }, { X86_CR4_PKE, 7, 2, 3 }, { X86_CR4_LA57, 7, 2, 16 },
	};
	const u64 always = 0x7ff & ~0ull;			/* VME to OSXMMEXCPT */
	u64 with = 0;
	struct cpu_limits l;
	u32 i;

	make(0x80000008, 0, 0x3934, 0, 0, 0);
	make(0x80000000, 0, 0x80000008, 0, 0, 0);
	for (i = 0; i < ARRAY_SIZE(t); i++) {
		struct cpuid c = allowed(CPUID_GUEST, t[i].leaf, 0);
		const u32 reg[] = { c.eax, c.ebx, c.ecx, c.edx };

		assert_true(reg[t[i].reg] & BIT(t[i].bit));
		with |= t[i].cr4;
	}
	make(7, 0, 0, ~0u, ~0u & ~BIT(13), ~0u);
	limits_read(&l);
	assert_int_equal(l.cr4_valid, always | with);
	made[nmade - 1].c = NONE;
	make(1, 0, 0, 0, 0, 0);
	limits_read(&l);
	assert_int_equal(l.cr4_valid, always);
}

/* The host's: consistent, and nothing that the checks need is missing. */
static void of_this_machine(void **state __unused)
{
	struct kvm_sregs s = {
		.cr0 = 0x80000011, .cr3 = 0x1000, .cr4 = X86_CR4_PAE,
		.efer = EFER_LME | EFER_LMA, .cs = { .l = 1 },
	};
	struct cpu_limits l;

	real = true;
	limits_read(&l);
	assert_true(l.vaddr_bits == 48 || l.vaddr_bits == 57);
	assert_int_equal(l.phys_end & (l.phys_end - 1), 0);
	assert_true(l.phys_end >= BIT(32) && l.phys_end <= BIT(52));
	assert_int_equal(l.cr3_valid, l.phys_end - 1);
	assert_int_equal(l.cr4_valid & (X86_CR4_VMXE | X86_CR4_SMXE | X86_CR4_CET), 0);
	assert_int_equal(l.efer_valid & EFER_SVME, 0);
	assert_int_equal(sregs_check(&l, &s), 0);
}

#define T(f) cmocka_unit_test_setup(f, setup)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(hides), T(hides_the_unknown), T(guests_have_less), T(shows), T(counts_leaves),
		T(cuts_xsave), T(encryption_takes_bits), T(control_register_4), T(of_this_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
