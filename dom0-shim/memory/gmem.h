/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest memory through the VMM's own mapping; vm->srcu is held, and the thread
 * is the VMM's, in the vCPU's KVM_RUN for what writes.
 */
#ifndef BEDPLATE_GMEM_H
#define BEDPLATE_GMEM_H

#include "shim.h"

/*
 * Within one page, at an address that a guest may have named: in the first address space, and
 * nowhere with the bit of the second.  -EFAULT: no RAM there, or (write) read-only.
 */
int bp_gmem_read(struct bp_vm *vm, u64 gpa, void *buf, u32 len);
int bp_gmem_write(struct bp_vcpu *vcpu, u64 gpa, const void *buf, u32 len);

/*
 * The same where the vCPU's own accesses go: in SMM the second.
 * cmpxchg: 0 exchanged, 1 differed, -EFAULT, -EOPNOTSUPP.
 */
int bp_vcpu_read(struct bp_vcpu *vcpu, u64 gpa, void *buf, u32 len);
int bp_vcpu_write(struct bp_vcpu *vcpu, u64 gpa, const void *buf, u32 len);
int bp_vcpu_cmpxchg(struct bp_vcpu *vcpu, u64 gpa, const void *old, const void *val, u32 len);

#endif
