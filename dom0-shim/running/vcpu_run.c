// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_RUN: the thread donates its CPU to the vCPU until there is something for
 * Linux or for user space to do.
 *
 * While KVM_RUN is under way, the vCPU is Bedplate's to run: also when this
 * thread is off its CPU (RUN returned INTR), and when it sleeps (BLOCKED).
 * Before KVM_RUN returns, the vCPU is stopped: by the exit that is reported,
 * or by PAUSE.
 */
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/vtime.h>
#include <linux/rcupdate.h>
#include <asm/mce.h>

#include "channel/hypercall.h"
#include "channel/ring.h"
#include "irqchip/irqchip.h"
#include "memory/memslot.h"
#include "apf.h"
#include "halt_poll.h"
#include "hv.h"
#include "nest.h"
#include "run.h"
#include "state.h"
#include "xen.h"

/* Any context. */
void bp_vcpu_service(struct bp_vcpu *vcpu)
{
	WRITE_ONCE(vcpu->service, true);
	rcuwait_wake_up(&vcpu->wait);
}

/* ---- weight, from the thread; the CPU is where it calls RUN ---- */

/* 100 at nice 0, a factor of 1.25 a step, as Linux's own weights. */
static const u16 nice_weight[40] = {
	8671, 6936, 5549, 4439, 3551, 2841, 2273, 1818, 1455, 1164,
	 931,  745,  596,  477,  381,  305,  244,  195,  156,  125,
	 100,   80,   64,   51,   41,   33,   26,   21,   17,   13,
	  11,    9,    7,    5,    4,    4,    3,    2,    2,    1,
};

static void tell_scheduler(struct bp_vcpu *vcpu)
{
	u32 weight = nice_weight[task_nice(current) + 20];

	weight = clamp(weight * READ_ONCE(vcpu->vm->weight) / BP_WEIGHT_ONE, 1, BP_WEIGHT_MAX);
	if (weight == vcpu->sched_weight)
		return;
	if (!bp_hc_vcpu_sched(vcpu->vm->dom, vcpu->index, weight))
		vcpu->sched_weight = weight;
}

/*
 * ---- stolen time ----
 * What the thread waits for a CPU is lost for the guest, also between two KVM_RUNs.
 * Bedplate counts it but for what the vCPU ran meanwhile.
 */

static void tell_stolen(struct bp_vcpu *vcpu)
{
	struct bp_vcpu_page *page = vcpu->page;
	u64 ns = current->sched_info.run_delay - vcpu->run_delay;
	bool same = vcpu->runner == current;

	if (!ns && same)
		return;
	vcpu->run_delay += ns;
	vcpu->runner = current;
	if (!same)
		return;
	if (page->run_flags & BP_RUN_STOLEN)
		ns += page->stolen_ns;
	page->stolen_ns = min_t(u64, ns, U32_MAX);
	page->run_flags |= BP_RUN_STOLEN;
}

/* ---- one RUN ---- */

/* What RUN takes of a stopped vCPU as it begins. */
#define OWED	(BP_RUN_SET_REGS | BP_RUN_INSN_DONE | BP_RUN_INJECT | BP_RUN_EXCEPTION | BP_RUN_MSR)

/*
 * As KVM does it: for Linux the error is in user mode, in the code of this thread, which gets a
 * SIGBUS on its way there if the page cannot be replaced. Interrupts are off.
 */
static void machine_check(void)
{
	struct pt_regs regs = { .cs = 3, .flags = X86_EFLAGS_IF };

	do_machine_check(&regs);
}

/*
 * Interrupts are off, so none is lost: one that comes ends RUN, and is taken
 * where they are enabled again, still on the guest's account.
 */
static long enter_guest(struct bp_vcpu *vcpu)
{
	long exit;

	WRITE_ONCE(vcpu->service, false);
	vcpu->runnable = true;
	vcpu->has_run = true;
	vcpu->last_cpu = vcpu->run_cpu;
	vtime_account_guest_enter();
	rcu_virt_note_context_switch();

	exit = bp_hc_run(vcpu->vm->dom, vcpu->index);

	if (unlikely(exit == BP_EXIT_MCE))
		machine_check();
	bp_ring_drain();
	if (exit == BP_EXIT_INTR) {
		/* The interrupt is taken after the instruction behind STI. */
		local_irq_enable();
		asm volatile("nop" ::: "memory");
		local_irq_disable();
	}
	vtime_account_guest_exit();
	WRITE_ONCE(vcpu->run_cpu, -1);
	local_irq_enable();

	/*
	 * RUN may find an interrupt before it begins: then the vCPU is stopped still, and its
	 * registers are those in the page, which PAUSE would overwrite.
	 */
	if ((exit != BP_EXIT_INTR && exit != BP_EXIT_BLOCKED) ||
	    vcpu->page->run_flags & OWED)
		vcpu->runnable = false;
	return exit;
}

static void stop_vcpu(struct bp_vcpu *vcpu)
{
	if (!vcpu->runnable)
		return;
	WARN_ON_ONCE(bp_hc_pause(vcpu->vm->dom, vcpu->index));
	vcpu->runnable = false;
}

/* ---- exits ---- */

/* Without in-kernel interrupt controllers, HLT is user space's. */
static int exit_hlt(struct bp_vcpu *vcpu)
{
	struct kvm_mp_state *mp = vcpu->state;

	stop_vcpu(vcpu);
	if (vcpu->page->mp_state == KVM_MP_STATE_HALTED) {
		mp->mp_state = KVM_MP_STATE_RUNNABLE;
		bp_state_set(vcpu, BP_STATE_MP_STATE, sizeof(*mp));
	}
	vcpu->run->exit_reason = KVM_EXIT_HLT;
	return 0;
}

static int exit_blocked(struct bp_vcpu *vcpu)
{
	if (bp_irq_mode(vcpu->vm->irq) == BP_IRQ_NONE)
		return exit_hlt(vcpu);
	if (unlikely(bp_debug_init_due(vcpu))) {
		stop_vcpu(vcpu);
		return bp_debug_init(vcpu);
	}

	prepare_to_rcuwait(&vcpu->wait);
	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (READ_ONCE(vcpu->service) || signal_pending(current))
			break;
		schedule();
	}
	finish_rcuwait(&vcpu->wait);
	return 1;
}

static int exit_shutdown(struct bp_vcpu *vcpu)
{
	int ret = bp_nest_shutdown(vcpu);

	if (!ret)
		vcpu->run->exit_reason = KVM_EXIT_SHUTDOWN;
	return ret;
}

static int exit_fail_entry(struct bp_vcpu *vcpu)
{
	vcpu->run->exit_reason = KVM_EXIT_FAIL_ENTRY;
	vcpu->run->fail_entry.hardware_entry_failure_reason =
		vcpu->page->fail.reason;
	vcpu->run->fail_entry.cpu = vcpu->last_cpu;
	return 0;
}

int bp_internal_error(struct bp_vcpu *vcpu, u32 suberror, const u64 *data, u32 n)
{
	struct kvm_run *run = vcpu->run;

	run->exit_reason = KVM_EXIT_INTERNAL_ERROR;
	run->internal.suberror = suberror;
	run->internal.ndata = n + 1;
	memcpy(run->internal.data, data, n * sizeof(*data));
	run->internal.data[n] = vcpu->last_cpu;
	return 0;
}

static int exit_internal(struct bp_vcpu *vcpu)
{
	struct bp_exit_internal in = vcpu->page->internal;

	return bp_internal_error(vcpu, in.suberror, in.data,
				 min_t(u32, in.ndata, ARRAY_SIZE(in.data)));
}

static int exit_extint(struct bp_vcpu *vcpu)
{
	int vector = bp_xen_upcall(vcpu);

	if (!vector)
		return 1;
	if (vector < 0) {
		if (bp_irq_mode(vcpu->vm->irq) == BP_IRQ_SPLIT)
			return bp_extint_window(vcpu);
		vector = bp_irq_ack(vcpu->vm->irq);
	}
	if (vector >= 0) {
		vcpu->page->inject_vector = vector;
		vcpu->page->run_flags |= BP_RUN_INJECT;
	}
	return 1;
}

static int exit_eoi(struct bp_vcpu *vcpu)
{
	u8 vector = vcpu->page->eoi.vector;

	bp_hv_eoi(vcpu, vector);
	if (!bp_irq_eoi(vcpu->vm->irq, vector))
		return 1;
	vcpu->run->exit_reason = KVM_EXIT_IOAPIC_EOI;
	vcpu->run->eoi.vector = vector;
	return 0;
}

static int interrupted(struct bp_vcpu *vcpu)
{
	vcpu->stats.signal_exits++;
	vcpu->run->exit_reason = KVM_EXIT_INTR;
	return -EINTR;
}

/* 1: go on; 0 or an errno: KVM_RUN returns it. */
static int serve_exit(struct bp_vcpu *vcpu, long exit)
{
	vcpu->stats.service_exits++;
	switch (exit) {
	case BP_EXIT_INTR:
		vcpu->stats.irq_exits++;
		return 1;
	case BP_EXIT_PAUSED:
		return 1;
	case BP_EXIT_MCE:
		return interrupted(vcpu);
	case BP_EXIT_BLOCKED:
		vcpu->stats.halt_exits++;
		return exit_blocked(vcpu);
	case BP_EXIT_IO:
		vcpu->stats.io_exits++;
		return bp_exit_io(vcpu);
	case BP_EXIT_NPF:
		vcpu->stats.pf_taken++;
		return bp_exit_npf(vcpu);
	case BP_EXIT_TASK_SWITCH:
		return bp_exit_task_switch(vcpu);
	case BP_EXIT_MSR:
		return bp_exit_msr(vcpu);
	case BP_EXIT_HYPERCALL:
		return bp_exit_hypercall(vcpu);
	case BP_EXIT_UNDEFINED:
		return bp_exit_undefined(vcpu);
	case BP_EXIT_DEBUG:
		return bp_exit_debug(vcpu);
	case BP_EXIT_MOV_DR:
		return bp_exit_mov_dr(vcpu);
	case BP_EXIT_BUS_LOCK:
		return bp_exit_bus_lock(vcpu);
	case BP_EXIT_SMI:
		return bp_exit_smi(vcpu);
	case BP_EXIT_NESTED:
		return bp_nest_exit(vcpu);
	case BP_EXIT_SHUTDOWN:
		return exit_shutdown(vcpu);
	case BP_EXIT_FAIL_ENTRY:
		return exit_fail_entry(vcpu);
	case BP_EXIT_INTERNAL:
		return exit_internal(vcpu);
	case BP_EXIT_EXTINT:
		return exit_extint(vcpu);
	case BP_EXIT_IOAPIC_EOI:
		return exit_eoi(vcpu);
	default:
		return exit < 0 ? exit : -EIO;
	}
}

static int serve_exit_locked(struct bp_vcpu *vcpu, long exit)
{
	int idx, ret;

	if (exit == BP_EXIT_INTR || exit == BP_EXIT_BLOCKED || exit == BP_EXIT_BUS_LOCK)
		return serve_exit(vcpu, exit);
	idx = srcu_read_lock(&vcpu->vm->srcu);
	ret = serve_exit(vcpu, exit);
	srcu_read_unlock(&vcpu->vm->srcu, idx);
	return ret;
}

static int new_rules(struct bp_vcpu *vcpu)
{
	stop_vcpu(vcpu);
	return bp_rules_apply(vcpu) ?: 1;
}

static int stop_and_do(struct bp_vcpu *vcpu, int (*what)(struct bp_vcpu *vcpu))
{
	int idx, ret;

	stop_vcpu(vcpu);
	idx = srcu_read_lock(&vcpu->vm->srcu);
	ret = what(vcpu);
	srcu_read_unlock(&vcpu->vm->srcu, idx);
	return ret;
}

/* Seldom, so that one look tells of all. */
static bool something_due(const struct bp_vcpu *vcpu)
{
	return READ_ONCE(vcpu->hv_work) || READ_ONCE(vcpu->xen_work) || READ_ONCE(vcpu->apf.look) ||
	       vcpu->rules_gen != atomic_read(&vcpu->vm->rules_gen) ||
	       (vcpu->dirty_ring.gfns && bp_dirty_ring_full(vcpu));
}

static int do_due(struct bp_vcpu *vcpu)
{
	if (bp_rules_due(vcpu))
		return new_rules(vcpu);
	/* What follows may write to the guest's memory. */
	if (vcpu->dirty_ring.gfns && bp_dirty_ring_full(vcpu)) {
		vcpu->run->exit_reason = KVM_EXIT_DIRTY_RING_FULL;
		return 0;
	}
	return stop_and_do(vcpu, READ_ONCE(vcpu->hv_work) ? bp_hv_prepare :
			   READ_ONCE(vcpu->xen_work) ? bp_xen_prepare : bp_apf_look);
}

static int run_loop(struct bp_vcpu *vcpu)
{
	long exit = BP_EXIT_INTR;
	int ret;

	vcpu->run->exit_reason = KVM_EXIT_UNKNOWN;
	bp_extint_wire(vcpu);
	do {
		if (exit == BP_EXIT_INTR) {
			tell_scheduler(vcpu);
			bp_halt_poll_offer(vcpu);
		}
		tell_stolen(vcpu);
		bp_xen_look(vcpu);
		cond_resched();
		local_irq_disable();
		if (signal_pending(current)) {
			local_irq_enable();
			return interrupted(vcpu);
		}
		if (need_resched()) {
			local_irq_enable();
			ret = 1;
			continue;
		}
		/* Who makes something due from here on ends RUN: bp_vcpu_kick(). */
		smp_store_mb(vcpu->run_cpu, smp_processor_id());
		if (unlikely(something_due(vcpu))) {
			WRITE_ONCE(vcpu->run_cpu, -1);
			local_irq_enable();
			ret = do_due(vcpu);
			continue;
		}
		exit = enter_guest(vcpu);
		ret = serve_exit_locked(vcpu, exit);
	} while (ret > 0);
	return ret == -EINTR ? interrupted(vcpu) : ret;
}

static int finish_pending(struct bp_vcpu *vcpu)
{
	int idx, ret;

	if (vcpu->pending == BP_PENDING_NONE)
		return 1;
	idx = srcu_read_lock(&vcpu->vm->srcu);
	ret = bp_complete_pending(vcpu);
	srcu_read_unlock(&vcpu->vm->srcu, idx);
	return ret == -EINTR ? interrupted(vcpu) : ret;
}

/* What the guest wrote to ioeventfds is signalled when KVM_RUN returns, as with KVM. */
static void settle_posted(struct bp_vcpu *vcpu)
{
	u64 posted = READ_ONCE(vcpu->page->posted);

	if (posted == vcpu->settled)
		return;
	vcpu->settled = posted;
	bp_ring_settle(posted);
}

static void fill_run(struct bp_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	struct bp_vcpu_page *page = vcpu->page;

	run->if_flag = page->if_flag;
	run->ready_for_interrupt_injection = bp_extint_ready(vcpu);
	run->cr8 = page->cr8;
	run->apic_base = page->apic_base;
	run->flags = vcpu->smm.in ? KVM_RUN_X86_SMM : 0;
}

long bp_vcpu_run(struct bp_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	long ret;

	bp_rules_entered(vcpu);
	bp_xen_entered(vcpu);
	if (vcpu->sigset_active)
		sigprocmask(SIG_SETMASK, &vcpu->sigset, &current->real_blocked);

	ret = bp_sync_from_run(vcpu) ?: bp_debug_deliver(vcpu) ?: finish_pending(vcpu);
	if (ret > 0)
		ret = READ_ONCE(run->immediate_exit__unsafe) ? -EINTR : run_loop(vcpu);
	stop_vcpu(vcpu);
	settle_posted(vcpu);
	bp_apf_left(vcpu);
	bp_xen_left(vcpu);
	bp_rules_left(vcpu);
	bp_sync_to_run(vcpu);
	fill_run(vcpu);

	if (vcpu->sigset_active) {
		sigprocmask(SIG_SETMASK, &current->real_blocked, NULL);
		sigemptyset(&current->real_blocked);
	}
	return ret;
}
