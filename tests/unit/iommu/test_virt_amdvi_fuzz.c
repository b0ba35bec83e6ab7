// SPDX-License-Identifier: GPL-2.0-only
/*
 * A service VM that wants to harm: random accesses to the virtual AMD-Vi units' registers,
 * and random commands, device table entries and remapping entries in its memory. The rig
 * aborts at an entry that must not be, or at a table that is not there.
 */
// SOURCES: hv/iommu/virt/virt.c hv/iommu/virt/virt_amdvi.c hv/iommu/virt/virt_irt.c hv/iommu/virt/virt_ivrs.c hv/iommu/ivrs_devs.c tests/unit/rig/virt_amdvi_rig.c
// CFLAGS: -include core_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "hv/iommu/virt/virt.h"
#include "virt_amdvi_rig.h"

static u64 seed;

static u64 random64(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static u32 below(u32 n)
{
	return (u32)(random64() >> 20) % n;
}

/* Mostly where something is, else anywhere. */
static u64 address(void)
{
	static const u64 places[] = {
		RIG_DEVTAB, RIG_CMDS, RIG_DONE, RIG_IRT(0), RIG_IRT(1),
		RIG_RAM + RIG_RAM_SIZE - 0x1000, RIG_RAM + RIG_RAM_SIZE - 64, RIG_RAM - 16, 0,
	};

	return below(8) ? places[below(ARRAY_SIZE(places))] : random64() & 0x000fffffffffffffull;
}

static u64 control(void)
{
	return below(4) ? (random64() & (BIT(17) | BIT(50))) | BIT(12) | 1 : random64();
}

static u64 value(u32 off)
{
	switch (off) {
	case 0x00:
		return address() | below(0x200);
	case 0x08:
	case 0x10:
		return address() | (u64)(below(4) ? 8 + below(2) : below(16)) << 56;
	case 0x18:
		return control();
	case 0x2000:
	case 0x2008:
		return below(4) ? below(0x200) * 16 : random64();
	default:
		return random64();
	}
}

/* Once and no more, as one that is interrupted and does not come back. */
static void access_something(void)
{
	static const u32 offs[] = {
		0x00, 0x08, 0x08, 0x10, 0x18, 0x18, 0x20, 0x28, 0x30, 0x2000, 0x2008, 0x2008,
		0x2008, 0x2010, 0x2018, 0x2020,
	};
	u32 unit = below(RIG_UNITS), size = 1u << below(4), tries = 1 + below(4);
	u32 off = below(16) ? offs[below(ARRAY_SIZE(offs))] : below(IVRS_REGS_SIZE - 8);
	u64 val = value(off);

	if (below(8))
		size = 8;
	else
		off += below(8);
	if (!below(4)) {
		assert_true(virt_iommu_access(RIG_REGS(unit) + off, size, false, &val));
		return;
	}
	while (tries-- && !virt_iommu_access(RIG_REGS(unit) + off, size, true, &val))
		;
}

static u64 irte(void)
{
	return below(4) ? (random64() & 0xff47) | 1 : random64();
}

static u64 dte(void)
{
	u64 len = below(8) ? below(10) : below(16);

	return below(8) ? address() | len << 1 | 1 | 2ull << 60 : random64();
}

static u64 command(void)
{
	static const u8 known[] = { RIG_WAIT, RIG_INV_DEV, RIG_INV_IRT, RIG_INV_DEV, RIG_INV_ALL };
	u64 op = RIG_CMD(below(16) ? known[below(ARRAY_SIZE(known))] : below(16));

	if (op == RIG_CMD(RIG_WAIT))
		return op | address() | below(8);
	return op | (below(8) ? below(64) : below(0x10000));
}

static void write_something(void)
{
	u32 i = below(64);

	switch (below(4)) {
	case 0:
		rig_poke(RIG_DEVTAB + i * 32 + 16, dte());
		break;
	case 1:
		rig_poke(RIG_IRT(below(2)) + i * 16, irte());
		rig_poke(RIG_IRT(below(2)) + i * 16 + 8, below(4) ? below(256) : random64());
		break;
	case 2:
		rig_poke(RIG_CMDS + below(512) * 16, command());
		break;
	default:
		rig_poke(RIG_RAM + below(RIG_RAM_SIZE / 8) * 8, random64());
	}
}

static void round_of(u64 from, bool wide, bool x2apic)
{
	u32 i;

	rig_init(wide, x2apic);
	seed = from * 0x9e3779b97f4a7c15ull | 1;
	rig_start(0);
	rig_start(1);
	for (i = 0; i < 4000; i++) {
		if (!below(64))
			rig_start(below(RIG_UNITS));
		else if (below(3))
			write_something();
		else if (below(3))
			rig_command(below(RIG_UNITS), command(), random64());
		else
			access_something();
		assert_in_range(rig_tables, 0, 512);
	}
}

static void any_seed(void **state __unused)
{
	u32 i, made = 0, told = 0;

	for (i = 1; i <= 300; i++) {
		round_of(i, i & 1, i & 2);
		made += rig_tables > 0;
		told += rig_faults;
	}
	/* It comes far enough to mean something. */
	assert_in_range(made, 100, 300);
	assert_in_range(told, 300, ~0u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
