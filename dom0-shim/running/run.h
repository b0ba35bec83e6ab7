/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVM_RUN, and the exits that the vCPU's thread serves.  vcpu->mutex is held.
 */
#ifndef BEDPLATE_RUN_H
#define BEDPLATE_RUN_H

#include <linux/kvm_para.h>

#include "channel/hypercall.h"
#include "shim.h"

/* A message to the vCPU's own APIC alone: what BP_HC_MSI says of it. */
static inline long bp_message_to(const struct bp_vcpu *vcpu, u32 data)
{
	u64 id = vcpu->id;

	return bp_hc_msi(vcpu->vm->dom, BP_MSI_EXACT | (id >> 8) << 40 | 0xfee00000 |
			 (id & 0xff) << 12, data);
}

/* ---- vcpu_run.c ---- */
long bp_vcpu_run(struct bp_vcpu *vcpu);

/*
 * ---- exits.c, task.c, emulate.c ----
 * Return 1: enter the guest again; 0: KVM_RUN returns 0, *run is filled;
 * or KVM_RUN's errno.
 */
int bp_exit_io(struct bp_vcpu *vcpu);
int bp_exit_npf(struct bp_vcpu *vcpu);
int bp_complete_pending(struct bp_vcpu *vcpu);
int bp_exit_task_switch(struct bp_vcpu *vcpu);
int bp_emulate(struct bp_vcpu *vcpu);
int bp_emulate_resume(struct bp_vcpu *vcpu);
/* #UD: the other vendor's hypercall is mended, all else raised. */
int bp_exit_undefined(struct bp_vcpu *vcpu);
/* Make or fill vcpu->emul, from the exit's registers and @sregs.  -ENOMEM. */
int bp_emulate_begin(struct bp_vcpu *vcpu, const struct kvm_sregs *sregs);
/* Registers or mode were set while an emulated access waits for its answer. */
void bp_emulate_new_regs(struct bp_vcpu *vcpu, const struct kvm_regs *regs);
void bp_emulate_new_sregs(struct bp_vcpu *vcpu, const struct kvm_sregs *sregs);
/* KVM_EXIT_INTERNAL_ERROR with @n (< 16) words of data and, behind them, the last CPU: 0. */
int bp_internal_error(struct bp_vcpu *vcpu, u32 suberror, const u64 *data, u32 n);
/* The instruction of @len bytes was done here: RIP goes past it. */
void bp_insn_done(struct bp_vcpu *vcpu, u8 len);
#define BP_HYPERCALL_LEN	3	/* VMCALL and VMMCALL, without prefixes */
void bp_queue_exception(struct bp_vcpu *vcpu, u8 vector, bool has_error,
			u32 error, u64 cr2);

/*
 * ---- hypercall.c: those that Bedplate leaves to the shim ----
 * exit: as above; complete: user space has answered KVM_EXIT_HYPERCALL.
 */
#define BP_USER_HYPERCALLS	(1u << KVM_HC_MAP_GPA_RANGE)	/* user space may want these */
int bp_exit_hypercall(struct bp_vcpu *vcpu);
int bp_complete_hypercall(struct bp_vcpu *vcpu);

/* ---- msr.c: MSR exits, and the filter that decides on them; as above ---- */
int bp_exit_msr(struct bp_vcpu *vcpu);
void bp_complete_msr(struct bp_vcpu *vcpu);
/* KVM_X86_SET_MSR_FILTER.  No vCPU runs by the old one any more.  Takes vm->rules_lock. */
long bp_msr_filter_set(struct bp_vm *vm, struct kvm_msr_filter *user);
void bp_msr_filter_free(struct bp_msr_filter *filter);
/* The ranges that Bedplate has to ask about.  vm->rules_lock or vm->srcu. */
void bp_msr_rules(const struct bp_msr_filter *filter, struct bp_rules *rules);

/* bus_lock.c: wait, without vm->srcu, until it is this vCPU's turn, or a signal comes; 1 */
int bp_exit_bus_lock(struct bp_vcpu *vcpu);

/*
 * ---- rules.c: struct bp_rules, from what the VM's file was told ----
 * changed: vm->rules_lock is held; returns when each vCPU has them, or is out of
 * KVM_RUN.  -EINTR.  touch: as changed, without a lock and without waiting: each vCPU
 * has them before its next RUN, and those that run end theirs.  due, apply: in KVM_RUN;
 * the vCPU is stopped for apply.
 */
long bp_rules_changed(struct bp_vm *vm);
u32 bp_rules_touch(struct bp_vm *vm);	/* their number */
/* Any context: if it runs it ends that, and if it sleeps it wakes, to look at what is due. */
void bp_vcpu_kick(struct bp_vcpu *vcpu);
void bp_vcpus_kick(struct bp_vm *vm);
u32 bp_rules_gen(const struct bp_vm *vm);
void bp_rules_entered(struct bp_vcpu *vcpu);
void bp_rules_left(struct bp_vcpu *vcpu);
bool bp_rules_due(const struct bp_vcpu *vcpu);
long bp_rules_apply(struct bp_vcpu *vcpu);

/*
 * ---- smm.c: SMIs, and RSM; as above.  changed: after state that says vcpu->smm.in ----
 */
int bp_exit_smi(struct bp_vcpu *vcpu);
int bp_smm_leave(struct bp_vcpu *vcpu);
void bp_smm_changed(struct bp_vcpu *vcpu, bool in);
/* RDMSR and WRMSR of the guest.  -ENOENT: not one of SMM's; -EINVAL: it may not. */
int bp_smm_exit_msr(struct bp_vcpu *vcpu);

/*
 * ---- debug.c: the VMM's break- and watchpoints and single steps ----
 * set: KVM_SET_GUEST_DEBUG.  -EINVAL a control that there is not, -EBUSY an exception
 * waits already, so none can be injected.  exit: as above.  deliver: before it runs, for
 * what KVM_SET_VCPU_EVENTS has set.  init, if due: INIT has come; the vCPU is stopped, and
 * to be run again.
 */
long bp_debug_deliver(struct bp_vcpu *vcpu);
bool bp_debug_init_due(const struct bp_vcpu *vcpu);
int bp_debug_init(struct bp_vcpu *vcpu);
long bp_debug_set(struct bp_vcpu *vcpu, const struct kvm_guest_debug *dbg);
int bp_exit_debug(struct bp_vcpu *vcpu);
int bp_exit_mov_dr(struct bp_vcpu *vcpu);

/*
 * ---- extint.c: external interrupts while user space has the PIC ----
 * queue: KVM_INTERRUPT.  -EINVAL no such vector, -ENXIO the PIC is in the kernel,
 * -EEXIST one waits already.  wire: before the vCPU runs.  window: Bedplate says
 * that the vCPU would take an interrupt now; 1 or 0 as above.  ready: what
 * kvm_run.ready_for_interrupt_injection says of a stopped vCPU.
 */
long bp_extint_queue(struct bp_vcpu *vcpu, u32 vector);
void bp_extint_wire(struct bp_vcpu *vcpu);
int bp_extint_window(struct bp_vcpu *vcpu);
bool bp_extint_ready(struct bp_vcpu *vcpu);

#endif
