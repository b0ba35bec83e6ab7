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
#define SRSO_NO		BIT(29)
#define BP_REDUCE	BIT(31)

#define ZEN		0x00800f12	/* 17h, model 01h */
#define ZEN2		0x00830f10	/* 17h, model 31h */
#define ZEN3		0x00a00f11
#define ZEN5		0x00b00f21
#define HYGON		0x00900f02

static u64 de_cfg, bp_cfg;
static bool no_cfg;			/* a hypervisor below has neither */
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

static u64 *cfg(u32 msr)
{
	assert_true(msr == MSR_AMD_DE_CFG || msr == MSR_AMD_BP_CFG);
	return msr == MSR_AMD_DE_CFG ? &de_cfg : &bp_cfg;
}

int host_rdmsr(u32 msr, u64 *val)
{
	*val = *cfg(msr);
	return no_cfg ? -EFAULT : 0;
}

int host_wrmsr(u32 msr, u64 val)
{
	assert_false(no_cfg);
	*cfg(msr) = val;
	return 0;
}

static void which_has_what(void **state __unused)
{
	static const struct {
		struct spec_enum e;
		u32 want;
	} t[] = {
		/* Return address overflow: those without SRSO_NO, by an IBPB */
		{ { .signature = ZEN3, .e8_ebx = IBPB }, SPEC_IBPB_EXIT },
		{ { .signature = HYGON, .e8_ebx = IBPB }, SPEC_IBPB_EXIT },
		{ { .signature = ZEN3, .e8_ebx = IBPB, .e21_eax = SRSO_NO }, 0 },
		{ { .signature = ZEN3 }, 0 },
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
	const u32 srso = SPEC_IBPB_EXIT | SPEC_BP_REDUCE;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		if (svm_flaws(&t[i].e, &none) != t[i].want)
			fail_msg("case %u: %x, not %x", i, svm_flaws(&t[i].e, &none), t[i].want);
		assert_int_equal(svm_flaws(&t[i].e, &off), t[i].want & ~srso);
	}
}

static void mend(u32 set)
{
	de_cfg = bp_cfg = 0;
	chosen = set;
	svm_mend_flaws();
}

static void settings_that_stay(void **state __unused)
{
	mend(SPEC_FP_BACKUP);
	assert_int_equal(de_cfg, BIT(1) | BIT(9));
	assert_int_equal(bp_cfg, 0);
	mend(0);
	assert_int_equal(de_cfg, BIT(1));	/* LFENCE is no option */
	mend(SPEC_BP_REDUCE);
	assert_int_equal(bp_cfg, BIT(4));
	assert_int_equal(de_cfg, BIT(1));
	no_cfg = true;
	mend(SPEC_FP_BACKUP);
	assert_int_equal(de_cfg | bp_cfg, 0);
	no_cfg = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(which_has_what),
		cmocka_unit_test(settings_that_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
