// SPDX-License-Identifier: GPL-2.0-only
/*
 * The reference time, in units of 100 ns, and its page, by which the guest computes it
 * from the TSC without an exit (TLFS 12.5 to 12.7).  Both follow kvmclock.
 */
#include <linux/gfp.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/smp.h>
#include <asm/msr.h>

#include "channel/hypercall.h"
#include "channel/ring.h"
#include "hyperv.h"
#include "memory/gmem.h"
#include "running/state.h"

#define UNITS_PER_MS	10000

/* Without memory of its own: a guest's time must not depend on whether there is any. */
static u64 kvmclock(struct bp_vm *vm, u64 *host_tsc)
{
	const struct kvm_clock_data *c = page_address(vm->map_page);
	u64 ns = 0;

	*host_tsc = rdtsc_ordered();
	spin_lock(&vm->mmu_lock);
	if (bp_hc_domain_get(vm->dom, BP_DOM_CLOCK, page_to_pfn(vm->map_page)) >= 0) {
		ns = c->clock;
		*host_tsc = c->host_tsc;
	}
	spin_unlock(&vm->mmu_lock);
	return ns;
}

u32 bp_hv_machine_khz(void)
{
	u32 *word = (void *)get_zeroed_page(GFP_KERNEL), khz = 0;

	if (!word)
		return 0;
	if (bp_hc_domain_get(0, BP_HV_TSC_KHZ, bp_pfn(word)) >= 0)
		khz = *word;
	free_page((unsigned long)word);
	return khz;
}

static u64 guest_tsc(struct bp_vcpu *vcpu, u64 host_tsc)
{
	u64 *offset = vcpu->state;

	if (bp_state_get(vcpu, BP_STATE_TSC_OFFSET, sizeof(*offset)) < 0)
		return host_tsc;
	return host_tsc + *offset;
}

u64 bp_hv_ref_time(struct bp_vcpu *vcpu)
{
	const struct bp_hv *hv = vcpu->vm->hv;
	u64 host_tsc;

	if (hv->tsc_state != HV_PAGE_SET)
		return kvmclock(vcpu->vm, &host_tsc) / 100;
	return mul_u64_u64_shr(guest_tsc(vcpu, rdtsc_ordered()), hv->tsc_scale, 64) +
	       hv->tsc_offset;
}

/* time = (TSC * scale >> 64) + offset */
static void compute(struct bp_vcpu *vcpu)
{
	struct bp_hv *hv = vcpu->vm->hv;
	u64 host_tsc, ns = kvmclock(vcpu->vm, &host_tsc);

	hv->tsc_scale = mul_u64_u64_div_u64((u64)UNITS_PER_MS << 32, 1ull << 32, hv->tsc_khz);
	hv->tsc_offset = ns / 100 - mul_u64_u64_shr(guest_tsc(vcpu, host_tsc), hv->tsc_scale, 64);
}

static int page_write(struct bp_vcpu *vcpu, size_t offset, const void *from, size_t len)
{
	u64 gpa = vcpu->vm->hv->tsc_page & PAGE_MASK;

	return bp_gmem_write(vcpu, gpa + offset, from, len);
}

/* The sequence is 0 while scale and offset change: then guests ask by the MSR. */
static int write_page(struct bp_vcpu *vcpu, bool guest)
{
	struct bp_hv *hv = vcpu->vm->hv;
	struct ms_hyperv_tsc_page p = { 0 };
	u64 gpa = hv->tsc_page & PAGE_MASK;
	const size_t head = offsetofend(struct ms_hyperv_tsc_page, tsc_offset);
	u32 seq, none = 0;
	int ret = bp_gmem_read(vcpu, gpa, &p, head);

	if (ret)
		return ret;
	seq = p.tsc_sequence;
	/* What was restored stays while the guest is told of changes otherwise. */
	if (seq && !guest && hv->tsc_emul_control) {
		hv->tsc_scale = p.tsc_scale;
		hv->tsc_offset = p.tsc_offset;
		return 0;
	}
	ret = page_write(vcpu, 0, &none, sizeof(none));
	if (ret)
		return ret;
	compute(vcpu);
	p.tsc_scale = hv->tsc_scale;
	p.tsc_offset = hv->tsc_offset;
	p.tsc_sequence = 0;
	ret = page_write(vcpu, 0, &p, head);
	if (ret)
		return ret;
	smp_wmb();	/* the guest reads the sequence first and last */
	seq = seq + 1 && seq + 1 != U32_MAX ? seq + 1 : 1;
	return page_write(vcpu, 0, &seq, sizeof(seq));
}

int bp_hv_tsc_page(struct bp_vcpu *vcpu, bool guest)
{
	struct bp_hv *hv = vcpu->vm->hv;
	int ret;

	if (!(hv->tsc_page & HV_X64_MSR_TSC_REFERENCE_ENABLE)) {
		hv->tsc_state = HV_PAGE_UNSET;
		return 0;
	}
	if (!guest && hv->tsc_state != HV_PAGE_STALE)
		return 0;
	ret = write_page(vcpu, guest);
	if (ret == -EINTR)
		return ret;
	hv->tsc_state = ret ? HV_PAGE_BROKEN : HV_PAGE_SET;
	return 0;
}

void bp_hv_clock_set(struct bp_vm *vm)
{
	unsigned int i, n = smp_load_acquire(&vm->nr_vcpus); /* pairs with bp_vcpu_create() */
	struct bp_hv *hv = vm->hv;
	bool stale;

	mutex_lock(&hv->lock);
	stale = hv->tsc_state == HV_PAGE_SET && !hv->tsc_emul_control;
	if (stale)
		hv->tsc_state = HV_PAGE_STALE;
	mutex_unlock(&hv->lock);
	if (!stale)
		return;
	for (i = 0; i < n; i++)
		set_bit(HV_WORK_TSC_PAGE, &bp_vcpu_at(vm, i)->hv_work);
	bp_vcpus_kick(vm);
}
