// SPDX-License-Identifier: GPL-2.0-only
/*
 * States of a vCPU: wake-up, halt, service stop, RUN and PAUSE.
 * The contract is in run.h, the state diagram in vcpu.h.
 */
#include "lib/atomic.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/x86.h"
#include "machine/cpu.h"
#include "machine/lapic.h"
#include "machine/tsc.h"
#include "memory/domain.h"
#include "ops.h"
#include "run.h"
#include "switch.h"

bool vcpu_has_irq(struct vcpu *v)
{
	return READ_ONCE(v->nmi_pending) || READ_ONCE(v->mce_pending) || vcpu_requests(v) ||
	       vcpu_intr_queued(v) || vlapic_waits(v);
}

/* Where it is not known whether the guest has ended the last one (pv.c), any may be due. */
static bool interrupt_waits(struct vcpu *v)
{
	return vlapic_waits(v) || (v->pv_eoi_armed && READ_ONCE(v->apic.irr_hint));
}

static bool nmi_waits(struct vcpu *v)
{
	u8 shadow, masked;

	if (likely(!READ_ONCE(v->nmi_pending)))
		return false;
	ops->get_block(v, &shadow, &masked);
	return !masked;
}

/* An NMI, or an interrupt that it would take.  In L2 those of L1's may be for neither of them. */
static bool event_ends_halt(struct vcpu *v)
{
	u32 flags = v->nested.flags;
	bool open = v->regs.rflags & X86_EFLAGS_IF;

	if (unlikely(flags & BP_NESTED_HOLD))
		return false;
	if (nmi_waits(v) || (unlikely(v->nested.virq) && open && v->nested.virq > vcpu_cr8(v)))
		return true;
	/* What has been acknowledged is the guest's that runs, whatever becomes of L1's. */
	if (vcpu_intr_queued(v) && (open || ((flags & BP_NESTED_GUEST) && v->intr_again && v->again_now)))
		return true;
	return (open || (flags & BP_NESTED_ANY_IF)) &&
	       (!(flags & BP_NESTED_NO_IRQ) || (flags & BP_NESTED_INTR)) && interrupt_waits(v);
}

bool vcpu_has_work(struct vcpu *v)
{
	u64 reqs = vcpu_requests(v);

	switch (v->mp_state) {
	case KVM_MP_STATE_UNINITIALIZED:
		return reqs & VCPU_REQ_INIT;
	case KVM_MP_STATE_INIT_RECEIVED:
		return reqs & (VCPU_REQ_INIT | VCPU_REQ_SIPI);
	case KVM_MP_STATE_HALTED:
		return reqs || v->inject.type != EVENT_NONE || v->shutdown_sticky ||
		       READ_ONCE(v->mce_pending) || READ_ONCE(v->pv_unhalted) || event_ends_halt(v);
	default:
		return true;
	}
}

/* v->lock held; v was HALTED or INRUN: let it run where it was. */
static void make_runnable(struct vcpu *v)
{
	v->state = VCPU_RUNNABLE;
	if (v->mp_state == KVM_MP_STATE_HALTED) {
		v->mp_state = KVM_MP_STATE_RUNNABLE;
		halt_learn(&v->halt, rdtsc() - v->halt.begun);
	}
	v->pv_unhalted = false;
	sched_enqueue(v->home, v, false);
}

/* d0->lock held, d0 INRUN: RUN ends with `result`. */
static void end_run(struct vcpu *d0, s64 result)
{
	d0->target = NULL;
	d0->regs.gpr[RAX] = result;
	make_runnable(d0);
}

static void wake(struct vcpu *v, u8 ipi)
{
	struct cpu *c = this_cpu();

	if (c->current == v)
		return;
	spin_lock(&v->lock);
	switch (v->state) {
	case VCPU_HALTED:
		if (vcpu_has_work(v))
			make_runnable(v);
		break;
	case VCPU_INRUN:
		if (vcpu_has_irq(v))
			end_run(v, BP_EXIT_INTR);
		break;
	case VCPU_RUNNING:
		if (v->home != c)
			lapic_send_ipi(v->home->apic_id, ipi);
		break;
	default:
		break;
	}
	spin_unlock(&v->lock);
}

void vcpu_kick(struct vcpu *v)
{
	wake(v, VECTOR_KICK);
}

/*
 * The CPU takes what was posted while it stays in the guest; or, if it has left
 * it meanwhile, the next entry does.
 */
void vcpu_notify(struct vcpu *v)
{
	const struct vlapic_post *p = v->apic.post;

	wake(v, p && p->notify && !READ_ONCE(p->late_any) ? VECTOR_POSTED : VECTOR_KICK);
}

void vcpu_interrupt_run(struct vcpu *d0)
{
	spin_lock(&d0->lock);
	if (d0->state == VCPU_INRUN)
		end_run(d0, BP_EXIT_INTR);
	spin_unlock(&d0->lock);
}

/* Domain 0's vCPU that waits in RUN for v, locked; or NULL.  v->lock held. */
static struct vcpu *lock_donor(struct vcpu *v)
{
	struct vcpu *d0 = v->donor;

	v->donor = NULL;
	if (!d0)
		return NULL;
	spin_lock(&d0->lock);
	if (d0->state == VCPU_INRUN && d0->target == v)
		return d0;
	spin_unlock(&d0->lock);
	return NULL;
}

/* v->lock and, if it is one, d0->lock held: v stops.  True: d0, who waits in RUN, has the CPU. */
static bool stop_for(struct cpu *c, struct vcpu *v, struct vcpu *d0)
{
	if (d0 && d0->home == c && sched_hand_over(c, v, d0))
		return true;
	sched_stop(c, v);
	return false;
}

/* d0->lock held.  RUN is over.  @has_cpu: go straight back, without the queue. */
static void return_to_donor(struct cpu *c, struct vcpu *d0, s64 result, bool has_cpu)
{
	if (!has_cpu) {
		end_run(d0, result);
		spin_unlock(&d0->lock);
		return;
	}
	d0->target = NULL;
	d0->regs.gpr[RAX] = result;
	d0->state = VCPU_RUNNING;
	spin_unlock(&d0->lock);
	cpu_switch_in(c, d0);
}

static void publish(struct vcpu *v, u8 exit)
{
	struct bp_vcpu_page *p = v->page;

	p->exit = exit;
	p->if_flag = !!(v->regs.rflags & X86_EFLAGS_IF);
	p->ready_for_irq = p->if_flag && v->inject.type == EVENT_NONE && !vcpu_intr_queued(v);
	p->mp_state = v->mp_state;
	p->cr8 = vlapic_get_cr8(v);
	p->apic_base = v->apic.base;
	vcpu_get_regs(v, &p->regs);
}

void vcpu_service(struct vcpu *v, u8 exit)
{
	struct cpu *c = this_cpu();
	struct vcpu *d0;
	bool back;

	v->service_exits++;
	cpu_switch_out(c);
	publish(v, exit);
	spin_lock(&v->lock);
	d0 = lock_donor(v);
	back = stop_for(c, v, d0);
	v->state = VCPU_STOPPED;
	v->pause_req = false;
	v->move_to = NULL;
	/* A machine check is for the CPU that had it, and for nobody later. */
	if (exit == BP_EXIT_MCE && (!d0 || d0 != c->dom0)) {
		WRITE_ONCE(c->dom0->mce_pending, true);
		exit = BP_EXIT_PAUSED;
	}
	if (!d0) {
		if (exit != BP_EXIT_PAUSED)
			v->exit_pending = exit;
		if (v->waiter) {
			v->waiter = false;
			ring_post_service(v);
		}
		spin_unlock(&v->lock);
		return;
	}
	v->waiter = false;
	spin_unlock(&v->lock);
	return_to_donor(c, d0, exit, back);
}

void vcpu_block(struct vcpu *v)
{
	struct cpu *c = this_cpu();
	struct vcpu *d0 = NULL;
	bool back;

	cpu_switch_out(c);
	spin_lock(&v->lock);
	if (vcpu_has_work(v)) {
		sched_stop(c, v);
		v->home = c;
		make_runnable(v);
		spin_unlock(&v->lock);
		return;
	}
	if (v->page) {
		d0 = lock_donor(v);
		if (d0) {
			v->waiter = true;
			v->page->mp_state = v->mp_state;
		}
	}
	back = stop_for(c, v, d0);
	v->state = VCPU_HALTED;
	spin_unlock(&v->lock);
	if (d0)
		return_to_donor(c, d0, BP_EXIT_BLOCKED, back);
}

int vcpu_claim(struct vcpu *v)
{
	int ret = 0;

	spin_lock(&v->lock);
	if (v->state == VCPU_STOPPED)
		v->state = VCPU_CLAIMED;
	else
		ret = -EBUSY;
	spin_unlock(&v->lock);
	return ret;
}

void vcpu_unclaim(struct vcpu *v)
{
	spin_lock(&v->lock);
	v->state = VCPU_STOPPED;
	spin_unlock(&v->lock);
}

/* What PAUSE cannot undo by starting the instruction anew. */
static bool is_sticky(const struct vcpu *v)
{
	return v->exit_pending == BP_EXIT_IOAPIC_EOI || v->exit_pending == BP_EXIT_SHUTDOWN ||
	       (v->exit_pending == BP_EXIT_DEBUG && v->debug_trap) ||
	       (v->exit_pending == BP_EXIT_NESTED && v->exit.reason == VM_EXIT_EXCEPTION &&
		v->exit.exc.vector == X86_TRAP_DB);
}

/*
 * v->lock held, and released while its CPU takes it off.  It ends: as long as
 * somebody waits here RUN is refused, so what left RUNNING comes back only by
 * preemption or an interrupt, and is stopped before it is entered.
 */
static void wait_until_off(struct vcpu *v)
{
	v->pausers++;
	while (v->state == VCPU_RUNNING) {
		v->pause_req = true;
		lapic_send_ipi(v->home->apic_id, VECTOR_KICK);
		spin_unlock(&v->lock);
		while (READ_ONCE(v->state) == VCPU_RUNNING &&
		       READ_ONCE(v->pause_req))
			pause();
		spin_lock(&v->lock);
	}
	v->pausers--;
}

s64 vcpu_pause(struct vcpu *v)
{
	struct vcpu *d0;

	spin_lock(&v->lock);
	wait_until_off(v);
	switch (v->state) {
	case VCPU_RUNNABLE:
		sched_dequeue(v);
		v->state = VCPU_STOPPED;
		break;
	case VCPU_HALTED:
		v->state = VCPU_STOPPED;
		break;
	case VCPU_STOPPED:
		break;
	default:
		spin_unlock(&v->lock);
		return -EBUSY;
	}
	if (!is_sticky(v))
		v->exit_pending = 0;
	v->waiter = false;
	v->pause_req = false;
	v->msr_go = false;
	publish(v, BP_EXIT_PAUSED);
	d0 = lock_donor(v);
	spin_unlock(&v->lock);
	if (d0) {
		end_run(d0, BP_EXIT_PAUSED);
		spin_unlock(&d0->lock);
	}
	return 0;
}

/* What the shim wants done before the entry.  v CLAIMED or locked STOPPED. */
static void take_run_flags(struct vcpu *v)
{
	struct bp_vcpu_page *p = v->page;
	u32 flags = READ_ONCE(p->run_flags);

	if (!(flags & ~BP_RUN_WANT_SREGS))
		return;
	p->run_flags = flags & BP_RUN_WANT_SREGS;
	if (flags & BP_RUN_SET_REGS)
		vcpu_set_regs(v, &p->regs);
	if (flags & BP_RUN_INSN_DONE)
		vcpu_insn_done(v);
	if (flags & BP_RUN_STOLEN) {
		v->stolen_ns += READ_ONCE(p->stolen_ns);
		v->pv_dirty = true;
	}
	v->msr_go = flags & BP_RUN_MSR;
	if (flags & BP_RUN_INJECT) {
		v->extint_vector = READ_ONCE(p->inject_vector);
		v->extint_queued = true;
	}
	if (flags & BP_RUN_EXCEPTION) {
		u8 vector = READ_ONCE(p->exc_vector) & 31;

		if (vector == 14)
			v->regs.cr2 = READ_ONCE(p->exc_cr2);
		vcpu_exception(v, vector, READ_ONCE(p->exc_has_error),
			       READ_ONCE(p->exc_error));
	}
}

/* v->lock held, v STOPPED: report an exit that nobody has seen yet. */
static u8 take_pending_exit(struct vcpu *v)
{
	u8 exit = v->exit_pending;

	v->exit_pending = 0;
	return exit;
}

/* Both locks held, d0 has left the competition: it waits for v from now on. */
static void begin_run(struct vcpu *d0, struct vcpu *v)
{
	d0->sched.donating = true;
	d0->state = VCPU_INRUN;
	d0->target = v;
	v->donor = d0;
	v->waiter = false;
	/* What was posted while d0 counted as RUNNING must not be lost. */
	if (vcpu_has_irq(d0))
		end_run(d0, BP_EXIT_INTR);
}

/* v->lock held, v STOPPED: it goes on right here, or joins the queue. */
static s64 run_stopped(struct cpu *c, struct vcpu *d0, struct vcpu *v)
{
	bool direct;

	take_run_flags(v);
	cpu_switch_out(c);
	spin_lock(&d0->lock);
	direct = sched_hand_over(c, d0, v);
	if (direct) {
		v->state = VCPU_RUNNING;
	} else {
		sched_stop(c, d0);
		v->state = VCPU_RUNNABLE;
		sched_enqueue(c, v, false);
	}
	begin_run(d0, v);
	spin_unlock(&d0->lock);
	spin_unlock(&v->lock);
	if (direct)
		cpu_switch_in(c, v);
	return RUN_SWITCHED;
}

/*
 * v->lock held, v waits: an interrupt of domain 0 took the CPU.  That is lost for the
 * guest as far as its thread had to wait, too; Linux's handler counts as the
 * guest's own, as it does under KVM.
 */
static void count_wait(struct vcpu *v)
{
	struct bp_vcpu_page *p = v->page;
	u32 flags = READ_ONCE(p->run_flags);
	u64 now = rdtsc(), lost = 0;

	if (flags & BP_RUN_STOLEN) {
		p->run_flags = flags & ~BP_RUN_STOLEN;
		lost = READ_ONCE(p->stolen_ns) * tsc_khz / 1000000;
	}
	if (v->runnable_since && now - v->runnable_since > lost)
		v->runnable_since = now - lost;
}

/* v->lock held, v runs or waits detached: join it. */
static s64 run_detached(struct cpu *c, struct vcpu *d0, struct vcpu *v)
{
	cpu_switch_out(c);
	spin_lock(&d0->lock);
	sched_stop(c, d0);
	begin_run(d0, v);
	spin_unlock(&d0->lock);
	if (v->state == VCPU_RUNNABLE)
		count_wait(v);
	if (v->state == VCPU_RUNNABLE && v->home != c) {
		sched_dequeue(v);
		sched_enqueue(c, v, false);
	} else if (v->state == VCPU_RUNNING && v->home != c) {
		WRITE_ONCE(v->move_to, c);
		lapic_send_ipi(v->home->apic_id, VECTOR_KICK);
	}
	spin_unlock(&v->lock);
	return RUN_SWITCHED;
}

s64 vcpu_run(struct vcpu *d0, struct vcpu *v)
{
	struct cpu *c = this_cpu();
	s64 ret;

	if (vcpu_has_irq(d0))
		return BP_EXIT_INTR;
	spin_lock(&v->lock);
	if (v->pausers || (v->donor && READ_ONCE(v->donor->target) == v)) {
		spin_unlock(&v->lock);
		return -EBUSY;
	}
	switch (v->state) {
	case VCPU_STOPPED:
		ret = take_pending_exit(v);
		if (!ret)
			return run_stopped(c, d0, v);
		break;
	case VCPU_CLAIMED:
	case VCPU_DEAD:
		ret = -EBUSY;
		break;
	case VCPU_HALTED:
		v->waiter = true;
		v->page->mp_state = v->mp_state;
		ret = BP_EXIT_BLOCKED;
		break;
	default:
		return run_detached(c, d0, v);
	}
	spin_unlock(&v->lock);
	return ret;
}
