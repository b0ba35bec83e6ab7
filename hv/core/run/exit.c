// SPDX-License-Identifier: GPL-2.0-only
/*
 * What Bedplate does about each exit: the policy, the same for both vendors.
 * Every handler runs on the CPU of the current vCPU and returns to run_loop().
 */
#include "apic/irq.h"
#include "apic/vlapic.h"
#include "compat/kvm-abi/hypercall.h"
#include "compat/kvm-abi/ioeventfd.h"
#include "compat/kvm-abi/ring.h"
#include "exit_cr.h"
#include "exit_msr.h"
#include "exit_task.h"
#include "guest/cpuid.h"
#include "guest/insn.h"
#include "guest/io_dom0.h"
#include "guest/msr.h"
#include "lib/errno.h"
#include "lib/x86.h"
#include "loop.h"
#include "machine/coverage.h"
#include "machine/cpu.h"
#include "machine/debug/debug.h"
#include "machine/irq_window.h"
#include "machine/log.h"
#include "machine/panic.h"
#include "machine/trap.h"
#include "memory/domain.h"
#include "memory/mmu.h"
#include "nested.h"
#include "npf.h"
#include "vcpu/halt.h"
#include "vcpu/ops.h"
#include "vcpu/run.h"

/*
 * Guest and service VM end differently: a guest is handed to its VMM, the
 * service VM's shutdown is the machine's.
 */
static void internal_error(struct vcpu *v)
{
	struct bp_exit_internal *e;

	log_err("domain %u vCPU %u: exit '%s' (%llx, %llx, %llx) at %llx is not handled",
		v->dom->id, v->index, vm_exit_name(v->exit.reason), v->exit.hw_reason,
		v->exit.hw_info[0], v->exit.hw_info[1], v->regs.rip);
	ops->dump(v);
	if (domain_is_dom0(v->dom)) {
		vcpu_ud(v);
		return;
	}
	e = &v->page->internal;
	e->suberror = KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON;
	e->ndata = 1;
	e->data[0] = v->exit.hw_reason;
	vcpu_service(v, BP_EXIT_INTERNAL);
}

static void exit_nothing(struct vcpu *v)
{
	(void)v;
}

static void exit_interrupt(struct vcpu *v)
{
	if (v->exit.taken)
		irq_dispatch(v->exit.taken & 0xff);
	else
		irq_window();
}

static void exit_apic_write(struct vcpu *v)
{
	vlapic_written(v, v->exit.apic_reg);
}

static void exit_eoi(struct vcpu *v)
{
	vlapic_ended(v, v->exit.vector);
}

/*
 * Domain 0 owns the banks.  A thread whose vCPU it hit hears of it as RUN's result, so that
 * Linux blames the thread; else domain 0 has the exception.
 */
static void exit_mce(struct vcpu *v)
{
	struct vcpu *d0 = this_cpu()->dom0;

	if (v == d0) {
		vcpu_exception(v, X86_TRAP_MC, false, 0);
		return;
	}
	if (!d0)
		panic("machine check on a CPU that domain 0 has not");
	log_warn("CPU %u: machine check in domain %u vCPU %u", d0->index, v->dom->id, v->index);
	vcpu_service(v, BP_EXIT_MCE);
	vcpu_kick(d0);
}

static void exit_irq_window(struct vcpu *v)
{
	ops->window(v, EVENT_INTR, false);
}

static void exit_nmi_window(struct vcpu *v)
{
	ops->window(v, EVENT_NMI, false);
}

static u8 cpl(struct vcpu *v)
{
	struct vcpu_paging p;

	ops->get_paging(v, &p);
	return p.cpl;
}

static void exit_cpuid(struct vcpu *v)
{
	if (unlikely(v->msr.misc_features) && cpl(v)) {	/* CPUID faulting */
		vcpu_gp(v);
		return;
	}
	if (domain_is_dom0(v->dom)) {
		coverage_cpuid(v->regs.gpr[RAX]);
		debug_cpuid(v->regs.gpr[RAX]);
	}
	cpuid_execute(v);
	vcpu_skip(v);
}

static void exit_hlt(struct vcpu *v)
{
	vcpu_skip(v);
	v->mp_state = KVM_MP_STATE_HALTED;
	/* A single step's #DB ends the halt, too. */
	if (vcpu_has_work(v) || halt_poll(v)) {
		v->mp_state = KVM_MP_STATE_RUNNABLE;
		v->pv_unhalted = false;
		return;
	}
	vcpu_block(v);
}

static void exit_pause(struct vcpu *v)
{
	(void)v;
	this_cpu()->resched = true;
}

/* Domain 0's, to a port that it shares with Bedplate. */
static void service_io(struct vcpu *v)
{
	const struct exit_io *io = &v->exit.io;
	u64 *rax = &v->regs.gpr[RAX], kept = io->size == 4 ? 0 : ~(BIT(8 * io->size) - 1);
	u32 val = (u32)*rax;

	if (!dom0_port(io, &val)) {
		log_warn("domain 0 vCPU %u: %s of %u bytes at port %x refused", v->index,
			 io->in ? "IN" : "OUT", io->size, io->port);
		vcpu_gp(v);
		return;
	}
	if (io->in)
		*rax = (*rax & kept) | (val & ~kept);
	vcpu_skip(v);
}

static void exit_io(struct vcpu *v)
{
	const struct exit_io *io = &v->exit.io;
	struct bp_exit_io *x;
	struct cpu *looks = NULL;
	u64 data;

	if (domain_is_dom0(v->dom)) {
		service_io(v);
		return;
	}
	data = v->regs.gpr[RAX] & (BIT(8 * io->size) - 1);
	if (!io->in && !io->string)
		looks = ioeventfd_signal(v, io->port, io->size, data, true);
	if (looks) {
		vcpu_skip(v);
		ring_look(v, looks);
		return;
	}
	x = &v->page->io;
	x->port = io->port;
	x->size = io->size;
	x->in = io->in;
	x->string = io->string;
	x->insn_len = v->exit.insn_len;
	x->data = io->in ? 0 : data;
	if (io->string)
		ops->get_sregs(v, &v->page->sregs);
	vcpu_service(v, BP_EXIT_IO);
}

/* A CPU that delivers a #DB steps from branch to branch no more (SDM vol. 3, 18.4). */
static void end_branch_steps(struct vcpu *v)
{
	u64 ctl;

	if (!ops->get_msr(v, MSR_DEBUGCTL, &ctl) && (ctl & DEBUGCTL_BTF))
		ops->set_msr(v, MSR_DEBUGCTL, ctl & ~DEBUGCTL_BTF);
}

static void exit_exception(struct vcpu *v)
{
	const struct exit_exc *e = &v->exit.exc;

	if (e->vector == X86_TRAP_UD && (v->rules.flags & BP_RULE_UNDEFINED)) {
		vcpu_service(v, BP_EXIT_UNDEFINED);
		return;
	}
	if (e->vector == X86_TRAP_PF)
		v->regs.cr2 = e->cr2_or_dr6;
	if (e->vector == X86_TRAP_DB)
		end_branch_steps(v);
	if (vcpu_debug_service(v, e->vector, e->cr2_or_dr6))
		return;
	vcpu_exception(v, e->vector, e->has_error, e->error);
}

static void exit_xsetbv(struct vcpu *v)
{
	u64 val = (u32)v->regs.gpr[RAX] | v->regs.gpr[RDX] << 32;

	if (cpl(v) || (u32)v->regs.gpr[RCX] || !xcr0_valid(val)) {
		vcpu_gp(v);
		return;
	}
	v->xcr0 = val;
	xsetbv(0, val);
	vcpu_skip(v);
}

static void exit_undefined(struct vcpu *v)
{
	if (v->nested.flags & BP_NESTED_ON)
		nested_exit(v);
	else
		vcpu_ud(v);
}

#define CPUID_MONITOR	BIT(3)

/* MONITOR or MWAIT.  As on KVM they do nothing, unless the VMM knows better. */
static void exit_mwait(struct vcpu *v)
{
	if (domain_is_dom0(v->dom) || ((v->rules.flags & BP_RULE_MWAIT_UD) &&
				       !(vcpu_cpuid(v, 1, 0).ecx & CPUID_MONITOR)))
		vcpu_ud(v);
	else
		vcpu_skip(v);
}

/* The debugger's are in the CPU, and the shim has the guest's; or it gets its own there now. */
static void exit_mov_dr(struct vcpu *v)
{
	if (v->rules.flags & BP_RULE_DEBUG)
		vcpu_service(v, BP_EXIT_MOV_DR);
	else
		vcpu_use_drs(v);
}

static void exit_protection(struct vcpu *v)
{
	vcpu_gp(v);
}

static void exit_wbinvd(struct vcpu *v)
{
	if (domain_is_dom0(v->dom))
		wbinvd();
	vcpu_skip(v);
}

/* Domain 0's memory does not come later: it has given the frame away. */
static void exit_need_page(struct vcpu *v)
{
	if (domain_is_dom0(v->dom))
		dom0_shutdown();
	if (!npf_need_page(v, v->exit.npf.gpa))
		internal_error(v);
}

/* Each one holds up all CPUs: the shim has v wait. */
static void exit_bus_lock(struct vcpu *v)
{
	vcpu_service(v, BP_EXIT_BUS_LOCK);
}

/* What waited meanwhile is taken, and may give the CPU to another. */
static void exit_notify(struct vcpu *v __unused)
{
	irq_window();
}

static void exit_shutdown(struct vcpu *v)
{
	if (domain_is_dom0(v->dom)) {
		log_warn("domain 0 vCPU %u: triple fault", v->index);
		dom0_shutdown();
	}
	v->shutdown_sticky = true;
}

static void exit_fail_entry(struct vcpu *v)
{
	log_err("domain %u vCPU %u: entry refused, reason %llx", v->dom->id, v->index,
		v->exit.hw_reason);
	ops->dump(v);
	if (domain_is_dom0(v->dom))
		dom0_shutdown();
	v->page->fail.reason = v->exit.hw_reason;
	vcpu_service(v, BP_EXIT_FAIL_ENTRY);
}

static void (*const handlers[VM_EXIT_REASONS])(struct vcpu *v) = {
	[VM_EXIT_NONE] = exit_nothing,
	[VM_EXIT_INTR] = exit_interrupt,
	[VM_EXIT_NMI] = exit_nothing,	/* taken when the back end opened GIF */
	[VM_EXIT_MCE] = exit_mce,
	[VM_EXIT_IRQ_WINDOW] = exit_irq_window,
	[VM_EXIT_NMI_WINDOW] = exit_nmi_window,
	[VM_EXIT_CPUID] = exit_cpuid,
	[VM_EXIT_HLT] = exit_hlt,
	[VM_EXIT_PAUSE] = exit_pause,
	[VM_EXIT_IO] = exit_io,
	[VM_EXIT_RDMSR] = exit_rdmsr,
	[VM_EXIT_WRMSR] = exit_wrmsr,
	[VM_EXIT_NPF] = exit_npf,
	[VM_EXIT_APIC_WRITE] = exit_apic_write,
	[VM_EXIT_EOI] = exit_eoi,
	[VM_EXIT_HYPERCALL] = exit_hypercall,
	[VM_EXIT_CR0_WRITE] = exit_cr0,
	[VM_EXIT_CR4_WRITE] = exit_cr4,
	[VM_EXIT_CR8_WRITE] = exit_cr8,
	[VM_EXIT_EXCEPTION] = exit_exception,
	[VM_EXIT_XSETBV] = exit_xsetbv,
	[VM_EXIT_UNDEFINED] = exit_undefined,
	[VM_EXIT_PROTECTION] = exit_protection,
	[VM_EXIT_WBINVD] = exit_wbinvd,
	[VM_EXIT_MWAIT] = exit_mwait,
	[VM_EXIT_MOV_DR] = exit_mov_dr,
	[VM_EXIT_TASK_SWITCH] = exit_task_switch,
	[VM_EXIT_NEED_PAGE] = exit_need_page,
	[VM_EXIT_SHUTDOWN] = exit_shutdown,
	[VM_EXIT_BUS_LOCK] = exit_bus_lock,
	[VM_EXIT_NOTIFY] = exit_notify,
	[VM_EXIT_SMI] = exit_nothing,	/* taken when the back end opened GIF */
	[VM_EXIT_INIT] = exit_nothing,
	[VM_EXIT_FAIL_ENTRY] = exit_fail_entry,
	[VM_EXIT_UNKNOWN] = internal_error,
};

void vcpu_handle_exit(struct vcpu *v)
{
	u32 reason = v->exit.reason;

	v->exits[reason]++;
	if (unlikely(v->exit.nested)) {
		nested_exit(v);
		return;
	}
	/* Of the way to user space and back: each spares a retpoline. */
	if (reason == VM_EXIT_HYPERCALL)
		exit_hypercall(v);
	else if (reason == VM_EXIT_IO)
		exit_io(v);
	else if (reason == VM_EXIT_CPUID)
		exit_cpuid(v);
	else
		handlers[reason](v);
}
