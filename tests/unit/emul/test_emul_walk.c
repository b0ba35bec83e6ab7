// SPDX-License-Identifier: GPL-2.0-only
/*
 * The emulator's walk of guest page tables: every paging mode, access rights,
 * page-fault error codes, accessed and dirty bits.
 */
// SOURCES: tests/unit/rig/emul_rig.c dom0-shim/emul/*.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "emul_rig.h"

#define PAGE	0x500000ull
#define RAM	0x20000ull
#define READ	EMUL_WALK_READ
#define WRITE	EMUL_WALK_WRITE
#define EXEC	EMUL_WALK_EXEC

#define PF_P	1
#define PF_W	2
#define PF_U	4
#define PF_RSVD	8
#define PF_I	16
#define PF_PK	32

#define CR0_WP	(1ull << 16)
#define SMEP	(1ull << 20)
#define SMAP	(1ull << 21)
#define PKE	(1ull << 22)
#define EFL_AC	(1ull << 18)

static struct rig rig;
static uint64_t leaf;

static void start(uint64_t flags)
{
	rig_long(&rig);
	leaf = rig_map(&rig, PAGE, RAM, flags);
}

static void expect_ok(uint64_t lin, uint32_t access, uint64_t want)
{
	uint64_t gpa = 0;

	assert_int_equal(emul_translate(&rig.ctx, lin, access, &gpa), 0);
	assert_int_equal(gpa, want);
}

static void expect_fault(uint64_t lin, uint32_t access, uint32_t code)
{
	uint64_t gpa = 0;

	assert_int_equal(emul_translate(&rig.ctx, lin, access, &gpa), EMUL_FAULT);
	assert_int_equal(rig.ctx.fault.vector, 14);
	assert_true(rig.ctx.fault.has_error);
	assert_int_equal(rig.ctx.fault.error_code, code);
	assert_int_equal(rig.ctx.fault.cr2, lin);
}

static void without_paging_linear_is_physical(void **state)
{
	(void)state;
	rig_prot(&rig, 32);
	expect_ok(0x12345678, WRITE, 0x12345678);
}

static void four_levels_and_their_bits(void **state)
{
	uint64_t pml4e;

	(void)state;
	start(RIG_PTE_P | RIG_PTE_W);
	expect_ok(PAGE + 0x123, READ, RAM + 0x123);
	assert_int_equal(rig_get(&rig, leaf, 8), RAM | 3 | RIG_PTE_A);
	pml4e = rig_get(&rig, rig.ctx.cr3, 8);
	assert_int_equal(pml4e & 0x60, RIG_PTE_A);
	expect_ok(PAGE + 0x123, WRITE, RAM + 0x123);
	assert_int_equal(rig_get(&rig, leaf, 8), RAM | 3 | RIG_PTE_A | RIG_PTE_D);
	assert_int_equal(rig_get(&rig, rig.ctx.cr3, 8), pml4e);
}

static void peek_sets_no_bits(void **state)
{
	(void)state;
	start(RIG_PTE_P | RIG_PTE_W);
	expect_ok(PAGE, WRITE | EMUL_WALK_PEEK, RAM);
	assert_int_equal(rig_get(&rig, leaf, 8), RAM | 3);
	assert_int_equal(rig.cmpxchgs, 0);
}

static void absent_page_faults(void **state)
{
	(void)state;
	start(0);
	expect_fault(PAGE + 8, READ, 0);
	expect_fault(PAGE + 8, WRITE, PF_W);
	expect_fault(PAGE + 8, EXEC, PF_I);
	rig.ctx.efer &= ~0x800ull;
	expect_fault(PAGE + 8, EXEC, 0);
	rig.ctx.cpl = 3;
	expect_fault(PAGE + 8, WRITE, PF_W | PF_U);
	expect_fault(PAGE + 8, WRITE | EMUL_WALK_SYSTEM, PF_W);
	/* a failed walk marks nothing */
	assert_int_equal(rig_get(&rig, rig.ctx.cr3, 8) & RIG_PTE_A, 0);
}

static void write_protection_and_wp(void **state)
{
	(void)state;
	start(RIG_PTE_P | RIG_PTE_U);
	expect_fault(PAGE, WRITE, PF_P | PF_W);
	assert_int_equal(rig_get(&rig, leaf, 8) & 0x60, 0);
	rig.ctx.cr0 &= ~CR0_WP;
	expect_ok(PAGE, WRITE, RAM);
	rig.ctx.cpl = 3;
	expect_fault(PAGE, WRITE, PF_P | PF_W | PF_U);
	expect_ok(PAGE, READ, RAM);
}

static void user_needs_the_user_bit_at_each_level(void **state)
{
	(void)state;
	start(RIG_PTE_P | RIG_PTE_W);
	rig.ctx.cpl = 3;
	expect_fault(PAGE, READ, PF_P | PF_U);
	start(RIG_PTE_P | RIG_PTE_W | RIG_PTE_U);
	rig.ctx.cpl = 3;
	expect_ok(PAGE, READ, RAM);
	rig_put(&rig, rig.ctx.cr3, 8, rig_get(&rig, rig.ctx.cr3, 8) & ~RIG_PTE_U);
	expect_fault(PAGE, READ, PF_P | PF_U);
}

static void no_execute(void **state)
{
	(void)state;
	start(RIG_PTE_P | RIG_PTE_NX);
	expect_ok(PAGE, READ, RAM);
	expect_fault(PAGE, EXEC, PF_P | PF_I);
	rig.ctx.efer &= ~0x800ull;	/* then the bit is reserved */
	expect_fault(PAGE, READ, PF_P | PF_RSVD);
}

static void smep_and_smap(void **state)
{
	(void)state;
	start(RIG_PTE_P | RIG_PTE_W | RIG_PTE_U);
	expect_ok(PAGE, EXEC, RAM);
	expect_ok(PAGE, READ, RAM);
	rig.ctx.cr4 |= SMEP;
	expect_fault(PAGE, EXEC, PF_P | PF_I);
	rig.ctx.cr4 |= SMAP;
	expect_fault(PAGE, READ, PF_P);
	expect_fault(PAGE, WRITE, PF_P | PF_W);
	rig.ctx.rflags |= EFL_AC;
	expect_ok(PAGE, READ, RAM);
	expect_fault(PAGE, READ | EMUL_WALK_SYSTEM, PF_P);
	rig.ctx.rflags &= ~EFL_AC;
	rig.ctx.cpl = 3;
	expect_ok(PAGE, EXEC, RAM);
	expect_ok(PAGE, WRITE, RAM);
}

static void protection_keys(void **state)
{
	(void)state;
	start(RIG_PTE_P | RIG_PTE_W | RIG_PTE_U | 5ull << 59);
	rig.ctx.pkru = 1u << 10;			/* key 5: no access */
	expect_ok(PAGE, READ, RAM);
	rig.ctx.cr4 |= PKE;
	expect_fault(PAGE, READ, PF_P | PF_PK);
	expect_ok(PAGE, EXEC, RAM);
	rig.ctx.pkru = 2u << 10;			/* key 5: no writes */
	expect_ok(PAGE, READ, RAM);
	expect_fault(PAGE, WRITE, PF_P | PF_W | PF_PK);
	rig.ctx.cr0 &= ~CR0_WP;
	expect_ok(PAGE, WRITE, RAM);
	rig.ctx.cpl = 3;
	expect_fault(PAGE, WRITE, PF_P | PF_W | PF_U | PF_PK);
}

static void reserved_bits(void **state)
{
	(void)state;
	start(RIG_PTE_P | 1ull << 45);
	rig.ctx.phys_bits = 46;
	expect_ok(PAGE, READ, RAM | 1ull << 45);
	rig.ctx.phys_bits = 45;
	expect_fault(PAGE, READ, PF_P | PF_RSVD);
	start(RIG_PTE_P);
	rig_put(&rig, rig.ctx.cr3, 8, rig_get(&rig, rig.ctx.cr3, 8) | RIG_PTE_PS);
	expect_fault(PAGE, READ, PF_P | PF_RSVD);
}

static void large_pages_of_long_mode(void **state)
{
	(void)state;
	start(RIG_PTE_P);
	/* rig_map() took its tables from 0x81000 on: PDPT, PD, PT */
	rig_put(&rig, 0x82000 + 8 * 2, 8, 0x600000 | RIG_PTE_P | RIG_PTE_PS);
	expect_ok(PAGE + 0x1234, READ, 0x701234);
	rig_put(&rig, 0x82000 + 8 * 2, 8, 0x602000 | RIG_PTE_P | RIG_PTE_PS);
	expect_fault(PAGE, READ, PF_P | PF_RSVD);
	rig_put(&rig, 0x81000, 8, 0x80000000 | RIG_PTE_P | RIG_PTE_PS);
	expect_ok(PAGE + 0x1234, READ, 0x80501234);
	assert_int_equal(rig_get(&rig, 0x81000, 8) & 0x60, RIG_PTE_A);
	rig.ctx.no_1g_pages = true;
	expect_fault(PAGE, READ, PF_P | PF_RSVD);
}

static void two_levels_with_and_without_pse(void **state)
{
	(void)state;
	rig_prot(&rig, 32);
	rig.ctx.cr0 |= 1ull << 31 | CR0_WP;
	rig.ctx.cr4 = 0;
	rig.ctx.cr3 = 0x30018;		/* PCD and PWT are not address */
	rig_put(&rig, 0x30000 + 4 * 1, 4, 0x31000 | 7);
	rig_put(&rig, 0x31000 + 4 * 0x100, 4, RAM | 1);
	expect_ok(0x500abc, READ, RAM | 0xabc);
	assert_int_equal(rig_get(&rig, 0x31000 + 4 * 0x100, 4), RAM | 0x21);
	expect_fault(0x500abc, WRITE, PF_P | PF_W);
	expect_fault(0x501abc, READ, 0);

	rig_put(&rig, 0x30000 + 4 * 2, 4, 0x00c02000 | 0x83);
	rig.ctx.cr4 = 0x10;
	/* bit 13 of the entry is address bit 32 */
	expect_ok(0x812345, WRITE, 0x100000000 + 0xc12345);
	assert_int_equal(rig_get(&rig, 0x30000 + 4 * 2, 4), 0x00c02000 | 0xe3);
	rig_put(&rig, 0x30000 + 4 * 2, 4, 0x00e02000 | 0x83);
	expect_fault(0x812345, READ, PF_P | PF_RSVD);
}

static void five_levels(void **state)
{
	const uint64_t far = 0x00ab000000000000ull + PAGE;	/* index 0x0ab in the fifth */
	uint64_t four;

	(void)state;
	start(RIG_PTE_P | RIG_PTE_W);
	four = rig.ctx.cr3;
	rig.ctx.cr4 |= 1 << 12;
	rig.ctx.cr3 = 0x38000;
	rig_put(&rig, 0x38000 + 8 * 0x0ab, 8, four | 7);
	rig_put(&rig, 0x38000 + 8 * 0x0ac, 8, four | 7 | 0x80);
	expect_ok(far + 0x123, WRITE, RAM + 0x123);
	assert_int_equal(rig_get(&rig, 0x38000 + 8 * 0x0ab, 8), four | 7 | RIG_PTE_A);
	assert_int_equal(rig_get(&rig, leaf, 8), RAM | 3 | RIG_PTE_A | RIG_PTE_D);
	expect_fault(PAGE, READ, 0);
	/* No page is that large. */
	expect_fault(far + (1ull << 48), READ, PF_P | PF_RSVD);
}

static void pae_has_three_levels(void **state)
{
	(void)state;
	rig_prot(&rig, 32);
	rig.ctx.cr0 |= 1ull << 31 | CR0_WP;
	rig.ctx.cr4 = 0x20;
	rig.ctx.efer = 0x800;
	rig.ctx.cr3 = 0x30020;		/* 32-byte aligned */
	rig_put(&rig, 0x30020 + 8 * 3, 8, 0x31000 | 1);
	rig_put(&rig, 0x31000 + 8 * 0x1ff, 8, 0x32000 | 7);
	rig_put(&rig, 0x32000 + 8 * 0x1ff, 8, RAM | 7 | RIG_PTE_NX);
	rig.ctx.cpl = 3;
	expect_ok(0xfffff123, WRITE, RAM | 0x123);
	assert_int_equal(rig_get(&rig, 0x30020 + 8 * 3, 8), 0x31001);
	assert_int_equal(rig_get(&rig, 0x31000 + 8 * 0x1ff, 8), 0x32027);
	assert_int_equal(rig_get(&rig, 0x32000 + 8 * 0x1ff, 8),
			 RAM | 0x67 | RIG_PTE_NX);
	expect_fault(0xfffff123, EXEC, PF_P | PF_U | PF_I);
	rig_put(&rig, 0x31000 + 8 * 0x1fe, 8, 0x40000000 | 0x87);
	expect_ok(0xffdfedcb, READ, 0x401fedcb);
	rig_put(&rig, 0x31000 + 8 * 0x1fe, 8, 0x40000000 | 0x87 | 1ull << 60);
	expect_fault(0xffdfedcb, READ, PF_P | PF_U | PF_RSVD);
	rig_put(&rig, 0x30020 + 8 * 3, 8, 0x31000 | 1 | RIG_PTE_NX);
	expect_fault(0xfffff123, READ, PF_P | PF_U | PF_RSVD);
	rig_put(&rig, 0x30020 + 8 * 3, 8, 0x31000 | 3);
	expect_fault(0xfffff123, READ, PF_P | PF_U | PF_RSVD);
}

static void tables_outside_ram_are_unhandled(void **state)
{
	uint64_t gpa;

	(void)state;
	start(RIG_PTE_P);
	rig.ctx.cr3 = RIG_KERNEL_MMIO;
	assert_int_equal(emul_translate(&rig.ctx, PAGE, READ, &gpa), EMUL_UNHANDLED);
	start(RIG_PTE_P);
	rig.ctx.cr4 |= 1 << 24;		/* keys of supervisor pages */
	assert_int_equal(emul_translate(&rig.ctx, PAGE, READ, &gpa), EMUL_UNHANDLED);
}

static int races;

/* Another CPU sets the accessed bit just before us, races times. */
static int racing_cmpxchg(struct emul_ctx *ctx, u64 gpa, const void *old,
			  const void *val, u32 len)
{
	(void)ctx, (void)old, (void)val, (void)len;
	if (races > 0) {
		races--;
		return 1;
	}
	memcpy(rig.ram + gpa, val, len);
	return 0;
}

static void races_are_retried_but_not_for_ever(void **state)
{
	struct emul_ops ops;
	uint64_t gpa;

	(void)state;
	start(RIG_PTE_P);
	ops = *rig.ctx.ops;
	ops.cmpxchg_gpa = racing_cmpxchg;
	rig.ctx.ops = &ops;
	races = 3;
	expect_ok(PAGE, READ, RAM);
	start(RIG_PTE_P);
	rig.ctx.ops = &ops;
	races = 1000;
	assert_int_equal(emul_translate(&rig.ctx, PAGE, READ, &gpa), EMUL_AGAIN);
	assert_true(races > 900);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_paging_linear_is_physical),
		cmocka_unit_test(four_levels_and_their_bits),
		cmocka_unit_test(peek_sets_no_bits),
		cmocka_unit_test(absent_page_faults),
		cmocka_unit_test(write_protection_and_wp),
		cmocka_unit_test(user_needs_the_user_bit_at_each_level),
		cmocka_unit_test(no_execute),
		cmocka_unit_test(smep_and_smap),
		cmocka_unit_test(protection_keys),
		cmocka_unit_test(reserved_bits),
		cmocka_unit_test(large_pages_of_long_mode),
		cmocka_unit_test(two_levels_with_and_without_pse),
		cmocka_unit_test(five_levels),
		cmocka_unit_test(pae_has_three_levels),
		cmocka_unit_test(tables_outside_ram_are_unhandled),
		cmocka_unit_test(races_are_retried_but_not_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
