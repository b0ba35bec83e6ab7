// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hostile domain 0: random accesses to the virtual VT-d, with random descriptors and
 * entries. Whatever it does, each access is bounded, and no entry of the real table is one
 * that it may not have.
 */
// SOURCES: tests/unit/rig/virt_vtd_rig.c hv/iommu/virt/virt.c hv/iommu/virt/virt_vtd.c
// SOURCES: hv/iommu/virt/virt_vtd_irt.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "hv/iommu/virt/virt.h"
#include "virt_vtd_rig.h"

#define ROUNDS		300
#define STEPS		400
#define PIECE		1100u
#define FLUSHES		16u

static u64 random64(void)
{
	return (u64)rig_random(~0u) << 32 | rig_random(~0u);
}

/* Often what is right, seldom with a bit changed. */
static u64 mutate(u64 val)
{
	return rig_random(8) ? val : val ^ BIT(rig_random(64));
}

static u64 random_address(void)
{
	static const u64 where[] = {
		RIG_TABLE, RIG_QUEUE, RIG_MEM, RIG_HOLE, RIG_HOLE - 0x1000, 0, ~0xfffull,
	};

	return mutate(where[rig_random(ARRAY_SIZE(where))]);
}

static struct rig_entry random_descriptor(void)
{
	switch (rig_random(6)) {
	case 0:
		return (struct rig_entry){ mutate(IEC_GLOBAL), 0 };
	case 1:
		return (struct rig_entry){ random64(), random64() };
	case 2:
		return (struct rig_entry){ mutate(WAIT_SW), mutate(RIG_STATUS) };
	case 3:
		return (struct rig_entry){ mutate(WAIT_SW), mutate(RIG_TABLE) & ~3ull };
	default:
		return (struct rig_entry){
			mutate(IEC_INDEX(rig_random(65536), rig_random(12))), 0 };
	}
}

static void change_memory(u32 n)
{
	u32 i, first = rig_random(1024);

	for (i = first; i < first + n; i++)
		((struct rig_entry *)rig_mem(RIG_QUEUE))[i] = random_descriptor();
	first = rig_random(65536 - n);
	for (i = first; i < first + n; i++)
		*rig_virt(i) = (struct rig_entry){
			mutate(ENTRY(rig_random(256), rig_random(256)) | rig_random(32)),
			mutate(SID(rig_random(65536))),
		};
}

static void access_registers(void)
{
	static const u32 offs[] = { GCMD, IQT, IQT, IQT, IQA, IRTA, FSTS, FSTS, ICS };
	static const u32 sizes[] = { 1, 2, 4, 4, 8, 8 };
	u32 off = rig_random(4) ? offs[rig_random(ARRAY_SIZE(offs))] : rig_random(4096);
	u32 size = sizes[rig_random(ARRAY_SIZE(sizes))];
	u64 val = random64();

	if (off == IQA || off == IRTA)
		val = rig_random(4) ? (off == IQA ? RIG_QUEUE : RIG_TABLE) : random_address();
	if (off == IQA || off == IRTA)
		val |= rig_random(16);
	else if (off == GCMD && rig_random(8))
		val = QIE | IRE | SIRTP;
	else if (off == IQT && rig_random(4))
		val = rig_random(600) * 16;
	else if (off == FSTS)
		val = IQE;
	if (rig_random(4))
		virt_iommu_access(RIG_REGS + off, size, true, &val);
	else
		virt_iommu_access(RIG_REGS + off, size, false, &val);
}

/* As Linux does: what is wrong is replaced. */
static void repair(void)
{
	*(struct rig_entry *)rig_mem(RIG_QUEUE + rig_read(IQH)) = random_descriptor();
	rig_try(FSTS, 4, IQE);
}

/* The checks anew, by the manual's fields. */
static bool right(const struct rig_entry *e, bool wide)
{
	u32 vector = e->lo >> 16 & 0xff;

	if (!e->lo && !e->hi)
		return true;
	return (e->lo & 1) && (e->lo >> 5 & 7) <= 1 && !(e->lo >> 12 & 15) &&
	       vector >= 0x20 && vector < 0xf0 && !(e->lo >> 24 & 0xff) &&
	       (wide || (!(e->lo >> 32 & 0xff) && !(e->lo >> 48))) &&
	       (e->hi >> 18) < 3;
}

static void hostile(bool x2apic)
{
	u32 round, step, i, sets = 0, flushes = 0, copied = 0, refused = 0;

	for (round = 0; round < ROUNDS; round++) {
		u64 seed = rig_rand;

		rig_start(x2apic, rig_random(16));
		rig_rand = seed;
		change_memory(4096);
		rig_enable(rig_random(8), rig_random(16), false);
		for (step = 0; step < STEPS; step++) {
			u32 had = rig_sets, flushed = rig_flushes;

			if (!rig_random(4))
				change_memory(rig_random(64));
			access_registers();
			if (rig_read(FSTS) && rig_random(2))
				repair();
			assert_true(rig_sets - had <= 2 * PIECE && rig_flushes - flushed <= 2 * FLUSHES);
			assert_true(!(rig_read(IQH) & ~0x7fff0u));
		}
		for (i = 0; i < 65536; i++) {
			assert_true(right(&rig_real[i], x2apic));
			copied += rig_real[i].lo != 0;
		}
		sets += rig_sets;
		flushes += rig_flushes;
		refused += rig_refused;
	}
	/* It got somewhere. */
	print_message("# %u copied, %u refused, %u flushes, %u present\n", sets, refused, flushes,
		      copied);
	assert_true(sets > 100000 && refused > 1000 && flushes > 1000 && copied > 1000);
}

static int start(void **state __unused)
{
	rig_rand = 0x123456789abcdefull;
	return 0;
}

static void in_xapic_mode(void **state __unused)
{
	hostile(false);
}

static void in_x2apic_mode(void **state __unused)
{
	hostile(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(in_xapic_mode, start),
		cmocka_unit_test_setup(in_x2apic_mode, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
