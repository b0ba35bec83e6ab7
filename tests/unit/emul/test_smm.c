// SPDX-License-Identifier: GPL-2.0-only
/* The state-save area of SMM in both layouts, what a handler begins with, and RSM's bytes. */
// SOURCES: tests/unit/rig/emul_rig.c dom0-shim/emul/*.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "emul_rig.h"
#include "dom0-shim/emul/smm.h"

#define CODE	0x10000u
#define SMBASE	0x7f000000u

static u8 area[EMUL_SMM_AREA_SIZE];

static void fill(void *to, size_t len)
{
	u8 *byte = to;
	size_t i;

	for (i = 0; i < len; i++)
		byte[i] = rig_random();
}

/* Any, but with what a register or a descriptor can hold. */
static struct kvm_segment any_segment(void)
{
	struct kvm_segment s = { 0 };

	s.selector = rig_random();
	s.base = (u32)rig_random();
	s.limit = (u32)rig_random();
	s.type = rig_random() & 15;
	s.s = rig_random() & 1;
	s.dpl = rig_random() & 3;
	s.present = rig_random() & 1;
	s.avl = rig_random() & 1;
	s.l = rig_random() & 1;
	s.db = rig_random() & 1;
	s.g = rig_random() & 1;
	s.unusable = !s.present;
	return s;
}

static struct emul_smm any_state(bool long_mode)
{
	struct kvm_segment *segs[8];
	struct emul_smm s;
	u64 *gpr = (u64 *)&s.regs;
	int i;

	memset(&s, 0, sizeof(s));
	fill(&s.regs, sizeof(s.regs));
	s.regs.rflags |= 2;
	segs[0] = &s.sregs.cs;
	segs[1] = &s.sregs.ds;
	segs[2] = &s.sregs.es;
	segs[3] = &s.sregs.fs;
	segs[4] = &s.sregs.gs;
	segs[5] = &s.sregs.ss;
	segs[6] = &s.sregs.tr;
	segs[7] = &s.sregs.ldt;
	for (i = 0; i < 8; i++)
		*segs[i] = any_segment();
	s.sregs.gdt = (struct kvm_dtable){ .base = 0x1234, .limit = 0xfff };
	s.sregs.idt = (struct kvm_dtable){ .base = 0x5678, .limit = 0x7ff };
	s.sregs.cr0 = 0x80050033;
	s.sregs.cr3 = 0x1000;
	s.sregs.cr4 = 0x6f0;
	s.sregs.efer = long_mode ? 0xd01 : 0x800;
	s.dr6 = 0xffff0ff1;
	s.dr7 = 0x455;
	s.smbase = SMBASE;
	s.shadow = 1;
	if (!long_mode) {
		s.sregs.cs.l = 0;
		for (i = 0; i < 18; i++)
			gpr[i] = (u32)gpr[i];
		s.regs.r8 = 8;
	}
	return s;
}

static void round_trip(bool long_mode)
{
	struct emul_smm before = any_state(long_mode), s = before;

	emul_smm_save(&s, long_mode, area);
	emul_smm_enter(&s, long_mode);
	/* What the layout has no place for is the handler's. */
	if (long_mode)
		fill(&s.regs, sizeof(s.regs));
	emul_smm_load(&s, long_mode, area);
	assert_memory_equal(&s, &before, sizeof(s));
}

static void all_comes_back(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 100; i++) {
		round_trip(true);
		round_trip(false);
	}
}

static u64 at(int offset, int size)
{
	u64 val = 0;

	memcpy(&val, area + offset - EMUL_SMM_AREA, size);
	return val;
}

static void layouts(void **state)
{
	struct emul_smm s = any_state(true);

	(void)state;
	emul_smm_save(&s, true, area);
	assert_int_equal(at(0xfefc, 4), 0x20064);
	assert_int_equal(at(0xff00, 4), SMBASE);
	assert_int_equal(at(0xff78, 8), s.regs.rip);
	assert_int_equal(at(0xff80, 8), s.regs.r15);
	assert_int_equal(at(0xfff8, 8), s.regs.rax);
	assert_int_equal(at(0xfe10, 2), s.sregs.cs.selector);
	s = any_state(false);
	emul_smm_save(&s, false, area);
	assert_int_equal(at(0xfefc, 4), 0x20000);
	assert_int_equal(at(0xfef8, 4), SMBASE);
	assert_int_equal(at(0xfff0, 4), s.regs.rip);
	assert_int_equal(at(0xffd0, 4), s.regs.rax);
	assert_int_equal(at(0xffac, 4), s.sregs.cs.selector);
}

static void the_handler_begins(void **state)
{
	struct emul_smm s = any_state(true);

	(void)state;
	emul_smm_enter(&s, true);
	assert_int_equal(s.sregs.cs.selector, (SMBASE >> 4) & 0xffff);
	assert_int_equal(s.sregs.cs.base, SMBASE);
	assert_int_equal(s.sregs.ss.limit, 0xffffffff);
	assert_int_equal(s.sregs.ds.base, 0);
	assert_int_equal(s.sregs.cr0, 0x00050032);
	assert_int_equal(s.sregs.cr4, 0);
	assert_int_equal(s.sregs.efer, 0);
	assert_int_equal(s.sregs.idt.limit, 0);
	assert_int_equal(s.dr7, 0x400);
	assert_int_equal(s.regs.rip, 0x8000);
	assert_int_equal(s.regs.rflags, 2);
	assert_int_equal(s.shadow, 0);
	s.sregs.efer = 0x800;
	emul_smm_enter(&s, false);
	assert_int_equal(s.sregs.efer, 0x800);
}

/* LMA follows from what else the area says. */
static void lma_is_derived(void **state)
{
	struct emul_smm s = any_state(true);

	(void)state;
	s.sregs.cr0 &= ~0x80000000ull;
	emul_smm_save(&s, true, area);
	emul_smm_load(&s, true, area);
	assert_int_equal(s.sregs.efer, 0x901);
}

static struct rig rig;

static int rsm_at(int bits, const char *code, size_t len)
{
	if (bits == 64) {
		rig_long(&rig);
		rig_map(&rig, CODE, CODE, RIG_PTE_P | RIG_PTE_U);
	} else {
		rig_prot(&rig, bits);
	}
	rig_code(&rig, CODE, code, len);
	rig.ctx.rip = CODE;
	rig.ctx.in_smm = true;
	return emul_run_lacking(&rig.ctx);
}

#define RSM(bits, code) rsm_at(bits, code, sizeof(code) - 1)

static void bytes_of_rsm(void **state)
{
	(void)state;
	assert_int_equal(RSM(32, "\x0f\xaa"), EMUL_RSM);
	assert_int_equal(RSM(64, "\x0f\xaa"), EMUL_RSM);
	assert_int_equal(RSM(64, "\x48\x0f\xaa"), EMUL_RSM);
	assert_int_equal(RSM(32, "\x48\x0f\xaa"), EMUL_UNHANDLED);	/* DEC */
	assert_int_equal(RSM(32, "\x66\x67\x2e\xf3\x0f\xaa"), EMUL_RSM);
	assert_int_equal(RSM(32, "\xf0\x0f\xaa"), EMUL_FAULT);	/* LOCK */
	assert_int_equal(rig.ctx.fault.vector, 6);
	assert_int_equal(RSM(32, "\x0f\x0b"), EMUL_UNHANDLED);
	assert_int_equal(RSM(32, "\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x0f\xaa"),
			 EMUL_FAULT);
	assert_int_equal(rig.ctx.fault.vector, 13);
	/* Fifteen bytes are the longest. */
	assert_int_equal(RSM(32, "\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x0f\xaa"), EMUL_RSM);
	/* At the end of what is mapped. */
	rig_long(&rig);
	rig_map(&rig, CODE, CODE, RIG_PTE_P | RIG_PTE_U);
	rig_code(&rig, CODE + 0xfff, "\x0f\xaa", 2);
	rig.ctx.rip = CODE + 0xfff;
	assert_int_equal(emul_run_lacking(&rig.ctx), EMUL_FAULT);
	assert_int_equal(rig.ctx.fault.vector, 14);
	rig_code(&rig, CODE + 0xffe, "\x0f\xaa", 2);
	rig.ctx.rip = CODE + 0xffe;
	rig.ctx.in_smm = true;
	assert_int_equal(emul_fix_hypercall(&rig.ctx, false), EMUL_UNHANDLED);
	assert_int_equal(emul_run_lacking(&rig.ctx), EMUL_RSM);
	/* Elsewhere it is none. */
	rig.ctx.in_smm = false;
	assert_int_equal(emul_run_lacking(&rig.ctx), EMUL_UNHANDLED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_comes_back), cmocka_unit_test(layouts),
		cmocka_unit_test(the_handler_begins), cmocka_unit_test(lma_is_derived),
		cmocka_unit_test(bytes_of_rsm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
