/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the shim's core call in each other.  Unless said otherwise
 * everything runs in process context and returns 0 or a negative errno.
 */
#ifndef BEDPLATE_CORE_H
#define BEDPLATE_CORE_H

#include "shim.h"

#define BP_NR_MEMSLOTS		509
#define BP_MAX_GSI		4096
#define BP_MCE_BANKS		32
#define BP_CLOCK_FLAGS \
	(KVM_CLOCK_TSC_STABLE | KVM_CLOCK_REALTIME | KVM_CLOCK_HOST_TSC)

/* ---- donate.c: frames for Bedplate ---- */
#define BP_DONATE_CHUNK		64

int bp_domain_create(struct bp_vm *vm);
/* Stop it all and take the frames back; no vCPU is in RUN. */
int bp_domain_destroy(struct bp_vm *vm);
/* More frames, after a hypercall said -ENOMEM. */
int bp_donate(struct bp_vm *vm);

/* ---- ring.c: event rings ---- */
int bp_ring_init(void);
void bp_ring_exit(void);
/* Look at this CPU's ring; interrupts off. */
void bp_ring_drain(void);
/* Look at all CPUs' rings; sleeps. */
void bp_ring_drain_all(void);
/* VMs by domain id; readers under rcu_read_lock().  -ENOMEM. */
extern struct xarray bp_vms;
int bp_ring_add_vm(struct bp_vm *vm);
void bp_ring_remove_vm(struct bp_vm *vm);

/* ---- vm.c ---- */
long bp_vm_create(unsigned long type);
void bp_vm_get(struct bp_vm *vm);
void bp_vm_put(struct bp_vm *vm);

/* ---- clock.c ---- */
long bp_get_clock(struct bp_vm *vm, void __user *argp);
long bp_set_clock(struct bp_vm *vm, void __user *argp);

/* ---- vcpu.c ---- */
/* Returns a file descriptor.  Takes vm->lock. */
long bp_vcpu_create(struct bp_vm *vm, unsigned long id);
void bp_vcpu_free(struct bp_vcpu *vcpu);

/* ---- vcpu_run.c; vcpu->mutex is held ---- */
long bp_vcpu_run(struct bp_vcpu *vcpu);
/* Any context. */
void bp_vcpu_service(struct bp_vcpu *vcpu);

/* ---- vcpu_state.c; vcpu->mutex is held ---- */
/* -ENOIOCTLCMD for an ioctl that is not about state. */
long bp_vcpu_state_ioctl(struct bp_vcpu *vcpu, unsigned int cmd,
			 void __user *argp);
/* One class from or to vcpu->state. */
long bp_state_get(struct bp_vcpu *vcpu, enum bp_state class, u64 len);
long bp_state_set(struct bp_vcpu *vcpu, enum bp_state class, u64 len);

/* ---- access.c: what an access by a vCPU reaches in the kernel ---- */
/* 0: done; -EOPNOTSUPP: user space's.  vm->srcu is read-locked. */
int bp_pio_access(struct bp_vcpu *vcpu, u16 port, int size, bool write,
		  void *data);
int bp_mmio_access(struct bp_vcpu *vcpu, u64 gpa, int len, bool write,
		   void *data);

/*
 * ---- exits.c, emulate.c: exits of a vCPU that its thread serves ----
 * Return 1: enter the guest again; 0: KVM_RUN returns 0, *run is filled;
 * or KVM_RUN's errno.
 */
int bp_exit_io(struct bp_vcpu *vcpu);
int bp_exit_npf(struct bp_vcpu *vcpu);
int bp_complete_pending(struct bp_vcpu *vcpu);
int bp_emulate(struct bp_vcpu *vcpu);
int bp_emulate_resume(struct bp_vcpu *vcpu);
/* Registers or mode were set while an emulated access waits for its answer. */
void bp_emulate_new_regs(struct bp_vcpu *vcpu, const struct kvm_regs *regs);
void bp_emulate_new_sregs(struct bp_vcpu *vcpu, const struct kvm_sregs *sregs);
void bp_queue_exception(struct bp_vcpu *vcpu, u8 vector, bool has_error,
			u32 error, u64 cr2);

/* ---- memslot.c, dirty.c ---- */
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
long bp_get_dirty_log(struct bp_vm *vm, const struct kvm_dirty_log *log);
int bp_dirty_alloc(struct bp_memslot *slot);
/* Under vm->srcu. */
void bp_dirty_mark(struct bp_memslot *slot, u64 gfn);

/* ---- mmu.c; vm->srcu is read-locked ---- */
enum bp_fault_result {
	BP_FAULT_DONE,		/* mapped, or try again: enter the guest */
	BP_FAULT_MMIO,		/* no memory there, or read-only and @write */
};
/* enum bp_fault_result or a negative errno. */
int bp_fault(struct bp_vm *vm, u64 gfn, bool write);
/* Ask Bedplate to decode accesses to a page without memory. */
int bp_mark_mmio(struct bp_vm *vm, u64 gfn);

/* ---- zap.c ---- */
int bp_notifier_init(struct bp_vm *vm);
void bp_notifier_exit(struct bp_vm *vm);
/* Remove mappings; no new ones can come (or it does not matter). */
void bp_zap(struct bp_vm *vm, u64 gfn, u64 npages);
void bp_clear_marks(struct bp_vm *vm, u64 gfn, u64 npages);
/* Has [hva, hva + len) been invalidated since seq?  vm->mmu_lock is held. */
bool bp_mmu_retry(struct bp_vm *vm, unsigned long seq, unsigned long hva,
		  unsigned long len);

/* ---- gmem.c: guest memory through the VMM's mapping; vm->srcu held ---- */
/* Within one page.  -EFAULT: no RAM there, or (write) read-only. */
int bp_gmem_read(struct bp_vm *vm, u64 gpa, void *buf, u32 len);
int bp_gmem_write(struct bp_vm *vm, u64 gpa, const void *buf, u32 len);
/* 0 exchanged, 1 differed, -EFAULT, -EOPNOTSUPP. */
int bp_gmem_cmpxchg(struct bp_vm *vm, u64 gpa, const void *old, const void *val,
		    u32 len);

/* ---- bus.c ---- */
void bp_bus_free(struct bp_vm *vm);

/* ---- ioeventfd.c, coalesced.c ---- */
long bp_ioeventfd(struct bp_vm *vm, const struct kvm_ioeventfd *args);
void bp_ioeventfd_release(struct bp_vm *vm);
/* An event from the ring; hard interrupt, under rcu_read_lock(). */
void bp_ioeventfd_event(struct bp_vm *vm, u32 id);

int bp_coalesced_init(struct bp_vm *vm);
void bp_coalesced_free(struct bp_vm *vm);
long bp_coalesced_register(struct bp_vm *vm,
			   const struct kvm_coalesced_mmio_zone *zone);
long bp_coalesced_unregister(struct bp_vm *vm,
			     const struct kvm_coalesced_mmio_zone *zone);

/* ---- caps.c ---- */
long bp_check_extension(long ext);
long bp_system_ioctl(unsigned int cmd, void __user *argp);

/* ---- sysfs.c: /sys/kernel/bedplate and /dev/bedplate ---- */
int bp_sysfs_init(void);
void bp_sysfs_exit(void);

#endif
