// SPDX-License-Identifier: GPL-2.0-only
/*
 * Coalesced MMIO and port writes: the VMM reads them later, from a ring in a
 * page that all vCPUs' mappings share.  The VMM may write anything into it.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "bus.h"
#include "coalesced.h"

#define RING_SLOTS ((PAGE_SIZE - sizeof(struct kvm_coalesced_mmio_ring)) / \
		    sizeof(struct kvm_coalesced_mmio))

struct czone {
	struct bp_io_device dev;
	struct list_head link;
	struct kvm_coalesced_mmio_zone z;
};

static int zone_read(struct bp_vcpu *vcpu, struct bp_io_device *dev, u64 addr,
		     int len, void *val)
{
	return -EOPNOTSUPP;
}

static int zone_write(struct bp_vcpu *vcpu, struct bp_io_device *dev, u64 addr,
		      int len, const void *val)
{
	struct czone *zone = container_of(dev, struct czone, dev);
	struct bp_vm *vm = vcpu->vm;
	struct kvm_coalesced_mmio_ring *ring = page_address(vm->coalesced_page);
	struct kvm_coalesced_mmio *slot;
	int ret = -EOPNOTSUPP;
	u32 last, next;

	spin_lock(&vm->coalesced_lock);
	last = READ_ONCE(ring->last);
	next = (last + 1) % RING_SLOTS;
	if (last >= RING_SLOTS || next == READ_ONCE(ring->first))
		goto out;
	slot = &ring->coalesced_mmio[last];
	slot->phys_addr = addr;
	slot->len = len;
	slot->pio = zone->z.pio;
	memcpy(slot->data, val, len);
	/* The VMM finds the slot filled. */
	smp_store_release(&ring->last, next);
	ret = 0;
out:
	spin_unlock(&vm->coalesced_lock);
	return ret;
}

static const struct bp_io_ops zone_ops = { zone_read, zone_write };

static enum bp_bus_id zone_bus(const struct czone *zone)
{
	return zone->z.pio ? BP_BUS_PIO : BP_BUS_MMIO;
}

long bp_coalesced_register(struct bp_vm *vm,
			   const struct kvm_coalesced_mmio_zone *z)
{
	struct czone *zone;
	int ret;

	if (z->pio > 1)
		return -EINVAL;
	zone = kzalloc(sizeof(*zone), GFP_KERNEL_ACCOUNT);
	if (!zone)
		return -ENOMEM;
	zone->dev.ops = &zone_ops;
	zone->z = *z;

	mutex_lock(&vm->slots_lock);
	ret = bp_bus_register(vm, zone_bus(zone), z->addr, z->size, &zone->dev);
	if (ret)
		kfree(zone);
	else
		list_add_tail(&zone->link, &vm->coalesced_zones);
	mutex_unlock(&vm->slots_lock);
	return ret;
}

static bool zone_within(const struct czone *zone,
			const struct kvm_coalesced_mmio_zone *z)
{
	return zone->z.pio == z->pio && z->addr >= zone->z.addr &&
	       z->addr + z->size <= zone->z.addr + zone->z.size;
}

long bp_coalesced_unregister(struct bp_vm *vm,
			     const struct kvm_coalesced_mmio_zone *z)
{
	struct czone *zone, *next;

	if (z->pio > 1)
		return -EINVAL;
	mutex_lock(&vm->slots_lock);
	list_for_each_entry_safe(zone, next, &vm->coalesced_zones, link) {
		if (!zone_within(zone, z))
			continue;
		bp_bus_unregister(vm, zone_bus(zone), &zone->dev);
		list_del(&zone->link);
		kfree(zone);
	}
	mutex_unlock(&vm->slots_lock);
	return 0;
}

int bp_coalesced_init(struct bp_vm *vm)
{
	spin_lock_init(&vm->coalesced_lock);
	INIT_LIST_HEAD(&vm->coalesced_zones);
	vm->coalesced_page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	return vm->coalesced_page ? 0 : -ENOMEM;
}

/* The VM goes. */
void bp_coalesced_free(struct bp_vm *vm)
{
	struct czone *zone, *next;

	list_for_each_entry_safe(zone, next, &vm->coalesced_zones, link)
		kfree(zone);
	if (vm->coalesced_page)
		put_page(vm->coalesced_page);
}
