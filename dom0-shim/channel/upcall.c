// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where Linux lets a module take the vector that it keeps for KVM's posted interrupts, that is
 * the upcall's, the same on all CPUs. Newer kernels keep it for modules of KVM's names (Kbuild
 * looks whether they do). There each CPU has an interrupt of its own, below Linux's domain of
 * vectors, as UV's machines have them: no device sends it and it never moves.
 */
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irqdomain.h>
#include <linux/percpu.h>
#include <linux/smp.h>
#include <asm/hw_irq.h>
#include <asm/irqdomain.h>
#include <asm/irq.h>

#include "../../compat/kvm-abi/channel.h"
#include "upcall.h"

#ifndef BP_KVM_SYMBOLS_CLOSED

int bp_upcall_init(void (*handler)(void))
{
	BUILD_BUG_ON(POSTED_INTR_WAKEUP_VECTOR != BP_UPCALL_VECTOR);
	kvm_set_posted_intr_wakeup_handler(handler);
	return 0;
}

void bp_upcall_exit(void)
{
	kvm_set_posted_intr_wakeup_handler(NULL);
}

int bp_upcall_online(void)
{
	return BP_UPCALL_VECTOR;
}

void bp_upcall_offline(void)
{
}

#else

static struct fwnode_handle *node;
static struct irq_domain *domain;
static void (*upcall)(void);
static DEFINE_PER_CPU(int, upcall_irq);

static struct irq_chip chip = {
	.name = "Bedplate",
	.irq_ack = irq_chip_ack_parent,
};

static int domain_alloc(struct irq_domain *d, unsigned int irq, unsigned int nr, void *info)
{
	int ret = irq_domain_alloc_irqs_parent(d, irq, nr, info);

	if (ret < 0)
		return ret;
	irq_set_status_flags(irq, IRQ_NO_BALANCING);
	irq_domain_set_info(d, irq, irq, &chip, NULL, handle_edge_irq, NULL, "edge");
	return 0;
}

static const struct irq_domain_ops domain_ops = {
	.alloc = domain_alloc,
	.free = irq_domain_free_irqs_top,
};

static irqreturn_t upcall_handler(int irq, void *unused)
{
	upcall();
	return IRQ_HANDLED;
}

int bp_upcall_init(void (*handler)(void))
{
	upcall = handler;
	node = irq_domain_alloc_named_fwnode("Bedplate");
	if (!node)
		return -ENOMEM;
	domain = irq_domain_create_hierarchy(x86_vector_domain, 0, 0, node, &domain_ops, NULL);
	if (domain)
		return 0;
	irq_domain_free_fwnode(node);
	return -ENOMEM;
}

void bp_upcall_exit(void)
{
	irq_domain_remove(domain);
	irq_domain_free_fwnode(node);
}

int bp_upcall_online(void)
{
	unsigned int cpu = smp_processor_id();
	struct irq_alloc_info info = { .mask = cpumask_of(cpu) };
	int irq = irq_domain_alloc_irqs(domain, 1, cpu_to_node(cpu), &info), ret;

	if (irq < 0)
		return irq;
	ret = request_irq(irq, upcall_handler, IRQF_NOBALANCING | IRQF_NO_THREAD, "bedplate", NULL);
	if (ret) {
		irq_domain_free_irqs(irq, 1);
		return ret;
	}
	__this_cpu_write(upcall_irq, irq);
	return irqd_cfg(irq_get_irq_data(irq))->vector;
}

void bp_upcall_offline(void)
{
	int irq = __this_cpu_read(upcall_irq);

	free_irq(irq, NULL);
	irq_domain_free_irqs(irq, 1);
}

#endif
