// SPDX-License-Identifier: GPL-2.0-only
/*
 * The event ring of this CPU's domain 0 vCPU.  Bedplate alone writes head and
 * slots; of what domain 0 writes only tail is read, and a nonsense tail makes
 * the ring look full.
 */
#include "atomic.h"
#include "cpu.h"
#include "domain.h"
#include "run.h"
#include "vcpu.h"

/* Domain 0 must look at its ring: end its RUN, or interrupt it. */
static void upcall(struct cpu *c)
{
	struct vcpu *d0 = c->dom0;

	if (READ_ONCE(d0->state) == VCPU_INRUN) {
		vcpu_interrupt_run(d0);
		return;
	}
	vlapic_set_irr(d0, BP_UPCALL_VECTOR, false);
	vcpu_kick(d0);
}

static bool add(struct cpu *c, u32 type, u32 dom, u32 id)
{
	struct bp_ring *r = c->ring;
	struct bp_event *e;

	if (c->ring_head - READ_ONCE(r->tail) >= BP_RING_SLOTS)
		return false;
	e = &r->slot[c->ring_head % BP_RING_SLOTS];
	e->type = type;
	e->dom = dom;
	e->id = id;
	c->ring_head++;
	smp_store_release(&r->head, c->ring_head);
	return true;
}

bool ring_post(u32 type, u32 dom, u32 id)
{
	struct cpu *c = this_cpu();

	if (!c->ring || !add(c, type, dom, id))
		return false;
	upcall(c);
	return true;
}

void ring_post_service(struct vcpu *v)
{
	struct cpu *c = this_cpu();

	if (!c->ring)
		return;
	if (!add(c, BP_EV_SERVICE, v->dom->id, v->index))
		smp_store_release(&c->ring->overflow, 1);
	upcall(c);
}
