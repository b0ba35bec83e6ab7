// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMX exit reasons and their qualification become neutral exits; events go
 * into the VMCS and, cut short, come back.
 */
// SOURCES: hv/vmx/exit.c hv/vmx/inject.c hv/vmx/check.c hv/core/vcpu/sregs.c
#include "vmx_rig.h"
#include "hv/core/machine/trap.h"

static int nmis;
static u64 debug;

void trap_take_nmi(void)
{
	nmis++;
}

void vmx_take_debug(u64 qualification)
{
	debug = qualification;
}

static const struct vm_exit *decode(u32 reason, u64 qual)
{
	rig_vmcs[VMCS_QUALIFICATION] = qual;
	vmx_decode_exit(&rig_v, reason);
	return &rig_v.exit;
}

/* ---- exits ---- */

static void plain_reasons(void **state __unused)
{
	static const struct {
		u32 hw;
		enum vm_exit_reason reason;
		bool insn;
	} t[] = {
		{ 1, VM_EXIT_INTR, false }, { 2, VM_EXIT_SHUTDOWN, false },
		{ 3, VM_EXIT_INIT, false }, { 6, VM_EXIT_SMI, false },
		{ 7, VM_EXIT_IRQ_WINDOW, false }, { 8, VM_EXIT_NMI_WINDOW, false },
		{ 10, VM_EXIT_CPUID, true }, { 11, VM_EXIT_UNDEFINED, true },
		{ 29, VM_EXIT_MOV_DR, false }, { 12, VM_EXIT_HLT, true }, { 13, VM_EXIT_WBINVD, true },
		{ 15, VM_EXIT_PROTECTION, true },
		{ 18, VM_EXIT_HYPERCALL, true }, { 19, VM_EXIT_UNDEFINED, true },
		{ 23, VM_EXIT_UNDEFINED, true }, { 27, VM_EXIT_UNDEFINED, true },
		{ 31, VM_EXIT_RDMSR, true }, { 32, VM_EXIT_WRMSR, true },
		{ 36, VM_EXIT_MWAIT, true }, { 39, VM_EXIT_MWAIT, true },
		{ 40, VM_EXIT_PAUSE, true }, { 43, VM_EXIT_NONE, false },
		{ 50, VM_EXIT_UNDEFINED, true }, { 52, VM_EXIT_INTR, false },
		{ 53, VM_EXIT_UNDEFINED, true },
		{ 54, VM_EXIT_WBINVD, true }, { 55, VM_EXIT_XSETBV, true },
		{ 60, VM_EXIT_UNDEFINED, true }, { 74, VM_EXIT_BUS_LOCK, false },
		{ 76, VM_EXIT_UNDEFINED, true }, { 77, VM_EXIT_UNDEFINED, true },
	};
	size_t i;

	rig_vmcs[VMCS_INSN_LEN] = 3;
	for (i = 0; i < ARRAY_SIZE(t); i++) {
		const struct vm_exit *e = decode(t[i].hw, 9);

		assert_int_equal(e->reason, t[i].reason);
		assert_int_equal(e->hw_reason, t[i].hw);
		assert_int_equal(e->hw_info[0], 9);
		assert_int_equal(e->insn_len, t[i].insn ? 3 : 0);
		assert_int_equal(rig_v.inject.type, EVENT_NONE);
	}
}

/* The CPL is SS.DPL. */
static void hypercall(void **state __unused)
{
	rig_vmcs[VMCS_SEG_AR(SEG_SS)] = 0x93 | 3 << 5;
	assert_int_equal(decode(18, 0)->reason, VM_EXIT_HYPERCALL);
	assert_int_equal(rig_v.exit.cpl, 3);
	rig_vmcs[VMCS_SEG_AR(SEG_SS)] = 0x93;
	assert_int_equal(decode(18, 0)->cpl, 0);
}

static void unknown_reasons(void **state __unused)
{
	static const u32 t[] = {
		4, 14, 16, 17, 35, 37, 38, 42, 47, 49, 51, 59, 61, 62,
		73, 78, 0xffff,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(t); i++)
		assert_int_equal(decode(t[i], 0)->reason, VM_EXIT_UNKNOWN);
}

static void refused(void **state __unused)
{
	const struct vm_exit *e;

	rig_vmcs[VMCS_ENTRY_INTR] = INTR_VALID | 0x30;
	e = decode(BIT(31) | 33, 0);
	assert_int_equal(e->reason, VM_EXIT_FAIL_ENTRY);
	assert_int_equal(e->hw_reason, 0x80000021);
	assert_int_equal(rig_vmcs[VMCS_ENTRY_INTR], 0);
	assert_int_equal(decode(BIT(31) | 34, 1)->reason, VM_EXIT_FAIL_ENTRY);
	assert_int_equal(decode(BIT(31) | 41, 0)->reason, VM_EXIT_MCE);
	rig_vmcs[VMCS_INSN_ERROR] = 7;
	vmx_decode_failure(&rig_v);
	assert_int_equal(rig_v.exit.reason, VM_EXIT_FAIL_ENTRY);
	assert_int_equal(rig_v.exit.hw_reason, 7);
}

static void io(void **state __unused)
{
	const struct vm_exit *e = decode(30, 0x03f80009);	/* IN AX, DX */

	assert_int_equal(e->reason, VM_EXIT_IO);
	assert_int_equal(e->io.port, 0x3f8);
	assert_int_equal(e->io.size, 2);
	assert_true(e->io.in && !e->io.string && !e->io.rep);
	e = decode(30, 0xffff0033);				/* REP OUTSD */
	assert_int_equal(e->io.port, 0xffff);
	assert_int_equal(e->io.size, 4);
	assert_true(!e->io.in && e->io.string && e->io.rep);
	assert_int_equal(decode(30, 0x00800040)->io.size, 1);	/* OUT imm8, AL */
}

static void npf(void **state __unused)
{
	const gpa_t gpa = 0x123456789abcull;

	rig_vmcs[VMCS_GUEST_PHYSICAL] = gpa;
	assert_int_equal(decode(48, 0x181)->reason, VM_EXIT_NPF);
	assert_int_equal(rig_v.exit.npf.gpa, gpa);
	assert_int_equal(rig_v.exit.npf.flags, 0);
	assert_int_equal(decode(48, 0x182)->npf.flags, NPF_WRITE);
	assert_int_equal(decode(48, 0x18a)->npf.flags, NPF_WRITE | NPF_PRESENT);
	assert_int_equal(decode(48, 0x184)->npf.flags, NPF_EXEC);
	assert_int_equal(decode(48, 0x083)->npf.flags, NPF_WRITE | NPF_PT);
	/* No linear address: a PDPTE load, no walk. */
	assert_int_equal(decode(48, 0x001)->npf.flags, 0);
}

static void virtual_apic(void **state __unused)
{
	const struct vm_exit *e;

	rig_v.apic.base = 0xfee00900;
	e = decode(44, 0x0390);				/* read by an instruction */
	assert_int_equal(e->reason, VM_EXIT_NPF);
	assert_int_equal(e->npf.gpa, 0xfee00390);
	assert_int_equal(e->npf.flags, NPF_PRESENT);
	assert_int_equal(decode(44, 0x1300)->npf.flags, NPF_PRESENT | NPF_WRITE);
	assert_int_equal(decode(44, 0x2300)->npf.flags, NPF_PRESENT | NPF_EXEC);
	assert_int_equal(decode(44, 0x3300)->npf.flags, NPF_PRESENT | NPF_PT);
	assert_int_equal(decode(44, 0xa300)->npf.flags, NPF_PRESENT | NPF_PT);
	assert_int_equal(decode(44, 0xf300)->npf.flags, NPF_PRESENT | NPF_PT);
	assert_int_equal(decode(45, 0x51)->reason, VM_EXIT_EOI);
	assert_int_equal(rig_v.exit.vector, 0x51);
	assert_int_equal(decode(56, 0x300)->reason, VM_EXIT_APIC_WRITE);
	assert_int_equal(rig_v.exit.apic_reg, 0x300);
	assert_int_equal(rig_v.exit.insn_len, 0);
	/* The page is where it is, whatever the base's bits from 32 on, which do not count. */
	rig_v.apic.base = 0x1fee00000 | APIC_BASE_ENABLE;
	assert_int_equal(decode(44, 0x1080)->reason, VM_EXIT_NPF);
	assert_int_equal(rig_v.exit.npf.gpa, 0xfee00080);
	assert_int_equal(rig_v.exit.npf.flags, NPF_PRESENT | NPF_WRITE);
}

/* The exit takes the interrupt, where that is asked for; what it left waits still. */
static void taken(void **state __unused)
{
	rig_vmcs[VMCS_EXIT_INTR] = INTR_VALID | 0xf8;
	assert_int_equal(decode(1, 0)->reason, VM_EXIT_INTR);
	assert_int_equal(rig_v.exit.taken, 0);
	vmx.ctl.posted = true;
	assert_int_equal(decode(1, 0)->taken, 0x1f8);
	assert_int_equal(decode(52, 0)->reason, VM_EXIT_INTR);
	assert_int_equal(rig_v.exit.taken, 0);
	rig_vmcs[VMCS_EXIT_INTR] = 0xf8;		/* domain 0's: not valid */
	assert_int_equal(decode(1, 0)->taken, 0);
}

static void control_registers(void **state __unused)
{
	rig_v.regs.rip = 0x1000;
	rig_v.apic.reg[APIC_REG_TPR / 4] = 0x75;
	rig_vmcs[VMCS_INSN_LEN] = 4;
	assert_int_equal(decode(28, 0x300)->reason, VM_EXIT_CR0_WRITE);
	assert_int_equal(decode(28, 0x304)->reason, VM_EXIT_CR4_WRITE);
	assert_int_equal(decode(28, 0x308)->reason, VM_EXIT_CR8_WRITE);
	assert_int_equal(rig_v.exit.insn_len, 4);
	assert_int_equal(decode(28, 0x303)->reason, VM_EXIT_UNKNOWN);
	assert_int_equal(decode(28, 0x020)->reason, VM_EXIT_UNKNOWN);
	assert_int_equal(rig_v.regs.rip, 0x1000);
	/* MOV R10, CR8 is done here. */
	rig_x.intr_state = INTR_STATE_STI;
	assert_int_equal(decode(28, 0xa18)->reason, VM_EXIT_NONE);
	assert_int_equal(rig_v.regs.gpr[R10], 7);
	assert_int_equal(rig_v.regs.rip, 0x1004);
	assert_int_equal(rig_x.intr_state, 0);
}

static void task_switches(void **state __unused)
{
	const struct vm_exit *e;

	rig_vmcs[VMCS_INSN_LEN] = 7;
	e = decode(9, 0x00000028);
	assert_int_equal(e->reason, VM_EXIT_TASK_SWITCH);
	assert_int_equal(e->task.selector, 0x28);
	assert_int_equal(e->task.source, TASK_CALL);
	assert_int_equal(e->insn_len, 7);
	assert_int_equal(decode(9, 0x40000028)->task.source, TASK_IRET);
	assert_int_equal(decode(9, 0x8000fff8)->task.source, TASK_JMP);
	assert_int_equal(rig_v.exit.task.selector, 0xfff8);
	/* By a gate: INT n has a length, an event that comes from elsewhere none. */
	e = decode(9, 0xc0000028);
	assert_int_equal(e->task.source, TASK_GATE);
	assert_int_equal(e->insn_len, 7);
	rig_v.inject = (struct vcpu_event){ .type = EVENT_INTR, .vector = 0x41 };
	assert_int_equal(decode(9, 0xc0000028)->insn_len, 0);
	assert_int_equal(decode(9, 0x80000028)->insn_len, 7);
}

static const struct vm_exit *exception(u32 info, u32 error, u64 qual)
{
	rig_vmcs[VMCS_EXIT_INTR] = info;
	rig_vmcs[VMCS_EXIT_ERROR] = error;
	return decode(0, qual);
}

static void exceptions(void **state __unused)
{
	const struct vm_exit *e;

	nmis = 0;
	assert_int_equal(exception(0x80000202, 0, 0)->reason, VM_EXIT_NMI);
	assert_int_equal(nmis, 1);
	assert_int_equal(exception(0x80000312, 0, 0)->reason, VM_EXIT_MCE);
	e = exception(0x80000b0e, 6, 0xfeed);
	assert_int_equal(e->reason, VM_EXIT_EXCEPTION);
	assert_int_equal(e->exc.vector, 14);
	assert_true(e->exc.has_error);
	assert_int_equal(e->exc.error, 6);
	assert_int_equal(e->exc.cr2_or_dr6, 0xfeed);
	e = exception(0x80000301, 5, 0x4001);
	assert_int_equal(e->exc.vector, 1);
	assert_false(e->exc.has_error);
	assert_int_equal(e->exc.error, 0);
	assert_int_equal(debug, 0x4001);
}

/* INT1 is over when its #DB comes; what merely faulted is not. */
static void int1(void **state __unused)
{
	rig_vmcs[VMCS_INSN_LEN] = 1;
	rig_v.regs.rip = 0xffffffff;
	exception(0x80000501, 0, 0);
	assert_int_equal(rig_v.exit.exc.vector, 1);
	assert_int_equal(rig_v.regs.rip, 0x100000000);
	rig_v.regs.rip = 0xffffffff;
	rig_vmcs[VMCS_SEG_AR(SEG_CS)] &= ~(u64)AR_L;
	exception(0x80000501, 0, 0);
	assert_int_equal(rig_v.regs.rip, 0);
	exception(0x80000301, 0, 0x4000);
	assert_int_equal(rig_v.regs.rip, 0);
}

/* An IRET that faults has ended the blocking of NMIs already: it is back. */
static void iret_blocks_again(void **state __unused)
{
	exception(0x80001b0e, 0, 0);
	assert_int_equal(rig_x.intr_state, INTR_STATE_NMI);
	rig_x.intr_state = 0;
	decode(48, 0x1181);
	assert_int_equal(rig_x.intr_state, INTR_STATE_NMI);
	rig_x.intr_state = 0;
	/* Not if the fault came while an event was delivered, nor for #DF. */
	rig_vmcs[VMCS_IDT_INTR] = INTR_VALID | 0x30;
	decode(48, 0x1181);
	assert_int_equal(rig_x.intr_state, 0);
	rig_vmcs[VMCS_IDT_INTR] = 0;
	exception(0x80001b08, 0, 0);
	assert_int_equal(rig_x.intr_state, 0);
}

/* An instruction without end: the next entry goes on with it, if its state is still there. */
static void endless(void **state __unused)
{
	assert_int_equal(decode(75, 0)->reason, VM_EXIT_NOTIFY);
	assert_int_equal(rig_x.intr_state, 0);
	assert_int_equal(decode(75, 0x1000)->reason, VM_EXIT_NOTIFY);
	assert_int_equal(rig_x.intr_state, INTR_STATE_NMI);
	assert_int_equal(decode(75, 1)->reason, VM_EXIT_SHUTDOWN);
	/* A bus lock that another exit tells of (bit 26) is that exit. */
	assert_int_equal(decode(10 | 1u << 26, 0)->reason, VM_EXIT_CPUID);
}

/* ---- events ---- */

static u32 inject(struct vcpu_event ev)
{
	rig_v.inject = ev;
	rig_vmcs[VMCS_ENTRY_INTR] = 0;
	rig_vmcs[VMCS_ENTRY_ERROR] = ~0u;
	vmx_inject(&rig_v);
	assert_int_equal(rig_v.inject.type, EVENT_NONE);
	return rig_vmcs[VMCS_ENTRY_INTR];
}

static void injected(void **state __unused)
{
	struct vcpu_event gp = { .type = EVENT_EXC, .vector = 13, .has_error = true, .error = 0x123 };

	rig_x.intr_state = INTR_STATE_STI;
	assert_int_equal(inject((struct vcpu_event){ .type = EVENT_INTR, .vector = 0x41 }), 0x80000041);
	assert_int_equal(rig_x.intr_state, 0);
	rig_x.intr_state = INTR_STATE_NMI;
	assert_int_equal(inject((struct vcpu_event){ .type = EVENT_NMI, .vector = 2 }), 0x80000202);
	assert_int_equal(rig_x.intr_state, 0);
	assert_int_equal(inject(gp), 0x80000b0d);
	assert_int_equal(rig_vmcs[VMCS_ENTRY_ERROR], 0x123);
	/* Hardware refuses an error code where there is none, or none where there is. */
	assert_int_equal(inject((struct vcpu_event){ .type = EVENT_EXC, .vector = 6, .has_error = true, .error = 1 }), 0x80000306);
	assert_int_equal(inject((struct vcpu_event){ .type = EVENT_EXC, .vector = 14 }), 0x80000b0e);
	assert_int_equal(rig_vmcs[VMCS_ENTRY_ERROR], 0);
	/* Real mode pushes no error codes. */
	rig_vmcs[VMCS_GUEST_CR0] = X86_CR0_NE;
	assert_int_equal(inject(gp), 0x8000030d);
	/* The injection of #DB leaves DR6 alone: its bits go in beforehand. */
	debug = 0;
	assert_int_equal(inject((struct vcpu_event){ .type = EVENT_EXC, .vector = 1, .dr6 = 0x4000 }), 0x80000301);
	assert_int_equal(debug, 0x4000);
	/* A soft event happens again by itself. */
	assert_int_equal(inject((struct vcpu_event){ .type = EVENT_SOFT, .vector = 0x80 }), 0);
}

static void cut_short(void **state __unused)
{
	vmx_cut_short(&rig_v, 0x80000041);
	assert_int_equal(rig_v.inject.type, EVENT_INTR);
	assert_int_equal(rig_v.inject.vector, 0x41);
	rig_x.intr_state = INTR_STATE_NMI;
	vmx_cut_short(&rig_v, 0x80000202);
	assert_int_equal(rig_v.inject.type, EVENT_NMI);
	assert_int_equal(rig_x.intr_state, 0);
	rig_vmcs[VMCS_IDT_ERROR] = 4;
	vmx_cut_short(&rig_v, 0x80000b0e);
	assert_int_equal(rig_v.inject.type, EVENT_EXC);
	assert_true(rig_v.inject.has_error);
	assert_int_equal(rig_v.inject.error, 4);
	/* INT n, INT1, INT3: the instruction is executed again. */
	vmx_cut_short(&rig_v, 0x80000480);
	assert_int_equal(rig_v.inject.type, EVENT_NONE);
	vmx_cut_short(&rig_v, 0x80000501);
	assert_int_equal(rig_v.inject.type, EVENT_NONE);
	vmx_cut_short(&rig_v, 0x80000603);
	assert_int_equal(rig_v.inject.type, EVENT_NONE);
}

static void when(void **state __unused)
{
	rig_v.regs.rflags = 2;
	assert_false(vmx_can_inject(&rig_v, EVENT_INTR));
	assert_true(vmx_can_inject(&rig_v, EVENT_NMI));
	rig_v.regs.rflags |= X86_EFLAGS_IF;
	assert_true(vmx_can_inject(&rig_v, EVENT_INTR));
	rig_x.intr_state = INTR_STATE_NMI;
	assert_true(vmx_can_inject(&rig_v, EVENT_INTR));
	assert_false(vmx_can_inject(&rig_v, EVENT_NMI));
	rig_x.intr_state = INTR_STATE_MOV_SS;
	assert_false(vmx_can_inject(&rig_v, EVENT_INTR));
	assert_false(vmx_can_inject(&rig_v, EVENT_NMI));
	rig_x.intr_state = INTR_STATE_STI;
	assert_false(vmx_can_inject(&rig_v, EVENT_INTR));
	assert_true(vmx_can_inject(&rig_v, EVENT_NMI));
	rig_x.intr_state = 0;
	rig_v.inject.type = EVENT_EXC;
	assert_false(vmx_can_inject(&rig_v, EVENT_INTR));
	assert_false(vmx_can_inject(&rig_v, EVENT_NMI));
}

static void windows(void **state __unused)
{
	vmx_window(&rig_v, EVENT_INTR, true);
	assert_int_equal(rig_vmcs[VMCS_PROC], PROC_IRQ_WINDOW);
	vmx_window(&rig_v, EVENT_NMI, true);
	assert_int_equal(rig_vmcs[VMCS_PROC], PROC_IRQ_WINDOW | PROC_NMI_WINDOW);
	vmx_window(&rig_v, EVENT_INTR, false);
	assert_int_equal(rig_vmcs[VMCS_PROC], PROC_NMI_WINDOW);
	vmx_window(&rig_v, EVENT_NMI, false);
	assert_int_equal(rig_vmcs[VMCS_PROC], 0);
}

static void blocking(void **state __unused)
{
	u8 shadow, masked;

	vmx_set_block(&rig_v, KVM_X86_SHADOW_INT_STI, 1);
	assert_int_equal(rig_x.intr_state, INTR_STATE_STI | INTR_STATE_NMI);
	vmx_get_block(&rig_v, &shadow, &masked);
	assert_int_equal(shadow, KVM_X86_SHADOW_INT_STI);
	assert_int_equal(masked, 1);
	/* Hardware refuses both. */
	vmx_set_block(&rig_v, KVM_X86_SHADOW_INT_STI | KVM_X86_SHADOW_INT_MOV_SS, 0);
	assert_int_equal(rig_x.intr_state, INTR_STATE_MOV_SS);
	vmx_set_block(&rig_v, 0, 0);
	assert_int_equal(rig_x.intr_state, 0);
}

#define T(f) cmocka_unit_test_setup(f, rig_setup)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(plain_reasons), T(hypercall), T(unknown_reasons), T(refused), T(io), T(npf),
		T(virtual_apic), T(taken), T(control_registers), T(task_switches), T(exceptions),
		T(int1), T(iret_blocks_again), T(endless),
		T(injected), T(cut_short), T(when), T(windows), T(blocking),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
