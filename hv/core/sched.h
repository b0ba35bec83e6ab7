/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Proportional-share scheduling of vCPUs on one physical CPU, with virtual
 * deadlines (earliest eligible virtual deadline first).
 *
 * Pure arithmetic on struct sched_entity lives in sched_math.c and is tested
 * on the host; queues and blocking live in sched.c.
 */
#ifndef HV_CORE_SCHED_H
#define HV_CORE_SCHED_H

#include "list.h"
#include "types.h"

struct cpu;
struct vcpu;

#define SCHED_WEIGHT_ONE	100	/* one share, as cgroup2's cpu.weight */
#define SCHED_WEIGHT_MAX	10000

/* All guarded by the lock of the home CPU's runqueue. */
struct sched_entity {
	struct list_head node;		/* in rq->queue while RUNNABLE */
	u32 weight;
	u64 slice;			/* TSC ticks it asks for at a time */
	u64 vruntime;			/* TSC ticks * SCHED_WEIGHT_ONE / weight */
	u64 deadline;			/* vruntime + slice, weighted */
	s64 lag;			/* kept while not queued */
	u64 exec_start;			/* TSC when it was last charged */
	u64 runtime;			/* TSC ticks consumed in all */
	u64 affinity;			/* first 64 CPUs, 0 = any */
};

#endif
