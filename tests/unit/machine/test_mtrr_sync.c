// SPDX-License-Identifier: GPL-2.0-only
/* The boot CPU's MTRRs come to an AP, in the order that the manuals ask for. */
// SOURCES: hv/core/machine/mtrr.c hv/core/machine/mtrr_sync.c
// CFLAGS: -include core_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "hv/core/machine/mtrr.h"

#define CR0		0x80010033ull
#define CR3		0x1234000ull
#define NR_VAR		8
#define FIRST		MSR_MTRR_PHYSBASE0
#define LAST		MSR_MTRR_DEF_TYPE

u64 host_tsc;

static u64 msr[LAST - FIRST + 1];
static u64 cr0;
static bool has_mtrr, empty, flushed;
static u32 written, tlb_flushes, wbinvds;

struct cpuid host_cpuid(u32 leaf, u32 sub __unused)
{
	assert_int_equal(leaf, 1);
	return (struct cpuid){ .edx = has_mtrr ? BIT(12) : 0 };
}

int host_rdmsr(u32 nr, u64 *val)
{
	assert_true(has_mtrr);
	if (nr == MSR_MTRRCAP) {
		*val = NR_VAR | MTRRCAP_FIX;
		return 0;
	}
	assert_in_range(nr, FIRST, LAST);
	*val = msr[nr - FIRST];
	return 0;
}

int host_wrmsr(u32 nr, u64 val)
{
	assert_in_range(nr, FIRST, LAST);
	assert_int_equal(cr0, CR0 | X86_CR0_CD);	/* nothing is cached meanwhile */
	assert_true(empty && flushed);
	if (nr != MSR_MTRR_DEF_TYPE)
		assert_false(msr[LAST - FIRST] & MTRR_DEF_E);
	msr[nr - FIRST] = val;
	written++;
	return 0;
}

u64 host_read_cr(int n)
{
	return n ? CR3 : cr0;
}

void host_write_cr(int n, u64 val)
{
	if (n == 3) {
		assert_int_equal(val, CR3);
		flushed = true;
		tlb_flushes++;
		return;
	}
	/* Back to caching: what was read under the old types is gone. */
	if (!(val & X86_CR0_CD) && written)
		assert_true(wbinvds == 2 && tlb_flushes == 2);
	cr0 = val;
	empty = flushed = false;
}

void host_wbinvd(void)
{
	assert_true(cr0 & X86_CR0_CD);
	empty = true;
	wbinvds++;
}

/* What SeaBIOS leaves on CPU 0 of a small machine. */
static const u64 firmware_fixed = 0x0606060606060606;

static int setup(void **state)
{
	int i;

	(void)state;
	memset(msr, 0, sizeof(msr));
	for (i = 0; i < 8; i++)
		msr[MSR_MTRR_FIX4K_C0000 - FIRST + i] = 0x0505050505050505;
	msr[MSR_MTRR_FIX64K_00000 - FIRST] = firmware_fixed;
	msr[MSR_MTRR_FIX16K_80000 - FIRST] = firmware_fixed;
	msr[0] = 0xc0000000 | MEMTYPE_UC;
	msr[1] = 0xffc0000000 | MTRR_MASK_VALID;
	msr[LAST - FIRST] = MTRR_DEF_E | MTRR_DEF_FE | MEMTYPE_WB;
	cr0 = CR0;
	has_mtrr = true;
	empty = flushed = false;
	written = tlb_flushes = wbinvds = 0;
	return 0;
}

static void the_same_is_left_alone(void **state)
{
	struct mtrr_state m;

	(void)state;
	mtrr_read(&m);
	assert_false(mtrr_sync(&m));
	assert_int_equal(written + tlb_flushes + wbinvds, 0);
}

static void reset_values_are_replaced(void **state)
{
	u64 want[LAST - FIRST + 1];
	struct mtrr_state m;

	(void)state;
	mtrr_read(&m);
	memcpy(want, msr, sizeof(want));
	memset(msr, 0, sizeof(msr));
	assert_true(mtrr_sync(&m));
	assert_memory_equal(msr, want, sizeof(want));
	assert_int_equal(cr0, CR0);
	assert_int_equal(wbinvds, 2);
	assert_false(mtrr_sync(&m));
}

/* Ranges that the AP has and the boot CPU has not are switched off. */
static void ranges_of_its_own_go(void **state)
{
	struct mtrr_state m, after;

	(void)state;
	mtrr_read(&m);
	msr[2 * 5] = 0x80000000 | MEMTYPE_WC;
	msr[2 * 5 + 1] = 0xffff000000 | MTRR_MASK_VALID;
	assert_true(mtrr_sync(&m));
	assert_int_equal(msr[2 * 5 + 1], 0);
	assert_int_equal(written, 4);			/* off, base, mask, on */
	mtrr_read(&after);
	assert_memory_equal(&m, &after, sizeof(m));
}

static void cpu_without_mtrrs(void **state)
{
	struct mtrr_state m;

	(void)state;
	has_mtrr = false;
	mtrr_read(&m);
	assert_false(mtrr_sync(&m));
	assert_int_equal(cr0, CR0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_same_is_left_alone, setup),
		cmocka_unit_test_setup(reset_values_are_replaced, setup),
		cmocka_unit_test_setup(ranges_of_its_own_go, setup),
		cmocka_unit_test_setup(cpu_without_mtrrs, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
