// SPDX-License-Identifier: GPL-2.0-only
/* The run loop of a physical CPU; the contract is in run.h. */
#include "vcpu/run.h"
#include "apic/irq.h"
#include "apic/vlapic.h"
#include "exit_msr.h"
#include "guest/pv.h"
#include "lib/atomic.h"
#include "lib/x86.h"
#include "loop.h"
#include "machine/cpu.h"
#include "machine/debug/debug.h"
#include "machine/idle.h"
#include "machine/irq_window.h"
#include "machine/lapic.h"
#include "memory/domain.h"
#include "memory/mmu.h"
#include "nested.h"
#include "vcpu/ops.h"
#include "vcpu/speculation.h"
#include "vcpu/switch.h"

/* An interrupt that only the TPR holds back: learn when the TPR falls. */
static void tpr_watch(struct vcpu *v)
{
	const struct vlapic_post *p = v->apic.post;
	bool ours = p ? p->off : READ_ONCE(v->apic.irr_hint);
	u8 cls = ours ? vlapic_tpr_blocked(v) : 0;

	if (cls != v->tpr_watch) {
		v->tpr_watch = cls;
		ops->tpr_threshold(v, cls);
	}
}

/* The vector that is ours to inject; -1: none, or the CPU delivers by itself. */
static int due(struct vcpu *v)
{
	if (nested_no_irq(v) || (v->apic.post && !v->apic.post->off))
		return -1;
	return vlapic_pending(v);
}

/*
 * Choose the event for this entry.  NMI before interrupts (SDM vol. 3, 6.9);
 * an event whose delivery was cut short goes first of all.
 */
static void inject_pending(struct vcpu *v)
{
	int vector;

	if (unlikely(READ_ONCE(v->nmi_pending))) {
		if (!(v->nested.flags & BP_NESTED_NMI) && ops->can_inject(v, EVENT_NMI)) {
			v->nmi_pending = false;
			v->inject = (struct vcpu_event){ .type = EVENT_NMI, .vector = 2 };
		} else {
			ops->window(v, EVENT_NMI, true);
		}
	}
	if (unlikely(v->pv_eoi_armed))
		pv_eoi_sync(v);
	vector = due(v);
	if (vector < 0 && !vcpu_intr_queued(v)) {
		tpr_watch(v);
		return;
	}
	/* What L1 injects waits for nothing. */
	if (v->inject.type != EVENT_NONE ||
	    (!(v->intr_again && v->again_now && (v->nested.flags & BP_NESTED_GUEST)) &&
	     !ops->can_inject(v, EVENT_INTR))) {
		ops->window(v, EVENT_INTR, true);
		return;
	}
	if (v->intr_again) {
		v->intr_again = false;
		vector = v->again_vector;
	} else if (v->extint_queued) {
		v->extint_queued = false;
		vector = v->extint_vector;
	} else {
		pv_eoi_prepare(v, vector);
		vlapic_ack(v, vector);
	}
	v->inject = (struct vcpu_event){ .type = EVENT_INTR, .vector = vector };
	if (due(v) >= 0 || v->extint_queued || READ_ONCE(v->extint))
		ops->window(v, EVENT_INTR, true);
}

/* The PIC's INTR: the shim has to acknowledge it.  True: v stopped for that. */
static bool extint_service(struct vcpu *v)
{
	if (likely(!READ_ONCE(v->extint)) || v->extint_queued)
		return false;
	if (nested_no_irq(v) || !vlapic_accepts_extint(v))
		return false;
	if (!ops->can_inject(v, EVENT_INTR)) {
		ops->window(v, EVENT_INTR, true);
		return false;
	}
	vcpu_service(v, BP_EXIT_EXTINT);
	return true;
}

/* True: v has stopped, for the shim to take an SMI.  It does not interrupt another. */
static bool smi_service(struct vcpu *v)
{
	if (!(vcpu_requests(v) & VCPU_REQ_SMI) || (v->nested.flags & BP_NESTED_SMI))
		return false;
	vcpu_service(v, BP_EXIT_SMI);
	return true;
}

/* Another CPU asked for a pause or a move.  True: v does not run here any more. */
static bool obey_requests(struct cpu *c, struct vcpu *v)
{
	struct cpu *to = READ_ONCE(v->move_to);

	if (likely(!READ_ONCE(v->pause_req) && !to))
		return false;
	if (v->pause_req) {
		vcpu_service(v, BP_EXIT_PAUSED);
		return true;
	}
	v->move_to = NULL;
	if (to == c)
		return false;
	cpu_switch_out(c);
	spin_lock(&v->lock);
	sched_stop(c, v);
	v->state = VCPU_RUNNABLE;
	sched_enqueue(to, v, false);
	spin_unlock(&v->lock);
	return true;
}

/* The single step behind an instruction that was done for a guest being debugged. */
static bool step_service(struct vcpu *v)
{
	u32 dr6 = v->inject.dr6;

	if (v->inject.type != EVENT_EXC)
		return false;
	v->inject = (struct vcpu_event){ .type = EVENT_NONE };
	return vcpu_debug_service(v, X86_TRAP_DB, dr6);
}

/*
 * Nothing to do, nothing to inject, no vector to wait for: as it is before most entries.
 * True only if all of prepare_entry() would change nothing.
 */
static bool nothing_due(const struct vcpu *v)
{
	const struct vlapic_post *p = v->apic.post;
	u64 any = READ_ONCE(v->todo[0]) | READ_ONCE(v->todo[1]) | READ_ONCE(v->todo[2]) |
		  READ_ONCE(v->todo[3]);

	any |= v->inject.type | v->tpr_watch | v->nested.virq |
	       (v->nested.flags & ~BP_NESTED_ON) | (v->rules.flags & BP_RULE_NO_IRQ);
	if (any)
		return false;
	return p ? !p->off : !READ_ONCE(v->apic.irr_hint);
}

/* Everything before an entry.  False: v is not to be entered now. */
static bool prepare_entry(struct cpu *c, struct vcpu *v)
{
	if (likely(nothing_due(v)))
		return true;
	if (unlikely(v->msr_go) && !exit_msr_go(v))
		return false;
	if (unlikely(READ_ONCE(v->requests)))
		vcpu_take_init_sipi(v);
	if (unlikely(READ_ONCE(v->mce_pending))) {
		v->mce_pending = false;
		vcpu_exception(v, X86_TRAP_MC, false, 0);
	}
	/* Before all that stops v, for then others may look at its events. */
	if (unlikely(v->inject.step) && (v->rules.flags & BP_RULE_DEBUG) && step_service(v))
		return false;
	if (unlikely(obey_requests(c, v)))
		return false;
	if (unlikely(v->mp_state != KVM_MP_STATE_RUNNABLE)) {
		vcpu_block(v);
		return false;
	}
	if (unlikely(v->eoi_exit)) {
		v->page->eoi.vector = v->eoi_exit & 0xff;
		v->eoi_exit = 0;
		vcpu_service(v, BP_EXIT_IOAPIC_EOI);
		return false;
	}
	if (unlikely(v->shutdown_sticky)) {
		if (domain_is_dom0(v->dom))
			dom0_shutdown();
		v->shutdown_sticky = false;
		vcpu_service(v, BP_EXIT_SHUTDOWN);
		return false;
	}
	/* The pages are in the other address space than SMM's. */
	if (unlikely(v->pv_dirty) && !v->space && !pv_update(v))
		return false;
	if (unlikely(v->nested.flags & ~BP_NESTED_ON)) {
		if (nested_stops(v))
			return false;
		if ((v->nested.flags & BP_NESTED_HOLD) && v->inject.type == EVENT_NONE)
			return true;
	}
	if (likely(v->inject.type == EVENT_NONE)) {
		if (unlikely(v->rules.flags & BP_RULE_NO_IRQ))
			return true;
		if (unlikely(READ_ONCE(v->requests)) && smi_service(v))
			return false;
		if (unlikely(extint_service(v)))
			return false;
		inject_pending(v);
		if (unlikely(v->nested.virq) && nested_virq(v))
			return false;
	} else {
		if (unlikely(v->inject.pending))
			vcpu_raise_pending(v);
		if (unlikely(v->pv_eoi_armed))
			pv_eoi_sync(v);
		/* As soon as this event is delivered, the run ends. */
		if (unlikely((vcpu_requests(v) & VCPU_REQ_SMI) ||
			     ((v->nested.flags & BP_NESTED_GUEST) && nested_waits(v))))
			lapic_send_self(VECTOR_KICK);
		if (READ_ONCE(v->nmi_pending))
			ops->window(v, EVENT_NMI, true);
		if (vlapic_has_interrupt(v) || READ_ONCE(v->extint))
			ops->window(v, EVENT_INTR, true);
	}
	return true;
}

/* Give up the current vCPU's registers on this CPU: others may have it now. */
void cpu_switch_out(struct cpu *c)
{
	struct vcpu *v = c->current;

	if (!v)
		return;
	pv_switch_out(v);
	vcpu_save_extra(v);
	ops->put(v);
	spec_switch_out(c, v);
	c->current = NULL;
}

void cpu_switch_in(struct cpu *c, struct vcpu *v)
{
	c->current = v;
	ops->load(v);
	vcpu_load_extra(v);
	spec_switch_in(c, v);
	pv_switch_in(v);
	if (unlikely(v->apic.timer_waits))
		vlapic_timer_resume(v);
}

/* The current vCPU's turn is over: back to the queue with it. */
static void preempt_current(struct cpu *c)
{
	struct vcpu *v = c->current;

	pv_preempted(v);
	cpu_switch_out(c);
	spin_lock(&v->lock);
	sched_stop(c, v);
	v->state = VCPU_RUNNABLE;
	sched_enqueue(c, v, true);
	spin_unlock(&v->lock);
}

static void idle(void)
{
	debug_irqs_on();
	idle_wait();
	debug_irqs_off("idling", 0);
}

static struct vcpu *pick(struct cpu *c)
{
	struct vcpu *v;

	for (;;) {
		WRITE_ONCE(c->resched, false);
		v = sched_take(c);
		if (v) {
			cpu_switch_in(c, v);
			return v;
		}
		if (!READ_ONCE(c->resched) && !READ_ONCE(c->rq.nr))
			idle();
		else
			irq_window();
	}
}

noreturn void run_loop(void)
{
	struct cpu *c = this_cpu();
	struct vcpu *v;

	for (;;) {
		v = c->current;
		if (unlikely(c->resched || (READ_ONCE(c->rq.nr) && !c->slice.cpu))) {
			WRITE_ONCE(c->resched, false);
			if (v && sched_should_yield(c)) {
				preempt_current(c);
				v = NULL;
			}
		}
		if (unlikely(!v))
			v = pick(c);
		if (!prepare_entry(c, v))
			continue;
		if (unlikely(mmu_enter(c, v->dom, &v->tlb)))
			ops->flush(v);
		debug_irqs_on();
		ops->run(v);
		debug_irqs_off(vm_exit_name(v->exit.reason), 0);
		mmu_leave(c);
		vcpu_handle_exit(v);
	}
}
