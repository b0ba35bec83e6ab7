// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dirty log: pages of a logged slot are mapped one by one and read-only;
 * the first write fault sets the page's bit and maps it writable.  Reading the
 * log takes the bits and the mappings away, or, if the VMM has chosen so, only
 * KVM_CLEAR_DIRTY_LOG does.  A page whose bit is set may be mapped writable at
 * once.  vm->mmu_lock makes "bit set" and "writable" one step for both sides.
 */
#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

#include "memslot.h"
#include "mmu.h"

static size_t bitmap_bytes(const struct bp_memslot *slot)
{
	return BITS_TO_LONGS(slot->npages) * sizeof(unsigned long);
}

/* Twice the size: the second half collects what the log hands out. */
int bp_dirty_alloc(struct bp_vm *vm, struct bp_memslot *slot)
{
	slot->dirty = kvzalloc(2 * bitmap_bytes(slot), GFP_KERNEL_ACCOUNT);
	if (!slot->dirty)
		return -ENOMEM;
	if (bp_dirty_initially(vm))
		bitmap_set(slot->dirty, 0, slot->npages);
	return 0;
}

bool bp_dirty_initially(const struct bp_vm *vm)
{
	return vm->manual_dirty & KVM_DIRTY_LOG_INITIALLY_SET && !vm->dirty_ring_bytes;
}

long bp_dirty_manual(struct bp_vm *vm, u64 caps)
{
	u64 allowed = KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE;

	if (caps & KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE)
		allowed |= KVM_DIRTY_LOG_INITIALLY_SET;
	if (caps & ~allowed)
		return -EINVAL;
	mutex_lock(&vm->slots_lock);
	vm->manual_dirty = caps;
	mutex_unlock(&vm->slots_lock);
	return 0;
}

void bp_dirty_mark(struct bp_vcpu *vcpu, struct bp_memslot *slot, u64 gfn)
{
	if (slot->dirty && !test_and_set_bit(gfn - slot->gfn, slot->dirty) &&
	    !bp_dirty_ring_push(vcpu, slot, gfn))
		clear_bit(gfn - slot->gfn, slot->dirty);
}

bool bp_dirty_known(const struct bp_memslot *slot, u64 gfn)
{
	return !slot->dirty || test_bit(gfn - slot->gfn, slot->dirty);
}

static struct bp_memslot *logged_slot(struct bp_vm *vm, u32 id)
{
	struct bp_memslot *slot = xa_load(&vm->slot_ids, id);

	return slot && slot->dirty ? slot : NULL;
}

static void unmap_bits(struct bp_vm *vm, u64 gfn, unsigned long bits)
{
	unsigned long first, n;

	while (bits) {
		first = __ffs(bits);
		n = ~(bits >> first) ? __ffs(~(bits >> first)) :
				       BITS_PER_LONG - first;
		n = min_t(unsigned long, n, BITS_PER_LONG - first);
		bp_zap(vm, gfn + first, n);
		if (first + n >= BITS_PER_LONG)
			break;
		bits &= ~0ul << (first + n);
	}
}

/*
 * A write between taking the bits and removing the mapping lands in a page
 * that the VMM has still to read: GET reports it, CLEAR was told of it.
 */
static unsigned long take_word(struct bp_vm *vm, struct bp_memslot *slot,
			       unsigned long i, unsigned long mask)
{
	unsigned long bits;

	spin_lock(&vm->mmu_lock);
	bits = atomic_long_fetch_andnot(mask, (atomic_long_t *)&slot->dirty[i]);
	spin_unlock(&vm->mmu_lock);
	return bits & mask;
}

void bp_dirty_forget(struct bp_vm *vm, u32 id, u64 word, unsigned long mask)
{
	struct bp_memslot *slot = logged_slot(vm, id);

	if (!slot || word >= BITS_TO_LONGS(slot->npages))
		return;
	unmap_bits(vm, slot->gfn + word * BITS_PER_LONG, take_word(vm, slot, word, mask));
}

static unsigned long *log_copy(const struct bp_memslot *slot)
{
	return slot->dirty + BITS_TO_LONGS(slot->npages);
}

static void take_all(struct bp_vm *vm, struct bp_memslot *slot)
{
	unsigned long *out = log_copy(slot), i;

	for (i = 0; i < BITS_TO_LONGS(slot->npages); i++) {
		out[i] = READ_ONCE(slot->dirty[i]) ? take_word(vm, slot, i, ~0ul) : 0;
		unmap_bits(vm, slot->gfn + i * BITS_PER_LONG, out[i]);
		cond_resched();
	}
}

static long get_log(struct bp_vm *vm, const struct kvm_dirty_log *log)
{
	struct bp_memslot *slot = logged_slot(vm, log->slot);
	const unsigned long *from;

	if (!slot)
		return -ENOENT;
	from = slot->dirty;
	if (!vm->manual_dirty) {
		take_all(vm, slot);
		from = log_copy(slot);
	}
	return copy_to_user(log->dirty_bitmap, from, bitmap_bytes(slot)) ? -EFAULT : 0;
}

long bp_get_dirty_log(struct bp_vm *vm, const struct kvm_dirty_log *log)
{
	long ret;

	if (READ_ONCE(vm->dirty_ring_bytes))
		return -ENXIO;
	if (!bp_slot_id_valid(vm, log->slot))
		return -EINVAL;
	mutex_lock(&vm->slots_lock);
	ret = get_log(vm, log);
	mutex_unlock(&vm->slots_lock);
	return ret;
}

/* From a multiple of 64 pages to another, or to the slot's end. */
static bool clear_fits(const struct bp_memslot *slot,
		       const struct kvm_clear_dirty_log *log)
{
	u64 left = slot->npages - log->first_page;

	return log->first_page <= slot->npages && log->num_pages <= left &&
	       (log->num_pages == left || !(log->num_pages % BITS_PER_LONG));
}

static long clear_log(struct bp_vm *vm, const struct kvm_clear_dirty_log *log)
{
	struct bp_memslot *slot = logged_slot(vm, log->slot);
	unsigned long first = log->first_page / BITS_PER_LONG, *in, i, n;

	if (!slot)
		return -ENOENT;
	if (!clear_fits(slot, log))
		return -EINVAL;
	n = BITS_TO_LONGS(log->num_pages);
	in = log_copy(slot);
	if (copy_from_user(in, log->dirty_bitmap, n * sizeof(*in)))
		return -EFAULT;
	for (i = 0; i < n; i++) {
		if (!in[i])
			continue;
		unmap_bits(vm, slot->gfn + (first + i) * BITS_PER_LONG,
			   take_word(vm, slot, first + i, in[i]));
		cond_resched();
	}
	return 0;
}

long bp_clear_dirty_log(struct bp_vm *vm, const struct kvm_clear_dirty_log *log)
{
	long ret;

	if (READ_ONCE(vm->dirty_ring_bytes))
		return -ENXIO;
	if (!bp_slot_id_valid(vm, log->slot) || log->first_page % BITS_PER_LONG)
		return -EINVAL;
	mutex_lock(&vm->slots_lock);
	ret = clear_log(vm, log);
	mutex_unlock(&vm->slots_lock);
	return ret;
}
