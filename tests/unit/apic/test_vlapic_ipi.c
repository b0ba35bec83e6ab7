// SPDX-License-Identifier: GPL-2.0-only
/* The virtual local APIC: messages from APICs and devices, and whom they reach. */
// SOURCES: tests/unit/rig/vlapic_rig.c hv/core/apic/vlapic.c hv/core/apic/vlapic_post.c hv/core/apic/vlapic_deliver.c hv/core/apic/vlapic_state.c hv/core/apic/vlapic_timer.c
// CFLAGS: -include core_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "vlapic_rig.h"

static void physical_destinations(void **state)
{
	(void)state;
	assert_int_equal(vlapic_deliver(&dom, NULL, 2, false, 0, DM_FIXED, 0x40, false), 1);
	assert_int_equal(hits(0x40), BIT(2));
	assert_int_equal(kicked[2], 1);
	assert_int_equal(vlapic_deliver(&dom, NULL, 9, false, 0, DM_FIXED, 0x40, false), 0);
	assert_int_equal(vlapic_deliver(&dom, NULL, 0xff, false, 0, DM_FIXED, 0x41, false), N);
	assert_int_equal(hits(0x41), 0xf);
	assert_int_equal(vlapic_deliver(&dom, NULL, 0, false, 0, DM_RESERVED, 0x41, false),
			 -EINVAL);
	/* A disabled APIC takes nothing. */
	vlapic_write(&v[2], APIC_REG_SVR, 0xff);
	assert_int_equal(vlapic_deliver(&dom, NULL, 0xff, false, 0, DM_FIXED, 0x41, false), N - 1);
	assert_int_equal(hits(0x41), 0xb);
}

/* IDs that grow with the index, with gaps, and IDs in any order. */
static void each_id_is_found(void **state)
{
	static const u32 ids[2][N] = { { 0, 2, 16, 18 }, { 9, 3, 7, 0 } };
	u32 i, j;

	(void)state;
	for (j = 0; j < 2; j++) {
		for (i = 0; i < N; i++) {
			vlapic_init(&v[i], ids[j][i], !i);
			enable(&v[i]);
		}
		for (i = 0; i < N; i++) {
			assert_int_equal(vlapic_deliver(&dom, NULL, ids[j][i], false, 0, DM_FIXED, 0x40, false), 1);
			assert_int_equal(hits(0x40), BIT(i));
			assert_int_equal(vlapic_deliver(&dom, NULL, ids[j][i], false, 0, DM_LOWEST, 0x40, false), 1);
			assert_int_equal(hits(0x40), BIT(i));
		}
		assert_int_equal(vlapic_deliver(&dom, NULL, 1, false, 0, DM_FIXED, 0x40, false), 0);
		assert_int_equal(vlapic_deliver(&dom, NULL, 19, false, 0, DM_FIXED, 0x40, false), 0);
	}
}

static void each_of_a_cluster_is_found(void **state)
{
	static const u32 ids[N] = { 0, 2, 16, 31 };
	u32 i, dest;

	(void)state;
	for (i = 0; i < N; i++) {
		vlapic_init(&v[i], ids[i], !i);
		enable(&v[i]);
		to_x2apic(&v[i]);
	}
	for (i = 0; i < N; i++) {
		dest = ids[i] / 16 << 16 | BIT(ids[i] % 16);
		assert_int_equal(vlapic_deliver(&dom, &v[0], dest, true, 0, DM_FIXED, 0x40, false), 1);
		assert_int_equal(hits(0x40), BIT(i));
	}
	assert_int_equal(vlapic_deliver(&dom, &v[0], 0x10001, true, 0, DM_LOWEST, 0x40, false), 1);
	assert_int_equal(hits(0x40), 4);
	assert_int_equal(vlapic_deliver(&dom, &v[0], 0x18001, true, 0, DM_FIXED, 0x40, false), 2);
	assert_int_equal(hits(0x40), 0xc);
	assert_int_equal(vlapic_deliver(&dom, &v[0], 0x10002, true, 0, DM_FIXED, 0x40, false), 0);
	assert_int_equal(vlapic_deliver(&dom, &v[0], 0x10000, true, 0, DM_FIXED, 0x40, false), 0);
}

/* A broadcast that reaches APICs which take nothing is another matter than one to nobody. */
static void messages_to_nobody(void **state)
{
	u32 i;

	(void)state;
	for (i = 0; i < N; i++)
		vlapic_write(&v[i], APIC_REG_SVR, 0xff);
	assert_int_equal(vlapic_deliver(&dom, NULL, 0xff, false, 0, DM_FIXED, 0x40, false), 0);
	assert_int_equal(vlapic_deliver(&dom, NULL, 0xff, true, 0, DM_LOWEST, 0x40, false), -ENOENT);
	assert_int_equal(vlapic_deliver(&dom, NULL, 1, false, 0, DM_LOWEST, 0x40, false), 0);
	for (i = 0; i < N; i++)
		assert_int_equal(vlapic_set_base(&v[i], v[i].apic.base & ~(u64)APIC_BASE_ENABLE), 0);
	assert_int_equal(vlapic_deliver(&dom, NULL, 0xff, false, 0, DM_FIXED, 0x40, false), -ENOENT);
	assert_int_equal(vlapic_deliver(&dom, NULL, 1, false, 0, DM_FIXED, 0x40, false), 0);
	dom.nr_vcpus = 0;
	assert_int_equal(vlapic_deliver(&dom, NULL, 1, false, 0, DM_FIXED, 0x40, false), -ENOENT);
}

static void logical_flat_and_cluster(void **state)
{
	u32 i;

	(void)state;
	for (i = 0; i < N; i++)
		vlapic_write(&v[i], APIC_REG_LDR, BIT(i) << 24);
	assert_int_equal(vlapic_deliver(&dom, NULL, 0x5, true, 0, DM_FIXED, 0x40, false), 2);
	assert_int_equal(hits(0x40), 0x5);
	for (i = 0; i < N; i++) {
		vlapic_write(&v[i], APIC_REG_DFR, 0x0fffffff);
		vlapic_write(&v[i], APIC_REG_LDR, (i / 2) << 28 | BIT(i % 2) << 24);
	}
	assert_int_equal(vlapic_deliver(&dom, NULL, 0x13, true, 0, DM_FIXED, 0x40, false), 2);
	assert_int_equal(hits(0x40), 0xc);
	assert_int_equal(vlapic_deliver(&dom, NULL, 0x02, true, 0, DM_FIXED, 0x40, false), 1);
	assert_int_equal(hits(0x40), 0x2);
	assert_int_equal(vlapic_deliver(&dom, NULL, 0xff, true, 0, DM_FIXED, 0x40, false), 4);
	assert_int_equal(hits(0x40), 0xf);
}

static void x2apic_destinations(void **state)
{
	u32 i;

	(void)state;
	for (i = 0; i < N; i++)
		to_x2apic(&v[i]);
	assert_int_equal(reg(&v[3], APIC_REG_ID), 3);
	assert_int_equal(reg(&v[3], APIC_REG_LDR), 8);
	assert_int_equal(vlapic_deliver(&dom, &v[0], 3, false, 0, DM_FIXED, 0x40, false), 1);
	assert_int_equal(hits(0x40), 8);
	assert_int_equal(vlapic_deliver(&dom, &v[0], 0x0000000a, true, 0, DM_FIXED, 0x40, false), 2);
	assert_int_equal(hits(0x40), 0xa);
	assert_int_equal(vlapic_deliver(&dom, &v[0], 0x0001000f, true, 0, DM_FIXED, 0x40, false), 0);
	/* An IPI to 0xff is none to all in x2APIC mode; 0xffffffff is. */
	assert_int_equal(vlapic_deliver(&dom, &v[0], 0xff, false, 0, DM_FIXED, 0x40, false), -ENOENT);
	assert_int_equal(vlapic_deliver(&dom, &v[0], ~0u, false, 0, DM_FIXED, 0x40, false), N);
	assert_int_equal(hits(0x40), 0xf);
	/* A device's 8-bit broadcast reaches all the same. */
	assert_int_equal(vlapic_deliver(&dom, NULL, 0xff, false, 0, DM_FIXED, 0x40, false), N);
	assert_int_equal(hits(0x40), 0xf);
}

static void lowest_priority_goes_to_one(void **state)
{
	u32 i, mask = 0;

	(void)state;
	for (i = 0; i < N; i++)
		vlapic_write(&v[i], APIC_REG_LDR, BIT(i) << 24);
	vlapic_write(&v[0], APIC_REG_TPR, 0x20);
	vlapic_write(&v[1], APIC_REG_TPR, 0x10);
	vlapic_write(&v[2], APIC_REG_TPR, 0x20);
	assert_int_equal(vlapic_deliver(&dom, NULL, 0x7, true, 0, DM_LOWEST, 0x40, false), 1);
	assert_int_equal(hits(0x40), 2);
	vlapic_write(&v[1], APIC_REG_SVR, 0xff);
	assert_int_equal(vlapic_deliver(&dom, NULL, 0x2, true, 0, DM_LOWEST, 0x40, false), 0);
	/* Ties take turns with the vector. */
	for (i = 0; i < 8; i++) {
		u32 h;

		assert_int_equal(vlapic_deliver(&dom, NULL, 0x5, true, 0, DM_LOWEST, 0x40 + i, false), 1);
		h = hits(0x40 + i);
		assert_true(h == 1 || h == 4);
		mask |= h;
	}
	assert_int_equal(mask, 5);
	assert_int_equal(vlapic_deliver(&dom, NULL, 0x5, true, 0, DM_LOWEST, 5, false), 0);
}

static void shorthands(void **state)
{
	(void)state;
	vlapic_write(&v[1], APIC_REG_ICR, SHORT_SELF << 18 | 0x40);
	assert_int_equal(hits(0x40), 2);
	vlapic_write(&v[1], APIC_REG_ICR, SHORT_ALL << 18 | 0x40);
	assert_int_equal(hits(0x40), 0xf);
	vlapic_write(&v[1], APIC_REG_ICR, SHORT_OTHERS << 18 | 0x40);
	assert_int_equal(hits(0x40), 0xd);
	vlapic_write(&v[1], APIC_REG_ICR2, 3 << 24);
	vlapic_write(&v[1], APIC_REG_ICR, 0x41);
	assert_int_equal(hits(0x41), 8);
	assert_int_equal(reg(&v[1], APIC_REG_ICR2), 3 << 24);
	/* NMI to all others. */
	vlapic_write(&v[1], APIC_REG_ICR, SHORT_OTHERS << 18 | DM_NMI << 8);
	assert_true(v[0].nmi_pending && !v[1].nmi_pending && v[2].nmi_pending);
}

static void self_ipi_register(void **state)
{
	(void)state;
	assert_int_equal(vlapic_write(&v[0], APIC_REG_SELF_IPI, 0x40), -EINVAL);
	to_x2apic(&v[0]);
	assert_int_equal(vlapic_write(&v[0], APIC_REG_SELF_IPI, 0x140), -EINVAL);
	assert_int_equal(vlapic_write(&v[0], APIC_REG_SELF_IPI, 0x40), 0);
	assert_int_equal(hits(0x40), 1);
}

static void init_and_sipi(void **state)
{
	(void)state;
	vlapic_write(&v[0], APIC_REG_ICR2, 1 << 24);
	vlapic_write(&v[0], APIC_REG_ICR, 0xc500);	/* INIT, assert */
	assert_int_equal(v[1].requests, VCPU_REQ_INIT);
	v[1].requests = 0;
	vlapic_write(&v[0], APIC_REG_ICR, 0x8500);	/* de-assert */
	assert_int_equal(v[1].requests, 0);
	vlapic_write(&v[0], APIC_REG_ICR, 0x0600 | 0x9f);
	assert_int_equal(v[1].requests, VCPU_REQ_SIPI);
	assert_int_equal(v[1].sipi_vector, 0x9f);
	assert_int_equal(kicked[1], 2);
	/* They reach an APIC that software disabled, too. */
	v[1].requests = 0;
	vlapic_write(&v[1], APIC_REG_SVR, 0xff);
	vlapic_write(&v[0], APIC_REG_ICR, 0x4500);
	assert_int_equal(v[1].requests, VCPU_REQ_INIT);
}

/* Domain 0 is the firmware's; its SMIs are none of ours. */
static void smi(void **state)
{
	u32 id = dom.id;

	(void)state;
	dom.id = 0;
	vlapic_write(&v[0], APIC_REG_ICR2, 1 << 24);
	vlapic_write(&v[0], APIC_REG_ICR, DM_SMI << 8);
	assert_int_equal(v[1].requests, 0);
	dom.id = id;
	vlapic_write(&v[0], APIC_REG_ICR, DM_SMI << 8);
	assert_int_equal(v[1].requests, VCPU_REQ_SMI);
	assert_int_equal(kicked[1], 1);
	assert_int_equal(vlapic_msi(&dom, 0xfee02000, DM_SMI << 8), 1);
	assert_int_equal(v[2].requests, VCPU_REQ_SMI);
}

static void msi_formats(void **state)
{
	(void)state;
	assert_int_equal(vlapic_msi(&dom, 0xfee02000, 0x4055), 1);
	assert_int_equal(hits(0x55), 4);
	assert_int_equal(vlapic_msi(&dom, 0xfeeff000, 0x4055), N);
	assert_int_equal(hits(0x55), 0xf);
	/* Bits 63:40 extend the destination: 0x102 is nobody. */
	assert_int_equal(vlapic_msi(&dom, 0xfee02000 | 1ull << 40, 0x4055), 0);
	assert_int_equal(vlapic_msi(&dom, 0xfee02000, 0xc055), 1);
	assert_true(vec_test(&v[2].apic, APIC_REG_TMR, 0x55));
	assert_int_equal(vlapic_msi(&dom, 0xfee02000, 0x300), -EINVAL);
}

/* Without the quirk 0xff is all those in xAPIC mode, and one with that ID. */
static void msi_broadcast(void **state)
{
	(void)state;
	to_x2apic(&v[1]);
	assert_int_equal(vlapic_msi(&dom, 0xfeeff000, 0x4055), N);
	assert_int_equal(vlapic_msi(&dom, 0xfeeff000 | BP_MSI_EXACT, 0x4056), N - 1);
	assert_int_equal(hits(0x56), 0xd);
	assert_int_equal(vlapic_msi(&dom, 0xfee01000 | BP_MSI_EXACT, 0x4057), 1);
	assert_int_equal(hits(0x57), 2);
	assert_int_equal(vlapic_msi(&dom, 0xfeeff000ull | 0xffffff0000000000 | BP_MSI_EXACT, 0x4058), N);
}

#define T(name) cmocka_unit_test_setup(name, rig_setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(physical_destinations), T(logical_flat_and_cluster),
		T(messages_to_nobody), T(logical_flat_and_cluster),
		T(each_id_is_found), T(logical_flat_and_cluster),
		T(each_of_a_cluster_is_found), T(logical_flat_and_cluster),
		T(x2apic_destinations), T(lowest_priority_goes_to_one), T(shorthands),
		T(self_ipi_register), T(init_and_sipi), T(smi), T(msi_formats), T(msi_broadcast),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
