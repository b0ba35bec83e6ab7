// SPDX-License-Identifier: GPL-2.0-only
/* The virtual VT-d: registers, queue, and which of domain 0's entries get through. */
// SOURCES: tests/unit/rig/virt_vtd_rig.c hv/iommu/virt/virt.c hv/iommu/virt/virt_vtd.c
// SOURCES: hv/iommu/virt/virt_vtd_irt.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "virt_vtd_rig.h"

#define PIECE	1100u		/* entries that one access may copy, and some */

static int start(void **state __unused)
{
	rig_start(false, 15);
	return 0;
}

static void assert_real(u32 index, u64 lo, u64 hi)
{
	assert_true(rig_real[index].lo == lo && rig_real[index].hi == hi);
}

/* ---- registers ---- */

static void what_it_can(void **state __unused)
{
	u64 cap = rig_read8(0x08), ecap = rig_read8(0x10);

	assert_int_equal(rig_read(0x00), 0x10);
	assert_int_equal(cap >> 8 & 31, 0);			/* SAGAW */
	assert_int_equal(cap & 0xff, 0);			/* AFL, RWBF, PLMR, PHMR, CM */
	assert_int_equal(cap >> 59, 0);				/* PI and on */
	assert_int_equal((cap >> 24 & 0x3ff) * 16, 0x220);	/* of the fault records */
	assert_int_equal(cap >> 40 & 0xff, 0);			/* NFR */
	assert_int_equal(ecap & 0xff, 0x0b);			/* C, QI, IR */
	assert_int_equal((ecap >> 8 & 0x3ff) * 16, 0x230);	/* of the IOTLB */
	assert_int_equal(ecap >> 20, 15);			/* MHMV, and nothing above it */
	assert_int_equal(rig_read(0x0c), cap >> 32);
	assert_int_equal(rig_read(0x14), ecap >> 32);
	rig_start(true, 5);
	assert_int_equal(rig_read8(0x10) & 0xff, 0x1b);		/* and EIM */
	assert_int_equal(rig_read8(0x10) >> 20, 5);
}

static void what_is_stored(void **state __unused)
{
	static const struct { u32 off, reset, mask; } r[] = {
		{ 0x38, 0x80000000, 0x80000000 }, { 0x3c, 0, ~0u }, { 0x40, 0, ~3u }, { 0x44, 0, ~0u },
		{ 0x88, 0, 0x7fff0 }, { 0x90, 0, 0xfffff007 }, { 0x94, 0, ~0u },
		{ 0xa0, 0x80000000, 0x80000000 }, { 0xa4, 0, ~0u }, { 0xa8, 0, ~3u }, { 0xac, 0, ~0u },
		{ 0xb8, 0, 0xfffff80f }, { 0xbc, 0, ~0u },
	};
	u32 i, off, was[4096 / 4];

	for (off = 0; off < 4096; off += 4)
		was[off / 4] = rig_read(off);
	for (i = 0; i < ARRAY_SIZE(r); i++) {
		assert_int_equal(rig_read(r[i].off), r[i].reset);
		rig_write(r[i].off, ~0u);
		assert_int_equal(rig_read(r[i].off), r[i].mask);
		rig_write(r[i].off, 0);
		assert_int_equal(rig_read(r[i].off), 0);
		rig_write(r[i].off, r[i].reset);
	}
	/* Nothing else is, GCMD's bits aside. */
	for (off = 0; off < 4096; off += 4)
		if (off != GCMD)
			rig_write(off, ~0u);
	for (i = 0; i < ARRAY_SIZE(r); i++)
		rig_write(r[i].off, r[i].reset);
	for (off = 0; off < 4096; off += 4)
		assert_int_equal(rig_read(off), was[off / 4]);
}

static void halves_and_wholes(void **state __unused)
{
	rig_write8(IRTA, 0x123456789abcd00full);
	assert_int_equal(rig_read(IRTA), 0x9abcd00f);
	assert_int_equal(rig_read(IRTA + 4), 0x12345678);
	rig_write(IRTA + 4, 7);
	assert_int_equal(rig_read8(IRTA), 0x79abcd00full);
	rig_write8(0x38, 0x55ull << 32);			/* FECTL and FEDATA */
	assert_int_equal(rig_read8(0x38), 0x55ull << 32);
	rig_write8(0xff8, ~0ull);
	assert_int_equal(rig_read8(0xff8), 0);
}

static void commands(void **state __unused)
{
	rig_write(GCMD, GCMD_TE | CFI | 1u << 29 | 1u << 28 | 1u << 27);
	assert_int_equal(rig_read(GSTS), 0);
	rig_write(GCMD, SRTP);
	assert_int_equal(rig_read(GSTS), SRTP);
	rig_write(GCMD, QIE);
	assert_int_equal(rig_read(GSTS), SRTP | QIE);
	rig_write(GCMD, QIE | SIRTP);
	assert_int_equal(rig_read(GSTS), SRTP | QIE | SIRTP);
	rig_write(GCMD, QIE | IRE | CFI);
	assert_int_equal(rig_read(GSTS), SRTP | QIE | SIRTP | IRE);
	assert_int_equal(rig_read(GCMD), 0);
	rig_write(GSTS, 0);
	assert_int_equal(rig_read(GSTS), SRTP | QIE | SIRTP | IRE);
	rig_write(GCMD, 0);
	assert_int_equal(rig_read(GSTS), SRTP | SIRTP);
	rig_write8(0x28, BIT(63));				/* CCMD's ICC */
	assert_int_equal(rig_read8(0x28), 0);
	rig_write8(0x238, BIT(63));				/* IOTLB's IVT */
	assert_int_equal(rig_read8(0x238), 0);
	assert_int_equal(rig_sets, 0);
}

/* ---- the queue ---- */

static void as_linux_does(void **state __unused)
{
	rig_enable(0, 15, false);
	assert_true(rig_submit(IEC_GLOBAL, 0));
	assert_int_equal(rig_flushes, 1);
	assert_int_equal(rig_flush_order, 16);
	*rig_virt(8) = (struct rig_entry){ ENTRY(0x20, 1), SID(0xff00) };
	assert_real(8, 0, 0);
	assert_true(rig_submit(IEC_INDEX(8, 0), 0));
	assert_real(8, ENTRY(0x20, 1), SID(0xff00));
	assert_int_equal(rig_flushes, 2);
	assert_int_equal(rig_flush_first, 8);
	assert_int_equal(rig_flush_order, 0);
	*rig_virt(8) = (struct rig_entry){ 0, 0 };
	assert_true(rig_submit(IEC_INDEX(8, 0), 0));
	assert_real(8, 0, 0);
	assert_int_equal(rig_read(FSTS), 0);
	assert_int_equal(rig_refused, 0);
}

static void only_what_is_named(void **state __unused)
{
	u32 i;

	rig_enable(0, 15, false);
	for (i = 0; i < 65536; i++)
		*rig_virt(i) = (struct rig_entry){ ENTRY(0x30, i & 0xff), SID(i) };
	rig_sets = 0;
	assert_true(rig_submit(IEC_INDEX(0x1234, 5), 0));
	assert_int_equal(rig_sets, 32);
	assert_int_equal(rig_flush_first, 0x1220);
	assert_int_equal(rig_flush_order, 5);
	for (i = 0; i < 65536; i++)
		assert_int_equal(rig_real[i].lo, i >= 0x1220 && i < 0x1240 ? rig_virt(i)->lo : 0);
	assert_true(rig_submit(IEC_INDEX(0xffff, 15), 0));
	assert_real(0x7fff, 0, 0);
	assert_real(0x8000, ENTRY(0x30, 0), SID(0x8000));
	assert_real(0xffff, ENTRY(0x30, 0xff), SID(0xffff));
}

/* A whole table comes in pieces, the flush and the status at the end. */
static void all_of_it(void **state __unused)
{
	u32 i, n = 0, before = 0, *status = rig_mem(RIG_STATUS);

	rig_enable(0, 15, false);
	for (i = 0; i < 65536; i++)
		*rig_virt(i) = (struct rig_entry){ ENTRY(0x30 + (i & 63), i & 0xff), SID(i) };
	rig_put(IEC_GLOBAL, 0);
	rig_put(WAIT_SW | 77ull << 32, RIG_STATUS);
	while (!rig_try(IQT, 4, 0x20)) {
		assert_int_equal(rig_flushes, rig_sets == 65536);
		assert_int_equal(*status, 0);
		assert_int_equal(rig_read(IQH), 0x10 * rig_flushes);
		assert_true(rig_sets - before <= PIECE && rig_sets > before);
		before = rig_sets;
		n++;
	}
	assert_true(n >= 60 && n < 80);
	assert_int_equal(rig_sets, 65536);
	assert_int_equal(rig_flushes, 1);
	assert_int_equal(*status, 77);
	assert_int_equal(rig_read(IQH), 0x20);
	for (i = 0; i < 65536; i++)
		assert_real(i, rig_virt(i)->lo, rig_virt(i)->hi);
}

/* Many small ones take pieces too: a flush is not for nothing. */
static void many_of_them(void **state __unused)
{
	u32 i, n;

	rig_enable(7, 15, false);
	for (i = 0; i < 32767; i++)
		rig_put(IEC_INDEX(i, 0), 0);
	n = rig_tell();
	assert_int_equal(rig_flushes, 32767);
	assert_true(n > 2000);
	assert_int_equal(rig_read(IQH), 32767 * 16);
	assert_int_equal(rig_read(FSTS), 0);
}

/* A piece that others have filled up to its last entry. */
static void almost_full(void **state __unused)
{
	u32 i, before = 0;

	rig_enable(0, 15, false);
	for (i = 0; i < 15; i++)
		rig_put(i < 7 ? IEC_INDEX(i, 0) : 1, 0);
	rig_put(IEC_GLOBAL, 0);
	while (!rig_try(IQT, 4, 0x100)) {
		assert_true(rig_sets - before <= PIECE);
		before = rig_sets;
	}
	assert_true(rig_sets - before <= PIECE);
	assert_int_equal(rig_sets, 65536 + 7);
}

static void around_the_end(void **state __unused)
{
	u32 i;

	rig_enable(0, 15, false);
	for (i = 0; i < 1000; i++) {
		*rig_virt(i) = (struct rig_entry){ ENTRY(0x41, 2), SID(i) };
		assert_true(rig_submit(IEC_INDEX(i, 0), 0));
		assert_real(i, ENTRY(0x41, 2), SID(i));
	}
	assert_int_equal(rig_read(IQH), 2000 * 16 % 4096);
}

static void begins_again(void **state __unused)
{
	rig_enable(0, 15, false);
	assert_true(rig_submit(IEC_GLOBAL, 0));
	assert_int_equal(rig_read(IQH), 0x20);
	rig_write(GCMD, IRE);
	assert_int_equal(rig_read(IQH), 0);
	rig_put(IEC_GLOBAL, 0);
	assert_int_equal(rig_tell(), 1);			/* off: nothing happens */
	assert_int_equal(rig_read(IQH), 0);
	rig_enable(0, 15, false);
	assert_true(rig_submit(IEC_GLOBAL, 0));
	assert_int_equal(rig_read(IQH), 0x20);
}

static void waits(void **state __unused)
{
	rig_enable(0, 15, false);
	assert_true(rig_submit(5, RIG_STATUS + 4));		/* writes nothing */
	assert_int_equal(*(u32 *)rig_mem(RIG_STATUS + 4), 0);
	assert_int_equal(rig_read(ICS), 0);
	assert_true(rig_submit(5 | 0x10, 0));			/* IF */
	assert_int_equal(rig_read(ICS), 1);
	rig_write(ICS, 1);
	assert_int_equal(rig_read(ICS), 0);
	assert_true(rig_submit(WAIT_SW | 0x40 | 0x1234567800000000ull, RIG_STATUS + 8)); /* FN */
	assert_int_equal(*(u32 *)rig_mem(RIG_STATUS + 8), 0x12345678);
	assert_int_equal(*(u32 *)rig_mem(RIG_STATUS + 12), 0);
}

static void translations_are_none(void **state __unused)
{
	u32 type;

	rig_enable(0, 15, false);
	for (type = 1; type <= 3; type++)
		assert_true(rig_submit(type | 0x10, 0x1000));
	assert_int_equal(rig_sets + rig_flushes, 0);
}

/* It stops at what is wrong, says so, and goes on when it is told. */
static void wrong_descriptors(void **state __unused)
{
	static const struct rig_entry bad[] = {
		{ 0, 0 }, { 6, 0 }, { 7, 0 }, { 8, 0 }, { 9, 0 }, { 15, 0 },
		{ IEC_GLOBAL | 0x20, 0 }, { IEC_GLOBAL | BIT(26), 0 }, { IEC_GLOBAL | BIT(48), 0 },
		{ IEC_GLOBAL, 1 }, { IEC_INDEX(0, 0), BIT(63) }, { IEC_INDEX(0, 16), 0 },
		{ IEC_INDEX(0, 31), 0 },
		{ WAIT_SW | 0x80, RIG_STATUS }, { WAIT_SW | 0x80000000, RIG_STATUS },
		{ WAIT_SW, RIG_STATUS + 1 }, { WAIT_SW, RIG_HOLE }, { WAIT_SW, 0 },
		{ WAIT_SW, ~3ull },
	};
	u32 i, sets;

	rig_enable(0, 15, false);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		u32 head = rig_read(IQH);

		sets = rig_sets;
		assert_false(rig_submit(bad[i].lo, bad[i].hi));
		assert_int_equal(rig_read(FSTS), IQE);
		assert_int_equal(rig_read(IQH), head);
		rig_tell();					/* does not help */
		assert_int_equal(rig_read(IQH), head);
		*(struct rig_entry *)rig_mem(RIG_QUEUE + head) =
			(struct rig_entry){ IEC_INDEX(i, 0), 0 };
		assert_int_equal(rig_sets, sets);
		rig_write(FSTS, IQE);
		assert_int_equal(rig_read(FSTS), 0);
		assert_int_equal(rig_read(IQH), (head + 32) & 4095);
		assert_int_equal(rig_sets, sets + 1);
	}
	rig_start(false, 3);
	rig_enable(0, 15, false);
	assert_true(rig_submit(IEC_INDEX(0, 3), 0));
	assert_false(rig_submit(IEC_INDEX(0, 4), 0));
}

static void no_such_queue(void **state __unused)
{
	static const u64 where[] = { 0, RIG_HOLE, RIG_MEM + RIG_MEM_SIZE, ~0xfffull, BIT(52) };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(where); i++) {
		rig_start(false, 15);
		rig_write8(IQA, where[i]);
		rig_write(GCMD, QIE);
		rig_write(IQT, 0x10);
		assert_int_equal(rig_read(FSTS), IQE);
		assert_int_equal(rig_read(IQH), 0);
	}
	rig_start(false, 15);
	rig_enable(0, 15, false);
	rig_write(IQT, 0x1000);					/* beyond 256 */
	assert_int_equal(rig_read(FSTS), IQE);
	/* The head beyond a queue that got smaller */
	rig_start(false, 15);
	rig_enable(1, 15, false);
	memset(rig_mem(RIG_QUEUE), 1, 8192);
	rig_write(IQT, 0x1ff0);
	assert_int_equal(rig_read(IQH), 0x1ff0);
	rig_write(IQA, (u32)RIG_QUEUE);
	rig_write(IQT, 0x20);
	assert_int_equal(rig_read(IQH), 0x20);
}

/* ---- domain 0's table ---- */

static void tables_of_all_sizes(void **state __unused)
{
	u32 s, i;

	for (s = 0; s < 16; s++) {
		rig_start(false, 15);
		for (i = 0; i < 65536; i++)
			*rig_virt(i) = (struct rig_entry){ ENTRY(0x30, 1), SID(1) };
		memset(rig_real, 0xff, sizeof(rig_real));
		rig_enable(0, s, false);
		assert_true(rig_submit(IEC_GLOBAL, 0));
		for (i = 0; i < 65536; i++)
			assert_real(i, i < 2u << s ? ENTRY(0x30, 1) : 0, i < 2u << s ? SID(1) : 0);
	}
}

static void no_such_table(void **state __unused)
{
	u32 i;

	memset(rig_real, 0xff, sizeof(rig_real));
	rig_write8(IQA, RIG_QUEUE);
	rig_write(GCMD, QIE);
	assert_true(rig_submit(IEC_INDEX(0, 0), 0));		/* no SIRTP yet */
	assert_real(0, 0, 0);
	/* The hole is the last page of memory: what is before it counts, behind it nothing. */
	for (i = 0; i < 2048; i++)
		((struct rig_entry *)rig_mem(RIG_HOLE - 0x1000))[i & 511] =
			(struct rig_entry){ ENTRY(0x30, 1), SID(1) };
	rig_write8(IRTA, (RIG_HOLE - 0x1000) | 15);
	rig_write(GCMD, QIE | SIRTP);
	assert_true(rig_submit(IEC_GLOBAL, 0));
	for (i = 0; i < 65536; i++)
		assert_real(i, i < 256 ? ENTRY(0x30, 1) : 0, i < 256 ? SID(1) : 0);
	rig_write8(IRTA, ~0xfffull | 15);
	assert_true(rig_submit(IEC_INDEX(0, 0), 0));		/* not before SIRTP */
	assert_real(0, ENTRY(0x30, 1), SID(1));
	rig_write(GCMD, QIE | SIRTP);
	assert_true(rig_submit(IEC_GLOBAL, 0));
	for (i = 0; i < 65536; i++)
		assert_real(i, 0, 0);
	assert_int_equal(rig_read(FSTS), 0);
}

static void assert_entry(u64 lo, u64 hi, bool allowed)
{
	u32 refused = rig_refused;

	*rig_virt(5) = (struct rig_entry){ lo, hi };
	rig_real[5] = (struct rig_entry){ ~0ull, ~0ull };
	assert_true(rig_submit(IEC_INDEX(5, 0), 0));
	assert_real(5, allowed && lo & 1 ? lo : 0, allowed && lo & 1 ? hi : 0);
	assert_int_equal(rig_refused, refused + !allowed);
}

static void entries(void **state __unused)
{
	u64 ok = ENTRY(0x30, 1), sid = SID(0x1234);
	u32 i;

	rig_enable(0, 15, false);
	assert_entry(ok, sid, true);
	assert_entry(ok | 0xf1e, sid, true);			/* FPD, DM, RH, TM, AVAIL */
	assert_entry(ok | 0x20, sid, true);			/* lowest priority */
	for (i = 2; i < 8; i++)
		assert_entry(ok | i << 5, sid, false);
	for (i = 12; i < 16; i++)
		assert_entry(ok | BIT(i), sid, false);		/* 15: posted */
	for (i = 24; i < 40; i++)
		assert_entry(ok | BIT(i), sid, false);
	for (i = 48; i < 64; i++)
		assert_entry(ok | BIT(i), sid, false);
	for (i = 20; i < 64; i++)
		assert_entry(ok, sid | BIT(i), false);
	for (i = 0; i < 4; i++) {
		assert_entry(ok, (u64)i << 16 | 0x41234, true);	/* SQ */
		assert_entry(ok, (u64)i << 18 | 0x1234, i != 3); /* SVT */
	}
	for (i = 0; i < 256; i++)
		assert_entry(ENTRY(i, 0xff), sid, i >= 0x20 && i < 0xf0);
	assert_entry(ok & ~1ull, sid, true);			/* what is absent may be anything */
	assert_entry(~1ull, ~0ull, true);
}

static void wide_destinations(void **state __unused)
{
	u64 wide = ENTRY(0x30, 0) | 0x12345678ull << 32;

	rig_enable(0, 15, true);				/* without EIM: no effect */
	assert_false(rig_x2apic_mode);
	assert_entry(wide, SID(1), false);
	rig_start(true, 15);
	rig_enable(0, 15, false);
	assert_entry(wide, SID(1), false);
	rig_enable(0, 15, true);
	assert_true(rig_x2apic_mode);
	assert_entry(wide, SID(1), true);
	assert_entry(wide | BIT(24), SID(1), false);
	rig_enable(0, 15, false);
	assert_false(rig_x2apic_mode);
	assert_entry(wide, SID(1), false);
	assert_entry(ENTRY(0x30, 4), SID(1), true);
}

/* Domain 0 changes the descriptor and the table while a piece of it is done. */
static void changes_underway(void **state __unused)
{
	struct rig_entry *d = rig_mem(RIG_QUEUE);

	rig_enable(0, 15, false);
	rig_put(IEC_GLOBAL, 0);
	assert_false(rig_try(IQT, 4, 0x10));
	d->lo = IEC_INDEX(0x100, 4);
	*rig_virt(0x100) = (struct rig_entry){ ENTRY(0x20, 1), SID(0xff00) };
	assert_true(rig_try(IQT, 4, 0x10));
	assert_int_equal(rig_read(IQH), 0x10);
	assert_int_equal(rig_flush_first, 0x100);
	assert_real(0x100, ENTRY(0x20, 1), SID(0xff00));

	rig_put(IEC_GLOBAL, 0);
	assert_false(rig_try(IQT, 4, 0x20));
	assert_false(rig_try(IRTA, 8, RIG_HOLE));		/* goes on */
	assert_false(rig_try(GCMD, 4, QIE | SIRTP));
	(d + 1)->lo = 0;
	assert_true(rig_try(IQT, 4, 0x20));
	assert_int_equal(rig_read(FSTS), IQE);
	assert_true(rig_try(GCMD, 4, 0));
	assert_true(rig_try(FSTS, 4, IQE));

	/* What is left of it does not count for the next. */
	rig_sets = 0;
	rig_enable(0, 15, false);
	assert_true(rig_submit(IEC_GLOBAL, 0));
	assert_int_equal(rig_sets, 65536);
}

/* Another kind of descriptor in its place is done as if it had been there from the start. */
static void another_kind_underway(void **state __unused)
{
	struct rig_entry *d = rig_mem(RIG_QUEUE);

	rig_enable(0, 15, false);
	rig_put(IEC_GLOBAL, 0);
	assert_false(rig_try(IQT, 4, 0x10));
	*d = (struct rig_entry){ WAIT_SW | 7ull << 32, RIG_STATUS };
	assert_true(rig_try(IQT, 4, 0x10));
	assert_int_equal(rig_read(IQH), 0x10);
	assert_int_equal(*(u32 *)rig_mem(RIG_STATUS), 7);
	assert_int_equal(rig_flushes, 0);
}

#define T(f) cmocka_unit_test_setup(f, start)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_it_can), T(what_is_stored), T(halves_and_wholes), T(commands),
		T(as_linux_does), T(only_what_is_named), T(all_of_it), T(many_of_them), T(almost_full),
		T(around_the_end), T(begins_again), T(waits), T(translations_are_none),
		T(wrong_descriptors), T(no_such_queue), T(tables_of_all_sizes), T(no_such_table),
		T(entries), T(wide_destinations), T(changes_underway),
		T(another_kind_underway),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
