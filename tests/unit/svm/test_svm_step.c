// SPDX-License-Identifier: GPL-2.0-only
/* SVM: NMI blocking, with the step behind its IRET. */
// SOURCES: hv/svm/run.c hv/svm/vcpu.c hv/svm/inject.c hv/svm/step.c hv/svm/exit.c hv/svm/check.c hv/core/vcpu/sregs.c
#include "svm_run_rig.h"

#define HANDLER_IRET	0x2000u		/* RIP of the handler's IRET */
#define INTERRUPTED	0x1000u

static void hw_iret_or_db(struct vmcb *b)
{
	if (b->c.intercept1 & SVM_I1_IRET) {
		b->s.rip = HANDLER_IRET;
		b->c.exit_code = SVM_EXIT_IRET;
		return;
	}
	assert_true(b->s.rflags & X86_EFLAGS_TF);
	assert_int_equal(b->c.intercept_exc, ~0u);
	b->s.rip = INTERRUPTED;
	b->s.rflags = 0x202;
	b->s.dr6 |= BIT(14);
	b->c.exit_code = SVM_EXIT_EXC(1);
}

/* An NMI goes in and its handler arrives at the IRET. */
static void nmi_to_iret(void)
{
	svm_load(&rig_v);
	rig_vmcb.s.dr6 = 0xffff0ff0;
	rig_v.regs.rip = INTERRUPTED;
	inject(EVENT_NMI, 2, false, 0);
	hardware = hw_iret_or_db;
	assert_int_equal(run(), VM_EXIT_NONE);
	assert_int_equal(rig_v.regs.rip, HANDLER_IRET);
	assert_false(svm_can_inject(&rig_v, EVENT_NMI));
}

static void nmi_ends_after_iret(void **state __unused)
{
	nmi_to_iret();
	assert_int_equal(run(), VM_EXIT_NONE);
	assert_true(svm_can_inject(&rig_v, EVENT_NMI));
	assert_int_equal(rig_v.inject.type, EVENT_NONE);
	assert_int_equal(rig_v.regs.rflags, 0x202);
	assert_int_equal(rig_v.dr6, 0xffff0ff0);
	assert_int_equal(rig_vmcb.s.dr6, 0xffff0ff0);
	assert_int_equal(rig_vmcb.c.intercept_exc, 1u << X86_TRAP_MC);
	assert_false(rig_vmcb.c.intercept1 & SVM_I1_IRET);
}

static void nmi_window_after_iret(void **state __unused)
{
	nmi_to_iret();
	svm_window(&rig_v, EVENT_NMI, true);
	assert_int_equal(run(), VM_EXIT_NMI_WINDOW);
	assert_true(svm_can_inject(&rig_v, EVENT_NMI));
}

static void guest_single_steps_iret(void **state __unused)
{
	nmi_to_iret();
	rig_v.regs.rflags |= X86_EFLAGS_TF;
	run();
	assert_int_equal(rig_v.inject.type, EVENT_EXC);
	assert_int_equal(rig_v.inject.vector, X86_TRAP_DB);
	assert_int_equal(rig_v.dr6, 0xffff4ff0);
}

static void hw_iret_faults(struct vmcb *b)
{
	assert_true(b->s.rflags & X86_EFLAGS_TF);
	b->c.exit_code = SVM_EXIT_EXC(14);
	b->c.info1 = 2;
	b->c.info2 = 0xbad000;
}

static void iret_faults(void **state __unused)
{
	nmi_to_iret();
	hardware = hw_iret_faults;
	assert_int_equal(run(), VM_EXIT_NONE);
	assert_int_equal(rig_v.inject.type, EVENT_EXC);
	assert_int_equal(rig_v.inject.vector, 14);
	assert_int_equal(rig_v.inject.error, 2);
	assert_int_equal(rig_v.regs.cr2, 0xbad000);
	assert_false(rig_v.regs.rflags & X86_EFLAGS_TF);
	assert_false(rig_sv.nmi_masked);
}

static void hw_intr(struct vmcb *b)
{
	b->c.exit_code = SVM_EXIT_INTR;
}

static void step_is_undone(void **state __unused)
{
	nmi_to_iret();
	hardware = hw_intr;
	assert_int_equal(run(), VM_EXIT_INTR);
	assert_true(seen.s.rflags & X86_EFLAGS_TF);
	assert_false(rig_v.regs.rflags & X86_EFLAGS_TF);
	assert_true(rig_sv.nmi_masked);
	/* It comes to the IRET again, and the second time it works. */
	hardware = hw_iret_or_db;
	assert_int_equal(run(), VM_EXIT_NONE);
	assert_true(rig_sv.nmi_masked);
	assert_int_equal(run(), VM_EXIT_NONE);
	assert_false(rig_sv.nmi_masked);
}

static void event_goes_before_the_step(void **state __unused)
{
	nmi_to_iret();
	inject(EVENT_INTR, 0x40, false, 0);
	assert_int_equal(run(), VM_EXIT_NONE);
	assert_false(seen.s.rflags & X86_EFLAGS_TF);
	assert_true(seen.c.event_inj & SVM_EVT_VALID);
	assert_true(rig_sv.nmi_masked);
}

static void hw_after_shadow(struct vmcb *b)
{
	assert_true(b->s.rflags & X86_EFLAGS_TF);
	b->s.rip += 1;
	b->s.dr6 |= BIT(14);
	b->c.int_state = 0;
	b->c.exit_code = SVM_EXIT_EXC(1);
}

static void nmi_over_a_shadow(void **state __unused)
{
	svm_load(&rig_v);
	svm_set_block(&rig_v, KVM_X86_SHADOW_INT_MOV_SS, 0);
	svm_window(&rig_v, EVENT_NMI, true);
	hardware = hw_after_shadow;
	assert_int_equal(run(), VM_EXIT_NMI_WINDOW);
	assert_false(rig_v.regs.rflags & X86_EFLAGS_TF);
	assert_true(svm_can_inject(&rig_v, EVENT_NMI));
	assert_int_equal(rig_v.inject.type, EVENT_NONE);
}

/* The VMM's debugger comes between the IRET's intercept and its step. */
static void rules_change_before_the_step(void **state __unused)
{
	nmi_to_iret();
	exc_exits = EXC_EXITS | 1u << X86_TRAP_BP;
	svm_sync_controls(&rig_v);
	assert_int_equal(run(), VM_EXIT_NONE);
	assert_int_equal(seen.c.intercept_exc, ~0u);
	assert_int_equal(rig_vmcb.c.intercept_exc, exc_exits);
}

static void nmi_behind_another_event(void **state __unused)
{
	svm_load(&rig_v);
	inject(EVENT_EXC, 6, false, 0);
	svm_window(&rig_v, EVENT_NMI, true);
	hardware = hw_iret_or_db;
	assert_int_equal(run(), VM_EXIT_NMI_WINDOW);
	assert_true(svm_can_inject(&rig_v, EVENT_NMI));
	assert_false(rig_vmcb.c.intercept1 & SVM_I1_IRET);
}

static void migrated_nmi_masking(void **state __unused)
{
	u8 shadow, masked;

	svm_load(&rig_v);
	svm_set_block(&rig_v, 0, 1);
	svm_get_block(&rig_v, &shadow, &masked);
	assert_true(!shadow && masked);
	hardware = hw_iret_or_db;
	assert_int_equal(run(), VM_EXIT_NONE);
	assert_int_equal(run(), VM_EXIT_NONE);
	assert_true(svm_can_inject(&rig_v, EVENT_NMI));
	assert_int_equal(entries, 2);
}

static void hw_no_step(struct vmcb *b)
{
	assert_false(b->s.rflags & X86_EFLAGS_TF);
	b->c.exit_code = SVM_EXIT_HLT;
}

/* Between the intercept of IRET and its step an SMI puts other code in its place. */
static void no_step_of_what_smm_puts_there(void **state __unused)
{
	svm_load(&rig_v);
	svm_set_block(&rig_v, 0, 1);
	hardware = hw_iret_or_db;
	assert_int_equal(run(), VM_EXIT_NONE);
	rig_v.regs.rip = 0x8000;
	svm_set_block(&rig_v, 0, 1);
	hardware = hw_no_step;
	assert_int_equal(run(), VM_EXIT_HLT);
	assert_false(svm_can_inject(&rig_v, EVENT_NMI));
	assert_true(rig_vmcb.c.intercept1 & SVM_I1_IRET);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(nmi_ends_after_iret), T(nmi_window_after_iret), T(guest_single_steps_iret), T(iret_faults),
		T(step_is_undone), T(event_goes_before_the_step), T(nmi_over_a_shadow),
		T(rules_change_before_the_step), T(nmi_behind_another_event), T(migrated_nmi_masking),
		T(no_step_of_what_smm_puts_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
