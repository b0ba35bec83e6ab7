// SPDX-License-Identifier: GPL-2.0-only
/*
 * The frequency of the TSC on machines of several shapes, and TSCs that agree or do not. The
 * machine here: a TSC of 3504 MHz, which each access to a port takes on by a microsecond.
 */
// SOURCES: hv/core/machine/tsc.c hv/core/machine/tsc_sync.c
// CFLAGS: -include core_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "hv/core/lib/muldiv.h"
#include "hv/core/machine/tsc.h"

#define KHZ		3504000ull
#define PM_TIMER	0x1808

u64 host_tsc;

/* What the machine has. */
static struct {
	struct cpuid leaf7, leaf15, leaf16, hypervisor;
	u32 max;
	bool pit, gated, pm;
} has;

static u64 pit_end;
static u32 pit_count;
static u64 adjust;

struct cpuid host_cpuid(u32 leaf, u32 sub __unused)
{
	switch (leaf) {
	case 0:
		return (struct cpuid){ .eax = has.max };
	case 1:
		return (struct cpuid){ .ecx = has.hypervisor.eax ? BIT(31) : 0 };
	case 7:
		return has.leaf7;
	case 0x15:
		return has.leaf15;
	case 0x16:
		return has.leaf16;
	case 0x40000000:
		return (struct cpuid){ .eax = 0x40000010 };
	case 0x40000010:
		return has.hypervisor;
	}
	return (struct cpuid){ 0 };
}

int host_rdmsr(u32 msr, u64 *val)
{
	assert_int_equal(msr, MSR_TSC_ADJUST);
	*val = adjust;
	return 0;
}

int host_wrmsr(u32 msr, u64 val)
{
	assert_int_equal(msr, MSR_TSC_ADJUST);
	host_tsc += val - adjust;
	adjust = val;
	return 0;
}

u8 host_inb(u16 port)
{
	host_tsc += KHZ / 1000;
	assert_int_equal(port, 0x61);
	if (!has.pit)
		return 0xff;
	return !has.gated && host_tsc >= pit_end ? 0x20 : 0;
}

void host_outb(u16 port, u8 val)
{
	host_tsc += KHZ / 1000;
	if (port != 0x42)
		return;
	pit_count = pit_count >> 8 | (u32)val << 8;
	pit_end = host_tsc + muldiv(pit_count, KHZ * 1000, 1193182);
}

u32 host_in(u16 port, u32 size)
{
	host_tsc += KHZ / 1000;
	assert_int_equal(port, PM_TIMER);
	assert_int_equal(size, 4);
	return has.pm ? (u32)muldiv(host_tsc, 3579545, KHZ * 1000) & 0xffffff : 0xffffffff;
}

static void found(u64 khz, u64 within)
{
	u64 min = khz - within, max = khz + within;

	tsc_init(PM_TIMER);
	assert_in_range(tsc_khz, min, max);
}

static int bare(void **state __unused)
{
	memset(&has, 0, sizeof(has));
	has.max = 0xd;
	host_tsc = 12345678;
	adjust = 0;
	return 0;
}

/* Xeons since Ice Lake: a crystal of 25 MHz, all is said. */
static void crystal(void **state __unused)
{
	has.max = 0x1f;
	has.leaf15 = (struct cpuid){ 2, 200, 25000000, 0 };
	has.pit = true;
	found(2500000, 0);
	has.leaf15 = (struct cpuid){ 2, 292, 0xffffffff, 0 };	/* no overflow */
	tsc_init(0);
	assert_int_equal(tsc_khz, 0xffffffffull * 292 / 2 / 1000);
	has.leaf15 = (struct cpuid){ 0, 292, 24000000, 0 };
	found(KHZ, KHZ / 5000);
}

/* Skylakes leave the crystal out, and their label is rounded: measured, if by anything. */
static void no_crystal(void **state __unused)
{
	has.max = 0x16;
	has.leaf15 = (struct cpuid){ 2, 292, 0, 0 };
	has.leaf16 = (struct cpuid){ 3500, 4000, 100, 0 };
	has.pit = has.pm = true;
	found(KHZ, KHZ / 5000);
	has.gated = true;			/* OUT never rises */
	found(KHZ, KHZ / 5000);
	has.pit = has.gated = false;		/* ports read as ones */
	found(KHZ, KHZ / 5000);
	has.pm = false;
	found(3500000, 0);
	tsc_init(0);
	assert_int_equal(tsc_khz, 3500000);
}

static void by_a_hypervisor(void **state __unused)
{
	has.hypervisor.eax = 2100000;
	has.pit = true;
	found(2100000, 0);
}

static void adjusts(void **state __unused)
{
	has.max = 0x16;
	has.leaf16.eax = 2000;
	adjust = 5000;
	tsc_init(0);
	adjust = 7000;
	assert_false(tsc_adjust_sync());	/* has none */
	has.leaf7.ebx = BIT(1);
	adjust = 5000;
	tsc_init(0);
	assert_false(tsc_adjust_sync());
	adjust = (u64)-9;
	assert_true(tsc_adjust_sync());
	assert_int_equal(adjust, 5000);
}

static s64 offset;
static u32 asked, slow;

/* The other CPU, at some point of the first one's wait; now and then it takes its time. */
void host_pause(void)
{
	host_tsc += 300;
	if (++asked % 3)
		return;
	if (slow && asked % slow)
		host_tsc += 1000000;
	tsc_sync_answer(6);			/* not asked */
	host_tsc += (u64)offset;
	tsc_sync_answer(7);
	host_tsc -= (u64)offset;
	host_tsc += 100;
}

static void agree(void **state __unused)
{
	offset = 0;
	assert_int_equal(tsc_sync_ask(7), 0);
	offset = 90;				/* less than it takes to ask */
	assert_int_equal(tsc_sync_ask(7), 0);
	slow = 2;
	assert_int_equal(tsc_sync_ask(7), 0);
	slow = 0;
}

static void disagree(void **state __unused)
{
	offset = 5000;
	assert_in_range(tsc_sync_ask(7), 4000, 5000);
	offset = -5000;
	assert_in_range(-tsc_sync_ask(7), 4000, 5000);
	slow = 5;				/* the best round counts */
	offset = 70000;
	assert_in_range(tsc_sync_ask(7), 69000, 70000);
	slow = 0;
	offset = -(s64)(BIT(62) + 3);
	assert_true(tsc_sync_ask(7) < -(s64)BIT(61));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(crystal, bare), cmocka_unit_test_setup(no_crystal, bare),
		cmocka_unit_test_setup(by_a_hypervisor, bare),
		cmocka_unit_test_setup(adjusts, bare), cmocka_unit_test_setup(agree, bare),
		cmocka_unit_test_setup(disagree, bare),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
