/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CPUs of domain 0 for host tests: threads, one of which writes its memory while others have
 * Bedplate read it. The thread sanitizer watches the code under test,
 * and the rigs abort when something becomes real that must not.
 */
#ifndef TESTS_UNIT_RACE_H
#define TESTS_UNIT_RACE_H

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "hv/core/lib/types.h"

#define RACE_CPUS	2

/* A source of numbers for each thread. */
struct race_cpu {
	u64 seed;
	u32 index;
	void (*step)(struct race_cpu *c);
};

static inline u64 race_random(struct race_cpu *c)
{
	c->seed ^= c->seed << 13;
	c->seed ^= c->seed >> 7;
	c->seed ^= c->seed << 17;
	return c->seed;
}

static inline u32 race_below(struct race_cpu *c, u32 n)
{
	return (u32)(race_random(c) >> 20) % n;
}

static inline void race_store(void *p, u64 val)
{
	__atomic_store_n((u64 *)p, val, __ATOMIC_RELAXED);
}

#define RACE_STEPS	1000u

static bool race_over;

static void *race_reader(void *arg)
{
	struct race_cpu *c = arg;
	u32 i;

	for (i = 0; i < RACE_STEPS; i++)
		c->step(c);
	return NULL;
}

static void *race_writer(void *arg)
{
	struct race_cpu *c = arg;

	while (!__atomic_load_n(&race_over, __ATOMIC_RELAXED))
		c->step(c);
	return NULL;
}

static inline void race_start(pthread_t *t, void *(*fn)(void *arg), struct race_cpu *c)
{
	if (pthread_create(t, NULL, fn, c))
		abort();
}

/* Until the readers have done RACE_STEPS each. */
static inline void race(void (*reads)(struct race_cpu *c), void (*writes)(struct race_cpu *c))
{
	struct race_cpu cpu[RACE_CPUS + 1];
	pthread_t thread[RACE_CPUS + 1];
	u32 i;

	race_over = false;
	for (i = 0; i <= RACE_CPUS; i++) {
		cpu[i] = (struct race_cpu){ 0x9e3779b97f4a7c15ull * (i + 1), i,
					    i < RACE_CPUS ? reads : writes };
		race_start(&thread[i], i < RACE_CPUS ? race_reader : race_writer, &cpu[i]);
	}
	for (i = 0; i < RACE_CPUS; i++)
		pthread_join(thread[i], NULL);
	__atomic_store_n(&race_over, true, __ATOMIC_RELAXED);
	pthread_join(thread[RACE_CPUS], NULL);
}

#endif
