// SPDX-License-Identifier: GPL-2.0-only
/*
 * The in-kernel port and memory buses of a VM: arrays sorted by address,
 * replaced as a whole under vm->bus_lock and read under vm->srcu.
 */
#include <linux/overflow.h>
#include <linux/slab.h>

#include "bus.h"

#define BP_BUS_MAX	4096

struct bp_io_range {
	u64 addr;
	u32 len;		/* 0: any access that starts at addr */
	struct bp_io_device *dev;
};

struct bp_io_bus {
	unsigned int n;
	struct bp_io_range range[] __counted_by(n);
};

static struct bp_io_bus *bus_locked(struct bp_vm *vm, enum bp_bus_id id)
{
	return rcu_dereference_protected(vm->buses[id],
					 lockdep_is_held(&vm->bus_lock));
}

static void bus_publish(struct bp_vm *vm, enum bp_bus_id id,
			struct bp_io_bus *new, struct bp_io_bus *old)
{
	rcu_assign_pointer(vm->buses[id], new);
	synchronize_srcu_expedited(&vm->srcu);
	kfree(old);
}

int bp_bus_register(struct bp_vm *vm, enum bp_bus_id id, u64 addr, u32 len,
		    struct bp_io_device *dev)
{
	struct bp_io_bus *old, *new;
	unsigned int n, i;
	int ret = 0;

	mutex_lock(&vm->bus_lock);
	old = bus_locked(vm, id);
	n = old ? old->n : 0;
	if (n >= BP_BUS_MAX) {
		ret = -ENOSPC;
		goto out;
	}
	new = kmalloc(struct_size(new, range, n + 1), GFP_KERNEL_ACCOUNT);
	if (!new) {
		ret = -ENOMEM;
		goto out;
	}
	new->n = n + 1;
	for (i = 0; i < n && old->range[i].addr <= addr; i++)
		new->range[i] = old->range[i];
	new->range[i] = (struct bp_io_range){ addr, len, dev };
	for (; i < n; i++)
		new->range[i + 1] = old->range[i];
	bus_publish(vm, id, new, old);
out:
	mutex_unlock(&vm->bus_lock);
	return ret;
}

/*
 * Without memory for the new array the old one is changed in place, with a
 * device that answers nothing.
 */
static int refuse_read(struct bp_vcpu *vcpu, struct bp_io_device *dev, u64 addr,
		       int len, void *val)
{
	return -EOPNOTSUPP;
}

static int refuse_write(struct bp_vcpu *vcpu, struct bp_io_device *dev,
			u64 addr, int len, const void *val)
{
	return -EOPNOTSUPP;
}

static const struct bp_io_ops refuse_ops = { refuse_read, refuse_write };
static struct bp_io_device refuse_dev = { &refuse_ops };

void bp_bus_unregister(struct bp_vm *vm, enum bp_bus_id id,
		       struct bp_io_device *dev)
{
	struct bp_io_bus *old, *new;
	unsigned int i, n = 0;

	mutex_lock(&vm->bus_lock);
	old = bus_locked(vm, id);
	if (!old)
		goto out;
	new = kmalloc(struct_size(new, range, old->n), GFP_KERNEL_ACCOUNT);
	if (!new) {
		for (i = 0; i < old->n; i++)
			if (old->range[i].dev == dev)
				WRITE_ONCE(old->range[i].dev, &refuse_dev);
		synchronize_srcu_expedited(&vm->srcu);
		goto out;
	}
	new->n = old->n;
	for (i = 0; i < old->n; i++)
		if (old->range[i].dev != dev &&
		    old->range[i].dev != &refuse_dev)
			new->range[n++] = old->range[i];
	new->n = n;
	bus_publish(vm, id, new, old);
out:
	mutex_unlock(&vm->bus_lock);
}

static bool range_covers(const struct bp_io_range *r, u64 addr, int len)
{
	if (!r->len)
		return addr == r->addr;
	return addr - r->addr < r->len && len <= r->len - (addr - r->addr);
}

#define bus_for_each(bus, r, a) \
	for (r = (bus)->range; r < (bus)->range + (bus)->n && r->addr <= (a); r++)

static int offer(struct bp_vcpu *vcpu, struct bp_io_device *dev, u64 addr,
		 int len, bool write, void *data)
{
	if (write)
		return dev->ops->write(vcpu, dev, addr, len, data);
	return dev->ops->read(vcpu, dev, addr, len, data);
}

int bp_bus_access(struct bp_vcpu *vcpu, enum bp_bus_id id, u64 addr, int len,
		  bool write, void *data)
{
	struct bp_io_bus *bus = srcu_dereference(vcpu->vm->buses[id],
						 &vcpu->vm->srcu);
	struct bp_io_range *r;

	if (!bus)
		return -EOPNOTSUPP;
	bus_for_each(bus, r, addr) {
		if (!range_covers(r, addr, len))
			continue;
		if (!offer(vcpu, READ_ONCE(r->dev), addr, len, write, data))
			return 0;
	}
	return -EOPNOTSUPP;
}

/* The VM goes: nobody reads any more. */
void bp_bus_free(struct bp_vm *vm)
{
	int id;

	for (id = 0; id < BP_NR_BUSES; id++)
		kfree(rcu_dereference_protected(vm->buses[id], true));
}
