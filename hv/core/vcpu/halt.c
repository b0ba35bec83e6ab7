// SPDX-License-Identifier: GPL-2.0-only
/* Halt polling; the contract is in halt.h. */
#include "halt.h"

#include "lib/atomic.h"
#include "lib/x86.h"
#include "machine/cpu.h"
#include "machine/irq_window.h"
#include "machine/tsc.h"
#include "run.h"
#include "vcpu.h"

/* Domain 0's vCPU does nothing here; or waits in RUN, and no other thread of Linux's would run. */
static bool dom0_idles(const struct cpu *c, const struct vcpu *v)
{
	const struct vcpu *d0 = c->dom0;

	if (!d0 || READ_ONCE(d0->state) == VCPU_HALTED)
		return true;
	return READ_ONCE(d0->state) == VCPU_INRUN && READ_ONCE(d0->target) == v &&
	       READ_ONCE(v->page->poll_in_run);
}

static bool wanted(const struct cpu *c, const struct vcpu *v)
{
	return READ_ONCE(c->resched) || READ_ONCE(c->rq.nr) || READ_ONCE(v->pause_req) ||
	       READ_ONCE(v->move_to);
}

bool halt_poll(struct vcpu *v)
{
	struct halt_poll *h = &v->halt;
	const struct cpu *c = this_cpu();
	bool work;

	if (!v->page)
		return false;
	h->begun = rdtsc();
	h->max = (u64)min(READ_ONCE(v->page->poll_ns), BP_POLL_MAX_NS) * tsc_khz / 1000000;
	/* A guest that polls before it halts has said so. */
	if (!min(h->ticks, h->max) || !(v->msr.poll_control & 1) || !dom0_idles(c, v))
		return false;
	while (!(work = vcpu_has_work(v)) && !wanted(c, v) &&
	       rdtsc() - h->begun < min(h->ticks, h->max)) {
		pause();
		irq_window();
	}
	return work;
}

void halt_learn(struct halt_poll *h, u64 ticks)
{
	u64 first = tsc_from_us(HALT_POLL_FIRST_NS / 1000);

	h->ticks = min(h->ticks, h->max);
	if (ticks <= h->ticks)
		return;
	if (ticks < h->max)
		h->ticks = min(max(2 * h->ticks, first), h->max);
	else
		h->ticks = h->ticks / 2 < first ? 0 : h->ticks / 2;
}
