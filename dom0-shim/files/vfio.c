// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_CREATE_DEVICE: of the devices that KVM makes on x86 there is one, KVM_DEV_TYPE_VFIO, by
 * which a VMM says what devices it has from VFIO.  What counts here is whether their DMA goes
 * past the CPU's caches: then the guest's memory types and its WBINVD have to be as it says.
 *
 * VFIO is not asked to hold the VM, for what it would hold is KVM's own struct kvm.  Only
 * drivers that share KVM's tracking of writes miss it, and say so when they are opened.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#include "memory/mmu.h"
#include "files.h"

struct vfio_dev {
	struct bp_vm *vm;
	struct mutex lock;
	struct list_head files;
};

struct vfio_file {
	struct list_head node;
	struct file *file;
};

/* VFIO need not be there; what it does not know is none of its files. */
static bool is_vfio(struct file *file)
{
	bool (*fn)(struct file *file) = symbol_get(vfio_file_is_valid);
	bool ret = false;

	if (fn) {
		ret = fn(file);
		symbol_put(vfio_file_is_valid);
	}
	return ret;
}

static bool is_coherent(struct file *file)
{
	bool (*fn)(struct file *file) = symbol_get(vfio_file_enforced_coherent);
	bool ret = false;

	if (fn) {
		ret = fn(file);
		symbol_put(vfio_file_enforced_coherent);
	}
	return ret;
}

/* Files can share a domain of VFIO's, and one change what holds for the other: ask all. */
static void update_coherency(struct vfio_dev *dev)
{
	struct vfio_file *f;
	bool coherent = true;

	list_for_each_entry(f, &dev->files, node)
		coherent = coherent && is_coherent(f->file);
	bp_set_noncoherent(dev->vm, !coherent);
}

static struct vfio_file *find_file(struct vfio_dev *dev, const struct file *file)
{
	struct vfio_file *f;

	list_for_each_entry(f, &dev->files, node)
		if (f->file == file)
			return f;
	return NULL;
}

static void drop_file(struct vfio_file *f)
{
	list_del(&f->node);
	fput(f->file);
	kfree(f);
}

/* dev->lock is held. */
static long add_file(struct vfio_dev *dev, struct file *file)
{
	struct vfio_file *f;

	if (!is_vfio(file))
		return -EINVAL;
	if (find_file(dev, file))
		return -EEXIST;
	f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	if (!f)
		return -ENOMEM;
	f->file = get_file(file);
	list_add_tail(&f->node, &dev->files);
	update_coherency(dev);
	return 0;
}

static long del_file(struct vfio_dev *dev, struct file *file)
{
	struct vfio_file *f = find_file(dev, file);

	if (f)
		drop_file(f);
	update_coherency(dev);
	return f ? 0 : -ENOENT;
}

static bool has_attr(const struct kvm_device_attr *attr)
{
	return attr->group == KVM_DEV_VFIO_FILE &&
	       (attr->attr == KVM_DEV_VFIO_FILE_ADD || attr->attr == KVM_DEV_VFIO_FILE_DEL);
}

static long set_attr(struct vfio_dev *dev, const struct kvm_device_attr *attr)
{
	struct file *file;
	long ret;
	s32 fd;

	if (!has_attr(attr))
		return -ENXIO;
	if (get_user(fd, (s32 __user *)u64_to_user_ptr(attr->addr)))
		return -EFAULT;
	file = fget(fd);
	if (!file)
		return -EBADF;
	mutex_lock(&dev->lock);
	if (attr->attr == KVM_DEV_VFIO_FILE_ADD)
		ret = add_file(dev, file);
	else
		ret = del_file(dev, file);
	mutex_unlock(&dev->lock);
	fput(file);
	return ret;
}

static long vfio_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct vfio_dev *dev = file->private_data;
	struct kvm_device_attr attr;

	if (!bp_vm_usable(dev->vm))
		return -EIO;
	if (cmd == KVM_GET_DEVICE_ATTR)
		return -EPERM;	/* it has none to be read */
	if (cmd != KVM_SET_DEVICE_ATTR && cmd != KVM_HAS_DEVICE_ATTR)
		return -ENOTTY;
	if (copy_from_user(&attr, (void __user *)arg, sizeof(attr)))
		return -EFAULT;
	if (cmd == KVM_SET_DEVICE_ATTR)
		return set_attr(dev, &attr);
	return has_attr(&attr) ? 0 : -ENXIO;
}

/* From here on the VM may have another one. */
static void let_go(struct vfio_dev *dev)
{
	mutex_lock(&dev->vm->lock);
	dev->vm->has_vfio = false;
	mutex_unlock(&dev->vm->lock);
	kfree(dev);
}

static int vfio_release(struct inode *inode, struct file *file)
{
	struct vfio_dev *dev = file->private_data;
	struct bp_vm *vm = dev->vm;
	struct vfio_file *f, *next;

	list_for_each_entry_safe(f, next, &dev->files, node)
		drop_file(f);
	update_coherency(dev);
	let_go(dev);
	bp_vm_put(vm);
	return 0;
}

static const struct file_operations vfio_fops = {
	.owner = THIS_MODULE,
	.release = vfio_release,
	.unlocked_ioctl = vfio_ioctl,
	.llseek = noop_llseek,
};

static long claim(struct bp_vm *vm)
{
	long ret = 0;

	mutex_lock(&vm->lock);
	if (vm->has_vfio)
		ret = -EBUSY;
	vm->has_vfio = true;
	mutex_unlock(&vm->lock);
	return ret;
}

/* A file descriptor. */
static long make_vfio(struct bp_vm *vm)
{
	struct vfio_dev *dev = kzalloc(sizeof(*dev), GFP_KERNEL_ACCOUNT);
	long ret;

	if (!dev)
		return -ENOMEM;
	ret = claim(vm);
	if (ret) {
		kfree(dev);
		return ret;
	}
	dev->vm = vm;
	mutex_init(&dev->lock);
	INIT_LIST_HEAD(&dev->files);
	bp_vm_get(vm);
	ret = anon_inode_getfd("kvm-vfio", &vfio_fops, dev, O_RDWR | O_CLOEXEC);
	if (ret < 0) {
		let_go(dev);
		bp_vm_put(vm);
	}
	return ret;
}

long bp_create_device(struct bp_vm *vm, void __user *argp)
{
	struct kvm_create_device create;
	long ret;

	if (copy_from_user(&create, argp, sizeof(create)))
		return -EFAULT;
	if (create.type != KVM_DEV_TYPE_VFIO)
		return -ENODEV;
	if (!(create.flags & KVM_CREATE_DEVICE_TEST)) {
		ret = make_vfio(vm);
		if (ret < 0)
			return ret;
		create.fd = ret;
	}
	return copy_to_user(argp, &create, sizeof(create)) ? -EFAULT : 0;
}
