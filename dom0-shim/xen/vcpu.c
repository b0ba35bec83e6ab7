// SPDX-License-Identifier: GPL-2.0-only
/* Xen's side of a VM and its vCPUs: life, rules, upcalls, and what waits for the next RUN. */
#include <linux/gfp.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <asm/processor-flags.h>

#include "channel/hypercall.h"
#include "irqchip/irqchip.h"
#include "running/nest.h"
#include "xen.h"

int bp_xen_vm_init(struct bp_vm *vm)
{
	vm->xen = kzalloc(sizeof(*vm->xen), GFP_KERNEL_ACCOUNT);
	if (!vm->xen)
		return -ENOMEM;
	mutex_init(&vm->xen->lock);
	mutex_init(&vm->xen->clock_lock);
	spin_lock_init(&vm->xen->place_lock);
	xa_init(&vm->xen->ports);
	vm->xen->clock_page = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	return vm->xen->clock_page ? 0 : -ENOMEM;
}

void bp_xen_vm_free(struct bp_vm *vm)
{
	if (!vm->xen)
		return;
	bp_xen_ports_free(vm->xen);
	free_page((unsigned long)vm->xen->clock_page);
	kfree(vm->xen);
}

int bp_xen_vcpu_init(struct bp_vcpu *vcpu)
{
	vcpu->xen = kzalloc(sizeof(*vcpu->xen), GFP_KERNEL_ACCOUNT);
	if (!vcpu->xen)
		return -ENOMEM;
	vcpu->xen->vcpu = vcpu;
	vcpu->xen->vcpu_id = vcpu->vm->nr_vcpus;
	bp_xen_timers_init(vcpu->xen);
	return 0;
}

void bp_xen_vcpu_free(struct bp_vcpu *vcpu)
{
	if (vcpu->xen)
		bp_xen_vcpu_stop(vcpu);
	kfree(vcpu->xen);
}

u32 bp_xen_rules(const struct bp_vcpu *vcpu)
{
	const struct bp_vm *vm = vcpu->vm;

	return bp_xen_enabled(vm) &&
	       READ_ONCE(vm->xen->config.flags) & KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL ?
	       BP_RULE_HYPERCALL : 0;
}

/* ---- upcalls by the VM's vector: as long as memory says so, the vCPU is to be interrupted ---- */

static bool upcall_pending(struct bp_vcpu *vcpu)
{
	struct bp_vm *vm = vcpu->vm;
	u8 pending = 0;
	int idx;

	if (!READ_ONCE(vm->xen->vector) || bp_irq_mode(vm->irq) == BP_IRQ_NONE)
		return false;
	idx = srcu_read_lock(&vm->srcu);
	if (bp_xen_read(vm, &vcpu->xen->info, XEN_VCPU_UPCALL, &pending, sizeof(pending),
			BP_WAIT_IN_RUN))
		pending = 0;
	srcu_read_unlock(&vm->srcu, idx);
	return pending;
}

static void wire(struct bp_vcpu *vcpu, bool level)
{
	if (vcpu->xen->direct == level)
		return;
	vcpu->xen->direct = level;
	bp_hc_direct(vcpu->vm->dom, vcpu->index, level);
}

int bp_xen_upcall(struct bp_vcpu *vcpu)
{
	u8 vector = READ_ONCE(vcpu->vm->xen->vector);

	if (!vcpu->xen->direct)
		return -1;
	if (vector && upcall_pending(vcpu))
		return vector;
	wire(vcpu, false);
	return 0;
}

/* At once, if the vCPU is stopped and takes it.  What the guest leaves pending comes at the next look. */
static bool inject(struct bp_vcpu *vcpu)
{
	u8 vector = READ_ONCE(vcpu->vm->xen->vector);
	struct bp_vcpu_page *page = vcpu->page;

	if (vcpu->runnable || !page->ready_for_irq || !(page->regs.rflags & X86_EFLAGS_IF) ||
	    page->run_flags & BP_RUN_EXCEPTION || !vector || bp_nest_holds(vcpu))
		return false;
	page->inject_vector = vector;
	page->run_flags |= BP_RUN_INJECT;
	return true;
}

/* ---- before the vCPU runs ---- */

void bp_xen_entered(struct bp_vcpu *vcpu)
{
	if (bp_xen_enabled(vcpu->vm))
		set_bit(XEN_WORK_ENTERED, &vcpu->xen_work);
}

void bp_xen_left(struct bp_vcpu *vcpu)
{
	bp_xen_poll_end(vcpu);
}

void bp_xen_look(struct bp_vcpu *vcpu)
{
	if (!bp_xen_enabled(vcpu->vm)) {
		wire(vcpu, false);
		return;
	}
	if (current->sched_info.run_delay != vcpu->xen->run_delay)
		set_bit(XEN_WORK_RUNSTATE, &vcpu->xen_work);
	if (!(vcpu->page->run_flags & BP_RUN_INJECT))
		wire(vcpu, upcall_pending(vcpu) && !inject(vcpu));
}

/* KVM_RUN has begun: the vCPU's TSC may have been set, or another thread be its own now. */
static int entered(struct bp_vcpu *vcpu)
{
	if (bp_xen_tsc_changed(vcpu))
		set_bit(XEN_WORK_CLOCK, &vcpu->xen_work);
	return bp_xen_runstate_enter(vcpu, XEN_RUNNING);
}

static int run_on(struct bp_vcpu *vcpu)
{
	return bp_xen_runstate_enter(vcpu, XEN_RUNNING);
}

static int flush(struct bp_vcpu *vcpu)
{
	return bp_xen_flush(vcpu, BP_WAIT_IN_RUN);
}

static int fire(struct bp_vcpu *vcpu)
{
	return bp_xen_timer_fire(vcpu, BP_WAIT_IN_RUN);
}

static int look_again(struct bp_vcpu *vcpu)
{
	return 0;	/* the loop does before each RUN */
}

/* It has slept: its runstate begins anew, as with KVM. */
static int end_poll(struct bp_vcpu *vcpu)
{
	bp_xen_poll_end(vcpu);
	set_bit(XEN_WORK_RUNSTATE, &vcpu->xen_work);
	return 0;
}

int bp_xen_prepare(struct bp_vcpu *vcpu)
{
	static int (*const work[])(struct bp_vcpu *vcpu) = {
		[XEN_WORK_ENTERED] = entered,
		[XEN_WORK_POLL] = end_poll,
		[XEN_WORK_RUNSTATE] = run_on,
		[XEN_WORK_CLOCK] = bp_xen_tell_time,
		[XEN_WORK_EVENTS] = flush,
		[XEN_WORK_TIMER] = fire,
		[XEN_WORK_UPCALL] = look_again,
	};
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(work); i++) {
		if (!test_and_clear_bit(i, &vcpu->xen_work))
			continue;
		ret = work[i](vcpu);
		if (ret) {
			set_bit(i, &vcpu->xen_work);
			return ret;
		}
	}
	return 1;
}
