/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memslots and their dirty log.  Process context unless said otherwise; 0 or a negative errno.
 */
#ifndef BEDPLATE_MEMSLOT_H
#define BEDPLATE_MEMSLOT_H

#include <linux/interval_tree.h>

#include "shim.h"

struct bp_memfd;

#define BP_NR_MEMSLOTS		32764	/* as many as KVM's */

struct bp_memslot {
	u64 gfn;		/* with BP_GFN_SMM: in the second address space */
	u64 npages;
	unsigned long hva;
	struct interval_tree_node hva_node; /* of vm->hva_tree */
	u32 id;			/* as user space has it: bits 31:16 are the address space */
	u32 flags;		/* KVM_MEM_* */
	unsigned long *dirty;	/* with KVM_MEM_LOG_DIRTY_PAGES */
	/* With KVM_MEM_GUEST_MEMFD: guest_memfd.c */
	struct bp_memfd *memfd;	/* NULL: it has been closed */
	pgoff_t memfd_page;	/* of it, for the slot's first frame */
	struct list_head memfd_link;
};

static inline unsigned long bp_slot_hva(const struct bp_memslot *slot, u64 gfn)
{
	return slot->hva + ((gfn - slot->gfn) << PAGE_SHIFT);
}

/* Can there be a slot of that id? */
static inline bool bp_slot_id_valid(const struct bp_vm *vm, u32 id)
{
	return id >> 16 < bp_address_spaces(vm) && (u16)id < BP_NR_MEMSLOTS;
}

void bp_slots_init(struct bp_vm *vm);
void bp_slots_free(struct bp_vm *vm);
/*
 * Before a vCPU with a local APIC comes: its page is no slot's from now on, in
 * whatever mode the APIC is.  -EEXIST: one is there.
 */
int bp_slots_keep_apic(struct bp_vm *vm);
/* Under vm->srcu or vm->slots_lock. */
struct bp_memslot *bp_slot_find(struct bp_vm *vm, u64 gfn);
long bp_set_memory_region(struct bp_vm *vm,
			  const struct kvm_userspace_memory_region2 *mem);

/* ---- dirty.c ---- */
long bp_get_dirty_log(struct bp_vm *vm, const struct kvm_dirty_log *log);
long bp_clear_dirty_log(struct bp_vm *vm, const struct kvm_clear_dirty_log *log);
/* KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2 with @caps, KVM_DIRTY_LOG_*.  -EINVAL: not these. */
long bp_dirty_manual(struct bp_vm *vm, u64 caps);
/* All pages of a slot count as written when its log begins; under vm->slots_lock. */
bool bp_dirty_initially(const struct bp_vm *vm);
/* A bitmap for @slot, under vm->slots_lock. */
int bp_dirty_alloc(struct bp_vm *vm, struct bp_memslot *slot);
/* In @vcpu's KVM_RUN, whose ring hears of it if there is one. */
void bp_dirty_mark(struct bp_vcpu *vcpu, struct bp_memslot *slot, u64 gfn);
/* What Bedplate has noted becomes bits; under vm->slots_lock. */
void bp_dirty_collect(struct bp_vm *vm);
/* In @vcpu's KVM_RUN: the same, of this vCPU, if there is no room for notes any more. */
void bp_dirty_make_room(struct bp_vcpu *vcpu);
/*
 * Of slot @id, the pages @mask from 64 * @word on: the next write to them counts again,
 * after a flush of the TLBs.  Nothing if the slot, or its log, is not there, or has not
 * so many.  vm->slots_lock.
 */
void bp_dirty_forget(struct bp_vm *vm, u32 id, u64 word, unsigned long mask);
/* May the guest write without being noticed?  Sure under vm->mmu_lock only. */
bool bp_dirty_known(const struct bp_memslot *slot, u64 gfn);

/* ---- dirty_ring.c ---- */
#define BP_DIRTY_RING_MAX	(65536 * sizeof(struct kvm_dirty_gfn))
/* KVM_CAP_DIRTY_LOG_RING, before the first vCPU.  -EINVAL, -E2BIG. */
long bp_dirty_ring_enable(struct bp_vm *vm, u64 bytes);
/* For a vCPU that is being made, under vm->lock.  -ENOMEM. */
int bp_dirty_ring_alloc(struct bp_vcpu *vcpu);
void bp_dirty_ring_free(struct bp_vcpu *vcpu);
/* What user space maps there, pages into the vCPU's file; NULL: nothing. */
struct page *bp_dirty_ring_page(const struct bp_vcpu *vcpu, unsigned long pgoff);
/*
 * In the vCPU's thread.  full: it must not run until user space has reset some.  push:
 * false if it is full to the last entry, which a look in time has to prevent.
 */
bool bp_dirty_ring_push(struct bp_vcpu *vcpu, const struct bp_memslot *slot, u64 gfn);
bool bp_dirty_ring_full(const struct bp_vcpu *vcpu);
/* How many entries user space has done with.  -EINVAL: there is no ring. */
long bp_dirty_rings_reset(struct bp_vm *vm);

#endif
