// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runstates: how long a vCPU ran, waited for a CPU, and was told to have been blocked or
 * offline, which is user space's to say.  As with KVM, one that halts is running.
 */
#include <linux/mm.h>
#include <linux/sched.h>

#include "channel/hypercall.h"
#include "memory/memslot.h"
#include "xen.h"

/* What the thread waited, but for the time that the vCPU ran without it. */
static u64 stolen(struct bp_vcpu *vcpu, u64 past)
{
	const struct bp_vcpu_counters *c = vcpu->state;
	u64 delay = current->sched_info.run_delay, ns = delay - vcpu->xen->run_delay, ran;

	vcpu->xen->run_delay = delay;
	if (bp_hc_vcpu_counters(vcpu->vm->dom, vcpu->index, bp_pfn(vcpu->state)) < 0)
		return 0;
	ran = min(c->run_ns - vcpu->xen->run_ns, past);
	vcpu->xen->run_ns = c->run_ns;
	return min(ns, past - ran);
}

int bp_xen_runstate_enter(struct bp_vcpu *vcpu, u32 state)
{
	struct bp_xen_runstate *rs = &vcpu->xen->rs;
	u64 now = bp_xen_now(vcpu->vm);

	bp_xen_runstate_to(rs, state, now, stolen(vcpu, now - rs->since));
	return bp_xen_runstate_write(vcpu);
}

/* It may go on in the next page. */
static int put(struct bp_vcpu *vcpu, u64 gpa, const u8 *from, u32 len)
{
	u32 here = min_t(u32, len, PAGE_SIZE - offset_in_page(gpa));
	int ret = bp_gmem_write(vcpu, gpa, from, here);

	return ret || here == len ? ret : bp_gmem_write(vcpu, gpa + here, from + here, len - here);
}

/* With the flag that says so while it is written, if the guest knows of that. */
static int write_at(struct bp_vcpu *vcpu, u64 gpa)
{
	bool wide = READ_ONCE(vcpu->vm->xen->wide);
	u32 flag_at = bp_xen_layout(wide)->times + sizeof(u64) - 1;
	struct bp_xen_runstate rs = vcpu->xen->rs;
	u8 image[XEN_RUNSTATE_MAX], flag;
	u32 len;
	int ret;

	if (!READ_ONCE(vcpu->vm->xen->update_flag)) {
		len = bp_xen_runstate_put(&rs, wide, image);
		return put(vcpu, gpa, image, len);
	}
	rs.since |= XEN_RUNSTATE_UPDATE;
	len = bp_xen_runstate_put(&rs, wide, image);
	ret = put(vcpu, gpa + flag_at, image + flag_at, sizeof(flag));
	smp_wmb();	/* the guest looks at the flag first and last */
	ret = ret ?: put(vcpu, gpa, image, len);
	smp_wmb();	/* the same */
	flag = image[flag_at] & ~(XEN_RUNSTATE_UPDATE >> 56);
	return ret ?: put(vcpu, gpa + flag_at, &flag, sizeof(flag));
}

int bp_xen_runstate_write(struct bp_vcpu *vcpu)
{
	struct bp_xen_place place = bp_xen_place_get(vcpu->vm, &vcpu->xen->runstate);

	if (place.by == XEN_NOWHERE)
		return 0;
	/* Who is told of writes has no room for more: before the next RUN. */
	if (!vcpu->in_run && bp_dirty_ring_full(vcpu)) {
		set_bit(XEN_WORK_RUNSTATE, &vcpu->xen_work);
		return 0;
	}
	return bp_gmem_error(write_at(vcpu, place.addr), 0);
}
