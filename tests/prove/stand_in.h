/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What several harnesses have in place of Bedplate's own: a lock as one CPU sees it, and no text.
 * Include it before the code that is proved: machine/spinlock.h is then this.
 */
#ifndef TESTS_PROVE_STAND_IN_H
#define TESTS_PROVE_STAND_IN_H

#include "prove.h"
#include "lib/printf.h"

/* A lock that is not free is never got: nobody else runs who could give it back. */
#define BP_CORE_SPINLOCK_H
struct spinlock {
	bool held;
};
#define SPINLOCK_INIT(class)		{ false }
#define spin_lock_init(l, class)	((l)->held = false)

static inline void spin_lock(struct spinlock *l)
{
	prove(!l->held);
	l->held = true;
}

static inline void spin_unlock(struct spinlock *l)
{
	prove(l->held);
	l->held = false;
}

/* The text of errors, which nobody reads here. */
int bp_snprintf(char *buf __unused, size_t size __unused, const char *fmt __unused, ...)
{
	return 0;
}

#endif
