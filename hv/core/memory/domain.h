/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A domain: a set of vCPUs and a second-level address space.  Domain 0 is
 * the service VM; every other one is a guest made by it, or an I/O domain: an address
 * space for devices, in the IOMMU's format, without vCPUs (io.h).
 */
#ifndef HV_CORE_DOMAIN_H
#define HV_CORE_DOMAIN_H

#include "compat/kvm-abi/channel.h"
#include "hv/ept/npt.h"
#include "lib/types.h"
#include "machine/spinlock.h"

struct vcpu;

#define MAX_DOMAINS	1024
#define MAX_VCPUS	BP_MAX_VCPUS	/* domain 0 has one for each CPU */
#define VCPUS_FEW	64		/* those of small domains */
#define VCPUS_PAGE	(PAGE_SIZE / sizeof(struct vcpu *))
#define VCPU_PAGES	((MAX_VCPUS - VCPUS_FEW + VCPUS_PAGE - 1) / VCPUS_PAGE)

/* Pages for page tables, vCPUs and state (dommem.c). */
struct dom_pool {
	struct spinlock lock;		/* guards the fields below */
	hpa_t free;			/* list through the first word of each page */
	u64 nr_free;
	u64 total;			/* donated and not reclaimed */
};

struct ioeventfd_table;

enum domain_phase { DOM_LIVE, DOM_DYING, DOM_DEAD };

struct domain {
	/* Of all vCPUs' exits, and written seldom. */
	u32 id;				/* 0 = service VM */
	enum domain_phase phase;	/* guarded by lock */
	u64 tlb_gen;			/* raised by every unmap or downgrade */
	struct ioeventfd_table *ioeventfds;
	/* kvmclock: clock_ns at machine TSC clock_tsc; one line for all vCPUs. */
	u64 clock_tsc, clock_ns;
	/* TSC offset that a vCPU begins with; the VMM has set a TSC: msr.c. */
	u64 tsc_offset;
	bool tsc_set;
	bool io;			/* an I/O domain: devices instead of vCPUs; constant */
	u32 nr_vcpus;
	u32 nr_alive;			/* of those, not yet killed; read without lock */
	u32 boot_apic_id;
	u32 apic_bus_ns;		/* of vCPUs made from now on; 0: 1 */
	/* By domain_vcpu(): set once, read without lock.  The others are in pages. */
	struct vcpu *few[VCPUS_FEW];
	struct vcpu **more[VCPU_PAGES];
	struct vcpu **unlinked[VCPU_PAGES]; /* of more, out of reach and not yet freed */

	/*
	 * lock: the vCPU array, the page tables and their generation, the
	 * ioeventfd table.  Taken before a vCPU's lock and before pool.lock.
	 */
	struct spinlock lock __aligned(CACHE_LINE);
	struct vcpu *dying;		/* stopped for good, not yet freed */
	u32 nr_devices;			/* that translate by npt; those are not to go */
	u32 apic_bars;			/* vCPUs with apic.bars_page: none in npt */
	struct npt_root npt;
	struct npt_root smm;		/* of vCPUs in SMM; none before the first of them */
	struct dom_pool pool;		/* domain 0: Bedplate's own pool stands in */
};

extern struct domain *domains[MAX_DOMAINS];
extern struct domain dom0;

static inline bool domain_is_dom0(const struct domain *d)
{
	return d->id == 0;
}

/* The vCPU of that index; NULL: there is none, or none any more.  Any CPU. */
static inline struct vcpu *domain_vcpu(const struct domain *d, u32 index)
{
	struct vcpu **page;

	if (likely(index < VCPUS_FEW))
		return READ_ONCE(d->few[index]);
	if (index >= MAX_VCPUS)
		return NULL;
	index -= VCPUS_FEW;
	page = READ_ONCE(d->more[index / VCPUS_PAGE]);
	return page ? READ_ONCE(page[index % VCPUS_PAGE]) : NULL;
}

/* Make it that one, or NULL.  d->lock, or boot.  -ENOMEM. */
int domain_set_vcpu(struct domain *d, u32 index, struct vcpu *v);
/*
 * At the domain's end, when no vCPU is linked any more: their pages go out of reach of
 * later look-ups; and, when no hypercall is left that found them before, go.
 */
void domain_unlink_vcpus(struct domain *d);
void domain_free_vcpus(struct domain *d);

/*
 * A zeroed page of the domain's own memory (direct-map address), for its
 * tables and state; NULL when it has none left (the caller answers -ENOMEM).
 * Any CPU.
 */
void *domain_page_alloc(struct domain *d);
void domain_page_free(struct domain *d, void *page);

#endif
