/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mappings of the VMM's pages into the guest: made at a fault (mmu.c), taken
 * away by memslots and MMU notifiers (zap.c).
 */
#ifndef BEDPLATE_MMU_H
#define BEDPLATE_MMU_H

#include "shim.h"

struct bp_memslot;

/* Of mappings of RAM: whose memory type counts. */
static inline u32 bp_map_pat(const struct bp_vm *vm)
{
	bool ignore = bp_has_quirk(vm, KVM_X86_QUIRK_IGNORE_GUEST_PAT);

	return ignore && !READ_ONCE(vm->noncoherent) ? 0 : BP_MAP_GUEST_PAT;
}

/* ---- mmu.c; vm->srcu is read-locked ---- */
enum bp_fault_result {
	BP_FAULT_DONE,		/* mapped, or try again: enter the guest */
	BP_FAULT_MMIO,		/* no memory there, or (the slot, or a device's frame that the
				 * VMM maps) read-only and written to */
	BP_FAULT_WAIT,		/* bp_fault_nowait(): the VMM's page is not there yet */
};
/*
 * @gfn with bp_vcpu_space(), @access: BP_NPF_WRITE, BP_NPF_EXEC.  enum bp_fault_result or a
 * negative errno.
 */
int bp_fault(struct bp_vcpu *vcpu, u64 gfn, u32 access);
int bp_fault_nowait(struct bp_vcpu *vcpu, u64 gfn, u32 access);
/*
 * KVM_PRE_FAULT_MEMORY: map @range for reading, and leave in it what is not mapped.  An
 * error if nothing is: -EINVAL, -ENOENT no memory there, -EINTR, or that of a fault.
 */
long bp_pre_fault(struct bp_vcpu *vcpu, struct kvm_pre_fault_memory *range);
/*
 * Ask Bedplate to decode accesses to a page without memory, or read-only; @seen is
 * its slot, or NULL.  Nothing is asked if that is no longer so.
 */
int bp_mark_mmio(struct bp_vm *vm, u64 gfn, const struct bp_memslot *seen);
/* How large a page maps hva in the VMM's own tables: order 0, 9 or 18.  A hint. */
unsigned int bp_host_order(struct mm_struct *mm, unsigned long hva);

/*
 * ---- pfnmap.c ----
 * The frame behind @hva of this process where it is no page that can be counted: VM_IO and
 * VM_PFNMAP.  It is that one as long as no MMU notifier says otherwise.  -EROFS: there is
 * one, but not for @write; -EFAULT.
 */
int bp_pfnmap_lookup(unsigned long hva, bool write, u64 *pfn, bool *writable);

/* ---- zap.c ---- */
int bp_notifier_init(struct bp_vm *vm);
void bp_notifier_exit(struct bp_vm *vm);
/* Remove mappings; no new ones can come (or it does not matter).  Any context, so few. */
void bp_zap(struct bp_vm *vm, u64 gfn, u64 npages);
/* The same, and may sleep. */
void bp_zap_many(struct bp_vm *vm, u64 gfn, u64 npages);
/* The same of all slots, without a lock that user space can keep waiting. */
void bp_zap_all(struct bp_vm *vm);
/* The same, of what is not to be mapped any more by what those see who hold vm->mmu_lock. */
void bp_zap_settled(struct bp_vm *vm, u64 gfn, u64 npages);
/*
 * Writes to these pages fault, once BP_HC_FLUSH_TLB has followed; large mappings are split
 * first if bp_eager_page_split says so, and if there is memory for it.  May sleep.
 */
void bp_protect(struct bp_vm *vm, u64 gfn, u64 npages);
/* Remove what may be small parts of the VMM's large pages. */
void bp_zap_parts(struct bp_vm *vm, const struct bp_memslot *slot);
extern bool bp_eager_page_split;	/* KVM's parameter; may change at any time */
/* Whether the guest's PAT counts whatever else is said; no mapping of before is left. */
void bp_set_noncoherent(struct bp_vm *vm, bool noncoherent);
void bp_clear_marks(struct bp_vm *vm, u64 gfn, u64 npages);
/* Has [hva, hva + len) been invalidated since seq?  vm->mmu_lock is held. */
bool bp_mmu_retry(struct bp_vm *vm, unsigned long seq, unsigned long hva,
		  unsigned long len);

#endif
