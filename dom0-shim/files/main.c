// SPDX-License-Identifier: GPL-2.0-only
/*
 * bedplate.ko: /dev/kvm in Bedplate's service VM.  Finds Bedplate, checks that
 * it speaks the same version of the channel, sets up the event rings, and
 * registers the device under KVM's own name and number.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/smp.h>
#include <asm/processor.h>

#include "channel/hypercall.h"
#include "channel/ring.h"
#include "irqchip/irqchip.h"
#include "memory/nx.h"
#include "running/apf.h"
#include "files.h"

static long dev_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return bp_system_ioctl(cmd, (void __user *)arg);
}

static const struct file_operations dev_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = dev_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice kvm_device = {
	.minor = KVM_MINOR,
	.name = "kvm",
	.fops = &dev_fops,
};

static int __init bedplate_init(void)
{
	int ret = bp_find_bedplate();

	if (ret)
		return ret;
	ret = bp_irq_module_init();
	if (ret)
		return ret;
	bp_nx_module_init();
	ret = bp_apf_init();
	if (ret)
		goto irq;
	ret = bp_ring_init();
	if (ret) {
		pr_err("bedplate: no event rings: %d\n", ret);
		goto apf;
	}
	ret = bp_sysfs_init();
	if (ret)
		goto ring;
	ret = bp_proc_init();
	if (ret)
		goto sysfs;
	ret = bp_kvm_module_init();
	if (ret)
		goto proc;
	ret = misc_register(&kvm_device);
	if (ret) {
		pr_err("bedplate: /dev/kvm is taken: %d\n", ret);
		goto kvm_module;
	}
	bp_ending_init();
	pr_info("bedplate: /dev/kvm by Bedplate, channel version %u, %u CPUs\n",
		BP_CHANNEL_VERSION, cpuid_ebx(BP_CPUID_VERSION));
	return 0;

kvm_module:
	bp_kvm_module_exit();
proc:
	bp_proc_exit();
sysfs:
	bp_sysfs_exit();
ring:
	bp_ring_exit();
apf:
	bp_apf_exit();
irq:
	bp_nx_module_exit();
	bp_irq_module_exit();
	return ret;
}

static void __exit bedplate_exit(void)
{
	bp_ending_exit();
	misc_deregister(&kvm_device);
	bp_kvm_module_exit();
	bp_proc_exit();
	bp_sysfs_exit();
	bp_ring_exit();
	bp_apf_exit();
	bp_nx_module_exit();
	bp_irq_module_exit();
}

module_init(bedplate_init);
module_exit(bedplate_exit);
MODULE_ALIAS_MISCDEV(KVM_MINOR);
MODULE_ALIAS("devname:kvm");
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("KVM API of the Bedplate hypervisor");
