/* SPDX-License-Identifier: GPL-2.0-only */
/* Circular doubly linked list, with the node inside the entry. */
#ifndef BP_CORE_LIST_H
#define BP_CORE_LIST_H

#include "types.h"

struct list {
	struct list *next, *prev;
};

#define LIST_INIT(name)	{ &(name), &(name) }

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

/* Put @n right after @at: at the front, if @at is the head. */
static inline void list_add(struct list *at, struct list *n)
{
	n->next = at->next;
	n->prev = at;
	at->next->prev = n;
	at->next = n;
}

/* Put @n right before @at: at the end, if @at is the head. */
static inline void list_add_tail(struct list *at, struct list *n)
{
	list_add(at->prev, n);
}

/* Take @n out; it is left empty, so taking it out again does no harm. */
static inline void list_del(struct list *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
	list_init(n);
}

#define list_entry(ptr, type, member)	container_of(ptr, type, member)
#define list_first(head, type, member)	list_entry((head)->next, type, member)

#define list_for_each(pos, head, member)					\
	for (pos = list_entry((head)->next, __typeof__(*pos), member);		\
	     &pos->member != (head);						\
	     pos = list_entry(pos->member.next, __typeof__(*pos), member))

/* The entry at @pos may be taken out in the body. */
#define list_for_each_safe(pos, tmp, head, member)				\
	for (pos = list_entry((head)->next, __typeof__(*pos), member),		\
	     tmp = list_entry(pos->member.next, __typeof__(*pos), member);	\
	     &pos->member != (head);						\
	     pos = tmp, tmp = list_entry(tmp->member.next, __typeof__(*pos), member))

#endif
