// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the guest's shared pages are: in its memory, or in the VMM's.  They move by the VMM's
 * ioctls, and whoever is about to use one sees it before or after.
 */
#include <linux/mm.h>
#include <linux/uaccess.h>

#include "memory/memslot.h"
#include "xen.h"

void bp_xen_place_set(struct bp_vm *vm, struct bp_xen_place *at, struct bp_xen_place place)
{
	unsigned long flags;

	spin_lock_irqsave(&vm->xen->place_lock, flags);
	*at = place;
	spin_unlock_irqrestore(&vm->xen->place_lock, flags);
}

struct bp_xen_place bp_xen_place_get(struct bp_vm *vm, const struct bp_xen_place *at)
{
	struct bp_xen_place place;
	unsigned long flags;

	spin_lock_irqsave(&vm->xen->place_lock, flags);
	place = *at;
	spin_unlock_irqrestore(&vm->xen->place_lock, flags);
	return place;
}

static void __user *guest_at(struct bp_vm *vm, u64 gpa)
{
	const struct bp_memslot *slot = NULL;

	if (!(gpa & BP_GPA_SMM))
		slot = bp_slot_find(vm, gpa >> PAGE_SHIFT);
	if (!slot || slot->flags & KVM_MEM_READONLY)
		return NULL;
	return (void __user *)(bp_slot_hva(slot, gpa >> PAGE_SHIFT) + offset_in_page(gpa));
}

static void __user *user_at(struct bp_vm *vm, struct bp_xen_place place)
{
	switch (place.by) {
	case XEN_BY_GPA:
		return guest_at(vm, place.addr);
	case XEN_BY_HVA:
		return u64_to_user_ptr(place.addr);
	default:
		return NULL;
	}
}

int bp_xen_place_check(struct bp_vm *vm, struct bp_xen_place place, u32 len)
{
	void __user *p;
	u8 byte;

	if (offset_in_page(place.addr) + len > PAGE_SIZE)
		return -EINVAL;
	if (place.by == XEN_BY_HVA && !access_ok(u64_to_user_ptr(place.addr), len))
		return -EINVAL;
	p = user_at(vm, place);
	return !p || bp_user_read(p, &byte, sizeof(byte), BP_WAIT) ? -EFAULT : 0;
}

static int find(struct bp_vm *vm, const struct bp_xen_place *at, void __user **p)
{
	*p = user_at(vm, bp_xen_place_get(vm, at));
	return *p ? 0 : -EINVAL;
}

int bp_xen_read(struct bp_vm *vm, const struct bp_xen_place *at, u32 offset, void *buf, u32 len,
		enum bp_wait wait)
{
	void __user *p;

	return find(vm, at, &p) ?: bp_user_read(p + offset, buf, len, wait);
}

int bp_xen_write(struct bp_vm *vm, const struct bp_xen_place *at, u32 offset, const void *buf,
		 u32 len, enum bp_wait wait)
{
	void __user *p;

	return find(vm, at, &p) ?: bp_user_write(p + offset, buf, len, wait);
}

int bp_xen_or(struct bp_vm *vm, const struct bp_xen_place *at, u32 offset, u8 bits,
	      enum bp_wait wait)
{
	void __user *p;

	return find(vm, at, &p) ?: bp_user_or(p + offset, bits, wait);
}
