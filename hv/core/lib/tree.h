/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Entries in the order of a key, with the node inside the entry, and found by a second value
 * too.  A treap: what each call costs grows with the logarithm of their number, and nothing
 * is allocated.
 *
 * Keys and values are compared by their difference, so they may wrap, and those of one tree
 * lie less than 2^63 apart.  Both stay as they are while the node is in a tree.
 */
#ifndef BP_CORE_TREE_H
#define BP_CORE_TREE_H

#include "types.h"

struct tree_node {
	struct tree_node *parent, *child[2];
	u64 key, val;			/* the caller's */
	u64 least;			/* val of this node and of those below it */
	u32 prio;			/* at random; none is higher below this node */
};

/* All zero: empty. */
struct tree {
	struct tree_node *root;
	u32 seed;
};

/* Behind all that have the same key. */
void tree_insert(struct tree *t, struct tree_node *n);
void tree_remove(struct tree *t, struct tree_node *n);
/* The first by key; NULL. */
static inline struct tree_node *tree_head(const struct tree *t)
{
	struct tree_node *n = t->root;

	while (n && n->child[0])
		n = n->child[0];
	return n;
}

/* The first by key whose val is @max at most; NULL. */
struct tree_node *tree_first(const struct tree *t, u64 max);
/* *least: the least val of those whose key is before @key.  False: there are none. */
bool tree_least_before(const struct tree *t, u64 key, u64 *least);

#endif
