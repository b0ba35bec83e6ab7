// SPDX-License-Identifier: GPL-2.0-only
/* SVM: what a guest's guest changes around the world switch. */
// SOURCES: hv/svm/run.c hv/svm/vcpu.c hv/svm/inject.c hv/svm/step.c hv/svm/exit.c hv/svm/check.c hv/core/vcpu/sregs.c
#include "svm_run_rig.h"

static u64 exit_code;
static void hw_exit(struct vmcb *b)
{
	b->c.exit_code = exit_code;
}

static bool is_l1s(u64 code)
{
	exit_code = code;
	hardware = hw_exit;
	run();
	return rig_v.exit.nested;
}

/* L1 has all that it may: Bedplate's own stay, and physical events and machine checks are Bedplate's. */
static void l1_intercepts(void **state __unused)
{
	struct vmcb_control own;
	u32 i;

	rig_dom.id = 1;
	exc_exits = 1u << X86_TRAP_MC | 1u << X86_TRAP_DB;
	svm_vcpu_reset(&rig_v);
	svm_sync_controls(&rig_v);
	own = rig_vmcb.c;
	assert_false(is_l1s(SVM_EXIT_CPUID));

	rig_v.nested.flags = BP_NESTED_ON | BP_NESTED_GUEST;
	for (i = 0; i < 6; i++)
		rig_v.nested.intercept[i] = ~0u;
	rig_v.nested.tsc_offset = 5;
	svm_sync_controls(&rig_v);
	assert_int_equal(rig_vmcb.c.intercept_cr, ~0u);
	assert_int_equal(rig_vmcb.c.intercept_dr, ~0u);
	assert_int_equal(rig_vmcb.c.intercept_exc, ~0u);
	assert_int_equal(rig_vmcb.c.intercept1, ~SVM_I1_VINTR);
	assert_int_equal(rig_vmcb.c.intercept2, 0x7fff);
	assert_int_equal(rig_vmcb.c.intercept3, SVM_I3_INVPCID);
	assert_int_equal(rig_vmcb.c.tsc_offset, rig_v.tsc_offset + 5);
	assert_true(is_l1s(0x00) && is_l1s(0x1f) && is_l1s(0x3f) && is_l1s(SVM_EXIT_EXC(6)));
	assert_true(is_l1s(SVM_EXIT_CPUID) && is_l1s(SVM_EXIT_IRET) && is_l1s(SVM_EXIT_RDPRU));
	assert_false(is_l1s(SVM_EXIT_EXC(X86_TRAP_MC)));
	for (i = SVM_EXIT_INTR; i <= SVM_EXIT_VINTR; i++)
		assert_false(is_l1s(i));
	assert_true(is_l1s(SVM_EXIT_INVPCID));
	assert_false(is_l1s(0x8f) || is_l1s(0x9f) || is_l1s(0xa0) || is_l1s(SVM_EXIT_NPF));
	assert_false(is_l1s(SVM_EXIT_BUS_LOCK));

	/* Windows of Bedplate's come and go beside them. */
	svm_window(&rig_v, EVENT_INTR, true);
	svm_window(&rig_v, EVENT_NMI, true);
	assert_int_equal(rig_vmcb.c.intercept1, ~0u);
	svm_window(&rig_v, EVENT_INTR, false);
	svm_window(&rig_v, EVENT_NMI, false);
	assert_int_equal(rig_vmcb.c.intercept1, ~SVM_I1_VINTR);
	assert_int_equal(rig_vmcb.c.intercept_cr, ~0u);

	rig_v.nested = (struct bp_nested){ .flags = BP_NESTED_ON };
	svm_sync_controls(&rig_v);
	assert_memory_equal(&rig_vmcb.c.intercept_cr, &own.intercept_cr, 6 * sizeof(u32));
	assert_int_equal(rig_vmcb.c.tsc_offset, own.tsc_offset);
	exc_exits = 0;
}

/* What L1 injects comes again if it was cut short, INT n too; its NMIs do not block. */
static void l1_events(void **state __unused)
{
	svm_load(&rig_v);
	rig_v.nested.flags = BP_NESTED_ON | BP_NESTED_GUEST | BP_NESTED_NMI;
	inject(EVENT_NMI, 2, false, 0);
	run();
	assert_int_equal(seen.c.event_inj, 0x80000202);
	assert_false(rig_sv.nmi_masked);

	hardware = hw_cut_short;
	rig_v.regs.rip = 0x1234;
	cut_info = 0x80000480;
	inject(EVENT_INT, 0x80, false, 0);
	run();
	assert_int_equal(seen.c.event_inj, 0x80000480);
	assert_int_equal(seen.c.nrip, 0x1234);
	assert_int_equal(rig_v.inject.type, EVENT_INT);
	assert_int_equal(rig_v.inject.vector, 0x80);
	cut_info = 0x80000303;
	inject(EVENT_EXC, 3, false, 0);
	run();
	assert_int_equal(rig_v.inject.type, EVENT_EXC);
	/* L2's own INT3 again. */
	rig_v.inject.type = EVENT_NONE;
	run();
	assert_int_equal(rig_v.inject.type, EVENT_NONE);
}

/* With V_INTR_MASKING L2 has a CR8 of its own. */
static void hw_cr8(struct vmcb *b)
{
	b->c.exit_code = SVM_EXIT_CPUID;
	b->c.int_ctl = (b->c.int_ctl & ~SVM_V_TPR) | 9;
}

static void l2_has_cr8(void **state __unused)
{
	svm_load(&rig_v);
	rig_v.apic.reg[APIC_REG_TPR / 4] = 0x30;
	rig_v.nested = (struct bp_nested){ .flags = BP_NESTED_GUEST | BP_NESTED_TPR, .tpr = 7 };
	hardware = hw_cr8;
	run();
	assert_int_equal(seen.c.int_ctl & SVM_V_TPR, 7);
	assert_int_equal(rig_v.nested.tpr, 9);
	assert_int_equal(rig_v.apic.reg[APIC_REG_TPR / 4], 0x30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(l1_intercepts), T(l1_events), T(l2_has_cr8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
