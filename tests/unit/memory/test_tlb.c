// SPDX-License-Identifier: GPL-2.0-only
/* TLB coherence (mmu.h): flushes at entry, and before what was taken away is used; also on threads. */
// SOURCES: hv/core/memory/frames.c hv/core/memory/mmu.c hv/core/memory/mmu_dom0.c hv/core/memory/dommem.c hv/ept/npt.c hv/ept/format.c tests/unit/rig/mm_rig.c
// CFLAGS: -include mm_host.h
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "mmu_guest.h"
#include "hv/core/memory/frames.h"
#include "hv/core/machine/memmap.h"

static u32 flushes;

/* What the TLB protocol needs of a vCPU. */
struct test_vcpu {
	struct domain *dom;
	struct tlb_seen tlb;
};

static void count_flush(void)
{
	flushes++;
}

static void (*flush)(void) = count_flush;

static void enter(struct cpu *c, struct test_vcpu *v)
{
	if (mmu_enter(c, v->dom, &v->tlb))
		flush();
}

static void leave_on_kick(struct cpu *c)
{
	mmu_leave(c);
}

static void entry_flushes_when_due(void **state __unused)
{
	struct domain d = { .id = 3 };
	struct test_vcpu *v = calloc(1, sizeof(*v)), *w = calloc(1, sizeof(*w));

	v->dom = w->dom = &d;
	flushes = 0;
	flush = count_flush;
	enter(cpus[1], v);
	assert_ptr_equal(cpus[1]->guest_dom, &d);
	assert_int_equal(flushes, 1);		/* never ran here */
	mmu_leave(cpus[1]);
	assert_null(cpus[1]->guest_dom);
	enter(cpus[1], v);
	mmu_leave(cpus[1]);
	assert_int_equal(flushes, 1);
	enter(cpus[1], w);			/* another vCPU of the domain */
	mmu_leave(cpus[1]);
	assert_int_equal(flushes, 2);
	enter(cpus[2], v);			/* another CPU, and back */
	mmu_leave(cpus[2]);
	enter(cpus[1], v);
	mmu_leave(cpus[1]);
	assert_int_equal(flushes, 4);
	mmu_flush_domain(&d);			/* nobody in guest mode: no IPI */
	assert_int_equal(rig_kicks, 0);
	enter(cpus[1], v);
	assert_int_equal(flushes, 5);

	/* In guest mode with what is current now, then with what is not. */
	rig_on_kick = leave_on_kick;
	mmu_flush_domain(&d);
	assert_int_equal(rig_kicks, 1);
	assert_null(cpus[1]->guest_dom);
	enter(cpus[1], v);
	cpus[1]->guest_gen++;			/* as if it came back meanwhile */
	mmu_flush_domain(&d);
	assert_int_equal(rig_kicks, 1);
	mmu_leave(cpus[1]);

	/* Another domain's CPUs and the caller itself are left alone. */
	enter(cpus[2], v);
	cpus[0]->guest_dom = &dom0;
	mmu_flush_domain(&dom0);
	assert_int_equal(rig_kicks, 1);
	free(v);
	free(w);
}

static struct domain *watched;
static bool kicked_for_unmap, still_counted;

static void see_unmap(struct cpu *c)
{
	struct npt_leaf leaf;
	struct npt t = { .fmt = rig_npt, .root = &watched->npt };

	/* At the kick the entry is gone and the frame still referenced. */
	kicked_for_unmap = npt_lookup(&t, 5, &leaf) == NPT_ABSENT;
	still_counted = frame_count(PFN + 9) == 1;
	mmu_leave(c);
}

static void frame_is_put_after_flush(void **state __unused)
{
	struct test_vcpu *v = calloc(1, sizeof(*v));
	u64 done;

	watched = v->dom = domain_get(make_guest());
	flush = count_flush;
	assert_int_equal(map1(v->dom, 5, PFN + 9, 0, RW), 1);
	enter(cpus[3], v);
	rig_on_kick = see_unmap;
	kicked_for_unmap = still_counted = false;
	assert_int_equal(mmu_unmap(v->dom, 5, 1, &done), 0);
	assert_true(kicked_for_unmap);
	assert_true(still_counted);
	assert_int_equal(frame_count(PFN + 9), 0);
	domain_put(v->dom);
	free(v);
}

static bool donor_flushed;

static void see_donation(struct cpu *c)
{
	u8 *p = phys_to_virt((PFN + 0x1000) << PAGE_SHIFT);

	/* Domain 0 may still read the frame: it holds nothing of ours yet. */
	donor_flushed = p[0] == 0x77 && p[100] == 0x77 &&
			frame_owner(PFN + 0x1000) != BP_OWNER_DOM0;
	mmu_leave(c);
}

static void donated_frame_is_used_after_flush(void **state __unused)
{
	struct test_vcpu *v = calloc(1, sizeof(*v));

	v->dom = &dom0;
	flush = count_flush;
	memset(phys_to_virt((PFN + 0x1000) << PAGE_SHIFT), 0x77, PAGE_SIZE);
	enter(cpus[2], v);
	rig_on_kick = see_donation;
	donor_flushed = false;
	assert_true(make_guest() > 0);
	assert_true(donor_flushed);
	free(v);
}

/*
 * Threads as CPUs.  A "guest" has a one-entry TLB over the shared "page table",
 * dropped by flush() only; the main thread moves the page and poisons the
 * old place once mmu_flush_domain() has returned.
 */
#define PLACES	8
#define MOVES	30000		/* or as many as a busy host lets happen in LIMIT seconds ... */
#define LIMIT	10
#define HANG	120		/* ... but not before the guests have run and been kicked */
static struct domain tlb_dom;
static u64 translation;		/* 1 + place */
static u32 poisoned[PLACES];
static u32 kick_flag[RIG_CPUS];
static u32 stop, stale, accesses;
static _Thread_local u64 tlb;

static void drop_tlb(void)
{
	tlb = 0;
}

static void set_kick(struct cpu *c)
{
	__atomic_store_n(&kick_flag[c->index], 1, __ATOMIC_SEQ_CST);
}

static void *guest_thread(void *arg)
{
	struct cpu *c = arg;
	struct test_vcpu *v = calloc(1, sizeof(*v));
	u32 left;

	v->dom = &tlb_dom;
	while (!READ_ONCE(stop)) {
		enter(c, v);
		/* One CPU stays until it is kicked, one comes and goes. */
		left = c->index == 1 ? ~0u : 2;
		while (left-- && !__atomic_exchange_n(&kick_flag[c->index], 0, __ATOMIC_SEQ_CST) &&
		       !READ_ONCE(stop)) {
			if (!tlb)
				tlb = READ_ONCE(translation);
			if (READ_ONCE(poisoned[tlb - 1]))
				__atomic_fetch_add(&stale, 1, __ATOMIC_SEQ_CST);
			__atomic_fetch_add(&accesses, 1, __ATOMIC_RELAXED);
		}
		mmu_leave(c);
		if (c->index == 1)
			sched_yield();
	}
	free(v);
	return NULL;
}

static bool moved_enough(u32 moves, time_t start)
{
	time_t took = time(NULL) - start;

	if (took > HANG)
		return true;
	return (moves >= MOVES || took > LIMIT) && READ_ONCE(accesses) > 1000 && rig_kicks > 10;
}

static void no_stale_access_under_threads(void **state __unused)
{
	time_t start = time(NULL);
	pthread_t t[2];
	u32 i;

	flush = drop_tlb;
	rig_on_kick = set_kick;
	translation = 1;
	for (i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&t[i], NULL, guest_thread, cpus[1 + i]), 0);
	for (i = 1; !moved_enough(i - 1, start); i++) {
		u32 from = (i - 1) % PLACES, to = i % PLACES;

		WRITE_ONCE(poisoned[to], 0);
		WRITE_ONCE(translation, 1 + to);
		mmu_flush_domain(&tlb_dom);
		WRITE_ONCE(poisoned[from], 1);
		if (i % 8 == 0)
			sched_yield();
	}
	WRITE_ONCE(stop, 1);
	for (i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(stale, 0);
	assert_true(accesses > 1000);
	assert_true(rig_kicks > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(entry_flushes_when_due, setup),
		cmocka_unit_test_setup(frame_is_put_after_flush, setup),
		cmocka_unit_test_setup(donated_frame_is_used_after_flush, setup),
		cmocka_unit_test_setup(no_stale_access_under_threads, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
