// SPDX-License-Identifier: GPL-2.0-only
/*
 * Time: Xen's system time is kvmclock, told by the same structure, in the vCPU's info and
 * where else the guest wants it.  All vCPUs are told the same moment, so that none is ahead.
 */
#include <linux/timekeeping.h>
#include <asm/msr.h>
#include <asm/pvclock-abi.h>

#include "channel/hypercall.h"
#include "channel/ring.h"
#include "running/state.h"
#include "xen.h"

static void look(struct bp_vm *vm, struct bp_xen_clock *c)
{
	struct kvm_clock_data *data = vm->xen->clock_page;
	u32 *khz = vm->xen->clock_page;

	if (!c->khz && bp_hc_domain_get(0, BP_HV_TSC_KHZ, bp_pfn(khz)) >= 0) {
		c->khz = *khz;
		bp_xen_scale(c->khz, &c->scale);
	}
	if (bp_hc_domain_get(vm->dom, BP_DOM_CLOCK, bp_pfn(data)) < 0)
		return;
	c->ns = data->clock;
	c->tsc = data->host_tsc;
	c->stable = data->flags & KVM_CLOCK_TSC_STABLE;
	c->known = true;
}

struct bp_xen_clock bp_xen_clock(struct bp_vm *vm)
{
	struct bp_xen_clock c;

	mutex_lock(&vm->xen->clock_lock);
	if (!vm->xen->clock.known)
		look(vm, &vm->xen->clock);
	c = vm->xen->clock;
	mutex_unlock(&vm->xen->clock_lock);
	return c;
}

u64 bp_xen_now(struct bp_vm *vm)
{
	struct bp_xen_clock c = bp_xen_clock(vm);

	return c.ns + bp_xen_scaled(&c.scale, rdtsc_ordered() - c.tsc);
}

static void tell_all(struct bp_vm *vm)
{
	unsigned int i, n = smp_load_acquire(&vm->nr_vcpus); /* pairs with bp_vcpu_create() */

	for (i = 0; i < n; i++)
		bp_xen_work(bp_vcpu_at(vm, i), XEN_WORK_CLOCK);
}

void bp_xen_clock_set(struct bp_vm *vm)
{
	mutex_lock(&vm->xen->clock_lock);
	vm->xen->clock.known = false;
	mutex_unlock(&vm->xen->clock_lock);
	if (bp_xen_enabled(vm))
		tell_all(vm);
}

void bp_xen_cpuid_set(struct bp_vcpu *vcpu, struct kvm_cpuid2 *cpuid)
{
	struct bp_xen_clock c = bp_xen_clock(vcpu->vm);

	bp_xen_cpuid_time(cpuid, &c.scale, c.khz);
}

/* ---- the wall clock: the time of day when the guest's clock was 0 ---- */

static int put(struct bp_vm *vm, u32 offset, const u32 *words, u32 n, enum bp_wait wait)
{
	return bp_xen_write(vm, &vm->xen->shared, offset, words, n * sizeof(*words), wait);
}

int bp_xen_wall(struct bp_vm *vm, enum bp_wait wait)
{
	const struct bp_xen_layout *l = bp_xen_layout(READ_ONCE(vm->xen->wide));
	u64 ns = ktime_get_real_ns() - bp_xen_now(vm), s = div_u64(ns, NSEC_PER_SEC);
	const u32 low[2] = { s, ns - s * NSEC_PER_SEC }, high = s >> 32;
	u32 version;
	int ret;

	ret = bp_xen_read(vm, &vm->xen->shared, l->wall, &version, sizeof(version), wait);
	if (ret)
		return ret;
	version = (version + 1) | 1;	/* odd: being written */
	ret = put(vm, l->wall, &version, 1, wait);
	smp_wmb();	/* the guest reads the version first and last */
	ret = ret ?: put(vm, l->wall + sizeof(version), low, 2, wait) ?:
	      put(vm, l->wall_hi, &high, 1, wait);
	smp_wmb();	/* the same */
	version++;
	return ret ?: put(vm, l->wall, &version, 1, wait);
}

/* ---- the system time ---- */

static u64 tsc_offset(struct bp_vcpu *vcpu)
{
	const u64 *offset = vcpu->state;

	return bp_state_get(vcpu, BP_STATE_TSC_OFFSET, sizeof(*offset)) < 0 ? 0 : *offset;
}

bool bp_xen_tsc_changed(struct bp_vcpu *vcpu)
{
	return tsc_offset(vcpu) != vcpu->xen->tsc_offset;
}

/* In a memslot the write is noted. */
static int write_time(struct bp_vcpu *vcpu, struct bp_xen_place place, u32 offset,
		      const void *buf, u32 len)
{
	void __user *p = u64_to_user_ptr(place.addr);

	if (place.by == XEN_BY_GPA)
		return bp_gmem_write(vcpu, place.addr + offset, buf, len);
	return bp_user_write(p + offset, buf, len, BP_WAIT_IN_RUN);
}

static int tell_at(struct bp_vcpu *vcpu, const struct bp_xen_place *at, u32 offset,
		   struct pvclock_vcpu_time_info t)
{
	struct bp_xen_place place = bp_xen_place_get(vcpu->vm, at);
	struct pvclock_vcpu_time_info old;
	int ret;

	if (place.by == XEN_NOWHERE)
		return 0;
	ret = bp_xen_read(vcpu->vm, at, offset, &old, sizeof(old), BP_WAIT_IN_RUN);
	if (ret)
		return bp_gmem_error(ret, 0);
	t.flags |= old.flags & PVCLOCK_GUEST_STOPPED;
	t.version = (old.version + 1) | 1;	/* odd: being written */
	ret = write_time(vcpu, place, offset, &t.version, sizeof(t.version));
	smp_wmb();	/* the guest reads the version first and last */
	ret = ret ?: write_time(vcpu, place, offset, &t, sizeof(t));
	smp_wmb();	/* the same */
	t.version++;
	ret = ret ?: write_time(vcpu, place, offset, &t.version, sizeof(t.version));
	return bp_gmem_error(ret, 0);
}

int bp_xen_tell_time(struct bp_vcpu *vcpu)
{
	struct bp_xen_clock c = bp_xen_clock(vcpu->vm);
	struct bp_xen_vcpu *x = vcpu->xen;
	struct pvclock_vcpu_time_info t = {
		.system_time = c.ns,
		.tsc_to_system_mul = c.scale.mul,
		.tsc_shift = c.scale.shift,
	};

	x->tsc_offset = tsc_offset(vcpu);
	t.tsc_timestamp = c.tsc + x->tsc_offset;
	if (c.stable && !(READ_ONCE(vcpu->vm->xen->config.flags) &
			  KVM_XEN_HVM_CONFIG_PVCLOCK_TSC_UNSTABLE))
		t.flags = PVCLOCK_TSC_STABLE_BIT;
	return tell_at(vcpu, &x->info, XEN_VCPU_TIME, t) ?: tell_at(vcpu, &x->time, 0, t);
}
