// SPDX-License-Identifier: GPL-2.0-only
/* What virtual units of both kinds share: widths of accesses, units that can do nothing. */
// SOURCES: hv/iommu/virt/virt.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "hv/iommu/dmar.h"
#include "hv/iommu/ivrs.h"
#include "hv/iommu/tables.h"
#include "hv/iommu/unit.h"
#include "hv/iommu/virt/virt.h"

#define BASE	0xfed90000ull
#define UNITS	2

struct iommu_caps iommu_caps;
struct dmar iommu_dmar;
struct ivrs iommu_ivrs;
enum iommu_kind iommu_kind;
static u32 inits[2];			/* of VT-d, of AMD-Vi */
static u32 hidden;			/* the IVRS */

/* What the kind was last asked for, and what it says. */
static struct { u32 unit, off, size, nr; u64 val; } last;
static u64 answer;
static bool finished;

bool iommu_regs(u32 i, hpa_t *base, u64 *len)
{
	*base = BASE + i * 0x4000;
	*len = PAGE_SIZE;
	return i < UNITS;
}

static u64 fake_read(struct virt_unit *u, u32 off, u32 size)
{
	assert_true(u->lock.next == u->lock.owner + 1);
	last = (typeof(last)){ u->index, off, size, last.nr + 1, 0 };
	return answer;
}

/* What another CPU does meanwhile, at this unit and at the other one. */
static bool meanwhile;

static void try_meanwhile(void)
{
	u64 val = 1;

	meanwhile = false;
	assert_false(virt_iommu_access(BASE + 0x20, 4, false, &val));
	assert_false(virt_iommu_access(BASE + 0x20, 4, true, &val));
	assert_int_equal(last.nr, 0);
	assert_int_equal(val, 1);
	assert_true(virt_iommu_access(BASE + 0x4020, 4, false, &val));
	assert_int_equal(last.unit, 1);
}

static bool fake_write(struct virt_unit *u, u32 off, u32 size, u64 val)
{
	if (meanwhile)
		try_meanwhile();
	assert_true(u->lock.next == u->lock.owner + 1);
	last = (typeof(last)){ u->index, off, size, last.nr + 1, val };
	return finished;
}

static const struct virt_kind fake = { fake_read, fake_write };

void virt_vtd_init(struct virt_unit *u, u32 index)
{
	assert_int_equal(u->index, index);
	u->kind = &fake;
	inits[0]++;
}

void virt_amdvi_init(struct virt_unit *u, u32 index __unused)
{
	u->kind = &fake;
	inits[1]++;
}

void virt_amdvi_hide(void)
{
	hidden++;
}

static u64 load(u64 off, u32 size)
{
	u64 val = 0x5555555555555555ull;

	assert_true(virt_iommu_access(BASE + off, size, false, &val));
	return val;
}

static bool save(u64 off, u32 size, u64 val)
{
	return virt_iommu_access(BASE + off, size, true, &val);
}

static int start(bool remaps, bool vtd)
{
	memset(inits, 0, sizeof(inits));
	hidden = 0;
	memset(&last, 0, sizeof(last));
	finished = true;
	iommu_caps.remaps = remaps;
	iommu_kind = vtd ? IOMMU_INTEL : IOMMU_AMD;
	virt_iommu_init();
	return 0;
}

static int start_vtd(void **state __unused)
{
	return start(true, true);
}

static void kinds(void **state __unused)
{
	start(true, true);
	assert_int_equal(inits[0], UNITS);
	assert_int_equal(inits[1], 0);
	start(true, false);
	assert_int_equal(inits[0], 0);
	assert_int_equal(inits[1], UNITS);
	start(false, true);
	assert_int_equal(inits[0] + inits[1], 0);
	assert_int_equal(hidden, 0);
	start(false, false);
	assert_int_equal(inits[0] + inits[1], 0);
	assert_int_equal(hidden, 1);
}

static void where_they_are(void **state __unused)
{
	assert_false(virt_iommu_hit(BASE - 1));
	assert_true(virt_iommu_hit(BASE));
	assert_true(virt_iommu_hit(BASE + 0xfff));
	assert_false(virt_iommu_hit(BASE + 0x1000));
	assert_true(virt_iommu_hit(BASE + 0x4000));
	assert_false(virt_iommu_hit(BASE + 0x8000));
	assert_false(virt_iommu_hit(0));
	assert_false(virt_iommu_hit(~0ull));
	load(0x4010, 8);
	assert_int_equal(last.unit, 1);
	assert_int_equal(last.off, 0x10);
}

static void wide_accesses(void **state __unused)
{
	answer = 0x1122334455667788ull;
	assert_int_equal(load(0x18, 8), answer);
	assert_int_equal(last.off, 0x18);
	assert_int_equal(last.size, 8);
	answer = 0xaabbccdd;
	assert_int_equal(load(0x1c, 4), answer);
	assert_int_equal(last.off, 0x1c);
	assert_int_equal(last.size, 4);
	assert_true(save(0x20, 8, ~0ull));
	assert_int_equal(last.size, 8);
	assert_true(last.val == ~0ull);
	finished = false;
	assert_false(save(0x24, 4, 7));
	assert_int_equal(last.off, 0x24);
	assert_int_equal(last.val, 7);
	assert_int_equal(last.nr, 4);
}

static void narrow_accesses(void **state __unused)
{
	answer = 0xaabbccdd;
	assert_int_equal(load(0x1c, 1), 0xdd);
	assert_int_equal(load(0x1f, 1), 0xaa);
	assert_int_equal(last.off, 0x1c);
	assert_int_equal(last.size, 4);
	assert_int_equal(load(0x1e, 2), 0xaabb);
	assert_int_equal(last.nr, 3);
	finished = false;			/* nobody is asked */
	assert_true(save(0x1c, 1, 1));
	assert_true(save(0x1c, 2, 1));
	assert_int_equal(last.nr, 3);
}

static void across_registers(void **state __unused)
{
	answer = ~0ull;
	finished = false;
	assert_int_equal(load(0x1d, 2), 0);
	assert_int_equal(load(0x1e, 4), 0);
	assert_int_equal(load(0x1c, 8), 0);
	assert_true(save(0x1c, 8, 1));
	assert_true(save(0x1d, 4, 1));
	assert_int_equal(last.nr, 0);
}

static void nothing_to_remap(void **state __unused)
{
	start(false, true);
	finished = false;
	answer = ~0ull;
	assert_true(virt_iommu_hit(BASE));
	assert_int_equal(load(0, 4), 0);
	assert_int_equal(load(8, 8), 0);
	assert_int_equal(load(0x4ff0, 1), 0);
	assert_true(save(0x18, 4, ~0ull));
	assert_int_equal(last.nr, 0);
}

static void vectors(void **state __unused)
{
	u32 delivery, vector;

	for (delivery = 0; delivery < 8; delivery++)
		for (vector = 0; vector < 256; vector++)
			assert_int_equal(virt_intr_allowed(delivery, (u8)vector),
					 delivery <= 1 && vector >= 0x20 && vector < 0xf0);
}

#define T(f) cmocka_unit_test_setup(f, start_vtd)

static void nobody_waits_for_another_cpu(void **state __unused)
{
	meanwhile = true;
	assert_true(save(0x18, 4, 7));
	assert_false(meanwhile);
	assert_int_equal(last.val, 7);
	load(0x20, 4);
	assert_int_equal(last.off, 0x20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(kinds), T(where_they_are), T(wide_accesses), T(narrow_accesses),
		T(across_registers), T(nothing_to_remap), T(vectors),
		T(nobody_waits_for_another_cpu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
