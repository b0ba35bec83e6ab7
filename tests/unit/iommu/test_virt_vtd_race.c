// SPDX-License-Identifier: GPL-2.0-only
/*
 * Remapping entries and descriptors that one CPU of domain 0 rewrites while the virtual VT-d
 * reads them for another. Of what is in memory at any moment some is allowed and some is not;
 * what was checked must be what becomes real. The rig aborts where it is not.
 */
// SOURCES: tests/unit/rig/virt_vtd_rig.c hv/iommu/virt/virt.c hv/iommu/virt/virt_vtd.c
// SOURCES: hv/iommu/virt/virt_vtd_irt.c
// CFLAGS: -fno-sanitize=address,undefined -fsanitize=thread -pthread
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "race.h"
#include "virt_vtd_rig.h"

#define ENTRIES		64u	/* that change */
#define DESCS		256u

/* Allowed, and in the low or the high half not: NMI, an exception's vector, posted, reserved. */
static const struct rig_entry entries[] = {
	{ ENTRY(0x30, 1), SID(0x10) },
	{ ENTRY(0x31, 2), SID(0x18) },
	{ ENTRY(0x30, 1) | 4 << 5, SID(0x10) },
	{ ENTRY(0x10, 1), SID(0x10) },
	{ ENTRY(0xf8, 1), SID(0x10) },
	{ ENTRY(0x30, 1) | BIT(15), SID(0x10) },
	{ ENTRY(0x30, 1), SID(0x10) | BIT(40) },
	{ ENTRY(0x30, 1), 3u << 18 },
	{ 0, 0 },
};

static u64 descriptor(struct race_cpu *c)
{
	switch (race_below(c, 64)) {
	case 0:
		return IEC_INDEX(0, 11);	/* in pieces */
	case 1:
		return race_random(c);
	case 2:
	case 3:
		return WAIT_SW | 1ull << 32;
	default:
		return IEC_INDEX(race_below(c, ENTRIES), race_below(c, 3));
	}
}

static void put(struct rig_entry *d, u64 lo)
{
	race_store(&d->lo, lo);
	race_store(&d->hi, (lo & 15) == 5 ? RIG_STATUS : 0);
}

static void rewrite(struct race_cpu *c)
{
	const struct rig_entry *new = &entries[race_below(c, ARRAY_SIZE(entries))];
	struct rig_entry *e = rig_virt(race_below(c, ENTRIES)), *d;

	race_store(&e->lo, new->lo);
	race_store(&e->hi, new->hi);
	if (race_below(c, 16))
		return;
	d = (struct rig_entry *)rig_mem(RIG_QUEUE) + race_below(c, DESCS);
	put(d, descriptor(c));
}

/* An access that is not done comes again: another CPU may be at the unit. */
static void access_reg(u32 off, u32 size, u64 val)
{
	while (!rig_try(off, size, val))
		sched_yield();
}

/* Each CPU goes round the queue, and at times sets the unit up anew. */
static void invalidate(struct race_cpu *c)
{
	switch (race_below(c, 200)) {
	case 0:
		access_reg(GCMD, 4, IRE);
		access_reg(GCMD, 4, QIE | IRE);
		break;
	case 1:
		access_reg(IRTA, 8, RIG_TABLE | (race_below(c, 2) ? 0x800 : 0) | 15);
		access_reg(GCMD, 4, QIE | IRE | SIRTP);
		break;
	case 2:
		access_reg(IQA, 8, RIG_QUEUE | race_below(c, 2));
		break;
	default:
		access_reg(IQT, 4, race_below(c, DESCS) * 16);
		if (!(rig_read(FSTS) & IQE))
			break;
		/* At a wrong descriptor: from the queue's beginning. */
		access_reg(FSTS, 4, IQE);
		access_reg(GCMD, 4, IRE);
		access_reg(GCMD, 4, QIE | IRE);
	}
}

static void what_is_checked_becomes_real(bool x2apic)
{
	struct race_cpu c = { 12345, 0, NULL };
	u32 i;

	rig_start(x2apic, 15);
	rig_enable(0, 15, false);
	for (i = 0; i < DESCS; i++)
		put((struct rig_entry *)rig_mem(RIG_QUEUE) + i, descriptor(&c));
	race(invalidate, rewrite);
	/* Both kinds were seen. */
	assert_true(rig_refused > 100);
	assert_true(rig_sets > rig_refused + 100);
	/* And the unit is as good as before. */
	rig_enable(0, 15, false);
	rig_write(FSTS, IQE);
	*rig_virt(8) = (struct rig_entry){ ENTRY(0x20, 1), SID(0xff00) };
	assert_true(rig_submit(IEC_INDEX(8, 0), 0));
	assert_true(rig_real[8].lo == ENTRY(0x20, 1) && rig_real[8].hi == SID(0xff00));
}

static void in_xapic_mode(void **state __unused)
{
	what_is_checked_becomes_real(false);
}

static void in_x2apic_mode(void **state __unused)
{
	what_is_checked_becomes_real(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_xapic_mode),
		cmocka_unit_test(in_x2apic_mode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
