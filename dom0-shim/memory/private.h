/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frames of a VM of type KVM_X86_SW_PROTECTED_VM are private or shared, as user space says by
 * KVM_SET_MEMORY_ATTRIBUTES.  The guest has a private frame's memory from its slot's guest_memfd,
 * that of a shared one from the VMM's mapping, as in any other VM.  In SMM there are no slots,
 * so no memory.  Process context.
 */
#ifndef BEDPLATE_PRIVATE_H
#define BEDPLATE_PRIVATE_H

#include "shim.h"

struct bp_memslot;

void bp_private_init(struct bp_vm *vm);
void bp_private_free(struct bp_vm *vm);
/* KVM_MEMORY_ATTRIBUTE_* that frames of @vm, or with NULL of some VM, can have. */
u64 bp_attributes(const struct bp_vm *vm);
/* KVM_SET_MEMORY_ATTRIBUTES.  Nobody uses the frames otherwise when it returns 0. */
long bp_set_attributes(struct bp_vm *vm, const struct kvm_memory_attributes *attrs);

/* Frames of either address space.  Sure under vm->mmu_lock only. */
bool bp_is_private(struct bp_vm *vm, u64 gfn);
bool bp_any_private(struct bp_vm *vm, u64 gfn, u64 npages);

/*
 * Map a frame that was private; vm->srcu is held.  @slot may be NULL.  1 mapped, 0: try again,
 * or an errno: -EFAULT it has no private memory.
 */
int bp_private_fault(struct bp_vm *vm, struct bp_memslot *slot, u64 gfn);

/*
 * Accesses on behalf of the guest, within one page of a slot; vm->srcu is held.  -EIO: there is
 * no such memory.  cmpxchg: as bp_gmem_cmpxchg().
 */
int bp_private_read(struct bp_memslot *slot, u64 gpa, void *buf, u32 len);
int bp_private_write(struct bp_memslot *slot, u64 gpa, const void *buf, u32 len);
int bp_private_cmpxchg(struct bp_memslot *slot, u64 gpa, const void *old, const void *val,
		       u32 len);

#endif
