// SPDX-License-Identifier: GPL-2.0-only
/* What user space says of a VM and its vCPUs, and asks of them: KVM_XEN_*. */
#include <linux/mm.h>

#include "channel/ring.h"
#include "xen.h"

#define FIRST_MSR	0x40000000u	/* of those that no processor has, */
#define LAST_MSR	0x4fffffffu
#define KVM_MSRS	0x4b564d00u	/* but for 256 that are KVM's */
#define FIRST_VECTOR	0x10

static bool msr_ok(u32 msr)
{
	return !msr || (msr >= FIRST_MSR && msr <= LAST_MSR && (msr & ~0xffu) != KVM_MSRS);
}

static bool config_ok(const struct kvm_xen_hvm_config *c)
{
	u32 flags = KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL | KVM_XEN_HVM_CONFIG_EVTCHN_SEND |
		    KVM_XEN_HVM_CONFIG_PVCLOCK_TSC_UNSTABLE;

	if (c->flags & ~flags || !msr_ok(c->msr))
		return false;
	/* Where hypercalls end here, so does the page that makes them. */
	return !(c->flags & KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL) ||
	       (!c->blob_addr_32 && !c->blob_addr_64 && !c->blob_size_32 && !c->blob_size_64);
}

long bp_xen_config(struct bp_vm *vm, const struct kvm_xen_hvm_config *config)
{
	struct bp_xen *xen = vm->xen;
	unsigned int i;

	if (!config_ok(config))
		return -EINVAL;
	mutex_lock(&xen->lock);
	xen->config = *config;
	mutex_unlock(&xen->lock);
	bp_rules_touch(vm);
	for (i = 0; i < smp_load_acquire(&vm->nr_vcpus); i++) /* pairs with bp_vcpu_create() */
		bp_xen_work(bp_vcpu_at(vm, i), XEN_WORK_CLOCK);
	return 0;
}

/* ---- of a VM; vm->srcu and ->lock are held for set ---- */

static int set_wide(struct bp_vm *vm, bool wide, enum bp_wait wait)
{
	WRITE_ONCE(vm->xen->wide, wide);
	return bp_xen_place_get(vm, &vm->xen->shared).by == XEN_NOWHERE ? 0 : bp_xen_wall(vm, wait);
}

int bp_xen_set_wide(struct bp_vm *vm, bool wide, enum bp_wait wait)
{
	int ret = 0;

	if (READ_ONCE(vm->xen->wide) == wide)
		return 0;
	/* Who has it may be waiting for a page. */
	if (mutex_lock_interruptible(&vm->xen->lock))
		return -EINTR;
	if (vm->xen->wide != wide)
		ret = set_wide(vm, wide, wait);
	mutex_unlock(&vm->xen->lock);
	return bp_gmem_error(ret, -EINVAL);
}

static struct bp_xen_place by_gpa(u64 gpa)
{
	return (struct bp_xen_place){ .by = gpa == KVM_XEN_INVALID_GPA ? XEN_NOWHERE : XEN_BY_GPA,
				      .addr = gpa };
}

static struct bp_xen_place by_hva(u64 hva)
{
	return (struct bp_xen_place){ .by = hva ? XEN_BY_HVA : XEN_NOWHERE, .addr = hva };
}

static struct bp_xen_place by_gfn(u64 gfn)
{
	struct bp_xen_place place = by_gpa(gfn << PAGE_SHIFT);

	if (gfn == KVM_XEN_INVALID_GFN)
		place.by = XEN_NOWHERE;
	return place;
}

/* Somewhere with @len bytes, or nowhere. */
static int move(struct bp_vm *vm, struct bp_xen_place *at, struct bp_xen_place to, u32 len)
{
	int ret = to.by == XEN_NOWHERE ? 0 : bp_xen_place_check(vm, to, len);

	if (!ret)
		bp_xen_place_set(vm, at, to);
	return ret;
}

static int set_shared(struct bp_vm *vm, struct bp_xen_place to)
{
	int ret;

	if (to.by == XEN_BY_HVA && !PAGE_ALIGNED(to.addr))
		return -EINVAL;
	ret = move(vm, &vm->xen->shared, to, PAGE_SIZE);
	if (ret || to.by == XEN_NOWHERE)
		return ret;
	return bp_gmem_error(bp_xen_wall(vm, BP_WAIT), -EFAULT);
}

static bool vector_ok(u8 vector)
{
	return !vector || vector >= FIRST_VECTOR;
}

static int set_vector(u8 *to, u8 vector)
{
	if (!vector_ok(vector))
		return -EINVAL;
	WRITE_ONCE(*to, vector);
	return 0;
}

static long vm_set(struct bp_vm *vm, const struct kvm_xen_hvm_attr *a)
{
	struct bp_xen *xen = vm->xen;

	switch (a->type) {
	case KVM_XEN_ATTR_TYPE_LONG_MODE:
		return bp_gmem_error(set_wide(vm, a->u.long_mode, BP_WAIT), -EFAULT);
	case KVM_XEN_ATTR_TYPE_SHARED_INFO:
		return set_shared(vm, by_gfn(a->u.shared_info.gfn));
	case KVM_XEN_ATTR_TYPE_SHARED_INFO_HVA:
		return set_shared(vm, by_hva(a->u.shared_info.hva));
	case KVM_XEN_ATTR_TYPE_UPCALL_VECTOR:
		return set_vector(&xen->vector, a->u.vector);
	case KVM_XEN_ATTR_TYPE_XEN_VERSION:
		WRITE_ONCE(xen->version, a->u.xen_version);
		return 0;
	case KVM_XEN_ATTR_TYPE_RUNSTATE_UPDATE_FLAG:
		WRITE_ONCE(xen->update_flag, a->u.runstate_update_flag);
		return 0;
	default:
		return -ENOENT;
	}
}

long bp_xen_vm_set(struct bp_vm *vm, const struct kvm_xen_hvm_attr *a)
{
	long ret;
	int idx;

	if (a->type == KVM_XEN_ATTR_TYPE_EVTCHN)
		return bp_xen_port_attr(vm, a);
	mutex_lock(&vm->xen->lock);
	idx = srcu_read_lock(&vm->srcu);
	ret = vm_set(vm, a);
	srcu_read_unlock(&vm->srcu, idx);
	mutex_unlock(&vm->xen->lock);
	return ret;
}

static u64 gpa_of(struct bp_xen_place place)
{
	return place.by == XEN_BY_GPA ? place.addr : KVM_XEN_INVALID_GPA;
}

static u64 hva_of(struct bp_xen_place place)
{
	return place.by == XEN_BY_HVA ? place.addr : 0;
}

long bp_xen_vm_get(struct bp_vm *vm, struct kvm_xen_hvm_attr *a)
{
	struct bp_xen *xen = vm->xen;
	struct bp_xen_place shared = bp_xen_place_get(vm, &xen->shared);

	switch (a->type) {
	case KVM_XEN_ATTR_TYPE_LONG_MODE:
		a->u.long_mode = READ_ONCE(xen->wide);
		return 0;
	case KVM_XEN_ATTR_TYPE_SHARED_INFO:
		a->u.shared_info.gfn = shared.by == XEN_BY_GPA ? shared.addr >> PAGE_SHIFT :
								 KVM_XEN_INVALID_GFN;
		return 0;
	case KVM_XEN_ATTR_TYPE_SHARED_INFO_HVA:
		a->u.shared_info.hva = hva_of(shared);
		return 0;
	case KVM_XEN_ATTR_TYPE_UPCALL_VECTOR:
		a->u.vector = READ_ONCE(xen->vector);
		return 0;
	case KVM_XEN_ATTR_TYPE_XEN_VERSION:
		a->u.xen_version = READ_ONCE(xen->version);
		return 0;
	case KVM_XEN_ATTR_TYPE_RUNSTATE_UPDATE_FLAG:
		a->u.runstate_update_flag = READ_ONCE(xen->update_flag);
		return 0;
	default:
		return -ENOENT;
	}
}

/* ---- of a vCPU; vm->srcu is held ---- */

static long set_info(struct bp_vcpu *vcpu, struct bp_xen_place to)
{
	long ret = move(vcpu->vm, &vcpu->xen->info, to, XEN_VCPU_INFO_SIZE);

	if (!ret) {
		set_bit(XEN_WORK_CLOCK, &vcpu->xen_work);
		set_bit(XEN_WORK_EVENTS, &vcpu->xen_work);
	}
	return ret;
}

static long set_time(struct bp_vcpu *vcpu, u64 gpa)
{
	long ret = move(vcpu->vm, &vcpu->xen->time, by_gpa(gpa), 32);

	if (!ret)
		set_bit(XEN_WORK_CLOCK, &vcpu->xen_work);
	return ret;
}

/* It may go on in the next page; what is refused leaves none. */
static long set_runstate_at(struct bp_vcpu *vcpu, u64 gpa)
{
	u32 len = bp_xen_layout(READ_ONCE(vcpu->vm->xen->wide))->times + 5 * sizeof(u64);
	u32 here = PAGE_SIZE - offset_in_page(gpa);
	struct bp_xen_place *at = &vcpu->xen->runstate;
	long ret;

	ret = move(vcpu->vm, at, by_gpa(gpa), min(len, here));
	if (!ret && gpa != KVM_XEN_INVALID_GPA && here < len)
		ret = bp_xen_place_check(vcpu->vm, by_gpa(gpa + here), len - here);
	if (ret)
		bp_xen_place_set(vcpu->vm, at, (struct bp_xen_place){ .by = XEN_NOWHERE });
	return ret ?: bp_xen_runstate_write(vcpu);
}

static long add_runstate(struct bp_vcpu *vcpu, const struct kvm_xen_vcpu_attr *a)
{
	long ret = bp_xen_runstate_add(&vcpu->xen->rs, a, bp_xen_now(vcpu->vm));

	if (ret)
		return ret;
	return a->u.runstate.state < XEN_RUNSTATES ?
	       bp_xen_runstate_enter(vcpu, a->u.runstate.state) : bp_xen_runstate_write(vcpu);
}

static long set_timer(struct bp_vcpu *vcpu, const struct kvm_xen_vcpu_attr *a)
{
	u64 at = a->u.timer.expires_ns;
	s64 left;

	if (a->u.timer.port && a->u.timer.priority != KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL)
		return -EINVAL;
	bp_xen_timer_stop(vcpu);
	vcpu->xen->timer_port = a->u.timer.port;
	if (!a->u.timer.port || !at)
		return 0;
	left = at - bp_xen_now(vcpu->vm);
	bp_xen_timer_set(vcpu, at, left);
	if (left <= 0 && test_and_clear_bit(XEN_WORK_TIMER, &vcpu->xen_work))
		bp_xen_timer_fire(vcpu, BP_WAIT);
	return 0;
}

static long vcpu_set(struct bp_vcpu *vcpu, const struct kvm_xen_vcpu_attr *a)
{
	struct bp_xen_vcpu *x = vcpu->xen;

	switch (a->type) {
	case KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO:
		return set_info(vcpu, by_gpa(a->u.gpa));
	case KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO_HVA:
		return set_info(vcpu, by_hva(a->u.hva));
	case KVM_XEN_VCPU_ATTR_TYPE_VCPU_TIME_INFO:
		return set_time(vcpu, a->u.gpa);
	case KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADDR:
		return set_runstate_at(vcpu, a->u.gpa);
	case KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_CURRENT:
		return a->u.runstate.state >= XEN_RUNSTATES ? -EINVAL :
		       bp_xen_runstate_enter(vcpu, a->u.runstate.state);
	case KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA:
		return bp_xen_runstate_set(&x->rs, a, bp_xen_now(vcpu->vm));
	case KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADJUST:
		return add_runstate(vcpu, a);
	case KVM_XEN_VCPU_ATTR_TYPE_VCPU_ID:
		if (a->u.vcpu_id >= BP_MAX_VCPU_ID)
			return -EINVAL;
		x->vcpu_id = a->u.vcpu_id;
		return 0;
	case KVM_XEN_VCPU_ATTR_TYPE_TIMER:
		return set_timer(vcpu, a);
	case KVM_XEN_VCPU_ATTR_TYPE_UPCALL_VECTOR:
		return set_vector(&x->vector, a->u.vector);
	default:
		return -ENOENT;
	}
}

long bp_xen_vcpu_set(struct bp_vcpu *vcpu, const struct kvm_xen_vcpu_attr *a)
{
	int idx = srcu_read_lock(&vcpu->vm->srcu);
	long ret = vcpu_set(vcpu, a);

	srcu_read_unlock(&vcpu->vm->srcu, idx);
	return ret;
}

static long vcpu_get(struct bp_vcpu *vcpu, struct kvm_xen_vcpu_attr *a)
{
	struct bp_xen_vcpu *x = vcpu->xen;
	struct bp_vm *vm = vcpu->vm;

	switch (a->type) {
	case KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO:
		a->u.gpa = gpa_of(bp_xen_place_get(vm, &x->info));
		return 0;
	case KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO_HVA:
		a->u.hva = hva_of(bp_xen_place_get(vm, &x->info));
		return 0;
	case KVM_XEN_VCPU_ATTR_TYPE_VCPU_TIME_INFO:
		a->u.gpa = gpa_of(bp_xen_place_get(vm, &x->time));
		return 0;
	case KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADDR:
		if (bp_xen_place_get(vm, &x->runstate).by == XEN_NOWHERE)
			return -ENOENT;
		a->u.gpa = gpa_of(bp_xen_place_get(vm, &x->runstate));
		return 0;
	case KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_CURRENT:
		a->u.runstate.state = x->rs.state;
		return 0;
	case KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_DATA:
		bp_xen_runstate_get(&x->rs, a);
		return 0;
	case KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADJUST:
		return -EINVAL;
	case KVM_XEN_VCPU_ATTR_TYPE_VCPU_ID:
		a->u.vcpu_id = x->vcpu_id;
		return 0;
	case KVM_XEN_VCPU_ATTR_TYPE_TIMER:
		bp_xen_timer_get(vcpu, a);
		return 0;
	case KVM_XEN_VCPU_ATTR_TYPE_UPCALL_VECTOR:
		a->u.vector = x->vector;
		return 0;
	default:
		return -ENOENT;
	}
}

/* Who saves the vCPU finds in memory what was sent to it before. */
long bp_xen_vcpu_get(struct bp_vcpu *vcpu, struct kvm_xen_vcpu_attr *a)
{
	int idx = srcu_read_lock(&vcpu->vm->srcu);
	long ret;

	if (test_and_clear_bit(XEN_WORK_EVENTS, &vcpu->xen_work))
		bp_xen_flush(vcpu, BP_WAIT);
	ret = vcpu_get(vcpu, a);
	srcu_read_unlock(&vcpu->vm->srcu, idx);
	return ret;
}
