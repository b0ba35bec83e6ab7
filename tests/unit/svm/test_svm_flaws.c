// SPDX-License-Identifier: GPL-2.0-only
/* Which of AMD's and Hygon's processors have which flaw, and the MSRs that mend it. */
// SOURCES: hv/svm/flaws.c
// CFLAGS: -include core_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "hv/core/vcpu/speculation.h"
#include "hv/svm/svm.h"

#define IBPB		BIT(12)
#define BRTYPE		BIT(28)
#define SRSO_NO		BIT(29)
#define BP_REDUCE	BIT(31)

#define JAGUAR		0x00700f01	/* 16h, model 00h */
#define PUMA		0x00730f01	/* 16h, model 30h */
#define ZEN		0x00800f12	/* 17h, model 01h */
#define ZEN2		0x00830f10	/* 17h, model 31h */
#define ZEN3		0x00a00f11	/* 19h, model 01h */
#define ZEN4		0x00a10f11	/* 19h, model 11h */
#define ZEN5		0x00b00f21
#define HYGON		0x00900f02

static struct {
	u32 msr;
	u64 val;
} cfg[] = {
	{ MSR_AMD_DE_CFG, 0 }, { MSR_AMD_BP_CFG, 0 }, { MSR_AMD_FP_CFG, 0 },
	{ MSR_AMD_LS_CFG, 0 }, { MSR_AMD_BP_SUPPRESS, 0 },
};
static bool no_cfg;			/* a hypervisor below has none */
static u32 signature;
static u32 chosen;

bool spec_has_ibpb(const struct spec_enum *e)
{
	return e->e8_ebx & IBPB;
}

u32 spec_state(u32 *due)
{
	*due = 0;
	return chosen;
}

struct cpuid host_cpuid(u32 leaf, u32 sub __unused)
{
	assert_int_equal(leaf, 1);
	return (struct cpuid){ .eax = signature };
}

static u64 *value(u32 msr)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(cfg); i++)
		if (cfg[i].msr == msr)
			return &cfg[i].val;
	fail_msg("MSR %x", msr);
	return NULL;
}

int host_rdmsr(u32 msr, u64 *val)
{
	*val = *value(msr);
	return no_cfg ? -EFAULT : 0;
}

int host_wrmsr(u32 msr, u64 val)
{
	assert_false(no_cfg);
	*value(msr) = val;
	return 0;
}

static void which_has_what(void **state __unused)
{
	static const struct {
		struct spec_enum e;
		u32 want;
	} t[] = {
		/* Return address overflow: those without SRSO_NO, by an IBPB */
		{ { .signature = ZEN3, .e8_ebx = IBPB, .e21_eax = BRTYPE }, SPEC_IBPB_EXIT },
		{ { .signature = ZEN4, .e8_ebx = IBPB, .e21_eax = BRTYPE }, SPEC_IBPB_EXIT },
		{ { .signature = JAGUAR, .e8_ebx = IBPB }, SPEC_IBPB_EXIT },
		{ { .signature = HYGON, .e8_ebx = IBPB }, SPEC_IBPB_EXIT },
		{ { .signature = ZEN3, .e8_ebx = IBPB, .e21_eax = SRSO_NO }, 0 },
		{ { .signature = ZEN3 }, 0 },
		/* that does what it is for */
		{ { .signature = ZEN3, .e8_ebx = IBPB }, SPEC_SRSO_OPEN },
		{ { .signature = ZEN4, .e8_ebx = IBPB }, SPEC_SRSO_OPEN },
		{ { .signature = ZEN5, .e8_ebx = IBPB }, SPEC_SRSO_OPEN },
		{ { .signature = ZEN5, .e8_ebx = IBPB, .e21_eax = BRTYPE }, SPEC_IBPB_EXIT },
		{ { .signature = ZEN5, .e8_ebx = IBPB, .e21_eax = BP_REDUCE }, SPEC_BP_REDUCE },
		{ { .signature = ZEN5, .e8_ebx = IBPB, .e21_eax = BP_REDUCE | SRSO_NO }, 0 },
		/* Zenbleed, and the divider: by models */
		{ { .signature = ZEN }, SPEC_DIVIDER },
		{ { .signature = 0x00820f01 }, SPEC_DIVIDER },		/* 20h */
		{ { .signature = 0x00850f00 }, SPEC_DIVIDER },		/* 50h */
		{ { .signature = ZEN2 }, SPEC_FP_BACKUP },
		{ { .signature = 0x00860f01 }, SPEC_FP_BACKUP },	/* 60h */
		{ { .signature = 0x008a0f00 }, SPEC_FP_BACKUP },	/* a0h */
	};
	const struct hv_options none = { 0 }, off = { .srso_off = 1 };
	const u32 srso = SPEC_IBPB_EXIT | SPEC_BP_REDUCE | SPEC_SRSO_OPEN;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		if (svm_flaws(&t[i].e, &none) != t[i].want)
			fail_msg("case %u: %x, not %x", i, svm_flaws(&t[i].e, &none), t[i].want);
		assert_int_equal(svm_flaws(&t[i].e, &off), t[i].want & ~srso);
	}
}

/* Makes the settings of the CPU @core with the mitigations @set. */
static void mend(u32 core, u32 set)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(cfg); i++)
		cfg[i].val = 0;
	signature = core;
	chosen = set;
	svm_mend_flaws();
}

/* @bits, and that nothing else is set but DE_CFG's LFENCE, which is no option. */
static void is_set(u32 msr, u64 bits)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(cfg); i++)
		assert_int_equal(cfg[i].val, (cfg[i].msr == MSR_AMD_DE_CFG ? BIT(1) : 0) |
					     (cfg[i].msr == msr ? bits : 0));
}

static void settings_that_stay(void **state __unused)
{
	mend(ZEN3, SPEC_FP_BACKUP);
	is_set(MSR_AMD_DE_CFG, BIT(9));
	mend(ZEN3, 0);
	is_set(0, 0);
	mend(ZEN5, SPEC_BP_REDUCE);
	is_set(MSR_AMD_BP_CFG, BIT(4));
	no_cfg = true;
	mend(ZEN2, SPEC_FP_BACKUP);
	no_cfg = false;
	assert_int_equal(*value(MSR_AMD_DE_CFG) | *value(MSR_AMD_BP_CFG), 0);
}

static void settings_of_models(void **state __unused)
{
	mend(JAGUAR, 0);
	is_set(MSR_AMD_LS_CFG, BIT(15));
	mend(PUMA, 0);
	is_set(0, 0);
	mend(ZEN, 0);
	is_set(MSR_AMD_FP_CFG, BIT(9));
	mend(ZEN2, 0);
	assert_int_equal(*value(MSR_AMD_BP_SUPPRESS), BIT(1));
	*value(MSR_AMD_BP_SUPPRESS) = 0;
	is_set(MSR_AMD_BP_CFG, BIT(33));
	mend(ZEN4, 0);
	is_set(MSR_AMD_BP_CFG, BIT(5));
	mend(0x00a60f12, 0);		/* 61h */
	is_set(MSR_AMD_BP_CFG, BIT(5));
	mend(0x00a20f12, 0);		/* Zen 3, 21h */
	is_set(0, 0);
	mend(HYGON, 0);
	is_set(0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(which_has_what),
		cmocka_unit_test(settings_that_stay),
		cmocka_unit_test(settings_of_models),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
