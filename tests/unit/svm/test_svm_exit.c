// SPDX-License-Identifier: GPL-2.0-only
/* SVM exit codes and their information words become neutral exits. */
// SOURCES: hv/svm/exit.c hv/svm/check.c hv/core/vcpu/sregs.c
#include "svm_rig.h"
#include "hv/core/machine/trap.h"

/* The windows are inject.c's; here only who is asked counts. */
enum vm_exit_reason svm_iret_exit(struct vcpu *v __unused)
{
	return VM_EXIT_NMI_WINDOW;
}

enum vm_exit_reason svm_vintr_exit(struct vcpu *v __unused)
{
	return VM_EXIT_IRQ_WINDOW;
}

static const struct vm_exit *decode(u64 code, u64 info1, u64 info2)
{
	rig_vmcb.c.exit_code = code;
	rig_vmcb.c.info1 = info1;
	rig_vmcb.c.info2 = info2;
	svm_decode_exit(&rig_v);
	return &rig_v.exit;
}

static void hypercall(void **state __unused)
{
	rig_vmcb.s.cpl = 3;
	assert_int_equal(decode(0x81, 0, 0)->reason, VM_EXIT_HYPERCALL);
	assert_int_equal(rig_v.exit.cpl, 3);
	rig_vmcb.s.cpl = 0;
	assert_int_equal(decode(0x81, 0, 0)->cpl, 0);
}

static void plain_codes(void **state __unused)
{
	static const struct {
		u64 code;
		enum vm_exit_reason reason;
	} t[] = {
		{ 0x14, VM_EXIT_CR4_WRITE }, { 0x18, VM_EXIT_CR8_WRITE },
		{ 0x60, VM_EXIT_INTR }, { 0x61, VM_EXIT_NMI }, { 0x63, VM_EXIT_INIT },
		{ 0x64, VM_EXIT_IRQ_WINDOW }, { 0x6f, VM_EXIT_PROTECTION },
		{ 0x72, VM_EXIT_CPUID },
		{ 0x20, VM_EXIT_MOV_DR }, { 0x3f, VM_EXIT_MOV_DR },
		{ 0x74, VM_EXIT_NMI_WINDOW }, { 0x76, VM_EXIT_WBINVD },
		{ 0x77, VM_EXIT_PAUSE }, { 0x78, VM_EXIT_HLT },
		{ 0x7a, VM_EXIT_UNDEFINED }, { 0x7f, VM_EXIT_SHUTDOWN },
		{ 0x80, VM_EXIT_UNDEFINED }, { 0x81, VM_EXIT_HYPERCALL },
		{ 0x82, VM_EXIT_UNDEFINED }, { 0x83, VM_EXIT_UNDEFINED },
		{ 0x84, VM_EXIT_UNDEFINED }, { 0x85, VM_EXIT_UNDEFINED },
		{ 0x86, VM_EXIT_UNDEFINED }, { 0x89, VM_EXIT_WBINVD },
		{ 0x8a, VM_EXIT_MWAIT }, { 0x8b, VM_EXIT_MWAIT },
		{ 0x8c, VM_EXIT_MWAIT }, { 0x8d, VM_EXIT_XSETBV },
		{ 0xa5, VM_EXIT_BUS_LOCK },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		const struct vm_exit *e = decode(t[i].code, 7, 9);

		assert_int_equal(e->reason, t[i].reason);
		assert_int_equal(e->hw_reason, t[i].code);
		assert_int_equal(e->hw_info[0], 7);
		assert_int_equal(e->hw_info[1], 9);
		assert_int_equal(e->insn_len, 0);
	}
}

static void unknown_codes(void **state __unused)
{
	static const u64 t[] = {
		0x00, 0x0f, 0x10, 0x1f, 0x65, 0x66, 0x7d, 0x7e, 0x8f, 0x9f,
		0xa3, 0xa4, 0x3ff, 0x401, 0x402, 0x403, 0x404, BIT(32) + 0x72,
		~0ull << 10,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(t); i++)
		assert_int_equal(decode(t[i], 0, 0)->reason, VM_EXIT_UNKNOWN);
}

/* The instruction has not been executed: it is let go, and the next one exits again. */
static void bus_lock(void **state __unused)
{
	decode(0x72, 0, 0);
	assert_int_equal(rig_vmcb.c.bus_locks, 0);
	decode(0xa5, 0, 0);
	assert_int_equal(rig_vmcb.c.bus_locks, 1);
}

static void refused_entry(void **state __unused)
{
	assert_int_equal(decode(~0ull, 0, 0)->reason, VM_EXIT_FAIL_ENTRY);
	/* Some emulators store 32 bits of it. */
	assert_int_equal(decode(0xffffffff, 0, 0)->reason, VM_EXIT_FAIL_ENTRY);
}

/* A VMCB that VMRUN accepts, as TCG leaves it at a MOV to CR3 or CR4. */
static void sound_vmcb(void)
{
	rig_vmcb.c.intercept2 = SVM_I2_VMRUN;
	rig_vmcb.c.asid = 1;
	rig_vmcb.s.efer = EFER_SVME;
	rig_vmcb.s.rax = 0x1234;
	rig_sv.vmcb_pa = 0x5000;
}

static void tcg_mov_to_cr(void **state __unused)
{
	sound_vmcb();
	assert_int_equal(decode(~0ull, 0, 0)->reason, VM_EXIT_FAIL_ENTRY);
	svm.tcg = true;
	assert_int_equal(decode(~0ull, 0, 0)->reason, VM_EXIT_PROTECTION);
	/* Entries that it refused: the field is wrong still, or root mode's. */
	rig_vmcb.c.asid = 0;
	assert_int_equal(decode(~0ull, 0, 0)->reason, VM_EXIT_FAIL_ENTRY);
	sound_vmcb();
	rig_vmcb.s.rax = rig_sv.vmcb_pa;
	assert_int_equal(decode(~0ull, 0, 0)->reason, VM_EXIT_FAIL_ENTRY);
}

static void msr_direction(void **state __unused)
{
	assert_int_equal(decode(0x7c, 0, 0)->reason, VM_EXIT_RDMSR);
	assert_int_equal(decode(0x7c, 1, 0)->reason, VM_EXIT_WRMSR);
}

static void io(void **state __unused)
{
	const struct vm_exit *e;

	rig_v.regs.rip = 0x1000;
	/* IN AX, DX from 0x3f8 */
	e = decode(0x7b, 0x03f80021, 0x1002);
	assert_int_equal(e->reason, VM_EXIT_IO);
	assert_int_equal(e->io.port, 0x3f8);
	assert_int_equal(e->io.size, 2);
	assert_true(e->io.in && !e->io.string && !e->io.rep);
	assert_int_equal(e->insn_len, 2);
	/* REP OUTSD to 0xffff, 16-bit addresses, segment ES */
	e = decode(0x7b, 0xffff00cc, 0x1003);
	assert_int_equal(e->io.port, 0xffff);
	assert_int_equal(e->io.size, 4);
	assert_true(!e->io.in && e->io.string && e->io.rep);
	assert_int_equal(e->insn_len, 3);
	/* OUT imm8, AL; a next RIP that makes no sense is not believed */
	e = decode(0x7b, 0x00800010, 0x5000);
	assert_int_equal(e->io.size, 1);
	assert_int_equal(e->insn_len, 0);
}

static void npf(void **state __unused)
{
	const gpa_t gpa = 0x123456789abcull;

	assert_int_equal(decode(0x400, BIT(32) | 4, gpa)->reason, VM_EXIT_NPF);
	assert_int_equal(rig_v.exit.npf.gpa, gpa);
	assert_int_equal(rig_v.exit.npf.flags, 0);
	assert_int_equal(decode(0x400, BIT(32) | 6, 0)->npf.flags, NPF_WRITE);
	assert_int_equal(decode(0x400, BIT(32) | 7, 0)->npf.flags, NPF_WRITE | NPF_PRESENT);
	assert_int_equal(decode(0x400, BIT(32) | 0x14, 0)->npf.flags, NPF_EXEC);
	assert_int_equal(decode(0x400, BIT(33) | 6, 0)->npf.flags, NPF_WRITE | NPF_PT);
	/* User and reserved-bit are nobody's business. */
	assert_int_equal(decode(0x400, BIT(32) | 8 | BIT(37), 0)->npf.flags, 0);
}

static void exceptions(void **state __unused)
{
	const struct vm_exit *e;
	u32 vector;

	rig_vmcb.s.dr6 = 0xffff4ff0;
	for (vector = 0; vector < 32; vector++) {
		e = decode(0x40 + vector, 0xabcd, 0xfeed);
		if (vector == 18) {
			assert_int_equal(e->reason, VM_EXIT_MCE);
			continue;
		}
		assert_int_equal(e->reason, VM_EXIT_EXCEPTION);
		assert_int_equal(e->exc.vector, vector);
		assert_int_equal(e->exc.error, e->exc.has_error ? 0xabcd : 0);
	}
	assert_true(decode(0x4d, 0, 0)->exc.has_error);
	assert_true(decode(0x51, 0, 0)->exc.has_error);
	assert_true(decode(0x48, 0, 0)->exc.has_error);
	assert_false(decode(0x41, 0, 0)->exc.has_error);
	assert_false(decode(0x49, 0, 0)->exc.has_error);
	assert_false(decode(0x50, 0, 0)->exc.has_error);
	assert_int_equal(decode(0x41, 0, 0)->exc.cr2_or_dr6, 0xffff4ff0);
	assert_int_equal(decode(0x4e, 2, 0xfeed)->exc.cr2_or_dr6, 0xfeed);
}

static void next_rip(void **state __unused)
{
	rig_v.regs.rip = 0xfffffffffffffffeull;
	rig_vmcb.c.nrip = 0;
	assert_int_equal(decode(0x72, 0, 0)->insn_len, 0);
	svm.nrip = true;
	assert_int_equal(decode(0x72, 0, 0)->insn_len, 2);
	/* Not an instruction's exit. */
	assert_int_equal(decode(0x400, 0, 0)->insn_len, 0);
	assert_int_equal(decode(0x60, 0, 0)->insn_len, 0);
	rig_v.regs.rip = 0x1000;
	assert_int_equal(decode(0x72, 0, 0)->insn_len, 0);
}

#define T(f) cmocka_unit_test_setup(f, rig_setup)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(plain_codes), T(hypercall), T(unknown_codes), T(bus_lock), T(refused_entry),
		T(tcg_mov_to_cr), T(msr_direction),
		T(io), T(npf), T(exceptions), T(next_rip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
