// SPDX-License-Identifier: GPL-2.0-only
/*
 * bp_once.ko: keeps QEMU's TCG from delivering an interrupt twice that KVM injects (docs/testbed.md,
 * VMRUN with EVENTINJ), as hv/svm/inject.c does for Bedplate: an interrupt to the CPU itself, sent when
 * interrupts are off already, ends the guest's run right behind the delivery. For Linux's KVM in the lab
 * with all CPUs in one thread; what it costs is in what is counted there.
 */
#include <linux/atomic.h>
#include <linux/hash.h>
#include <linux/irq_work.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/percpu.h>

/* vCPUs that have an interrupt to deliver, by their address; two in one slot do no harm. */
#define SLOT_BITS	8
static atomic_t injects[1 << SLOT_BITS];

static atomic_t *slot_of(const struct pt_regs *regs)
{
	return &injects[hash_long(regs->di, SLOT_BITS)];
}

static void nothing(struct irq_work *work)
{
}

static DEFINE_PER_CPU(struct irq_work, self);

/* svm_inject_irq(vcpu, ...): interrupts are on yet. */
static int on_inject(struct kprobe *p, struct pt_regs *regs)
{
	atomic_set(slot_of(regs), 1);
	return 0;
}

/* svm_vcpu_run(vcpu, ...): they are off. */
static int on_run(struct kprobe *p, struct pt_regs *regs)
{
	if (atomic_xchg(slot_of(regs), 0))
		irq_work_queue(this_cpu_ptr(&self));
	return 0;
}

static struct kprobe probes[] = {
	{ .symbol_name = "svm_inject_irq", .pre_handler = on_inject },
	{ .symbol_name = "svm_vcpu_run", .pre_handler = on_run },
};
static struct kprobe *all[] = { &probes[0], &probes[1] };

/* At run time: pointers in a module's per-CPU data are not relocated. */
static int __init once_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		per_cpu(self, cpu) = IRQ_WORK_INIT_HARD(nothing);
	return register_kprobes(all, ARRAY_SIZE(all));
}

static void __exit once_exit(void)
{
	unregister_kprobes(all, ARRAY_SIZE(all));
}

module_init(once_init);
module_exit(once_exit);
MODULE_DESCRIPTION("Works around TCG's second delivery of what KVM injects");
MODULE_LICENSE("GPL");
