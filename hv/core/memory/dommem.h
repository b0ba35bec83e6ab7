/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Life of a domain's memory: donation, the domain's own pool, destruction in
 * pieces, and return to domain 0.
 *
 *   create ---> LIVE --destroy--> DYING --destroy--> DEAD --reclaim--> id free
 *                |  donate          (vCPUs, tables)     (frames, zeroed)
 *
 * Lock order: slot's lock (private to dommem.c) -> d->lock -> dom0.lock ->
 * pool.lock.  None of these functions may be called with one of them held.
 * struct domain itself lives in a donated frame; who looks at a guest domain
 * in a hypercall holds a reference by domain_get().
 */
#ifndef HV_CORE_DOMMEM_H
#define HV_CORE_DOMMEM_H

#include "domain.h"

/*
 * A live or dying domain by its id, with a reference; NULL if there is none
 * (or id 0).  Do not keep it while blocked: RECLAIM's last step is refused
 * with -EBUSY as long as a reference is out.
 */
struct domain *domain_get(u32 id);
void domain_put(struct domain *d);
/* vcpu_destroy_all(): does a hypercall other than the destroying one hold a reference? */
bool domain_busy(const struct domain *d);

/*
 * The hypercalls.  @list and @out may be memory that domain 0 can write: each
 * word of @list is read once.  Results as channel.h says.
 *
 * domain_create: the id (@io: of an I/O domain), or -EOPNOTSUPP (no IOMMU), -EINVAL (too few or too many frames, a bad frame:
 *	nothing taken), -ENOMEM (Bedplate's pool, or no free id).
 * domain_donate: 0, or as above; -ENOENT no such domain, -EINVAL also for one
 *	that is being destroyed.
 * domain_destroy: 0 done, 1 call again, -EBUSY (devices translate by it), -ENOENT.
 * domain_reclaim: frames written to @out; 0 = none left and the id is free;
 *	-EBUSY not destroyed yet, or another hypercall still uses it: try
 *	again; -ENOENT.
 */
int domain_create(const u64 *list, u32 n, bool io);
int domain_donate(u32 id, const u64 *list, u32 n);
int domain_destroy(u32 id);
int domain_reclaim(u32 id, u64 *out, u32 max);

/* Guest domains that exist, from create to the last reclaim. */
u32 domain_count(void);

/*
 * Supplied by vcpu.c.  Stop every vCPU of a dying domain, give back its
 * shared frames and pages (ioeventfd tables too).  0 = all gone, 1 = call
 * again.  Called with the slot's lock held, never by two CPUs at once for one
 * domain; must wait for nothing but a vCPU's leaving guest mode.
 */
int vcpu_destroy_all(struct domain *d);

#endif
