// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the processor does not know and the emulator does: only that, and only for a guest
 * that has it.
 */
// SOURCES: tests/unit/rig/emul_rig.c dom0-shim/emul/*.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "emul_rig.h"

#define CODE	0x10000u
#define RAM	0x20000u
#define UD	6

static struct rig rig;
static struct emul_ops ops;
static int has[2], aux_errno;

static int guest_has(struct emul_ctx *ctx, enum emul_feature feature)
{
	(void)ctx;
	return has[feature];
}

static int tsc_aux(struct emul_ctx *ctx, u32 *val)
{
	(void)ctx;
	*val = 0x89abcdef;
	return aux_errno;
}

static void start(const char *code, size_t len, bool wide)
{
	if (wide) {
		rig_long(&rig);
		rig_map(&rig, CODE, CODE, RIG_PTE_P);
		rig_map(&rig, RAM, RAM, RIG_PTE_P | RIG_PTE_W);
	} else {
		rig_prot(&rig, 32);
	}
	rig_code(&rig, CODE, code, len);
	ops = *rig.ctx.ops;
	ops.guest_has = guest_has;
	ops.tsc_aux = tsc_aux;
	rig.ctx.ops = &ops;
	rig.ctx.rip = CODE;
	rig.ctx.gpr[EMUL_RBX] = RAM;
	has[EMUL_MOVBE] = has[EMUL_RDPID] = 1;
	aux_errno = 0;
}

#define PROT(code) start(code, sizeof(code) - 1, false)
#define LONG(code) start(code, sizeof(code) - 1, true)

static void expect(int want)
{
	assert_int_equal(emul_run_lacking(&rig.ctx), want);
	if (want != EMUL_DONE)
		assert_int_equal(rig.ctx.rip, CODE);
}

static void processor_id(void **state)
{
	(void)state;
	LONG("\xf3\x0f\xc7\xf8");		/* rdpid %rax */
	rig.ctx.gpr[EMUL_RAX] = ~0ull;
	expect(EMUL_DONE);
	assert_int_equal(rig.ctx.rip, CODE + 4);
	assert_int_equal(rig.ctx.gpr[EMUL_RAX], 0x89abcdef);
	LONG("\xf3\x41\x0f\xc7\xfb");		/* rdpid %r11 */
	expect(EMUL_DONE);
	assert_int_equal(rig.ctx.gpr[11], 0x89abcdef);
	PROT("\x66\xf3\x0f\xc7\xf9");		/* rdpid %ecx, whatever the operand size */
	expect(EMUL_DONE);
	assert_int_equal(rig.ctx.gpr[EMUL_RCX], 0x89abcdef);
	aux_errno = -5;
	rig.ctx.rip = CODE;
	expect(-5);
}

static void big_endian(void **state)
{
	(void)state;
	PROT("\x0f\x38\xf0\x03");		/* movbe (%ebx), %eax */
	rig_put(&rig, RAM, 4, 0x01020304);
	expect(EMUL_DONE);
	assert_int_equal(rig.ctx.gpr[EMUL_RAX], 0x04030201);
	LONG("\x48\x0f\x38\xf1\x03");		/* movbe %rax, (%rbx) */
	rig.ctx.gpr[EMUL_RAX] = 0x0102030405060708;
	expect(EMUL_DONE);
	assert_int_equal(rig_get(&rig, RAM, 8), 0x0807060504030201);
}

static void big_endian_for_user_space(void **state)
{
	(void)state;
	PROT("\x0f\x38\xf0\x03");		/* movbe (%ebx), %eax */
	rig.ctx.gpr[EMUL_RBX] = RIG_USER_MMIO;
	expect(EMUL_NEED_USER);
	memcpy(rig.ctx.user.data, "\1\2\3\4", 4);
	assert_int_equal(emul_resume(&rig.ctx), EMUL_DONE);
	assert_int_equal(rig.ctx.gpr[EMUL_RAX], 0x01020304);
}

static void only_what_the_guest_has(void **state)
{
	(void)state;
	PROT("\xf3\x0f\xc7\xf8");
	has[EMUL_RDPID] = 0;
	expect(EMUL_UNHANDLED);
	has[EMUL_RDPID] = -5;
	expect(-5);
	PROT("\x0f\x38\xf0\x03");
	has[EMUL_MOVBE] = 0;
	expect(EMUL_UNHANDLED);
}

static void nothing_else(void **state)
{
	(void)state;
	PROT("\x89\x03");			/* mov %eax, (%ebx) */
	expect(EMUL_UNHANDLED);
	PROT("\x0f\xc7\x0b");			/* cmpxchg8b (%ebx) */
	expect(EMUL_UNHANDLED);
	PROT("\x0f\xc7\xf8");			/* rdseed %eax */
	expect(EMUL_UNHANDLED);
	PROT("\xf2\x0f\xc7\xf8");
	expect(EMUL_UNHANDLED);
	PROT("\xf3\x0f\xc7\xf0");		/* senduipi */
	expect(EMUL_UNHANDLED);
	PROT("\xf2\x0f\x38\xf0\x03");		/* crc32b (%ebx), %eax */
	expect(EMUL_UNHANDLED);
	PROT("\x0f\x0b");			/* ud2 */
	expect(EMUL_UNHANDLED);
	PROT("\x0f\x38\xf0\xc3");		/* movbe of a register */
	expect(EMUL_FAULT);
	assert_int_equal(rig.ctx.fault.vector, UD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(processor_id),
		cmocka_unit_test(big_endian),
		cmocka_unit_test(big_endian_for_user_space),
		cmocka_unit_test(only_what_the_guest_has),
		cmocka_unit_test(nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
