/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hypercalls to Bedplate, as compat/kvm-abi/channel.h states them.  None of
 * them sleeps; each may be made from any context, interrupts on or off, but
 * for bp_hc_run(), which wants them off.
 */
#ifndef BEDPLATE_HYPERCALL_H
#define BEDPLATE_HYPERCALL_H

#include <linux/errno.h>
#include <linux/printk.h>
#include <linux/string.h>
#include <linux/types.h>
#include <asm/alternative.h>
#include <asm/cpufeatures.h>
#include <asm/page.h>

#include "compat.h"
#include "../../compat/kvm-abi/channel.h"

/* Is Bedplate there, and does it speak as we do?  0, or -ENODEV with a line that says why. */
static inline int bp_find_bedplate(void)
{
	u32 eax, sig[3], version;

	cpuid(BP_CPUID_BASE, &eax, &sig[0], &sig[1], &sig[2]);
	if (eax < BP_CPUID_VERSION || memcmp(sig, BP_SIGNATURE, 12)) {
		pr_err(KBUILD_MODNAME ": this machine does not run on Bedplate\n");
		return -ENODEV;
	}
	version = cpuid_eax(BP_CPUID_VERSION);
	if (version != BP_CHANNEL_VERSION) {
		pr_err(KBUILD_MODNAME ": Bedplate has version %u of the channel, this module has %u\n",
		       version, BP_CHANNEL_VERSION);
		return -ENODEV;
	}
	return 0;
}

/* VMCALL on Intel, VMMCALL on AMD and Hygon: patched when the module loads. */
#define BP_HC_INSN ALTERNATIVE("vmcall", "vmmcall", X86_FEATURE_VMMCALL)

static __always_inline long bp_hc(enum bp_hypercall nr, u64 a, u64 b, u64 c,
				  u64 d)
{
	long ret;

	asm volatile(BP_HC_INSN
		     : "=a" (ret)
		     : "a" ((u64)(BP_HC_BASE | nr)), "b" (a), "c" (b), "d" (c),
		       "S" (d)
		     : "memory");
	return ret;
}

/* Frame number of a page that the kernel has in its direct map. */
static inline u64 bp_pfn(const void *page)
{
	return __pa(page) >> PAGE_SHIFT;
}

static inline long bp_hc_ring(u64 ring_pfn, u8 vector)
{
	return bp_hc(BP_HC_RING, ring_pfn, vector, 0, 0);
}

static inline long bp_hc_domain_create(u64 list_pfn, u64 n, u64 cookie, u64 kind)
{
	return bp_hc(BP_HC_DOMAIN_CREATE, list_pfn, n, cookie, kind);
}

static inline long bp_hc_donate(u32 dom, u64 list_pfn, u64 n)
{
	return bp_hc(BP_HC_DONATE, dom, list_pfn, n, 0);
}

static inline long bp_hc_domain_destroy(u32 dom)
{
	return bp_hc(BP_HC_DOMAIN_DESTROY, dom, 0, 0, 0);
}

static inline long bp_hc_reclaim(u32 dom, u64 list_pfn, u64 max)
{
	return bp_hc(BP_HC_RECLAIM, dom, list_pfn, max, 0);
}

static inline long bp_hc_vcpu_create(u32 dom, u32 apic_id, u64 page_pfn,
				     u64 state_pfn)
{
	return bp_hc(BP_HC_VCPU_CREATE, dom, apic_id, page_pfn, state_pfn);
}

static __always_inline long bp_hc_run(u32 dom, u32 vcpu)
{
	return bp_hc(BP_HC_RUN, dom, vcpu, 0, 0);
}

static inline long bp_hc_pause(u32 dom, u32 vcpu)
{
	return bp_hc(BP_HC_PAUSE, dom, vcpu, 0, 0);
}

static inline long bp_hc_vcpu_get(u32 dom, u32 vcpu, enum bp_state class,
				  u64 len)
{
	return bp_hc(BP_HC_VCPU_GET, dom, vcpu, class, len);
}

static inline long bp_hc_vcpu_set(u32 dom, u32 vcpu, enum bp_state class,
				  u64 len)
{
	return bp_hc(BP_HC_VCPU_SET, dom, vcpu, class, len);
}

static inline long bp_hc_map(u32 dom, u64 list_pfn, u64 n)
{
	return bp_hc(BP_HC_MAP, dom, list_pfn, n, 0);
}

static inline long bp_hc_unmap(u32 dom, u64 gfn, u64 npages)
{
	return bp_hc(BP_HC_UNMAP, dom, gfn, npages, 0);
}

static inline long bp_hc_protect(u32 dom, u64 gfn, u64 npages, u64 flags)
{
	return bp_hc(BP_HC_PROTECT, dom, gfn, npages, flags);
}

static inline long bp_hc_io_attach(u32 dom, u32 device)
{
	return bp_hc(BP_HC_IO_ATTACH, dom, device, 0, 0);
}

static inline long bp_hc_io_info(void)
{
	return bp_hc(BP_HC_IO_INFO, 0, 0, 0, 0);
}

/* Interrupt message; any context, also under raw spinlocks. */
static inline long bp_hc_msi(u32 dom, u64 address, u32 data)
{
	return bp_hc(BP_HC_MSI, dom, address, data, 0);
}

/* Whatever the guest's tables, and its second level, said before is forgotten. */
static inline long bp_hc_flush_tlb(u32 dom)
{
	return bp_hc(BP_HC_FLUSH_TLB, dom, 0, 0, 0);
}

/* INTR output of the PIC towards a vCPU's LINT0; any context. */
static inline long bp_hc_extint(u32 dom, u32 vcpu, int level)
{
	return bp_hc(BP_HC_EXTINT, dom, vcpu, level ? BP_EXTINT_HIGH : 0, 0);
}

/* The line that no local APIC has a say in; any context. */
static inline long bp_hc_direct(u32 dom, u32 vcpu, bool level)
{
	return bp_hc(BP_HC_EXTINT, dom, vcpu, BP_EXTINT_DIRECT | (level ? BP_EXTINT_HIGH : 0), 0);
}

static inline long bp_hc_nmi(u32 dom, u32 vcpu)
{
	return bp_hc(BP_HC_NMI, dom, vcpu, 0, 0);
}

static inline long bp_hc_ioeventfd(u32 dom, u64 list_pfn)
{
	return bp_hc(BP_HC_IOEVENTFD, dom, list_pfn, 0, 0);
}

static inline long bp_hc_lapic_read(u32 dom, u32 vcpu, u32 offset)
{
	return bp_hc(BP_HC_LAPIC_ACCESS, dom, vcpu, offset, 0);
}

static inline long bp_hc_lapic_write(u32 dom, u32 vcpu, u32 offset, u64 val)
{
	return bp_hc(BP_HC_LAPIC_ACCESS, dom, vcpu, offset | BP_LAPIC_WRITE,
		     val);
}

static inline long bp_hc_domain_get(u32 dom, enum bp_domain_state class,
				    u64 pfn)
{
	return bp_hc(BP_HC_DOMAIN_GET, dom, class, pfn, 0);
}

static inline long bp_hc_domain_set(u32 dom, enum bp_domain_state class,
				    u64 pfn)
{
	return bp_hc(BP_HC_DOMAIN_SET, dom, class, pfn, 0);
}

static inline long bp_hc_vcpu_counters(u32 dom, u32 vcpu, u64 pfn)
{
	return bp_hc(BP_HC_VCPU_COUNTERS, dom, vcpu, pfn, 0);
}

/* @which: 0, or BP_LOG_LAST. */
static inline long bp_hc_log_read(u64 pos, u64 pfn, u32 which)
{
	return bp_hc(BP_HC_LOG_READ, pos, pfn, which, 0);
}

static inline long bp_hc_ending(u32 how)
{
	return bp_hc(BP_HC_ENDING, how, 0, 0, 0);
}

static inline long bp_hc_vcpu_sched(u32 dom, u32 vcpu, u32 weight)
{
	return bp_hc(BP_HC_VCPU_SCHED, dom, vcpu, weight, 0);
}

#endif
