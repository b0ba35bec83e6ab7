// SPDX-License-Identifier: GPL-2.0-only
/*
 * Effective addresses of 16 and 32-bit code: which registers each ModRM form
 * adds, which segment it takes by default, how wide the sum is.
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
#define DS_BASE	0x20000u
#define SS_BASE	0x40000u
#define ES_BASE	0x60000u

static struct rig rig;

/* Every byte of the three segments' memory is told apart by address. */
static void start(int bits)
{
	static const uint32_t bases[] = { DS_BASE, SS_BASE, ES_BASE };
	uint32_t i, off;

	rig_prot(&rig, bits);
	rig.ctx.seg[EMUL_DS].base = DS_BASE;
	rig.ctx.seg[EMUL_SS].base = SS_BASE;
	rig.ctx.seg[EMUL_ES].base = ES_BASE;
	for (i = 0; i < 3; i++)
		for (off = 0; off < 0x20000; off += 4)
			rig_put(&rig, bases[i] + off, 4, bases[i] + off);
	for (i = 0; i < 8; i++)
		rig.ctx.gpr[i] = 0x77660000 + 0x400 * (i + 1);
}

/* Run a 32-bit load into EAX; returns the linear address it read from. */
static uint32_t loaded_from(const uint8_t *code, size_t len)
{
	rig_code(&rig, CODE, code, len);
	rig.ctx.rip = CODE;
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(rig.ctx.rip, CODE + len);
	return rig.ctx.gpr[EMUL_RAX];
}

static void sixteen_bit_forms(void **state)
{
	static const struct {
		int base, index;
		uint32_t seg;
	} forms[8] = {
		{ EMUL_RBX, EMUL_RSI, DS_BASE }, { EMUL_RBX, EMUL_RDI, DS_BASE },
		{ EMUL_RBP, EMUL_RSI, SS_BASE }, { EMUL_RBP, EMUL_RDI, SS_BASE },
		{ EMUL_RSI, -1, DS_BASE }, { EMUL_RDI, -1, DS_BASE },
		{ EMUL_RBP, -1, SS_BASE }, { EMUL_RBX, -1, DS_BASE },
	};
	static const uint32_t disps[3] = { 0, -0x14, 0x1238 };
	int mod, rm;

	(void)state;
	for (mod = 0; mod < 3; mod++) {
		for (rm = 0; rm < 8; rm++) {
			uint8_t code[8] = { 0x66, 0x8b, mod << 6 | rm,
					    disps[mod], disps[mod] >> 8 };
			uint32_t want = disps[mod], seg = forms[rm].seg;

			start(16);
			want += (uint16_t)rig.ctx.gpr[forms[rm].base];
			if (forms[rm].index >= 0)
				want += (uint16_t)rig.ctx.gpr[forms[rm].index];
			if (mod == 0 && rm == 6) {	/* absolute */
				code[3] = 0x40;
				code[4] = 0x12;
				want = 0x1240;
				seg = DS_BASE;
			}
			assert_int_equal(loaded_from(code, 3 + (mod == 0 && rm == 6 ?
					 2 : mod)), seg + (uint16_t)want);
		}
	}
}

static void sixteen_bit_sums_wrap(void **state)
{
	(void)state;
	start(16);
	rig.ctx.gpr[EMUL_RBX] = 0xf000;
	rig.ctx.gpr[EMUL_RSI] = 0x1abc;
	/* 66 8b 00: mov (%bx,%si), %eax */
	assert_int_equal(loaded_from((uint8_t *)"\x66\x8b\x00", 3),
			 DS_BASE + 0xabc);
}

static void thirty_two_bit_bases(void **state)
{
	int rm;

	(void)state;
	for (rm = 0; rm < 8; rm++) {
		uint8_t code[4] = { 0x8b, 0x40 | rm, 0x08 };
		uint32_t seg = rm == 5 ? SS_BASE : DS_BASE;

		if (rm == 4)
			continue;
		start(32);
		rig.ctx.gpr[rm] &= 0xffff;
		assert_int_equal(loaded_from(code, 3),
				 seg + 0x400 * (rm + 1) + 8);
	}
}

static void scaled_index_forms(void **state)
{
	int base, index, scale;

	(void)state;
	for (scale = 0; scale < 4; scale++)
		for (base = 0; base < 8; base++)
			for (index = 0; index < 8; index++) {
				uint8_t code[8] = { 0x8b, 0x44,
					scale << 6 | index << 3 | base, 4 };
				bool stack = base == 4 || base == 5;
				uint32_t want = (stack ? SS_BASE : DS_BASE) + 4;

				start(32);
				for (int i = 0; i < 8; i++)
					rig.ctx.gpr[i] &= 0xffff;
				want += rig.ctx.gpr[base];
				if (index != 4)
					want += rig.ctx.gpr[index] << scale;
				assert_int_equal(loaded_from(code, 4), want);
			}
}

static void overrides_replace_the_default(void **state)
{
	(void)state;
	start(32);
	rig.ctx.gpr[EMUL_RBP] = 0x100;
	/* mov %es:0(%ebp), %eax; the last of two prefixes counts */
	assert_int_equal(loaded_from((uint8_t *)"\x26\x8b\x45\x00", 4),
			 ES_BASE + 0x100);
	assert_int_equal(loaded_from((uint8_t *)"\x26\x3e\x8b\x45\x00", 5),
			 DS_BASE + 0x100);
	/* mov %es:0x1234, %eax by its short form, absolute 32-bit by the other */
	assert_int_equal(loaded_from((uint8_t *)"\x26\xa1\x34\x12\0\0", 6),
			 ES_BASE + 0x1234);
	assert_int_equal(loaded_from((uint8_t *)"\x8b\x05\x34\x12\0\0", 6),
			 DS_BASE + 0x1234);
}

/* The source of a string may be overridden, its destination not. */
static void string_segments(void **state)
{
	(void)state;
	start(32);
	rig.ctx.gpr[EMUL_RSI] = 0x100;
	rig.ctx.gpr[EMUL_RDI] = 0x200;
	rig_code(&rig, CODE, "\x36\xa5", 2);	/* movsl %ss:(%esi), %es:(%edi) */
	rig.ctx.rip = CODE;
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_int_equal(rig_get(&rig, ES_BASE + 0x200, 4), SS_BASE + 0x100);
	rig_code(&rig, CODE, "\x36\xaf", 2);	/* scasl %es:(%edi) */
	rig.ctx.rip = CODE;
	rig.ctx.gpr[EMUL_RAX] = ES_BASE + 0x204;
	assert_int_equal(rig_run(&rig), EMUL_DONE);
	assert_true(rig.ctx.rflags & 0x40);
}

static void address_prefix_swaps_widths(void **state)
{
	(void)state;
	start(32);
	rig.ctx.gpr[EMUL_RDI] = 0x12340010;
	/* addr16 mov (%di), %eax */
	assert_int_equal(loaded_from((uint8_t *)"\x67\x8b\x05", 3), DS_BASE + 0x10);
	start(16);
	rig.ctx.gpr[EMUL_RDI] = 0x10010;
	/* addr32 mov (%edi), %eax */
	assert_int_equal(loaded_from((uint8_t *)"\x67\x66\x8b\x07", 4),
			 DS_BASE + 0x10010);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sixteen_bit_forms),
		cmocka_unit_test(sixteen_bit_sums_wrap),
		cmocka_unit_test(thirty_two_bit_bases),
		cmocka_unit_test(scaled_index_forms),
		cmocka_unit_test(overrides_replace_the_default),
		cmocka_unit_test(string_segments),
		cmocka_unit_test(address_prefix_swaps_widths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
