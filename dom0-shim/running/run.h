/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVM_RUN, and the exits that the vCPU's thread serves.  vcpu->mutex is held.
 */
#ifndef BEDPLATE_RUN_H
#define BEDPLATE_RUN_H

#include "shim.h"

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
/* Make or fill vcpu->emul, from the exit's registers and @sregs.  -ENOMEM. */
int bp_emulate_begin(struct bp_vcpu *vcpu, const struct kvm_sregs *sregs);
/* Registers or mode were set while an emulated access waits for its answer. */
void bp_emulate_new_regs(struct bp_vcpu *vcpu, const struct kvm_regs *regs);
void bp_emulate_new_sregs(struct bp_vcpu *vcpu, const struct kvm_sregs *sregs);
void bp_queue_exception(struct bp_vcpu *vcpu, u8 vector, bool has_error,
			u32 error, u64 cr2);

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
