// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPU modes of the emulator: real mode and its 64 KiB, unreal limits, protected
 * segments and their faults, virtual-8086, canonical addresses, code fetch.
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
#define GP	13
#define SS	12
#define PF	14

static struct rig rig;

static void set_seg(int seg, uint16_t selector)
{
	rig.ctx.seg[seg].selector = selector;
	rig.ctx.seg[seg].base = (uint32_t)selector << 4;
}

static void real(const char *code, size_t len)
{
	rig_real(&rig);
	rig_code(&rig, CODE, code, len);
	set_seg(EMUL_CS, CODE >> 4);
}

static void prot(const char *code, size_t len)
{
	rig_prot(&rig, 32);
	rig_code(&rig, CODE, code, len);
	rig.ctx.rip = CODE;
}

#define REAL(code) real(code, sizeof(code) - 1)
#define PROT(code) prot(code, sizeof(code) - 1)

static void expect_fault(int vector, bool has_error)
{
	uint64_t rip = rig.ctx.rip;

	assert_int_equal(rig_run(&rig), EMUL_FAULT);
	assert_int_equal(rig.ctx.fault.vector, vector);
	assert_int_equal(rig.ctx.fault.has_error, has_error);
	assert_int_equal(rig.ctx.fault.error_code, 0);
	assert_int_equal(rig.ctx.rip, rip);
	assert_int_equal(rig.nseen, 0);
}

static void real_mode_uses_segments(void **state)
{
	(void)state;
	REAL("\x26\xa1\x34\x12");		/* mov %es:0x1234, %ax */
	set_seg(EMUL_ES, 0xb800);
	rig.ctx.gpr[EMUL_RAX] = 0x11112222;
	rig_put(&rig, 0xb9234, 2, 0xbeef);
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(rig.ctx.gpr[EMUL_RAX], 0x1111beef);
	assert_int_equal(rig.ctx.rip, 4);
}

static void real_mode_string_wraps_at_64k(void **state)
{
	(void)state;
	REAL("\xf3\xaa");			/* rep stosb */
	set_seg(EMUL_ES, RAM >> 4);
	rig.ctx.gpr[EMUL_RDI] = 0xabcdfffe;
	rig.ctx.gpr[EMUL_RCX] = 0x10004;	/* only CX counts */
	rig.ctx.gpr[EMUL_RAX] = 0x77;
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(rig.ctx.gpr[EMUL_RDI], 0xabcd0002);
	assert_int_equal(rig.ctx.gpr[EMUL_RCX], 0x10000);
	assert_int_equal(rig_get(&rig, RAM + 0xfffe, 2), 0x7777);
	assert_int_equal(rig_get(&rig, RAM, 2), 0x7777);
	assert_int_equal(rig_get(&rig, RAM + 2, 1), 0);
}

static void real_mode_limit_faults_without_error_code(void **state)
{
	(void)state;
	REAL("\x8b\x07");			/* mov (%bx), %ax */
	rig.ctx.gpr[EMUL_RBX] = 0xffff;
	expect_fault(GP, false);
	REAL("\x8b\x46\x00");			/* mov 0(%bp), %ax */
	rig.ctx.gpr[EMUL_RBP] = 0xffff;
	expect_fault(SS, false);
}

static void unreal_limits_reach_mmio(void **state)
{
	(void)state;
	REAL("\x67\x66\x89\x03");		/* mov %eax, (%ebx) */
	rig.ctx.gpr[EMUL_RBX] = RIG_USER_MMIO + 4;
	rig.ctx.gpr[EMUL_RAX] = 0x12345678;
	expect_fault(GP, false);
	rig.ctx.seg[EMUL_DS].limit = 0xffffffff;
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_memory_equal(rig.mmio + 4, "\x78\x56\x34\x12", 4);
	assert_int_equal(rig.ctx.rip, 4);
}

static void protected_segments_are_checked(void **state)
{
	struct kvm_segment *ds = &rig.ctx.seg[EMUL_DS];

	(void)state;
	PROT("\x89\x03");			/* mov %eax, (%ebx) */
	rig.ctx.gpr[EMUL_RBX] = 0xfffd;
	ds->limit = 0xffff;
	expect_fault(GP, true);
	rig.ctx.gpr[EMUL_RBX] = 0xfffc;
	ds->base = RAM;
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	rig.ctx.rip = CODE;
	ds->type = 1;				/* read-only data */
	expect_fault(GP, true);
	ds->type = 0xb;				/* code */
	expect_fault(GP, true);
	ds->type = 3;
	ds->unusable = 1;
	expect_fault(GP, true);

	PROT("\x8b\x03");			/* mov (%ebx), %eax */
	rig.ctx.gpr[EMUL_RBX] = RAM;
	ds->type = 9;				/* execute-only code */
	expect_fault(GP, true);
	ds->type = 0xb;
	assert_int_equal(rig_run(&rig), EMUL_DONE);

	PROT("\x8b\x04\x24");			/* mov (%esp), %eax */
	rig.ctx.seg[EMUL_SS].limit = 0xfff;
	rig.ctx.gpr[EMUL_RSP] = 0x1000;
	expect_fault(SS, true);
}

static void expand_down_segments(void **state)
{
	(void)state;
	PROT("\x8b\x03");
	rig.ctx.seg[EMUL_DS].type = 7;
	rig.ctx.seg[EMUL_DS].limit = 0xfff;
	rig.ctx.seg[EMUL_DS].db = 1;
	rig.ctx.gpr[EMUL_RBX] = 0xfff;
	expect_fault(GP, true);
	rig.ctx.gpr[EMUL_RBX] = 0x1000;
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	rig.ctx.rip = CODE;
	rig.ctx.seg[EMUL_DS].db = 0;
	rig.ctx.gpr[EMUL_RBX] = 0xfffe;
	expect_fault(GP, true);
}

static void linear_address_wraps_at_4g(void **state)
{
	(void)state;
	PROT("\x8b\x03");
	rig.ctx.seg[EMUL_DS].base = 0xfffff000;
	rig.ctx.gpr[EMUL_RBX] = 0x21000;
	rig_put(&rig, RAM, 4, 0x1badcafe);
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(rig.ctx.gpr[EMUL_RAX], 0x1badcafe);
}

static void cpl_of_virtual_8086_is_three(void **state)
{
	struct kvm_sregs sregs = { .cr0 = 1 };

	(void)state;
	REAL("\x8b\x07");
	rig.ctx.rflags |= 1 << 17;
	emul_load_sregs(&rig.ctx, &sregs);
	assert_int_equal(rig.ctx.cpl, 3);
	rig.ctx.rflags &= ~(1ull << 17);
	sregs.ss.dpl = 1;
	emul_load_sregs(&rig.ctx, &sregs);
	assert_int_equal(rig.ctx.cpl, 1);
	sregs.cr0 = 0;
	emul_load_sregs(&rig.ctx, &sregs);
	assert_int_equal(rig.ctx.cpl, 0);
}

static void canonical_addresses(void **state)
{
	(void)state;
	rig_long(&rig);
	rig_map(&rig, 0x400000, CODE, RIG_PTE_P);
	rig_code(&rig, CODE, "\x8b\x03\x8b\x04\x24\x65\x8b\x03", 8);
	rig.ctx.rip = 0x400000;
	rig.ctx.gpr[EMUL_RBX] = 0x7ffffffffffd;
	expect_fault(GP, true);
	rig.ctx.rip = 0x400002;
	rig.ctx.gpr[EMUL_RSP] = 0x800000000000;
	expect_fault(SS, true);
	rig.ctx.rip = 0x400005;			/* mov %gs:(%rbx), %eax */
	rig.ctx.gpr[EMUL_RBX] = 0x400000 - 0x10;
	rig.ctx.seg[EMUL_GS].base = 0x10;
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(rig.ctx.gpr[EMUL_RAX], 0x048b038b);
	rig.ctx.rip = 0x7fffffffffff;
	rig_map(&rig, 0x7ffffffff000, RAM, RIG_PTE_P);
	rig_put(&rig, RAM + 0xfff, 1, 0x8b);
	expect_fault(GP, true);
}

/* The second page is looked at only when the instruction reaches it. */
static void code_across_pages(void **state)
{
	(void)state;
	rig_long(&rig);
	rig_map(&rig, 0x400000, CODE, RIG_PTE_P);
	rig_map(&rig, 0x500000, RAM, RIG_PTE_P);
	rig_code(&rig, CODE + 0xffe, "\x8b\x03", 2);
	rig.ctx.gpr[EMUL_RBX] = 0x500000;
	rig.ctx.rip = 0x400ffe;
	rig_put(&rig, RAM, 4, 77);
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(rig.ctx.gpr[EMUL_RAX], 77);

	rig_code(&rig, CODE + 0xffe, "\x8b\x43", 2);	/* mov disp8(%rbx), %eax */
	rig.ctx.rip = 0x400ffe;
	assert_int_equal(rig_run(&rig), EMUL_FAULT);
	assert_int_equal(rig.ctx.fault.vector, PF);
	assert_int_equal(rig.ctx.fault.error_code, 0x10);
	assert_int_equal(rig.ctx.fault.cr2, 0x401000);
	rig_map(&rig, 0x401000, CODE + 0x3000, RIG_PTE_P);
	rig_put(&rig, CODE + 0x3000, 1, 4);
	rig_put(&rig, RAM + 4, 4, 88);
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(rig.ctx.gpr[EMUL_RAX], 88);
	assert_int_equal(rig.ctx.rip, 0x401001);
}

static void instruction_pointer_widths(void **state)
{
	(void)state;
	rig_long(&rig);
	rig_map(&rig, 0xffffffff80000000, CODE, RIG_PTE_P);
	rig_code(&rig, CODE, "\x8b\x05\xfa\xff\xff\xff", 6);
	rig.ctx.rip = 0xffffffff80000000;	/* mov -6(%rip), %eax: itself */
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_true(rig.ctx.rip == 0xffffffff80000006);
	assert_int_equal(rig.ctx.gpr[EMUL_RAX], 0xfffa058b);

	PROT("");				/* EIP wraps at 4 GiB */
	rig_code(&rig, CODE - 2, "\x8b\x03", 2);
	rig.ctx.seg[EMUL_CS].base = CODE;
	rig.ctx.rip = 0xfffffffe;
	rig.ctx.gpr[EMUL_RBX] = RAM;
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(rig.ctx.rip, 0);
}

static void code_limits(void **state)
{
	uint8_t nops[16];

	(void)state;
	REAL("\x8b\x47\x01");
	rig.ctx.seg[EMUL_CS].limit = 1;
	expect_fault(GP, false);
	rig.ctx.seg[EMUL_CS].limit = 2;
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	memset(nops, 0x66, sizeof(nops));
	real((char *)nops, sizeof(nops));
	expect_fault(GP, false);
}

static void faults_change_nothing_but_the_resume_flag(void **state)
{
	(void)state;
	rig_long(&rig);
	rig_map(&rig, 0x400000, CODE, RIG_PTE_P);
	rig_map(&rig, 0x500000, RIG_USER_MMIO, RIG_PTE_P);	/* read-only */
	rig_code(&rig, CODE, "\x01\x03", 2);
	rig.ctx.rip = 0x400000;
	rig.ctx.gpr[EMUL_RBX] = 0x500000;
	rig.ctx.gpr[EMUL_RAX] = 1;
	rig.ctx.rflags = 0x8d7;
	assert_int_equal(rig_run(&rig), EMUL_FAULT);
	assert_int_equal(rig.ctx.fault.vector, PF);
	assert_int_equal(rig.ctx.fault.error_code, 3);	/* present, write */
	assert_int_equal(rig.ctx.fault.cr2, 0x500000);
	assert_int_equal(rig.nseen, 0);			/* device not read */
	assert_int_equal(rig.ctx.rflags, 0x108d7);
}

static void retiring_clears_the_resume_flag(void **state)
{
	(void)state;
	PROT("\x89\x03");
	rig.ctx.gpr[EMUL_RBX] = RAM;
	rig.ctx.rflags = 0x10002;
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(rig.ctx.rflags, 2);
}

static void registers_keep_their_names(void **state)
{
	struct kvm_regs in = {
		.rax = 1, .rbx = 2, .rcx = 3, .rdx = 4, .rsi = 5, .rdi = 6,
		.rsp = 7, .rbp = 8, .r8 = 9, .r9 = 10, .r10 = 11, .r11 = 12,
		.r12 = 13, .r13 = 14, .r14 = 15, .r15 = 16, .rip = 17, .rflags = 18,
	}, out;

	(void)state;
	rig_reset(&rig);
	memset(&out, 0xff, sizeof(out));
	emul_load_regs(&rig.ctx, &in);
	assert_int_equal(rig.ctx.gpr[EMUL_RBX], 2);
	assert_int_equal(rig.ctx.gpr[EMUL_RSI], 5);
	assert_int_equal(rig.ctx.gpr[15], 16);
	emul_store_regs(&rig.ctx, &out);
	assert_memory_equal(&in, &out, sizeof(in));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(real_mode_uses_segments),
		cmocka_unit_test(real_mode_string_wraps_at_64k),
		cmocka_unit_test(real_mode_limit_faults_without_error_code),
		cmocka_unit_test(unreal_limits_reach_mmio),
		cmocka_unit_test(protected_segments_are_checked),
		cmocka_unit_test(expand_down_segments),
		cmocka_unit_test(linear_address_wraps_at_4g),
		cmocka_unit_test(cpl_of_virtual_8086_is_three),
		cmocka_unit_test(canonical_addresses),
		cmocka_unit_test(code_across_pages),
		cmocka_unit_test(instruction_pointer_widths),
		cmocka_unit_test(code_limits),
		cmocka_unit_test(faults_change_nothing_but_the_resume_flag),
		cmocka_unit_test(retiring_clears_the_resume_flag),
		cmocka_unit_test(registers_keep_their_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
