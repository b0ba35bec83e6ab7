// SPDX-License-Identifier: GPL-2.0-only
/* VMX capability MSRs: each control that we need has its own refusal. */
// SOURCES: hv/vmx/caps.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "hv/core/machine/cmdline.h"
#include "hv/vmx/caps.h"
#include "hv/vmx/vmcs.h"

/* Everything allowed, and of the rest only what every CPU forces on. */
static const struct vmx_msrs all = {
	.basic = BIT(55) | 6ull << 50 | 0x1000ull << 32 | 0x12345,
	.pin = 0xffffffff00000016,
	.proc = 0xffffffff04006172,
	.exit = 0xffffffff00036dfb,
	.entry = 0xffffffff000011fb,
	.proc2 = 0xffffffff00000000,
	.ept_vpid = 0xffffffffffffffff,
	.misc = 0x7f80004a5,
};

static void everything_there(void **state __unused)
{
	struct vmx_controls c;

	assert_null(vmx_choose_controls(&all, &c));
	assert_int_equal(c.pin, 0x16 | PIN_INTR | PIN_NMI | PIN_VIRTUAL_NMI);
	assert_true(c.proc & PROC_TPR_SHADOW);
	assert_false(c.proc & (PROC_CR8_LOAD | PROC_CR8_STORE));
	assert_int_equal(c.proc & (PROC_HLT | PROC_MSR_BITMAPS | PROC_SECONDARY),
			 PROC_HLT | PROC_MSR_BITMAPS | PROC_SECONDARY);
	/* These depend on the vCPU: not from the start. */
	assert_false(c.proc & (PROC_IRQ_WINDOW | PROC_NMI_WINDOW | PROC_UNCOND_IO |
			       PROC_RDPMC));
	assert_false(c.proc2 & PROC2_WBINVD);
	assert_false(c.entry & ENTRY_IA32E);
	assert_int_equal(c.proc2 & (PROC2_EPT | PROC2_UNRESTRICTED | PROC2_VPID),
			 PROC2_EPT | PROC2_UNRESTRICTED | PROC2_VPID);
	assert_int_equal(c.proc2 & (PROC2_BUS_LOCK | PROC2_NOTIFY), PROC2_BUS_LOCK | PROC2_NOTIFY);
	assert_true(c.exit & EXIT_HOST_64);
	assert_true(c.tpr_shadow && c.vpid && c.pause_loop && c.encls);
	assert_true(c.ept_ad && c.invept_one);
	assert_true(c.timer);
	assert_int_equal(c.timer_shift, 5);
}

static void nothing_unknown(void **state __unused)
{
	struct vmx_controls c;

	assert_null(vmx_choose_controls(&all, &c));
	assert_false(c.proc & ~(0x04006172 | PROC_TSC_OFFSET | PROC_HLT | PROC_MWAIT |
				PROC_TPR_SHADOW | PROC_MSR_BITMAPS | PROC_MONITOR |
				PROC_SECONDARY));
	assert_false(c.exit & ~(0x00036dfb | EXIT_SAVE_DEBUG | EXIT_HOST_64 | EXIT_SAVE_PAT |
				EXIT_LOAD_PAT | EXIT_SAVE_EFER | EXIT_LOAD_EFER));
	assert_false(c.entry & ~(0x000011fb | ENTRY_LOAD_DEBUG | ENTRY_LOAD_PAT |
				 ENTRY_LOAD_EFER));
}

static void each_required(void **state __unused)
{
	static const struct {
		size_t msr;
		u32 bit;
		const char *why;
	} t[] = {
#define PIN_AT	offsetof(struct vmx_msrs, pin)
#define PROC_AT	offsetof(struct vmx_msrs, proc)
#define SEC_AT	offsetof(struct vmx_msrs, proc2)
#define EXIT_AT	offsetof(struct vmx_msrs, exit)
#define ENT_AT	offsetof(struct vmx_msrs, entry)
		{ PIN_AT, 0, "VMX: no external-interrupt exiting" },
		{ PIN_AT, 3, "VMX: no NMI exiting" },
		{ PIN_AT, 5, "VMX: no virtual NMIs" },
		{ PROC_AT, 2, "VMX: no interrupt-window exiting" },
		{ PROC_AT, 3, "VMX: no TSC offsetting" },
		{ PROC_AT, 7, "VMX: no HLT exiting" },
		{ PROC_AT, 10, "VMX: no MWAIT exiting" },
		{ PROC_AT, 11, "VMX: no RDPMC exiting" },
		{ PROC_AT, 22, "VMX: no NMI-window exiting" },
		{ PROC_AT, 24, "VMX: no unconditional I/O exiting" },
		{ PROC_AT, 28, "VMX: no MSR bitmaps" },
		{ PROC_AT, 29, "VMX: no MONITOR exiting" },
		{ PROC_AT, 31, "VMX: no secondary controls" },
		{ SEC_AT, 1, "VMX: no EPT" },
		{ SEC_AT, 6, "VMX: no WBINVD exiting" },
		{ SEC_AT, 7, "VMX: no unrestricted guest" },
		{ EXIT_AT, 2, "VMX: exits cannot save debug controls" },
		{ EXIT_AT, 9, "VMX: no 64-bit host" },
		{ EXIT_AT, 18, "VMX: exits cannot save PAT" },
		{ EXIT_AT, 19, "VMX: exits cannot load PAT" },
		{ EXIT_AT, 20, "VMX: exits cannot save EFER" },
		{ EXIT_AT, 21, "VMX: exits cannot load EFER" },
		{ ENT_AT, 2, "VMX: entries cannot load debug controls" },
		{ ENT_AT, 9, "VMX: no 64-bit guests" },
		{ ENT_AT, 14, "VMX: entries cannot load PAT" },
		{ ENT_AT, 15, "VMX: entries cannot load EFER" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		struct vmx_msrs m = all;
		struct vmx_controls c;

		*(u64 *)((char *)&m + t[i].msr) &= ~BIT(32 + t[i].bit);
		assert_string_equal(vmx_choose_controls(&m, &c), t[i].why);
	}
}

static const char *with_basic(u64 basic)
{
	struct vmx_msrs m = all;
	struct vmx_controls c;

	m.basic = basic;
	return vmx_choose_controls(&m, &c);
}

static void basic(void **state __unused)
{
	assert_string_equal(with_basic(all.basic & ~BIT(55)),
			    "VMX: no true controls (CR3 accesses would exit)");
	assert_string_equal(with_basic(all.basic | 0x1800ull << 32),
			    "VMX: a VMCS is larger than a page");
	assert_string_equal(with_basic(all.basic & ~(6ull << 50)),
			    "VMX: a VMCS cannot be write-back memory");
	assert_int_equal(VMX_BASIC_REVISION(all.basic | BIT(31)), 0x12345);
}

static const char *with_ept(u64 cap)
{
	struct vmx_msrs m = all;
	struct vmx_controls c;

	m.ept_vpid = cap;
	return vmx_choose_controls(&m, &c);
}

static void ept(void **state __unused)
{
	u64 cap = all.ept_vpid;

	assert_string_equal(with_ept(cap & ~BIT(6)), "VMX: EPT has no 4-level tables");
	assert_string_equal(with_ept(cap & ~BIT(14)),
			    "VMX: EPT tables cannot be write-back memory");
	assert_string_equal(with_ept(cap & ~BIT(16)), "VMX: EPT has no 2 MiB pages");
	assert_string_equal(with_ept(cap & ~BIT(20)), "VMX: no INVEPT");
	assert_string_equal(with_ept(cap & ~(BIT(25) | BIT(26))),
			    "VMX: INVEPT has no type that we know");
	assert_null(with_ept(cap & ~BIT(26)));
}

static void optional(void **state __unused)
{
	struct vmx_msrs m = all;
	struct vmx_controls c;

	/* A CPU with what we need and no more. */
	m.proc &= ~BIT(32 + 21);
	m.proc2 = (u64)(PROC2_EPT | PROC2_UNRESTRICTED | PROC2_WBINVD) << 32;
	m.pin &= ~BIT(32 + 6);
	m.ept_vpid = BIT(6) | BIT(14) | BIT(16) | BIT(20) | BIT(26);
	assert_null(vmx_choose_controls(&m, &c));
	assert_false(c.tpr_shadow || c.vpid || c.pause_loop || c.encls);
	assert_false(c.ept_ad || c.invept_one || c.timer);
	assert_int_equal(c.proc & (PROC_CR8_LOAD | PROC_CR8_STORE | PROC_TPR_SHADOW),
			 PROC_CR8_LOAD | PROC_CR8_STORE);
	assert_int_equal(c.proc2, PROC2_EPT | PROC2_UNRESTRICTED);
	/* Neither way to know the TPR. */
	m.proc &= ~BIT(32 + 19);
	assert_string_equal(vmx_choose_controls(&m, &c),
			    "VMX: neither TPR shadow nor CR8 exiting");
}

/* Each control that the CPU lacks costs what needs it, and nothing else. */
static void apicv_of_the_cpu(void **state __unused)
{
	static const u32 each[] = {
		PROC2_APIC_ACCESS, PROC2_X2APIC, PROC2_APIC_REGS, PROC2_DELIVERY,
	};
	u32 have, i, want;

	for (have = 0; have < 128; have++) {
		bool shadow = have & 16, posted = have & 32, take = have & 64;
		struct vmx_msrs m = all;
		struct vmx_controls c;

		for (i = 0, want = 0; i < 4; i++) {
			if (have & BIT(i))
				want |= each[i];
			else
				m.proc2 &= ~((u64)each[i] << 32);
		}
		if (!shadow) {
			m.proc &= ~((u64)PROC_TPR_SHADOW << 32);
			want = 0;
		}
		if (!posted)
			m.pin &= ~((u64)PIN_POSTED << 32);
		if (!take)
			m.exit &= ~((u64)EXIT_TAKE_INTR << 32);
		assert_null(vmx_choose_controls(&m, &c));
		assert_int_equal(c.tpr_shadow, shadow);
		assert_int_equal(c.apic, want);
		assert_int_equal(c.posted, posted && take && (want & PROC2_DELIVERY));
		/* They are for guests, and go by the mode of the vCPU. */
		assert_false(c.proc2 & PROC2_APICV);
		assert_false(c.pin & PIN_POSTED);
		assert_false(c.exit & EXIT_TAKE_INTR);
	}
}

static void apicv_of_the_option(void **state __unused)
{
	static const struct {
		u32 most, apic;
		bool posted;
	} t[] = {
		{ APICV_ON, PROC2_APICV, true },
		{ APICV_DELIVERY, PROC2_APICV, false },
		{ APICV_REGISTERS, PROC2_APICV & ~PROC2_DELIVERY, false },
		{ APICV_OFF, 0, false },
		{ APICV_NONE, 0, false },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		struct vmx_msrs m = all;
		struct vmx_controls c;

		assert_null(vmx_choose_controls(&m, &c));
		vmx_limit_apicv(&c, t[i].most);
		assert_int_equal(c.apic, t[i].apic);
		assert_int_equal(c.posted, t[i].posted);
		assert_int_equal(c.tpr_shadow, t[i].most != APICV_NONE);
		assert_int_equal(!!(c.proc & PROC_TPR_SHADOW), c.tpr_shadow);
		assert_int_equal(!!(c.proc & PROC_CR8_LOAD), !c.tpr_shadow);
		assert_int_equal(!!(c.proc & PROC_CR8_STORE), !c.tpr_shadow);
		/* It gives nothing that the CPU lacks. */
		m.proc2 = (u64)(PROC2_EPT | PROC2_UNRESTRICTED | PROC2_WBINVD) << 32;
		assert_null(vmx_choose_controls(&m, &c));
		vmx_limit_apicv(&c, t[i].most);
		assert_int_equal(c.apic, 0);
		assert_false(c.posted);
	}
}

/* Something has to tell of the TPR. */
static void no_way_but_the_shadow(void **state __unused)
{
	struct vmx_msrs m = all;
	struct vmx_controls c;

	m.proc &= ~((u64)PROC_CR8_EXITS << 32);
	assert_null(vmx_choose_controls(&m, &c));
	vmx_limit_apicv(&c, APICV_NONE);
	assert_true(c.tpr_shadow);
	assert_true(c.proc & PROC_TPR_SHADOW);
}

static void forced_on(void **state __unused)
{
	struct vmx_msrs m = all;
	struct vmx_controls c;

	m.pin |= BIT(6);
	assert_string_equal(vmx_choose_controls(&m, &c),
			    "VMX: unknown pin-based controls cannot be off");
	m = all;
	m.proc |= BIT(15);
	assert_string_equal(vmx_choose_controls(&m, &c),
			    "VMX: unknown processor-based controls cannot be off");
	m = all;
	m.proc2 |= BIT(0);
	assert_string_equal(vmx_choose_controls(&m, &c),
			    "VMX: unknown secondary controls cannot be off");
	m = all;
	m.exit |= BIT(15);
	assert_string_equal(vmx_choose_controls(&m, &c),
			    "VMX: unknown exit controls cannot be off");
	m = all;
	m.entry |= BIT(10);
	assert_string_equal(vmx_choose_controls(&m, &c),
			    "VMX: unknown entry controls cannot be off");
	/* Forced on, and wanted anyway. */
	m = all;
	m.pin |= BIT(0);
	assert_null(vmx_choose_controls(&m, &c));
}

static void feature_control(void **state __unused)
{
	u64 set;

	assert_null(vmx_feature_control(0, &set));
	assert_int_equal(set, 5);
	/* Unlocked, with bits of others: they stay. */
	assert_null(vmx_feature_control(BIT(18) | BIT(2), &set));
	assert_int_equal(set, BIT(18) | 5);
	assert_null(vmx_feature_control(5, &set));
	assert_int_equal(set, 5);
	/* Locked without, or for SMX only. */
	assert_string_equal(vmx_feature_control(1, &set),
			    "VMX is disabled by firmware (IA32_FEATURE_CONTROL)");
	assert_string_equal(vmx_feature_control(3, &set),
			    "VMX is disabled by firmware (IA32_FEATURE_CONTROL)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_there), cmocka_unit_test(nothing_unknown),
		cmocka_unit_test(each_required), cmocka_unit_test(basic),
		cmocka_unit_test(ept), cmocka_unit_test(optional),
		cmocka_unit_test(apicv_of_the_cpu), cmocka_unit_test(apicv_of_the_option),
		cmocka_unit_test(no_way_but_the_shadow),
		cmocka_unit_test(forced_on), cmocka_unit_test(feature_control),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
