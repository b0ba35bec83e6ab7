/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ticket spinlock. Root mode runs with interrupts off, so there is no irqsave
 * form; an NMI handler must take no lock. What debug builds check of it is in
 * debug/lock.h, with the classes that each lock has one of.
 */
#ifndef BP_CORE_SPINLOCK_H
#define BP_CORE_SPINLOCK_H

#include "debug/lock.h"
#include "lib/types.h"
#include "panic.h"

struct spinlock {
	u32 next;		/* ticket given to the next who comes */
	u32 owner;		/* ticket that holds the lock */
	LOCK_DEBUG_MEMBERS
};

#define SPINLOCK_INIT(class_)	{ LOCK_DEBUG_INIT(class_) .next = 0 }

static inline void spin_lock_init(struct spinlock *l, enum lock_class class_ __unused)
{
	*l = (struct spinlock)SPINLOCK_INIT(class_);
}

static inline void spin_lock(struct spinlock *l)
{
	u32 ticket;

	lock_debug_want(l, true);
	ticket = __atomic_fetch_add(&l->next, 1, __ATOMIC_RELAXED);
	while (__atomic_load_n(&l->owner, __ATOMIC_ACQUIRE) != ticket)
		__builtin_ia32_pause();
	lock_debug_have(l);
}

/* Only if nobody holds it or waits for it. */
static inline bool spin_trylock(struct spinlock *l)
{
	u32 ticket = __atomic_load_n(&l->owner, __ATOMIC_ACQUIRE);

	lock_debug_want(l, false);
	if (!__atomic_compare_exchange_n(&l->next, &ticket, ticket + 1, false,
					 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return false;
	lock_debug_have(l);
	return true;
}

static inline void spin_unlock(struct spinlock *l)
{
	lock_debug_leave(l);
	__atomic_store_n(&l->owner, l->owner + 1, __ATOMIC_RELEASE);
}

#endif
