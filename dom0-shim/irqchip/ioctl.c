// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VM ioctls of the interrupt controllers.  Each copies its structure in
 * once, checks it where it is used, and copies out what KVM copies out.
 */
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "irqchip_priv.h"

static long create_irqchip(struct bp_irq *irq, bool have_vcpus)
{
	int ret;

	if (irq->mode != BP_IRQ_NONE)
		return -EEXIST;
	if (have_vcpus)
		return -EINVAL;
	ret = bp_gsi_set_default(irq);
	if (!ret)
		smp_store_release(&irq->mode, BP_IRQ_KERNEL); /* whoever sees it sees the routes */
	return ret;
}

static long create_pit2(struct bp_irq *irq, void __user *argp)
{
	struct kvm_pit_config config;

	if (copy_from_user(&config, argp, sizeof(config)))
		return -EFAULT;
	return bp_pit_create(irq, config.flags);
}

static long get_irqchip(struct bp_irq *irq, void __user *argp)
{
	struct kvm_irqchip *state = memdup_user(argp, sizeof(*state));
	long ret = -ENXIO;

	if (IS_ERR(state))
		return PTR_ERR(state);
	if (bp_irq_mode(irq) == BP_IRQ_KERNEL)
		ret = bp_chips_get(irq, state);
	if (!ret && copy_to_user(argp, state, sizeof(*state)))
		ret = -EFAULT;
	kfree(state);
	return ret;
}

static long set_irqchip(struct bp_irq *irq, void __user *argp)
{
	struct kvm_irqchip *state = memdup_user(argp, sizeof(*state));
	long ret = -ENXIO;

	if (IS_ERR(state))
		return PTR_ERR(state);
	if (bp_irq_mode(irq) == BP_IRQ_KERNEL)
		ret = bp_chips_put(irq, state);
	kfree(state);
	return ret;
}

static long irq_line(struct bp_irq *irq, void __user *argp, bool with_status)
{
	struct kvm_irq_level event;

	if (copy_from_user(&event, argp, sizeof(event)))
		return -EFAULT;
	if (bp_irq_mode(irq) == BP_IRQ_NONE)
		return -ENXIO;
	event.status = bp_irq_set(irq, BP_IRQ_SRC_USER, event.irq, event.level);
	if (with_status && copy_to_user(argp, &event, sizeof(event)))
		return -EFAULT;
	return 0;
}

static long signal_msi(struct bp_irq *irq, void __user *argp)
{
	struct kvm_msi msi;

	if (copy_from_user(&msi, argp, sizeof(msi)))
		return -EFAULT;
	return bp_gsi_signal_msi(irq, &msi);
}

static long set_routing(struct bp_irq *irq, void __user *argp)
{
	struct kvm_irq_routing_entry *entries = NULL;
	enum bp_irq_mode mode = bp_irq_mode(irq);
	struct kvm_irq_routing head;
	long ret;

	if (copy_from_user(&head, argp, sizeof(head)))
		return -EFAULT;
	if (mode == BP_IRQ_NONE || head.nr > BP_ROUTING_MAX || head.flags)
		return -EINVAL;
	if (head.nr) {
		entries = vmemdup_array_user(argp + sizeof(head), head.nr,
					     sizeof(*entries));
		if (IS_ERR(entries))
			return PTR_ERR(entries);
	}
	ret = bp_gsi_set_routing(irq, entries, head.nr, mode == BP_IRQ_KERNEL);
	kvfree(entries);
	return ret;
}

static long irqfd(struct bp_irq *irq, void __user *argp)
{
	struct kvm_irqfd args;

	if (copy_from_user(&args, argp, sizeof(args)))
		return -EFAULT;
	return bp_irqfd(irq, &args);
}

/*
 * GET_PIT and SET_PIT know the channels only.  As in KVM the first of the gets looks at the
 * caller's structure before it looks for a PIT.
 */
static long get_pit(struct bp_irq *irq, void __user *argp, size_t size)
{
	struct kvm_pit_state2 state;
	long ret;

	if (size == sizeof(struct kvm_pit_state) && copy_from_user(&state, argp, size))
		return -EFAULT;
	ret = bp_pit_get(irq, &state);
	if (!ret && copy_to_user(argp, &state, size))
		ret = -EFAULT;
	return ret;
}

static long set_pit(struct bp_irq *irq, void __user *argp, size_t size)
{
	struct kvm_pit_state2 state, given;
	long ret;

	if (copy_from_user(&given, argp, size))
		return -EFAULT;
	ret = bp_pit_get(irq, &state);
	if (ret)
		return ret;
	memcpy(&state, &given, size);
	return bp_pit_put(irq, &state);
}

static long reinject_control(struct bp_irq *irq, void __user *argp)
{
	struct kvm_reinject_control control;

	if (copy_from_user(&control, argp, sizeof(control)))
		return -EFAULT;
	return bp_pit_reinject(irq, control.pit_reinject);
}

long bp_irq_ioctl(struct bp_irq *irq, bool have_vcpus, unsigned int cmd,
		  unsigned long arg)
{
	void __user *argp = (void __user *)arg;

	switch (cmd) {
	case KVM_CREATE_IRQCHIP:
		return create_irqchip(irq, have_vcpus);
	case KVM_CREATE_PIT:
		return bp_pit_create(irq, KVM_PIT_SPEAKER_DUMMY);
	case KVM_CREATE_PIT2:
		return create_pit2(irq, argp);
	case KVM_GET_IRQCHIP:
		return get_irqchip(irq, argp);
	case KVM_SET_IRQCHIP:
		return set_irqchip(irq, argp);
	case KVM_IRQ_LINE:
	case KVM_IRQ_LINE_STATUS:
		return irq_line(irq, argp, cmd == KVM_IRQ_LINE_STATUS);
	case KVM_SIGNAL_MSI:
		return signal_msi(irq, argp);
	case KVM_SET_GSI_ROUTING:
		return set_routing(irq, argp);
	case KVM_IRQFD:
		return irqfd(irq, argp);
	case KVM_GET_PIT:
		return get_pit(irq, argp, sizeof(struct kvm_pit_state));
	case KVM_GET_PIT2:
		return get_pit(irq, argp, sizeof(struct kvm_pit_state2));
	case KVM_SET_PIT:
		return set_pit(irq, argp, sizeof(struct kvm_pit_state));
	case KVM_SET_PIT2:
		return set_pit(irq, argp, sizeof(struct kvm_pit_state2));
	case KVM_REINJECT_CONTROL:
		return reinject_control(irq, argp);
	}
	return -ENOIOCTLCMD;
}
