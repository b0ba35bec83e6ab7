// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events that the guest sends (EVTCHNOP_send): for those that user space has told of, to a
 * vCPU or an eventfd.  All others are user space's.
 */
#include <linux/err.h>
#include <linux/eventfd.h>
#include <linux/slab.h>

#include "xen.h"

struct bp_xen_port {
	u32 type;		/* constant */
	u32 port;		/* of the receiver; 0: ->eventfd's; constant */
	u32 vcpu;		/* KVM's number */
	struct eventfd_ctx *eventfd;
	struct bp_xen_port *next;	/* of those that go together */
};

static void free_port(struct bp_xen_port *p)
{
	if (p->eventfd)
		eventfd_ctx_put(p->eventfd);
	kfree(p);
}

static bool priority_ok(const struct kvm_xen_hvm_attr *a)
{
	return a->u.evtchn.deliver.port.priority == KVM_IRQ_ROUTING_XEN_EVTCHN_PRIO_2LEVEL;
}

static int fill(struct bp_vm *vm, struct bp_xen_port *p, const struct kvm_xen_hvm_attr *a)
{
	u32 ports = bp_xen_layout(READ_ONCE(vm->xen->wide))->ports;
	int ret = 0;

	p->type = a->u.evtchn.type;
	p->port = a->u.evtchn.deliver.port.port;
	switch (p->type) {
	case XEN_EVTCHN_IPI:
		if (p->port != a->u.evtchn.send_port)
			return -EINVAL;
		break;
	case XEN_EVTCHN_INTERDOMAIN:
		if (p->port >= ports)
			return -EINVAL;
		break;
	default:
		return -EINVAL;
	}
	if (p->port) {
		p->vcpu = a->u.evtchn.deliver.port.vcpu;
		return priority_ok(a) ? 0 : -EINVAL;
	}
	p->eventfd = eventfd_ctx_fdget(a->u.evtchn.deliver.eventfd.fd);
	if (IS_ERR(p->eventfd)) {
		ret = PTR_ERR(p->eventfd);
		p->eventfd = NULL;
	}
	return ret;
}

static long assign(struct bp_vm *vm, const struct kvm_xen_hvm_attr *a)
{
	struct bp_xen_port *p = kzalloc(sizeof(*p), GFP_KERNEL_ACCOUNT);
	int ret;

	if (!p)
		return -ENOMEM;
	ret = fill(vm, p, a) ?: xa_insert(&vm->xen->ports, a->u.evtchn.send_port, p,
					  GFP_KERNEL_ACCOUNT);
	if (ret)
		free_port(p);
	return ret == -EBUSY ? -EEXIST : ret;
}

/* To another vCPU, and no more. */
static long update(struct bp_vm *vm, const struct kvm_xen_hvm_attr *a)
{
	struct bp_xen_port *p;
	long ret = -EINVAL;

	mutex_lock(&vm->xen->lock);
	p = xa_load(&vm->xen->ports, a->u.evtchn.send_port);
	if (!p) {
		ret = -ENOENT;
	} else if (p->type == a->u.evtchn.type && p->port &&
		   p->port == a->u.evtchn.deliver.port.port && priority_ok(a)) {
		WRITE_ONCE(p->vcpu, a->u.evtchn.deliver.port.vcpu);
		ret = 0;
	}
	mutex_unlock(&vm->xen->lock);
	return ret;
}

static long deassign(struct bp_vm *vm, u32 port)
{
	struct bp_xen_port *p;

	mutex_lock(&vm->xen->lock);
	p = xa_erase(&vm->xen->ports, port);
	mutex_unlock(&vm->xen->lock);
	if (!p)
		return -ENOENT;
	synchronize_rcu();	/* bp_xen_port_signal() */
	free_port(p);
	return 0;
}

/* All at once: a grace period for each of 4,095 would be a minute that no signal ends. */
static long reset(struct bp_vm *vm)
{
	struct bp_xen_port *p, *gone = NULL;
	unsigned long port;

	mutex_lock(&vm->xen->lock);
	xa_for_each(&vm->xen->ports, port, p) {
		xa_erase(&vm->xen->ports, port);
		p->next = gone;
		gone = p;
	}
	mutex_unlock(&vm->xen->lock);
	if (gone)
		synchronize_rcu();
	while ((p = gone)) {
		gone = p->next;
		free_port(p);
	}
	return 0;
}

long bp_xen_port_attr(struct bp_vm *vm, const struct kvm_xen_hvm_attr *a)
{
	u32 port = a->u.evtchn.send_port;

	if (a->u.evtchn.flags == KVM_XEN_EVTCHN_RESET)
		return reset(vm);
	if (!port || port >= bp_xen_layout(READ_ONCE(vm->xen->wide))->ports)
		return -EINVAL;
	switch (a->u.evtchn.flags) {
	case 0:
		return assign(vm, a);
	case KVM_XEN_EVTCHN_UPDATE:
		return update(vm, a);
	case KVM_XEN_EVTCHN_DEASSIGN:
		return deassign(vm, port);
	default:
		return -EINVAL;
	}
}

int bp_xen_port_signal(struct bp_vm *vm, u32 port)
{
	const struct bp_xen_port *p;
	struct bp_vcpu *vcpu;
	u32 to = 0, id = 0;
	int ret;

	rcu_read_lock();
	p = xa_load(&vm->xen->ports, port);
	if (p && p->eventfd)
		eventfd_signal(p->eventfd);
	if (p) {
		to = p->port;
		id = READ_ONCE(p->vcpu);
	}
	rcu_read_unlock();
	if (!p)
		return -ENOENT;
	if (!to)
		return 0;
	vcpu = bp_xen_vcpu(vm, id);
	if (!vcpu)
		return -ENOENT;
	ret = bp_xen_deliver(vcpu, to, BP_WAIT_IN_RUN);
	return ret >= 0 || ret == -ENOTCONN ? 0 : ret == -EINTR ? ret : -ENOENT;
}

void bp_xen_ports_free(struct bp_xen *xen)
{
	struct bp_xen_port *p;
	unsigned long port;

	xa_for_each(&xen->ports, port, p)
		free_port(p);
	xa_destroy(&xen->ports);
}
