// SPDX-License-Identifier: GPL-2.0-only
/*
 * Asynchronous page faults (Linux's Documentation/virt/kvm/x86/msr.rst): while the VMM's page
 * is on its way, the guest runs something else.  It is told by a #PF whose CR2 is a token, and
 * by an interrupt, with the token in memory, when the page is there.  A guest that cannot be
 * told is halted meanwhile, and runs on for interrupts.
 *
 * A worker touches the page.  It outlives the vCPU's interest in it, and the vCPU, since the
 * VMM may leave it waiting for as long as it likes (userfaultfd).
 */
#include <linux/kvm_para.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <asm/apicdef.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "channel/hypercall.h"
#include "irqchip/irqchip.h"
#include "memory/gmem.h"
#include "memory/memslot.h"
#include "memory/mmu.h"
#include "apf.h"
#include "nest.h"
#include "run.h"
#include "state.h"

#define MAX_WAITS	64	/* of a vCPU, as many as KVM's */
#define WAKE_ALL	(~0u)	/* the token that ends all waits */

/* A page that is waited for. */
struct apf_wait {
	struct work_struct work;
	struct list_head link;	/* of vcpu->apf.waits */
	struct mm_struct *mm;
	unsigned long hva;
	u64 gfn;
	bool write;
	u32 token;
	bool told;		/* the guest has got a #PF */
	/* Under wait_lock: */
	struct bp_vcpu *vcpu;	/* NULL: nobody waits any more, and the worker frees it */
	bool done;
};

static DEFINE_SPINLOCK(wait_lock);
static struct workqueue_struct *workers;
static atomic_t nr_works;

int bp_apf_init(void)
{
	workers = alloc_workqueue("bedplate_apf", WQ_UNBOUND, WQ_MAX_ACTIVE);
	return workers ? 0 : -ENOMEM;
}

void bp_apf_exit(void)
{
	destroy_workqueue(workers);
}

/* ---- waits ---- */

/*
 * Workers are all guests' in common, and each may be kept as long as some VMM likes.  A work
 * that has to wait for one is not begun: its guest would wait for a page that nobody asks for.
 */
static bool worker_is_free(void)
{
	if (atomic_inc_return(&nr_works) <= WQ_MAX_ACTIVE)
		return true;
	atomic_dec(&nr_works);
	return false;
}

static void look_soon(struct bp_vcpu *vcpu)
{
	WRITE_ONCE(vcpu->apf.look, true);
	bp_vcpu_kick(vcpu);
}

/* Whether that has worked the vCPU sees when it tries again. */
static void touch(struct mm_struct *mm, unsigned long hva, bool write)
{
	int locked = 1;

	if (!mmget_not_zero(mm))
		return;
	mmap_read_lock(mm);
	get_user_pages_remote(mm, hva, 1, write ? FOLL_WRITE : 0, NULL, &locked);
	if (locked)
		mmap_read_unlock(mm);
	mmput(mm);
}

static void wait_work(struct work_struct *work)
{
	struct apf_wait *w = container_of(work, struct apf_wait, work);
	bool wanted;

	touch(w->mm, w->hva, w->write);
	mmdrop(w->mm);
	atomic_dec(&nr_works);
	spin_lock(&wait_lock);
	wanted = w->vcpu;
	w->done = true;
	if (wanted)
		look_soon(w->vcpu);
	spin_unlock(&wait_lock);
	if (!wanted)
		kfree(w);
}

static bool is_done(struct apf_wait *w)
{
	bool done;

	spin_lock(&wait_lock);
	done = w->done;
	spin_unlock(&wait_lock);
	return done;
}

/* One that no worker has begun with ends here, so that few are left of those. */
static void forget(struct bp_vcpu *vcpu, struct apf_wait *w)
{
	bool done;

	list_del(&w->link);
	vcpu->apf.nr_waits--;
	if (cancel_work(&w->work)) {
		atomic_dec(&nr_works);
		mmdrop(w->mm);
		kfree(w);
		return;
	}
	spin_lock(&wait_lock);
	done = w->done;
	w->vcpu = NULL;
	spin_unlock(&wait_lock);
	if (done)
		kfree(w);
}

void bp_apf_forget(struct bp_vcpu *vcpu)
{
	struct apf_wait *w, *next;

	list_for_each_entry_safe(w, next, &vcpu->apf.waits, link)
		forget(vcpu, w);
	vcpu->apf.wake_all = false;
}

static struct apf_wait *first_done(const struct bp_vcpu *vcpu)
{
	struct apf_wait *w;

	list_for_each_entry(w, &vcpu->apf.waits, link)
		if (is_done(w))
			return w;
	return NULL;
}

static struct apf_wait *wait_for(const struct bp_vcpu *vcpu, u64 gfn)
{
	struct apf_wait *w;

	list_for_each_entry(w, &vcpu->apf.waits, link)
		if (w->gfn == gfn)
			return w;
	return NULL;
}

/* Never 0. */
static u32 next_token(struct bp_vcpu *vcpu)
{
	if (!(vcpu->apf.tokens << 12))
		vcpu->apf.tokens = 1;
	return vcpu->apf.tokens++ << 12 | vcpu->id;
}

/* NULL: there are too many, here or of all, there is no memory, or the slot has gone meanwhile. */
static struct apf_wait *new_wait(struct bp_vcpu *vcpu, u64 gfn, bool write)
{
	const struct bp_memslot *slot = bp_slot_find(vcpu->vm, gfn);
	struct apf_wait *w;

	if (!slot || vcpu->apf.nr_waits >= MAX_WAITS)
		return NULL;
	w = kzalloc(sizeof(*w), GFP_NOWAIT | __GFP_ACCOUNT | __GFP_NOWARN);
	if (!w)
		return NULL;
	if (!worker_is_free()) {
		kfree(w);
		return NULL;
	}
	INIT_WORK(&w->work, wait_work);
	w->vcpu = vcpu;
	w->mm = vcpu->vm->mm;
	mmgrab(w->mm);
	w->hva = bp_slot_hva(slot, gfn);
	w->gfn = gfn;
	w->write = write;
	w->token = next_token(vcpu);
	list_add_tail(&w->link, &vcpu->apf.waits);
	vcpu->apf.nr_waits++;
	return w;
}

/* ---- what the guest is, and whether it can be told ---- */

static bool enabled(const struct bp_vcpu *vcpu)
{
	u64 both = KVM_ASYNC_PF_ENABLED | KVM_ASYNC_PF_DELIVERY_AS_INT;

	return (vcpu->apf.enable & both) == both;
}

/* INIT takes it all back. */
static void see_init(struct bp_vcpu *vcpu)
{
	u8 inits = READ_ONCE(vcpu->page->inits);

	if (likely(inits == vcpu->apf.inits))
		return;
	vcpu->apf.inits = inits;
	vcpu->apf.enable = 0;
	vcpu->apf.vector = 0;
	vcpu->apf.halted = false;
	bp_apf_forget(vcpu);
}

/* A #PF must not come where the guest does not expect one. */
static bool can_tell(struct bp_vcpu *vcpu)
{
	const struct kvm_sregs *s = vcpu->state;

	if (!enabled(vcpu) || bp_state_get(vcpu, BP_STATE_SREGS, sizeof(*s)) < 0)
		return false;
	if (!(vcpu->apf.enable & KVM_ASYNC_PF_SEND_ALWAYS) && !s->ss.dpl)
		return false;
	return s->cr0 & X86_CR0_PG;
}

/* Could the vCPU take an interrupt here, as to wake from a halt? */
static bool can_halt(struct bp_vcpu *vcpu)
{
	const struct kvm_vcpu_events *ev = vcpu->state;

	if (!vcpu->page->ready_for_irq || vcpu->npf.flags & BP_NPF_EVENT)
		return false;
	return bp_state_get(vcpu, BP_STATE_EVENTS, sizeof(*ev)) >= 0 &&
	       !ev->interrupt.shadow && !ev->exception.injected && !ev->exception.pending;
}

static bool can_wait(struct bp_vcpu *vcpu)
{
	if (bp_irq_mode(vcpu->vm->irq) == BP_IRQ_NONE || !can_halt(vcpu) || bp_nest_in_guest(vcpu))
		return false;
	return !(READ_ONCE(vcpu->vm->rules) & BP_RULE_HLT) || can_tell(vcpu);
}

static u64 shared_at(const struct bp_vcpu *vcpu, size_t offset)
{
	return (vcpu->apf.enable & ~0x3full) + offset;
}

static int put_shared(struct bp_vcpu *vcpu, size_t offset, u32 val)
{
	return bp_gmem_write(vcpu, shared_at(vcpu, offset), &val, sizeof(val));
}

/* ---- a halt that the guest knows nothing of: RIP stays at what waits ---- */

static void set_mp_state(struct bp_vcpu *vcpu, u32 state)
{
	struct kvm_mp_state *mp = vcpu->state;

	mp->mp_state = state;
	bp_state_set(vcpu, BP_STATE_MP_STATE, sizeof(*mp));
}

static void halt_here(struct bp_vcpu *vcpu)
{
	vcpu->apf.halted = true;
	vcpu->apf.halt_rip = vcpu->page->regs.rip;
	set_mp_state(vcpu, KVM_MP_STATE_HALTED);
}

static void unhalt(struct bp_vcpu *vcpu)
{
	const struct kvm_mp_state *mp = vcpu->state;

	if (likely(!vcpu->apf.halted))
		return;
	vcpu->apf.halted = false;
	/* Not if an interrupt has ended it, and the guest has executed HLT. */
	if (vcpu->page->regs.rip == vcpu->apf.halt_rip &&
	    bp_state_get(vcpu, BP_STATE_MP_STATE, sizeof(*mp)) >= 0 &&
	    mp->mp_state == KVM_MP_STATE_HALTED)
		set_mp_state(vcpu, KVM_MP_STATE_RUNNABLE);
}

/* ---- page not present ---- */

/* False: it cannot be told, or a signal came first: it is halted then, which does as well. */
static bool tell_missing(struct bp_vcpu *vcpu, u32 token)
{
	if (!can_tell(vcpu) ||
	    put_shared(vcpu, offsetof(struct kvm_vcpu_pv_apf_data, flags),
		       KVM_PV_REASON_PAGE_NOT_PRESENT))
		return false;
	bp_queue_exception(vcpu, X86_TRAP_PF, true, 0, token);
	return true;
}

static bool start_wait(struct bp_vcpu *vcpu, u64 gfn, bool write)
{
	struct apf_wait *w = new_wait(vcpu, gfn, write);

	if (!w)
		return false;
	w->told = tell_missing(vcpu, w->token);
	if (!w->told)
		halt_here(vcpu);
	queue_work(workers, &w->work);
	return true;
}

int bp_apf_fault(struct bp_vcpu *vcpu, u64 gfn, u32 access)
{
	bool write = access & BP_NPF_WRITE;
	int ret = bp_fault_nowait(vcpu, gfn, access);
	struct apf_wait *w;

	if (likely(ret != BP_FAULT_WAIT))
		return ret;
	see_init(vcpu);
	if (!can_wait(vcpu))
		return bp_fault(vcpu, gfn, access);
	w = wait_for(vcpu, gfn);
	if (w && is_done(w))
		return bp_fault(vcpu, gfn, access);	/* it has gone again: no worker is at it */
	if (w) {
		halt_here(vcpu);
		return BP_FAULT_DONE;
	}
	return start_wait(vcpu, gfn, write) ? BP_FAULT_DONE : bp_fault(vcpu, gfn, access);
}

/* ---- page ready ---- */

/* 1: the local APIC takes an interrupt, and the guest has taken the last token.  0, -EINTR. */
static int can_tell_ready(struct bp_vcpu *vcpu)
{
	u64 at = shared_at(vcpu, offsetof(struct kvm_vcpu_pv_apf_data, token));
	u32 token;
	int ret;

	if (!enabled(vcpu))
		return 1;
	if (!(vcpu->page->apic_base & MSR_IA32_APICBASE_ENABLE) ||
	    !(bp_hc_lapic_read(vcpu->vm->dom, vcpu->index, APIC_SPIV) & APIC_SPIV_APIC_ENABLED))
		return 0;
	ret = bp_gmem_read(vcpu, at, &token, sizeof(token));
	return ret ? bp_gmem_error(ret, 0) : !token;
}

/* 0 or -EINTR. */
static int tell_ready(struct bp_vcpu *vcpu, u32 token)
{
	int ret;

	if (!enabled(vcpu))
		return 0;
	ret = put_shared(vcpu, offsetof(struct kvm_vcpu_pv_apf_data, token), token);
	if (!ret)
		bp_message_to(vcpu, vcpu->apf.vector);
	return bp_gmem_error(ret, 0);
}

/* 0 or -EINTR.  Only who has been told is forgotten. */
static int tell_all_ready(struct bp_vcpu *vcpu)
{
	struct apf_wait *w;
	int ret;

	for (;;) {
		w = first_done(vcpu);
		if (!w && !vcpu->apf.wake_all)
			return 0;
		unhalt(vcpu);
		ret = can_tell_ready(vcpu);
		if (ret <= 0)
			return ret;
		if (!w || w->told)
			ret = tell_ready(vcpu, w ? w->token : WAKE_ALL);
		if (ret < 0)
			return ret;
		if (w)
			forget(vcpu, w);
		else
			vcpu->apf.wake_all = false;
	}
}

int bp_apf_look(struct bp_vcpu *vcpu)
{
	/* Before it looks: who is done from here on says so again. */
	smp_store_mb(vcpu->apf.look, false);
	see_init(vcpu);
	/* Interrupted, the next KVM_RUN looks again: bp_apf_left(). */
	return tell_all_ready(vcpu) ?: 1;
}

void bp_apf_left(struct bp_vcpu *vcpu)
{
	unhalt(vcpu);
	if (vcpu->apf.nr_waits || vcpu->apf.wake_all)
		WRITE_ONCE(vcpu->apf.look, true);
}

/* ---- MSRs ---- */

static bool offered(const struct bp_vcpu *vcpu, u32 feature)
{
	return !(vcpu->rules & BP_RULE_PV_CPUID) || vcpu->apf.features & BIT(feature);
}

static bool has_msr(const struct bp_vcpu *vcpu, u32 msr)
{
	return offered(vcpu, msr == MSR_KVM_ASYNC_PF_EN ? KVM_FEATURE_ASYNC_PF :
							  KVM_FEATURE_ASYNC_PF_INT);
}

static long set_enable(struct bp_vcpu *vcpu, u64 val)
{
	if (val & 0x30 ||
	    (val & KVM_ASYNC_PF_DELIVERY_AS_PF_VMEXIT && !offered(vcpu, KVM_FEATURE_ASYNC_PF_VMEXIT)) ||
	    (val & KVM_ASYNC_PF_DELIVERY_AS_INT && !offered(vcpu, KVM_FEATURE_ASYNC_PF_INT)))
		return -EINVAL;
	if (bp_irq_mode(vcpu->vm->irq) == BP_IRQ_NONE)
		return val ? -EINVAL : 0;
	vcpu->apf.enable = val;
	if (!enabled(vcpu)) {
		bp_apf_forget(vcpu);
		return 0;
	}
	if (shared_at(vcpu, 0) & BP_GPA_SMM ||
	    !bp_slot_find(vcpu->vm, shared_at(vcpu, 0) >> PAGE_SHIFT))
		return -EINVAL;
	/* Whatever was waited for before, in another VMM even, is looked for anew. */
	vcpu->apf.wake_all = !first_done(vcpu);
	WRITE_ONCE(vcpu->apf.look, true);
	return 0;
}

static long set_msr(struct bp_vcpu *vcpu, u32 msr, u64 val)
{
	switch (msr) {
	case MSR_KVM_ASYNC_PF_EN:
		return set_enable(vcpu, val);
	case MSR_KVM_ASYNC_PF_INT:
		if (val >> 8 || bp_irq_mode(vcpu->vm->irq) == BP_IRQ_NONE)
			return -EINVAL;
		vcpu->apf.vector = val;
		return 0;
	default:
		if (val & 1)
			WRITE_ONCE(vcpu->apf.look, true);
		return 0;
	}
}

long bp_apf_set_msr(struct bp_vcpu *vcpu, u32 msr, u64 val)
{
	long ret;
	int idx;

	if (!bp_apf_owns(msr) || !has_msr(vcpu, msr))
		return -ENOENT;
	see_init(vcpu);
	idx = srcu_read_lock(&vcpu->vm->srcu);
	ret = set_msr(vcpu, msr, val);
	srcu_read_unlock(&vcpu->vm->srcu, idx);
	return ret;
}

long bp_apf_get_msr(struct bp_vcpu *vcpu, u32 msr, u64 *val)
{
	if (!bp_apf_owns(msr) || !has_msr(vcpu, msr))
		return -ENOENT;
	see_init(vcpu);
	*val = msr == MSR_KVM_ASYNC_PF_EN ? vcpu->apf.enable :
	       msr == MSR_KVM_ASYNC_PF_INT ? vcpu->apf.vector : 0;
	return 0;
}

void bp_apf_cpuid_set(struct bp_vcpu *vcpu, const struct kvm_cpuid2 *cpuid)
{
	const struct kvm_cpuid_entry2 *e;

	vcpu->apf.features = 0;
	for (e = cpuid->entries; e < cpuid->entries + cpuid->nent; e++)
		if (e->function == KVM_CPUID_FEATURES)
			vcpu->apf.features = e->eax;
}
