// SPDX-License-Identifier: GPL-2.0-only
/* The contract is in tree.h. */
#include "tree.h"

static bool before(u64 a, u64 b)
{
	return (s64)(a - b) < 0;
}

static void lower(u64 *least, u64 val)
{
	if (before(val, *least))
		*least = val;
}

static void sum_up(struct tree_node *n)
{
	n->least = n->val;
	if (n->child[0])
		lower(&n->least, n->child[0]->least);
	if (n->child[1])
		lower(&n->least, n->child[1]->least);
}

/* What leads to @n leads to @to. */
static void relink(struct tree *t, struct tree_node *n, struct tree_node *to)
{
	struct tree_node *p = n->parent;

	if (p)
		p->child[p->child[1] == n] = to;
	else
		t->root = to;
	if (to)
		to->parent = p;
}

/* @n takes its parent's place, which goes below it; the order stays. */
static void rotate_up(struct tree *t, struct tree_node *n)
{
	struct tree_node *p = n->parent, *between;
	u32 side = p->child[1] == n;

	relink(t, p, n);
	between = n->child[!side];
	p->child[side] = between;
	if (between)
		between->parent = p;
	n->child[!side] = p;
	p->parent = n;
	n->least = p->least;
	sum_up(p);
}

void tree_insert(struct tree *t, struct tree_node *n)
{
	struct tree_node **link = &t->root, *p = NULL;

	while (*link) {
		p = *link;
		lower(&p->least, n->val);
		link = &p->child[!before(n->key, p->key)];
	}
	*link = n;
	n->parent = p;
	n->child[0] = n->child[1] = NULL;
	n->least = n->val;
	t->seed = t->seed * 1664525 + 1013904223;
	n->prio = t->seed;
	while (n->parent && n->parent->prio < n->prio)
		rotate_up(t, n);
}

void tree_remove(struct tree *t, struct tree_node *n)
{
	struct tree_node *l, *r, *p;
	u64 was;

	while ((l = n->child[0]) && (r = n->child[1]))
		rotate_up(t, l->prio > r->prio ? l : r);
	relink(t, n, l ? l : n->child[1]);
	for (p = n->parent; p; p = p->parent) {
		was = p->least;
		sum_up(p);
		if (p->least == was)
			break;
	}
}

struct tree_node *tree_first(const struct tree *t, u64 max)
{
	struct tree_node *n = t->root, *l;

	if (!n || before(max, n->least))
		return NULL;
	for (;;) {
		l = n->child[0];
		if (l && !before(max, l->least))
			n = l;
		else if (!before(max, n->val))
			return n;
		else
			n = n->child[1];
	}
}

bool tree_least_before(const struct tree *t, u64 key, u64 *least)
{
	const struct tree_node *n = t->root;
	bool any = false;

	while (n) {
		if (!before(n->key, key)) {
			n = n->child[0];
			continue;
		}
		if (!any)
			*least = n->val;
		any = true;
		lower(least, n->val);
		if (n->child[0])
			lower(least, n->child[0]->least);
		n = n->child[1];
	}
	return any;
}
