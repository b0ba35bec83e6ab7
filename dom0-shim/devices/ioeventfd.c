// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioeventfds: guest writes that only signal an eventfd.  Bedplate matches them
 * and posts an event to a ring; the same match is a
 * device on the bus here, for writes that reach the shim: by the instruction
 * emulator, to a page not marked yet, or with the ring full.
 */
#include <linux/eventfd.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "channel/hypercall.h"
#include "channel/ring.h"
#include "memory/donate.h"
#include "bus.h"
#include "ioeventfd.h"

struct ioevent {
	struct bp_io_device dev;
	struct eventfd_ctx *ctx;
	enum bp_bus_id bus;
	u32 id;
	u64 addr;
	u32 len;		/* 0: any */
	bool wildcard;		/* no datamatch */
	bool told;		/* Bedplate's table has it; else the bus alone */
	u64 datamatch;
};

static u64 load_val(const void *val, int len)
{
	u64 v = 0;

	memcpy(&v, val, len);
	return v;
}

static int ioevent_read(struct bp_vcpu *vcpu, struct bp_io_device *dev,
			u64 addr, int len, void *val)
{
	return -EOPNOTSUPP;
}

static int ioevent_write(struct bp_vcpu *vcpu, struct bp_io_device *dev,
			 u64 addr, int len, const void *val)
{
	struct ioevent *e = container_of(dev, struct ioevent, dev);

	if (addr != e->addr || (e->len && len != e->len))
		return -EOPNOTSUPP;
	if (!e->wildcard && load_val(val, len) != e->datamatch)
		return -EOPNOTSUPP;
	eventfd_signal(e->ctx);
	return 0;
}

static const struct bp_io_ops ioevent_ops = { ioevent_read, ioevent_write };

void bp_ioeventfd_event(struct bp_vm *vm, u32 id)
{
	struct ioevent *e = xa_load(&vm->ioeventfds, id);

	if (e)
		eventfd_signal(e->ctx);
}

/* Without memory of its own: to take one back must not fail. */
static long tell_once(struct bp_vm *vm, const struct ioevent *e, u32 flags)
{
	struct bp_ioeventfd *msg = page_address(vm->map_page);
	long ret;

	spin_lock(&vm->mmu_lock);
	*msg = (struct bp_ioeventfd){
		.addr = e->addr,
		.datamatch = e->datamatch,
		.len = e->len,
		.id = e->id,
		.flags = flags | (e->bus == BP_BUS_PIO ? BP_IOEVENTFD_PIO : 0) |
			 (e->wildcard ? 0 : BP_IOEVENTFD_DATAMATCH),
	};
	ret = bp_hc_ioeventfd(vm->dom, page_to_pfn(vm->map_page));
	spin_unlock(&vm->mmu_lock);
	return ret;
}

static int tell_bedplate(struct bp_vm *vm, const struct ioevent *e, u32 flags)
{
	long ret = tell_once(vm, e, flags);

	if (ret == -ENOMEM && !bp_donate(vm))
		ret = tell_once(vm, e, flags);
	return ret < 0 ? ret : 0;
}

/* What finds Bedplate's table full is matched here, which takes longer: only the bus has a limit (bus.c). */
static int offer(struct bp_vm *vm, struct ioevent *e)
{
	int ret = tell_bedplate(vm, e, 0);

	e->told = !ret;
	return ret == -ENOSPC ? 0 : ret;
}

/* The table has room for one again. */
static void offer_another(struct bp_vm *vm)
{
	struct ioevent *e;
	unsigned long id;

	xa_for_each(&vm->ioeventfds, id, e)
		if (!e->told) {
			offer(vm, e);
			return;
		}
}

static bool collides(struct bp_vm *vm, const struct ioevent *new)
{
	struct ioevent *e;
	unsigned long id;

	xa_for_each(&vm->ioeventfds, id, e)
		if (e->bus == new->bus && e->addr == new->addr &&
		    (!e->len || !new->len ||
		     (e->len == new->len &&
		      (e->wildcard || new->wildcard ||
		       e->datamatch == new->datamatch))))
			return true;
	return false;
}

static void free_ioevent(struct ioevent *e)
{
	eventfd_ctx_put(e->ctx);
	kfree(e);
}

static int publish(struct bp_vm *vm, struct ioevent *e)
{
	int ret = xa_alloc_cyclic(&vm->ioeventfds, &e->id, e,
				  XA_LIMIT(1, INT_MAX), &vm->next_ioeventfd,
				  GFP_KERNEL_ACCOUNT);

	if (ret < 0)
		return ret;
	ret = bp_bus_register(vm, e->bus, e->addr, e->len, &e->dev);
	if (ret)
		goto unpublish;
	ret = offer(vm, e);
	if (!ret)
		return 0;
	bp_bus_unregister(vm, e->bus, &e->dev);
unpublish:
	xa_erase(&vm->ioeventfds, e->id);
	synchronize_rcu();
	return ret;
}

static int init_ioevent(struct ioevent *e, const struct kvm_ioeventfd *args)
{
	bool wildcard = !(args->flags & KVM_IOEVENTFD_FLAG_DATAMATCH);

	*e = (struct ioevent){
		.dev.ops = &ioevent_ops,
		.bus = args->flags & KVM_IOEVENTFD_FLAG_PIO ? BP_BUS_PIO : BP_BUS_MMIO,
		.addr = args->addr,
		.len = args->len,
		.wildcard = wildcard,
		.datamatch = wildcard ? 0 : args->datamatch,
		.ctx = eventfd_ctx_fdget(args->fd),
	};
	return PTR_ERR_OR_ZERO(e->ctx);
}

static long assign(struct bp_vm *vm, const struct kvm_ioeventfd *args)
{
	struct ioevent *e;
	int ret;

	if (args->len > 8 || (args->len & (args->len - 1)))
		return -EINVAL;
	if (args->addr + args->len < args->addr)
		return -EINVAL;
	if (!args->len && args->flags & KVM_IOEVENTFD_FLAG_DATAMATCH)
		return -EINVAL;
	e = kmalloc(sizeof(*e), GFP_KERNEL_ACCOUNT);
	if (!e)
		return -ENOMEM;
	ret = init_ioevent(e, args);
	if (ret) {
		kfree(e);
		return ret;
	}

	mutex_lock(&vm->ioeventfd_lock);
	ret = collides(vm, e) ? -EEXIST : publish(vm, e);
	mutex_unlock(&vm->ioeventfd_lock);
	if (ret)
		free_ioevent(e);
	return ret;
}

static bool same(const struct ioevent *a, const struct ioevent *b)
{
	return a->ctx == b->ctx && a->bus == b->bus && a->addr == b->addr &&
	       a->len == b->len && a->wildcard == b->wildcard &&
	       a->datamatch == b->datamatch;
}

static void withdraw(struct bp_vm *vm, struct ioevent *e)
{
	if (e->told)
		WARN_ON_ONCE(tell_bedplate(vm, e, BP_IOEVENTFD_REMOVE));
	bp_bus_unregister(vm, e->bus, &e->dev);
	/* Writes that were posted before must still signal. */
	bp_ring_drain_all();
	xa_erase(&vm->ioeventfds, e->id);
	synchronize_rcu();
	if (e->told)
		offer_another(vm);
}

/* Needs no memory, for it must not fail. */
static long deassign(struct bp_vm *vm, const struct kvm_ioeventfd *args)
{
	struct ioevent key, *e, *found = NULL;
	unsigned long id;
	int ret = init_ioevent(&key, args);

	if (ret)
		return ret;
	mutex_lock(&vm->ioeventfd_lock);
	xa_for_each(&vm->ioeventfds, id, e)
		if (same(e, &key))
			found = e;
	if (found)
		withdraw(vm, found);
	mutex_unlock(&vm->ioeventfd_lock);

	eventfd_ctx_put(key.ctx);
	if (!found)
		return -ENOENT;
	free_ioevent(found);
	return 0;
}

long bp_ioeventfd(struct bp_vm *vm, const struct kvm_ioeventfd *args)
{
	if (args->flags & KVM_IOEVENTFD_FLAG_DEASSIGN)
		return deassign(vm, args);
	if (args->flags & ~(KVM_IOEVENTFD_FLAG_DATAMATCH | KVM_IOEVENTFD_FLAG_PIO))
		return -EINVAL;
	return assign(vm, args);
}

/* The VM goes: the domain is destroyed, no event can come. */
void bp_ioeventfd_release(struct bp_vm *vm)
{
	struct ioevent *e;
	unsigned long id;

	xa_for_each(&vm->ioeventfds, id, e)
		free_ioevent(e);
	xa_destroy(&vm->ioeventfds);
}
