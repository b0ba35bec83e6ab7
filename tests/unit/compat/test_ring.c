// SPDX-License-Identifier: GPL-2.0-only
/* Event rings: their limits, whose ring an event goes to, and wake-ups from CPUs that have none. */
// SOURCES: compat/kvm-abi/ring.c
// CFLAGS: -include mm_host.h
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "compat/kvm-abi/ring.h"
#include "hv/core/machine/cpu.h"
#include "hv/core/memory/domain.h"
#include "hv/core/lib/errno.h"
#include "hv/core/memory/frames.h"
#include "hv/core/vcpu/run.h"

#define CPUS	3
#define PAGES	(CPUS + 2)
#define NOT_OURS	(PAGES - 1)	/* a frame that is not domain 0's */

static u8 memory[PAGES * 4096] __attribute__((aligned(4096)));
u8 *rig_memory = memory;
static struct cpu cpu[CPUS], *here;
static struct vcpu d0[CPUS], guest, other;
static struct domain dom;
static struct bp_vcpu_page page;
static int refs[PAGES];
static u32 upcalls[CPUS], ended[CPUS], turns;

/* Another one on each CPU. */
static u8 vector_of(u32 n)
{
	return BP_UPCALL_VECTOR - n;
}

struct domain dom0;
struct cpu *cpus[MAX_CPUS];
u32 nr_cpus = CPUS;

struct cpu *this_cpu(void)
{
	return here;
}

int frame_get_shared(u64 pfn)
{
	if (pfn >= NOT_OURS)
		return -EINVAL;
	refs[pfn]++;
	return 0;
}

void frame_put_shared(u64 pfn)
{
	refs[pfn]--;
}

bool vlapic_set_irr(struct vcpu *v, u8 vector, bool level)
{
	assert_int_equal(vector, vector_of(v->index));
	assert_false(level);
	upcalls[v->index]++;
	return true;
}

/* After the interrupt is set, as else it would be overlooked. */
void vcpu_kick(struct vcpu *v)
{
	assert_true(upcalls[v->index] > 0);
	if (v->state == VCPU_INRUN)
		vcpu_interrupt_run(v);
}

void vcpu_service(struct vcpu *v, u8 exit)
{
	assert_ptr_equal(v, &guest);
	assert_int_equal(exit, BP_EXIT_PAUSED);
	turns++;
}

void vcpu_interrupt_run(struct vcpu *v)
{
	assert_int_equal(v->state, VCPU_INRUN);
	v->state = VCPU_RUNNABLE;
	ended[v->index]++;
}

static struct bp_ring *ring_of(int n)
{
	return (struct bp_ring *)(memory + (n + 1) * 4096);
}

static void give_ring(int n)
{
	here = &cpu[n];
	assert_int_equal(ring_register(n + 1, vector_of(n)), n);
}

static void take_ring(int n)
{
	here = &cpu[n];
	ring_unregister();
}

static int setup(void **state)
{
	int i;

	(void)state;
	memset(memory, 0xff, sizeof(memory));
	memset(cpu, 0, sizeof(cpu));
	memset(refs, 0, sizeof(refs));
	for (i = 0; i < CPUS; i++) {
		cpus[i] = &cpu[i];
		cpu[i].index = i;
		cpu[i].dom0 = &d0[i];
		cpu[i].current = &d0[i];
		d0[i].index = i;
		d0[i].state = VCPU_RUNNING;
		give_ring(i);
	}
	memset(upcalls, 0, sizeof(upcalls));
	memset(ended, 0, sizeof(ended));
	turns = 0;
	dom.id = 7;
	guest.dom = &dom;
	guest.index = 2;
	guest.page = &page;
	page.posted = 0;
	guest.posted_cpu = 0;
	return 0;
}

static int teardown(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < CPUS; i++)
		take_ring(i);
	for (i = 0; i < PAGES; i++)
		assert_int_equal(refs[i], 0);
	return 0;
}

static void registration(void **state)
{
	(void)state;
	here = &cpu[0];
	take_ring(0);
	take_ring(0);
	assert_int_equal(refs[1], 0);
	assert_int_equal(ring_register(NOT_OURS, BP_UPCALL_VECTOR), -EINVAL);
	assert_int_equal(ring_register(1, 0x1f), -EINVAL);
	assert_int_equal(ring_register(1, 0x100), -EINVAL);
	assert_null(cpu[0].ring);
	assert_int_equal(refs[1], 0);
	give_ring(0);
	assert_int_equal(ring_of(0)->head, 0);
	assert_int_equal(ring_of(0)->tail, 0);
	assert_int_equal(ring_of(0)->overflow, 0);
	assert_int_equal(refs[1], 1);
}

/* A kernel that came by kexec: the old ring's frame is let go, and nothing is overlooked. */
static void new_ring_replaces_the_old(void **state)
{
	(void)state;
	here = &cpu[1];
	ring_post_service(&guest);
	memset(ring_of(2), 0xff, sizeof(struct bp_ring));
	assert_int_equal(ring_register(NOT_OURS, BP_UPCALL_VECTOR), -EINVAL);
	assert_ptr_equal(cpu[1].ring, ring_of(1));
	assert_int_equal(refs[2], 1);
	upcalls[1] = 0;

	take_ring(2);
	here = &cpu[1];
	assert_int_equal(ring_register(3, vector_of(1)), 1);
	assert_int_equal(refs[2], 0);
	assert_int_equal(refs[3], 1);
	assert_int_equal(ring_of(2)->head, 0);
	assert_int_equal(ring_of(2)->tail, 0);
	assert_int_equal(ring_of(2)->overflow, 1);
	assert_int_equal(upcalls[1], 1);
	memset(ring_of(1), 0, sizeof(struct bp_ring));
	ring_post_service(&guest);
	assert_int_equal(ring_of(2)->slot[0].type, BP_EV_SERVICE);
	assert_int_equal(ring_of(2)->head, 1);
	assert_int_equal(ring_of(1)->head, 0);

	/* The same frame again: one reference, and the ring is empty. */
	assert_int_equal(ring_register(3, vector_of(1)), 1);
	assert_int_equal(refs[3], 1);
	assert_int_equal(ring_of(2)->head, 0);
	ring_post_service(&guest);
	assert_int_equal(ring_of(2)->head, 1);
}

static void event_in_its_own_ring(void **state)
{
	const struct bp_event *e = &ring_of(1)->slot[0];

	(void)state;
	here = &cpu[1];
	ring_post_service(&guest);
	assert_int_equal(ring_of(1)->head, 1);
	assert_int_equal(e->type, BP_EV_SERVICE);
	assert_int_equal(e->dom, 7);
	assert_int_equal(e->id, 2);
	assert_int_equal(upcalls[1], 1);
}

/*
 * A doorbell goes to the next CPU that sleeps, whose domain 0 vCPU alone is woken; never to one
 * that has something to run, no ring, no room, or no vCPU of domain 0's. The page tells whose it was.
 */
static void read_all(int n)
{
	ring_of(n)->tail = ring_of(n)->head;
}

static void doorbell_wakes_a_sleeper(void **state)
{
	(void)state;
	here = &cpu[1];
	assert_ptr_equal(ring_doorbell(&guest, 3), here);
	assert_true(page.posted == BP_POSTED(1, 1));
	d0[2].state = VCPU_HALTED;
	read_all(1);
	assert_ptr_equal(ring_doorbell(&guest, 4), here);
	read_all(1);
	cpu[2].current = NULL;
	assert_ptr_equal(ring_doorbell(&guest, 5), &cpu[2]);
	assert_true(page.posted == BP_POSTED(2, 1));
	assert_int_equal(BP_POSTED_CPU(page.posted), 2);
	assert_int_equal(ring_of(2)->slot[0].type, BP_EV_IOEVENTFD);
	assert_int_equal(ring_of(2)->slot[0].dom, 7);
	assert_int_equal(ring_of(2)->slot[0].id, 5);
	assert_int_equal(ring_of(2)->head, 1);
	assert_int_equal(upcalls[2], 0);
	d0[1].state = VCPU_INRUN;
	d0[1].target = &guest;
	ring_look(&guest, &cpu[2]);
	assert_int_equal(upcalls[2], 1);
	assert_int_equal(upcalls[0] + upcalls[1] + ended[1] + turns, 0);
	read_all(2);

	/* Its own CPU is not asked, and the search comes round. */
	here = &cpu[2];
	assert_ptr_equal(ring_doorbell(&guest, 6), here);
	read_all(2);
	d0[0].state = VCPU_HALTED;
	cpu[0].current = NULL;
	assert_ptr_equal(ring_doorbell(&guest, 6), &cpu[0]);
	read_all(0);

	cpu[0].ring_head += 16;
	assert_ptr_equal(ring_doorbell(&guest, 7), here);
	assert_int_equal(ring_of(0)->overflow, 0);
	take_ring(0);
	here = &cpu[2];
	read_all(2);
	assert_ptr_equal(ring_doorbell(&guest, 7), here);
	read_all(2);
	cpu[0].dom0 = NULL;
	assert_ptr_equal(ring_doorbell(&guest, 7), here);
	nr_cpus = 1;
	here = &cpu[1];
	read_all(2);
	assert_ptr_equal(ring_doorbell(&guest, 7), here);
	nr_cpus = CPUS;
}

/*
 * As long as one has not been read, those that follow go into its ring, whoever sleeps; without room there
 * they are ordinary exits. A ring that is gone holds nothing, and what its page says then does not count.
 */
static void doorbells_stay_in_one_ring(void **state)
{
	int i;

	(void)state;
	here = &cpu[1];
	d0[2].state = VCPU_HALTED;
	cpu[2].current = NULL;
	assert_ptr_equal(ring_doorbell(&guest, 3), &cpu[2]);
	d0[2].state = VCPU_RUNNING;
	d0[0].state = VCPU_HALTED;
	cpu[0].current = NULL;
	page.posted = 0;
	/* Another CPU gets no more than a few to deal with. */
	for (i = 1; i < 16; i++)
		assert_ptr_equal(ring_doorbell(&guest, 3), &cpu[2]);
	assert_true(page.posted == BP_POSTED(2, 16));
	assert_null(ring_doorbell(&guest, 3));
	ring_of(2)->tail = 15;
	assert_ptr_equal(ring_doorbell(&guest, 3), &cpu[2]);
	read_all(2);
	assert_ptr_equal(ring_doorbell(&guest, 3), &cpu[0]);
	take_ring(0);
	here = &cpu[1];
	assert_ptr_equal(ring_doorbell(&guest, 3), here);
}

/* What a vCPU has done: its own thread's RUN ends, another's is interrupted, else an upcall. */
static void look_for_an_event(void **state)
{
	(void)state;
	here = &cpu[1];
	assert_ptr_equal(ring_doorbell(&guest, 3), here);
	assert_int_equal(ring_of(1)->head, 1);
	assert_int_equal(upcalls[1] + ended[1] + turns, 0);
	ring_look(&guest, here);
	assert_int_equal(upcalls[1], 1);
	d0[1].state = VCPU_INRUN;
	d0[1].target = &other;
	ring_look(&guest, here);
	assert_int_equal(ended[1], 1);
	/* The single step behind the instruction, say, is looked at before it stops. */
	d0[1].state = VCPU_INRUN;
	d0[1].target = &guest;
	guest.inject.type = EVENT_EXC;
	ring_look(&guest, here);
	assert_int_equal(ended[1], 2);
	d0[1].state = VCPU_INRUN;
	guest.inject.type = EVENT_NONE;
	ring_look(&guest, here);
	assert_int_equal(turns, 1);
	assert_int_equal(upcalls[1] + ended[1], 3);
}

static void full_ring_overflows(void **state)
{
	int i;

	(void)state;
	here = &cpu[0];
	for (i = 0; i < BP_RING_SLOTS; i++)
		assert_ptr_equal(ring_doorbell(&guest, i), here);
	assert_null(ring_doorbell(&guest, i));
	assert_int_equal(ring_of(0)->overflow, 0);
	ring_post_service(&guest);
	assert_int_equal(ring_of(0)->overflow, 1);
	assert_int_equal(ring_of(0)->head, BP_RING_SLOTS);
	ring_of(0)->tail = 0x12345678;		/* nonsense */
	assert_null(ring_doorbell(&guest, i));
}

/* 2^32 is no multiple of BP_RING_SLOTS: unread slots must outlast the wrap. */
static void head_comes_round(void **state)
{
	struct bp_ring *r = ring_of(0);
	u32 i, tail = -10u;

	(void)state;
	here = &cpu[0];
	cpu[0].ring_head = r->head = r->tail = tail;
	for (i = 0; i < 10; i++)
		assert_ptr_equal(ring_doorbell(&guest, 100 + i), here);
	assert_int_equal(r->head, 0);
	assert_null(ring_doorbell(&guest, 110));
	ring_post_service(&guest);
	assert_int_equal(r->overflow, 1);
	for (i = 0; i < 10; i++)
		assert_int_equal(r->slot[(tail + i) % BP_RING_SLOTS].id, 100 + i);
	r->tail = -1u;
	assert_null(ring_doorbell(&guest, 110));
	r->tail = 0;
	assert_ptr_equal(ring_doorbell(&guest, 110), here);
	assert_int_equal(r->slot[0].id, 110);
	assert_int_equal(r->head, 1);
}

/* The service VM took this CPU offline: another one looks at every vCPU. */
static void wake_up_without_a_ring(void **state)
{
	(void)state;
	take_ring(0);
	take_ring(1);
	assert_null(ring_doorbell(&guest, 3));
	d0[2].state = VCPU_INRUN;
	ring_post_service(&guest);
	assert_int_equal(ring_of(2)->overflow, 1);
	assert_int_equal(ring_of(2)->head, 0);		/* its own CPU's to write */
	assert_int_equal(ended[2], 1);
	assert_int_equal(upcalls[0] + upcalls[1], 0);
	assert_int_equal(upcalls[2], 1);
}

static void wake_up_waits_for_the_first_ring(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < CPUS; i++)
		take_ring(i);
	ring_post_service(&guest);
	give_ring(1);
	assert_int_equal(ring_of(1)->overflow, 1);
	assert_int_equal(upcalls[1], 1);
	give_ring(0);
	assert_int_equal(ring_of(0)->overflow, 0);
	assert_int_equal(upcalls[0], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(registration, setup, teardown),
		cmocka_unit_test_setup_teardown(new_ring_replaces_the_old, setup, teardown),
		cmocka_unit_test_setup_teardown(event_in_its_own_ring, setup, teardown),
		cmocka_unit_test_setup_teardown(look_for_an_event, setup, teardown),
		cmocka_unit_test_setup_teardown(doorbell_wakes_a_sleeper, setup, teardown),
		cmocka_unit_test_setup_teardown(doorbells_stay_in_one_ring, setup, teardown),
		cmocka_unit_test_setup_teardown(full_ring_overflows, setup, teardown),
		cmocka_unit_test_setup_teardown(head_comes_round, setup, teardown),
		cmocka_unit_test_setup_teardown(wake_up_without_a_ring, setup, teardown),
		cmocka_unit_test_setup_teardown(wake_up_waits_for_the_first_ring, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
