// SPDX-License-Identifier: GPL-2.0-only
/* Halt polling; the contract is in halt_poll.h. */
#include <linux/sched.h>
#include <linux/sched/stat.h>

#include "halt_poll.h"

unsigned int bp_halt_poll_ns = 200000;

void bp_halt_poll_offer(struct bp_vcpu *vcpu)
{
	s64 own = READ_ONCE(vcpu->vm->halt_poll_max);
	u32 ns = own >= 0 ? own : READ_ONCE(bp_halt_poll_ns);

	WRITE_ONCE(vcpu->page->poll_ns, ns);
	/* Bedplate sees that nobody waits for the CPU only if Linux itself is idle there. */
	WRITE_ONCE(vcpu->page->poll_in_run, ns && single_task_running());
}
