/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a debug build (make DEBUG=1) checks of spinlocks; nothing in other builds.  A lock has
 * a class, declared where it is made.  Classes are ranks, the outermost first: who holds
 * a lock may wait only for one of a later class.  spin_trylock() waits for nobody, so it
 * may take any.
 */
#ifndef HV_CORE_DEBUG_LOCK_H
#define HV_CORE_DEBUG_LOCK_H

#include "lib/types.h"

#define LOCK_CLASSES(X)							\
	X(DOMAIN_OP, "a domain's donations and end")			\
	X(IO, "devices' moves between domains")				\
	X(VIRT_UNIT, "a virtual IOMMU")					\
	X(VIRT_IRT, "copies of interrupt remapping tables")		\
	X(DOMAIN, "a guest's domain")					\
	X(VCPU, "a guest's vCPU")					\
	X(VCPU_DOM0, "domain 0's vCPU")					\
	X(DOMAIN_DOM0, "domain 0")					\
	X(DOMAIN_IDS, "domain ids")					\
	X(PCI_CONFIG, "PCI configuration")				\
	X(RING, "event rings")						\
	X(CPU_RING, "an event ring")					\
	X(RUNQUEUE, "a run queue")					\
	X(TIMERS, "a timer queue")					\
	X(IOMMU_TABLES, "IOMMU tables")					\
	X(IOMMU_UNIT, "an IOMMU")					\
	X(IOMMU_FAULTS, "IOMMU faults")					\
	X(PAGING, "Bedplate's page tables")				\
	X(DOMAIN_POOL, "a domain's frames")				\
	X(POOL, "Bedplate's frames")					\
	X(LOG, "the log")

#define LOCK_CLASS_ENUM(name, text)	LOCK_##name,
enum lock_class { LOCK_NONE, LOCK_CLASSES(LOCK_CLASS_ENUM) LOCK_CLASS_COUNT };

struct spinlock;

#ifdef BP_DEBUG
#define LOCK_DEBUG_MEMBERS	enum lock_class class; const void *holder;
#define LOCK_DEBUG_INIT(c)	.class = (c),

#define LOCKS_HELD	12

/* What one CPU holds, in the order that it was taken. */
struct lock_stack {
	u32 nr;
	const struct spinlock *held[LOCKS_HELD];
};

/* What is wrong with taking @l; NULL: nothing.  *@other: the lock held that is in the way. */
const char *lock_fault(const struct lock_stack *s, const struct spinlock *l, bool waits,
		       const struct spinlock **other);
const char *lock_class_name(const struct spinlock *l);

/* Before a lock is waited for or (@waits false) tried; when it is had; before it is let go. */
void lock_debug_want(const struct spinlock *l, bool waits);
void lock_debug_have(struct spinlock *l);
void lock_debug_leave(struct spinlock *l);
#else
#define LOCK_DEBUG_MEMBERS
#define LOCK_DEBUG_INIT(c)
static inline void lock_debug_want(const struct spinlock *l __unused, bool waits __unused) { }
static inline void lock_debug_have(struct spinlock *l __unused) { }
static inline void lock_debug_leave(struct spinlock *l __unused) { }
#endif

#endif
