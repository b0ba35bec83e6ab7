// SPDX-License-Identifier: GPL-2.0-only
/* Domain memory at its limits: as many domains as there are ids, and a large one. */
// SOURCES: hv/core/memory/frames.c hv/core/memory/mmu.c hv/core/memory/mmu_dom0.c hv/core/memory/dommem.c hv/ept/npt.c hv/ept/format.c tests/unit/rig/mm_rig.c
// CFLAGS: -include mm_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "hv/core/memory/dommem.h"
#include "hv/core/lib/errno.h"
#include "hv/core/memory/frames.h"
#include "hv/core/memory/mmu.h"

#define BASE	0x100000ull	/* first frame of the playground */

static void all_ids(void **state __unused)
{
	u64 list[16], out[16];
	u32 n, i;
	int id;

	rig_max_order = 18;
	rig_init(false);
	for (n = 1; n < MAX_DOMAINS; n++) {
		for (i = 0; i < 16; i++)
			list[i] = BASE + n * 16 + i;
		id = domain_create(list, 16, false);
		assert_int_equal(id, n);
	}
	for (i = 0; i < 16; i++)
		list[i] = BASE + i;
	assert_int_equal(domain_create(list, 16, false), -ENOMEM);
	assert_int_equal(frame_owner(BASE), BP_OWNER_DOM0);
	assert_int_equal(domain_count(), MAX_DOMAINS - 1);

	/* An id is free only when RECLAIM has said 0. */
	assert_int_equal(domain_destroy(77), 0);
	assert_int_equal(domain_reclaim(77, out, 16), 15);
	assert_int_equal(domain_reclaim(77, out, 16), 1);
	assert_null(domain_get(77));
	assert_int_equal(domain_destroy(77), 0);
	assert_int_equal(domain_create(list, 16, false), -ENOMEM);
	assert_int_equal(domain_reclaim(77, out, 16), 0);
	assert_int_equal(domain_create(list, 16, false), 77);
	for (n = 1; n < MAX_DOMAINS; n++) {
		assert_int_equal(domain_destroy(n), 0);
		while ((id = domain_reclaim(n, out, 16)))
			assert_true(id > 0);
	}
	assert_int_equal(domain_count(), 0);
	assert_null(domain_get(0));
	assert_null(domain_get(MAX_DOMAINS));
	assert_int_equal(domain_destroy(0), -ENOENT);
	assert_int_equal(domain_donate(MAX_DOMAINS, list, 1), -ENOENT);
}

/* Bounded pieces: a big address space takes several calls to destroy. */
static void destroy_in_pieces(void **state __unused)
{
	struct bp_map m[BP_MAP_MAX];
	u64 list[64], out[64], i, k;
	struct domain *d;
	int id, calls = 0, again;

	rig_init(false);
	for (i = 0; i < 64; i++)
		list[i] = BASE + i;
	id = domain_create(list, 64, false);
	assert_true(id > 0);
	d = domain_get(id);
	for (i = 0; i < 4096; i += BP_MAP_MAX) {
		for (k = 0; k < BP_MAP_MAX; k++)
			m[k] = (struct bp_map){ .gfn = i + k, .pfn = BASE + 64 + i + k };
		assert_int_equal(mmu_map(d, m, BP_MAP_MAX), BP_MAP_MAX);
	}
	m[0] = (struct bp_map){ .gfn = BIT(30), .pfn = BASE + BIT(9), .order = 9 };
	assert_int_equal(mmu_map(d, m, 1), 1);
	domain_put(d);
	while ((again = domain_destroy(id))) {
		assert_int_equal(again, 1);
		calls++;
	}
	assert_in_range(calls, 4, 64);
	assert_int_equal(domain_reclaim(id, out, 64), 63);
	assert_int_equal(domain_reclaim(id, out, 64), 1);
	assert_int_equal(domain_reclaim(id, out, 64), 0);
	assert_int_equal(frame_get_mapped(BASE, 18), 0);
	frame_put(BASE, 18);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_ids),
		cmocka_unit_test(destroy_in_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
