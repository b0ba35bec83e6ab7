// SPDX-License-Identifier: GPL-2.0-only
/* Birth, reset and death of vCPUs. */
#include "apic/irq.h"
#include "apic/vlapic.h"
#include "compat/kvm-abi/ioeventfd.h"
#include "compat/kvm-abi/ring.h"
#include "compat/kvm-abi/server.h"
#include "guest/cpuid.h"
#include "guest/msr.h"
#include "guest/pv.h"
#include "lib/atomic.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/x86.h"
#include "loop.h"
#include "machine/cpu.h"
#include "machine/paging.h"
#include "memory/domain.h"
#include "memory/dommem.h"
#include "memory/frames.h"
#include "vcpu/ops.h"
#include "vcpu/run.h"
#include "vcpu/speculation.h"
#include "vcpu/sregs.h"

static_assert(sizeof(struct vcpu) <= PAGE_SIZE, "one page of the domain");

/* FCW and MXCSR of the XSAVE area's legacy region (SDM vol. 1, 13.4). */
static void reset_fpu(struct vcpu *v)
{
	u8 *x = v->xsave;

	memset(x, 0, PAGE_SIZE);
	*(u16 *)x = 0x37f;
	*(u32 *)(x + 24) = 0x1f80;
	*(u64 *)(x + 512) = XCR0_FP | XCR0_SSE;
	v->xcr0 = XCR0_FP;
}

/* But for a guest being debugged, whose breakpoints are the VMM's. */
static void reset_debug(struct vcpu *v)
{
	memset(v->dr, 0, sizeof(v->dr));
	v->dr6 = X86_DR6_INIT;
	v->dr7 = X86_DR7_INIT;
}

/* The state that follows INIT (SDM vol. 3, table 10-1; APM vol. 2, table 14-1). */
static void reset_state(struct vcpu *v)
{
	struct kvm_sregs s;

	memset(&v->regs, 0, sizeof(v->regs));
	v->regs.rip = 0xfff0;
	v->regs.rflags = X86_EFLAGS_FIXED;
	v->inject.type = EVENT_NONE;
	v->nmi_pending = false;
	v->extint_queued = false;
	v->intr_again = false;
	v->shutdown_sticky = false;
	v->eoi_exit = 0;
	if (likely(!(v->rules.flags & BP_RULE_DEBUG)))
		reset_debug(v);
	v->tpr_watch = 0;
	if (unlikely(v->nested.flags & BP_NESTED_GUEST))
		spec_init_vcpu(v);	/* L1 and L2 count as two */
	v->nested = (struct bp_nested){ .flags = v->nested.flags & BP_NESTED_ON };
	ops->vcpu_reset(v);
	sregs_init(&s);
	ops->set_sregs(v, &s);
	ops->sync_controls(v);
	v->regs.gpr[RDX] = vcpu_cpuid(v, 1, 0).eax;
}

int vcpu_setup(struct vcpu *v, u32 apic_id, bool bsp)
{
	int err;

	v->xsave = domain_page_alloc(v->dom);
	if (!v->xsave)
		return -ENOMEM;
	v->apic.reg = domain_page_alloc(v->dom);
	err = v->apic.reg ? ops->vcpu_init(v) : -ENOMEM;
	if (err) {
		if (v->apic.reg)
			domain_page_free(v->dom, v->apic.reg);
		domain_page_free(v->dom, v->xsave);
		return err;
	}
	spin_lock_init(&v->lock, domain_is_dom0(v->dom) ? LOCK_VCPU_DOM0 : LOCK_VCPU);
	sched_init_vcpu(v, domain_is_dom0(v->dom));
	v->state = VCPU_STOPPED;
	v->mp_state = bsp ? KVM_MP_STATE_RUNNABLE : KVM_MP_STATE_UNINITIALIZED;
	v->tlb.cpu = NULL;
	spec_init_vcpu(v);
	vlapic_init(v, apic_id, bsp);
	msr_reset(v);
	reset_fpu(v);
	reset_state(v);
	return 0;
}

void vcpu_teardown(struct vcpu *v)
{
	struct domain *d = v->dom;

	timer_cancel(&v->apic.timer);
	ops->vcpu_fini(v);
	domain_page_free(d, v->apic.reg);
	domain_page_free(d, v->xsave);
	if (v->cpuid)
		domain_page_free(d, v->cpuid);
	if (v->page) {
		frame_put_shared(v->page_hpa >> PAGE_SHIFT);
		frame_put_shared(v->state_hpa >> PAGE_SHIFT);
	}
	domain_page_free(d, v);
}

/* v is current, so the CPU has some of the state, and gets what it becomes. */
static void take_init(struct vcpu *v)
{
	vcpu_save_extra(v);
	dom0_drop_level_irqs(v);
	/* Who starts the CPU next may use the ring's frame for anything. */
	if (domain_is_dom0(v->dom))
		ring_unregister();
	else
		v->page->inits++;
	vlapic_reset(v);
	pv_reset(v);
	reset_state(v);
	vcpu_load_extra(v);
	v->mp_state = v->apic.base & APIC_BASE_BSP ? KVM_MP_STATE_RUNNABLE :
						     KVM_MP_STATE_INIT_RECEIVED;
}

/* Start at vector:0000 in real mode (SDM vol. 3, 9.4.3). */
static void take_sipi(struct vcpu *v)
{
	u8 vector = READ_ONCE(v->sipi_vector);
	struct kvm_sregs s;

	if (v->mp_state != KVM_MP_STATE_INIT_RECEIVED)
		return;
	ops->get_sregs(v, &s);
	s.cs.selector = vector << 8;
	s.cs.base = vector << 12;
	ops->set_sregs(v, &s);
	v->regs.rip = 0;
	v->mp_state = KVM_MP_STATE_RUNNABLE;
}

void vcpu_take_init_sipi(struct vcpu *v)
{
	u64 reqs = fetch_and(&v->requests, vcpu_holds(v) ? ~VCPU_REQ_SIPI : VCPU_REQ_SMI);

	if (vcpu_holds(v))
		return;
	if (reqs & VCPU_REQ_INIT) {
		fetch_and(&v->requests, ~VCPU_REQ_SMI);
		take_init(v);
	}
	if (reqs & VCPU_REQ_SIPI)
		take_sipi(v);
}

static bool apic_id_used(struct domain *d, u32 apic_id)
{
	u32 i;

	for (i = 0; i < d->nr_vcpus; i++)
		if (domain_vcpu(d, i) && domain_vcpu(d, i)->apic.id == apic_id)
			return true;
	return false;
}

/* The frames that the vCPU shares with the shim. */
static int share_frames(struct vcpu *v, u64 page_pfn, u64 state_pfn)
{
	int err = frame_get_shared(page_pfn);

	if (err)
		return -EINVAL;
	err = frame_get_shared(state_pfn);
	if (err) {
		frame_put_shared(page_pfn);
		return -EINVAL;
	}
	v->page_hpa = page_pfn << PAGE_SHIFT;
	v->state_hpa = state_pfn << PAGE_SHIFT;
	v->page = phys_to_virt(v->page_hpa);
	v->state_page = phys_to_virt(v->state_hpa);
	return 0;
}

/* The TSC is 0 when the first vCPU is made, and the same on all. */
static void begin_tsc(struct vcpu *v)
{
	struct domain *d = v->dom;
	u64 now = rdtsc();

	if (!v->index) {
		pv_clock_set(d, pv_clock_ns(d, now), now);
		d->tsc_offset = -now;
	}
	v->tsc_offset = d->tsc_offset;
}

/* d->lock held. */
static int create(struct domain *d, u32 apic_id, u64 page_pfn, u64 state_pfn)
{
	struct vcpu *v;
	int err;

	if (d->phase != DOM_LIVE || d->io)
		return -EINVAL;
	if (d->nr_vcpus >= BP_MAX_VCPUS)
		return -E2BIG;
	if (apic_id_used(d, apic_id))
		return -EEXIST;
	v = domain_page_alloc(d);
	if (!v)
		return -ENOMEM;
	v->dom = d;
	v->index = d->nr_vcpus;
	v->home = this_cpu();
	begin_tsc(v);
	err = share_frames(v, page_pfn, state_pfn);
	if (err)
		goto free_vcpu;
	err = vcpu_setup(v, apic_id, apic_id == d->boot_apic_id);
	if (err)
		goto free_frames;
	err = domain_set_vcpu(d, v->index, v);
	if (err)
		goto tear_down;
	WRITE_ONCE(d->nr_alive, d->nr_alive + 1);
	smp_store_release(&d->nr_vcpus, v->index + 1);
	return v->index;

tear_down:
	vcpu_teardown(v);
	return err;
free_frames:
	frame_put_shared(page_pfn);
	frame_put_shared(state_pfn);
free_vcpu:
	domain_page_free(d, v);
	return err;
}

int vcpu_create(struct domain *d, u32 apic_id, u64 page_pfn, u64 state_pfn)
{
	int ret;

	spin_lock(&d->lock);
	ret = create(d, apic_id, page_pfn, state_pfn);
	spin_unlock(&d->lock);
	return ret;
}

/* No CPU runs it or will; an access under way ends soon: then try again. */
static bool kill(struct vcpu *v)
{
	if (READ_ONCE(v->state) == VCPU_DEAD)
		return true;
	if (vcpu_pause(v) || vcpu_claim(v))
		return false;
	spin_lock(&v->lock);
	v->state = VCPU_DEAD;
	spin_unlock(&v->lock);
	return true;
}

#define TEARDOWN_MAX	32	/* vCPUs in one call, for interrupts are off */

/* Stopped for good, and out of reach of later look-ups.  False: not all of them yet. */
static bool unlink_all(struct domain *d)
{
	bool all = true;
	u32 i, tried = 0;

	for (i = 0; i < d->nr_vcpus; i++) {
		struct vcpu *v = domain_vcpu(d, i);

		if (!v)
			continue;
		if (tried++ == TEARDOWN_MAX)
			return false;
		if (!kill(v)) {
			all = false;
			continue;
		}
		v->dying_next = d->dying;
		d->dying = v;
		domain_set_vcpu(d, i, NULL);
		WRITE_ONCE(d->nr_alive, d->nr_alive - 1);
	}
	if (all)
		domain_unlink_vcpus(d);
	return all;
}

/* Their memory goes when no hypercall is left that found them before. */
int vcpu_destroy_all(struct domain *d)
{
	struct vcpu *v;
	u32 n;

	if (!unlink_all(d))
		return 1;
	smp_mb();
	if (domain_busy(d))
		return 1;
	for (n = 0; (v = d->dying) && n < TEARDOWN_MAX; n++) {
		d->dying = v->dying_next;
		vcpu_teardown(v);
	}
	if (d->dying)
		return 1;
	domain_free_vcpus(d);
	ioeventfd_destroy(d);
	return 0;
}
