// SPDX-License-Identifier: GPL-2.0-only
/* VCPU_COUNTERS: what a vCPU has done, and where its time went. */
#include "hv/core/lib/string.h"
#include "hv/core/machine/cpu.h"
#include "hv/core/machine/tsc.h"
#include "hv/core/vcpu/vcpu.h"
#include "server.h"

static_assert(VM_EXIT_REASONS <= BP_EXIT_COUNTERS, "room for each reason");

static const u8 is[] = {
	[VCPU_STOPPED] = BP_VCPU_STOPPED,
	[VCPU_CLAIMED] = BP_VCPU_STOPPED,
	[VCPU_RUNNABLE] = BP_VCPU_RUNNABLE,
	[VCPU_RUNNING] = BP_VCPU_RUNNING,
	[VCPU_HALTED] = BP_VCPU_HALTED,
	[VCPU_INRUN] = BP_VCPU_INRUN,
	[VCPU_DEAD] = BP_VCPU_STOPPED,
};

void vcpu_counters(const struct vcpu *v, struct bp_vcpu_counters *buf)
{
	struct bp_vcpu_counters c;
	const struct cpu *home = READ_ONCE(v->home);

	memset(&c, 0, sizeof(c));
	c.run_ns = tsc_to_ns(v->sched.runtime);
	c.wait_ns = tsc_to_ns(v->steal_tsc);
	c.stolen_ns = v->stolen_ns;
	c.cpu = home ? home->index : 0;
	c.weight = v->sched.weight;
	c.state = is[READ_ONCE(v->state)];
	c.nr_exits = VM_EXIT_REASONS;
	memcpy(c.exits, v->exits, sizeof(v->exits));
	memcpy(buf, &c, sizeof(c));
}
