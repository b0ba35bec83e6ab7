// SPDX-License-Identifier: GPL-2.0-only
/*
 * Synthetic timers (TLFS 12.3): four of a VP, in reference time.  One that expires sends a
 * message to a source of the SynIC, or ("direct") an interrupt.  Linux's timer says when;
 * the vCPU's thread does it, before the vCPU runs again.
 */
#include <linux/kernel.h>
#include <linux/math64.h>

#include "channel/ring.h"
#include "hyperv.h"
#include "memory/gmem.h"

static struct bp_vcpu *vcpu_of(const struct bp_hv_stimer *t)
{
	return t->vcpu;
}

/* Any context: the vCPU's thread is to look at its timers. */
static void wake(struct bp_hv_stimer *t, bool kick)
{
	struct bp_vcpu *vcpu = vcpu_of(t);

	set_bit(t - vcpu->hv->stimer, &vcpu->hv->timers_due);
	set_bit(HV_WORK_TIMERS, &vcpu->hv_work);
	if (kick)
		bp_vcpu_kick(vcpu);
}

static enum hrtimer_restart expired(struct hrtimer *timer)
{
	wake(container_of(timer, struct bp_hv_stimer, timer), true);
	return HRTIMER_NORESTART;
}

void bp_hv_timers_init(struct bp_vcpu *vcpu)
{
	struct bp_hv_stimer *t;

	for (t = vcpu->hv->stimer; t < vcpu->hv->stimer + HV_SYNIC_STIMER_COUNT; t++) {
		t->vcpu = vcpu;
		hrtimer_setup(&t->timer, expired, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
	}
}

static void stop(struct bp_hv_stimer *t)
{
	hrtimer_cancel(&t->timer);
	clear_bit(t - vcpu_of(t)->hv->stimer, &vcpu_of(t)->hv->timers_due);
	t->waits = false;
	t->expires = 0;
}

void bp_hv_timers_free(struct bp_vcpu *vcpu)
{
	struct bp_hv_stimer *t;

	for (t = vcpu->hv->stimer; t < vcpu->hv->stimer + HV_SYNIC_STIMER_COUNT; t++)
		if (t->vcpu)
			hrtimer_cancel(&t->timer);
}

static void arm(struct bp_hv_stimer *t, u64 now)
{
	u64 delta = t->expires - now;

	delta = min_t(u64, delta, KTIME_MAX / 200);
	hrtimer_start(&t->timer, ktime_add_ns(ktime_get(), delta * 100), HRTIMER_MODE_ABS);
}

static void start(struct bp_hv_stimer *t, u64 now)
{
	u64 late;

	if (!t->config.periodic) {
		t->expires = t->count;
		/* A time in the past is now. */
		if (now >= t->count)
			wake(t, false);
		else
			arm(t, now);
		return;
	}
	if (!t->expires) {
		t->expires = now + t->count;
	} else if (now >= t->expires) {
		div64_u64_rem(now - t->expires, t->count, &late);
		t->expires = now + t->count - late;
	}
	arm(t, now);
}

static int send_message(struct bp_hv_stimer *t, u64 now)
{
	struct hv_message m = {
		.header.message_type = HVMSG_TIMER_EXPIRED,
		.header.payload_size = sizeof(struct hv_timer_message_payload),
	};
	struct hv_timer_message_payload p = {
		.timer_index = t - vcpu_of(t)->hv->stimer,
		.expiration_time = t->expires,
		.delivery_time = now,
	};

	memcpy(m.u.payload, &p, sizeof(p));
	/* The next period's message comes in any case. */
	return bp_hv_synic_message(vcpu_of(t), t->config.sintx, &m, !t->config.periodic);
}

/* 0 or -EINTR: it is to expire at the next look. */
static int expire(struct bp_hv_stimer *t, u64 now)
{
	int ret = 0;

	t->waits = true;
	if (t->config.direct_mode)
		ret = bp_hv_send(vcpu_of(t), t->config.apic_vector) ? 0 : -EFAULT;
	else
		ret = send_message(t, now);
	if (ret)
		return bp_gmem_error(ret, 0);
	t->waits = false;
	if (!t->config.periodic)
		t->config.enable = 0;
	return 0;
}

static int process(struct bp_hv_stimer *t)
{
	struct bp_vcpu *vcpu = vcpu_of(t);
	int ret = 0;
	u64 now;

	if (!t->config.enable)
		return 0;
	if (mutex_lock_interruptible(&vcpu->vm->hv->lock))
		return -EINTR;
	now = bp_hv_ref_time(vcpu);
	mutex_unlock(&vcpu->vm->hv->lock);
	if (t->expires && now >= t->expires)
		ret = expire(t, now);
	if (ret)
		return ret;
	if (!t->config.enable || !t->count)
		stop(t);
	else if (!t->waits)
		start(t, now);
	return 0;
}

int bp_hv_timers_process(struct bp_vcpu *vcpu)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < HV_SYNIC_STIMER_COUNT && !ret; i++)
		if (test_and_clear_bit(i, &vcpu->hv->timers_due))
			ret = process(&vcpu->hv->stimer[i]);
	if (ret)
		wake(&vcpu->hv->stimer[i - 1], false);
	return ret;
}

void bp_hv_timers_acked(struct bp_vcpu *vcpu, u32 sint)
{
	struct bp_hv_stimer *t;

	for (t = vcpu->hv->stimer; t < vcpu->hv->stimer + HV_SYNIC_STIMER_COUNT; t++)
		if (t->waits && t->config.enable && !t->config.direct_mode &&
		    t->config.sintx == sint)
			wake(t, false);
}

/* ---- MSRs ---- */

static struct bp_hv_stimer *timer_of(struct bp_vcpu *vcpu, u32 msr)
{
	return &vcpu->hv->stimer[(msr - HV_X64_MSR_STIMER0_CONFIG) / 2];
}

static bool is_count(u32 msr)
{
	return (msr - HV_X64_MSR_STIMER0_CONFIG) & 1;
}

static long set_config(struct bp_hv_stimer *t, u64 val, bool guest)
{
	union hv_stimer_config new = { .as_uint64 = val };
	const struct bp_hv_vcpu *hv = vcpu_of(t)->hv;

	if (guest && new.direct_mode &&
	    !bp_hv_allowed(hv, hv->feat_edx, HV_STIMER_DIRECT_MODE_AVAILABLE))
		return -EINVAL;
	stop(t);
	if (t->config.enable && !new.direct_mode && !new.sintx)
		new.enable = 0;
	t->config = new;
	return 0;
}

static void set_count(struct bp_hv_stimer *t, u64 val, bool guest)
{
	stop(t);
	t->count = val;
	if (!guest)
		return;
	if (!val)
		t->config.enable = 0;
	else if (t->config.auto_enable)
		t->config.enable = 1;
}

long bp_hv_timer_set(struct bp_vcpu *vcpu, u32 msr, u64 val, bool guest)
{
	struct bp_hv_stimer *t = timer_of(vcpu, msr);
	long ret = 0;

	if (!vcpu->hv->synic.active && (guest || val))
		return -EINVAL;
	if (is_count(msr))
		set_count(t, val, guest);
	else
		ret = set_config(t, val, guest);
	if (!ret && t->config.enable)
		wake(t, false);
	return ret;
}

long bp_hv_timer_get(struct bp_vcpu *vcpu, u32 msr, u64 *val)
{
	const struct bp_hv_stimer *t = timer_of(vcpu, msr);

	*val = is_count(msr) ? t->count : t->config.as_uint64;
	return 0;
}
