// SPDX-License-Identifier: GPL-2.0-only
/*
 * vCPUs: creation, file descriptor, mmap and ioctls.  A vCPU lives as long as
 * its VM; its file holds the VM.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/apicdef.h>

#include "channel/hypercall.h"
#include "emul/smm.h"
#include "irqchip/irqchip.h"
#include "memory/donate.h"
#include "memory/memslot.h"
#include "memory/mmu.h"
#include "hyperv/hv_cpuid.h"
#include "running/hv.h"
#include "running/nest.h"
#include "running/run.h"
#include "running/state.h"
#include "running/xen.h"
#include "files.h"

/* ---- the pages user space maps ---- */

static vm_fault_t vcpu_fault(struct vm_fault *vmf)
{
	struct bp_vcpu *vcpu = vmf->vma->vm_file->private_data;

	switch (vmf->pgoff) {
	case 0:
		vmf->page = vcpu->run_page;
		break;
	case BP_PIO_PAGE_OFFSET:
		vmf->page = vcpu->pio_page;
		break;
	case BP_COALESCED_OFFSET:
		vmf->page = vcpu->vm->coalesced_page;
		break;
	default:
		vmf->page = bp_dirty_ring_page(vcpu, vmf->pgoff);
		if (!vmf->page)
			return VM_FAULT_SIGBUS;
	}
	get_page(vmf->page);
	return 0;
}

static const struct vm_operations_struct vcpu_vm_ops = {
	.fault = vcpu_fault,
};

static int vcpu_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct bp_vcpu *vcpu = file->private_data;
	unsigned long last = vma->vm_pgoff + vma_pages(vma) - 1;
	bool ring = bp_dirty_ring_page(vcpu, vma->vm_pgoff) && bp_dirty_ring_page(vcpu, last);

	if (last >= BP_VCPU_MMAP_PAGES &&
	    (!ring || vma->vm_flags & VM_EXEC || !(vma->vm_flags & VM_SHARED)))
		return -EINVAL;
	vma->vm_ops = &vcpu_vm_ops;
	return 0;
}

/* ---- ioctls ---- */

static long set_signal_mask(struct bp_vcpu *vcpu, void __user *argp)
{
	struct kvm_signal_mask mask;
	sigset_t set;

	vcpu->sigset_active = false;
	if (!argp)
		return 0;
	if (copy_from_user(&mask, argp, sizeof(mask)))
		return -EFAULT;
	if (mask.len != sizeof(set))
		return -EINVAL;
	if (copy_from_user(&set, argp + sizeof(mask), sizeof(set)))
		return -EFAULT;
	sigdelsetmask(&set, sigmask(SIGKILL) | sigmask(SIGSTOP));
	vcpu->sigset = set;
	vcpu->sigset_active = true;
	return 0;
}

static long interrupt(struct bp_vcpu *vcpu, void __user *argp)
{
	struct kvm_interrupt irq;

	if (copy_from_user(&irq, argp, sizeof(irq)))
		return -EFAULT;
	return bp_extint_queue(vcpu, irq.irq);
}

static long enable_cap(struct bp_vcpu *vcpu, void __user *argp)
{
	struct kvm_enable_cap cap;

	if (copy_from_user(&cap, argp, sizeof(cap)))
		return -EFAULT;
	if (cap.flags)
		return -EINVAL;
	switch (cap.cap) {
	case KVM_CAP_ENFORCE_PV_FEATURE_CPUID:
		vcpu->rules &= ~BP_RULE_PV_CPUID;
		if (cap.args[0])
			vcpu->rules |= BP_RULE_PV_CPUID;
		vcpu->rules_gen = bp_rules_gen(vcpu->vm) - 1;
		return 0;
	case KVM_CAP_HYPERV_SYNIC:
	case KVM_CAP_HYPERV_SYNIC2:
		return cap.args[0] ? -EINVAL :
		       bp_hv_synic_enable(vcpu, cap.cap == KVM_CAP_HYPERV_SYNIC2);
	case KVM_CAP_HYPERV_ENFORCE_CPUID:
		bp_hv_enforce(vcpu, cap.args[0]);
		return 0;
	default:
		return -EINVAL;
	}
}

static long pre_fault_memory(struct bp_vcpu *vcpu, void __user *argp)
{
	struct kvm_pre_fault_memory range;
	long ret;
	int idx;

	if (copy_from_user(&range, argp, sizeof(range)))
		return -EFAULT;
	idx = srcu_read_lock(&vcpu->vm->srcu);
	ret = bp_pre_fault(vcpu, &range);
	srcu_read_unlock(&vcpu->vm->srcu, idx);
	return copy_to_user(argp, &range, sizeof(range)) ? -EFAULT : ret;
}

/* Where a guest's TPR may be kept for CPUs that are slow at it: noted, and not used. */
static long set_vapic(struct bp_vcpu *vcpu, void __user *argp)
{
	struct kvm_vapic_addr va;
	bool memory;
	int idx;

	if (bp_irq_mode(vcpu->vm->irq) == BP_IRQ_NONE)
		return -EINVAL;
	if (copy_from_user(&va, argp, sizeof(va)))
		return -EFAULT;
	idx = srcu_read_lock(&vcpu->vm->srcu);
	memory = !(va.vapic_addr & BP_GPA_SMM) &&
		 bp_slot_find(vcpu->vm, va.vapic_addr >> PAGE_SHIFT);
	srcu_read_unlock(&vcpu->vm->srcu, idx);
	return va.vapic_addr && !memory ? -EINVAL : 0;
}

static long xen_attr(struct bp_vcpu *vcpu, unsigned int cmd, void __user *argp)
{
	struct kvm_xen_vcpu_attr attr;
	long ret;

	if (copy_from_user(&attr, argp, sizeof(attr)))
		return -EFAULT;
	if (cmd == KVM_XEN_VCPU_SET_ATTR)
		return bp_xen_vcpu_set(vcpu, &attr);
	ret = bp_xen_vcpu_get(vcpu, &attr);
	return !ret && copy_to_user(argp, &attr, sizeof(attr)) ? -EFAULT : ret;
}

static long vcpu_ioctl_locked(struct bp_vcpu *vcpu, unsigned int cmd,
			      unsigned long arg)
{
	void __user *argp = (void __user *)arg;

	switch (cmd) {
	case KVM_RUN:
		return arg ? -EINVAL : bp_vcpu_run(vcpu);
	case KVM_SET_SIGNAL_MASK:
		return set_signal_mask(vcpu, argp);
	case KVM_NMI:
		return bp_hc_nmi(vcpu->vm->dom, vcpu->index);
	case KVM_SMI:
		return bp_smi(vcpu);
	case KVM_INTERRUPT:
		return interrupt(vcpu, argp);
	case KVM_ENABLE_CAP:
		return enable_cap(vcpu, argp);
	case KVM_GET_SUPPORTED_HV_CPUID:
		return bp_hv_cpuid(argp, vcpu->state);
	case KVM_GET_STATS_FD:
		return bp_stats_fd(vcpu->vm, vcpu);
	case KVM_PRE_FAULT_MEMORY:
		return pre_fault_memory(vcpu, argp);
	case KVM_SET_VAPIC_ADDR:
		return set_vapic(vcpu, argp);
	case KVM_XEN_VCPU_GET_ATTR:
	case KVM_XEN_VCPU_SET_ATTR:
		return xen_attr(vcpu, cmd, argp);
	}
	return bp_vcpu_state_ioctl(vcpu, cmd, argp);
}

static long vcpu_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct bp_vcpu *vcpu = file->private_data;
	long ret;

	if (!bp_vm_usable(vcpu->vm))
		return -EIO;
	if (_IOC_TYPE(cmd) != KVMIO)
		return -EINVAL;
	if (mutex_lock_killable(&vcpu->mutex))
		return -EINTR;
	ret = vcpu_ioctl_locked(vcpu, cmd, arg);
	mutex_unlock(&vcpu->mutex);
	return ret == -ENOIOCTLCMD ? -EINVAL : ret;	/* as KVM has it */
}

static int vcpu_release(struct inode *inode, struct file *file)
{
	struct bp_vcpu *vcpu = file->private_data;

	if (vcpu)
		bp_vm_put(vcpu->vm);
	return 0;
}

static const struct file_operations vcpu_fops = {
	.owner = THIS_MODULE,
	.release = vcpu_release,
	.unlocked_ioctl = vcpu_ioctl,
	.mmap = vcpu_mmap,
	.llseek = noop_llseek,
};

/* ---- creation ---- */

void bp_vcpu_free(struct bp_vcpu *vcpu)
{
	if (vcpu->run_page)
		put_page(vcpu->run_page);
	if (vcpu->pio_page)
		put_page(vcpu->pio_page);
	free_page((unsigned long)vcpu->page);
	free_page((unsigned long)vcpu->state);
	bp_dirty_ring_free(vcpu);
	bp_hv_vcpu_free(vcpu);
	bp_xen_vcpu_free(vcpu);
	kfree(vcpu->emul);
	bp_nest_free(vcpu);
	kfree(vcpu);
}

static struct bp_vcpu *alloc_vcpu(struct bp_vm *vm, u32 id)
{
	gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_ZERO;
	struct bp_vcpu *vcpu = kzalloc(sizeof(*vcpu), GFP_KERNEL_ACCOUNT);

	if (!vcpu)
		return NULL;
	vcpu->vm = vm;
	vcpu->id = id;
	vcpu->extint = -1;
	vcpu->smm.base = EMUL_SMBASE_DEFAULT;
	mutex_init(&vcpu->mutex);
	rcuwait_init(&vcpu->wait);
	vcpu->run_cpu = -1;
	INIT_LIST_HEAD(&vcpu->apf.waits);
	vcpu->run_page = alloc_page(gfp);
	vcpu->pio_page = alloc_page(gfp);
	vcpu->page = (void *)__get_free_page(gfp);
	vcpu->state = (void *)__get_free_page(gfp);
	if (!vcpu->run_page || !vcpu->pio_page || !vcpu->page || !vcpu->state ||
	    bp_dirty_ring_alloc(vcpu) || bp_hv_vcpu_init(vcpu) || bp_xen_vcpu_init(vcpu)) {
		bp_vcpu_free(vcpu);
		return NULL;
	}
	vcpu->run = page_address(vcpu->run_page);
	return vcpu;
}

static bool id_in_use(struct bp_vm *vm, u32 id)
{
	unsigned int i;

	for (i = 0; i < vm->nr_vcpus; i++)
		if (bp_vcpu_at(vm, i)->id == id)
			return true;
	return false;
}

#define MAX_DONATIONS	16	/* for one vCPU: 4 MiB, far more than it needs */

static void mask_lint0(struct bp_vcpu *vcpu)
{
	struct kvm_lapic_state *apic = vcpu->state;
	u32 masked = APIC_LVT_MASKED;

	if (bp_state_get(vcpu, BP_STATE_LAPIC, sizeof(*apic)) < 0)
		return;
	memcpy(apic->regs + APIC_LVT0, &masked, sizeof(masked));
	bp_state_set(vcpu, BP_STATE_LAPIC, sizeof(*apic));
}

static void set_msr(struct bp_vcpu *vcpu, u32 index, u64 val)
{
	struct kvm_msrs *msrs = vcpu->state;

	memset(msrs, 0, struct_size(msrs, entries, 1));
	msrs->nmsrs = 1;
	msrs->entries[0].index = index;
	msrs->entries[0].data = val;
	WARN_ON_ONCE(bp_state_set(vcpu, BP_STATE_MSRS, struct_size(msrs, entries, 1)) != 1);
}

#define INTEL_UCODE_REV	(1ull << 32)	/* KVM's; AMD's is Bedplate's default */

/* What the VMM may set later; without the quirk there is nothing until it does. */
static void set_feature_msrs(struct bp_vcpu *vcpu)
{
	bool stuff = bp_has_quirk(vcpu->vm, KVM_X86_QUIRK_STUFF_FEATURE_MSRS);

	if (!stuff) {
		set_msr(vcpu, MSR_IA32_UCODE_REV, 0);
		set_msr(vcpu, MSR_IA32_ARCH_CAPABILITIES, 0);
		set_msr(vcpu, MSR_PLATFORM_INFO, 0);
	} else if (boot_cpu_data.x86_vendor == X86_VENDOR_INTEL) {
		set_msr(vcpu, MSR_IA32_UCODE_REV, INTEL_UCODE_REV);
	}
}

static int create_in_bedplate(struct bp_vcpu *vcpu)
{
	struct bp_vm *vm = vcpu->vm;
	u64 page = bp_pfn(vcpu->page);
	u64 state = bp_pfn(vcpu->state);
	struct kvm_mp_state *mp = vcpu->state;
	int i, err;
	long ret;

	for (i = 0; ; i++) {
		ret = bp_hc_vcpu_create(vm->dom, vcpu->id, page, state);
		if (ret != -ENOMEM || i == MAX_DONATIONS)
			break;
		err = bp_donate(vm);
		if (err)
			return err;
	}
	if (ret < 0)
		return ret;
	if (WARN_ON_ONCE(ret != vm->nr_vcpus))
		return -EIO;
	vcpu->index = ret;

	/* Nobody sends a startup IPI where there is no APIC to be seen. */
	if (bp_irq_mode(vm->irq) == BP_IRQ_NONE) {
		mp->mp_state = KVM_MP_STATE_RUNNABLE;
		bp_state_set(vcpu, BP_STATE_MP_STATE, sizeof(*mp));
	}
	if (!bp_has_quirk(vm, KVM_X86_QUIRK_LINT0_REENABLED))
		mask_lint0(vcpu);
	set_feature_msrs(vcpu);
	return 0;
}

static long create_locked(struct bp_vm *vm, u32 id)
{
	struct bp_vcpu *vcpu;
	struct file *file;
	char name[24];
	int fd, ret;

	if (vm->nr_vcpus >= BP_MAX_VCPUS)
		return -EINVAL;
	if (id_in_use(vm, id))
		return -EEXIST;
	if (bp_irq_mode(vm->irq) != BP_IRQ_NONE && bp_slots_keep_apic(vm))
		return -EEXIST;
	vcpu = alloc_vcpu(vm, id);
	if (!vcpu)
		return -ENOMEM;
	fd = get_unused_fd_flags(O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		ret = fd;
		goto free;
	}
	snprintf(name, sizeof(name), "kvm-vcpu:%u", id);
	file = anon_inode_getfile(name, &vcpu_fops, vcpu, O_RDWR);
	if (IS_ERR(file)) {
		ret = PTR_ERR(file);
		goto put_fd;
	}
	ret = xa_reserve(&vm->vcpus, vm->nr_vcpus, GFP_KERNEL_ACCOUNT) ?:
	      create_in_bedplate(vcpu);
	if (ret)
		goto put_file;

	xa_store(&vm->vcpus, vcpu->index, vcpu, GFP_NOWAIT); /* the place is reserved */
	/* Readers of the number find the vCPU. */
	smp_store_release(&vm->nr_vcpus, vcpu->index + 1);
	bp_irq_vcpu_created(vm->irq, vcpu->index);
	bp_vm_get(vm);
	fd_install(fd, file);
	return fd;

put_file:
	file->private_data = NULL;
	fput(file);
put_fd:
	put_unused_fd(fd);
free:
	bp_vcpu_free(vcpu);
	return ret;
}

long bp_vcpu_create(struct bp_vm *vm, unsigned long id)
{
	long ret;

	if (id >= BP_MAX_VCPU_ID)
		return -EINVAL;
	mutex_lock(&vm->lock);
	ret = vm->max_vcpu_id && id >= vm->max_vcpu_id ? -EINVAL : create_locked(vm, id);
	mutex_unlock(&vm->lock);
	return ret;
}
