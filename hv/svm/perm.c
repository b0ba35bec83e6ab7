// SPDX-License-Identifier: GPL-2.0-only
/*
 * I/O and MSR permission maps (APM vol. 2, 15.10.1, 15.11).  A set bit makes
 * the access exit.  Two sets: domain 0's and the one that all guests share, with
 * another MSR map for those whose VMM, or L1, filters MSRs.  All are constant once vCPUs run.
 */
#include "guest/io_dom0.h"
#include "guest/msr.h"
#include "lib/string.h"
#include "lib/x86.h"
#include "machine/paging.h"
#include "memory/domain.h"
#include "svm.h"
#include "vcpu/speculation.h"

#define IOPM_SIZE	0x3000
#define MSRPM_SIZE	0x2000
#define MSRPM_RANGE	0x2000u		/* MSRs in each of the three ranges */
#define NOT_MAPPED	(~0u)		/* outside of the map: always exits */

struct perm_maps {
	u8 io[IOPM_SIZE];
	u8 msr[MSRPM_SIZE];
};

static struct perm_maps service_maps __aligned(4096);
static struct perm_maps guest_maps __aligned(4096);
static u8 guest_no_msr[MSRPM_SIZE] __aligned(4096);	/* svm_msrpm() */

static_assert(sizeof(struct perm_maps) % 4096 == 0, "maps are page-aligned");

/* Number of an MSR's read bit; its write bit is the next one. */
static u32 msr_bit(u32 msr)
{
	if (msr < MSRPM_RANGE)
		return msr * 2;
	if (msr - 0xc0000000u < MSRPM_RANGE)
		return (MSRPM_RANGE + (msr - 0xc0000000u)) * 2;
	if (msr - 0xc0010000u < MSRPM_RANGE)
		return (2 * MSRPM_RANGE + (msr - 0xc0010000u)) * 2;
	return NOT_MAPPED;
}

#define MSR_READ	1u
#define MSR_WRITE	2u

static void msr_pass(struct perm_maps *m, u32 msr, u32 what)
{
	u32 bit = msr_bit(msr);

	m->msr[bit / 8] &= ~(what << bit % 8);
}

static void catch_reads(struct perm_maps *m, const struct msr_range *r)
{
	u32 msr, bit;

	for (msr = r->first; msr <= r->last; msr++) {
		bit = msr_bit(msr);
		m->msr[bit / 8] |= MSR_READ << bit % 8;
	}
}

/* What VMLOAD and VMSAVE move, so that it is the running vCPU's own. */
static const u32 moved[] = {
	MSR_FS_BASE, MSR_GS_BASE, MSR_KERNEL_GS_BASE,
	MSR_STAR, MSR_LSTAR, MSR_CSTAR, MSR_SFMASK,
	MSR_SYSENTER_CS, MSR_SYSENTER_ESP, MSR_SYSENTER_EIP,
};

/* VM_CR, IGNNE, SMM_CTL, VM_HSAVE_PA, SVM_KEY */
static const struct msr_range svm_msrs = { MSR_AMD_VM_CR, MSR_AMD_SVM_KEY };

static void pass_moved(struct perm_maps *m)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(moved); i++)
		msr_pass(m, moved[i], MSR_READ | MSR_WRITE);
}

/* Speculation controls are domain 0's to write where the CPU has them. */
static void pass_speculation(struct perm_maps *m)
{
	if (spec_pass_ctrl())
		msr_pass(m, MSR_SPEC_CTRL, MSR_WRITE);
	if (spec_pass_pred())
		msr_pass(m, MSR_PRED_CMD, MSR_WRITE);
}

static void catch_ports(struct perm_maps *m, const struct port_range *r)
{
	u32 port;

	for (port = r->first; port <= r->last; port++)
		m->io[port / 8] |= 1u << port % 8;
}

static void init_service_maps(struct perm_maps *m)
{
	u32 i;

	for (i = 0; i < dom0_ports_len; i++)
		catch_ports(m, &dom0_ports[i]);
	/* Each byte holds four MSRs: read bits clear, write bits set. */
	memset(m->msr, 0xaa, sizeof(m->msr));
	for (i = 0; i < dom0_virtual_msrs_len; i++)
		catch_reads(m, &dom0_virtual_msrs[i]);
	catch_reads(m, &svm_msrs);
	pass_moved(m);
	pass_speculation(m);
}

void svm_perm_init(void)
{
	init_service_maps(&service_maps);
	memset(&guest_maps, 0xff, sizeof(guest_maps));
	memset(guest_no_msr, 0xff, sizeof(guest_no_msr));
	pass_moved(&guest_maps);
}

static const struct perm_maps *maps_of(const struct vcpu *v)
{
	return domain_is_dom0(v->dom) ? &service_maps : &guest_maps;
}

hpa_t svm_iopm(const struct vcpu *v)
{
	return virt_to_phys(maps_of(v)->io);
}

hpa_t svm_msrpm(const struct vcpu *v)
{
	if ((v->rules.flags & BP_RULE_MSR_TRAP) || (v->nested.intercept[3] & SVM_I1_MSR))
		return virt_to_phys(guest_no_msr);
	return virt_to_phys(maps_of(v)->msr);
}
