// SPDX-License-Identifier: GPL-2.0-only
/*
 * SVM: the path around the world switch, which is the test's own: registers,
 * ASIDs and flushes, injection, windows, NMI blocking with its step.
 */
// SOURCES: hv/svm/run.c hv/svm/vcpu.c hv/svm/inject.c hv/svm/step.c hv/svm/exit.c hv/svm/check.c hv/core/vcpu/sregs.c
#include "svm_rig.h"
#include "hv/core/machine/cpu.h"
#include "hv/core/memory/domain.h"
#include "hv/core/apic/irq.h"
#include "hv/core/machine/lapic.h"
#include "hv/core/vcpu/speculation.h"
#include "hv/core/machine/trap.h"
#include "hv/core/machine/tsc.h"

u64 tsc_khz = 1000 * 1000 * 1000;	/* so that no test here takes long */

static struct cpu rig_cpu;
static struct domain rig_dom;

/* What the "hardware" does at the next entry, and what it saw. */
static void (*hardware)(struct vmcb *b);
static struct vmcb seen;
static int entries;

struct cpu *this_cpu(void)
{
	return &rig_cpu;
}

void vlapic_set_cr8(struct vcpu *v, u8 cr8)
{
	v->apic.reg[APIC_REG_TPR / 4] = cr8 << 4;
}

/* Of a vCPU's making, which is not tried here. */
void *domain_page_alloc(struct domain *d __unused) { return NULL; }
void domain_page_free(struct domain *d __unused, void *page __unused) { fail(); }
hpa_t virt_to_phys(const void *va __unused) { return 0; }
hpa_t svm_iopm(const struct vcpu *v __unused) { return 0x8000; }
hpa_t svm_msrpm(const struct vcpu *v __unused) { return 0x9000; }

static u32 exc_exits;

u32 vcpu_exc_exits(const struct vcpu *v __unused) { return exc_exits; }

static int spec_entries;

void spec_entry(struct cpu *c)
{
	assert_ptr_equal(c, &rig_cpu);
	spec_entries++;
}

void svm_enter(struct vcpu_regs *regs, hpa_t vmcb, hpa_t host_vmcb)
{
	assert_ptr_equal(regs, &rig_v.regs);
	assert_int_equal(vmcb, 0x5000);
	assert_int_equal(host_vmcb, 0x6000);
	seen = rig_vmcb;
	entries++;
	rig_vmcb.c.event_inj &= ~SVM_EVT_VALID;
	rig_vmcb.c.exit_int_info = 0;
	hardware(&rig_vmcb);
}

static void hw_cpuid(struct vmcb *b)
{
	b->c.exit_code = SVM_EXIT_CPUID;
}

static int setup(void **state)
{
	rig_setup(state);
	memset(&rig_cpu, 0, sizeof(rig_cpu));
	memset(&rig_dom, 0, sizeof(rig_dom));
	rig_dom.npt.table = 0x7000;
	rig_v.dom = &rig_dom;
	rig_v.regs.rflags = 2;
	rig_sv.vmcb_pa = 0x5000;
	rig_sv.cpu_index = ~0u;
	rig_cpu.svm.host_vmcb = 0x6000;
	rig_cpu.svm.asid_gen = 1;
	rig_cpu.svm.asid_next = 4;
	rig_cpu.svm.asid_max = 3;
	rig_vmcb.c.intercept_exc = 1u << X86_TRAP_MC;
	hardware = hw_cpuid;
	entries = 0;
	return 0;
}

static enum vm_exit_reason run(void)
{
	svm_run(&rig_v);
	return rig_v.exit.reason;
}

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

static void inject(u8 type, u8 vector, bool has_error, u32 error)
{
	rig_v.inject = (struct vcpu_event){ .type = type, .vector = vector, .has_error = has_error, .error = error };
}

static int kicks;

void lapic_send_ipi(u32 apic_id, u8 vector)
{
	assert_int_equal(apic_id, rig_cpu.apic_id);
	assert_int_equal(vector, VECTOR_KICK);
	kicks++;
}

static u32 tpr_writes;

void lapic_write(u32 reg, u32 val)
{
	assert_int_equal(reg, LAPIC_TPR);
	assert_int_equal(val, 0);
	tpr_writes++;
}

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

static u64 cut_info;
static void hw_cut_short(struct vmcb *b)
{
	b->c.exit_code = SVM_EXIT_NPF;
	b->c.exit_int_info = cut_info;
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

/* ---- NMI blocking ---- */

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

/* ---- a guest's guest ---- */

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

#define T(f) cmocka_unit_test_setup(f, setup)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(registers_move), T(low_tpr_bits_stay), T(speculation_before_entry), T(asids_roll_over),
		T(another_cpu_takes_a_new_asid), T(flush_by_asid), T(fp_pointers_are_forgotten),
		T(kick_follows_interrupt),
		T(interrupts_are_recalled), T(interrupts_overdue), T(event_words),
		T(cut_short), T(interrupt_window), T(tpr_threshold),
		T(nmi_ends_after_iret), T(nmi_window_after_iret),
		T(guest_single_steps_iret), T(iret_faults), T(step_is_undone),
		T(event_goes_before_the_step), T(nmi_over_a_shadow),
		T(rules_change_before_the_step), T(nmi_behind_another_event), T(migrated_nmi_masking), T(no_step_of_what_smm_puts_there),
		T(bus_locks), T(l1_intercepts), T(l1_events), T(l2_has_cr8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
