// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC timer: one-shot, periodic and TSC-deadline modes
 * (SDM vol. 3, 11.5.4).  The bus clock is 1 GHz unless the VMM says otherwise, as KVM's is.
 */
#include "lib/muldiv.h"
#include "machine/tsc.h"
#include "vlapic_priv.h"

static struct vcpu *timer_vcpu(struct hv_timer *t)
{
	return container_of(t, struct vcpu, apic.timer);
}

static u32 divider(const struct vlapic *a)
{
	u32 d = areg(a, APIC_REG_TIMER_DIV);

	return 1u << ((((d & 3) | ((d >> 1) & 4)) + 1) & 7);
}

#define NS_MAX	(~0ull >> 8)		/* 2 years; in TSC ticks it fits, too */

/* TSC ticks of `count` timer ticks. */
static u64 count_to_tsc(const struct vlapic *a, u32 count)
{
	u64 ticks = (u64)count * divider(a);
	u64 ns = ticks < NS_MAX / a->bus_ns ? ticks * a->bus_ns : NS_MAX;

	return muldiv(ns, tsc_khz, 1000000);
}

static u32 mode(const struct vlapic *a)
{
	return areg(a, APIC_REG_LVT_TIMER) & LVT_TIMER_MODE;
}

/*
 * No period shorter than 200 us, as with KVM: a guest with many vCPUs on one
 * CPU shall not drown it in ticks.
 */
static u64 period(const struct vlapic *a)
{
	return max(a->timer_period, (u64)tsc_khz / 5);
}

/* False: nothing is new, for it is masked, or pending already. */
static bool raise(struct vcpu *v)
{
	u32 lvt = areg(&v->apic, APIC_REG_LVT_TIMER);

	return !(lvt & LVT_MASKED) && vlapic_sw_on(&v->apic) && vlapic_set_irr(v, lvt & 0xff, false);
}

/*
 * Ticks that bring nothing new end while the vCPU has no CPU: those of many vCPUs, armed on
 * one CPU, would leave it no time for anything else.
 */
static bool is_to_wait(struct vcpu *v)
{
	bool off;

	spin_lock(&v->lock);
	off = v->state != VCPU_RUNNING;
	if (off)
		v->apic.timer_waits = v->apic.timer_idle = true;
	spin_unlock(&v->lock);
	return off;
}

/* At the tick that would be next. */
static void tick_again(struct vlapic *a)
{
	u64 now = hv_tsc();

	if (!a->timer_idle)
		return;
	a->timer_idle = false;
	if (now > a->timer_start)
		a->timer_start = now - (now - a->timer_start) % a->timer_period;
	timer_arm(&a->timer, a->timer_start + a->timer_period);
}

void vlapic_timer_resume(struct vcpu *v)
{
	struct vlapic *a = &v->apic;

	if (!a->timer_waits)
		return;
	a->timer_waits = false;
	timer_move(&a->timer);
	tick_again(a);
}

void vlapic_timer_fire(struct hv_timer *t)
{
	struct vcpu *v = timer_vcpu(t);
	struct vlapic *a = &v->apic;
	bool news = raise(v);

	if (mode(a) == LVT_PERIODIC && a->timer_period) {
		u64 now = hv_tsc();

		/* The mode may have changed since the count began. */
		a->timer_start += a->timer_period;
		a->timer_period = period(a);
		/* Ticks that were missed while nobody ran are not repeated. */
		if (a->timer_start + a->timer_period <= now)
			a->timer_start = now;
		if (news || !is_to_wait(v))
			timer_arm(t, a->timer_start + a->timer_period);
	} else {
		a->tsc_deadline = 0;
	}
	vcpu_notify(v);
}

void vlapic_timer_stop(struct vcpu *v)
{
	timer_cancel(&v->apic.timer);
	v->apic.timer_idle = false;
	v->apic.timer_period = 0;
	v->apic.tsc_deadline = 0;
}

void vlapic_timer_start(struct vcpu *v, u32 count)
{
	struct vlapic *a = &v->apic;

	timer_cancel(&a->timer);
	a->timer_idle = false;
	areg_set(a, APIC_REG_TIMER_INIT, count);
	a->timer_period = count_to_tsc(a, count);
	if (!count)
		return;
	if (!a->timer_period)
		a->timer_period = 1;
	if (mode(a) == LVT_PERIODIC)
		a->timer_period = period(a);
	a->timer_start = hv_tsc();
	timer_arm(&a->timer, a->timer_start + a->timer_period);
}

u32 vlapic_timer_current(struct vcpu *v)
{
	struct vlapic *a = &v->apic;
	u64 end, now = hv_tsc();

	tick_again(a);
	if (!a->timer_period || !a->timer.cpu || mode(a) == LVT_DEADLINE)
		return 0;
	end = a->timer_start + a->timer_period;
	if (now >= end)
		return 0;
	return muldiv(end - now, 1000000, tsc_khz) / a->bus_ns / divider(a);
}

void vlapic_lvt_timer_write(struct vcpu *v, u32 val)
{
	struct vlapic *a = &v->apic;

	if ((val & LVT_TIMER_MODE) == LVT_TIMER_MODE)
		val &= ~LVT_TIMER_MODE;		/* reserved mode: one-shot */
	if ((val & LVT_TIMER_MODE) != mode(a)) {
		/* Leaving or entering deadline mode disarms (SDM 11.5.4.1). */
		if (mode(a) == LVT_DEADLINE || (val & LVT_TIMER_MODE) == LVT_DEADLINE) {
			vlapic_timer_stop(v);
			areg_set(a, APIC_REG_TIMER_INIT, 0);
		}
	}
	areg_set(a, APIC_REG_LVT_TIMER, val);
	a->lvt_timer = val;
}

u64 vlapic_deadline_read(struct vcpu *v)
{
	if (mode(&v->apic) != LVT_DEADLINE)
		return 0;
	return v->apic.tsc_deadline;
}

void vlapic_deadline_write(struct vcpu *v, u64 guest_tsc)
{
	struct vlapic *a = &v->apic;
	u64 deadline = guest_tsc - v->tsc_offset;

	if (mode(a) != LVT_DEADLINE)
		return;
	timer_cancel(&a->timer);	/* one under way would clear the new deadline */
	if (!guest_tsc) {
		a->tsc_deadline = 0;
	} else if ((s64)(deadline - hv_tsc()) <= 0) {
		a->tsc_deadline = 0;
		raise(v);
	} else {
		a->tsc_deadline = guest_tsc;
		timer_arm(&a->timer, deadline);
	}
}
