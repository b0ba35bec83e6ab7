// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memslots: which guest frames the VMM's memory backs.  A sorted array,
 * replaced as a whole under vm->slots_lock and read under vm->srcu.  A change
 * is in force when the ioctl returns: faults that still use the old array have
 * ended (synchronize_srcu) and what they mapped is removed.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/apicdef.h>
#include <asm/processor.h>

#include "memslot.h"
#include "mmu.h"

#define BP_SLOT_FLAGS		(KVM_MEM_LOG_DIRTY_PAGES | KVM_MEM_READONLY)
#define BP_SLOT_MAX_PAGES	((1ul << 31) - 1)
#define BP_APIC_GFN		(APIC_DEFAULT_PHYS_BASE >> PAGE_SHIFT)

struct bp_memslots *bp_slots(struct bp_vm *vm)
{
	return srcu_dereference_check(vm->slots, &vm->srcu,
				      lockdep_is_held(&vm->slots_lock));
}

struct bp_memslot *bp_slot_find(struct bp_vm *vm, u64 gfn)
{
	struct bp_memslots *slots = bp_slots(vm);
	unsigned int lo = 0, hi = slots->n, mid;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (slots->slot[mid]->gfn <= gfn)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo || gfn - slots->slot[lo - 1]->gfn >= slots->slot[lo - 1]->npages)
		return NULL;
	return slots->slot[lo - 1];
}

static struct bp_memslot *slot_by_id(struct bp_memslots *slots, u32 id)
{
	unsigned int i;

	for (i = 0; i < slots->n; i++)
		if (slots->slot[i]->id == id)
			return slots->slot[i];
	return NULL;
}

static bool overlaps(struct bp_memslots *slots, const struct bp_memslot *new)
{
	unsigned int i;

	for (i = 0; i < slots->n; i++) {
		struct bp_memslot *s = slots->slot[i];

		if (s->id != new->id && s->gfn < new->gfn + new->npages &&
		    new->gfn < s->gfn + s->npages)
			return true;
	}
	return false;
}

static bool covers_apic(const struct bp_memslot *s)
{
	return s->gfn <= BP_APIC_GFN && BP_APIC_GFN - s->gfn < s->npages;
}

int bp_slots_keep_apic(struct bp_vm *vm)
{
	int ret = 0;

	mutex_lock(&vm->slots_lock);
	if (bp_slot_find(vm, BP_APIC_GFN))
		ret = -EEXIST;
	else
		vm->apic_page = true;
	mutex_unlock(&vm->slots_lock);
	return ret;
}

/* The array with @old left out and @new put in; either may be NULL. */
static struct bp_memslots *slots_with(struct bp_memslots *slots,
				      struct bp_memslot *old,
				      struct bp_memslot *new)
{
	unsigned int cap = slots->n + 1, i, n = 0;
	struct bp_memslots *s;

	s = kvmalloc(struct_size(s, slot, cap), GFP_KERNEL_ACCOUNT);
	if (!s)
		return NULL;
	s->n = cap;
	for (i = 0; i < slots->n; i++) {
		if (slots->slot[i] == old)
			continue;
		if (new && new->gfn < slots->slot[i]->gfn) {
			s->slot[n++] = new;
			new = NULL;
		}
		s->slot[n++] = slots->slot[i];
	}
	if (new)
		s->slot[n++] = new;
	s->n = n;
	return s;
}

static int change_slots(struct bp_vm *vm, struct bp_memslot *old,
			struct bp_memslot *new)
{
	struct bp_memslots *was = bp_slots(vm), *s;

	s = slots_with(was, old, new);
	if (!s)
		return -ENOMEM;
	rcu_assign_pointer(vm->slots, s);
	synchronize_srcu_expedited(&vm->srcu);
	kvfree(was);
	if (old)
		bp_zap(vm, old->gfn, old->npages);
	if (new)
		bp_clear_marks(vm, new->gfn, new->npages);
	return 0;
}

static void free_slot(struct bp_memslot *slot)
{
	kvfree(slot->dirty);
	kfree(slot);
}

static int check_region(const struct kvm_userspace_memory_region *mem)
{
	u64 pages = mem->memory_size >> PAGE_SHIFT;
	u64 last = (mem->guest_phys_addr >> PAGE_SHIFT) + pages;

	if (mem->flags & ~BP_SLOT_FLAGS)
		return -EINVAL;
	if (mem->memory_size & ~PAGE_MASK || mem->guest_phys_addr & ~PAGE_MASK ||
	    mem->userspace_addr & ~PAGE_MASK)
		return -EINVAL;
	if (!access_ok((void __user *)(unsigned long)mem->userspace_addr,
		       mem->memory_size))
		return -EINVAL;
	if (mem->slot >= BP_NR_MEMSLOTS)
		return -EINVAL;
	if (mem->guest_phys_addr + mem->memory_size < mem->guest_phys_addr)
		return -EINVAL;
	if (pages > BP_SLOT_MAX_PAGES)
		return -EINVAL;
	if (pages && last - 1 >= 1ull << (boot_cpu_data.x86_phys_bits - PAGE_SHIFT))
		return -EINVAL;
	return 0;
}

static bool may_change(const struct bp_memslot *old, const struct bp_memslot *new)
{
	return old->hva == new->hva && old->npages == new->npages &&
	       !((old->flags ^ new->flags) & KVM_MEM_READONLY);
}

/* A slot that stays keeps its bitmap, or gets or loses one. */
static int inherit_dirty(struct bp_memslot *new, struct bp_memslot *old)
{
	if (!(new->flags & KVM_MEM_LOG_DIRTY_PAGES))
		return 0;
	if (old && old->dirty) {
		new->dirty = old->dirty;
		return 0;
	}
	return bp_dirty_alloc(new);
}

static long put_region(struct bp_vm *vm, struct bp_memslot *old,
		       const struct kvm_userspace_memory_region *mem)
{
	struct bp_memslot *new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	int ret = -EINVAL;

	if (!new)
		return -ENOMEM;
	new->id = mem->slot;
	new->flags = mem->flags;
	new->gfn = mem->guest_phys_addr >> PAGE_SHIFT;
	new->npages = mem->memory_size >> PAGE_SHIFT;
	new->hva = mem->userspace_addr;

	if (old && !may_change(old, new))
		goto fail;
	if (old && old->gfn == new->gfn && old->flags == new->flags) {
		kfree(new);
		return 0;
	}
	ret = -EEXIST;
	if (overlaps(bp_slots(vm), new) || (vm->apic_page && covers_apic(new)))
		goto fail;
	ret = inherit_dirty(new, old);
	if (ret)
		goto fail;
	ret = change_slots(vm, old, new);
	if (ret) {
		if (!old || new->dirty != old->dirty)
			kvfree(new->dirty);
		goto fail;
	}
	if (old) {
		if (old->dirty == new->dirty)
			old->dirty = NULL;
		free_slot(old);
	}
	return 0;
fail:
	kfree(new);
	return ret;
}

static long delete_region(struct bp_vm *vm, struct bp_memslot *old)
{
	int ret;

	if (!old)
		return -EINVAL;
	ret = change_slots(vm, old, NULL);
	if (!ret)
		free_slot(old);
	return ret;
}

long bp_set_memory_region(struct bp_vm *vm,
			  const struct kvm_userspace_memory_region *mem)
{
	struct bp_memslot *old;
	long ret = check_region(mem);

	if (ret)
		return ret;
	mutex_lock(&vm->slots_lock);
	old = slot_by_id(bp_slots(vm), mem->slot);
	if (!mem->memory_size)
		ret = delete_region(vm, old);
	else
		ret = put_region(vm, old, mem);
	mutex_unlock(&vm->slots_lock);
	return ret;
}

int bp_slots_init(struct bp_vm *vm)
{
	struct bp_memslots *s = kvzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);

	RCU_INIT_POINTER(vm->slots, s);
	return s ? 0 : -ENOMEM;
}

/* The VM goes: nobody reads any more. */
void bp_slots_free(struct bp_vm *vm)
{
	struct bp_memslots *s = rcu_dereference_protected(vm->slots, true);
	unsigned int i;

	if (!s)
		return;
	for (i = 0; i < s->n; i++)
		free_slot(s->slot[i]);
	kvfree(s);
}
