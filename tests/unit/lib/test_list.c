// SPDX-License-Identifier: GPL-2.0-only
/* Unit tests of the base headers: list, atomic bits, ticket lock. */
// SOURCES:
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "hv/core/lib/atomic.h"
#include "hv/core/lib/list.h"
#include "hv/core/machine/spinlock.h"

struct item {
	int n;
	struct list_head link;
};

static void list_keeps_order(void **state __unused)
{
	LIST_HEAD(head);
	struct item it[4] = { { .n = 0 }, { .n = 1 }, { .n = 2 }, { .n = 3 } };
	struct item *p, *tmp;
	int want = 0;

	assert_true(list_empty(&head));
	list_add_tail(&it[1].link, &head);
	list_add_tail(&it[2].link, &head);
	list_add(&it[0].link, &head);
	list_add_tail(&it[3].link, &head);
	list_for_each_entry(p, &head, link)
		assert_int_equal(p->n, want++);
	assert_int_equal(want, 4);

	list_for_each_entry_safe(p, tmp, &head, link)
		if (p->n & 1)
			list_del(&p->link);
	assert_ptr_equal(list_first_entry(&head, struct item, link), &it[0]);
	list_del(&it[0].link);
	list_del(&it[0].link);
	assert_ptr_equal(list_first_entry(&head, struct item, link), &it[2]);
	list_del(&it[2].link);
	assert_true(list_empty(&head));
}

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
	struct spinlock l = SPINLOCK_INIT;

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
		cmocka_unit_test(list_keeps_order),
		cmocka_unit_test(cmpxchg_gives_old),
		cmocka_unit_test(ticket_lock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
