/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The top entries of a guest's PAE paging (SDM vol. 3, 4.4.1), which CPUs read when
 * CR3 is loaded.  insn.h is for those who want what is behind an address.
 */
#ifndef HV_CORE_GWALK_H
#define HV_CORE_GWALK_H

#include "lib/x86_regs.h"
#include "memory/mmu.h"
#include "vcpu/vcpu.h"

#define GPTE_P		BIT(0)
#define GPTE_PS		BIT(7)

/* Is this a top entry of PAE paging that raises #GP (SDM vol. 3, 4.4.1)? */
static inline bool pdpte_bad(u64 pdpte, u64 phys_end)
{
	u64 reserved = BIT(1) | BIT(2) | BIT(5) | BIT(6) | BIT(7) | BIT(8) | ~(phys_end - 1);

	return (pdpte & GPTE_P) && (pdpte & reserved);
}

/* Does this state page with PAE tables, whose top entries a load of CR3 reads? */
static inline bool uses_pae_root(u64 cr0, u64 cr4, u64 efer)
{
	return (cr0 & X86_CR0_PG) && (cr4 & X86_CR4_PAE) && !(efer & EFER_LMA);
}

/* Does the instruction that makes @s out of @old load them? */
static inline bool reloads_pae_root(const struct vcpu_paging *old, const struct kvm_sregs *s)
{
	return uses_pae_root(s->cr0, s->cr4, s->efer) &&
	       (!uses_pae_root(old->cr0, old->cr4, old->efer) || s->cr3 != old->cr3 ||
		((s->cr0 ^ old->cr0) & (X86_CR0_CD | X86_CR0_NW)) ||
		((s->cr4 ^ old->cr4) & (X86_CR4_PSE | X86_CR4_PGE | X86_CR4_SMEP)));
}

#define PAE_ROOT(cr3)	((cr3) & 0xffffffe0)

/*
 * Check the four of them as such a load does.  -EFAULT: not in memory; -EINVAL: #GP.
 */
int pae_root_check(struct guest_view *w, u64 cr3);

#endif
