// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest's bus locks: atomic accesses over the end of a cache line or to uncached memory, during
 * which no CPU of the machine gets at memory.  Where the CPU can tell, a VM has one a millisecond.
 */
#include <linux/hrtimer.h>
#include <linux/sched.h>

#include "run.h"

/* When it may go on; the next one of the VM's is later. */
static ktime_t take_turn(struct bp_vm *vm)
{
	s64 now = ktime_get_ns(), next = atomic64_read(&vm->lock_turn), turn;

	do
		turn = max(now, next);
	while (!atomic64_try_cmpxchg(&vm->lock_turn, &next, turn + NSEC_PER_MSEC));
	return ns_to_ktime(turn);
}

int bp_exit_bus_lock(struct bp_vcpu *vcpu)
{
	ktime_t turn = take_turn(vcpu->vm);

	set_current_state(TASK_INTERRUPTIBLE);
	schedule_hrtimeout(&turn, HRTIMER_MODE_ABS);
	return 1;
}
