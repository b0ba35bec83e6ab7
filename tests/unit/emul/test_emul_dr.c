// SPDX-License-Identifier: GPL-2.0-only
/* MOV from and to debug registers in the emulator: values, widths and faults. */
// SOURCES: tests/unit/rig/emul_rig.c dom0-shim/emul/*.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "emul_rig.h"

#define CODE	0x10000u
#define DB	1
#define UD	6
#define GP	13
#define CR4_DE	(1ull << 3)

static struct rig rig;
static struct kvm_debugregs dr;

static void start(int bits, const char *code, size_t len)
{
	if (bits == 64) {
		rig_long(&rig);
		rig_map(&rig, CODE, CODE, RIG_PTE_P | RIG_PTE_U);
	} else {
		rig_prot(&rig, 32);
	}
	rig_code(&rig, CODE, code, len);
	rig.ctx.rip = CODE;
	dr = (struct kvm_debugregs){ .db = { 1, 2, 3, 4 }, .dr6 = 0xffff0ff0, .dr7 = 0x400 };
	rig.ctx.dr = &dr;
}

#define LONG(code) start(64, code, sizeof(code) - 1)
#define PROT(code) start(32, code, sizeof(code) - 1)

static void expect_fault(int vector)
{
	assert_int_equal(rig_run(&rig), EMUL_FAULT);
	assert_int_equal(rig.ctx.fault.vector, vector);
	assert_int_equal(rig.ctx.fault.has_error, vector == GP);
	assert_int_equal(rig.ctx.rip, CODE);
}

static void addresses_have_the_modes_width(void **state)
{
	(void)state;
	LONG("\x41\x0f\x23\xd9");		/* mov %r9, %dr3 */
	rig.ctx.gpr[9] = 0x123456789abcdef0;
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(dr.db[3], 0x123456789abcdef0);
	assert_int_equal(rig.ctx.rip, CODE + 4);
	PROT("\x0f\x23\xc8");			/* mov %eax, %dr1 */
	rig.ctx.gpr[EMUL_RAX] = 0xffffffff87654321;
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(dr.db[1], 0x87654321);
	LONG("\x66\x0f\x21\xd1");		/* the operand size prefix does nothing: mov %dr2, %rcx */
	rig.ctx.gpr[EMUL_RCX] = ~0ull;
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(rig.ctx.gpr[EMUL_RCX], 3);
}

/* mod 00 with rm 5 would have a displacement, were it memory. */
static void a_register_whatever_mod_says(void **state)
{
	(void)state;
	LONG("\x0f\x21\x0d");			/* mov %dr1, %rbp */
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(rig.ctx.gpr[EMUL_RBP], 2);
	assert_int_equal(rig.ctx.rip, CODE + 3);
}

static void status_and_control_have_fixed_bits(void **state)
{
	(void)state;
	LONG("\x0f\x23\xf0");			/* mov %rax, %dr6 */
	rig.ctx.gpr[EMUL_RAX] = 0xffffffff;
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(dr.dr6, 0xffffefff);
	LONG("\x0f\x23\xf8");			/* mov %rax, %dr7 */
	rig.ctx.gpr[EMUL_RAX] = 0;
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(dr.dr7, 0x400);
	LONG("\x0f\x23\xf8");
	rig.ctx.gpr[EMUL_RAX] = 0x100000400;
	expect_fault(GP);
	assert_int_equal(dr.dr7, 0x400);
	LONG("\x0f\x23\xf0");
	rig.ctx.gpr[EMUL_RAX] = 1ull << 63;
	expect_fault(GP);
}

static void old_names_until_debug_extensions(void **state)
{
	(void)state;
	LONG("\x0f\x21\xe0");			/* mov %dr4, %rax */
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(rig.ctx.gpr[EMUL_RAX], 0xffff0ff0);
	LONG("\x0f\x21\xe8");			/* mov %dr5, %rax */
	rig.ctx.cr4 |= CR4_DE;
	expect_fault(UD);
	LONG("\x44\x0f\x21\xc0");		/* mov %dr8, %rax */
	expect_fault(UD);
}

static void general_detect_comes_once(void **state)
{
	(void)state;
	LONG("\x0f\x21\xc0");			/* mov %dr0, %rax */
	dr.dr7 = 0x2400;
	expect_fault(DB);
	assert_int_equal(dr.dr6, 0xffff2ff0);
	assert_int_equal(dr.dr7, 0x400);
	assert_int_equal(rig_run(&rig), EMUL_DONE);
}

static void not_for_users_nor_without_registers(void **state)
{
	(void)state;
	LONG("\x0f\x21\xc0");
	rig.ctx.cpl = 3;
	expect_fault(GP);
	LONG("\x0f\x21\xc0");
	rig.ctx.dr = NULL;
	assert_int_equal(rig_run(&rig), EMUL_UNHANDLED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_have_the_modes_width),
		cmocka_unit_test(a_register_whatever_mod_says),
		cmocka_unit_test(status_and_control_have_fixed_bits),
		cmocka_unit_test(old_names_until_debug_extensions),
		cmocka_unit_test(general_detect_comes_once),
		cmocka_unit_test(not_for_users_nor_without_registers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
