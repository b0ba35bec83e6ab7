// SPDX-License-Identifier: GPL-2.0-only
/* What a guest hypervisor says to Hyper-V's interface in a VMCB, and how long a map that was read is good. */
// SOURCES: dom0-shim/nested/enlight.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "dom0-shim/nested/enlight.h"

#define GPA	0x5000
#define MAP	0x9000

static struct vmcb b;
static struct nest n;

static void put(u32 at, u64 val, u32 len)
{
	memcpy((u8 *)&b.c + at, &val, len);
}

/* Offsets are those of the TLFS, as KVM's own tests have them. */
static void where(void **state)
{
	struct nest_hv hv;

	(void)state;
	memset(&b, 0xff, sizeof(b));
	put(0x3e0, NEST_HV_FLUSH | NEST_HV_MSR_MAP, 4);
	put(0x3e4, 0x11223344, 4);
	put(0x3e8, 0x5566778899aabbcc, 8);
	put(0x3f0, 0x123456789000, 8);
	put(0x3f8, 0, 8);
	hv = nest_hv(&b.c);
	assert_int_equal(hv.control, 3);
	assert_int_equal(hv.vp_id, 0x11223344);
	assert_int_equal(hv.vm_id, 0x5566778899aabbcc);
	assert_int_equal(hv.assist, 0x123456789000);
	assert_int_equal(hv.reserved, 0);
}

static int setup(void **state)
{
	(void)state;
	memset(&b, 0, sizeof(b));
	memset(&n, 0, sizeof(n));
	b.c.msrpm = MAP;
	b.c.clean = NEST_HV_CLEAN;
	put(0x3e0, NEST_HV_MSR_MAP, 4);
	n.vmcb_gpa = GPA;
	n.c = b.c;
	return 0;
}

static void kept(void **state)
{
	(void)state;
	assert_true(nest_hv_keeps_map(&n, &b.c, GPA));
	put(0x3e0, NEST_HV_FLUSH | NEST_HV_MSR_MAP, 4);
	assert_true(nest_hv_keeps_map(&n, &b.c, GPA));
}

/* L1 says that it has changed, or speaks of another L2 or another map, or does not say at all. */
static void read_anew(void **state)
{
	(void)state;
	assert_false(nest_hv_keeps_map(&n, &b.c, GPA + 0x1000));
	b.c.msrpm = MAP + 0x2000;
	assert_false(nest_hv_keeps_map(&n, &b.c, GPA));
	b.c.msrpm = MAP;
	b.c.clean = (u32)~NEST_HV_CLEAN;
	assert_false(nest_hv_keeps_map(&n, &b.c, GPA));
	b.c.clean = ~0u;
	put(0x3e0, NEST_HV_FLUSH, 4);
	assert_false(nest_hv_keeps_map(&n, &b.c, GPA));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(where),
		cmocka_unit_test_setup(kept, setup),
		cmocka_unit_test_setup(read_anew, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
