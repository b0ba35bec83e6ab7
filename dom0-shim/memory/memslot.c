// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memslots: which guest frames the VMM's memory backs.  A maple tree by gfn and
 * an array by number, changed under vm->slots_lock; a slot itself never changes
 * but is replaced, and is read under vm->srcu.  A change is in force when the
 * ioctl returns: faults that still use the old slot have ended
 * (synchronize_srcu) and what they mapped is removed, or protected.  Where none was before,
 * faults that found none have made an MMIO exit, or a mark that is removed.
 *
 * MMU notifiers find slots by hva, in a tree that has each slot for as long as it may be
 * mapped.
 */
#include <linux/maple_tree.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/apicdef.h>
#include <asm/processor.h>

#include "channel/hypercall.h"
#include "guest_memfd.h"
#include "memslot.h"
#include "mmu.h"
#include "nx.h"

#define BP_SLOT_MAX_PAGES	((1ul << 31) - 1)
#define BP_APIC_GFN		(APIC_DEFAULT_PHYS_BASE >> PAGE_SHIFT)

/* How many frame numbers a slot can have: with others Bedplate would refuse to unmap it. */
static u64 gfn_end(void)
{
	return 1ull << min_t(u32, boot_cpu_data.x86_phys_bits - PAGE_SHIFT, BP_GFN_BITS);
}

struct bp_memslot *bp_slot_find(struct bp_vm *vm, u64 gfn)
{
	return mtree_load(&vm->slots, gfn);
}

static u64 last_gfn(const struct bp_memslot *s)
{
	return s->gfn + s->npages - 1;
}

static bool overlaps(struct bp_vm *vm, const struct bp_memslot *new)
{
	unsigned long index = new->gfn;
	struct bp_memslot *s;

	mt_for_each(&vm->slots, s, index, last_gfn(new))
		if (s->id != new->id)
			return true;
	return false;
}

static bool covers_apic(const struct bp_memslot *s)
{
	u64 gfn = s->gfn & ~BP_GFN_SMM;

	return gfn <= BP_APIC_GFN && BP_APIC_GFN - gfn < s->npages;
}

int bp_slots_keep_apic(struct bp_vm *vm)
{
	int ret = 0;

	mutex_lock(&vm->slots_lock);
	if (bp_slot_find(vm, BP_APIC_GFN) || bp_slot_find(vm, BP_APIC_GFN | BP_GFN_SMM))
		ret = -EEXIST;
	else
		vm->apic_page = true;
	mutex_unlock(&vm->slots_lock);
	return ret;
}

/* What two changes are made of must not fail in between. */
#define GFP_SURE	(GFP_KERNEL | __GFP_NOFAIL)

static void set_range(struct bp_vm *vm, u64 first, u64 last, struct bp_memslot *s)
{
	WARN_ON_ONCE(mtree_store_range(&vm->slots, first, last, s, GFP_SURE));
}

/* @old's frames that @new does not have are nobody's.  Never both are absent. */
static void publish(struct bp_vm *vm, const struct bp_memslot *old,
		    struct bp_memslot *new)
{
	u64 first = 1, last = 0;	/* of @new; none */

	if (new) {
		first = new->gfn;
		last = last_gfn(new);
		set_range(vm, first, last, new);
	}
	if (!old)
		return;
	if (!new || first > last_gfn(old) || last < old->gfn) {
		set_range(vm, old->gfn, last_gfn(old), NULL);
		return;
	}
	if (old->gfn < first)
		set_range(vm, old->gfn, first - 1, NULL);
	if (last_gfn(old) > last)
		set_range(vm, last + 1, last_gfn(old), NULL);
}

/*
 * What faults have mapped by @old.  Where @new is in its place and has a log, which
 * does not know of all pages already, writes are to be noticed; where it has none any
 * more, large pages can be mapped again.
 */
static void change_mappings(struct bp_vm *vm, const struct bp_memslot *old,
			    const struct bp_memslot *new)
{
	if (!new || new->gfn != old->gfn) {
		bp_zap_many(vm, old->gfn, old->npages);
		bp_nx_forget(vm, old->gfn, old->npages);
	} else if (!new->dirty) {
		bp_zap_parts(vm, new);
		bp_nx_forget(vm, new->gfn, new->npages);
	} else if (!bp_dirty_initially(vm)) {
		bp_protect(vm, new->gfn, new->npages);
		bp_hc_flush_tlb(vm->dom);
	}
}

static void hva_insert(struct bp_vm *vm, struct bp_memslot *s)
{
	s->hva_node.start = s->hva;
	s->hva_node.last = s->hva + (s->npages << PAGE_SHIFT) - 1;
	write_lock(&vm->hva_lock);
	interval_tree_insert(&s->hva_node, &vm->hva_tree);
	write_unlock(&vm->hva_lock);
}

/* From here on it may be mapped, and not be found by gfn. */
static void hva_going(struct bp_vm *vm, struct bp_memslot *s)
{
	write_lock(&vm->hva_lock);
	vm->slot_going = s;
	write_unlock(&vm->hva_lock);
}

static void hva_remove(struct bp_vm *vm, struct bp_memslot *s)
{
	write_lock(&vm->hva_lock);
	interval_tree_remove(&s->hva_node, &vm->hva_tree);
	vm->slot_going = NULL;
	write_unlock(&vm->hva_lock);
}

/* @old goes, @new comes; either may be NULL. */
static void change_slots(struct bp_vm *vm, struct bp_memslot *old,
			 struct bp_memslot *new)
{
	/* One that moves takes its log along: what is noted from here on would be of no slot. */
	if (old && new && new->gfn != old->gfn && old->dirty)
		bp_zap_many(vm, old->gfn, old->npages);
	/* Of the slot that is there yet: another's log does not begin with that. */
	bp_dirty_collect(vm);
	if (new)
		hva_insert(vm, new);
	if (old)
		hva_going(vm, old);
	publish(vm, old, new);
	xa_store(&vm->slot_ids, new ? new->id : old->id, new, GFP_SURE);
	if (old) {
		synchronize_srcu_expedited(&vm->srcu);
		change_mappings(vm, old, new);
		hva_remove(vm, old);
	}
	if (new)
		bp_clear_marks(vm, new->gfn, new->npages);
}

static void free_slot(struct bp_vm *vm, struct bp_memslot *slot)
{
	bp_memfd_unbind(vm, slot);
	kvfree(slot->dirty);
	kfree(slot);
}

/* Writes to private memory are not logged, and it is never read-only. */
static bool flags_valid(const struct bp_vm *vm, u32 flags)
{
	if (flags & KVM_MEM_GUEST_MEMFD)
		return vm->has_private && flags == KVM_MEM_GUEST_MEMFD;
	return !(flags & ~(KVM_MEM_LOG_DIRTY_PAGES | KVM_MEM_READONLY));
}

static bool memfd_valid(const struct kvm_userspace_memory_region2 *mem)
{
	u64 offset = mem->guest_memfd_offset;

	if (!(mem->flags & KVM_MEM_GUEST_MEMFD))
		return true;
	return PAGE_ALIGNED(offset) && offset + mem->memory_size >= offset;
}

static int check_region(const struct bp_vm *vm,
			const struct kvm_userspace_memory_region2 *mem)
{
	u64 pages = mem->memory_size >> PAGE_SHIFT;
	u64 last = (mem->guest_phys_addr >> PAGE_SHIFT) + pages;

	if (!flags_valid(vm, mem->flags) || !memfd_valid(mem))
		return -EINVAL;
	if (mem->memory_size & ~PAGE_MASK || mem->guest_phys_addr & ~PAGE_MASK ||
	    mem->userspace_addr & ~PAGE_MASK)
		return -EINVAL;
	if (!access_ok((void __user *)(unsigned long)mem->userspace_addr,
		       mem->memory_size))
		return -EINVAL;
	if (!bp_slot_id_valid(vm, mem->slot))
		return -EINVAL;
	if (mem->guest_phys_addr + mem->memory_size < mem->guest_phys_addr)
		return -EINVAL;
	if (pages > BP_SLOT_MAX_PAGES)
		return -EINVAL;
	if (pages && last > gfn_end())
		return -EINVAL;
	return 0;
}

static bool may_change(const struct bp_memslot *old, const struct bp_memslot *new)
{
	return old->hva == new->hva && old->npages == new->npages &&
	       !((old->flags | new->flags) & KVM_MEM_GUEST_MEMFD) &&
	       !((old->flags ^ new->flags) & KVM_MEM_READONLY);
}

/* A slot that stays keeps its bitmap, or gets or loses one. */
static int inherit_dirty(struct bp_vm *vm, struct bp_memslot *new,
			 struct bp_memslot *old)
{
	if (!(new->flags & KVM_MEM_LOG_DIRTY_PAGES))
		return 0;
	if (old && old->dirty) {
		new->dirty = old->dirty;
		return 0;
	}
	return bp_dirty_alloc(vm, new);
}

static int bind(struct bp_vm *vm, struct bp_memslot *new,
		const struct kvm_userspace_memory_region2 *mem)
{
	if (!(new->flags & KVM_MEM_GUEST_MEMFD))
		return 0;
	return bp_memfd_bind(vm, new, mem->guest_memfd, mem->guest_memfd_offset);
}

static long put_region(struct bp_vm *vm, struct bp_memslot *old,
		       const struct kvm_userspace_memory_region2 *mem)
{
	struct bp_memslot *new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
	int ret = -EINVAL;

	if (!new)
		return -ENOMEM;
	new->id = mem->slot;
	new->flags = mem->flags;
	new->gfn = mem->guest_phys_addr >> PAGE_SHIFT | (mem->slot >> 16 ? BP_GFN_SMM : 0);
	new->npages = mem->memory_size >> PAGE_SHIFT;
	new->hva = mem->userspace_addr;

	if (old && !may_change(old, new))
		goto fail;
	if (old && old->gfn == new->gfn && old->flags == new->flags) {
		kfree(new);
		return 0;
	}
	ret = -EEXIST;
	if (overlaps(vm, new) || (vm->apic_page && covers_apic(new)))
		goto fail;
	/* Never both of them; so nothing is to be undone. */
	ret = inherit_dirty(vm, new, old) ?: bind(vm, new, mem);
	if (ret)
		goto fail;
	change_slots(vm, old, new);
	if (old) {
		if (old->dirty == new->dirty)
			old->dirty = NULL;
		free_slot(vm, old);
	}
	return 0;
fail:
	kfree(new);
	return ret;
}

static long delete_region(struct bp_vm *vm, struct bp_memslot *old)
{
	if (!old)
		return -EINVAL;
	change_slots(vm, old, NULL);
	free_slot(vm, old);
	return 0;
}

long bp_set_memory_region(struct bp_vm *vm,
			  const struct kvm_userspace_memory_region2 *mem)
{
	struct bp_memslot *old;
	long ret = check_region(vm, mem);

	if (ret)
		return ret;
	mutex_lock(&vm->slots_lock);
	old = xa_load(&vm->slot_ids, mem->slot);
	if (!mem->memory_size)
		ret = delete_region(vm, old);
	else
		ret = put_region(vm, old, mem);
	mutex_unlock(&vm->slots_lock);
	return ret;
}

void bp_slots_init(struct bp_vm *vm)
{
	mutex_init(&vm->slots_lock);
	mutex_init(&vm->memfd_lock);
	mt_init_flags(&vm->slots, MT_FLAGS_ALLOC_RANGE | MT_FLAGS_USE_RCU);
	xa_init(&vm->slot_ids);
	rwlock_init(&vm->hva_lock);
	vm->hva_tree = RB_ROOT_CACHED;
}

/* The VM goes: nobody reads any more. */
void bp_slots_free(struct bp_vm *vm)
{
	struct bp_memslot *s;
	unsigned long id;

	/* Not by RCU: Linux 6.12's mt_free_walk() takes metadata for a node. */
	mt_clear_in_rcu(&vm->slots);
	mtree_destroy(&vm->slots);
	xa_for_each(&vm->slot_ids, id, s)
		free_slot(vm, s);
	xa_destroy(&vm->slot_ids);
}
