/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The shim's interrupt controllers: PIC pair, IOAPIC, PIT, GSI routing, MSI,
 * irqfd.  Local APICs are Bedplate's; this code hands it messages (BP_HC_MSI)
 * and the level of the PIC's INTR wire (BP_HC_EXTINT, to vCPU index 0).
 *
 * vm->irqchip is NULL until KVM_CREATE_IRQCHIP or the split capability, then
 * constant until bp_irqchip_destroy().
 *
 * Locks, outermost first: vm->lock, irqfd mutex, PIT mutex, vm->srcu (routing
 * table), an eventfd's wait queue lock, irqfd list lock, chip lock (raw,
 * interrupts off).  Hypercalls are made under the chip lock, so that Bedplate
 * sees the wires change in the order in which they changed here.
 */
#ifndef BEDPLATE_IRQCHIP_H
#define BEDPLATE_IRQCHIP_H

#include <linux/types.h>
#include <linux/kvm.h>

struct bp_vm;
struct bp_vcpu;

#define BP_IRQ_MAX_GSI		4096	/* what KVM_CAP_IRQ_ROUTING reads */

/* Once per module: the work queue that closes irqfds.  -ENOMEM. */
int bp_irqchip_module_init(void);
void bp_irqchip_module_exit(void);

/* Value of the irqchip's own capabilities, 0 for any other. */
int bp_irqchip_check_extension(long ext);

/*
 * bp_irqchip_vm_ioctl() - CREATE_IRQCHIP, GET_IRQCHIP, SET_IRQCHIP, IRQ_LINE,
 * IRQ_LINE_STATUS, SIGNAL_MSI, SET_GSI_ROUTING, IRQFD, CREATE_PIT, CREATE_PIT2,
 * GET_PIT, SET_PIT, GET_PIT2, SET_PIT2.
 * Returns the ioctl's result, or -ENOTTY for any other number.  No locks held.
 */
long bp_irqchip_vm_ioctl(struct bp_vm *vm, unsigned int ioctl,
			 void __user *argp);

/*
 * bp_irqchip_enable_split() - KVM_ENABLE_CAP(KVM_CAP_SPLIT_IRQCHIP, @pins):
 * PIC, IOAPIC and PIT are user space's, routes carry messages only.
 * -EEXIST an irqchip exists, -EINVAL vCPUs exist or too many pins.  No locks.
 */
int bp_irqchip_enable_split(struct bp_vm *vm, u64 pins);

/*
 * bp_irqchip_release() - the VM fd is closed: the irqfds go.  On return no
 * eventfd reaches this VM any more.  Sleeps.
 */
void bp_irqchip_release(struct bp_vm *vm);

/*
 * bp_irqchip_destroy() - last reference gone, no vCPU runs, the buses are not
 * used any more; call it before the domain goes.  Implies the release.  Sleeps.
 */
void bp_irqchip_destroy(struct bp_vm *vm);

/*
 * bp_irqchip_vcpu_created() - BP_HC_VCPU_CREATE has succeeded: tell Bedplate
 * the present level of INTR, should it be high already.
 */
void bp_irqchip_vcpu_created(struct bp_vcpu *vcpu);

/*
 * bp_irqchip_extint() - BP_EXIT_EXTINT: the CPU's acknowledge cycle at the PIC.
 * Returns the vector for BP_RUN_INJECT, or -1 when the wire has fallen
 * meanwhile or there is no PIC here.
 */
int bp_irqchip_extint(struct bp_vcpu *vcpu);

/*
 * bp_irqchip_eoi() - BP_EXIT_IOAPIC_EOI: EOI of a level-triggered vector.
 * Returns true when the IOAPIC is user space's, which then gets
 * KVM_EXIT_IOAPIC_EOI (if it has such a pin); else all is done.
 * Process context, vm->srcu read-locked or not.
 */
bool bp_irqchip_eoi(struct bp_vcpu *vcpu, u8 vector);

/*
 * bp_irq_set() - drive a GSI on behalf of one source; sources are OR-ed.  Any
 * context but NMI.  vm->irqchip is not NULL.
 * Returns KVM's status: > 0 CPUs reached, 0 coalesced, < 0 masked, in service
 * or not routed.
 */
#define BP_IRQ_SRC_USER		0u	/* user space and irqfds */
#define BP_IRQ_SRC_RESAMPLE	1u	/* irqfds with a resample eventfd */
#define BP_IRQ_SRC_PIT		2u
int bp_irq_set(struct bp_vm *vm, unsigned int source, u32 gsi, bool level);

#endif
