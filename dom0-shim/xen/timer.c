// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU's one-shot timer, which is an event, and the halt of a guest that polls for events.
 * Linux's timers say when; the vCPU's thread does it.
 */
#include "running/state.h"
#include "xen.h"

static enum hrtimer_restart timer_expired(struct hrtimer *timer)
{
	bp_xen_work(container_of(timer, struct bp_xen_vcpu, timer)->vcpu, XEN_WORK_TIMER);
	return HRTIMER_NORESTART;
}

static enum hrtimer_restart poll_expired(struct hrtimer *timer)
{
	bp_xen_work(container_of(timer, struct bp_xen_vcpu, poll_timer)->vcpu, XEN_WORK_POLL);
	return HRTIMER_NORESTART;
}

void bp_xen_timers_init(struct bp_xen_vcpu *x)
{
	hrtimer_setup(&x->timer, timer_expired, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
	hrtimer_setup(&x->poll_timer, poll_expired, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
}

void bp_xen_vcpu_stop(struct bp_vcpu *vcpu)
{
	hrtimer_cancel(&vcpu->xen->timer);
	hrtimer_cancel(&vcpu->xen->poll_timer);
}

static void start(struct hrtimer *timer, u64 ns)
{
	ns = min_t(u64, ns, KTIME_MAX / 2);
	hrtimer_start(timer, ktime_add_ns(ktime_get(), ns), HRTIMER_MODE_ABS);
}

/* ---- the timer ---- */

void bp_xen_timer_stop(struct bp_vcpu *vcpu)
{
	hrtimer_cancel(&vcpu->xen->timer);
	clear_bit(XEN_WORK_TIMER, &vcpu->xen_work);
	vcpu->xen->timer_at = 0;
}

void bp_xen_timer_set(struct bp_vcpu *vcpu, u64 at, s64 left)
{
	bp_xen_timer_stop(vcpu);
	vcpu->xen->timer_at = at;
	if (left > 0)
		start(&vcpu->xen->timer, left);
	else
		set_bit(XEN_WORK_TIMER, &vcpu->xen_work);
}

int bp_xen_timer_fire(struct bp_vcpu *vcpu, enum bp_wait wait)
{
	int ret = bp_xen_deliver(vcpu, vcpu->xen->timer_port, wait);

	if (ret == -EINTR)
		return ret;
	vcpu->xen->timer_at = 0;
	return 0;
}

/* It is armed, or its event is in memory, and nothing between. */
void bp_xen_timer_get(struct bp_vcpu *vcpu, struct kvm_xen_vcpu_attr *attr)
{
	struct bp_xen_vcpu *x = vcpu->xen;

	hrtimer_cancel(&x->timer);
	if (test_and_clear_bit(XEN_WORK_TIMER, &vcpu->xen_work))
		bp_xen_timer_fire(vcpu, BP_WAIT);
	attr->u.timer.port = x->timer_port;
	attr->u.timer.priority = KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL;
	attr->u.timer.expires_ns = x->timer_at;
	if (x->timer_at)
		hrtimer_start_expires(&x->timer, HRTIMER_MODE_ABS);
}

/* ---- polling: the vCPU halts behind its hypercall, and goes on for interrupts ---- */

static void set_mp_state(struct bp_vcpu *vcpu, u32 state)
{
	struct kvm_mp_state *mp = vcpu->state;

	mp->mp_state = state;
	bp_state_set(vcpu, BP_STATE_MP_STATE, sizeof(*mp));
}

void bp_xen_poll_start(struct bp_vcpu *vcpu, u64 ns)
{
	vcpu->xen->poll_rip = vcpu->page->regs.rip;
	if (ns)
		start(&vcpu->xen->poll_timer, ns);
	set_mp_state(vcpu, KVM_MP_STATE_HALTED);
}

void bp_xen_poll_end(struct bp_vcpu *vcpu)
{
	const struct kvm_mp_state *mp = vcpu->state;
	struct bp_xen_vcpu *x = vcpu->xen;

	if (!x->poll)
		return;
	WRITE_ONCE(x->poll, 0);
	hrtimer_cancel(&x->poll_timer);
	clear_bit(XEN_WORK_POLL, &vcpu->xen_work);
	/* Not if an interrupt has ended it, and the guest has halted since. */
	if (vcpu->page->regs.rip == x->poll_rip &&
	    bp_state_get(vcpu, BP_STATE_MP_STATE, sizeof(*mp)) >= 0 &&
	    mp->mp_state == KVM_MP_STATE_HALTED)
		set_mp_state(vcpu, KVM_MP_STATE_RUNNABLE);
}
