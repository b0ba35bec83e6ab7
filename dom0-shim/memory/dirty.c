// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dirty log: pages of a logged slot are mapped one by one and read-only;
 * the first write fault sets the page's bit and maps it writable.  Reading the
 * log takes the bits and the mappings away.  vm->mmu_lock makes "bit set" and
 * "writable" one step for both sides.
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
int bp_dirty_alloc(struct bp_memslot *slot)
{
	slot->dirty = kvzalloc(2 * bitmap_bytes(slot), GFP_KERNEL_ACCOUNT);
	return slot->dirty ? 0 : -ENOMEM;
}

void bp_dirty_mark(struct bp_memslot *slot, u64 gfn)
{
	if (slot->dirty)
		set_bit(gfn - slot->gfn, slot->dirty);
}

static struct bp_memslot *logged_slot(struct bp_vm *vm, u32 id)
{
	struct bp_memslots *slots = bp_slots(vm);
	unsigned int i;

	for (i = 0; i < slots->n; i++)
		if (slots->slot[i]->id == id && slots->slot[i]->dirty)
			return slots->slot[i];
	return NULL;
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
 * that this call reports, before it returns.
 */
static unsigned long take_word(struct bp_vm *vm, struct bp_memslot *slot,
			       unsigned long i)
{
	unsigned long bits;

	spin_lock(&vm->mmu_lock);
	bits = xchg(&slot->dirty[i], 0);
	spin_unlock(&vm->mmu_lock);
	return bits;
}

long bp_get_dirty_log(struct bp_vm *vm, const struct kvm_dirty_log *log)
{
	struct bp_memslot *slot;
	unsigned long *out, i, words;
	long ret = 0;

	if (log->slot >= BP_NR_MEMSLOTS)
		return -EINVAL;
	mutex_lock(&vm->slots_lock);
	slot = logged_slot(vm, log->slot);
	if (!slot) {
		ret = -ENOENT;
		goto unlock;
	}
	words = BITS_TO_LONGS(slot->npages);
	out = slot->dirty + words;
	for (i = 0; i < words; i++) {
		out[i] = READ_ONCE(slot->dirty[i]) ? take_word(vm, slot, i) : 0;
		unmap_bits(vm, slot->gfn + i * BITS_PER_LONG, out[i]);
		cond_resched();
	}
	if (copy_to_user(log->dirty_bitmap, out, bitmap_bytes(slot)))
		ret = -EFAULT;
unlock:
	mutex_unlock(&vm->slots_lock);
	return ret;
}
