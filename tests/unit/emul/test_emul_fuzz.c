// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hostile guests: random code, registers, modes, segments and page tables. The
 * emulator must end every time, within bounds, with a result it documents, and
 * change no register unless something retired.
 */
// SOURCES: tests/unit/rig/emul_rig.c dom0-shim/emul/*.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "emul_rig.h"

#define CODE		0x10000u
#define MAX_READS	20000	/* of guest memory, in one emul_run() */
#define MAX_ANSWERS	2000

static struct rig rig;

static uint32_t pick(uint32_t n)
{
	return rig_random() % n;
}

static void random_bytes(void *buf, size_t len)
{
	uint8_t *p = buf;

	while (len--)
		*p++ = rig_random() >> 32;
}

/* Random bytes, most often behind prefixes and a plausible opcode. */
static void random_code(void)
{
	static const uint8_t prefixes[] = {
		0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65,
		0x48, 0x44, 0x41, 0x4f, 0x40,
	};
	uint8_t *code = rig.ram + CODE;
	int n = pick(4), i;

	random_bytes(code, 32);
	for (i = 0; i < n; i++)
		code[i] = prefixes[pick(sizeof(prefixes))];
	if (pick(3) == 0)
		code[i++] = 0x0f;
	if (pick(8) == 0)
		code[i++] = 0x38;
	if (pick(8) == 0)
		code[i] = pick(2) ? 0xc4 : 0xc5;
	else if (pick(6) == 0)
		code[i] = 0xa4 + pick(12);
	else if (pick(12) == 0)
		code[i] = 0x6c + pick(4);
}

static uint64_t random_address(void)
{
	switch (pick(6)) {
	case 0:
		return rig_random();
	case 1:
		return RIG_KERNEL_MMIO + pick(RIG_MMIO_SIZE);
	case 2:
		return RIG_USER_MMIO + pick(RIG_MMIO_SIZE);
	case 3:
		return 0x1000 * pick(256) - pick(32);
	default:
		return pick(RIG_RAM_SIZE);
	}
}

static void random_registers(void)
{
	int i;

	for (i = 0; i < 16; i++)
		rig.ctx.gpr[i] = random_address();
	rig.ctx.rflags = 2 | (rig_random() & 0x243cd5);
	rig.pio_user = pick(2);
	rig.ctx.cpl = pick(2) ? 3 : 0;
}

static void expect_bounded(int r)
{
	assert_in_range(rig.ctx.insn_len, 0, EMUL_MAX_INSN);
	assert_true(rig.gpa_reads < MAX_READS);
	if (r < 0)
		fail_msg("errno %d from ops that return none", r);
	assert_in_range(r, EMUL_DONE, EMUL_UNHANDLED);
	if (r == EMUL_FAULT)
		assert_in_range(rig.ctx.fault.vector, 0, 14);
}

static void run_one(void)
{
	struct emul_ctx before = rig.ctx;
	int i, r;

	rig.nseen = 0;
	rig.gpa_reads = 0;
	r = emul_run(&rig.ctx);
	expect_bounded(r);
	if (r == EMUL_UNHANDLED)
		assert_memory_equal(before.gpr, rig.ctx.gpr, sizeof(before.gpr));
	if (r != EMUL_DONE)
		assert_true(before.rip == rig.ctx.rip);
	for (i = 0; r == EMUL_NEED_USER && i < MAX_ANSWERS; i++) {
		const struct emul_access *u = &rig.ctx.user;

		if (u->kind == EMUL_MMIO_READ || u->kind == EMUL_MMIO_WRITE) {
			assert_in_range(u->len, 1, 8);
			assert_true((u->gpa & 0xfff) + u->len <= 0x1000);
		} else {
			assert_true(u->len * u->count <= EMUL_PAGE_SIZE);
		}
		random_bytes(rig.ctx.user.data, 8);
		rig.gpa_reads = 0;
		r = emul_resume(&rig.ctx);
		expect_bounded(r);
	}
}

static void any_code_in_flat_segments(void **state)
{
	static const int bits[] = { 16, 32 };
	int mode, n;

	(void)state;
	for (mode = 0; mode < 2; mode++) {
		rig_prot(&rig, bits[mode]);
		for (n = 0; n < 100000; n++) {
			random_code();
			random_registers();
			rig.ctx.rip = CODE;
			run_one();
		}
	}
}

static void any_code_in_long_mode(void **state)
{
	uint64_t page;
	int n;

	(void)state;
	rig_long(&rig);
	for (page = 0; page < 0xf0000; page += 0x1000)
		rig_map(&rig, page, page, 7);
	for (page = 0; page < RIG_MMIO_SIZE; page += 0x1000) {
		rig_map(&rig, RIG_KERNEL_MMIO + page, RIG_KERNEL_MMIO + page, 7);
		rig_map(&rig, RIG_USER_MMIO + page, RIG_USER_MMIO + page, 3);
	}
	rig.ctx.phys_bits = 48;
	for (n = 0; n < 200000; n++) {
		random_code();
		random_registers();
		rig.ctx.rip = CODE;
		run_one();
	}
}

/* Nothing is sane: modes, segments, tables made of noise. */
static void any_state_at_all(void **state)
{
	int n, i;

	(void)state;
	rig_real(&rig);
	random_bytes(rig.ram, RIG_RAM_SIZE);
	for (n = 0; n < 200000; n++) {
		random_registers();
		rig.ctx.cr0 = (rig_random() & 0x8001000c) | pick(2) << 31 | pick(2);
		rig.ctx.cr4 = rig_random() & 0x1750630;
		rig.ctx.efer = rig_random() & 0xd01;
		rig.ctx.cr3 = pick(RIG_RAM_SIZE);
		rig.ctx.xcr0 = rig_random() & 7;
		rig.ctx.pkru = rig_random();
		rig.ctx.phys_bits = pick(53);
		for (i = 0; i < EMUL_NR_SEGS; i++) {
			random_bytes(&rig.ctx.seg[i], sizeof(rig.ctx.seg[i]));
			if (pick(2))
				rig.ctx.seg[i].base = 0;
			if (pick(2))
				rig.ctx.seg[i].limit = 0xffffffff;
		}
		random_bytes(&rig.ctx.tr, sizeof(rig.ctx.tr));
		if (pick(2))
			rig.ctx.tr.base = pick(RIG_RAM_SIZE);
		rig.ctx.rip = random_address();
		/* entries that are present and point into RAM, now and then */
		for (i = 0; i < 16; i++)
			rig_put(&rig, 8 * pick(RIG_RAM_SIZE / 8), 8,
				(uint64_t)pick(RIG_RAM_SIZE) | 7);
		run_one();
	}
}

static void any_bytes_decode_within_bounds(void **state)
{
	static const int bits[] = { 16, 32, 64 };
	int n;

	(void)state;
	for (n = 0; n < 300000; n++) {
		size_t len = pick(17);
		uint8_t *buf = malloc(len ? len : 1);
		int r;

		random_bytes(buf, len);
		if (len && pick(2))
			buf[0] = pick(2) ? 0x0f : 0x66;
		r = emul_insn_len(buf, len, bits[pick(3)]);
		assert_true(r == -ENOENT || r == -EMSGSIZE ||
			    (r > 0 && (size_t)r <= len && r <= EMUL_MAX_INSN));
		free(buf);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_code_in_flat_segments),
		cmocka_unit_test(any_code_in_long_mode),
		cmocka_unit_test(any_state_at_all),
		cmocka_unit_test(any_bytes_decode_within_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
