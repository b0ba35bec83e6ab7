// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hardware task switches that exit: a guest's are made by the shim, which has all
 * that it takes; the service VM's are none of a CPU in long mode.
 */
#include "exit_task.h"

#include "compat/kvm-abi/channel.h"
#include "lib/string.h"
#include "memory/domain.h"
#include "vcpu/ops.h"
#include "vcpu/run.h"

static_assert(TASK_CALL == 0 && TASK_IRET == 1 && TASK_JMP == 2 && TASK_GATE == 3 &&
	      EVENT_NONE == 0 && EVENT_INTR == 1 && EVENT_NMI == 2 && EVENT_EXC == 3,
	      "as struct bp_exit_task");

/* The event stays in v->inject: a plain RUN begins anew. */
static void to_shim(struct vcpu *v, const struct vcpu_event *event)
{
	struct bp_exit_task *x = &v->page->task;
	struct vcpu_paging p;

	ops->get_paging(v, &p);
	memset(x, 0, sizeof(*x));
	x->selector = v->exit.task.selector;
	x->source = v->exit.task.source;
	x->insn_len = v->exit.insn_len;
	if (event) {
		x->event = event->type;
		x->vector = event->vector;
	}
	if (p.pdptes) {
		x->pdptes_known = 1;
		memcpy(x->pdpte, p.pdpte, sizeof(x->pdpte));
	}
	vcpu_service(v, BP_EXIT_TASK_SWITCH);
}

void exit_task_switch(struct vcpu *v)
{
	const struct exit_task *task = &v->exit.task;
	bool event = task->source == TASK_GATE && v->inject.type != EVENT_NONE;

	if (domain_is_dom0(v->dom))
		vcpu_exception(v, X86_TRAP_GP, true, (task->selector & ~3u) | event);
	else
		to_shim(v, event ? &v->inject : NULL);
}
