// SPDX-License-Identifier: GPL-2.0-only
/*
 * MMIO of the emulator: fragments, replay without repeated side effects, page
 * crossings, atomicity, errors of the ops, interrupted string instructions.
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
#define KERNEL	((uint32_t)RIG_KERNEL_MMIO)
#define USER	((uint32_t)RIG_USER_MMIO)

static struct rig rig;

/* 32-bit flat code without paging; code is a string literal. */
#define START(code) do { \
	rig_prot(&rig, 32); \
	rig_code(&rig, CODE, code, sizeof(code) - 1); \
	rig.ctx.rip = CODE; \
} while (0)

static void put_device(uint32_t off, int size, uint64_t val)
{
	memcpy(rig.mmio + off, &val, size);
}

static uint64_t get_device(uint32_t off, int size)
{
	uint64_t val = 0;

	memcpy(&val, rig.mmio + off, size);
	return val;
}

static void expect_seen(int i, int kind, uint64_t gpa, int len)
{
	assert_true(i < rig.nseen);
	assert_int_equal(rig.seen[i].kind, kind);
	assert_int_equal(rig.seen[i].gpa, gpa);
	assert_int_equal(rig.seen[i].len, len);
}

static void read_by_user_space(void **state)
{
	(void)state;
	START("\x8b\x03");			/* mov (%ebx), %eax */
	rig.ctx.gpr[EMUL_RBX] = USER + 8;
	rig.ctx.gpr[EMUL_RAX] = ~0ull;

	assert_int_equal(emul_resume(&rig.ctx), -EINVAL);
	assert_int_equal(emul_run(&rig.ctx), EMUL_NEED_USER);
	assert_int_equal(rig.ctx.user.kind, EMUL_MMIO_READ);
	assert_int_equal(rig.ctx.user.gpa, USER + 8);
	assert_int_equal(rig.ctx.user.len, 4);
	assert_int_equal(rig.ctx.user.count, 1);
	assert_int_equal(rig.ctx.rip, CODE);
	assert_true(rig.ctx.gpr[EMUL_RAX] == ~0ull);

	memcpy(rig.ctx.user.data, "\x78\x56\x34\x12", 4);
	assert_int_equal(emul_resume(&rig.ctx), EMUL_DONE);
	assert_int_equal(rig.ctx.gpr[EMUL_RAX], 0x12345678);
	assert_int_equal(rig.ctx.rip, CODE + 2);
	assert_int_equal(rig.ctx.insn_len >= 2, 1);
	assert_int_equal(emul_resume(&rig.ctx), -EINVAL);
}

static void new_run_forgets_the_access(void **state)
{
	(void)state;
	START("\x8b\x03");
	rig.ctx.gpr[EMUL_RBX] = USER;
	assert_int_equal(emul_run(&rig.ctx), EMUL_NEED_USER);
	assert_int_equal(emul_run(&rig.ctx), EMUL_NEED_USER);
	memset(rig.ctx.user.data, 0x11, 8);
	assert_int_equal(emul_resume(&rig.ctx), EMUL_DONE);
	assert_int_equal(rig.ctx.gpr[EMUL_RAX], 0x11111111);
}

static void modify_reads_and_writes_once(void **state)
{
	(void)state;
	START("\x01\x03");			/* add %eax, (%ebx) */
	rig.ctx.gpr[EMUL_RBX] = USER + 4;
	rig.ctx.gpr[EMUL_RAX] = 1;
	rig.fifo = true;
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(rig.user_exits, 2);
	assert_int_equal(rig.fifo_next, 1);
	assert_int_equal(get_device(4, 4), 2);
	expect_seen(0, EMUL_MMIO_READ, USER + 4, 4);
	expect_seen(1, EMUL_MMIO_WRITE, USER + 4, 4);
	assert_int_equal(rig.nseen, 2);
}

static void compare_string_reads_each_side_once(void **state)
{
	(void)state;
	START("\xa7");				/* cmpsl */
	rig.ctx.gpr[EMUL_RSI] = USER;
	rig.ctx.gpr[EMUL_RDI] = USER + 0x100;
	rig.fifo = true;
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(rig.fifo_next, 2);
	assert_int_equal(rig.ctx.rflags & 0x41, 1);	/* 1 below 2 */
	expect_seen(0, EMUL_MMIO_READ, USER, 4);
	expect_seen(1, EMUL_MMIO_READ, USER + 0x100, 4);
}

static void wide_access_comes_in_eights(void **state)
{
	(void)state;
	START("\xf3\x0f\x6f\x03");		/* movdqu (%ebx), %xmm0 */
	rig.ctx.gpr[EMUL_RBX] = USER + 0x18;
	put_device(0x18, 8, 0x1111111122222222);
	put_device(0x20, 8, 0x3333333344444444);
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(rig.user_exits, 2);
	expect_seen(0, EMUL_MMIO_READ, USER + 0x18, 8);
	expect_seen(1, EMUL_MMIO_READ, USER + 0x20, 8);
	assert_memory_equal(rig.vec[0], rig.mmio + 0x18, 16);
}

static void page_crossing_splits_at_the_page(void **state)
{
	(void)state;
	START("\x89\x03");			/* mov %eax, (%ebx) */
	rig.ctx.gpr[EMUL_RBX] = USER + 0xffd;
	rig.ctx.gpr[EMUL_RAX] = 0x44332211;
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(rig.nseen, 2);
	expect_seen(0, EMUL_MMIO_WRITE, USER + 0xffd, 3);
	expect_seen(1, EMUL_MMIO_WRITE, USER + 0x1000, 1);
	assert_int_equal(get_device(0xffd, 4), 0x44332211);
}

/* RAM ends where MMIO begins: the RAM half must not be added to twice. */
static void modify_across_ram_and_mmio(void **state)
{
	(void)state;
	rig_long(&rig);
	rig_map(&rig, 0x400000, CODE, RIG_PTE_P);
	rig_map(&rig, 0x500000, RAM, RIG_PTE_P | RIG_PTE_W);
	rig_map(&rig, 0x501000, USER, RIG_PTE_P | RIG_PTE_W);
	rig_code(&rig, CODE, "\x01\x03", 2);
	rig.ctx.rip = 0x400000;
	rig.ctx.gpr[EMUL_RBX] = 0x500ffe;
	rig.ctx.gpr[EMUL_RAX] = 0x00010001;
	rig_put(&rig, RAM + 0xffe, 2, 0x1111);
	put_device(0, 2, 0x2222);
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(rig_get(&rig, RAM + 0xffe, 2), 0x1112);
	assert_int_equal(get_device(0, 2), 0x2223);
	assert_int_equal(rig.user_exits, 2);
}

static void exchange_in_ram_is_atomic(void **state)
{
	(void)state;
	START("\x87\x03");			/* xchg %eax, (%ebx) */
	rig.ctx.gpr[EMUL_RBX] = RAM;
	rig.ctx.gpr[EMUL_RAX] = 5;
	rig_put(&rig, RAM, 4, 9);
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(rig.cmpxchgs, 1);
	assert_int_equal(rig_get(&rig, RAM, 4), 5);
	assert_int_equal(rig.ctx.gpr[EMUL_RAX], 9);

	START("\x01\x03");			/* no LOCK: a plain write */
	rig.ctx.gpr[EMUL_RBX] = RAM;
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(rig.cmpxchgs, 0);
	START("\xf0\x01\x03");
	rig.ctx.gpr[EMUL_RBX] = RAM;
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(rig.cmpxchgs, 1);
}

static int contended(struct emul_ctx *ctx, u64 gpa, const void *old,
		     const void *val, u32 len)
{
	(void)ctx, (void)gpa, (void)old, (void)val, (void)len;
	return 1;
}

static void lost_race_changes_nothing(void **state)
{
	struct emul_ops ops;

	(void)state;
	START("\x87\x03");
	ops = *rig.ctx.ops;
	ops.cmpxchg_gpa = contended;
	rig.ctx.ops = &ops;
	rig.ctx.gpr[EMUL_RBX] = RAM;
	rig.ctx.gpr[EMUL_RAX] = 5;
	assert_int_equal(emul_run(&rig.ctx), EMUL_AGAIN);
	assert_int_equal(rig.ctx.rip, CODE);
	assert_int_equal(rig.ctx.gpr[EMUL_RAX], 5);
}

static void lock_needs_memory_and_the_right_opcode(void **state)
{
	static const char *bad[] = {
		"\xf0\x01\xc3",		/* add %eax, %ebx */
		"\xf0\x03\x03",		/* add (%ebx), %eax */
		"\xf0\x39\x03",		/* cmp */
		"\xf0\x83\x3b\x01",	/* cmpl $1 */
		"\xf0\x89\x03",		/* mov */
		"\xf0\xa5\x90",		/* movsl */
		"\xf0\xf7\x03\x01",	/* testl */
		"\xf0\x0f\xa3\x03",	/* bt */
		"\xf0\x0f\xba\x23\x01",	/* btl $1 */
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		START("");
		rig_code(&rig, CODE, bad[i], strlen(bad[i]));
		rig.ctx.gpr[EMUL_RBX] = RAM;
		assert_int_equal(rig_run(&rig), EMUL_FAULT);
		assert_int_equal(rig.ctx.fault.vector, 6);
		assert_false(rig.ctx.fault.has_error);
	}
}

static void rom_reads_as_ram_and_writes_as_mmio(void **state)
{
	(void)state;
	START("\x01\x03");
	rig.ctx.gpr[EMUL_RBX] = RIG_ROM + 0x40;
	rig.ctx.gpr[EMUL_RAX] = 1;
	rig_put(&rig, RIG_ROM + 0x40, 4, 6);
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(rig.nseen, 1);
	expect_seen(0, EMUL_MMIO_WRITE, RIG_ROM + 0x40, 4);
	assert_int_equal(get_device(0x40, 4), 7);
	assert_int_equal(rig_get(&rig, RIG_ROM + 0x40, 4), 6);
}

static void errno_keeps_the_answer(void **state)
{
	(void)state;
	START("\xa5");				/* movsl, from MMIO to RAM */
	rig.ctx.gpr[EMUL_RSI] = USER;
	rig.ctx.gpr[EMUL_RDI] = RAM;
	rig.fifo = true;
	rig.errno_in = 1;
	assert_int_equal(rig_run(&rig), -EINTR);
	assert_int_equal(rig.ctx.rip, CODE);
	assert_int_equal(rig.ctx.gpr[EMUL_RSI], USER);
	assert_int_equal(emul_resume(&rig.ctx), EMUL_DONE);
	assert_int_equal(rig.fifo_next, 1);
	assert_int_equal(rig_get(&rig, RAM, 4), 1);
	assert_int_equal(rig.ctx.gpr[EMUL_RSI], USER + 4);
}

static void repeated_string_retires_by_iteration(void **state)
{
	(void)state;
	START("\xf3\xa5");			/* rep movsl */
	rig.ctx.gpr[EMUL_RSI] = USER;
	rig.ctx.gpr[EMUL_RDI] = RAM;
	rig.ctx.gpr[EMUL_RCX] = 3;
	put_device(0, 8, 0x2222222211111111);
	put_device(8, 4, 0x33333333);
	assert_int_equal(emul_run(&rig.ctx), EMUL_NEED_USER);
	assert_int_equal(rig.ctx.gpr[EMUL_RCX], 3);
	memcpy(rig.ctx.user.data, rig.mmio, 4);
	assert_int_equal(emul_resume(&rig.ctx), EMUL_NEED_USER);
	assert_int_equal(rig.ctx.gpr[EMUL_RCX], 2);
	assert_int_equal(rig.ctx.gpr[EMUL_RSI], USER + 4);
	assert_int_equal(rig.ctx.gpr[EMUL_RDI], RAM + 4);
	assert_int_equal(rig.ctx.rip, CODE);
	assert_int_equal(rig.ctx.user.gpa, USER + 4);
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(rig.ctx.gpr[EMUL_RCX], 0);
	assert_int_equal(rig.ctx.rip, CODE + 2);
	assert_memory_equal(rig.ram + RAM, rig.mmio, 12);
}

static void long_string_gives_the_caller_a_turn(void **state)
{
	(void)state;
	START("\xf3\xaa");			/* rep stosb */
	rig.ctx.gpr[EMUL_RDI] = KERNEL;
	rig.ctx.gpr[EMUL_RCX] = 5000;
	rig.ctx.gpr[EMUL_RAX] = 0x5a;
	assert_int_equal(rig_run(&rig), EMUL_AGAIN);
	assert_true(rig.ctx.gpr[EMUL_RCX] < 5000 && rig.ctx.gpr[EMUL_RCX] > 3000);
	assert_int_equal(rig.ctx.rip, CODE);
	assert_int_equal(emul_resume(&rig.ctx), -EINVAL);
	assert_int_equal(rig_run_all(&rig), EMUL_DONE);
	assert_int_equal(rig.ctx.gpr[EMUL_RDI], KERNEL + 5000);
	assert_int_equal(rig.mmio[4999], 0x5a);
	assert_int_equal(rig.mmio[5000], 0);
}

static void repeat_zero_times_does_nothing(void **state)
{
	(void)state;
	START("\xf3\xaa");
	rig.ctx.gpr[EMUL_RDI] = 0xfff00000;
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(rig.nseen, 0);
	assert_int_equal(rig.ctx.gpr[EMUL_RDI], 0xfff00000);
	assert_int_equal(rig.ctx.rip, CODE + 2);
}

static void pop_to_memory_uses_the_new_stack_pointer(void **state)
{
	(void)state;
	START("\x8f\x44\x24\x04");		/* popl 4(%esp) */
	rig.ctx.gpr[EMUL_RSP] = RAM;
	rig_put(&rig, RAM, 4, 0xabcd1234);
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(rig.ctx.gpr[EMUL_RSP], RAM + 4);
	assert_int_equal(rig_get(&rig, RAM + 8, 4), 0xabcd1234);

	START("\xff\x33");			/* pushl (%ebx) */
	rig.ctx.gpr[EMUL_RSP] = RAM + 0x10;
	rig.ctx.gpr[EMUL_RBX] = USER + 4;
	put_device(4, 4, 0x600df00d);
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(rig.ctx.gpr[EMUL_RSP], RAM + 0xc);
	assert_int_equal(rig_get(&rig, RAM + 0xc, 4), 0x600df00d);
}

static void vex_moves_of_32_bytes(void **state)
{
	int i;

	(void)state;
	rig_long(&rig);
	rig_map(&rig, 0x400000, CODE, RIG_PTE_P);
	rig_map(&rig, 0x500000, USER, RIG_PTE_P | RIG_PTE_W);
	/* vmovdqu %ymm9, (%rax); vmovdqu (%rax), %ymm1; vmovdqu (%rax), %xmm1 */
	rig_code(&rig, CODE, "\xc5\x7e\x7f\x08\xc5\xfe\x6f\x08\xc5\xfa\x6f\x08", 12);
	rig.ctx.rip = 0x400000;
	rig.ctx.gpr[EMUL_RAX] = 0x500020;
	for (i = 0; i < 32; i++)
		rig.vec[9][i] = 0xc0 + i;
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(rig.user_exits, 4);
	assert_memory_equal(rig.mmio + 0x20, rig.vec[9], 32);
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_memory_equal(rig.vec[1], rig.vec[9], 32);
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_memory_equal(rig.vec[1], rig.vec[9], 16);
	for (i = 16; i < 32; i++)
		assert_int_equal(rig.vec[1][i], 0);
	/* Without AVX in XCR0, and with CR0.TS. */
	rig.ctx.rip = 0x400000;
	rig.ctx.xcr0 = 3;
	assert_int_equal(rig_run(&rig), EMUL_FAULT);
	assert_int_equal(rig.ctx.fault.vector, 6);
	rig.ctx.xcr0 = 7;
	rig.ctx.cr0 |= 8;
	assert_int_equal(rig_run(&rig), EMUL_FAULT);
	assert_int_equal(rig.ctx.fault.vector, 7);
}

static void other_vex_forms_are_refused(void **state)
{
	(void)state;
	rig_long(&rig);
	rig_map(&rig, 0x400000, CODE, RIG_PTE_P);
	rig_map(&rig, 0x500000, RAM, RIG_PTE_P | RIG_PTE_W);
	rig.ctx.gpr[EMUL_RAX] = 0x500000;
	rig.ctx.rip = 0x400000;
	/* vmovhps (%rax), %xmm1, %xmm2: three operands */
	rig_code(&rig, CODE, "\xc5\xf0\x16\x10", 4);
	assert_int_equal(rig_run(&rig), EMUL_UNHANDLED);
	rig_code(&rig, CODE, "\xc5\xf8\x16\x10", 4);
	assert_int_equal(rig_run(&rig), EMUL_UNHANDLED);
	/* VEX behind 66, F3 or REX */
	rig_code(&rig, CODE, "\x66\xc5\xfa\x6f\x08", 5);
	assert_int_equal(rig_run(&rig), EMUL_FAULT);
	rig_code(&rig, CODE, "\xf3\xc5\xfa\x6f\x08", 5);
	assert_int_equal(rig_run(&rig), EMUL_FAULT);
	rig_code(&rig, CODE, "\x48\xc5\xfa\x6f\x08", 5);
	assert_int_equal(rig_run(&rig), EMUL_FAULT);
	assert_int_equal(rig.ctx.fault.vector, 6);
}

/* Moves of 4 and 8 bytes have no 256-bit form; those of scalars look at no length. */
static void short_moves_of_256_bits_fault(void **state)
{
	static const char code[][5] = {
		"\xc5\xfe\x7e\x08",	/* vmovq (%rax), %xmm1 */
		"\xc5\xfd\x6e\x08",	/* vmovd */
		"\xc5\xfd\x7e\x08", "\xc5\xfd\xd6\x08",
		"\xc5\xfc\x13\x08",	/* vmovlps %xmm1, (%rax) */
		"\xc5\xfd\x17\x08",	/* vmovhpd */
	};
	unsigned int i;

	(void)state;
	rig_long(&rig);
	rig_map(&rig, 0x400000, CODE, RIG_PTE_P);
	rig_map(&rig, 0x500000, RAM, RIG_PTE_P | RIG_PTE_W);
	rig.ctx.gpr[EMUL_RAX] = 0x500000;
	for (i = 0; i < sizeof(code) / sizeof(code[0]); i++) {
		rig.ctx.rip = 0x400000;
		rig_code(&rig, CODE, code[i], 4);
		assert_int_equal(rig_run(&rig), EMUL_FAULT);
		assert_int_equal(rig.ctx.fault.vector, 6);
	}
	rig_code(&rig, CODE, "\xc5\xfe\x10\x08\xc5\xff\x11\x08", 8);	/* vmovss, vmovsd */
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(rig_run(&rig), EMUL_DONE);
}

static void misaligned_vector_faults(void **state)
{
	(void)state;
	START("\x0f\x29\x03");			/* movaps %xmm0, (%ebx) */
	for (rig.ctx.gpr[EMUL_RBX] = USER + 1; rig.ctx.gpr[EMUL_RBX] < USER + 16;
	     rig.ctx.gpr[EMUL_RBX]++) {
		assert_int_equal(rig_run(&rig), EMUL_FAULT);
		assert_int_equal(rig.ctx.fault.vector, 13);
		assert_int_equal(rig.nseen, 0);
	}
	assert_int_equal(rig_run(&rig), EMUL_DONE);
}

static void code_outside_ram_is_unhandled(void **state)
{
	(void)state;
	START("");
	rig.ctx.rip = KERNEL;
	assert_int_equal(rig_run(&rig), EMUL_UNHANDLED);
	START("\x0f\x0b");
	assert_int_equal(rig_run(&rig), EMUL_UNHANDLED);
	assert_int_equal(rig.ctx.rip, CODE);
	assert_memory_equal(rig.ctx.insn, "\x0f\x0b", 2);
	assert_int_equal(rig.ctx.insn_len, EMUL_MAX_INSN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(read_by_user_space),
		cmocka_unit_test(new_run_forgets_the_access),
		cmocka_unit_test(modify_reads_and_writes_once),
		cmocka_unit_test(compare_string_reads_each_side_once),
		cmocka_unit_test(wide_access_comes_in_eights),
		cmocka_unit_test(page_crossing_splits_at_the_page),
		cmocka_unit_test(modify_across_ram_and_mmio),
		cmocka_unit_test(exchange_in_ram_is_atomic),
		cmocka_unit_test(lost_race_changes_nothing),
		cmocka_unit_test(lock_needs_memory_and_the_right_opcode),
		cmocka_unit_test(rom_reads_as_ram_and_writes_as_mmio),
		cmocka_unit_test(errno_keeps_the_answer),
		cmocka_unit_test(repeated_string_retires_by_iteration),
		cmocka_unit_test(long_string_gives_the_caller_a_turn),
		cmocka_unit_test(repeat_zero_times_does_nothing),
		cmocka_unit_test(pop_to_memory_uses_the_new_stack_pointer),
		cmocka_unit_test(vex_moves_of_32_bytes),
		cmocka_unit_test(other_vex_forms_are_refused),
		cmocka_unit_test(short_moves_of_256_bits_fault),
		cmocka_unit_test(misaligned_vector_faults),
		cmocka_unit_test(code_outside_ram_is_unhandled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
