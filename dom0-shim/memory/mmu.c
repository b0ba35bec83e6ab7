// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nested page faults: find the page of the VMM that backs a guest frame and
 * map it, with its neighbours that are present anyway, or the whole large page
 * around it.  Pages are looked up without a lasting pin; MMU notifiers (zap.c)
 * keep the mapping valid.
 */
#include <linux/mm.h>
#include <linux/page-flags.h>
#include <linux/pgtable.h>
#include <linux/sched/signal.h>
#include <linux/swap.h>

#include "channel/hypercall.h"
#include "donate.h"
#include "memslot.h"
#include "mmu.h"
#include "nx.h"
#include "private.h"

#define BP_AROUND	16	/* frames looked at around a fault, aligned */
#define BP_MAX_MARKS	4096	/* MMIO pages that Bedplate decodes, per VM */

struct fault {
	struct bp_vm *vm;
	struct bp_vcpu *vcpu;	/* that writes; NULL with @write false */
	struct bp_memslot *slot;
	u64 gfn;
	unsigned long hva;
	unsigned long seq;
	bool write;		/* the guest writes */
	bool exec;		/* it executes */
	bool nowait;		/* -EAGAIN rather than sleep until the page is there */
	bool map_write;		/* the mapping may be writable */
	unsigned int order;
	unsigned int large;	/* order that it could be mapped by */
	bool nx;		/* large mappings are not for executing */
	unsigned int n;		/* of pages, consecutive from hva */
	struct page *pages[BP_AROUND];
	u64 pfn;		/* of the only one, if pages[0] is NULL: a device's */
};

static u64 frame_of(const struct fault *f, unsigned int i)
{
	return f->pages[i] ? page_to_pfn(f->pages[i]) : f->pfn;
}

/* Where the VMM has mapped frames without pages.  As lookup_page(). */
static int lookup_pfnmap(struct fault *f)
{
	bool writable;
	int ret = bp_pfnmap_lookup(f->hva, f->write, &f->pfn, &writable);

	if (ret)
		return ret;
	f->pages[0] = NULL;
	f->map_write &= writable;
	return 0;
}

/*
 * The page of f->hva, as writable as it is without breaking sharing.  -EROFS: a device's
 * frame that the VMM cannot write to.
 */
static int lookup_page(struct fault *f)
{
	bool readonly = f->slot->flags & KVM_MEM_READONLY;
	unsigned int flags = FOLL_HWPOISON | (f->nowait ? FOLL_NOWAIT : FOLL_INTERRUPTIBLE);
	struct page *page;
	long n;

	f->map_write = f->write || (!readonly && bp_dirty_known(f->slot, f->gfn));
	if (f->map_write &&
	    get_user_pages_fast_only(f->hva, 1, FOLL_WRITE, f->pages) == 1)
		return 0;

	if (f->write)
		flags |= FOLL_WRITE;
	n = get_user_pages_unlocked(f->hva, 1, f->pages, flags);
	if (!n && f->nowait)
		return -EAGAIN;
	if (n == -EFAULT)
		return lookup_pfnmap(f);
	if (n != 1)
		return n < 0 ? n : -EFAULT;
	if (f->write || !f->map_write)
		return 0;
	if (get_user_pages_fast_only(f->hva, 1, FOLL_WRITE, &page) == 1) {
		put_page(f->pages[0]);
		f->pages[0] = page;
	} else {
		f->map_write = false;
	}
	return 0;
}

/*
 * With interrupts off the VMM's tables stay allocated; that they may change is what
 * bp_mmu_retry() is for.
 */
unsigned int bp_host_order(struct mm_struct *mm, unsigned long hva)
{
	unsigned int order = 0;
	unsigned long flags;
	pgd_t pgd;
	p4d_t p4d;
	pud_t pud;
	pmd_t pmd;

	local_irq_save(flags);
	pgd = READ_ONCE(*pgd_offset(mm, hva));
	if (pgd_none(pgd))
		goto out;
	p4d = READ_ONCE(*p4d_offset(&pgd, hva));
	if (p4d_none(p4d) || !p4d_present(p4d))
		goto out;
	pud = READ_ONCE(*pud_offset(&p4d, hva));
	if (pud_none(pud) || !pud_present(pud))
		goto out;
	if (pud_leaf(pud)) {
		order = PUD_SHIFT - PAGE_SHIFT;
		goto out;
	}
	pmd = READ_ONCE(*pmd_offset(&pud, hva));
	if (!pmd_none(pmd) && pmd_present(pmd) && pmd_leaf(pmd))
		order = PMD_SHIFT - PAGE_SHIFT;
out:
	local_irq_restore(flags);
	return order;
}

static bool order_fits(const struct fault *f, unsigned int order)
{
	u64 size = 1ull << order, mask = size - 1;
	u64 base = f->gfn & ~mask;

	return (f->gfn & mask) == (frame_of(f, 0) & mask) &&
	       (f->gfn & mask) == (f->hva >> PAGE_SHIFT & mask) &&
	       base >= f->slot->gfn &&
	       base + size <= f->slot->gfn + f->slot->npages &&
	       !bp_any_private(f->vm, base, size);
}

static void choose_order(struct fault *f)
{
	f->order = f->large = 0;
	if (f->slot->flags & KVM_MEM_LOG_DIRTY_PAGES)
		return;
	f->order = bp_host_order(f->vm->mm, f->hva);
	if (f->order > 9 && !order_fits(f, f->order))
		f->order = 9;
	if (f->order && !order_fits(f, f->order))
		f->order = 0;
	f->large = f->order;
	if (f->exec && bp_nx_on(f->vm))
		f->order = 0;
}

/* What large pages are there is sure under the lock only. */
static void settle_nx(struct fault *f)
{
	f->nx = bp_nx_on(f->vm);
	if (!f->nx)
		return;
	if (f->exec) {
		bp_nx_split(f->vm, f->gfn, f->large);
		f->order = 0;
	}
	while (f->order && bp_nx_is_split(f->vm, f->gfn, f->order))
		f->order -= 9;
}

/* Neighbours that are present already, up to the end of the aligned group. */
static void look_around(struct fault *f)
{
	u64 left = f->slot->gfn + f->slot->npages - f->gfn;
	u64 want = BP_AROUND - (f->gfn & (BP_AROUND - 1));
	int n;

	if (f->order || f->slot->flags & KVM_MEM_LOG_DIRTY_PAGES || !f->pages[0])
		return;
	want = min(want, left);
	if (want < 2 || bp_any_private(f->vm, f->gfn, want))
		return;
	n = get_user_pages_fast_only(f->hva + PAGE_SIZE, want - 1,
				     f->map_write ? FOLL_WRITE : 0,
				     f->pages + 1);
	if (n > 0)
		f->n += n;
}

static void fill_maps(const struct fault *f)
{
	struct bp_map *map = page_address(f->vm->map_page);
	u64 mask = (1ull << f->order) - 1;
	u32 flags = (f->map_write ? BP_MAP_WRITE : 0) | (f->nx && f->order ? 0 : BP_MAP_EXEC);
	unsigned int i;

	flags |= bp_map_pat(f->vm);
	for (i = 0; i < f->n; i++)
		map[i] = (struct bp_map){
			.gfn = (f->gfn + i) & ~mask,
			.pfn = frame_of(f, i) & ~mask,
			.order = f->order,
			.flags = flags,
		};
}

static long map_once(const struct fault *f)
{
	fill_maps(f);
	return bp_hc_map(f->vm->dom, page_to_pfn(f->vm->map_page), f->n);
}

/* vm->mmu_lock is held.  How many of the f->n are mapped, or Bedplate's error. */
static long map_pages(struct fault *f)
{
	long ret;

	settle_nx(f);
	if (f->write)
		bp_dirty_mark(f->vcpu, f->slot, f->gfn);
	else if (!bp_dirty_known(f->slot, f->gfn))
		f->map_write = false;
	ret = map_once(f);
	if (ret == -EINVAL && f->order > 9) {
		/* No 1 GiB pages in this machine's tables. */
		f->order = 9;
		ret = map_once(f);
	}
	if (ret == -EEXIST && !f->order) {
		/* A part of a large page that is to have a right which the others have not. */
		ret = bp_hc_protect(f->vm->dom, f->gfn, 1, BP_PROTECT_SPLIT);
		if (ret == -ENOMEM)
			return ret;
		ret = map_once(f);
	}
	if (ret == -EEXIST) {
		/* Small pages under a large one, or a frame that went stale. */
		bp_zap(f->vm, f->gfn & ~((1ull << f->order) - 1),
		       1ull << f->order);
		ret = map_once(f);
	}
	return ret;
}

static void put_pages(const struct fault *f, bool mapped)
{
	unsigned int i;

	for (i = 0; i < f->n && f->pages[i]; i++) {
		if (mapped && !PageReserved(f->pages[i])) {
			if (f->map_write)
				SetPageDirty(f->pages[i]);
			mark_page_accessed(f->pages[i]);
		}
		put_page(f->pages[i]);
	}
}

/* How many are mapped, 0: try again, or a negative errno. */
static int map_fault(struct fault *f)
{
	unsigned long size = PAGE_SIZE << f->order;
	unsigned long start = f->order ? f->hva & ~(size - 1) : f->hva;
	unsigned long len = f->order ? size : f->n * PAGE_SIZE;
	struct bp_vm *vm = f->vm;
	bool retry;
	long ret = 0;

	spin_lock(&vm->mmu_lock);
	retry = bp_mmu_retry(vm, f->seq, start, len) ||
		bp_any_private(vm, f->gfn - ((f->hva - start) >> PAGE_SHIFT), len >> PAGE_SHIFT);
	if (!retry)
		ret = map_pages(f);
	spin_unlock(&vm->mmu_lock);

	put_pages(f, ret > 0);
	if (ret == -ENOMEM)
		return bp_donate(vm);
	return ret == -EPERM ? -EFAULT : ret;
}

/* @f has vm, slot, gfn, and write. */
static int fault_in(struct fault *f)
{
	int ret;

	f->n = 1;
	f->hva = bp_slot_hva(f->slot, f->gfn);
	f->seq = READ_ONCE(f->vm->mmu_seq);
	smp_rmb();	/* the sequence before the page */

	ret = lookup_page(f);
	if (ret)
		return ret;
	choose_order(f);
	look_around(f);
	return map_fault(f);
}

static int fault(struct bp_vcpu *vcpu, u64 gfn, u32 access, bool nowait)
{
	bool write = access & BP_NPF_WRITE;
	struct fault f = {
		.vm = vcpu->vm, .vcpu = vcpu, .gfn = gfn, .write = write,
		.exec = access & BP_NPF_EXEC, .nowait = nowait,
	};
	int ret;

	if (write)
		bp_dirty_make_room(vcpu);
	f.slot = bp_slot_find(f.vm, gfn);
	vcpu->fault_private = bp_is_private(f.vm, gfn);
	if (!vcpu->fault_private &&
	    (!f.slot || (write && f.slot->flags & KVM_MEM_READONLY)))
		return BP_FAULT_MMIO;
	if (vcpu->fault_private)
		ret = bp_private_fault(f.vm, f.slot, gfn);
	else
		ret = fault_in(&f);
	if (ret == -EROFS)
		return BP_FAULT_MMIO;
	if (ret == -EAGAIN)
		return BP_FAULT_WAIT;
	return ret < 0 ? ret : BP_FAULT_DONE;
}

int bp_fault(struct bp_vcpu *vcpu, u64 gfn, u32 access)
{
	return fault(vcpu, gfn, access, false);
}

int bp_fault_nowait(struct bp_vcpu *vcpu, u64 gfn, u32 access)
{
	return fault(vcpu, gfn, access, true);
}

/* Frames from @gfn on that are mapped then, or a negative errno. */
static long fault_in_for_good(struct bp_vm *vm, u64 gfn)
{
	struct fault f = { .vm = vm, .gfn = gfn };
	int ret = 0;

	f.slot = bp_slot_find(vm, gfn);
	while (!ret) {
		if (signal_pending(current))
			return -EINTR;
		if (bp_is_private(vm, gfn))
			ret = bp_private_fault(vm, f.slot, gfn);
		else
			ret = f.slot ? fault_in(&f) : -ENOENT;
		cond_resched();
	}
	if (ret < 0)
		return ret;
	return f.order ? (1l << f.order) - (gfn & ((1ul << f.order) - 1)) : ret;
}

long bp_pre_fault(struct bp_vcpu *vcpu, struct kvm_pre_fault_memory *range)
{
	u64 whole = range->size, space = bp_vcpu_space(vcpu);
	long n = 0;

	if (range->flags || !PAGE_ALIGNED(range->gpa) || !PAGE_ALIGNED(range->size) ||
	    range->gpa + range->size <= range->gpa)
		return -EINVAL;
	if (range->gpa & BP_GPA_SMM)
		return -ENOENT;
	while (range->size) {
		n = fault_in_for_good(vcpu->vm, (range->gpa | space) >> PAGE_SHIFT);
		if (n < 0)
			break;
		n = min_t(u64, (u64)n << PAGE_SHIFT, range->size);
		range->gpa += n;
		range->size -= n;
	}
	return n < 0 && range->size == whole ? n : 0;
}

static long set_mark(struct bp_vm *vm, u64 gfn, const struct bp_memslot *seen)
{
	struct bp_map *map = page_address(vm->map_page);
	long ret;

	/* Who puts a slot there clears marks after that, under the lock. */
	if (xa_load(&vm->marks, gfn) || bp_slot_find(vm, gfn) != seen ||
	    bp_is_private(vm, gfn))
		return 0;
	if (vm->nr_marks >= BP_MAX_MARKS)
		return -ENOSPC;
	ret = xa_err(xa_store(&vm->marks, gfn, xa_mk_value(1),
			      GFP_ATOMIC | __GFP_NOWARN));
	if (ret)
		return -ENOSPC;
	*map = (struct bp_map){ .gfn = gfn, .flags = BP_MAP_MMIO };
	ret = bp_hc_map(vm->dom, page_to_pfn(vm->map_page), 1);
	if (ret != 1) {
		xa_erase(&vm->marks, gfn);
		return ret < 0 ? ret : -EIO;
	}
	vm->nr_marks++;
	return 0;
}

int bp_mark_mmio(struct bp_vm *vm, u64 gfn, const struct bp_memslot *seen)
{
	long ret;

	spin_lock(&vm->mmu_lock);
	ret = set_mark(vm, gfn, seen);
	spin_unlock(&vm->mmu_lock);
	if (ret != -ENOMEM)
		return ret;

	ret = bp_donate(vm);
	if (ret)
		return ret;
	spin_lock(&vm->mmu_lock);
	ret = set_mark(vm, gfn, seen);
	spin_unlock(&vm->mmu_lock);
	return ret;
}
