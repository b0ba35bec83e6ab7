// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dirty ring (KVM_CAP_DIRTY_LOG_RING): each vCPU hands user space the pages that
 * it writes first, by a ring that both map.  The bitmaps of dirty.c stay, to know
 * what has been handed out; user space never sees them then.
 *
 * An entry is the vCPU's thread's until it is DIRTY, user space's until it is RESET,
 * and KVM_RESET_DIRTY_RINGS' until its flags are 0 again.  What user space writes
 * meanwhile is checked as an argument of that ioctl.
 */
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/vmalloc.h>

#include "channel/hypercall.h"
#include "memslot.h"
#include "mmu.h"

/* Entries beyond the mark where a vCPU is stopped: those of one exit fit there. */
#define RESERVED	64

long bp_dirty_ring_enable(struct bp_vm *vm, u64 bytes)
{
	long ret = -EINVAL;

	if (!bytes || bytes & (bytes - 1) || bytes < PAGE_SIZE)
		return -EINVAL;
	if (bytes > BP_DIRTY_RING_MAX)
		return -E2BIG;
	mutex_lock(&vm->lock);
	if (!vm->dirty_ring_bytes && !vm->nr_vcpus) {
		WRITE_ONCE(vm->dirty_ring_bytes, bytes);
		ret = 0;
	}
	mutex_unlock(&vm->lock);
	return ret;
}

int bp_dirty_ring_alloc(struct bp_vcpu *vcpu)
{
	struct bp_dirty_ring *ring = &vcpu->dirty_ring;
	u32 bytes = vcpu->vm->dirty_ring_bytes;

	if (!bytes)
		return 0;
	ring->gfns = __vmalloc(bytes, GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!ring->gfns)
		return -ENOMEM;
	ring->size = bytes / sizeof(*ring->gfns);
	return 0;
}

void bp_dirty_ring_free(struct bp_vcpu *vcpu)
{
	vfree(vcpu->dirty_ring.gfns);
}

struct page *bp_dirty_ring_page(const struct bp_vcpu *vcpu, unsigned long pgoff)
{
	const struct bp_dirty_ring *ring = &vcpu->dirty_ring;

	if (!ring->gfns || pgoff < KVM_DIRTY_LOG_PAGE_OFFSET ||
	    pgoff - KVM_DIRTY_LOG_PAGE_OFFSET >= vcpu->vm->dirty_ring_bytes >> PAGE_SHIFT)
		return NULL;
	return vmalloc_to_page((void *)ring->gfns +
			       ((pgoff - KVM_DIRTY_LOG_PAGE_OFFSET) << PAGE_SHIFT));
}

bool bp_dirty_ring_full(const struct bp_vcpu *vcpu)
{
	const struct bp_dirty_ring *ring = &vcpu->dirty_ring;

	return ring->gfns &&
	       ring->dirty - READ_ONCE(ring->reset) >= ring->size - RESERVED;
}

bool bp_dirty_ring_push(struct bp_vcpu *vcpu, const struct bp_memslot *slot, u64 gfn)
{
	struct bp_dirty_ring *ring = &vcpu->dirty_ring;
	struct kvm_dirty_gfn *entry;

	if (!ring->gfns)
		return true;
	/*
	 * Who may write more than RESERVED pages has looked in between. A VMM that sets registers
	 * in the midst of an access may begin it with other pages each time: the loss is its own.
	 */
	if (ring->dirty - READ_ONCE(ring->reset) >= ring->size)
		return false;
	entry = &ring->gfns[ring->dirty & (ring->size - 1)];
	entry->slot = slot->id;
	entry->offset = gfn - slot->gfn;
	smp_store_release(&entry->flags, KVM_DIRTY_GFN_F_DIRTY); /* user space reads it first */
	WRITE_ONCE(ring->dirty, ring->dirty + 1);
	return true;
}

/* ---- KVM_RESET_DIRTY_RINGS; vm->slots_lock is held ---- */

/* Pages of one slot and word of its bitmap, to be noticed again. */
struct batch {
	u32 slot;
	u64 word;
	unsigned long mask;
};

static void flush(struct bp_vm *vm, struct batch *b)
{
	if (b->mask)
		bp_dirty_forget(vm, b->slot, b->word, b->mask);
	b->mask = 0;
}

static void add(struct bp_vm *vm, struct batch *b, u32 slot, u64 offset)
{
	if (slot != b->slot || offset / BITS_PER_LONG != b->word) {
		flush(vm, b);
		b->slot = slot;
		b->word = offset / BITS_PER_LONG;
	}
	b->mask |= BIT(offset % BITS_PER_LONG);
}

static long reset_ring(struct bp_vm *vm, struct bp_dirty_ring *ring)
{
	struct kvm_dirty_gfn *entry;
	struct batch b = { 0 };
	long n = 0;

	/* Only those that were filled, whatever user space has put into others; once round. */
	for (; ring->reset != READ_ONCE(ring->dirty) && n < ring->size; n++) {
		if (fatal_signal_pending(current))
			break;
		entry = &ring->gfns[ring->reset & (ring->size - 1)];
		/* Pairs with user space, which has read the rest before. */
		if (!(smp_load_acquire(&entry->flags) & KVM_DIRTY_GFN_F_RESET))
			break;
		add(vm, &b, READ_ONCE(entry->slot), READ_ONCE(entry->offset));
		smp_store_release(&entry->flags, 0); /* user space may look for DIRTY */
		WRITE_ONCE(ring->reset, ring->reset + 1);
		cond_resched();
	}
	flush(vm, &b);
	return n;
}

long bp_dirty_rings_reset(struct bp_vm *vm)
{
	unsigned int i, n = smp_load_acquire(&vm->nr_vcpus); /* pairs with bp_vcpu_create() */
	long done = 0;

	if (!READ_ONCE(vm->dirty_ring_bytes))
		return -EINVAL;
	mutex_lock(&vm->slots_lock);
	for (i = 0; i < n; i++)
		done += reset_ring(vm, &bp_vcpu_at(vm, i)->dirty_ring);
	if (done)
		bp_hc_flush_tlb(vm->dom);
	mutex_unlock(&vm->slots_lock);
	return done;
}
