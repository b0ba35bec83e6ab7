// SPDX-License-Identifier: GPL-2.0-only
/* Mitigations: which are chosen for which bits and options, and what the log says of them. */
// SOURCES: hv/core/vcpu/speculation.c
// CFLAGS: -include core_host.h
#include "spec_rig.h"

static void each_bit(void **state __unused)
{
	static const struct {
		struct spec_enum e;
		u32 want;
	} t[] = {
		{ { 0 }, RSB },
		/* IBPB and IBRS, either vendor's enumeration */
		{ { .f7_edx = IBRS_IBPB }, RSB | IBPB | SPEC_IBRS_WRITE | SPEC_CTRL_APART },
		{ { .e8_ebx = BIT(12) }, RSB | IBPB },
		{ { .e8_ebx = BIT(14) }, RSB | SPEC_IBRS_WRITE | SPEC_CTRL_APART },
		{ { .e8_ebx = BIT(14) | BIT(16) }, RSB | SPEC_IBRS_ON | SPEC_CTRL_APART },
		{ { .e8_ebx = BIT(16) }, RSB },
		{ { .e8_ebx = BIT(14), .ea_edx = V_SPEC_CTRL }, RSB | SPEC_IBRS_ON },
		{ { .e8_ebx = BIT(12) | BIT(30) }, SPEC_RSB_EXIT | IBPB },
		{ { .e8_ebx = BIT(30) }, RSB },
		{ { .e21_eax = BIT(8) }, SPEC_IBRS_AUTO },
		{ { .e21_eax = BIT(8), .e8_ebx = BIT(14) | BIT(12) },
		  SPEC_IBRS_AUTO | IBPB | SPEC_CTRL_APART },
		/* SPEC_CTRL without IBRS */
		{ { .f7_edx = BIT(27) }, RSB | SPEC_CTRL_APART },
		{ { .f7_edx = SSBD }, RSB | SPEC_CTRL_APART },
		{ { .e8_ebx = BIT(15) }, RSB | SPEC_CTRL_APART },
		{ { .e8_ebx = BIT(24) }, RSB | SPEC_CTRL_APART },
		{ { .e8_ebx = BIT(28) }, RSB | SPEC_CTRL_APART },
		{ { .e8_ebx = BIT(24), .ea_edx = V_SPEC_CTRL }, RSB },
		/* Enhanced IBRS; PBRSB_NO */
		{ { .f7_edx = IBRS_IBPB | CAPS, .arch_cap = BIT(1) },
		  RSB | IBPB | SPEC_IBRS_ON | SPEC_CTRL_APART },
		{ { .f7_edx = IBRS_IBPB | CAPS, .arch_cap = BIT(1) | BIT(24) },
		  SPEC_RSB_SWITCH | IBPB | SPEC_IBRS_ON | SPEC_CTRL_APART },
		{ { .f7_edx = IBRS_IBPB | CAPS, .arch_cap = BIT(24) },
		  RSB | IBPB | SPEC_IBRS_WRITE | SPEC_CTRL_APART },
		/* Branch history: BHI_CTRL, BHI_NO */
		{ { .f7_edx = SSBD, .f72_edx = BHI_CTRL }, RSB | SPEC_BHI | SPEC_CTRL_APART },
		{ { .f7_edx = SSBD | CAPS, .f72_edx = BHI_CTRL, .arch_cap = BHI_NO },
		  RSB | SPEC_CTRL_APART },
		{ { .f72_edx = BHI_CTRL }, RSB },
		/* Alternate predictions of RET: RRSBA_CTRL, RRSBA */
		{ { .f7_edx = SSBD | CAPS, .f72_edx = RRSBA_CTRL, .arch_cap = RRSBA },
		  RSB | SPEC_RRSBA | SPEC_CTRL_APART },
		{ { .f7_edx = SSBD | CAPS, .f72_edx = RRSBA_CTRL }, RSB | SPEC_CTRL_APART },
		{ { .f7_edx = SSBD | CAPS, .arch_cap = RRSBA }, RSB | SPEC_CTRL_APART },
		{ { .f7_edx = CAPS, .f72_edx = RRSBA_CTRL, .arch_cap = RRSBA }, RSB },
		/* L1TF: RDCL_NO, SKIP_L1DFL_VMENTRY */
		{ { .f7_edx = L1D }, RSB | SPEC_L1D_SWITCH },
		{ { .f7_edx = L1D | CAPS, .arch_cap = BIT(0) }, RSB },
		{ { .f7_edx = L1D | CAPS, .arch_cap = BIT(3) }, RSB },
		/* MDS; TAA; MMIO stale data; RFDS; TSA */
		{ { .f7_edx = MD_CLEAR }, RSB | SPEC_VERW },
		{ { .f7_edx = MD_CLEAR | CAPS, .arch_cap = BIT(5) }, RSB },
		{ { .f7_edx = MD_CLEAR | CAPS, .f7_ebx = RTM, .arch_cap = BIT(5) },
		  RSB | SPEC_VERW },
		{ { .f7_edx = MD_CLEAR | CAPS, .f7_ebx = RTM, .arch_cap = BIT(5) | BIT(8) }, RSB },
		/* Off by TSX_CTRL, which domain 0 may write. */
		{ { .f7_edx = MD_CLEAR | CAPS, .arch_cap = BIT(5) | BIT(7) }, RSB | SPEC_VERW },
		{ { .f7_edx = MD_CLEAR | CAPS, .arch_cap = BIT(5) | BIT(7) | BIT(8) }, RSB },
		{ { .f7_edx = MD_CLEAR | CAPS, .arch_cap = BIT(5) }, RSB },
		{ { .f7_ebx = RTM }, RSB },
		{ { .f7_edx = CAPS, .arch_cap = BIT(17) }, RSB | SPEC_VERW },
		{ { .f7_edx = CAPS, .arch_cap = BIT(17) | BIT(13) | BIT(14) }, RSB | SPEC_VERW },
		{ { .f7_edx = CAPS, .arch_cap = BIT(17) | BIT(13) | BIT(14) | BIT(15) }, RSB },
		{ { .f7_edx = CAPS, .arch_cap = BIT(28) }, RSB | SPEC_VERW },
		{ { .f7_edx = CAPS, .arch_cap = BIT(28) | BIT(27) }, RSB },
		{ { .e21_eax = BIT(5) }, RSB | SPEC_VERW },
		{ { .e21_eax = BIT(5), .e21_ecx = BIT(1) }, RSB | SPEC_VERW },
		{ { .e21_eax = BIT(5), .e21_ecx = BIT(1) | BIT(2) }, RSB },
	};
	const struct hv_options none = { 0 };
	const struct hv_options off = { .mitigations_off = 1, .l1d_flush = L1D_ALWAYS };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		if (spec_choose(&t[i].e, &none) != t[i].want)
			fail_msg("case %u: %x, not %x", i, spec_choose(&t[i].e, &none), t[i].want);
		assert_int_equal(spec_choose(&t[i].e, &off), 0);
	}
}

#define ALL	(RSB | IBPB | SPEC_IBRS_WRITE | SPEC_CTRL_APART | SPEC_L1D_SWITCH | SPEC_VERW)

static void each_option(void **state __unused)
{
	static const struct {
		struct hv_options o;
		u32 want;
	} t[] = {
		{ { 0 }, ALL },
		{ { .ibpb = IBPB_OFF }, ALL & ~IBPB },
		{ { .ibpb = IBPB_GUESTS }, ALL & ~SPEC_IBPB_DOM0 },
		{ { .ibrs_off = 1 }, ALL & ~SPEC_IBRS_WRITE },
		{ { .rsb_off = 1 }, ALL & ~RSB },
		{ { .l1d_flush = L1D_OFF }, ALL & ~SPEC_L1D_SWITCH },
		{ { .l1d_flush = L1D_ALWAYS }, (ALL & ~SPEC_L1D_SWITCH) | SPEC_L1D_ENTRY },
		{ { .verw = VERW_OFF }, ALL & ~SPEC_VERW },
		{ { .verw = VERW_ALWAYS }, ALL },
		{ { .mitigations_off = 1 }, 0 },
	};
	struct spec_enum e = { .e21_eax = BIT(8) };
	struct hv_options o = { .ibrs_off = 1 };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(t); i++)
		assert_int_equal(spec_choose(&all_bits, &t[i].o), t[i].want);
	/* Without automatic IBRS nothing empties the return stack. */
	assert_int_equal(spec_choose(&e, &o), RSB);
	/* Nor does an IBPB that is not made. */
	e = (struct spec_enum){ .e8_ebx = BIT(12) | BIT(30) };
	o = (struct hv_options){ .ibpb = IBPB_GUESTS };
	assert_int_equal(spec_choose(&e, &o), RSB | SPEC_IBPB);
	e = (struct spec_enum){ .f7_edx = SSBD, .f72_edx = BHI_CTRL };
	o = (struct hv_options){ .bhi_off = 1 };
	assert_int_equal(spec_choose(&e, &o), RSB | SPEC_CTRL_APART);
	/* Also where the CPU needs none. */
	e = (struct spec_enum){ 0 };
	o = (struct hv_options){ .verw = VERW_ALWAYS };
	assert_int_equal(spec_choose(&e, &o), RSB | SPEC_VERW);
	e = (struct spec_enum){ .f7_edx = L1D | CAPS, .arch_cap = BIT(0) };
	o = (struct hv_options){ .l1d_flush = L1D_ALWAYS };
	assert_int_equal(spec_choose(&e, &o), RSB | SPEC_L1D_ENTRY);
	e.f7_edx = CAPS;
	assert_int_equal(spec_choose(&e, &o), RSB);
	e = (struct spec_enum){ .f7_edx = SSBD, .f72_edx = RRSBA_CTRL, .arch_cap = RRSBA };
	o = (struct hv_options){ .rsb_off = 1 };
	assert_int_equal(spec_choose(&e, &o), SPEC_CTRL_APART);
}

static void what_domain_0_may_write(void **state __unused)
{
	machine = (struct spec_enum){ 0 };
	spec_init();
	assert_false(spec_pass_ctrl() || spec_pass_pred());
	machine.e8_ebx = BIT(12);
	spec_init();
	assert_true(!spec_pass_ctrl() && spec_pass_pred());
	machine.e8_ebx = BIT(14);
	spec_init();
	assert_true(spec_pass_ctrl() && !spec_pass_pred());
	machine = (struct spec_enum){ .f7_edx = IBRS_IBPB };
	hv_options.mitigations_off = 1;
	spec_init();
	assert_true(spec_pass_ctrl() && spec_pass_pred());
}

static void log_line(void **state __unused)
{
	start((struct spec_enum){ 0 }, (struct hv_options){ 0 });
	says("mitigations: retpolines, ibpb -, ibrs -, bhi -, rsb on exits and switches, "
	     "rrsba -, srso -, l1d_flush -, verw -, zenbleed -, divider -");
	start(all_bits, (struct hv_options){ 0 });
	says("mitigations: retpolines, ibpb on, ibrs after exits, bhi -, rsb on exits and switches, "
	     "rrsba -, srso -, l1d_flush on switches, verw on, zenbleed -, divider -");
	start(all_bits, (struct hv_options){ .mitigations_off = 1 });
	says("mitigations: retpolines, ibpb off, ibrs off, bhi -, rsb off, rrsba -, srso -, "
	     "l1d_flush off, verw off, zenbleed -, divider -");
	start(all_bits, (struct hv_options){ .ibpb = IBPB_GUESTS, .l1d_flush = L1D_ALWAYS });
	says("mitigations: retpolines, ibpb guests, ibrs after exits, bhi -, rsb on exits and switches, "
	     "rrsba -, srso -, l1d_flush always, verw on, zenbleed -, divider -");
	start((struct spec_enum){ .e21_eax = BIT(8) }, (struct hv_options){ 0 });
	says("mitigations: retpolines, ibpb -, ibrs automatic, bhi -, rsb -, rrsba -, srso -, "
	     "l1d_flush -, verw -, zenbleed -, divider -");
	assert_int_equal(efer, EFER_AUTOIBRS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_bit),
		cmocka_unit_test(each_option),
		cmocka_unit_test(what_domain_0_may_write),
		cmocka_unit_test(log_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
