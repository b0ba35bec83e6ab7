// SPDX-License-Identifier: GPL-2.0-only
/*
 * String port I/O of the emulator: batches, who answers, permissions.
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
#define TSS	0x30000u
#define PORT	0x1f0
#define TSS16_BUSY	3
#define TSS32_BUSY	11

static struct rig rig;

#define START(code) do { \
	rig_prot(&rig, 32); \
	rig_code(&rig, CODE, code, sizeof(code) - 1); \
	rig.ctx.rip = CODE; \
	rig.ctx.gpr[EMUL_RDX] = 0xffff0000 | PORT; \
} while (0)

static void expect_seen(int i, int kind, int len, uint32_t count)
{
	assert_true(i < rig.nseen);
	assert_int_equal(rig.seen[i].kind, kind);
	assert_int_equal(rig.seen[i].port, PORT);
	assert_int_equal(rig.seen[i].len, len);
	assert_int_equal(rig.seen[i].count, count);
}

static void input_in_one_batch(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		START("\xf3\x66\x6d");		/* rep insw */
		rig.pio_user = i;
		rig.ctx.gpr[EMUL_RDI] = RAM;
		rig.ctx.gpr[EMUL_RCX] = 256;
		assert_int_equal(rig_run(&rig), EMUL_DONE);
		assert_int_equal(rig.nseen, 1);
		assert_int_equal(rig.user_exits, i);
		expect_seen(0, EMUL_PIO_IN, 2, 256);
		assert_int_equal(rig.ctx.gpr[EMUL_RDI], RAM + 512);
		assert_int_equal(rig.ctx.gpr[EMUL_RCX], 0);
		assert_int_equal(rig_get(&rig, RAM, 4), 0x03020100);
		assert_int_equal(rig_get(&rig, RAM + 508, 4), 0xfffefdfc);
		assert_int_equal(rig_get(&rig, RAM + 512, 4), 0);
		assert_int_equal(rig.ctx.rip, CODE + 3);
	}
}

static void output_in_one_batch(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		START("\xf3\x6e");		/* rep outsb */
		rig.pio_user = i;
		rig.ctx.gpr[EMUL_RSI] = RAM;
		rig.ctx.gpr[EMUL_RCX] = 5;
		memcpy(rig.ram + RAM, "hello", 5);
		assert_int_equal(rig_run(&rig), EMUL_DONE);
		assert_int_equal(rig.nseen, 1);
		assert_int_equal(rig.user_exits, i);
		expect_seen(0, EMUL_PIO_OUT, 1, 5);
		assert_int_equal(rig.pio_out_len, 5);
		assert_memory_equal(rig.pio_out, "hello", 5);
		assert_int_equal(rig.ctx.gpr[EMUL_RSI], RAM + 5);
	}
}

static void registers_wait_for_the_answer(void **state)
{
	(void)state;
	START("\xf3\x6d");			/* rep insl */
	rig.pio_user = true;
	rig.ctx.gpr[EMUL_RDI] = RAM;
	rig.ctx.gpr[EMUL_RCX] = 2;
	assert_int_equal(emul_run(&rig.ctx), EMUL_NEED_USER);
	assert_int_equal(rig.ctx.user.kind, EMUL_PIO_IN);
	assert_int_equal(rig.ctx.user.port, PORT);
	assert_int_equal(rig.ctx.user.len, 4);
	assert_int_equal(rig.ctx.user.count, 2);
	assert_int_equal(rig.ctx.gpr[EMUL_RCX], 2);
	memcpy(rig.pio_page, "abcdefgh", 8);
	assert_int_equal(emul_resume(&rig.ctx), EMUL_DONE);
	assert_int_equal(rig.ctx.gpr[EMUL_RCX], 0);
	assert_memory_equal(rig.ram + RAM, "abcdefgh", 8);
}

static void batches_end_at_pages(void **state)
{
	(void)state;
	START("\xf3\x6d");
	rig.pio_user = true;
	rig.ctx.gpr[EMUL_RDI] = RAM + 0xff6;	/* two fit, one crosses */
	rig.ctx.gpr[EMUL_RCX] = 6;
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	expect_seen(0, EMUL_PIO_IN, 4, 2);
	expect_seen(1, EMUL_PIO_IN, 4, 1);
	expect_seen(2, EMUL_PIO_IN, 4, 3);
	assert_int_equal(rig.nseen, 3);
	assert_int_equal(rig_get(&rig, RAM + 0xffe, 4), 0x0b0a0908);
	assert_int_equal(rig_get(&rig, RAM + 0x100a, 4), 0x17161514);
}

static void a_page_of_data_at_most(void **state)
{
	(void)state;
	START("\xf3\x6c");
	rig.ctx.gpr[EMUL_RDI] = RAM;
	rig.ctx.gpr[EMUL_RCX] = 0x2001;
	assert_int_equal(rig_run_all(&rig), EMUL_DONE);
	expect_seen(0, EMUL_PIO_IN, 1, 4096);
	expect_seen(1, EMUL_PIO_IN, 1, 4096);
	expect_seen(2, EMUL_PIO_IN, 1, 1);
	START("\xf3\x6c");
	rig.ctx.pio_data_size = 64;
	rig.ctx.gpr[EMUL_RDI] = RAM;
	rig.ctx.gpr[EMUL_RCX] = 65;
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	expect_seen(0, EMUL_PIO_IN, 1, 64);
	expect_seen(1, EMUL_PIO_IN, 1, 1);
}

/* More elements than one call does at a time: the caller gets to look at other things. */
static void budget(void **state)
{
	(void)state;
	START("\xf3\x6c");
	rig.ctx.gpr[EMUL_RDI] = RAM;
	rig.ctx.gpr[EMUL_RCX] = 0x2001;
	assert_int_equal(emul_run(&rig.ctx), EMUL_AGAIN);
	assert_int_equal(rig.ctx.gpr[EMUL_RCX], 0x1001);
	assert_true(rig.ctx.rflags & 0x10000);		/* no breakpoint at it counts again */
	assert_int_equal(rig.nseen, 1);
	assert_int_equal(emul_run(&rig.ctx), EMUL_AGAIN);
	assert_int_equal(emul_run(&rig.ctx), EMUL_DONE);
	assert_false(rig.ctx.rflags & 0x10000);
	assert_int_equal(rig.ctx.gpr[EMUL_RDI], RAM + 0x2001);
}

static void backwards_goes_one_by_one(void **state)
{
	(void)state;
	START("\xf3\x6f");			/* rep outsl */
	rig.ctx.rflags |= 0x400;
	rig.ctx.gpr[EMUL_RSI] = RAM + 4;
	rig.ctx.gpr[EMUL_RCX] = 2;
	rig_put(&rig, RAM, 8, 0x2222222211111111);
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(rig.nseen, 2);
	assert_memory_equal(rig.pio_out, "\x22\x22\x22\x22\x11\x11\x11\x11", 8);
	assert_int_equal(rig.ctx.gpr[EMUL_RSI], RAM - 4);
}

static void without_repeat_just_one(void **state)
{
	(void)state;
	START("\x6c");
	rig.ctx.gpr[EMUL_RDI] = RAM;
	rig.ctx.gpr[EMUL_RCX] = 77;
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	expect_seen(0, EMUL_PIO_IN, 1, 1);
	assert_int_equal(rig.ctx.gpr[EMUL_RCX], 77);
	assert_int_equal(rig.ctx.gpr[EMUL_RDI], RAM + 1);
}

static void sixteen_bit_index_wraps_between_batches(void **state)
{
	(void)state;
	rig_real(&rig);
	rig_code(&rig, CODE, "\xf3\x6d", 2);	/* rep insw */
	rig.ctx.seg[EMUL_CS].base = CODE;
	rig.ctx.seg[EMUL_ES].base = RAM;
	rig.ctx.gpr[EMUL_RDX] = PORT;
	rig.ctx.gpr[EMUL_RDI] = 0xfffc;
	rig.ctx.gpr[EMUL_RCX] = 4;
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(rig.ctx.gpr[EMUL_RDI], 4);
	assert_int_equal(rig_get(&rig, RAM + 0xfffc, 4), 0x03020100);
	assert_int_equal(rig_get(&rig, RAM, 4), 0x07060504);
	assert_int_equal(rig_get(&rig, RAM + 0x10000, 4), 0);
}

static void input_into_mmio_one_by_one(void **state)
{
	(void)state;
	START("\xf3\x6d");
	rig.pio_user = true;
	rig.ctx.gpr[EMUL_RDI] = RIG_USER_MMIO;
	rig.ctx.gpr[EMUL_RCX] = 2;
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(rig.nseen, 4);
	expect_seen(0, EMUL_PIO_IN, 4, 1);
	assert_int_equal(rig.seen[1].kind, EMUL_MMIO_WRITE);
	expect_seen(2, EMUL_PIO_IN, 4, 1);
	assert_memory_equal(rig.mmio, "\0\1\2\3\4\5\6\7", 8);
}

/* Readable but not writable: no batch either. */
static void input_into_rom_one_by_one(void **state)
{
	(void)state;
	START("\xf3\x6d");
	rig.ctx.gpr[EMUL_RDI] = RIG_ROM;
	rig.ctx.gpr[EMUL_RCX] = 2;
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(rig.nseen, 4);
	expect_seen(0, EMUL_PIO_IN, 4, 1);
	assert_int_equal(rig.seen[1].kind, EMUL_MMIO_WRITE);
	assert_int_equal(rig.seen[1].gpa, RIG_ROM);
	assert_int_equal(rig.seen[3].gpa, RIG_ROM + 4);
}

static void fault_comes_before_the_port(void **state)
{
	(void)state;
	rig_long(&rig);
	rig_map(&rig, 0x400000, CODE, RIG_PTE_P);
	rig_map(&rig, 0x500000, RAM, RIG_PTE_P | RIG_PTE_W);
	rig_code(&rig, CODE, "\xf3\x6c", 2);
	rig.ctx.rip = 0x400000;
	rig.ctx.gpr[EMUL_RDX] = PORT;
	rig.ctx.gpr[EMUL_RDI] = 0x500ffe;
	rig.ctx.gpr[EMUL_RCX] = 4;
	assert_int_equal(rig_run(&rig), EMUL_FAULT);
	assert_int_equal(rig.ctx.fault.vector, 14);
	assert_int_equal(rig.ctx.fault.cr2, 0x501000);
	assert_int_equal(rig.nseen, 1);		/* what fitted has retired */
	expect_seen(0, EMUL_PIO_IN, 1, 2);
	assert_int_equal(rig.ctx.gpr[EMUL_RCX], 2);
	assert_int_equal(rig.ctx.gpr[EMUL_RDI], 0x501000);
}

static void errno_keeps_the_input(void **state)
{
	(void)state;
	START("\xf3\x6c");
	rig.pio_user = true;
	rig.ctx.gpr[EMUL_RDI] = RAM;
	rig.ctx.gpr[EMUL_RCX] = 3;
	rig.errno_in = 1;
	assert_int_equal(rig_run(&rig), -EINTR);
	assert_int_equal(rig.ctx.gpr[EMUL_RCX], 3);
	assert_int_equal(emul_resume(&rig.ctx), EMUL_DONE);
	assert_int_equal(rig.nseen, 1);
	assert_int_equal(rig_get(&rig, RAM, 4), 0x020100);
}

static void run_user(uint8_t map_byte, uint32_t limit, int want)
{
	START("\x6c");
	rig.ctx.cpl = 3;
	rig.ctx.gpr[EMUL_RDI] = RAM;
	rig.ctx.tr.base = TSS;
	rig.ctx.tr.limit = limit;
	rig.ctx.tr.type = TSS32_BUSY;
	rig_put(&rig, TSS + 102, 2, 104);
	rig.ram[TSS + 104 + PORT / 8] = map_byte;
	assert_int_equal(rig_run(&rig), want);
	if (want == EMUL_FAULT) {
		assert_int_equal(rig.ctx.fault.vector, 13);
		assert_int_equal(rig.ctx.fault.error_code, 0);
		assert_int_equal(rig.nseen, 0);
	}
}

static void permission_bitmap_rules_user_mode(void **state)
{
	(void)state;
	run_user(0xfe, 0x2067, EMUL_DONE);
	run_user(0x01, 0x2067, EMUL_FAULT);
	/* the byte after the port's must be within the limit, too */
	run_user(0, 104 + PORT / 8 + 1, EMUL_DONE);
	run_user(0, 104 + PORT / 8, EMUL_FAULT);

	START("\x6c");				/* a TSS that is not RAM */
	rig.ctx.cpl = 3;
	rig.ctx.tr.base = RIG_KERNEL_MMIO;
	rig.ctx.tr.limit = 0x2067;
	rig.ctx.tr.type = TSS32_BUSY;
	assert_int_equal(rig_run(&rig), EMUL_UNHANDLED);
	assert_int_equal(rig.nseen, 0);

	START("\x6c");				/* IOPL 3 needs no bitmap */
	rig.ctx.cpl = 3;
	rig.ctx.rflags |= 0x3000;
	rig.ctx.gpr[EMUL_RDI] = RAM;
	assert_int_equal(rig_run(&rig), EMUL_DONE);

	rig.ctx.rip = CODE;			/* a limit too small for a bitmap */
	rig.ctx.rflags &= ~0x3000ull;
	rig.ctx.tr.base = TSS;
	rig.ctx.tr.limit = 103;
	rig_put(&rig, TSS + 102, 2, 104);
	assert_int_equal(rig_run(&rig), EMUL_FAULT);
	assert_int_equal(rig.ctx.fault.vector, 13);

	START("\x6c");				/* a 16-bit TSS has none, however long it is */
	rig.ctx.cpl = 3;
	rig.ctx.gpr[EMUL_RDI] = RAM;
	rig.ctx.tr.base = TSS;
	rig.ctx.tr.limit = 0x2067;
	rig.ctx.tr.type = TSS16_BUSY;
	rig_put(&rig, TSS + 102, 2, 104);
	assert_int_equal(rig_run(&rig), EMUL_FAULT);
	assert_int_equal(rig.ctx.fault.vector, 13);
	assert_int_equal(rig.nseen, 0);
}

static void no_buffer_means_unhandled(void **state)
{
	(void)state;
	START("\x6c");
	rig.ctx.pio_data = NULL;
	assert_int_equal(rig_run(&rig), EMUL_UNHANDLED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(input_in_one_batch),
		cmocka_unit_test(output_in_one_batch),
		cmocka_unit_test(registers_wait_for_the_answer),
		cmocka_unit_test(batches_end_at_pages),
		cmocka_unit_test(a_page_of_data_at_most),
		cmocka_unit_test(budget),
		cmocka_unit_test(backwards_goes_one_by_one),
		cmocka_unit_test(without_repeat_just_one),
		cmocka_unit_test(sixteen_bit_index_wraps_between_batches),
		cmocka_unit_test(input_into_mmio_one_by_one),
		cmocka_unit_test(input_into_rom_one_by_one),
		cmocka_unit_test(fault_comes_before_the_port),
		cmocka_unit_test(errno_keeps_the_input),
		cmocka_unit_test(permission_bitmap_rules_user_mode),
		cmocka_unit_test(no_buffer_means_unhandled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
