// SPDX-License-Identifier: GPL-2.0-only
/* SVM, around the world switch: registers, ASIDs and flushes, injection, windows. */
// SOURCES: hv/svm/run.c hv/svm/vcpu.c hv/svm/inject.c hv/svm/step.c hv/svm/exit.c hv/svm/check.c hv/core/vcpu/sregs.c
#include "svm_run_rig.h"

/* IF clear for long: physical interrupts are looked for, then it goes on. */
static void interrupts_overdue(void **state __unused)
{
	int i;

	svm_load(&rig_v);
	for (i = 1; i < IRQ_MASKED_ENTRIES; i++)
		assert_int_equal(run(), VM_EXIT_CPUID);
	rig_v.inject.type = EVENT_EXC;
	assert_int_equal(run(), VM_EXIT_INTR);
	assert_int_equal(rig_v.inject.type, EVENT_EXC);
	assert_int_equal(entries, IRQ_MASKED_ENTRIES - 1);
	for (i = 1; i < IRQ_MASKED_ENTRIES; i++)
		assert_int_equal(run(), VM_EXIT_CPUID);
	rig_v.regs.rflags |= X86_EFLAGS_IF;
	assert_int_equal(run(), VM_EXIT_CPUID);
	rig_v.regs.rflags &= ~X86_EFLAGS_IF;
	assert_int_equal(run(), VM_EXIT_CPUID);
}

/* ---- registers, TLB ---- */

static void hw_registers(struct vmcb *b)
{
	b->s.rax = 11;
	b->s.rsp = 12;
	b->s.rip = 13;
	b->s.rflags = 0x202;
	b->s.cr2 = 14;
	b->s.dr6 = 15;
	b->s.dr7 = 16;
	b->c.int_ctl = (b->c.int_ctl & ~SVM_V_TPR) | 9;
	b->c.exit_code = SVM_EXIT_HLT;
}

static void registers_move(void **state __unused)
{
	svm.clean_all = SVM_CLEAN_ALL;
	rig_v.regs = (struct vcpu_regs){ .rip = 3, .rflags = 4, .cr2 = 5 };
	rig_v.regs.gpr[RAX] = 1;
	rig_v.regs.gpr[RSP] = 2;
	rig_v.apic.reg[APIC_REG_TPR / 4] = 0x73;
	hardware = hw_registers;
	svm_load(&rig_v);
	assert_int_equal(run(), VM_EXIT_HLT);
	assert_int_equal(seen.s.rax, 1);
	assert_int_equal(seen.s.rsp, 2);
	assert_int_equal(seen.s.rip, 3);
	assert_int_equal(seen.s.rflags, 4);
	assert_int_equal(seen.s.cr2, 5);
	assert_int_equal(seen.c.int_ctl & 0xff, 7);
	assert_int_equal(seen.c.n_cr3, 0x7000);
	assert_int_equal(seen.c.clean, 0);
	assert_int_equal(rig_v.regs.gpr[RAX], 11);
	assert_int_equal(rig_v.regs.gpr[RSP], 12);
	assert_int_equal(rig_v.regs.rip, 13);
	assert_int_equal(rig_v.regs.rflags, 0x202);
	assert_int_equal(rig_v.regs.cr2, 14);
	assert_int_equal(rig_v.dr6, 15);
	assert_int_equal(rig_v.dr7, 16);
	assert_int_equal(rig_v.apic.reg[APIC_REG_TPR / 4], 0x90);

	/* Nothing changed since: everything is clean. CR2 changed: all but it. */
	run();
	assert_int_equal(seen.c.clean, SVM_CLEAN_ALL);
	rig_v.regs.cr2 = 77;
	run();
	assert_int_equal(seen.c.clean, SVM_CLEAN_ALL & ~SVM_CLEAN_CR2);
}

static void low_tpr_bits_stay(void **state __unused)
{
	rig_v.apic.reg[APIC_REG_TPR / 4] = 0x73;
	svm_load(&rig_v);
	run();
	assert_int_equal(rig_v.apic.reg[APIC_REG_TPR / 4], 0x73);
}

static void speculation_before_entry(void **state __unused)
{
	svm_load(&rig_v);
	run();
	assert_int_equal(spec_entries, 0);
	rig_cpu.spec_entry = true;
	run();
	assert_int_equal(spec_entries, 1);
}

static void asids_roll_over(void **state __unused)
{
	u32 want, round;

	svm_load(&rig_v);
	for (round = 0; round < 3; round++) {
		for (want = 1; want <= 3; want++) {
			svm_flush(&rig_v);
			run();
			assert_int_equal(seen.c.asid, want);
			assert_int_equal(seen.c.tlb_ctl,
					 want == 1 ? SVM_TLB_FLUSH_ALL : SVM_TLB_NONE);
			run();
			assert_int_equal(seen.c.asid, want);
			assert_int_equal(seen.c.tlb_ctl, SVM_TLB_NONE);
		}
	}
}

static void another_cpu_takes_a_new_asid(void **state __unused)
{
	svm_load(&rig_v);
	run();
	assert_int_equal(seen.c.asid, 1);
	svm_put(&rig_v);
	svm_load(&rig_v);
	run();
	assert_int_equal(seen.c.asid, 1);
	rig_cpu.index = 1;
	svm.clean_all = SVM_CLEAN_ALL;
	run();
	svm_load(&rig_v);
	run();
	assert_int_equal(seen.c.asid, 2);
	assert_int_equal(seen.c.clean, 0);
	rig_dom.npt.table = 0x8000;
	svm_load(&rig_v);
	run();
	assert_int_equal(seen.c.n_cr3, 0x8000);
	assert_int_equal(seen.c.asid, 3);
}

/* Where the last x87 instruction was (SDM vol. 1, 8.1.8). */
static u32 last_fp_insn(void)
{
	u32 env[7];

	__asm__ volatile("fnstenv %0; fldenv %0" : "+m"(env));
	return env[3];
}

/* Where XRSTOR leaves that to the next vCPU it finds ours. */
static void fp_pointers_are_forgotten(void **state __unused)
{
	u32 others;

	__asm__ volatile("fninit; fld1");
	others = last_fp_insn();
	if (!others)
		skip();			/* this processor does not tell */
	svm_load(&rig_v);
	assert_int_equal(last_fp_insn(), others);
	svm.fp_pointers_stay = true;
	svm_load(&rig_v);
	assert_int_not_equal(last_fp_insn(), others);
	__asm__ volatile("fninit");
}

static void flush_by_asid(void **state __unused)
{
	svm.flush_by_asid = true;
	svm_load(&rig_v);
	run();
	svm_flush(&rig_v);
	run();
	assert_int_equal(seen.c.asid, 1);
	assert_int_equal(seen.c.tlb_ctl, SVM_TLB_FLUSH_ASID);
	run();
	assert_int_equal(seen.c.tlb_ctl, SVM_TLB_NONE);
	/* A flush of all is not weakened by one that follows. */
	rig_sv.asid_gen = 0;
	rig_cpu.svm.asid_next = 4;
	svm_flush(&rig_v);
	run();
	assert_int_equal(seen.c.tlb_ctl, SVM_TLB_FLUSH_ALL);
}

/* ---- injection ---- */

/* TCG: an injected interrupt, and nothing else, takes a kick along. */
static void kick_follows_interrupt(void **state __unused)
{
	svm.tcg = true;
	svm_load(&rig_v);
	inject(EVENT_EXC, 6, false, 0);
	run();
	assert_int_equal(kicks, 0);
	inject(EVENT_INTR, 0xec, false, 0);
	run();
	assert_int_equal(kicks, 1);
	assert_int_equal(seen.c.event_inj, 0x800000ec);
	svm.tcg = false;
}

/* TCG: after a run with V_IRQ set the APIC is asked again; nowhere else. */
static void interrupts_are_recalled(void **state __unused)
{
	struct svm_vcpu *sv = rig_v.arch;

	svm.tcg = true;
	svm_load(&rig_v);
	tpr_writes = 0;
	run();
	assert_int_equal(tpr_writes, 0);
	sv->irq_window = true;
	run();
	assert_int_equal(tpr_writes, 1);
	svm.tcg = false;
	run();
	assert_int_equal(tpr_writes, 1);
	sv->irq_window = false;
}

static void event_words(void **state __unused)
{
	svm_load(&rig_v);
	inject(EVENT_INTR, 0xec, false, 0);
	run();
	assert_int_equal(seen.c.event_inj, 0x800000ec);
	inject(EVENT_EXC, 13, true, 0x1234);
	run();
	assert_int_equal(seen.c.event_inj, 0x000012348000030dull | SVM_EVT_ERROR);
	inject(EVENT_EXC, 6, false, 0x1234);
	run();
	assert_int_equal(seen.c.event_inj, 0x80000306);
	inject(EVENT_NMI, 99, false, 0);
	run();
	assert_int_equal(seen.c.event_inj, 0x80000202);
	assert_int_equal(rig_v.inject.type, EVENT_NONE);
	/* Injection leaves DR6 and DR7 alone: what a delivery does to them comes first. */
	rig_v.inject = (struct vcpu_event){ .type = EVENT_EXC, .vector = 1, .dr6 = X86_DR6_BS };
	((struct svm_vcpu *)rig_v.arch)->vmcb->s.dr6 = X86_DR6_INIT | 1;
	((struct svm_vcpu *)rig_v.arch)->vmcb->s.dr7 = X86_DR7_INIT | X86_DR7_GD;
	run();
	assert_int_equal(seen.c.event_inj, 0x80000301);
	assert_int_equal(seen.s.dr6, X86_DR6_INIT | X86_DR6_BS);
	assert_int_equal(seen.s.dr7, X86_DR7_INIT);
	/* Executed again, not injected. */
	inject(EVENT_SOFT, 0x80, false, 0);
	run();
	assert_false(seen.c.event_inj & SVM_EVT_VALID);
	assert_int_equal(rig_v.inject.type, EVENT_NONE);
}

static void cut_short(void **state __unused)
{
	static const struct {
		u64 info;
		struct vcpu_event ev;
	} t[] = {
		{ 0x800000ec, { .type = EVENT_INTR, .vector = 0xec, .has_error = false, .error = 0 } },
		{ 0x80000202, { .type = EVENT_NMI, .vector = 2, .has_error = false, .error = 0 } },
		{ 0x80000306, { .type = EVENT_EXC, .vector = 6, .has_error = false, .error = 0 } },
		{ 0x0000000780000b0eull, { .type = EVENT_EXC, .vector = 14, .has_error = true, .error = 7 } },
		{ 0x80000303, { .type = EVENT_NONE, .vector = 0, .has_error = false, .error = 0 } },
		{ 0x80000304, { .type = EVENT_NONE, .vector = 0, .has_error = false, .error = 0 } },
		{ 0x80000480, { .type = EVENT_NONE, .vector = 0, .has_error = false, .error = 0 } },
		{ 0x000000ec, { .type = EVENT_NONE, .vector = 0, .has_error = false, .error = 0 } },
	};
	size_t i;

	svm_load(&rig_v);
	hardware = hw_cut_short;
	for (i = 0; i < ARRAY_SIZE(t); i++) {
		rig_v.inject.type = EVENT_NONE;
		cut_info = t[i].info;
		assert_int_equal(run(), VM_EXIT_NPF);
		assert_int_equal(rig_v.inject.type, t[i].ev.type);
		if (!t[i].ev.type)
			continue;
		assert_int_equal(rig_v.inject.vector, t[i].ev.vector);
		assert_int_equal(rig_v.inject.has_error, t[i].ev.has_error);
		assert_int_equal(rig_v.inject.error, t[i].ev.error);
	}
}

/* ---- windows ---- */

static void hw_vintr(struct vmcb *b)
{
	b->c.exit_code = SVM_EXIT_VINTR;
}

static void interrupt_window(void **state __unused)
{
	u8 shadow, masked;

	svm_load(&rig_v);
	assert_false(svm_can_inject(&rig_v, EVENT_INTR));
	rig_v.regs.rflags |= X86_EFLAGS_IF;
	assert_true(svm_can_inject(&rig_v, EVENT_INTR));
	svm_set_block(&rig_v, KVM_X86_SHADOW_INT_STI, 0);
	assert_false(svm_can_inject(&rig_v, EVENT_INTR));
	assert_false(svm_can_inject(&rig_v, EVENT_NMI));
	svm_get_block(&rig_v, &shadow, &masked);
	assert_true(shadow && !masked);
	svm_set_block(&rig_v, 0, 0);
	inject(EVENT_EXC, 6, false, 0);
	assert_false(svm_can_inject(&rig_v, EVENT_INTR));
	rig_v.inject.type = EVENT_NONE;

	svm_window(&rig_v, EVENT_INTR, true);
	hardware = hw_vintr;
	assert_int_equal(run(), VM_EXIT_IRQ_WINDOW);
	assert_true(seen.c.intercept1 & SVM_I1_VINTR);
	assert_int_equal(seen.c.int_ctl & (SVM_V_IRQ | SVM_V_IGN_TPR | SVM_V_INTR_PRIO),
			 SVM_V_IRQ | SVM_V_IGN_TPR | SVM_V_INTR_PRIO);
	/* The dummy is withdrawn, and so is the guard on CR8. */
	assert_int_equal(seen.c.intercept_cr, SVM_CR_WRITE(8));
	hardware = hw_cpuid;
	run();
	assert_false(seen.c.intercept1 & SVM_I1_VINTR);
	assert_false(seen.c.int_ctl & SVM_V_IRQ);
	assert_int_equal(seen.c.intercept_cr, 0);
}

static void tpr_threshold(void **state __unused)
{
	const u32 others = SVM_CR_WRITE(4);

	rig_vmcb.c.intercept_cr = others;
	svm_load(&rig_v);
	svm_tpr_threshold(&rig_v, 4);
	svm_window(&rig_v, EVENT_INTR, true);
	svm_window(&rig_v, EVENT_INTR, false);
	run();
	assert_int_equal(seen.c.intercept_cr, SVM_CR_WRITE(8) | others);
	svm_tpr_threshold(&rig_v, 0);
	run();
	assert_int_equal(seen.c.intercept_cr, others);
}

/* Only who has DR0-3 in the CPU moves them without an exit, and not past a debugger. */
static void mov_dr(void **state __unused)
{
	rig_dom.id = 1;
	svm_vcpu_reset(&rig_v);
	svm_sync_controls(&rig_v);
	assert_int_equal(rig_vmcb.c.intercept_dr, ~0u);
	rig_v.dr_own = true;
	svm_sync_controls(&rig_v);
	assert_int_equal(rig_vmcb.c.intercept_dr, 0);
	rig_v.rules.flags = BP_RULE_DEBUG;
	svm_sync_controls(&rig_v);
	assert_int_equal(rig_vmcb.c.intercept_dr, ~0u);
}

static void hw_bus_lock(struct vmcb *b)
{
	b->c.exit_code = b->c.bus_locks ? SVM_EXIT_CPUID : SVM_EXIT_BUS_LOCK;
	if (b->c.bus_locks)
		b->c.bus_locks--;
}

/* A guest's exit, where the CPU can; the locked access comes to its end at the second attempt. */
static void bus_locks(void **state __unused)
{
	rig_dom.id = 1;
	svm_vcpu_reset(&rig_v);
	svm_sync_controls(&rig_v);
	assert_int_equal(rig_vmcb.c.intercept3, 0);
	svm.bus_lock = true;
	svm_vcpu_reset(&rig_v);
	svm_sync_controls(&rig_v);
	assert_int_equal(rig_vmcb.c.intercept3, SVM_I3_BUS_LOCK);
	hardware = hw_bus_lock;
	assert_int_equal(run(), VM_EXIT_BUS_LOCK);
	assert_int_equal(run(), VM_EXIT_CPUID);
	assert_int_equal(run(), VM_EXIT_BUS_LOCK);
	rig_dom.id = 0;
	svm_vcpu_reset(&rig_v);
	svm_sync_controls(&rig_v);
	assert_int_equal(rig_vmcb.c.intercept3, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(registers_move), T(low_tpr_bits_stay), T(speculation_before_entry), T(asids_roll_over),
		T(another_cpu_takes_a_new_asid), T(flush_by_asid), T(fp_pointers_are_forgotten),
		T(kick_follows_interrupt), T(interrupts_are_recalled), T(interrupts_overdue), T(event_words),
		T(cut_short), T(interrupt_window), T(tpr_threshold), T(mov_dr), T(bus_locks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
