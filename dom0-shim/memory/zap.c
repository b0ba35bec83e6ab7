// SPDX-License-Identifier: GPL-2.0-only
/*
 * Taking mappings, or the right to write, away: for memslots that change, for the dirty
 * log, and for the MMU notifiers of the VMM's address space.
 *
 * The notifier's protocol is that of KVM: between start and end of an
 * invalidation nothing in its range is mapped (mmu_in_progress), and a fault
 * that looked up its page before the end is started anew (mmu_seq).
 */
#include <linux/interval_tree.h>
#include <linux/mm.h>
#include <linux/pgtable.h>

#include "channel/hypercall.h"
#include "donate.h"
#include "memslot.h"
#include "mmu.h"

/* However much a VMM has mapped, by one page in many places even, others get the CPU too. */
static void zap(struct bp_vm *vm, u64 gfn, u64 npages, bool may_sleep)
{
	long done;

	while (npages) {
		done = bp_hc_unmap(vm->dom, gfn, npages);
		if (WARN_ON_ONCE(done <= 0) || done >= npages)
			return;
		gfn += done;
		npages -= done;
		if (may_sleep)
			cond_resched();
	}
}

void bp_zap(struct bp_vm *vm, u64 gfn, u64 npages)
{
	zap(vm, gfn, npages, false);
}

void bp_zap_many(struct bp_vm *vm, u64 gfn, u64 npages)
{
	zap(vm, gfn, npages, true);
}

void bp_zap_settled(struct bp_vm *vm, u64 gfn, u64 npages)
{
	/* Who had the lock has mapped what was to be seen before. */
	spin_lock(&vm->mmu_lock);
	spin_unlock(&vm->mmu_lock);
	bp_zap_many(vm, gfn, npages);
}

bool bp_eager_page_split = true;

/* One piece, with @flags of BP_HC_PROTECT; those that still can be had are left. */
static long protect_some(struct bp_vm *vm, u64 gfn, u64 npages, u64 *flags)
{
	long done = bp_hc_protect(vm->dom, gfn, npages, *flags);

	if (done > 0)
		return done;
	if (!(*flags & BP_PROTECT_SPLIT))
		return -EIO;
	if (done != -ENOMEM || bp_donate(vm))
		*flags &= ~BP_PROTECT_SPLIT;	/* a write fault splits */
	return 0;
}

void bp_protect(struct bp_vm *vm, u64 gfn, u64 npages)
{
	/* What is written goes into a vCPU's dirty ring by its thread. */
	u64 flags = (READ_ONCE(bp_eager_page_split) ? BP_PROTECT_SPLIT : 0) |
		    (vm->dirty_ring_bytes ? 0 : BP_PROTECT_LOG);
	long done;

	while (npages) {
		done = protect_some(vm, gfn, npages, &flags);
		if (WARN_ON_ONCE(done < 0))
			return;
		gfn += done;
		npages -= min_t(u64, done, npages);
		cond_resched();
	}
}

/* Frames of a 2 MiB page. */
#define PART_OF		(PMD_SIZE / PAGE_SIZE)

void bp_zap_parts(struct bp_vm *vm, const struct bp_memslot *s)
{
	u64 gfn = ALIGN(s->gfn, PART_OF), n = 0;

	if ((s->gfn ^ s->hva >> PAGE_SHIFT) & (PART_OF - 1))
		return;		/* mapped by small pages in any case */
	for (; gfn + PART_OF <= s->gfn + s->npages; gfn += PART_OF) {
		if (bp_host_order(vm->mm, bp_slot_hva(s, gfn))) {
			n += PART_OF;
		} else if (n) {
			bp_zap_many(vm, gfn - n, n);
			n = 0;
		}
		cond_resched();
	}
	if (n)
		bp_zap_many(vm, gfn - n, n);
}

/* MMIO marks of frames that get memory. */
void bp_clear_marks(struct bp_vm *vm, u64 gfn, u64 npages)
{
	unsigned long index;
	void *entry;

	spin_lock(&vm->mmu_lock);
	xa_for_each_range(&vm->marks, index, entry, gfn, gfn + npages - 1) {
		xa_erase(&vm->marks, index);
		vm->nr_marks--;
		bp_zap(vm, index, 1);
		cond_resched_lock(&vm->mmu_lock);	/* none comes meanwhile */
	}
	spin_unlock(&vm->mmu_lock);
}

bool bp_mmu_retry(struct bp_vm *vm, unsigned long seq, unsigned long hva,
		  unsigned long len)
{
	lockdep_assert_held(&vm->mmu_lock);
	if (vm->mmu_in_progress && hva < vm->mmu_end &&
	    hva + len > vm->mmu_start)
		return true;
	return vm->mmu_seq != seq;
}

struct gfn_range {
	u64 gfn, npages;
};

/* What of the slot is in [start, end), which meet. */
static struct gfn_range range_in(const struct bp_memslot *s, unsigned long start,
				 unsigned long end)
{
	unsigned long from = max(start, s->hva);
	unsigned long to = min(end, s->hva + (s->npages << PAGE_SHIFT));
	u64 first = (from - s->hva) >> PAGE_SHIFT;
	u64 last = (to - s->hva + PAGE_SIZE - 1) >> PAGE_SHIFT;

	return (struct gfn_range){ s->gfn + first, last - first };
}

#define FEW_SLOTS	32

/* What of slots is in [start, end); FEW_SLOTS + 1: of more than are told. */
static unsigned int find_ranges(struct bp_vm *vm, unsigned long start, unsigned long end,
				struct gfn_range few[FEW_SLOTS])
{
	struct interval_tree_node *node;
	unsigned int n = 0;

	read_lock(&vm->hva_lock);
	for (node = interval_tree_iter_first(&vm->hva_tree, start, end - 1); node && n <= FEW_SLOTS;
	     node = interval_tree_iter_next(node, start, end - 1)) {
		if (n < FEW_SLOTS)
			few[n] = range_in(container_of(node, struct bp_memslot, hva_node), start, end);
		n++;
	}
	read_unlock(&vm->hva_lock);
	return n;
}

static bool meets(const struct bp_memslot *s, unsigned long start, unsigned long end)
{
	return s->hva < end && start < s->hva + (s->npages << PAGE_SHIFT);
}

/* What of the slot that is being taken away is in [start, end), and may be mapped still. */
static bool going_range(struct bp_vm *vm, unsigned long start, unsigned long end, struct gfn_range *r)
{
	bool found;

	read_lock(&vm->hva_lock);
	found = vm->slot_going && meets(vm->slot_going, start, end);
	if (found)
		*r = range_in(vm->slot_going, start, end);
	read_unlock(&vm->hva_lock);
	return found;
}

/* Once through all slots; then the one that left them meanwhile, if it has not been zapped yet. */
static void zap_many_slots(struct bp_vm *vm, unsigned long start, unsigned long end, bool may_sleep)
{
	int idx = srcu_read_lock(&vm->srcu);
	struct gfn_range r;
	struct bp_memslot *s;
	unsigned long gfn = 0;

	mt_for_each(&vm->slots, s, gfn, ULONG_MAX) {
		if (meets(s, start, end)) {
			r = range_in(s, start, end);
			zap(vm, r.gfn, r.npages, may_sleep);
		}
		if (may_sleep)
			cond_resched();
	}
	srcu_read_unlock(&vm->srcu, idx);
	if (going_range(vm, start, end, &r))
		zap(vm, r.gfn, r.npages, may_sleep);
}

/*
 * A slot that comes meanwhile has no mappings, and its faults see the notifier's; one that
 * goes is zapped by who takes it away.  So the lock is needed to find them only.
 */
static void zap_hva_range(struct bp_vm *vm, unsigned long start,
			  unsigned long end, bool may_sleep)
{
	struct gfn_range few[FEW_SLOTS];
	unsigned int i, n = find_ranges(vm, start, end, few);

	if (n > FEW_SLOTS) {
		zap_many_slots(vm, start, end, may_sleep);
		return;
	}
	for (i = 0; i < n; i++)
		zap(vm, few[i].gfn, few[i].npages, may_sleep);
}

void bp_zap_all(struct bp_vm *vm)
{
	int idx = srcu_read_lock(&vm->srcu);
	unsigned long gfn = 0;
	struct bp_memslot *s;

	mt_for_each(&vm->slots, s, gfn, ULONG_MAX)
		bp_zap_many(vm, s->gfn, s->npages);
	srcu_read_unlock(&vm->srcu, idx);
}

void bp_set_noncoherent(struct bp_vm *vm, bool noncoherent)
{
	if (vm->noncoherent == noncoherent)
		return;
	WRITE_ONCE(vm->noncoherent, noncoherent);
	spin_lock(&vm->mmu_lock);	/* who had it has mapped as it was before */
	spin_unlock(&vm->mmu_lock);
	bp_zap_all(vm);
}

static struct bp_vm *notifier_vm(struct mmu_notifier *mn)
{
	return container_of(mn, struct bp_vm, notifier);
}

static int invalidate_start(struct mmu_notifier *mn,
			    const struct mmu_notifier_range *range)
{
	struct bp_vm *vm = notifier_vm(mn);

	spin_lock(&vm->mmu_lock);
	if (!vm->mmu_in_progress++) {
		vm->mmu_start = range->start;
		vm->mmu_end = range->end;
	} else {
		vm->mmu_start = min(vm->mmu_start, range->start);
		vm->mmu_end = max(vm->mmu_end, range->end);
	}
	spin_unlock(&vm->mmu_lock);

	zap_hva_range(vm, range->start, range->end, mmu_notifier_range_blockable(range));
	return 0;
}

static void invalidate_end(struct mmu_notifier *mn,
			   const struct mmu_notifier_range *range)
{
	struct bp_vm *vm = notifier_vm(mn);

	spin_lock(&vm->mmu_lock);
	vm->mmu_seq++;
	vm->mmu_in_progress--;
	spin_unlock(&vm->mmu_lock);
}

/* The address space goes; its pages are freed right after. */
static void notifier_release(struct mmu_notifier *mn, struct mm_struct *mm)
{
	struct bp_vm *vm = notifier_vm(mn);

	WRITE_ONCE(vm->dead, true);
	spin_lock(&vm->mmu_lock);
	vm->mmu_start = 0;
	vm->mmu_end = ULONG_MAX;
	vm->mmu_in_progress++;	/* for good */
	spin_unlock(&vm->mmu_lock);
	bp_zap_all(vm);
}

static const struct mmu_notifier_ops bp_notifier_ops = {
	.invalidate_range_start = invalidate_start,
	.invalidate_range_end = invalidate_end,
	.release = notifier_release,
};

int bp_notifier_init(struct bp_vm *vm)
{
	vm->notifier.ops = &bp_notifier_ops;
	return mmu_notifier_register(&vm->notifier, vm->mm);
}

void bp_notifier_exit(struct bp_vm *vm)
{
	mmu_notifier_unregister(&vm->notifier, vm->mm);
}
