// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hyper-V's MSRs (TLFS 2.4, 10, 12).  Those of the partition are under vm->hv->lock, those of
 * a VP under vcpu->mutex.  The VMM may set all of them, and those that the guest reads only.
 */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/sched/cputime.h>
#include <asm/apicdef.h>
#include <asm/kvm_para.h>
#include <asm/msr-index.h>
#include <asm/trapnr.h>

#include "channel/hypercall.h"
#include "hyperv.h"
#include "irqchip/irqchip.h"
#include "memory/gmem.h"
#include "memory/mmu.h"
#include "memory/memslot.h"
#include "running/run.h"
#include "running/state.h"
#include "running/xen.h"

#define FIRST		HV_X64_MSR_GUEST_OS_ID
#define LAST		HV_X64_MSR_TSC_INVARIANT_CONTROL

struct access {
	struct bp_vcpu *vcpu;
	u32 msr;
	bool guest;		/* not the VMM */
	u64 data;		/* in or out */
};

/* The bits of leaf 40000003, EAX or EDX, of which one goes with the MSR. */
static u32 needed(u32 msr, bool *edx)
{
	*edx = false;
	switch (msr) {
	case HV_X64_MSR_GUEST_OS_ID:
	case HV_X64_MSR_HYPERCALL:
		return HV_MSR_HYPERCALL_AVAILABLE;
	case HV_X64_MSR_VP_INDEX:
		return HV_MSR_VP_INDEX_AVAILABLE;
	case HV_X64_MSR_RESET:
		return HV_MSR_RESET_AVAILABLE;
	case HV_X64_MSR_VP_RUNTIME:
		return HV_MSR_VP_RUNTIME_AVAILABLE;
	case HV_X64_MSR_TIME_REF_COUNT:
		return HV_MSR_TIME_REF_COUNT_AVAILABLE;
	case HV_X64_MSR_REFERENCE_TSC:
		return HV_MSR_REFERENCE_TSC_AVAILABLE;
	case HV_X64_MSR_TSC_FREQUENCY:
	case HV_X64_MSR_APIC_FREQUENCY:
		return HV_ACCESS_FREQUENCY_MSRS;
	case HV_X64_MSR_EOI:
	case HV_X64_MSR_ICR:
	case HV_X64_MSR_TPR:
	case HV_X64_MSR_VP_ASSIST_PAGE:
		return HV_MSR_APIC_ACCESS_AVAILABLE;
	case HV_X64_MSR_REENLIGHTENMENT_CONTROL:
	case HV_X64_MSR_TSC_EMULATION_CONTROL:
	case HV_X64_MSR_TSC_EMULATION_STATUS:
		return HV_ACCESS_REENLIGHTENMENT;
	case HV_X64_MSR_TSC_INVARIANT_CONTROL:
		return HV_ACCESS_TSC_INVARIANT;
	case HV_X64_MSR_SCONTROL ... HV_X64_MSR_EOM:
	case HV_X64_MSR_SINT0 ... HV_X64_MSR_SINT15:
		return HV_MSR_SYNIC_AVAILABLE;
	case HV_X64_MSR_STIMER0_CONFIG ... HV_X64_MSR_STIMER3_COUNT:
		return HV_MSR_SYNTIMER_AVAILABLE;
	case HV_X64_MSR_CRASH_P0 ... HV_X64_MSR_CRASH_CTL:
		*edx = true;
		return HV_FEATURE_GUEST_CRASH_MSR_AVAILABLE;
	case HV_X64_MSR_SYNDBG_CONTROL ... HV_X64_MSR_SYNDBG_PENDING_BUFFER:
	case HV_X64_MSR_SYNDBG_OPTIONS:
		*edx = true;
		return HV_FEATURE_DEBUG_MSRS_AVAILABLE;
	default:
		return 0;
	}
}

/* The local APIC may be user space's. */
static bool needs_apic(u32 msr)
{
	return msr >= HV_X64_MSR_EOI && msr <= HV_X64_MSR_TPR;
}

static long check(const struct access *a)
{
	const struct bp_hv_vcpu *hv = a->vcpu->hv;
	bool edx;
	u32 need = needed(a->msr, &edx);

	if (!need)
		return -ENOENT;
	if (needs_apic(a->msr) && bp_irq_mode(a->vcpu->vm->irq) == BP_IRQ_NONE)
		return -EINVAL;
	if (!a->guest)
		return 0;
	if (need == HV_FEATURE_DEBUG_MSRS_AVAILABLE && edx && !hv->syndbg)
		return -EINVAL;
	return hv->enabled && bp_hv_allowed(hv, edx ? hv->feat_edx : hv->feat_eax, need) ?
	       0 : -EINVAL;
}

/* ---- of the partition ---- */

/*
 * With the instruction that this processor takes, and RET.  Where Xen's calls are made, too,
 * bit 31 of EAX tells them apart (or $0x80000000, %eax).
 */
static long write_hypercall_page(struct access *a)
{
	static const u8 vmcall[] = { 0x0d, 0, 0, 0, 0x80, 0x0f, 0x01, 0xc1, 0xc3 };
	static const u8 vmmcall[] = { 0x0d, 0, 0, 0, 0x80, 0x0f, 0x01, 0xd9, 0xc3 };
	bool intel = boot_cpu_data.x86_vendor == X86_VENDOR_INTEL;
	size_t skip = bp_xen_rules(a->vcpu) ? 0 : 5;

	int ret = bp_gmem_write(a->vcpu, a->data & HV_X64_MSR_HYPERCALL_PAGE_ADDRESS_MASK,
				(intel ? vmcall : vmmcall) + skip, sizeof(vmcall) - skip);

	return bp_gmem_error(ret, -EINVAL);
}

static long set_hypercall(struct access *a)
{
	struct bp_hv *hv = a->vcpu->vm->hv;
	long ret = 0;

	if (!hv->os_id)
		return 0;
	if (a->data & HV_X64_MSR_HYPERCALL_ENABLE)
		ret = write_hypercall_page(a);
	if (ret)
		return ret;
	hv->hypercall = a->data;
	return 0;
}

static long set_os_id(struct access *a)
{
	struct bp_hv *hv = a->vcpu->vm->hv;
	bool change = !hv->os_id != !a->data;

	WRITE_ONCE(hv->os_id, a->data);
	if (!a->data)
		hv->hypercall &= ~HV_X64_MSR_HYPERCALL_ENABLE;
	if (change)
		bp_rules_touch(a->vcpu->vm);
	return 0;
}

static long set_tsc_page(struct access *a)
{
	struct bp_hv *hv = a->vcpu->vm->hv;
	u64 old = hv->tsc_page;
	int ret = 0;

	hv->tsc_page = a->data;
	if (a->guest) {
		ret = bp_hv_tsc_page(a->vcpu, true);
		if (ret)
			hv->tsc_page = old;
	} else if (a->data & HV_X64_MSR_TSC_REFERENCE_ENABLE) {
		hv->tsc_state = HV_PAGE_STALE;
		set_bit(HV_WORK_TSC_PAGE, &a->vcpu->hv_work);
	} else {
		hv->tsc_state = HV_PAGE_UNSET;
	}
	return ret;
}

static int system_event(struct access *a, u32 type)
{
	struct kvm_run *run = a->vcpu->run;

	run->exit_reason = KVM_EXIT_SYSTEM_EVENT;
	run->system_event.type = type;
	run->system_event.ndata = 0;
	return BP_HV_TO_USER;
}

static long set_crash_ctl(struct access *a)
{
	if (!a->guest) {
		a->vcpu->vm->hv->crash_ctl = a->data & HV_CRASH_CTL_CRASH_NOTIFY;
		return 0;
	}
	return a->data & HV_CRASH_CTL_CRASH_NOTIFY ?
	       system_event(a, KVM_SYSTEM_EVENT_CRASH) : 0;
}

static long set_invtsc(struct access *a)
{
	struct bp_vm *vm = a->vcpu->vm;
	unsigned int i;

	if (a->data & ~HV_EXPOSE_INVARIANT_TSC || (a->guest && vm->hv->invtsc && !a->data))
		return -EINVAL;
	WRITE_ONCE(vm->hv->invtsc, a->data);
	for (i = 0; i < smp_load_acquire(&vm->nr_vcpus); i++) /* pairs with bp_vcpu_create() */
		set_bit(HV_WORK_INVTSC, &bp_vcpu_at(vm, i)->hv_work);
	return 0;
}

static long set_partition(struct access *a)
{
	struct bp_hv *hv = a->vcpu->vm->hv;

	switch (a->msr) {
	case HV_X64_MSR_GUEST_OS_ID:
		return set_os_id(a);
	case HV_X64_MSR_HYPERCALL:
		return set_hypercall(a);
	case HV_X64_MSR_REFERENCE_TSC:
		return set_tsc_page(a);
	case HV_X64_MSR_CRASH_P0 ... HV_X64_MSR_CRASH_P4:
		hv->crash[a->msr - HV_X64_MSR_CRASH_P0] = a->data;
		return 0;
	case HV_X64_MSR_CRASH_CTL:
		return set_crash_ctl(a);
	case HV_X64_MSR_RESET:
		return a->guest && a->data == 1 ? system_event(a, KVM_SYSTEM_EVENT_RESET) : 0;
	case HV_X64_MSR_REENLIGHTENMENT_CONTROL:
		hv->reenlightenment = a->data;
		return 0;
	case HV_X64_MSR_TSC_EMULATION_CONTROL:
		hv->tsc_emul_control = a->data;
		return 0;
	case HV_X64_MSR_TSC_EMULATION_STATUS:
		if (a->guest && a->data)
			return -EINVAL;
		hv->tsc_emul_status = a->data;
		return 0;
	case HV_X64_MSR_TSC_INVARIANT_CONTROL:
		return set_invtsc(a);
	case HV_X64_MSR_TIME_REF_COUNT:
		return a->guest ? -EINVAL : 0;
	default:
		return bp_hv_syndbg_set(a->vcpu, a->msr, a->data, a->guest);
	}
}

static long get_partition(struct access *a)
{
	const struct bp_hv *hv = a->vcpu->vm->hv;

	switch (a->msr) {
	case HV_X64_MSR_GUEST_OS_ID:
		a->data = hv->os_id;
		return 0;
	case HV_X64_MSR_HYPERCALL:
		a->data = hv->hypercall;
		return 0;
	case HV_X64_MSR_REFERENCE_TSC:
		a->data = hv->tsc_page;
		return 0;
	case HV_X64_MSR_TIME_REF_COUNT:
		a->data = bp_hv_ref_time(a->vcpu);
		return 0;
	case HV_X64_MSR_CRASH_P0 ... HV_X64_MSR_CRASH_P4:
		a->data = hv->crash[a->msr - HV_X64_MSR_CRASH_P0];
		return 0;
	case HV_X64_MSR_CRASH_CTL:
		a->data = hv->crash_ctl;
		return 0;
	case HV_X64_MSR_RESET:
		a->data = 0;
		return 0;
	case HV_X64_MSR_REENLIGHTENMENT_CONTROL:
		a->data = hv->reenlightenment;
		return 0;
	case HV_X64_MSR_TSC_EMULATION_CONTROL:
		a->data = hv->tsc_emul_control;
		return 0;
	case HV_X64_MSR_TSC_EMULATION_STATUS:
		a->data = hv->tsc_emul_status;
		return 0;
	case HV_X64_MSR_TSC_INVARIANT_CONTROL:
		a->data = hv->invtsc;
		return 0;
	default:
		return bp_hv_syndbg_get(a->vcpu, a->msr, &a->data);
	}
}

/* ---- of a VP ---- */

static u64 thread_time(void)
{
	u64 user, system;

	task_cputime_adjusted(current, &user, &system);
	return (user + system) / 100;
}

static long set_pv_eoi(struct bp_vcpu *vcpu, u64 val)
{
	struct kvm_msrs *m = vcpu->state;

	*m = (struct kvm_msrs){ .nmsrs = 1 };
	m->entries[0] = (struct kvm_msr_entry){ .index = MSR_KVM_PV_EOI_EN, .data = val };
	return bp_state_set(vcpu, BP_STATE_MSRS, struct_size(m, entries, 1)) == 1 ? 0 : -EINVAL;
}

/* Its first word is the same as KVM's paravirtual EOI; the rest stays as it is. */
static long set_assist(struct access *a)
{
	u64 gpa = a->data & HV_X64_MSR_VP_ASSIST_PAGE_ADDRESS_MASK;
	u32 none = 0;
	long ret;

	if (!(a->data & HV_X64_MSR_VP_ASSIST_PAGE_ENABLE)) {
		ret = set_pv_eoi(a->vcpu, 0);
	} else {
		ret = bp_gmem_write(a->vcpu, gpa, &none, sizeof(none));
		if (ret)
			return bp_gmem_error(ret, -EINVAL);
		ret = set_pv_eoi(a->vcpu, gpa | KVM_MSR_ENABLED);
	}
	if (!ret)
		a->vcpu->hv->assist = a->data;
	return ret;
}

static bool x2apic(const struct access *a)
{
	return a->vcpu->page->apic_base & X2APIC_ENABLE;
}

static long lapic_set(struct access *a)
{
	u32 dom = a->vcpu->vm->dom, index = a->vcpu->index;

	switch (a->msr) {
	case HV_X64_MSR_EOI:
		bp_hc_lapic_write(dom, index, APIC_EOI, 0);
		break;
	case HV_X64_MSR_TPR:
		bp_hc_lapic_write(dom, index, APIC_TASKPRI, a->data);
		break;
	default:
		if (!x2apic(a))
			bp_hc_lapic_write(dom, index, APIC_ICR2, a->data >> 32);
		bp_hc_lapic_write(dom, index, APIC_ICR, x2apic(a) ? a->data : (u32)a->data);
	}
	return 0;
}

static long lapic_get(struct access *a)
{
	u32 dom = a->vcpu->vm->dom, index = a->vcpu->index;

	switch (a->msr) {
	case HV_X64_MSR_TPR:
		a->data = bp_hc_lapic_read(dom, index, APIC_TASKPRI);
		return 0;
	case HV_X64_MSR_ICR:
		a->data = bp_hc_lapic_read(dom, index, APIC_ICR);
		if (!x2apic(a))
			a->data |= (u64)bp_hc_lapic_read(dom, index, APIC_ICR2) << 32;
		return 0;
	default:
		return -EINVAL;
	}
}

static long set_vp(struct access *a)
{
	struct bp_hv_vcpu *hv = a->vcpu->hv;

	switch (a->msr) {
	case HV_X64_MSR_VP_INDEX:
		if (a->guest || (u32)a->data >= HV_MAX_BANKS * 64)
			return -EINVAL;
		WRITE_ONCE(hv->vp_index, a->data);
		return 0;
	case HV_X64_MSR_VP_RUNTIME:
		if (a->guest)
			return -EINVAL;
		hv->runtime = a->data - thread_time();
		return 0;
	case HV_X64_MSR_VP_ASSIST_PAGE:
		return set_assist(a);
	case HV_X64_MSR_TSC_FREQUENCY:
	case HV_X64_MSR_APIC_FREQUENCY:
		return a->guest ? -EINVAL : 0;
	case HV_X64_MSR_SCONTROL ... HV_X64_MSR_EOM:
	case HV_X64_MSR_SINT0 ... HV_X64_MSR_SINT15:
		return bp_hv_synic_set(a->vcpu, a->msr, a->data, a->guest);
	case HV_X64_MSR_STIMER0_CONFIG ... HV_X64_MSR_STIMER3_COUNT:
		return bp_hv_timer_set(a->vcpu, a->msr, a->data, a->guest);
	default:
		return lapic_set(a);
	}
}

static long get_vp(struct access *a)
{
	const struct bp_vcpu *vcpu = a->vcpu;

	switch (a->msr) {
	case HV_X64_MSR_VP_INDEX:
		a->data = vcpu->hv->vp_index;
		return 0;
	case HV_X64_MSR_VP_RUNTIME:
		a->data = vcpu->hv->runtime + thread_time();
		return 0;
	case HV_X64_MSR_VP_ASSIST_PAGE:
		a->data = vcpu->hv->assist;
		return 0;
	case HV_X64_MSR_TSC_FREQUENCY:
		a->data = (u64)vcpu->vm->hv->tsc_khz * 1000;
		return 0;
	case HV_X64_MSR_APIC_FREQUENCY:
		a->data = NSEC_PER_SEC / (READ_ONCE(vcpu->vm->apic_bus_ns) ?: 1);
		return 0;
	case HV_X64_MSR_SCONTROL ... HV_X64_MSR_EOM:
	case HV_X64_MSR_SINT0 ... HV_X64_MSR_SINT15:
		return bp_hv_synic_get(a->vcpu, a->msr, &a->data, a->guest);
	case HV_X64_MSR_STIMER0_CONFIG ... HV_X64_MSR_STIMER3_COUNT:
		return bp_hv_timer_get(a->vcpu, a->msr, &a->data);
	default:
		return lapic_get(a);
	}
}

/* ---- both ---- */

static long run_access(struct access *a, bool write)
{
	struct bp_hv *hv = a->vcpu->vm->hv;
	long ret = check(a);

	if (ret)
		return ret;
	/* Who has it may be waiting for a page. */
	if (!a->guest)
		mutex_lock(&hv->lock);
	else if (mutex_lock_interruptible(&hv->lock))
		return -EINTR;
	ret = write ? set_partition(a) : get_partition(a);
	mutex_unlock(&hv->lock);
	if (ret == -ENOENT)
		ret = write ? set_vp(a) : get_vp(a);
	return ret;
}

long bp_hv_get_msr(struct bp_vcpu *vcpu, u32 index, u64 *val)
{
	struct access a = { .vcpu = vcpu, .msr = index };
	long ret;

	if (index < FIRST || index > LAST)
		return -ENOENT;
	ret = run_access(&a, false);
	*val = a.data;
	return ret;
}

/* A page of the guest, at once, which has to be told of. */
static bool writes_page(u32 msr, u64 val)
{
	return (msr == HV_X64_MSR_HYPERCALL && val & HV_X64_MSR_HYPERCALL_ENABLE) ||
	       (msr == HV_X64_MSR_VP_ASSIST_PAGE && val & HV_X64_MSR_VP_ASSIST_PAGE_ENABLE);
}

long bp_hv_set_msr(struct bp_vcpu *vcpu, u32 index, u64 val)
{
	struct access a = { .vcpu = vcpu, .msr = index, .data = val };
	int idx;
	long ret;

	if (index < FIRST || index > LAST)
		return -ENOENT;
	if (writes_page(index, val) && bp_dirty_ring_full(vcpu))
		return -EINVAL;
	idx = srcu_read_lock(&vcpu->vm->srcu);
	ret = run_access(&a, true);
	srcu_read_unlock(&vcpu->vm->srcu, idx);
	return ret;
}

int bp_hv_exit_msr(struct bp_vcpu *vcpu)
{
	struct access a = {
		.vcpu = vcpu, .msr = vcpu->msr.index, .data = vcpu->msr.data, .guest = true,
	};
	struct kvm_regs *regs = &vcpu->page->regs;
	long ret;

	if (!vcpu->hv->enabled || a.msr < FIRST || a.msr > LAST)
		return -ENOENT;
	ret = run_access(&a, vcpu->msr.write);
	if (ret < 0)
		return ret == -EINVAL || ret == -EINTR ? ret : -ENOENT;
	if (!vcpu->msr.write) {
		regs->rax = (u32)a.data;
		regs->rdx = a.data >> 32;
	}
	bp_insn_done(vcpu, vcpu->msr.insn_len);
	if (ret != BP_HV_TO_USER)
		return 1;
	if (a.msr == HV_X64_MSR_SYNDBG_CONTROL) {
		vcpu->pending = BP_PENDING_SYNDBG;
		vcpu->pending_rip = regs->rip;
	}
	return 0;
}
