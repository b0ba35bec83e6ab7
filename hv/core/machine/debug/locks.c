// SPDX-License-Identifier: GPL-2.0-only
/* Order, owner and context of spinlocks; the contract is in lock.h. */
#include "debug.h"
#include "flags.h"
#include "lib/x86.h"
#include "machine/cpu.h"
#include "machine/panic.h"

#define LOCK_CLASS_NAME(name, text)	[LOCK_##name] = text,
static const char *const names[LOCK_CLASS_COUNT] = { LOCK_CLASSES(LOCK_CLASS_NAME) };

const char *lock_class_name(const struct spinlock *l)
{
	return l->class < LOCK_CLASS_COUNT && names[l->class] ? names[l->class] : "no class";
}

const char *lock_fault(const struct lock_stack *s, const struct spinlock *l, bool waits,
		       const struct spinlock **other)
{
	u32 i;

	*other = l;
	if (l->class == LOCK_NONE || l->class >= LOCK_CLASS_COUNT)
		return "has no class";
	if (s->nr == LOCKS_HELD)
		return "is one lock too many";
	for (i = 0; i < s->nr; i++) {
		*other = s->held[i];
		if (s->held[i] == l)
			return "is held already";
		if (waits && s->held[i]->class >= l->class)
			return "comes too late";
	}
	return NULL;
}

void lock_debug_want(const struct spinlock *l, bool waits)
{
	struct debug_cpu *d = &this_cpu()->debug;
	const struct spinlock *other;
	const char *fault;

	if (panic_in_progress())
		return;
	if (read_flags() & X86_EFLAGS_IF)
		panic("lock %p (%s) taken with interrupts on", (const void *)l,
		      lock_class_name(l));
	if (d->nmis)
		panic("lock %p (%s) taken in an NMI or a machine check", (const void *)l,
		      lock_class_name(l));
	fault = lock_fault(&d->locks, l, waits, &other);
	if (fault)
		panic("lock %p (%s) %s: lock %p (%s) is held", (const void *)l, lock_class_name(l),
		      fault, (const void *)other, lock_class_name(other));
}

void lock_debug_have(struct spinlock *l)
{
	struct lock_stack *s = &this_cpu()->debug.locks;

	l->holder = s;
	if (!panic_in_progress())
		s->held[s->nr++] = l;
}

void lock_debug_leave(struct spinlock *l)
{
	struct lock_stack *s = &this_cpu()->debug.locks;
	u32 i;

	if (panic_in_progress())
		return;
	for (i = 0; i < s->nr && s->held[i] != l; i++)
		;
	if (i == s->nr || l->holder != s)
		panic("lock %p (%s) released by a CPU that does not hold it", (void *)l,
		      lock_class_name(l));
	l->holder = NULL;
	for (s->nr--; i < s->nr; i++)
		s->held[i] = s->held[i + 1];
}

void debug_no_locks(const char *when)
{
	const struct lock_stack *s = &this_cpu()->debug.locks;

	if (s->nr)
		panic("%s with lock %p (%s) held", when, (const void *)s->held[s->nr - 1],
		      lock_class_name(s->held[s->nr - 1]));
}
