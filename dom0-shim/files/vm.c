// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMs: KVM_CREATE_VM, the VM's file and its ioctls, and the end of it all when
 * the last file (VM or vCPU) is closed.
 */
#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "channel/hypercall.h"
#include "channel/ring.h"
#include "devices/bus.h"
#include "devices/coalesced.h"
#include "devices/ioeventfd.h"
#include "irqchip/irqchip.h"
#include "memory/donate.h"
#include "memory/guest_memfd.h"
#include "memory/memslot.h"
#include "memory/mmu.h"
#include "memory/nx.h"
#include "memory/private.h"
#include "running/apf.h"
#include "running/hv.h"
#include "running/run.h"
#include "running/xen.h"
#include "files.h"

/* ---- ioctls ---- */

static long hyperv_eventfd(struct bp_vm *vm, void __user *argp)
{
	struct kvm_hyperv_eventfd args;

	if (copy_from_user(&args, argp, sizeof(args)))
		return -EFAULT;
	return bp_hv_eventfd(vm, &args);
}

static long xen_get_attr(struct bp_vm *vm, void __user *argp)
{
	struct kvm_xen_hvm_attr attr;
	long ret;

	if (copy_from_user(&attr, argp, sizeof(attr)))
		return -EFAULT;
	ret = bp_xen_vm_get(vm, &attr);
	return !ret && copy_to_user(argp, &attr, sizeof(attr)) ? -EFAULT : ret;
}

static long set_boot_cpu(struct bp_vm *vm, unsigned long id)
{
	u32 *word;
	long ret;

	word = (void *)get_zeroed_page(GFP_KERNEL);
	if (!word)
		return -ENOMEM;
	*word = id;
	mutex_lock(&vm->lock);
	if (vm->nr_vcpus)
		ret = -EBUSY;
	else if (id >= BP_MAX_VCPU_ID || (vm->max_vcpu_id && id > vm->max_vcpu_id))
		ret = -EINVAL;
	else
		ret = bp_hc_domain_set(vm->dom, BP_DOM_BOOT_CPU, bp_pfn(word));
	if (ret >= 0)
		vm->boot_cpu_id = id;
	mutex_unlock(&vm->lock);
	free_page((unsigned long)word);
	return ret < 0 ? ret : 0;
}

/* Real mode needs no task segment or identity map of ours. */
static long set_tss_addr(unsigned long addr)
{
	return addr > (u32)(-3 * PAGE_SIZE) ? -EINVAL : 0;
}

static long set_identity_map(struct bp_vm *vm, void __user *argp)
{
	u64 addr;

	if (READ_ONCE(vm->nr_vcpus))
		return -EINVAL;
	return copy_from_user(&addr, argp, sizeof(addr)) ? -EFAULT : 0;
}

#define MIN_SHADOW_PAGES	64	/* KVM's own */

/* A limit for shadow page tables, of which there are none with nested paging. */
static long set_nr_mmu_pages(unsigned long n)
{
	return n < MIN_SHADOW_PAGES ? -EINVAL : 0;
}

static long irq_ioctl(struct bp_vm *vm, unsigned int cmd, unsigned long arg)
{
	long ret;

	if (cmd == KVM_CREATE_IRQCHIP)
		mutex_lock(&vm->lock);
	ret = bp_irq_ioctl(vm->irq, READ_ONCE(vm->nr_vcpus), cmd, arg);
	if (cmd == KVM_CREATE_IRQCHIP)
		mutex_unlock(&vm->lock);
	return ret == -ENOIOCTLCMD ? -ENOTTY : ret;
}

union vm_arg {
	struct kvm_userspace_memory_region2 region2;
	struct kvm_dirty_log log;
	struct kvm_clear_dirty_log clear;
	struct kvm_ioeventfd ioeventfd;
	struct kvm_coalesced_mmio_zone zone;
	struct kvm_enable_cap cap;
	struct kvm_msr_filter msr_filter;
	struct kvm_create_guest_memfd memfd;
	struct kvm_memory_attributes attributes;
	struct kvm_xen_hvm_config xen_config;
	struct kvm_xen_hvm_attr xen_attr;
	struct kvm_irq_routing_xen_evtchn xen_event;
};

#define SAME_PLACE(field) \
	static_assert(offsetof(struct kvm_userspace_memory_region, field) == \
		      offsetof(struct kvm_userspace_memory_region2, field))
SAME_PLACE(slot);
SAME_PLACE(flags);
SAME_PLACE(guest_phys_addr);
SAME_PLACE(memory_size);
SAME_PLACE(userspace_addr);

/* The second form begins as the first, of which the rest is 0. */
static long set_region(struct bp_vm *vm, const struct kvm_userspace_memory_region2 *mem,
		       bool second)
{
	if (!second && mem->flags & KVM_MEM_GUEST_MEMFD)
		return -EINVAL;
	return bp_set_memory_region(vm, mem);
}

static long vm_ioctl_copied(struct bp_vm *vm, unsigned int cmd,
			    void __user *argp)
{
	union vm_arg arg;

	memset(&arg, 0, sizeof(arg));
	if (copy_from_user(&arg, argp, _IOC_SIZE(cmd)))
		return -EFAULT;
	switch (cmd) {
	case KVM_SET_USER_MEMORY_REGION:
	case KVM_SET_USER_MEMORY_REGION2:
		return set_region(vm, &arg.region2, cmd == KVM_SET_USER_MEMORY_REGION2);
	case KVM_CREATE_GUEST_MEMFD:
		return bp_memfd_create(vm, &arg.memfd);
	case KVM_SET_MEMORY_ATTRIBUTES:
		return bp_set_attributes(vm, &arg.attributes);
	case KVM_GET_DIRTY_LOG:
		return bp_get_dirty_log(vm, &arg.log);
	case KVM_CLEAR_DIRTY_LOG:
		return bp_clear_dirty_log(vm, &arg.clear);
	case KVM_IOEVENTFD:
		return bp_ioeventfd(vm, &arg.ioeventfd);
	case KVM_ENABLE_CAP:
		return bp_vm_enable_cap(vm, &arg.cap);
	case KVM_X86_SET_MSR_FILTER:
		return bp_msr_filter_set(vm, &arg.msr_filter);
	case KVM_REGISTER_COALESCED_MMIO:
		return bp_coalesced_register(vm, &arg.zone);
	case KVM_XEN_HVM_CONFIG:
		return bp_xen_config(vm, &arg.xen_config);
	case KVM_XEN_HVM_SET_ATTR:
		return bp_xen_vm_set(vm, &arg.xen_attr);
	case KVM_XEN_HVM_EVTCHN_SEND:
		return bp_xen_send(vm, &arg.xen_event);
	default:
		return bp_coalesced_unregister(vm, &arg.zone);
	}
}

static long vm_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct bp_vm *vm = file->private_data;
	void __user *argp = (void __user *)arg;

	if (!bp_vm_usable(vm))
		return -EIO;
	switch (cmd) {
	case KVM_CREATE_VCPU:
		return bp_vcpu_create(vm, arg);
	case KVM_CHECK_EXTENSION:
		return bp_check_extension(vm, arg);
	case KVM_SET_USER_MEMORY_REGION:
	case KVM_SET_USER_MEMORY_REGION2:
	case KVM_GET_DIRTY_LOG:
	case KVM_CLEAR_DIRTY_LOG:
	case KVM_IOEVENTFD:
	case KVM_ENABLE_CAP:
	case KVM_X86_SET_MSR_FILTER:
	case KVM_REGISTER_COALESCED_MMIO:
	case KVM_UNREGISTER_COALESCED_MMIO:
	case KVM_CREATE_GUEST_MEMFD:
	case KVM_SET_MEMORY_ATTRIBUTES:
	case KVM_XEN_HVM_CONFIG:
	case KVM_XEN_HVM_SET_ATTR:
	case KVM_XEN_HVM_EVTCHN_SEND:
		return vm_ioctl_copied(vm, cmd, argp);
	case KVM_XEN_HVM_GET_ATTR:
		return xen_get_attr(vm, argp);
	case KVM_GET_STATS_FD:
		return bp_stats_fd(vm, NULL);
	case KVM_CREATE_DEVICE:
		return bp_create_device(vm, argp);
	case KVM_HYPERV_EVENTFD:
		return hyperv_eventfd(vm, argp);
	case KVM_RESET_DIRTY_RINGS:
		return bp_dirty_rings_reset(vm);
	case KVM_GET_CLOCK:
		return bp_get_clock(vm, argp);
	case KVM_SET_CLOCK:
		return bp_set_clock(vm, argp);
	case KVM_GET_TSC_KHZ:
		return bp_vm_get_tsc_khz(vm);
	case KVM_SET_TSC_KHZ:
		return bp_vm_set_tsc_khz(vm, arg);
	case KVM_SET_TSS_ADDR:
		return set_tss_addr(arg);
	case KVM_SET_IDENTITY_MAP_ADDR:
		return set_identity_map(vm, argp);
	case KVM_SET_BOOT_CPU_ID:
		return set_boot_cpu(vm, arg);
	case KVM_SET_NR_MMU_PAGES:
		return set_nr_mmu_pages(arg);
	case KVM_SET_PMU_EVENT_FILTER:
		return bp_set_pmu_filter(argp);
	default:
		return irq_ioctl(vm, cmd, arg);
	}
}

/* ---- the end ---- */

static void free_vm(struct bp_vm *vm)
{
	unsigned int i;

	for (i = 0; i < vm->nr_vcpus; i++)
		bp_vcpu_free(bp_vcpu_at(vm, i));
	bp_ioeventfd_release(vm);
	bp_coalesced_free(vm);
	bp_slots_free(vm);
	bp_private_free(vm);
	bp_bus_free(vm);
	xa_destroy(&vm->vcpus);
	xa_destroy(&vm->marks);
	bp_msr_filter_free(rcu_dereference_protected(vm->msr_filter, true));
	bp_hv_vm_free(vm);
	bp_xen_vm_free(vm);
	if (vm->map_page)
		__free_page(vm->map_page);
	if (vm->list_page)
		__free_page(vm->list_page);
	cleanup_srcu_struct(&vm->srcu);
	mmdrop(vm->mm);
	kfree(vm);
}

static void destroy_vm(struct bp_vm *vm)
{
	unsigned int i;

	for (i = 0; i < vm->nr_vcpus; i++) {
		bp_hv_timers_free(bp_vcpu_at(vm, i));
		bp_xen_vcpu_stop(bp_vcpu_at(vm, i));
		bp_apf_forget(bp_vcpu_at(vm, i));
	}
	bp_irq_free(vm->irq);
	bp_notifier_exit(vm);
	bp_nx_exit(vm);
	bp_ring_remove_vm(vm);
	/* Pages that Bedplate still refers to are lost rather than reused. */
	if (!bp_domain_destroy(vm))
		free_vm(vm);
}

void bp_vm_get(struct bp_vm *vm)
{
	refcount_inc(&vm->refs);
}

void bp_vm_put(struct bp_vm *vm)
{
	if (refcount_dec_and_test(&vm->refs))
		destroy_vm(vm);
}

static int vm_release(struct inode *inode, struct file *file)
{
	struct bp_vm *vm = file->private_data;

	bp_irq_release(vm->irq);
	bp_vm_put(vm);
	return 0;
}

static const struct file_operations vm_fops = {
	.owner = THIS_MODULE,
	.release = vm_release,
	.unlocked_ioctl = vm_ioctl,
	.llseek = noop_llseek,
};

/* ---- creation ---- */

static struct bp_vm *alloc_vm(void)
{
	struct bp_vm *vm = kzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);

	if (!vm)
		return NULL;
	if (init_srcu_struct(&vm->srcu)) {
		kfree(vm);
		return NULL;
	}
	refcount_set(&vm->refs, 1);
	mutex_init(&vm->lock);
	mutex_init(&vm->rules_lock);
	init_waitqueue_head(&vm->rules_wait);
	mutex_init(&vm->bus_lock);
	bp_slots_init(vm);
	bp_private_init(vm);
	mutex_init(&vm->donate_lock);
	mutex_init(&vm->ioeventfd_lock);
	spin_lock_init(&vm->mmu_lock);
	INIT_LIST_HEAD(&vm->donated);
	bp_quirks_init(vm);
	xa_init(&vm->vcpus);
	xa_init(&vm->marks);
	xa_init_flags(&vm->ioeventfds, XA_FLAGS_ALLOC1);
	vm->mm = current->mm;
	mmgrab(vm->mm);
	vm->owner = task_tgid_nr(current);
	get_task_comm(vm->comm, current->group_leader);
	vm->weight = BP_WEIGHT_ONE;
	vm->halt_poll_max = -1;
	vm->map_page = alloc_page(GFP_KERNEL_ACCOUNT);
	vm->list_page = alloc_page(GFP_KERNEL_ACCOUNT);
	if (bp_coalesced_init(vm) || bp_hv_vm_init(vm) || bp_xen_vm_init(vm) ||
	    !vm->map_page || !vm->list_page) {
		free_vm(vm);
		return NULL;
	}
	return vm;
}

static struct bp_vm *make_vm(unsigned long type)
{
	struct bp_vm *vm = alloc_vm();
	int ret;

	if (!vm)
		return ERR_PTR(-ENOMEM);
	vm->has_private = type == KVM_X86_SW_PROTECTED_VM;
	ret = bp_domain_create(vm);
	if (ret)
		goto free;
	vm->irq = bp_irq_new(vm->dom);
	if (IS_ERR(vm->irq)) {
		ret = PTR_ERR(vm->irq);
		goto destroy;
	}
	ret = bp_notifier_init(vm);
	if (ret)
		goto free_irq;
	ret = bp_ring_add_vm(vm);
	if (ret)
		goto notifier;
	bp_nx_init(vm);
	return vm;

notifier:
	bp_notifier_exit(vm);
free_irq:
	bp_irq_free(vm->irq);
destroy:
	if (bp_domain_destroy(vm))
		return ERR_PTR(ret);
free:
	free_vm(vm);
	return ERR_PTR(ret);
}

long bp_vm_create(unsigned long type)
{
	struct bp_vm *vm;
	int fd;

	if (type >= BITS_PER_TYPE(u32) || !(BIT(type) & BP_VM_TYPES))
		return -EINVAL;
	vm = make_vm(type);
	if (IS_ERR(vm))
		return PTR_ERR(vm);
	fd = anon_inode_getfd("kvm-vm", &vm_fops, vm, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		destroy_vm(vm);
	return fd;
}
