// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dirty log: when it begins, the guest loses the right to write to the slot's
 * pages, and large mappings become small ones; the first write fault sets the
 * page's bit and gives the right back.  Reading the log takes bits and rights away,
 * or, if the VMM has chosen so, only KVM_CLEAR_DIRTY_LOG does.  A page whose bit is
 * set may be mapped writable at once.  vm->mmu_lock makes "bit set" and "writable"
 * one step for both sides.
 *
 * Bedplate gives the right back by itself where it was taken by PROTECT, and notes the page in
 * the vCPU's page, as Intel's page-modification logging would: these notes become bits before the log
 * is looked at.  A page written meanwhile keeps its note for the next time.
 */
#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

#include "channel/hypercall.h"
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

/* vm->mmu_lock is held. */
static void collect(struct bp_vcpu *vcpu)
{
	struct bp_vcpu_page *page = vcpu->page;
	u32 tail = page->log_tail, head = smp_load_acquire(&page->log_head); /* notes before it are written */
	struct bp_memslot *slot;
	u64 gfn;

	while (tail != head) {
		gfn = READ_ONCE(page->log[tail++ % BP_LOG_SLOTS]);
		slot = bp_slot_find(vcpu->vm, gfn);
		if (slot && slot->dirty)
			set_bit(gfn - slot->gfn, slot->dirty);
	}
	smp_store_release(&page->log_tail, tail); /* they are read, and Bedplate's again */
}

/* If there are @least notes. */
static void collect_locked(struct bp_vcpu *vcpu, u32 least)
{
	if (READ_ONCE(vcpu->page->log_head) - READ_ONCE(vcpu->page->log_tail) < least)
		return;
	spin_lock(&vcpu->vm->mmu_lock);
	collect(vcpu);
	spin_unlock(&vcpu->vm->mmu_lock);
}

void bp_dirty_collect(struct bp_vm *vm)
{
	unsigned int i, n = smp_load_acquire(&vm->nr_vcpus); /* pairs with bp_vcpu_create() */

	for (i = 0; i < n; i++)
		collect_locked(bp_vcpu_at(vm, i), 1);
}

void bp_dirty_make_room(struct bp_vcpu *vcpu)
{
	collect_locked(vcpu, BP_LOG_SLOTS);
}

static struct bp_memslot *logged_slot(struct bp_vm *vm, u32 id)
{
	struct bp_memslot *slot = xa_load(&vm->slot_ids, id);

	return slot && slot->dirty ? slot : NULL;
}

/* Pages whose bits are gone and that the guest may still write to: those next to each other. */
struct run {
	struct bp_vm *vm;
	u64 gfn;
	u64 n;
	bool any;		/* some have been protected: flush in the end */
};

static void run_end(struct run *r)
{
	if (!r->n)
		return;
	bp_protect(r->vm, r->gfn, r->n);
	r->any = true;
	r->n = 0;
}

static void run_add(struct run *r, u64 gfn, unsigned long bits)
{
	unsigned int i;

	for_each_set_bit(i, &bits, BITS_PER_LONG) {
		if (gfn + i != r->gfn + r->n)
			run_end(r);
		if (!r->n)
			r->gfn = gfn + i;
		r->n++;
	}
}

static void run_flush(struct run *r)
{
	run_end(r);
	if (r->any)
		bp_hc_flush_tlb(r->vm->dom);
}

/*
 * A write between taking the bits and the flush lands in a page that the VMM has
 * still to read: GET reports it, CLEAR was told of it.
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

static void forget(struct run *r, struct bp_memslot *slot, unsigned long i, unsigned long mask)
{
	run_add(r, slot->gfn + i * BITS_PER_LONG, take_word(r->vm, slot, i, mask));
}

void bp_dirty_forget(struct bp_vm *vm, u32 id, u64 word, unsigned long mask)
{
	struct bp_memslot *slot = logged_slot(vm, id);
	struct run r = { .vm = vm };

	if (!slot || word >= BITS_TO_LONGS(slot->npages))
		return;
	forget(&r, slot, word, mask);
	run_end(&r);
}

static unsigned long *log_copy(const struct bp_memslot *slot)
{
	return slot->dirty + BITS_TO_LONGS(slot->npages);
}

static void take_all(struct bp_vm *vm, struct bp_memslot *slot)
{
	unsigned long *out = log_copy(slot), i;
	struct run r = { .vm = vm };

	for (i = 0; i < BITS_TO_LONGS(slot->npages); i++) {
		out[i] = READ_ONCE(slot->dirty[i]) ? take_word(vm, slot, i, ~0ul) : 0;
		run_add(&r, slot->gfn + i * BITS_PER_LONG, out[i]);
		cond_resched();
	}
	run_flush(&r);
}

static long get_log(struct bp_vm *vm, const struct kvm_dirty_log *log)
{
	struct bp_memslot *slot = logged_slot(vm, log->slot);
	const unsigned long *from;

	if (!slot)
		return -ENOENT;
	bp_dirty_collect(vm);
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
	struct run r = { .vm = vm };

	if (!slot)
		return -ENOENT;
	if (!clear_fits(slot, log))
		return -EINVAL;
	n = BITS_TO_LONGS(log->num_pages);
	in = log_copy(slot);
	if (copy_from_user(in, log->dirty_bitmap, n * sizeof(*in)))
		return -EFAULT;
	bp_dirty_collect(vm);
	for (i = 0; i < n; i++) {
		if (in[i])
			forget(&r, slot, first + i, in[i]);
		cond_resched();
	}
	run_flush(&r);
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
