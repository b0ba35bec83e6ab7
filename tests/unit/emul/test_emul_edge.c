// SPDX-License-Identifier: GPL-2.0-only
/*
 * Corners of the emulator: divide errors, alignment, state that changes under a
 * pending access, ops that are missing or refuse.
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
#define USER	((uint32_t)RIG_USER_MMIO)

static struct rig rig;

#define START(code) do { \
	rig_prot(&rig, 32); \
	rig_code(&rig, CODE, code, sizeof(code) - 1); \
	rig.ctx.rip = CODE; \
	rig.ctx.gpr[EMUL_RBX] = RAM; \
} while (0)

static void long_start(const char *code, size_t len)
{
	rig_long(&rig);
	rig_map(&rig, 0x400000, CODE, RIG_PTE_P);
	rig_map(&rig, 0x500000, RAM, RIG_PTE_P | RIG_PTE_W);
	rig_code(&rig, CODE, code, len);
	rig.ctx.rip = 0x400000;
	rig.ctx.gpr[EMUL_RBX] = 0x500000;
}

#define LONG(code) long_start(code, sizeof(code) - 1)

static void divide(uint64_t hi, uint64_t lo, uint32_t by, int want)
{
	rig.ctx.rip = CODE;
	rig.ctx.gpr[EMUL_RAX] = lo;
	rig.ctx.gpr[EMUL_RDX] = hi;
	rig_put(&rig, RAM, 4, by);
	assert_int_equal(rig_run(&rig), want);
	if (want == EMUL_DONE)
		return;
	assert_int_equal(rig.ctx.fault.vector, 0);
	assert_false(rig.ctx.fault.has_error);
	assert_int_equal(rig.ctx.gpr[EMUL_RAX], lo);
	assert_int_equal(rig.ctx.gpr[EMUL_RDX], hi);
}

static void divide_errors(void **state)
{
	(void)state;
	START("\xf7\x33");			/* divl (%ebx) */
	divide(0, 5, 0, EMUL_FAULT);
	divide(7, 5, 7, EMUL_FAULT);
	divide(6, 0xffffffff, 7, EMUL_DONE);
	START("\xf7\x3b");			/* idivl (%ebx) */
	divide(0, 0x80000000, 1, EMUL_FAULT);
	divide(0, 0x7fffffff, 1, EMUL_DONE);
	divide(0xffffffff, 0x80000000, 1, EMUL_DONE);
	assert_int_equal(rig.ctx.gpr[EMUL_RAX], 0x80000000);
	divide(0xffffffff, 0x80000000, 0xffffffff, EMUL_FAULT);
	divide(0x80000000, 0, 0xffffffff, EMUL_FAULT);
	divide(0, 0, 0, EMUL_FAULT);
}

static void wide_exchange_wants_alignment(void **state)
{
	(void)state;
	LONG("\xf0\x48\x0f\xc7\x0b");		/* lock cmpxchg16b (%rbx) */
	rig.ctx.gpr[EMUL_RBX] += 8;
	assert_int_equal(rig_run(&rig), EMUL_FAULT);
	assert_int_equal(rig.ctx.fault.vector, 13);
	rig.ctx.gpr[EMUL_RBX] += 8;
	rig.ctx.gpr[EMUL_RDX] = 2;
	rig.ctx.gpr[EMUL_RAX] = 1;
	rig.ctx.gpr[EMUL_RCX] = 0x3333333344444444;
	rig_put(&rig, RAM + 0x10, 8, 1);
	rig_put(&rig, RAM + 0x18, 8, 2);
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(rig.cmpxchgs, 1 + 5);	/* and five table entries */
	assert_true(rig.ctx.rflags & 0x40);
	assert_int_equal(rig_get(&rig, RAM + 0x10, 8), 0x500010);
	assert_true(rig_get(&rig, RAM + 0x18, 8) == 0x3333333344444444);
}

/* The CPU looks at alignment before it looks for the page. */
static void alignment_goes_before_paging(void **state)
{
	(void)state;
	LONG("\xf0\x48\x0f\xc7\x0b");		/* lock cmpxchg16b (%rbx) */
	rig.ctx.gpr[EMUL_RBX] = 0x7ffff008;
	assert_int_equal(rig_run(&rig), EMUL_FAULT);
	assert_int_equal(rig.ctx.fault.vector, 13);
	LONG("\x0f\x29\x03");			/* movaps %xmm0, (%rbx) */
	rig.ctx.gpr[EMUL_RBX] = 0x7ffff008;
	assert_int_equal(rig_run(&rig), EMUL_FAULT);
	assert_int_equal(rig.ctx.fault.vector, 13);
	rig.ctx.gpr[EMUL_RBX] = 0x7ffff000;
	assert_int_equal(rig_run(&rig), EMUL_FAULT);
	assert_int_equal(rig.ctx.fault.vector, 14);
}

static void movnti_has_no_prefix(void **state)
{
	static const char *const code[] = { "\x66\x0f\xc3\x03", "\xf2\x0f\xc3\x03", "\xf3\x0f\xc3\x03" };
	uint32_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		LONG("");
		rig_code(&rig, CODE, code[i], 4);
		assert_int_equal(rig_run(&rig), EMUL_FAULT);
		assert_int_equal(rig.ctx.fault.vector, 6);
	}
	LONG("\x0f\xc3\x03");
	assert_int_equal(rig_run(&rig), EMUL_DONE);
}

static void failed_exchange_leaves_a_register(void **state)
{
	(void)state;
	LONG("\x0f\xb1\xcb");			/* cmpxchg %ecx, %ebx */
	rig.ctx.gpr[EMUL_RBX] = 0x1111111122222222;
	rig.ctx.gpr[EMUL_RAX] = 0x3333333344444444;
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_true(rig.ctx.gpr[EMUL_RBX] == 0x1111111122222222);
	assert_true(rig.ctx.gpr[EMUL_RAX] == 0x22222222);
}

static int no_cmpxchg(struct emul_ctx *ctx, u64 gpa, const void *old,
		      const void *val, u32 len)
{
	(void)ctx, (void)gpa, (void)old, (void)val;
	return len == 16 ? -EOPNOTSUPP : -EFAULT;
}

static void missing_ops_are_unhandled(void **state)
{
	struct emul_ops ops;

	(void)state;
	START("\x0f\x10\x03");			/* movups (%ebx), %xmm0 */
	ops = *rig.ctx.ops;
	ops.vec_write = NULL;
	rig.ctx.ops = &ops;
	assert_int_equal(rig_run(&rig), EMUL_UNHANDLED);

	LONG("\xf0\x48\x0f\xc7\x0b");
	rig.ctx.cr0 &= ~(1ull << 31);		/* no tables to be marked */
	rig.ctx.rip = CODE;
	rig.ctx.gpr[EMUL_RBX] = RAM;
	ops = *rig.ctx.ops;
	ops.cmpxchg_gpa = no_cmpxchg;
	rig.ctx.ops = &ops;
	assert_int_equal(rig_run(&rig), EMUL_UNHANDLED);
	assert_int_equal(rig.ctx.rip, CODE);
}

/* Another CPU moves the page while user space answers: the answer is void. */
static void answer_for_another_address_is_dropped(void **state)
{
	(void)state;
	LONG("\x8b\x03");
	rig_map(&rig, 0x500000, USER, RIG_PTE_P | RIG_PTE_W);
	assert_int_equal(emul_run(&rig.ctx), EMUL_NEED_USER);
	memset(rig.ctx.user.data, 0x11, 8);
	rig_map(&rig, 0x500000, USER + 0x1000, RIG_PTE_P | RIG_PTE_W);
	assert_int_equal(emul_resume(&rig.ctx), EMUL_NEED_USER);
	assert_int_equal(rig.ctx.user.gpa, USER + 0x1000);
	memset(rig.ctx.user.data, 0x22, 8);
	assert_int_equal(emul_resume(&rig.ctx), EMUL_DONE);
	assert_int_equal(rig.ctx.gpr[EMUL_RAX], 0x22222222);
}

/* KVM_SET_REGS while user space answers a batch of four. */
static void changed_count_takes_what_was_answered(void **state)
{
	(void)state;
	START("\xf3\x6c");			/* rep insb */
	rig.pio_user = true;
	rig.ctx.gpr[EMUL_RDI] = RAM;
	rig.ctx.gpr[EMUL_RCX] = 4;
	assert_int_equal(emul_run(&rig.ctx), EMUL_NEED_USER);
	memcpy(rig.pio_page, "abcd", 4);
	rig.ctx.gpr[EMUL_RCX] = 6;
	assert_int_equal(emul_resume(&rig.ctx), EMUL_NEED_USER);
	assert_int_equal(rig.ctx.user.count, 2);
	assert_int_equal(rig.ctx.gpr[EMUL_RCX], 2);
	memcpy(rig.pio_page, "ef", 2);
	rig.ctx.gpr[EMUL_RCX] = 1;
	assert_int_equal(emul_resume(&rig.ctx), EMUL_DONE);
	assert_int_equal(rig.ctx.gpr[EMUL_RCX], 0);
	assert_int_equal(rig.ctx.gpr[EMUL_RDI], RAM + 5);
	assert_memory_equal(rig.ram + RAM, "abcde\0", 6);
}

/* A memslot appears where user space has just answered for MMIO. */
static void answer_outlives_a_new_memslot(void **state)
{
	(void)state;
	LONG("\x01\x03");			/* add %eax, (%rbx) */
	rig.ctx.gpr[EMUL_RAX] = 1;
	rig_map(&rig, 0x500000, RIG_RAM2, RIG_PTE_P | RIG_PTE_W);
	assert_int_equal(emul_run(&rig.ctx), EMUL_NEED_USER);
	assert_int_equal(rig.ctx.user.gpa, RIG_RAM2);
	memset(rig.ctx.user.data, 0x11, 8);
	rig.more_ram = true;
	assert_int_equal(emul_resume(&rig.ctx), EMUL_DONE);
	assert_int_equal(rig.ram2[0], 0x12);
	assert_int_equal(rig.ram2[3], 0x11);
}

static int gone(struct emul_ctx *ctx, u64 gpa, const void *buf, u32 len)
{
	(void)ctx, (void)gpa, (void)buf;
	return len ? -EFAULT : 0;
}

/* The memslot goes away between the question and the write. */
static void input_into_vanished_ram_is_unhandled(void **state)
{
	struct emul_ops ops;

	(void)state;
	START("\xf3\x6c");
	ops = *rig.ctx.ops;
	ops.write_gpa = gone;
	rig.ctx.ops = &ops;
	rig.ctx.gpr[EMUL_RDI] = RAM;
	rig.ctx.gpr[EMUL_RCX] = 4096;
	assert_int_equal(rig_run(&rig), EMUL_UNHANDLED);
	assert_true(rig.user_exits <= EMUL_LOG_SIZE);
	assert_int_equal(rig.ctx.gpr[EMUL_RCX], 4096);
}

static void selectors_are_stored_in_16_bits(void **state)
{
	(void)state;
	START("\x8c\x1b");			/* mov %ds, (%ebx) */
	rig_put(&rig, RAM, 4, 0xffffffff);
	rig.ctx.seg[EMUL_DS].selector = 0x1234;
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(rig_get(&rig, RAM, 4), 0xffff1234);
	START("\x8c\x33");			/* segment register 6 */
	assert_int_equal(rig_run(&rig), EMUL_FAULT);
	assert_int_equal(rig.ctx.fault.vector, 6);
}

static void register_forms_work_too(void **state)
{
	(void)state;
	START("\x0f\xc1\xc8\x0f\xab\xc8");	/* xadd %ecx, %eax; bts %ecx, %eax */
	rig.ctx.gpr[EMUL_RAX] = 5;
	rig.ctx.gpr[EMUL_RCX] = 4;
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(rig.ctx.gpr[EMUL_RAX], 9);
	assert_int_equal(rig.ctx.gpr[EMUL_RCX], 5);
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(rig.ctx.gpr[EMUL_RAX], 0x29);
}

static void disabled_sse_is_undefined(void **state)
{
	(void)state;
	START("\x0f\x10\x03");
	rig.ctx.cr4 = 0;
	assert_int_equal(rig_run(&rig), EMUL_FAULT);
	assert_int_equal(rig.ctx.fault.vector, 6);
	rig.ctx.cr4 = 0x200;
	rig.ctx.cr0 |= 4;
	assert_int_equal(rig_run(&rig), EMUL_FAULT);
	assert_int_equal(rig.ctx.fault.vector, 6);
	rig.ctx.cr0 ^= 4 | 8;
	assert_int_equal(rig_run(&rig), EMUL_FAULT);
	assert_int_equal(rig.ctx.fault.vector, 7);
	rig.ctx.cr0 ^= 8;
	assert_int_equal(rig_run(&rig), EMUL_DONE);
}

/* The width of the stack pointer is not that of the operand. */
static void stacks_have_three_widths(void **state)
{
	(void)state;
	START("\xff\x33\x66\xff\x33");	/* pushl (%ebx); pushw (%ebx) */
	rig_put(&rig, RAM, 4, 0x12345678);
	rig.ctx.seg[EMUL_SS].db = 0;
	rig.ctx.seg[EMUL_SS].base = RAM;
	rig.ctx.gpr[EMUL_RSP] = 0xabcd0000;
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(rig.ctx.gpr[EMUL_RSP], 0xabcdfffc);
	assert_int_equal(rig_get(&rig, RAM + 0xfffc, 4), 0x12345678);
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(rig.ctx.gpr[EMUL_RSP], 0xabcdfffa);
	assert_int_equal(rig_get(&rig, RAM + 0xfffa, 2), 0x5678);

	START("\xff\x33");
	rig.ctx.gpr[EMUL_RSP] = RAM + 0x10000;	/* borrows from bit 16 */
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(rig.ctx.gpr[EMUL_RSP], RAM + 0xfffc);

	LONG("\xff\x33\x66\xff\x33\x8f\x43\x08");
	rig_put(&rig, RAM, 8, 0x1122334455667788);
	rig.ctx.gpr[EMUL_RSP] = 0x500100;
	rig.ctx.seg[EMUL_SS].db = 0;
	assert_int_equal(rig_run(&rig), EMUL_DONE);	/* 64 bits by default */
	assert_int_equal(rig.ctx.gpr[EMUL_RSP], 0x5000f8);
	assert_true(rig_get(&rig, RAM + 0xf8, 8) == 0x1122334455667788);
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(rig.ctx.gpr[EMUL_RSP], 0x5000f6);
	rig.ctx.gpr[EMUL_RSP] = 0x5000f8;
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(rig.ctx.gpr[EMUL_RSP], 0x500100);
	assert_true(rig_get(&rig, RAM + 8, 8) == 0x1122334455667788);
}

static void stack_faults_come_from_the_stack(void **state)
{
	(void)state;
	LONG("\xff\x33");
	rig.ctx.gpr[EMUL_RSP] = 0x600004;	/* both pages are absent */
	assert_int_equal(rig_run(&rig), EMUL_FAULT);
	assert_int_equal(rig.ctx.fault.vector, 14);
	assert_int_equal(rig.ctx.fault.error_code, 2);
	assert_int_equal(rig.ctx.fault.cr2, 0x5ffffc);
	assert_int_equal(rig.ctx.gpr[EMUL_RSP], 0x600004);

	LONG("\x8f\x03");			/* popq (%rbx) */
	rig.ctx.gpr[EMUL_RSP] = 0x600000;
	assert_int_equal(rig_run(&rig), EMUL_FAULT);
	assert_int_equal(rig.ctx.fault.vector, 14);
	assert_int_equal(rig.ctx.fault.error_code, 0);

	LONG("\x48\x0f\xc7\x0b");		/* cmpxchg16b (%rbx) */
	rig.ctx.gpr[EMUL_RBX] = 0x600000;
	assert_int_equal(rig_run(&rig), EMUL_FAULT);
	assert_int_equal(rig.ctx.fault.vector, 14);
	assert_int_equal(rig.ctx.fault.error_code, 2);
	assert_int_equal(rig.ctx.fault.cr2, 0x600000);
}


/* One walk for code, one for data, however often the string repeats. */
static void translations_are_kept_within_a_run(void **state)
{
	(void)state;
	LONG("\xf3\xaa");			/* rep stosb */
	rig.ctx.gpr[EMUL_RDI] = 0x500800;
	rig.ctx.gpr[EMUL_RCX] = 200;
	rig.gpa_reads = 0;
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(rig.gpa_reads, 4 + 1 + 4);

	/* and for each page its own */
	rig_map(&rig, 0x501000, RAM + 0x4000, RIG_PTE_P | RIG_PTE_W);
	rig.ctx.rip = 0x400000;
	rig.ctx.gpr[EMUL_RAX] = 0x99;
	rig.ctx.gpr[EMUL_RDI] = 0x500ffe;
	rig.ctx.gpr[EMUL_RCX] = 4;
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(rig_get(&rig, RAM + 0xffe, 2), 0x9999);
	assert_int_equal(rig_get(&rig, RAM + 0x4000, 4), 0x9999);
}

/* The repeated string keeps its translations for one run, not for longer. */
static void translations_do_not_outlive_a_run(void **state)
{
	(void)state;
	LONG("\xac\xac");			/* lodsb; lodsb */
	rig.ctx.gpr[EMUL_RSI] = 0x500000;
	rig_put(&rig, RAM, 2, 0x2211);
	rig_put(&rig, RAM + 0x1000, 2, 0x4433);
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(rig.ctx.gpr[EMUL_RAX], 0x11);
	rig_map(&rig, 0x500000, RAM + 0x1000, RIG_PTE_P);
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(rig.ctx.gpr[EMUL_RAX], 0x44);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(divide_errors),
		cmocka_unit_test(wide_exchange_wants_alignment),
		cmocka_unit_test(alignment_goes_before_paging),
		cmocka_unit_test(movnti_has_no_prefix),
		cmocka_unit_test(failed_exchange_leaves_a_register),
		cmocka_unit_test(missing_ops_are_unhandled),
		cmocka_unit_test(answer_for_another_address_is_dropped),
		cmocka_unit_test(changed_count_takes_what_was_answered),
		cmocka_unit_test(answer_outlives_a_new_memslot),
		cmocka_unit_test(input_into_vanished_ram_is_unhandled),
		cmocka_unit_test(selectors_are_stored_in_16_bits),
		cmocka_unit_test(register_forms_work_too),
		cmocka_unit_test(disabled_sse_is_undefined),
		cmocka_unit_test(stacks_have_three_widths),
		cmocka_unit_test(stack_faults_come_from_the_stack),
		cmocka_unit_test(translations_are_kept_within_a_run),
		cmocka_unit_test(translations_do_not_outlive_a_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
