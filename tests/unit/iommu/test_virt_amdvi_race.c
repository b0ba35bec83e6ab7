// SPDX-License-Identifier: GPL-2.0-only
/*
 * Remapping entries, device table entries and commands that one CPU of domain 0 rewrites while
 * the virtual AMD-Vi units read them for others. What was checked must be what becomes real;
 * the rig aborts where it is not.
 */
// SOURCES: hv/iommu/virt/virt.c hv/iommu/virt/virt_amdvi.c hv/iommu/virt/virt_irt.c hv/iommu/virt/virt_ivrs.c
// SOURCES: hv/iommu/ivrs_devs.c tests/unit/rig/virt_amdvi_rig.c
// CFLAGS: -include core_host.h -fno-sanitize=address,undefined -fsanitize=thread -pthread
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "hv/iommu/virt/virt.h"
#include "race.h"
#include "virt_amdvi_rig.h"

#define DEVICES		8u
#define CMDS		512u
#define ORDER		5u	/* of the devices' tables */

/* Fixed, physical, to CPU 1; vector 30. */
#define LO		(1ull | 1ull << 8)
#define HI		0x30ull

/* Allowed, and in one half or the other not. */
static const u64 entries[][2] = {
	{ LO, HI },
	{ LO | 1 << 2, 0x31 },
	{ LO | 4 << 2, HI },		/* INIT */
	{ LO | 1 << 7, HI },		/* GuestMode */
	{ LO, 0x10 },
	{ LO, 0xf8 },
	{ LO, HI | BIT(20) },
	{ LO | BIT(40), HI },
	{ 0, 0 },
};

static u16 device(u32 i)
{
	return (u16)(i % 2 ? 0x8000 + i * 8 : i * 8);
}

static u64 command(struct race_cpu *c)
{
	u16 bdf = device(race_below(c, DEVICES));

	switch (race_below(c, 64)) {
	case 0:
		return RIG_CMD(RIG_INV_ALL);
	case 1:
		return race_random(c);
	case 2:
	case 3:
		return RIG_CMD(RIG_WAIT) | 1 | RIG_DONE;
	case 4 ... 10:
		return RIG_CMD(RIG_INV_DEV) | bdf;
	default:
		return RIG_CMD(RIG_INV_IRT) | bdf;
	}
}

static void *at(gpa_t gpa)
{
	return rig_ram + (gpa - RIG_RAM);
}

static u64 dte(struct race_cpu *c)
{
	if (!race_below(c, 8))
		return race_random(c);
	return RIG_IRT(race_below(c, 2)) | (race_below(c, 16) ? ORDER : race_below(c, 16)) << 1 | 1 |
	       2ull << 60;
}

static void rewrite(struct race_cpu *c)
{
	const u64 *new = entries[race_below(c, ARRAY_SIZE(entries))];
	gpa_t e = RIG_IRT(race_below(c, 2)) + race_below(c, 1u << ORDER) * 16;

	race_store(at(e), new[0]);
	race_store(at(e + 8), new[1]);
	if (!race_below(c, 64))
		race_store(at(RIG_DEVTAB + device(race_below(c, DEVICES)) * 32u + 16), dte(c));
	if (!race_below(c, 16))
		race_store(at(RIG_CMDS + race_below(c, CMDS) * 16), command(c));
}

/* An access that is not done comes again: another CPU may be at the unit. */
static void access_reg(u32 unit, u32 off, u64 val)
{
	while (!virt_iommu_access(RIG_REGS(unit) + off, 8, true, &val))
		sched_yield();
}

/* All CPUs use both units. */
static void invalidate(struct race_cpu *c)
{
	u32 unit = race_below(c, RIG_UNITS);
	u64 on = rig_read(unit, 0x18, 8) | 1 | BIT(12);

	if (!race_below(c, 16)) {
		access_reg(unit, 0x18, on & ~BIT(12));
		access_reg(unit, 0x18, on);
	}
	access_reg(unit, 0x2008, race_below(c, CMDS) * 16);
}

static void what_is_checked_becomes_real(bool wide)
{
	struct race_cpu c = { 54321, 0, NULL };
	u32 i;

	rig_init(wide, false);
	for (i = 0; i < RIG_UNITS; i++)
		rig_start(i);
	for (i = 0; i < DEVICES; i++)
		rig_set_dte(i % 2, device(i), RIG_IRT(i / 2 % 2), ORDER);
	for (i = 0; i < CMDS; i++)
		rig_poke(RIG_CMDS + i * 16, command(&c));
	race(invalidate, rewrite);
	assert_true(rig_faults > 100);
	assert_true(rig_sets > rig_faults + 100);
}

static void wide_entries(void **state __unused)
{
	what_is_checked_becomes_real(true);
}

static void narrow_entries(void **state __unused)
{
	what_is_checked_becomes_real(false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wide_entries),
		cmocka_unit_test(narrow_entries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
