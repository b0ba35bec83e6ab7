// SPDX-License-Identifier: GPL-2.0-only
// SOURCES: dom0-shim/xen/layout.c
/*
 * Xen's interface as it is in memory: layouts, the hypercall page, runstates, time, CPUID.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include "dom0-shim/xen/layout.h"

#include <cmocka.h>

/* ---- layouts, against the public headers' structures ---- */

struct wide_vcpu {
	u8 pending, mask;
	u64 sel;
	u64 arch[2];
	u8 time[32];
};

struct narrow_vcpu {
	u8 pending, mask;
	u32 sel;
	u32 arch[6];
	u8 time[32];
};

struct wide_shared {
	struct wide_vcpu vcpu[32];
	u64 pending[64], mask[64];
	u32 wall[3], wall_hi;
};

struct narrow_shared {
	struct narrow_vcpu vcpu[32];
	u32 pending[32], mask[32];
	u32 wall[3];
	u32 arch[6], wall_hi;
};

static void offsets(void **state)
{
	const struct bp_xen_layout *l = bp_xen_layout(true);

	(void)state;
	assert_int_equal(sizeof(struct wide_vcpu), XEN_VCPU_INFO_SIZE);
	assert_int_equal(sizeof(struct narrow_vcpu), XEN_VCPU_INFO_SIZE);
	assert_int_equal(offsetof(struct wide_vcpu, time), XEN_VCPU_TIME);
	assert_int_equal(offsetof(struct narrow_vcpu, time), XEN_VCPU_TIME);
	assert_int_equal(l->pending, offsetof(struct wide_shared, pending));
	assert_int_equal(l->mask, offsetof(struct wide_shared, mask));
	assert_int_equal(l->wall, offsetof(struct wide_shared, wall));
	assert_int_equal(l->wall_hi, offsetof(struct wide_shared, wall_hi));
	assert_int_equal(l->sel, offsetof(struct wide_vcpu, sel));
	assert_int_equal(l->ports, 64 << l->word_shift);
	l = bp_xen_layout(false);
	assert_int_equal(l->pending, offsetof(struct narrow_shared, pending));
	assert_int_equal(l->mask, offsetof(struct narrow_shared, mask));
	assert_int_equal(l->wall, offsetof(struct narrow_shared, wall));
	assert_int_equal(l->wall_hi, offsetof(struct narrow_shared, wall_hi));
	assert_int_equal(l->sel, offsetof(struct narrow_vcpu, sel));
	assert_int_equal(l->ports, 32 << l->word_shift);
}

/* mov $nr, %eax; the instruction; ret; and nothing that would run on. */
static void stub(void **state)
{
	static const u8 insn[] = { 0x0f, 0x01, 0xd9 };
	static const u8 want[] = { 0xb8, 0x2a, 0, 0, 0, 0x0f, 0x01, 0xd9, 0xc3, 0xcc };
	u8 page[XEN_STUB_SIZE];

	(void)state;
	bp_xen_stub(page, 0x2a, insn);
	assert_memory_equal(page, want, sizeof(want));
	assert_int_equal(page[XEN_STUB_SIZE - 1], 0xcc);
}

/* ---- runstates ---- */

static u64 sum(const struct bp_xen_runstate *rs)
{
	return rs->time[0] + rs->time[1] + rs->time[2] + rs->time[3];
}

static void runstate_times(void **state)
{
	struct bp_xen_runstate rs = { 0 };

	(void)state;
	bp_xen_runstate_to(&rs, XEN_RUNNING, 100, 7);
	assert_int_equal(rs.time[XEN_OFFLINE], 100);	/* it was not there before */
	bp_xen_runstate_to(&rs, XEN_BLOCKED, 150, 20);
	assert_int_equal(rs.time[XEN_RUNNING], 30);
	assert_int_equal(rs.time[XEN_RUNNABLE], 20);
	bp_xen_runstate_to(&rs, XEN_RUNNING, 160, 5);	/* nobody steals from one that is blocked */
	assert_int_equal(rs.time[XEN_BLOCKED], 10);
	assert_int_equal(rs.time[XEN_RUNNABLE], 20);
	bp_xen_runstate_to(&rs, XEN_RUNNING, 165, 9);	/* nor more than there was */
	assert_int_equal(rs.time[XEN_RUNNABLE], 25);
	assert_int_equal(rs.since, 165);
	assert_int_equal(sum(&rs), rs.since);
}

static void runstate_image(void **state)
{
	struct bp_xen_runstate rs = { .state = XEN_BLOCKED, .since = 0x1122, .time = { 1, 2, 3, 4 } };
	u8 image[XEN_RUNSTATE_MAX + 1];
	u64 word;
	u32 i;

	(void)state;
	memset(image, 0xee, sizeof(image));
	assert_int_equal(bp_xen_runstate_put(&rs, true, image), 48);
	assert_int_equal(image[0], XEN_BLOCKED);
	assert_int_equal(image[4], 0);	/* the padding tells nothing */
	memcpy(&word, image + 8, sizeof(word));
	assert_int_equal(word, 0x1122);
	for (i = 0; i < 4; i++) {
		memcpy(&word, image + 16 + 8 * i, sizeof(word));
		assert_int_equal(word, i + 1);
	}
	memset(image, 0xee, sizeof(image));
	assert_int_equal(bp_xen_runstate_put(&rs, false, image), 44);
	memcpy(&word, image + 4, sizeof(word));
	assert_int_equal(word, 0x1122);
	memcpy(&word, image + 36, sizeof(word));
	assert_int_equal(word, 4);
	assert_int_equal(image[44], 0xee);
}

static struct kvm_xen_vcpu_attr given(u64 which, u64 since, u64 run, u64 wait, u64 block, u64 off)
{
	return (struct kvm_xen_vcpu_attr){
		.u.runstate = { which, since, run, wait, block, off },
	};
}

static void runstate_set(void **state)
{
	struct bp_xen_runstate rs = { 0 };
	struct kvm_xen_vcpu_attr a = given(XEN_BLOCKED, 10, 1, 2, 3, 4), b;

	(void)state;
	assert_int_equal(bp_xen_runstate_set(&rs, &a, 10), 0);
	bp_xen_runstate_get(&rs, &b);
	assert_memory_equal(&b.u.runstate, &a.u.runstate, sizeof(a.u.runstate));
	assert_int_equal(bp_xen_runstate_set(&rs, &a, 9), -EINVAL);	/* of the future */
	a = given(XEN_BLOCKED, 11, 1, 2, 3, 4);
	assert_int_equal(bp_xen_runstate_set(&rs, &a, 100), -EINVAL);
	a = given(XEN_RUNSTATES, 10, 1, 2, 3, 4);
	assert_int_equal(bp_xen_runstate_set(&rs, &a, 100), -EINVAL);
	assert_int_equal(rs.since, 10);
}

static void runstate_add(void **state)
{
	struct bp_xen_runstate rs = { .since = 10, .time = { 10 } };
	struct kvm_xen_vcpu_attr a = given(~0ull, 0, -5, 0, 2, 3);

	(void)state;
	assert_int_equal(bp_xen_runstate_add(&rs, &a, 10), 0);	/* moved, not made */
	assert_int_equal(rs.time[XEN_RUNNING], 5);
	assert_int_equal(rs.time[XEN_OFFLINE], 3);
	a = given(XEN_RUNNING, 4, 4, 0, 0, 0);
	assert_int_equal(bp_xen_runstate_add(&rs, &a, 13), -EINVAL);
	assert_int_equal(bp_xen_runstate_add(&rs, &a, 14), 0);
	assert_int_equal(sum(&rs), rs.since);
	a = given(XEN_RUNSTATES, 0, 0, 0, 0, 0);
	assert_int_equal(bp_xen_runstate_add(&rs, &a, 100), -EINVAL);
	a = given(XEN_RUNNING, 1, 0, 0, 0, 0);
	assert_int_equal(bp_xen_runstate_add(&rs, &a, 100), -EINVAL);
	assert_int_equal(rs.since, 14);
}

/* ---- time ---- */

static void scale(void **state)
{
	static const u32 khz[] = { 0, 1, 1000, 999999, 1000000, 2400000, 5000001, 4294967295u };
	struct bp_xen_scale s;
	u32 i;

	(void)state;
	for (i = 0; i < sizeof(khz) / sizeof(khz[0]); i++) {
		bp_xen_scale(khz[i], &s);
		assert_true(s.mul >> 31);
		/* A second of ticks, within what 32 bits can say. */
		if (khz[i] >= 1000)
			assert_in_range(bp_xen_scaled(&s, khz[i] * 1000ull), 999999998, 1000000001);
	}
	bp_xen_scale(1000000, &s);
	assert_int_equal(bp_xen_scaled(&s, 1ull << 40), 1ull << 40);
}

static void timeouts(void **state)
{
	u64 at = 500;

	(void)state;
	assert_int_equal(bp_xen_timeout(&at, 400), 100);
	assert_int_equal(bp_xen_timeout(&at, 700), -200);	/* at once */
	assert_int_equal(at, 500);
	at = 1ull << 63;			/* an overflow of the guest's */
	assert_int_equal(bp_xen_timeout(&at, 1000), 100000000);
	assert_int_equal(at, 100001000);
	at = 1000 + (1ull << 50);
	assert_int_equal(bp_xen_timeout(&at, 1000), 100000000);
	at = 999 + (1ull << 50);
	assert_int_equal(bp_xen_timeout(&at, 1000), (1ll << 50) - 1);
}

/* ---- CPUID ---- */

static struct kvm_cpuid2 *table(u32 base, u32 limit)
{
	struct kvm_cpuid2 *c = calloc(1, sizeof(*c) + 4 * sizeof(c->entries[0]));

	assert_non_null(c);
	c->nent = 4;
	c->entries[0] = (struct kvm_cpuid_entry2){ .function = 1 };
	c->entries[1] = (struct kvm_cpuid_entry2){
		.function = base, .eax = limit, .ebx = 0x566e6558, .ecx = 0x65584d4d, .edx = 0x4d4d566e,
	};
	c->entries[2] = (struct kvm_cpuid_entry2){ .function = base + 3, .index = 1 };
	c->entries[3] = (struct kvm_cpuid_entry2){ .function = base + 3, .index = 2 };
	return c;
}

static void cpuid(void **state)
{
	const struct bp_xen_scale s = { .mul = 0x80000001, .shift = -1 };
	struct kvm_cpuid2 *c = table(0x40000100, 0x40000103);

	(void)state;
	assert_true(bp_xen_cpuid_time(c, &s, 2400000));
	assert_int_equal(c->entries[2].ecx, 0x80000001);
	assert_int_equal(c->entries[2].edx, 0xff);
	assert_int_equal(c->entries[3].eax, 2400000);
	assert_false(bp_xen_cpuid_time(c, &s, 2400000));
	c->entries[1].ebx ^= 1;			/* somebody else's */
	c->entries[3].eax = 0;
	assert_false(bp_xen_cpuid_time(c, &s, 2400000));
	assert_int_equal(c->entries[3].eax, 0);
	free(c);
	c = table(0x40000000, 0x40000002);	/* there is no leaf 3 */
	assert_false(bp_xen_cpuid_time(c, &s, 2400000));
	free(c);
	c = table(0x40000080, 0x40000083);	/* no place for a hypervisor's leaves */
	assert_false(bp_xen_cpuid_time(c, &s, 2400000));
	free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(offsets), cmocka_unit_test(stub), cmocka_unit_test(runstate_times),
		cmocka_unit_test(runstate_image), cmocka_unit_test(runstate_set),
		cmocka_unit_test(runstate_add), cmocka_unit_test(scale), cmocka_unit_test(timeouts),
		cmocka_unit_test(cpuid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
