// SPDX-License-Identifier: GPL-2.0-only
/*
 * The event rings of domain 0's vCPUs.  Bedplate alone writes head and slots; of
 * what domain 0 writes only tail is read, and a nonsense tail makes the ring
 * look full.
 *
 * What a vCPU wants is put into the ring of its own CPU.  A CPU whose domain 0 vCPU has none
 * (it was taken offline while guests' vCPUs were still here) sets the overflow word of
 * another CPU's ring: then the shim looks at every vCPU.  A doorbell goes to a CPU nearby
 * whose domain 0 vCPU sleeps, if there is one: then the guest goes on meanwhile.
 */
#include "ring.h"
#include "hv/core/apic/vlapic.h"
#include "hv/core/lib/atomic.h"
#include "hv/core/lib/errno.h"
#include "hv/core/machine/cpu.h"
#include "hv/core/machine/paging.h"
#include "hv/core/machine/spinlock.h"
#include "hv/core/memory/domain.h"
#include "hv/core/memory/frames.h"
#include "hv/core/vcpu/run.h"
#include "hv/core/vcpu/vcpu.h"

#define FIRST_VECTOR	0x20	/* those below are exceptions */
#define LAST_VECTOR	0xff

/* How many CPUs are looked at for one that sleeps: each look may miss the cache. */
#define NEIGHBOURS	4
/* As many events as others may leave a CPU to deal with: more are the vCPU's own thread's work. */
#define OTHERS_MAX	16

/* Held where a ring comes or goes, with that CPU's own lock, and while one is sought for. */
static struct spinlock ring_lock = SPINLOCK_INIT(LOCK_RING);
static bool missed;			/* no CPU had a ring; guarded by ring_lock */

/* Any CPU's: interrupt domain 0's vCPU, which ends a RUN as well. */
static void post_upcall(struct cpu *c)
{
	vlapic_set_irr(c->dom0, READ_ONCE(c->upcall_vector), false);
	vcpu_kick(c->dom0);
}

/* Domain 0 must look at this CPU's ring: after RUN it does so by itself. */
static void upcall(struct cpu *c)
{
	if (READ_ONCE(c->dom0->state) == VCPU_INRUN)
		vcpu_interrupt_run(c->dom0);
	else
		post_upcall(c);
}

/*
 * A ring that is there already belonged to a kernel that started this one without an
 * INIT of its CPU.  What came for it may have been missed.
 */
s64 ring_register(u64 pfn, u64 vector)
{
	struct cpu *c = this_cpu();
	hpa_t old = c->ring_hpa;
	bool look, replaces;
	struct bp_ring *r;

	if (vector < FIRST_VECTOR || vector > LAST_VECTOR || frame_get_shared(pfn))
		return -EINVAL;
	r = phys_to_virt(pfn << PAGE_SHIFT);
	spin_lock(&ring_lock);
	replaces = c->ring;
	look = missed || replaces;
	missed = false;
	spin_lock(&c->ring_lock);
	r->head = 0;
	r->tail = 0;
	r->overflow = look;
	c->ring_hpa = pfn << PAGE_SHIFT;
	c->ring_head = 0;
	WRITE_ONCE(c->upcall_vector, (u8)vector);
	c->ring = r;
	spin_unlock(&c->ring_lock);
	spin_unlock(&ring_lock);
	if (replaces)
		frame_put_shared(old >> PAGE_SHIFT);
	if (look)
		post_upcall(c);
	return c->index;
}

void ring_unregister(void)
{
	struct cpu *c = this_cpu();

	if (!c->ring)
		return;
	spin_lock(&ring_lock);
	spin_lock(&c->ring_lock);
	c->ring = NULL;
	spin_unlock(&c->ring_lock);
	spin_unlock(&ring_lock);
	frame_put_shared(c->ring_hpa >> PAGE_SHIFT);
}

/*
 * A tail beyond head is nonsense, or head has just come round to 0.  There the
 * slots do not go on evenly, as 2^32 is no multiple of their number: the first
 * ones may still be unread, so the ring is full until all has been read.
 */
static bool is_full(const struct cpu *c, u32 most)
{
	u32 tail = READ_ONCE(c->ring->tail);

	return tail > c->ring_head || c->ring_head - tail >= most;
}

/* Fewer than @most are unread; c->ring is there. */
static bool add(struct cpu *c, u32 most, u32 type, u32 dom, u32 id)
{
	struct bp_ring *r = c->ring;
	struct bp_event *e;

	if (is_full(c, most))
		return false;
	e = &r->slot[c->ring_head % BP_RING_SLOTS];
	e->type = type;
	e->dom = dom;
	e->id = id;
	c->ring_head++;
	smp_store_release(&r->head, c->ring_head);
	return true;
}

/* The same under c's lock.  Result: the head behind the event, which may be 0; NO_HEAD: not taken. */
#define NO_HEAD	BIT(32)

static u64 add_locked(struct cpu *c, u32 most, u32 type, u32 dom, u32 id)
{
	u64 head = NO_HEAD;

	spin_lock(&c->ring_lock);
	if (c->ring && add(c, most, type, dom, id))
		head = c->ring_head;
	spin_unlock(&c->ring_lock);
	return head;
}

/* Neither domain 0 nor anybody else wants it: hints, that may be wrong by the time they are used. */
static bool sleeps(const struct cpu *c)
{
	return c->dom0 && READ_ONCE(c->dom0->state) == VCPU_HALTED && !READ_ONCE(c->current);
}

static struct cpu *sleeping_neighbour(const struct cpu *c)
{
	u32 i, n = min(nr_cpus - 1, (u32)NEIGHBOURS), at = c->index;

	for (i = 0; i < n; i++) {
		at = at + 1 < nr_cpus ? at + 1 : 0;
		if (sleeps(cpus[at]))
			return cpus[at];
	}
	return NULL;
}

/* The CPU whose ring has a doorbell of v's that is not done with; NULL: none has. */
static struct cpu *unread(const struct vcpu *v)
{
	struct cpu *c;
	bool waits;

	if (!v->posted_cpu)
		return NULL;
	c = cpus[v->posted_cpu - 1];
	spin_lock(&c->ring_lock);
	waits = c->ring && (s32)(READ_ONCE(c->ring->tail) - v->posted_head) < 0;
	spin_unlock(&c->ring_lock);
	return waits ? c : NULL;
}

/*
 * All of v's that are not done with are in one ring, so that whoever waits for the last one waits
 * for all.
 */
struct cpu *ring_doorbell(struct vcpu *v, u32 id)
{
	struct cpu *here = this_cpu(), *same = unread(v), *c = same ?: sleeping_neighbour(here);
	u32 most = c == here ? BP_RING_SLOTS : OTHERS_MAX;
	u64 head = c ? add_locked(c, most, BP_EV_IOEVENTFD, v->dom->id, id) : NO_HEAD;

	if (head == NO_HEAD && !same) {
		c = here;
		head = add_locked(c, BP_RING_SLOTS, BP_EV_IOEVENTFD, v->dom->id, id);
	}
	if (head == NO_HEAD)
		return NULL;
	v->posted_cpu = c->index + 1;
	v->posted_head = head;
	WRITE_ONCE(v->page->posted, BP_POSTED(c->index, (u32)head));
	return c;
}

void ring_look(struct vcpu *v, struct cpu *c)
{
	if (c != this_cpu()) {
		post_upcall(c);
		return;
	}
	/* With an event that is to be delivered v does not stop: prepare_entry() looks first. */
	if (READ_ONCE(c->dom0->state) == VCPU_INRUN && READ_ONCE(c->dom0->target) == v &&
	    v->inject.type == EVENT_NONE)
		vcpu_service(v, BP_EXIT_PAUSED);
	else
		upcall(c);
}

/* Some CPU with a ring, marked as overflown; NULL: there is none. */
static struct cpu *overflow_any(void)
{
	struct cpu *c = NULL;
	u32 i;

	spin_lock(&ring_lock);
	for (i = 0; i < nr_cpus && !c; i++)
		if (cpus[i]->ring)
			c = cpus[i];
	if (c)
		smp_store_release(&c->ring->overflow, 1);
	else
		missed = true;
	spin_unlock(&ring_lock);
	return c;
}

void ring_post_service(struct vcpu *v)
{
	struct cpu *c = this_cpu();

	if (!c->ring) {
		c = overflow_any();
		if (c)
			post_upcall(c);
		return;
	}
	if (add_locked(c, BP_RING_SLOTS, BP_EV_SERVICE, v->dom->id, v->index) == NO_HEAD)
		smp_store_release(&c->ring->overflow, 1);
	upcall(c);
}
