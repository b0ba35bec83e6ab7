/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The shim's interrupt controllers: PIC pair, IOAPIC, PIT, GSI routing, MSI,
 * irqfd.  Local APICs are Bedplate's; this code hands it messages (BP_HC_MSI)
 * and the level of the PIC's INTR wire (BP_HC_EXTINT).
 *
 * One struct bp_irq per VM.  The core keeps the pointer, serialises
 * KVM_CREATE_IRQCHIP and bp_irq_enable_split() against vCPU creation with the
 * VM's lock, and may call everything else at any time between bp_irq_new() and
 * bp_irq_free().
 *
 * Locks, outermost first: the VM's lock (core), irqfd mutex, PIT mutex,
 * SRCU of the routing table, an eventfd's wait queue lock, irqfd list lock,
 * chip lock (raw, interrupts off).  Hypercalls are made under the chip lock, so
 * that the wires Bedplate sees change in the order in which they changed here.
 */
#ifndef BEDPLATE_IRQCHIP_H
#define BEDPLATE_IRQCHIP_H

#include <linux/types.h>
#include <linux/kvm.h>

struct bp_irq;

/* Once per module: the work queue that closes irqfds.  -ENOMEM. */
int bp_irq_module_init(void);
void bp_irq_module_exit(void);

/*
 * bp_irq_new() - at VM creation; no chips yet, an empty routing table.
 * @dom: Bedplate's id of the domain.
 * Returns an ERR_PTR() on failure.
 */
struct bp_irq *bp_irq_new(u32 dom);

/*
 * bp_irq_release() - the last reference to the VM's file is gone: close the
 * irqfds.  When it returns, no eventfd reaches this VM any more.  Sleeps.
 */
void bp_irq_release(struct bp_irq *irq);

/*
 * bp_irq_free() - the VM goes.  Implies bp_irq_release(); stops the PIT.  No
 * vCPU may run.  Call it before the domain is destroyed.  Sleeps.
 */
void bp_irq_free(struct bp_irq *irq);

/*
 * bp_irq_ioctl() - the VM ioctls CREATE_IRQCHIP, GET_IRQCHIP, SET_IRQCHIP,
 * IRQ_LINE, IRQ_LINE_STATUS, SIGNAL_MSI, SET_GSI_ROUTING, IRQFD, CREATE_PIT,
 * CREATE_PIT2, GET_PIT, SET_PIT, GET_PIT2, SET_PIT2, with their copying from
 * and to user space.
 * @have_vcpus: a vCPU has been created (CREATE_IRQCHIP: -EINVAL).
 * Returns what the ioctl returns, or -ENOIOCTLCMD for any other number.
 * CREATE_IRQCHIP needs the VM's lock; the others do not.
 */
long bp_irq_ioctl(struct bp_irq *irq, bool have_vcpus, unsigned int cmd,
		  unsigned long arg);

/*
 * bp_irq_enable_split() - KVM_ENABLE_CAP(KVM_CAP_SPLIT_IRQCHIP, @pins).
 * @pins: the first GSIs, which are the pins of user space's IOAPICs.
 * -EEXIST a mode is set already or vCPUs exist, -EINVAL too many pins.
 * Caller holds the VM's lock.
 */
int bp_irq_enable_split(struct bp_irq *irq, bool have_vcpus, u64 pins);

/*
 * KVM_CAP_X2APIC_API: @flags are KVM_X2APIC_API_* and stay.  32-bit IDs: messages carry
 * ID bits 31:8 above, and so says format; without the broadcast quirk 0xff is an ID.
 */
void bp_irq_x2apic_api(struct bp_irq *irq, u64 flags);
bool bp_irq_x2apic_format(const struct bp_irq *irq);

/* Which chips there are. */
enum bp_irq_mode {
	BP_IRQ_NONE,		/* user space has not chosen yet */
	BP_IRQ_KERNEL,		/* all of them, here */
	BP_IRQ_SPLIT,		/* PIC, IOAPIC and PIT are user space's */
};
enum bp_irq_mode bp_irq_mode(struct bp_irq *irq);

/*
 * bp_irq_set() - drive a GSI on behalf of one source.  Any context.
 * Returns KVM's status: > 0 CPUs reached, 0 coalesced, < 0 masked or not
 * routed.
 */
#define BP_IRQ_SRC_USER		0u	/* user space and irqfds */
#define BP_IRQ_SRC_RESAMPLE	1u	/* irqfds with a resample eventfd */
#define BP_IRQ_SRC_PIT		2u
int bp_irq_set(struct bp_irq *irq, unsigned int source, u32 gsi, bool level);

/*
 * bp_irq_eoi() - BP_EXIT_IOAPIC_EOI of a vCPU: level-triggered @vector.
 * Returns true when the vector is one of user space's IOAPIC, which then wants
 * KVM_EXIT_IOAPIC_EOI; else it is done.  Context of the vCPU's thread.
 */
bool bp_irq_eoi(struct bp_irq *irq, u8 vector);

/*
 * A GSI leads to a source of Hyper-V's SynIC, and the guest has taken what came of it.
 * bp_irq_sint() is hyperv's: KVM's status, any context.
 */
int bp_irq_sint(u32 dom, u32 vp, u32 sint);
void bp_irq_sint_acked(struct bp_irq *irq, u32 vp, u32 sint);

/*
 * A GSI leads to an event of Xen's, of the vCPU that KVM has by that number; xen's, any
 * context: KVM's status; and how many events there are.
 */
int bp_irq_event(u32 dom, u32 vcpu, u32 port);
u32 bp_irq_event_ports(u32 dom);

/*
 * bp_irq_ack() - BP_EXIT_EXTINT: the CPU's acknowledge cycle at the PIC.
 * Returns the vector for BP_RUN_INJECT, or -1 when the wire has fallen
 * meanwhile (then just RUN again; also when there is no PIC here).
 */
int bp_irq_ack(struct bp_irq *irq);

/*
 * bp_irq_vcpu_created() - tell Bedplate the present level of INTR for a vCPU
 * that has just been made.
 */
void bp_irq_vcpu_created(struct bp_irq *irq, u32 vcpu);

/*
 * bp_irq_pio(), bp_irq_mmio() - accesses by the guest, at any address.
 * @size: 1, 2, 4 (MMIO: or 8) bytes at @data, read or written.
 * Returns false if the address is none of ours; then nothing was done.
 * Context of the vCPU's thread; may sleep.
 * Ports: 0x20 0x21 0xa0 0xa1 0x4d0 0x4d1, 0x40-0x43, 0x61.
 */
bool bp_irq_pio(struct bp_irq *irq, u16 port, unsigned int size, bool write,
		void *data);
bool bp_irq_mmio(struct bp_irq *irq, u64 gpa, unsigned int size, bool write,
		 void *data);

/* What the capabilities read. */
#define BP_IRQ_MAX_GSI		4096	/* KVM_CAP_IRQ_ROUTING */

#endif
