/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The event rings of domain 0's CPUs (struct bp_ring of channel.h): Bedplate writes,
 * the shim reads.  ring_post_service() is in vcpu/run.h.
 */
#ifndef BEDPLATE_RING_H
#define BEDPLATE_RING_H

#include "hv/core/lib/types.h"

struct cpu;
struct vcpu;

/*
 * Give the calling CPU the frame pfn of domain 0 as its event ring, in place of any
 * that it has, with this vector for upcalls; take it back.  Result: the CPU's number;
 * -EINVAL: not domain 0's frame or no vector of an interrupt, nothing has changed.
 */
s64 ring_register(u64 pfn, u64 vector);
void ring_unregister(void);
/*
 * v, which is current, has written to the doorbell id of its domain: an event for the ring that has
 * others of v's yet, else of a CPU of domain 0 that sleeps, else of this one.  Result: which CPU's, for
 * ring_look(), which has to follow; NULL: ring full or none (nothing lost: the caller has its own
 * way then).
 * The domain's lock may be held.
 */
struct cpu *ring_doorbell(struct vcpu *v, u32 id);
/*
 * Exit handlers, after the instruction that made the event is done and skipped; no lock held.
 * Domain 0 looks at c's ring.  If that is this CPU and the thread of v, which is current, waits here,
 * its RUN ends, with BP_EXIT_PAUSED, and goes on right after; else an upcall.  v may have stopped.
 */
void ring_look(struct vcpu *v, struct cpu *c);

#endif
