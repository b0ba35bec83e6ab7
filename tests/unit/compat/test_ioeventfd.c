// SPDX-License-Identifier: GPL-2.0-only
/* Doorbells: the table's rules, matching, a full ring. */
// SOURCES: compat/kvm-abi/ioeventfd.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "hv/core/memory/domain.h"
#include "hv/core/lib/errno.h"
#include "compat/kvm-abi/ioeventfd.h"
#include "hv/core/machine/cpu.h"
#include "hv/core/vcpu/run.h"

static struct domain dom;
static struct vcpu vcpu;
static struct cpu here;
static u64 page[512];
static bool page_there, ring_full;
static u32 posted, last_id;

void *domain_page_alloc(struct domain *d)
{
	assert_ptr_equal(d, &dom);
	if (!page_there)
		return NULL;
	page_there = false;
	memset(page, 0, sizeof(page));
	return page;
}

void domain_page_free(struct domain *d, void *p)
{
	assert_ptr_equal(d, &dom);
	assert_ptr_equal(p, page);
	page_there = true;
}

struct cpu *ring_doorbell(struct vcpu *v, u32 id)
{
	assert_ptr_equal(v, &vcpu);
	if (ring_full)
		return NULL;
	posted++;
	last_id = id;
	return &here;
}

static int setup(void **state)
{
	(void)state;
	memset(&dom, 0, sizeof(dom));
	dom.id = 5;
	vcpu.dom = &dom;
	page_there = true;
	ring_full = false;
	posted = 0;
	return 0;
}

static int add(u32 id, u64 addr, u32 len, u32 flags, u64 match)
{
	struct bp_ioeventfd r = { .addr = addr, .datamatch = match, .len = len,
				  .flags = flags, .id = id };

	return ioeventfd_update(&dom, &r);
}

static int del(u32 id)
{
	return add(id, 0, 0, BP_IOEVENTFD_REMOVE, 0);
}

static bool ring(u64 addr, u8 size, u64 data, bool pio)
{
	struct cpu *c = ioeventfd_signal(&vcpu, addr, size, data, pio);

	assert_true(!c || c == &here);
	return c;
}

static void rules(void **state)
{
	(void)state;
	assert_int_equal(del(1), -ENOENT);
	assert_int_equal(add(1, 0x1000, 3, 0, 0), -EINVAL);
	assert_int_equal(add(1, 0x1000, 16, 0, 0), -EINVAL);
	assert_int_equal(add(1, 0x1000, 4, 0x8, 0), -EINVAL);
	assert_int_equal(add(1, 0x1000, 4, 0, 0), 0);
	assert_int_equal(add(1, 0x2000, 4, 0, 0), -EEXIST);
	assert_int_equal(del(1), 0);
	assert_int_equal(del(1), -ENOENT);
	ioeventfd_destroy(&dom);
	assert_true(page_there);
	page_there = false;
	assert_int_equal(add(1, 0x1000, 4, 0, 0), -ENOMEM);
	assert_false(ring(0x1000, 4, 0, false));
	ioeventfd_destroy(&dom);
}

static void matching(void **state)
{
	(void)state;
	add(1, 0xfe000000, 2, BP_IOEVENTFD_DATAMATCH, 3);
	add(2, 0xfe000000, 2, BP_IOEVENTFD_DATAMATCH, 4);
	add(3, 0xfe001000, 0, 0, 0);
	add(4, 0xc050, 1, BP_IOEVENTFD_PIO, 0);
	assert_true(ring(0xfe000000, 2, 4, false));
	assert_int_equal(last_id, 2);
	assert_true(ring(0xfe000000, 2, 3, false));
	assert_int_equal(last_id, 1);
	assert_false(ring(0xfe000000, 2, 5, false));
	assert_false(ring(0xfe000000, 4, 3, false));
	assert_false(ring(0xfe000002, 2, 3, false));
	assert_false(ring(0xfe000000, 2, 3, true));
	assert_true(ring(0xfe001000, 1, 77, false));
	assert_true(ring(0xfe001000, 8, 78, false));
	assert_int_equal(last_id, 3);
	assert_true(ring(0xc050, 1, 0xff, true));
	assert_false(ring(0xc050, 1, 0xff, false));
	assert_int_equal(posted, 5);
	assert_true(ioeventfd_may_match(&dom, 0xfe000000));
	ioeventfd_destroy(&dom);
	assert_false(ioeventfd_may_match(&dom, 0xfe000000));
}

static void full_ring_is_an_ordinary_exit(void **state)
{
	(void)state;
	add(1, 0x1000, 4, 0, 0);
	ring_full = true;
	assert_false(ring(0x1000, 4, 0, false));
	ring_full = false;
	assert_true(ring(0x1000, 4, 0, false));
	ioeventfd_destroy(&dom);
}

/* As many as fit a page; removals keep the others, and the filter. */
static void full_table(void **state)
{
	u32 n = 0, i;

	(void)state;
	while (!add(n, 0x1000 + n * 4, 4, 0, 0))
		n++;
	assert_in_range(n, 100, 128);
	assert_int_equal(add(n, 0x9000, 4, 0, 0), -ENOSPC);
	for (i = 0; i < n; i += 2)
		assert_int_equal(del(i), 0);
	for (i = 0; i < n; i++) {
		assert_int_equal(ring(0x1000 + i * 4, 4, 0, false), i & 1);
		if (i & 1)
			assert_int_equal(last_id, i);
	}
	for (i = 1; i < n; i += 2)
		assert_int_equal(del(i), 0);
	for (i = 0; i < n; i++)
		assert_false(ioeventfd_may_match(&dom, 0x1000 + i * 4));
	ioeventfd_destroy(&dom);
}

/* A hypercall that still has the domain finds no table, and no memory for one. */
static void after_the_end(void **state)
{
	(void)state;
	assert_int_equal(add(1, 0x1000, 4, 0, 0), 0);
	ioeventfd_destroy(&dom);
	assert_true(page_there);
	memset(page, 0xff, sizeof(page));
	assert_int_equal(del(1), -ENOENT);
	assert_false(ring(0x1000, 4, 0, false));
	page_there = false;
	assert_int_equal(add(2, 0x1000, 4, 0, 0), -ENOMEM);
	ioeventfd_destroy(&dom);
	assert_false(page_there);
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(rules), T(matching), T(full_ring_is_an_ordinary_exit), T(full_table),
		T(after_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
