/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memslots and their dirty log.  Process context unless said otherwise; 0 or a negative errno.
 */
#ifndef BEDPLATE_MEMSLOT_H
#define BEDPLATE_MEMSLOT_H

#include "shim.h"

#define BP_NR_MEMSLOTS		509

struct bp_memslot {
	u64 gfn;
	u64 npages;
	unsigned long hva;
	u32 id;
	u32 flags;		/* KVM_MEM_* */
	unsigned long *dirty;	/* with KVM_MEM_LOG_DIRTY_PAGES */
};

struct bp_memslots {
	unsigned int n;
	struct bp_memslot *slot[] __counted_by(n); /* by gfn, disjoint */
};

static inline unsigned long bp_slot_hva(const struct bp_memslot *slot, u64 gfn)
{
	return slot->hva + ((gfn - slot->gfn) << PAGE_SHIFT);
}

int bp_slots_init(struct bp_vm *vm);
void bp_slots_free(struct bp_vm *vm);
/*
 * Before a vCPU with a local APIC comes: its page is no slot's from now on, in
 * whatever mode the APIC is.  -EEXIST: one is there.
 */
int bp_slots_keep_apic(struct bp_vm *vm);
/* Under vm->srcu or vm->slots_lock. */
struct bp_memslots *bp_slots(struct bp_vm *vm);
struct bp_memslot *bp_slot_find(struct bp_vm *vm, u64 gfn);
long bp_set_memory_region(struct bp_vm *vm,
			  const struct kvm_userspace_memory_region *mem);

/* ---- dirty.c ---- */
long bp_get_dirty_log(struct bp_vm *vm, const struct kvm_dirty_log *log);
int bp_dirty_alloc(struct bp_memslot *slot);
/* Under vm->srcu. */
void bp_dirty_mark(struct bp_memslot *slot, u64 gfn);

#endif
