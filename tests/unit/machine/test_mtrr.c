// SPDX-License-Identifier: GPL-2.0-only
/* Memory types from MTRRs. */
// SOURCES: hv/core/machine/mtrr.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "hv/core/machine/mtrr.h"
#include "hv/core/lib/x86_regs.h"

#define ON	(MTRR_DEF_E | MTRR_DEF_FE)
#define MASK(size)	((BIT(40) - (size)) | MTRR_MASK_VALID)

static void off_is_uncached(void **state __unused)
{
	struct mtrr_state m = { .def_type = MEMTYPE_WB, .nr_var = 1,
				.var = { { MEMTYPE_WB, MASK(SZ_1G) } } };

	assert_int_equal(mtrr_type(&m, 0), MEMTYPE_UC);
	assert_int_equal(mtrr_type(&m, SZ_2M), MEMTYPE_UC);
}

static void variable_ranges(void **state __unused)
{
	struct mtrr_state m = {
		.def_type = ON | MEMTYPE_UC,
		.nr_var = 5,
		.var = {
			{ MEMTYPE_WB, MASK(SZ_2M * 1024) },		/* 0-2 GiB */
			{ 0x7f000000 | MEMTYPE_UC, MASK(SZ_1M * 16) },
			{ 0x10000000 | MEMTYPE_WT, MASK(SZ_1M) },
			{ 0xe0000000 | MEMTYPE_WC, MASK(SZ_1M * 256) },
			{ SZ_4G | MEMTYPE_WB, MASK(SZ_4G) & ~MTRR_MASK_VALID },
		},
	};

	assert_int_equal(mtrr_type(&m, SZ_1M), MEMTYPE_WB);
	assert_int_equal(mtrr_type(&m, 0x7efff000), MEMTYPE_WB);
	assert_int_equal(mtrr_type(&m, 0x7f000000), MEMTYPE_UC);
	assert_int_equal(mtrr_type(&m, 0x10000000), MEMTYPE_WT);
	assert_int_equal(mtrr_type(&m, 0x10100000), MEMTYPE_WB);
	assert_int_equal(mtrr_type(&m, 0x80000000), MEMTYPE_UC);
	assert_int_equal(mtrr_type(&m, 0xe8000000), MEMTYPE_WC);
	assert_int_equal(mtrr_type(&m, SZ_4G), MEMTYPE_UC);
	m.def_type = ON | MEMTYPE_WB;
	assert_int_equal(mtrr_type(&m, SZ_4G), MEMTYPE_WB);
}

/* As a server has it: WB but for the hole below 4 GiB and a window far up. */
static void runs(void **state __unused)
{
	struct mtrr_state m = {
		.def_type = ON | MEMTYPE_WB,
		.nr_var = 3,
		.var = {
			{ 0x80000000 | MEMTYPE_UC, MASK(0x80000000) },
			{ 0x8000000000 | MEMTYPE_UC, MASK(0x8000000000) },
			{ 0x1000000 | MEMTYPE_UC, MASK(SZ_1M) & ~MTRR_MASK_VALID },
		},
	};
	hpa_t pa, end;
	u8 type;

	assert_int_equal(mtrr_run(&m, 0x1000, &end), m.fixed[0] & 0xff);
	assert_int_equal(end, 0x2000);
	assert_int_equal(mtrr_run(&m, SZ_1M, &end), MEMTYPE_WB);
	assert_int_equal(end, 0x80000000);
	assert_int_equal(mtrr_run(&m, 0xfed00000, &end), MEMTYPE_UC);
	assert_int_equal(end, SZ_4G);
	assert_int_equal(mtrr_run(&m, 0x9000001000, &end), MEMTYPE_UC);
	assert_int_equal(end, 0x9080000000);
	m.var[2].mask |= MTRR_MASK_VALID;
	for (pa = SZ_1M; pa < SZ_4G; pa = end) {
		type = mtrr_run(&m, pa, &end);
		assert_int_equal(type, mtrr_type(&m, end - PAGE_SIZE));
		assert_true(end > pa && end <= pa + SZ_1M);
	}
	m.nr_var = 0;
	assert_int_equal(mtrr_run(&m, SZ_4G, &end), MEMTYPE_WB);
	assert_int_equal(end, BIT(52));
}

static void fixed_ranges(void **state __unused)
{
	struct mtrr_state m = {
		.def_type = ON | MEMTYPE_UC,
		.fixed = { [0] = 0x0406060606060606, [1] = 0x0606060606060606,
			   [3] = 0x0500000000000000, [10] = 0x0505050505050505 },
		.nr_var = 1,
		.var = { { MEMTYPE_WB, MASK(SZ_1G) } },
	};

	assert_int_equal(mtrr_type(&m, 0), MEMTYPE_WB);
	assert_int_equal(mtrr_type(&m, 0x6f000), MEMTYPE_WB);
	assert_int_equal(mtrr_type(&m, 0x70000), MEMTYPE_WT);
	assert_int_equal(mtrr_type(&m, 0x9f000), MEMTYPE_WB);
	assert_int_equal(mtrr_type(&m, 0xa0000), MEMTYPE_UC);
	assert_int_equal(mtrr_type(&m, 0xc6000), MEMTYPE_UC);
	assert_int_equal(mtrr_type(&m, 0xc7000), MEMTYPE_WP);
	assert_int_equal(mtrr_type(&m, 0xf7000), MEMTYPE_UC);
	assert_int_equal(mtrr_type(&m, 0xff000), MEMTYPE_WP);
	m.def_type &= ~MTRR_DEF_FE;
	assert_int_equal(mtrr_type(&m, 0xa0000), MEMTYPE_WB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(off_is_uncached),
		cmocka_unit_test(variable_ranges),
		cmocka_unit_test(runs),
		cmocka_unit_test(fixed_ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
