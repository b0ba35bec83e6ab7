// SPDX-License-Identifier: GPL-2.0-only
/*
 * BP_EXIT_TASK_SWITCH: state to and from the emulator, which makes the switch
 * (emul/task.c).  Only Intel's CPUs leave task switches to software.
 */
#include <linux/slab.h>

#include "emul/emul.h"
#include "run.h"
#include "state.h"

/* The exit's numbers are the emulator's. */
static_assert(EMUL_TASK_CALL == 0 && EMUL_TASK_IRET == 1 && EMUL_TASK_JMP == 2 &&
	      EMUL_TASK_GATE == 3 && EMUL_TASK_INTERRUPT == 1 && EMUL_TASK_NMI == 2 &&
	      EMUL_TASK_EXCEPTION == 3);

static long get_state(struct bp_vcpu *vcpu, struct emul_task *task)
{
	const struct kvm_debugregs *dr = vcpu->state;
	long ret;

	ret = bp_state_get(vcpu, BP_STATE_EVENTS, sizeof(task->events));
	if (ret < 0)
		return ret;
	memcpy(&task->events, vcpu->state, sizeof(task->events));
	ret = bp_state_get(vcpu, BP_STATE_DEBUGREGS, sizeof(*dr));
	if (ret < 0)
		return ret;
	task->dr6 = dr->dr6;
	task->dr7 = dr->dr7;
	ret = bp_state_get(vcpu, BP_STATE_SREGS, sizeof(task->sregs));
	if (ret >= 0)
		memcpy(&task->sregs, vcpu->state, sizeof(task->sregs));
	return ret;
}

static long set_events(struct bp_vcpu *vcpu, const struct emul_task *task)
{
	memcpy(vcpu->state, &task->events, sizeof(task->events));
	return bp_state_set(vcpu, BP_STATE_EVENTS, sizeof(task->events));
}

/* The general registers go with the next RUN. */
static long set_state(struct bp_vcpu *vcpu, struct emul_task *task)
{
	struct kvm_debugregs *dr = vcpu->state;
	long ret;

	/* What waits to be injected is ->events'. */
	memset(task->sregs.interrupt_bitmap, 0, sizeof(task->sregs.interrupt_bitmap));
	memcpy(vcpu->state, &task->sregs, sizeof(task->sregs));
	ret = bp_state_set(vcpu, BP_STATE_SREGS, sizeof(task->sregs));
	if (ret < 0)
		return ret;
	ret = bp_state_get(vcpu, BP_STATE_DEBUGREGS, sizeof(*dr));
	if (ret < 0)
		return ret;
	dr->dr6 = task->dr6;
	dr->dr7 = task->dr7;
	ret = bp_state_set(vcpu, BP_STATE_DEBUGREGS, sizeof(*dr));
	return ret < 0 ? ret : set_events(vcpu, task);
}

/* What KVM_RUN reports beside the exit goes with the new registers. */
static void store_flags(struct bp_vcpu *vcpu, const struct emul_task *task)
{
	struct bp_vcpu_page *page = vcpu->page;

	page->if_flag = !!(page->regs.rflags & X86_EFLAGS_IF);
	page->ready_for_irq = page->if_flag && !task->raise &&
			      !task->events.interrupt.injected;
}

static void raise(struct bp_vcpu *vcpu)
{
	const struct emul_fault *f = &vcpu->emul->fault;

	bp_queue_exception(vcpu, f->vector, f->has_error, f->error_code, f->cr2);
}

/* No CPU refuses registers that it runs with; with memory changed there is no way back. */
static int finish(struct bp_vcpu *vcpu, struct emul_task *task)
{
	if (set_state(vcpu, task) < 0) {
		vcpu->run->exit_reason = KVM_EXIT_SHUTDOWN;
		return 0;
	}
	emul_store_regs(vcpu->emul, &vcpu->page->regs);
	vcpu->page->run_flags |= BP_RUN_SET_REGS;
	store_flags(vcpu, task);
	if (task->raise)
		raise(vcpu);
	return 1;
}

/* The guest's memory is not what the switch needs; nothing has changed. */
static int no_switch(struct bp_vcpu *vcpu)
{
	const struct bp_exit_task *exit = &vcpu->page->task;
	struct kvm_run *run = vcpu->run;
	u64 vector = exit->vector;

	if (exit->event != EMUL_TASK_NO_EVENT)
		return bp_internal_error(vcpu, KVM_INTERNAL_ERROR_DELIVERY_EV, &vector, 1);
	run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	run->internal.suberror = KVM_INTERNAL_ERROR_EMULATION;
	run->internal.ndata = 0;
	return 0;
}

static int switch_task(struct bp_vcpu *vcpu, struct emul_task *task)
{
	const struct bp_exit_task *exit = &vcpu->page->task;
	int ret;

	task->selector = exit->selector;
	task->source = exit->source;
	task->event = exit->event;
	task->insn_len = exit->insn_len;
	ret = get_state(vcpu, task);
	if (ret >= 0)
		ret = bp_emulate_begin(vcpu, &task->sregs);
	if (ret < 0)
		return ret;
	vcpu->emul->pdptes_known = exit->pdptes_known;
	memcpy(vcpu->emul->pdpte, exit->pdpte, sizeof(exit->pdpte));
	ret = emul_task_switch(vcpu->emul, task);
	vcpu->emul->pdptes_known = false;
	switch (ret) {
	case EMUL_DONE:
		return finish(vcpu, task);
	case EMUL_AGAIN:
		return 1;
	case EMUL_FAULT:
		ret = set_events(vcpu, task);
		raise(vcpu);
		return ret < 0 ? ret : 1;
	case EMUL_UNHANDLED:
		return no_switch(vcpu);
	default:
		return ret == -EIO ? -EFAULT : ret;
	}
}

int bp_exit_task_switch(struct bp_vcpu *vcpu)
{
	struct emul_task *task = kzalloc(sizeof(*task), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!task)
		return -ENOMEM;
	ret = switch_task(vcpu, task);
	kfree(task);
	return ret;
}
