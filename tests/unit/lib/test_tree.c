// SPDX-License-Identifier: GPL-2.0-only
/* The tree beside a plain array that is looked through from one end to the other. */
// SOURCES: hv/core/lib/tree.c
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "hv/core/lib/tree.h"

#define N	1000

static struct tree tree;
static struct tree_node node[N];
static struct tree_node *in[N];		/* in the order of their coming */
static bool used[N];
static u32 nr, seed;

static int setup(void **state)
{
	(void)state;
	tree = (struct tree){ 0 };
	memset(used, 0, sizeof(used));
	nr = 0;
	seed = 7;
	return 0;
}

static u32 any(u32 below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

static void add(struct tree_node *n, u64 key, u64 val)
{
	n->key = key;
	n->val = val;
	tree_insert(&tree, n);
	in[nr++] = n;
}

static void drop(u32 i)
{
	tree_remove(&tree, in[i]);
	memmove(&in[i], &in[i + 1], (--nr - i) * sizeof(in[0]));
}

static bool less(u64 a, u64 b)
{
	return (s64)(a - b) < 0;
}

static struct tree_node *model_first(u64 max)
{
	struct tree_node *best = NULL;
	u32 i;

	for (i = 0; i < nr; i++)
		if (!less(max, in[i]->val) && (!best || less(in[i]->key, best->key)))
			best = in[i];
	return best;
}

static void check_least(u64 key)
{
	u64 least = 0, want = 0;
	bool any_before = false;
	u32 i;

	for (i = 0; i < nr; i++)
		if (less(in[i]->key, key) && (!any_before || less(in[i]->val, want))) {
			any_before = true;
			want = in[i]->val;
		}
	assert_int_equal(tree_least_before(&tree, key, &least), any_before);
	if (any_before)
		assert_int_equal(least, want);
}

/* How deep it is below @n; links, order of priorities and sums are right. */
static u32 depth(const struct tree_node *n, const struct tree_node *parent, u32 *count)
{
	u64 least;
	u32 i, d = 0;

	if (!n)
		return 0;
	assert_ptr_equal(n->parent, parent);
	assert_true(!parent || n->prio <= parent->prio);
	least = n->val;
	for (i = 0; i < 2; i++) {
		d = max(d, depth(n->child[i], n, count));
		if (n->child[i] && less(n->child[i]->least, least))
			least = n->child[i]->least;
	}
	assert_int_equal(n->least, least);
	(*count)++;
	return d + 1;
}

static u32 check(void)
{
	u32 count = 0, d = depth(tree.root, NULL, &count);

	assert_int_equal(count, nr);
	return d;
}

static void random_use(u64 from, u32 keys, u32 vals, u32 most)
{
	u64 bound;
	u32 i, k;

	for (i = 0; i < 4000; i++) {
		if (nr < most && (!nr || any(3))) {
			for (k = 0; used[k]; k++)
				;
			add(&node[k], from + any(keys), from + any(vals));
			used[k] = true;
		} else {
			k = any(nr);
			used[in[k] - node] = false;
			drop(k);
		}
		bound = from + any(vals);
		assert_ptr_equal(tree_first(&tree, bound), model_first(bound));
		check_least(from + any(keys));
		if (!(i % 16))
			check();
	}
}

static void as_the_model(void **state)
{
	(void)state;
	random_use(1000, 1000, 1000, 20);
}

static void equals_in_order_of_coming(void **state)
{
	(void)state;
	random_use(0, 3, 2, 50);
}

static void keys_wrap(void **state)
{
	(void)state;
	random_use(-500ull, 1000, 1000, 20);
}

static void many(void **state)
{
	(void)state;
	random_use(0, 1u << 22, 1u << 22, 400);
}

/* In order is the worst for a tree that does not balance. */
static void stays_flat(void **state)
{
	u32 i;

	(void)state;
	for (i = 0; i < N; i++)
		add(&node[i], i, 0);
	assert_true(check() <= 30);
	for (i = 0; i < N; i++) {
		assert_ptr_equal(tree_first(&tree, 0), in[0]);
		drop(0);
	}
	assert_null(tree.root);
	for (i = 0; i < N; i++)
		add(&node[i], 5, i);
	assert_true(check() <= 30);
	for (i = 0; i < N; i++) {
		assert_ptr_equal(tree_first(&tree, N), in[0]);
		drop(0);
	}
}

static void empty(void **state)
{
	u64 least;

	(void)state;
	assert_null(tree_first(&tree, ~0ull >> 1));
	assert_false(tree_least_before(&tree, ~0ull >> 1, &least));
	add(&node[0], 10, 10);
	assert_null(tree_first(&tree, 9));
	assert_ptr_equal(tree_first(&tree, 10), &node[0]);
	assert_false(tree_least_before(&tree, 10, &least));
	drop(0);
	assert_null(tree.root);
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(empty), T(as_the_model), T(equals_in_order_of_coming), T(keys_wrap),
		T(many), T(stays_flat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
