// SPDX-License-Identifier: GPL-2.0-only
/* Unit tests of the base headers: atomic bits, ticket lock. */
// SOURCES:
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "hv/core/lib/atomic.h"
#include "hv/core/machine/spinlock.h"

static void cmpxchg_gives_old(void **state __unused)
{
	u64 v = 5;

	assert_int_equal(cmpxchg(&v, 4, 9), 5);
	assert_int_equal(v, 5);
	assert_int_equal(cmpxchg(&v, 5, 9), 5);
	assert_int_equal(v, 9);
}

static void ticket_lock(void **state __unused)
{
	struct spinlock l = SPINLOCK_INIT(LOCK_LOG);

	spin_lock(&l);
	assert_int_equal(l.next - l.owner, 1);
	spin_unlock(&l);
	assert_int_equal(l.next, l.owner);
	spin_lock(&l);
	spin_unlock(&l);
	assert_int_equal(l.next, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cmpxchg_gives_old),
		cmocka_unit_test(ticket_lock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
