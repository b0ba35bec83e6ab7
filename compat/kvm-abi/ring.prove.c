// SPDX-License-Identifier: GPL-2.0-only
/*
 * The event ring (ring.c), which the service VM may rewrite at any moment.
 *
 * Proved of one event, from every content of the shared page and every state of ours, with tail,
 * head and overflow rewritten at each look: nothing beside the page is written, the head
 * rises by one for each event that was taken, and only then, and what is written there is our own count.
 * Proved of a reader that keeps to the rules: at most BP_RING_SLOTS events are unread, and an
 * event is never written over one that is.
 *
 * Bounds: one event a step. Indices are any for the first, for the second up to 512 from their
 * wrap on either side.
 * Assumed: the ring's frame is domain 0's (frame_get_shared() saw to it), and c->ring is that frame.
 */
#include "prove.h"

#undef READ_ONCE
#define READ_ONCE(x) ({				\
	rewritten();				\
	(x); })
static void rewritten(void);

#include "ring.c"

// CFLAGS: -include mm_host.h

struct cpu *cpus[MAX_CPUS];
u32 nr_cpus;
u8 *rig_memory;

static struct {
	struct bp_ring r;
	u32 beside;
} shared;
static struct cpu cpu;
static bool hostile;

/* The service VM's turn. */
static void rewritten(void)
{
	if (hostile) {
		shared.r.head = nondet_u32();
		shared.r.tail = nondet_u32();
		shared.r.overflow = nondet_u32();
	}
}

struct cpu *this_cpu(void)
{
	return &cpu;
}

bool vlapic_set_irr(struct vcpu *v __unused, u8 vector __unused, bool level __unused)
{
	return true;
}

void vcpu_kick(struct vcpu *v __unused)
{
}

void vcpu_interrupt_run(struct vcpu *v __unused)
{
}

int frame_get_shared(u64 pfn __unused)
{
	return 0;
}

void frame_put_shared(u64 pfn __unused)
{
}

static void any_ring(void)
{
	cpu.ring = &shared.r;
	cpu.ring_head = nondet_u32();
	shared.r.head = nondet_u32();
	shared.r.tail = nondet_u32();
	shared.beside = 7;
}

// PROVE: ring.hostile prove_hostile --unwind 2
// MUTANT: compat/kvm-abi/ring.c
// - 	e = &r->slot[c->ring_head % BP_RING_SLOTS];
// + 	e = &r->slot[c->ring_head % (BP_RING_SLOTS + 1)];
// MUTANT: compat/kvm-abi/ring.c
// - 	e = &r->slot[c->ring_head % BP_RING_SLOTS];
// + 	e = &r->slot[r->head];
// MUTANT: compat/kvm-abi/ring.c
// - 	c->ring_head++;
// - 	smp_store_release(&r->head, c->ring_head);
// + 	c->ring_head = r->head + 1;
// + 	smp_store_release(&r->head, c->ring_head);
void prove_hostile(void)
{
	u32 head;

	any_ring();
	hostile = true;
	head = cpu.ring_head;
	if (!add(&cpu, BP_RING_SLOTS, BP_EV_SERVICE, 1, 1))
		prove(cpu.ring_head == head);
	else
		prove(cpu.ring_head == head + 1 && shared.r.head == head + 1);
	prove(shared.beside == 7);
}

/* How far from the indices' wrap. */
#define NEAR	512u

// PROVE: ring.honest prove_honest --unwind 2
// MUTANT: compat/kvm-abi/ring.c
// - c->ring_head - tail >= most;
// + c->ring_head - tail > most;
// MUTANT: compat/kvm-abi/ring.c
// - 	return tail > c->ring_head || c->ring_head
// + 	return c->ring_head
void prove_honest(void)
{
	u32 unread = (u32)any_of(0, BP_RING_SLOTS), first, i = nondet_u32(), at;

	any_ring();
	assume(cpu.ring_head < NEAR || cpu.ring_head > -NEAR);
	first = cpu.ring_head - unread;
	shared.r.tail = first;
	/* Some event that waits. */
	assume(i < unread);
	at = (first + i) % BP_RING_SLOTS;
	if (!add(&cpu, BP_RING_SLOTS, BP_EV_SERVICE, 1, 1))
		return;
	prove(cpu.ring_head - shared.r.tail <= BP_RING_SLOTS);
	prove((cpu.ring_head - 1) % BP_RING_SLOTS != at);
}
