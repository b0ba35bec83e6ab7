// SPDX-License-Identifier: GPL-2.0-only
/*
 * Event channels of two levels: an event is a bit in the shared page, and if it is not masked
 * one in its vCPU's info, for the word that has it; then the vCPU gets an upcall.
 *
 * Who may not wait for the page, or is no thread of the VMM's, leaves the event with the vCPU.
 */
#include <linux/bitops.h>
#include <linux/preempt.h>
#include <linux/sched.h>

#include "channel/ring.h"
#include "irqchip/irqchip.h"
#include "xen.h"

static const u8 yes = 1;

void bp_xen_work(struct bp_vcpu *vcpu, unsigned int work)
{
	set_bit(work, &vcpu->xen_work);
	bp_vcpu_kick(vcpu);
}

struct bp_vcpu *bp_xen_vcpu(struct bp_vm *vm, u32 id)
{
	unsigned int i, n = smp_load_acquire(&vm->nr_vcpus); /* pairs with bp_vcpu_create() */

	for (i = 0; i < n; i++)
		if (bp_vcpu_at(vm, i)->id == id)
			return bp_vcpu_at(vm, i);
	return NULL;
}

/* ---- the vCPU's part ---- */

static void end_poll(struct bp_vcpu *vcpu, u32 port)
{
	u32 poll = READ_ONCE(vcpu->xen->poll);

	if (poll && (poll == XEN_POLL_ANY || port == XEN_POLL_ANY || poll == port))
		bp_xen_work(vcpu, XEN_WORK_POLL);
}

/* The upcall is pending in memory. */
static void upcall(struct bp_vcpu *vcpu, u32 port)
{
	u8 vector = READ_ONCE(vcpu->xen->vector);

	if (vector) {
		bp_message_to(vcpu, vector);
	} else {
		bp_xen_work(vcpu, XEN_WORK_UPCALL);
		port = XEN_POLL_ANY;	/* whatever it polls for, it is woken */
	}
	end_poll(vcpu, port);
}

static int set_upcall(struct bp_vcpu *vcpu, enum bp_wait wait)
{
	return bp_xen_write(vcpu->vm, &vcpu->xen->info, XEN_VCPU_UPCALL, &yes, sizeof(yes), wait);
}

static int set_sel(struct bp_vcpu *vcpu, u32 word, enum bp_wait wait)
{
	u32 at = bp_xen_layout(READ_ONCE(vcpu->vm->xen->wide))->sel + word / 8;

	return bp_xen_or(vcpu->vm, &vcpu->xen->info, at, BIT(word % 8), wait);
}

static void select_word(struct bp_vcpu *vcpu, u32 port, u32 word, enum bp_wait wait)
{
	int ret = set_sel(vcpu, word, wait);

	if (ret > 0)
		return;		/* who set it has made the upcall, and the guest looks at all of the word */
	if (!ret)
		ret = set_upcall(vcpu, wait);
	if (!ret) {
		upcall(vcpu, port);
		return;
	}
	set_bit(word, &vcpu->xen->sel);
	bp_xen_work(vcpu, XEN_WORK_EVENTS);
	end_poll(vcpu, port);
}

/* ---- the VM's part ---- */

/* The bit is set: has the guest masked it?  If that cannot be said now, an upcall does no harm. */
static bool masked(struct bp_vm *vm, u32 at, u32 port, enum bp_wait wait)
{
	u8 byte;

	if (bp_xen_read(vm, &vm->xen->shared, at + port / 8, &byte, sizeof(byte), wait))
		return false;
	return byte & BIT(port % 8);
}

int bp_xen_deliver(struct bp_vcpu *vcpu, u32 port, enum bp_wait wait)
{
	struct bp_vm *vm = vcpu->vm;
	const struct bp_xen_layout *l = bp_xen_layout(READ_ONCE(vm->xen->wide));
	int ret;

	if (port >= l->ports)
		return -EINVAL;
	ret = bp_xen_or(vm, &vm->xen->shared, l->pending + port / 8, BIT(port % 8), wait);
	if (ret)
		return ret > 0 ? 0 : ret == -EIO ? -EFAULT : ret;
	if (masked(vm, l->mask, port, wait)) {
		end_poll(vcpu, port);
		return -ENOTCONN;
	}
	select_word(vcpu, port, port >> l->word_shift, wait);
	return 1;
}

/* ---- what was left with the vCPU ---- */

static int flush_words(struct bp_vcpu *vcpu, enum bp_wait wait)
{
	unsigned long left = READ_ONCE(vcpu->xen->sel);
	unsigned int word;
	int ret = 0;

	if (!left)
		return 0;
	for_each_set_bit(word, &left, BITS_PER_LONG) {
		ret = set_sel(vcpu, word, wait);
		if (ret < 0)
			break;
		clear_bit(word, &vcpu->xen->sel);
	}
	if (ret >= 0)
		ret = set_upcall(vcpu, wait);
	/* Without its info the vCPU hears of it when it has one. */
	if (ret) {
		set_bit(__ffs(left), &vcpu->xen->sel);
		return bp_gmem_error(ret, 0);
	}
	upcall(vcpu, XEN_POLL_ANY);
	return 0;
}

int bp_xen_flush(struct bp_vcpu *vcpu, enum bp_wait wait)
{
	unsigned long *events = vcpu->xen->events;
	unsigned int port;

	for_each_set_bit(port, events, XEN_MAX_PORTS) {
		clear_bit(port, events);
		if (bp_xen_deliver(vcpu, port, wait) == -EINTR) {
			set_bit(port, events);
			return -EINTR;
		}
	}
	return flush_words(vcpu, wait);
}

/* ---- who sends ---- */

/* Any context.  As bp_xen_deliver(), or 1: the vCPU is to deliver it. */
static int send(struct bp_vcpu *vcpu, u32 port)
{
	struct bp_vm *vm = vcpu->vm;
	int ret = -EWOULDBLOCK, idx;

	if (port >= bp_xen_layout(READ_ONCE(vm->xen->wide))->ports)
		return -EINVAL;
	if (in_task() && current->mm == vm->mm) {
		idx = srcu_read_lock(&vm->srcu);
		ret = bp_xen_deliver(vcpu, port, BP_WAIT_NOT);
		srcu_read_unlock(&vm->srcu, idx);
	}
	if (ret != -EWOULDBLOCK)
		return ret;
	set_bit(port, vcpu->xen->events);
	bp_xen_work(vcpu, XEN_WORK_EVENTS);
	return 1;
}

/* A GSI that is routed there.  Any context. */
int bp_irq_event(u32 dom, u32 id, u32 port)
{
	struct bp_vcpu *vcpu = NULL;
	struct bp_vm *vm;
	int ret = -1;

	rcu_read_lock();
	vm = xa_load(&bp_vms, dom);
	if (vm)
		vcpu = bp_xen_vcpu(vm, id);
	if (vcpu)
		ret = send(vcpu, port);
	rcu_read_unlock();
	return ret < 0 ? -1 : ret;
}

u32 bp_irq_event_ports(u32 dom)
{
	struct bp_vm *vm;
	bool wide;

	rcu_read_lock();
	vm = xa_load(&bp_vms, dom);
	wide = vm && READ_ONCE(vm->xen->wide);
	rcu_read_unlock();
	return bp_xen_layout(wide)->ports;
}

long bp_xen_send(struct bp_vm *vm, const struct kvm_irq_routing_xen_evtchn *e)
{
	struct bp_vcpu *vcpu;
	int ret, idx;

	if (!e->port || e->port >= bp_xen_layout(READ_ONCE(vm->xen->wide))->ports ||
	    e->priority != KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL)
		return -EINVAL;
	vcpu = bp_xen_vcpu(vm, e->vcpu);
	if (!vcpu)
		return -EINVAL;
	idx = srcu_read_lock(&vm->srcu);
	ret = bp_xen_deliver(vcpu, e->port, BP_WAIT);
	srcu_read_unlock(&vm->srcu, idx);
	return ret == -ENOTCONN ? 0 : min(ret, 0);
}
