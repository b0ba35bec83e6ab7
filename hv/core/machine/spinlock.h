/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ticket spinlock. Root mode runs with interrupts off, so there is no irqsave
 * form; an NMI handler must take no lock. Debug builds (BP_DEBUG) record the
 * owner and panic on recursion, or on release by another CPU.
 */
#ifndef BP_CORE_SPINLOCK_H
#define BP_CORE_SPINLOCK_H

#include "lib/types.h"
#include "panic.h"

struct spinlock {
	u32 next;		/* ticket given to the next who comes */
	u32 owner;		/* ticket that holds the lock */
	const void *cpu;	/* debug builds: GS base of the holder */
};

#define SPINLOCK_INIT	{ 0, 0, NULL }

#if defined(BP_DEBUG) && !defined(BP_HOST_TEST)
static inline const void *spin_self(void)
{
	const void *self;

	__asm__("mov %%gs:0, %0" : "=r"(self));
	return self;
}

static inline void spin_debug_lock(struct spinlock *l)
{
	if (READ_ONCE(l->cpu) == spin_self())
		panic("spinlock %p taken twice", (void *)l);
}

static inline void spin_debug_locked(struct spinlock *l)
{
	WRITE_ONCE(l->cpu, spin_self());
}

static inline void spin_debug_unlock(struct spinlock *l)
{
	if (l->cpu != spin_self())
		panic("spinlock %p released by a CPU that does not hold it", (void *)l);
	WRITE_ONCE(l->cpu, NULL);
}
#else
static inline void spin_debug_lock(struct spinlock *l __unused) { }
static inline void spin_debug_locked(struct spinlock *l __unused) { }
static inline void spin_debug_unlock(struct spinlock *l __unused) { }
#endif

static inline void spin_lock_init(struct spinlock *l)
{
	*l = (struct spinlock)SPINLOCK_INIT;
}

static inline void spin_lock(struct spinlock *l)
{
	u32 ticket;

	spin_debug_lock(l);
	ticket = __atomic_fetch_add(&l->next, 1, __ATOMIC_RELAXED);
	while (__atomic_load_n(&l->owner, __ATOMIC_ACQUIRE) != ticket)
		__builtin_ia32_pause();
	spin_debug_locked(l);
}

/* Only if nobody holds it or waits for it. */
static inline bool spin_trylock(struct spinlock *l)
{
	u32 ticket = __atomic_load_n(&l->owner, __ATOMIC_ACQUIRE);

	spin_debug_lock(l);
	if (!__atomic_compare_exchange_n(&l->next, &ticket, ticket + 1, false,
					 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return false;
	spin_debug_locked(l);
	return true;
}

static inline void spin_unlock(struct spinlock *l)
{
	spin_debug_unlock(l);
	__atomic_store_n(&l->owner, l->owner + 1, __ATOMIC_RELEASE);
}

#endif
