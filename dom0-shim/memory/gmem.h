/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest memory through the VMM's own mapping; vm->srcu and vcpu->mutex are held, and the thread
 * is the VMM's, in the vCPU's KVM_RUN for what writes.
 *
 * In KVM_RUN an access that has to wait for its page ends with -EINTR where a signal comes:
 * nothing of it is done, KVM_RUN returns that, and the next one begins anew.  In other ioctls,
 * which never end so, it waits as Linux's own accesses do.
 */
#ifndef BEDPLATE_GMEM_H
#define BEDPLATE_GMEM_H

#include "shim.h"

/*
 * Within one page, at an address that a guest may have named: in the first address space, and
 * nowhere with the bit of the second.  -EFAULT: no RAM there, or (write) read-only.
 */
int bp_gmem_read(struct bp_vcpu *vcpu, u64 gpa, void *buf, u32 len);
int bp_gmem_write(struct bp_vcpu *vcpu, u64 gpa, const void *buf, u32 len);
/* To the second, whatever the vCPU is in. */
int bp_gmem_write_smm(struct bp_vcpu *vcpu, u64 gpa, const void *buf, u32 len);

/*
 * The same where the vCPU's own accesses go: in SMM the second.  With @len 0 they wait for
 * the page alone, so that what follows is not likely to.
 * cmpxchg: 0 exchanged, 1 differed, -EFAULT, -EOPNOTSUPP.
 */
int bp_vcpu_read(struct bp_vcpu *vcpu, u64 gpa, void *buf, u32 len);
int bp_vcpu_write(struct bp_vcpu *vcpu, u64 gpa, const void *buf, u32 len);
int bp_vcpu_cmpxchg(struct bp_vcpu *vcpu, u64 gpa, const void *old, const void *val, u32 len);

/*
 * At an address of the VMM's, within a page, which need be none that there is.  The thread is
 * the VMM's; BP_WAIT_NOT is for any context of it, under locks too, and of the vCPU and of
 * slots nothing is asked.  0; -EWOULDBLOCK for BP_WAIT_NOT, -EINTR for BP_WAIT_IN_RUN; -EIO.
 * or: 1 if they were set.
 */
enum bp_wait {
	BP_WAIT,		/* as Linux's own accesses */
	BP_WAIT_IN_RUN,		/* as above */
	BP_WAIT_NOT,
};
int bp_user_read(void __user *p, void *buf, u32 len, enum bp_wait wait);
int bp_user_write(void __user *p, const void *buf, u32 len, enum bp_wait wait);
int bp_user_or(u8 __user *p, u8 bits, enum bp_wait wait);

/* What an access has returned, where all that there is to say of failure is @err. */
static inline int bp_gmem_error(int ret, int err)
{
	return ret && ret != -EINTR ? err : ret;
}

#endif
