/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Second-level address spaces and their TLBs.
 *
 * TLB coherence.  d->tlb_gen counts the times that a translation of domain d
 * was taken away.  A CPU that enters guest mode publishes (guest_gen,
 * guest_dom), then reads d->tlb_gen again; who takes a translation away clears
 * the entry, raises d->tlb_gen, then looks at what CPUs have published.
 * Between the write and the read both sides have a full barrier, so at least
 * one sees the other: either the entering CPU sees the new generation,
 * publishes it and flushes before it enters, or the other side sees the CPU
 * in guest mode with an old generation, sends it a kick, and waits until it
 * has left (guest_dom differs) or has come back with the new generation.
 * guest_gen is written before guest_dom and read after it, so that a stale
 * generation is never taken for a new one: a higher number of another domain
 * can be read only if the CPU has left d since.
 *
 * A vCPU remembers for which generation, and on which CPU, it was last
 * flushed (struct tlb_seen); when either differs at entry its cached
 * translations are dropped.  So CPUs that are not in guest mode need no kick:
 * what they still cache is dropped before it can be used.  That holds for the
 * calling CPU as well: it is in root mode, and domain 0's vCPU that made the
 * hypercall is flushed at its next entry.
 *
 * No deadlock: one who waits is in root mode himself, with guest_dom = NULL,
 * so two CPUs that flush each other's domain do not wait for each other; and
 * a CPU in guest mode, once kicked, takes no lock before mmu_leave().  Hence
 * locks may be held over mmu_flush_domain(), and the run loop must take none
 * between ops->run() and mmu_leave().
 *
 * Root mode's own accesses (guest_read() and so on) are no guest-mode
 * accesses: they hold d->lock from the look-up to the end of the copy, and
 * whoever takes frames away does it under d->lock too.
 */
#ifndef HV_CORE_MMU_H
#define HV_CORE_MMU_H

#include "domain.h"
#include "hv/ept/npt.h"
#include "machine/cpu.h"

/*
 * A domain has a second address space, of its vCPUs in SMM: who names one by a
 * guest-physical address or frame number sets a bit that no such address has.
 */
#define GFN_SMM		BP_GFN_SMM
#define GPA_SMM		(GFN_SMM << PAGE_SHIFT)

/* Make sure that it is there.  Takes d->lock.  -ENOMEM, -EINVAL: the domain dies. */
int mmu_smm_init(struct domain *d);

/* What a vCPU's cached translations are worth; touched where it is RUNNING. */
struct tlb_seen {
	u64 gen;		/* domain's generation last flushed for */
	const struct cpu *cpu;	/* where it last ran; NULL: flush */
};

/*
 * The run loop: right before ops->run(v) and right after it, on the CPU where
 * v of domain @d is RUNNING, interrupts off.  Between mmu_enter() and the entry
 * the kick must end the guest's run at once, which an interrupt pending at
 * VMRUN or VMLAUNCH does.  True: drop all that the CPU has cached for v first.
 */
static inline bool mmu_enter(struct cpu *c, struct domain *d, struct tlb_seen *seen)
{
	u64 gen = READ_ONCE(d->tlb_gen), now;

	for (;;) {
		WRITE_ONCE(c->guest_gen, gen);
		smp_store_release(&c->guest_dom, d);
		smp_mb();
		now = READ_ONCE(d->tlb_gen);
		if (likely(now == gen))
			break;
		gen = now;
	}
	if (likely(seen->gen == gen && seen->cpu == c))
		return false;
	seen->gen = gen;
	seen->cpu = c;
	return true;
}

static inline void mmu_leave(struct cpu *c)
{
	smp_store_release(&c->guest_dom, NULL);
}

/*
 * Make sure that no CPU uses a translation of @d that was taken away before
 * the call (what devices use of an I/O domain is iommu_flush()'s).  Any CPU in root
 * mode; d->lock may be held.
 */
void mmu_flush_domain(struct domain *d);

/* Boot: the format of this machine's second-level tables, and its size limits. */
void mmu_init(const struct npt_format *format);

/*
 * MAP: @maps may be shared memory, each word is read once.  Result: how many
 * were done, or the first one's error (see channel.h; -EINVAL also for n = 0,
 * n > BP_MAP_MAX, or a domain that is not live).  Takes d->lock.
 */
int mmu_map(struct domain *d, const struct bp_map *maps, u32 n);

/*
 * UNMAP: 0 and *done > 0, or -EINVAL.  A large leaf that is partly in the
 * range goes as a whole: the guest's next access faults it in again.  On
 * return no vCPU can use the mappings, and domain 0 may reuse the frames.
 * Takes d->lock.
 */
int mmu_unmap(struct domain *d, u64 gfn, u64 npages, u64 *done);

/*
 * PROTECT with its flags (BP_PROTECT_*): 0 and *done > 0, or the error of npt_protect(), or -EINVAL in an
 * I/O domain.  No flush: who has a
 * translation cached may still write, to frames that the domain has references to.
 * What was large to a TLB is gone from it by the flush of any part's unmapping, before
 * that part's reference is.  Takes d->lock.
 */
int mmu_protect(struct domain *d, u64 gfn, u64 npages, u64 flags, u64 *done);

/*
 * The page at @gpa has NPT_LOGGED, and what that is for is done: the guest may write to it.
 * Nothing, if it has it no more.  d->lock held, since before that was done.
 */
void mmu_log_end(struct domain *d, gpa_t gpa);

/*
 * The page @hpa of Bedplate's own (struct vlapic, access_page) at @gpa, while all of
 * the domain's vCPUs are in xAPIC mode: any other mode would reach the page itself.
 * bar: after a vCPU has left that mode and before it enters; it takes the page away.
 * unbar: after it has come back.  It is mapped anew by the next access, and instead of
 * an MMIO mark.  -EEXIST (barred, or memory is there), -ENOMEM: it is not there.
 * All take d->lock.
 */
int mmu_map_apic(struct domain *d, gpa_t gpa, hpa_t hpa);
void mmu_bar_apic(struct domain *d, gpa_t gpa);
void mmu_unbar_apic(struct domain *d);

/*
 * A piece of tearing the whole address space down; 1 = call again, 0 = gone,
 * its pages are back in the pool.  d->lock held, no vCPU is left.
 */
int mmu_destroy_some(struct domain *d);

/*
 * What a guest-physical page is, for the NPF exit: NPT_MAPPED with its rights
 * (the fault may be stale: enter again), NPT_MARKED or NPT_ABSENT.
 * Takes d->lock.
 */
enum npt_kind mmu_lookup(struct domain *d, gpa_t gpa, struct npt_leaf *leaf);

/*
 * Copy from or to guest-physical memory of the first address space, page by page.
 * -EFAULT: not mapped, not writable, or (domain 0) not RAM that it owns; what came
 * before may have been copied.  Takes d->lock; any CPU.
 */
int guest_read(struct domain *d, gpa_t gpa, void *buf, u32 len);
int guest_write(struct domain *d, gpa_t gpa, const void *buf, u32 len);
/*
 * The same for @len bytes within a page, where the guest keeps what is looked at often: the place is remembered
 * in @k, all zeroes at first, and good as long as no translation of the domain is taken away.
 */
struct guest_kept {
	gpa_t gpa;
	u64 gen;			/* d->tlb_gen then */
	u8 *at;				/* NULL: none */
};

int guest_read_kept(struct domain *d, struct guest_kept *k, gpa_t gpa, void *buf, u32 len);
int guest_write_kept(struct domain *d, struct guest_kept *k, gpa_t gpa, const void *buf, u32 len);
/* One byte, atomically for the guest's CPUs too; *old is what was there.  As guest_write(). */
int guest_xchg(struct domain *d, gpa_t gpa, u8 val, u8 *old);

/*
 * Several accesses in a row, such as a walk of the guest's own tables: one
 * lock, and no new walk of ours while they stay within one leaf.  begin takes
 * d->lock and end drops it; read as guest_read().
 */
struct guest_view {
	struct domain *dom;
	u64 space;			/* GPA_SMM, or 0 */
	gpa_t first;			/* of the leaf in hand */
	u64 size;			/* bytes of it; 0 = none */
	u8 *base;
};

void guest_view_begin(struct guest_view *w, struct domain *d, u64 space);
int guest_view_read(struct guest_view *w, gpa_t gpa, void *buf, u32 len);
void guest_view_end(struct guest_view *w);

/* The first address beyond what this CPU's physical addresses reach. */
u64 mmu_phys_end(void);

/*
 * Domain 0's address space: identity, all its RAM and all MMIO up to the
 * limit of physical addresses (see mmu_dom0.c), but nothing of Bedplate's and
 * no protected MMIO.  Boot, after frames_set() and frame_mmio_protect().
 * -ENOMEM.
 */
int dom0_build_npt(void);

/*
 * The table of domain 0's devices, where there are IOMMUs (iommu_caps.name), and its root,
 * 0 before. Boot, after dom0_build_npt(). -ENOMEM.
 */
int dom0_build_io(void);
hpa_t dom0_io_root(void);

/*
 * Take donated frames out of domain 0's tables and flush (all or none:
 * -ENOMEM); put returned ones back.  @pfn is private memory.  For dommem.c;
 * dom0.lock held.
 */
int mmu_dom0_take(const u64 *pfn, u32 n);
void mmu_dom0_give(const u64 *pfn, u32 n);

#endif
