/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What tests of the VT-d driver do with it and with the units of vtd_rig.h.
 */
#ifndef TESTS_UNIT_VTD_CALLS_H
#define TESTS_UNIT_VTD_CALLS_H

#include "vtd_rig.h"
#include "hv/iommu/vtd.h"

#define ROOT	0x1234567000ull
#define OTHER	0x7654321000ull
#define MODE	BIT(10)		/* of RTADDR: scalable */

/* Of a unit's register: bits that go, and bits that come. */
static inline void change(u32 unit, u32 reg, u64 off, u64 on)
{
	rig_set(&rig[unit], reg, 8, (rig_get(&rig[unit], reg, 8) & ~off) | on);
}

static inline const char *probe(void)
{
	return vtd_driver.probe(&iommu_caps);
}

static inline void start(bool remap)
{
	assert_null(probe());
	assert_int_equal(vtd_driver.start(ROOT, remap), 0);
}

/* What the unit makes of accesses by a function. */
static inline void translates(u32 unit, u16 bdf, hpa_t root, u16 tag)
{
	hpa_t r;
	u16 t;

	assert_true(rig_translates(&rig[unit], bdf, &r, &t));
	assert_int_equal(r, root);
	assert_int_equal(t, tag);
}

static inline void blocks(u32 unit, u16 bdf)
{
	hpa_t r;
	u16 t;

	assert_false(rig_translates(&rig[unit], bdf, &r, &t));
}

/* So many are looked at, from 00:00.0 to ff:1f.7, as a look at each takes half a minute. */
#define STRIDE	15

static inline void is_domain0s(u32 unit)
{
	u32 bdf;

	for (bdf = 0; bdf < 0x10000; bdf += STRIDE)
		translates(unit, (u16)bdf, ROOT, IOMMU_TAG(0));
}

static inline int attach(u16 segment, u16 bdf, hpa_t root, u16 tag, u16 *was)
{
	return vtd_driver.attach((struct pci_id){ segment, bdf }, root, tag, was);
}

/* A unit that firmware has left translating, as RTADDR says, of these capabilities. */
static inline void left_on(u64 mode, u64 cap_off, u64 cap_on)
{
	rig_start(1);
	change(0, VTD_CAP, cap_off, cap_on);
	rig[0].root = 0x5000 | mode;
	rig[0].irta = 0x6000;
	rig_set(&rig[0], VTD_RTADDR, 8, rig[0].root);
	rig_set(&rig[0], VTD_GSTS, 4, VTD_TE | VTD_SRTP | VTD_QIE | VTD_IRE | VTD_CFI | VTD_EAFL);
	rig_set(&rig[0], VTD_IQH, 8, 0x120);
	rig_set(&rig[0], VTD_IQT, 8, 0x120);
	rig[0].confined = true;
}

static inline void is_taken_over(void)
{
	start(true);
	assert_int_equal(rig_get(&rig[0], VTD_GSTS, 4) & VTD_LASTING, VTD_TE | VTD_QIE | VTD_IRE);
	assert_int_equal(rig_get(&rig[0], VTD_PMEN, 4), 0);
	is_domain0s(0);
}

#endif
