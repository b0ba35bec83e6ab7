// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_GET_STATS_FD: counters of a VM or a vCPU as a file, in KVM's binary form
 * (header, name, descriptors, data).  Names are KVM's where the meaning is.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "channel/hypercall.h"
#include "files.h"

/* In the kernel a descriptor has its name in it. */
#define NAME_SIZE	sizeof_field(struct kvm_stats_desc, name)
static_assert(NAME_SIZE == KVM_STATS_NAME_SIZE);

#define DESC(type, field_, name_, kind, unit, exp) { \
	.flags = KVM_STATS_TYPE_##kind | KVM_STATS_UNIT_##unit | KVM_STATS_BASE_POW10, \
	.exponent = exp, .size = 1, .offset = offsetof(type, field_), .name = name_ }

/* Bedplate fills the first part, of a page's beginning. */
struct vm_stats {
	struct bp_domain_stats dom;
	u64 nx_lpage_splits;
};

#define VM_STAT(field, name, kind, unit, exp) \
	DESC(struct vm_stats, field, name, kind, unit, exp)
static const struct kvm_stats_desc vm_descs[] = {
	VM_STAT(dom.exits, "exits", CUMULATIVE, NONE, 0),
	VM_STAT(dom.service_exits, "service_exits", CUMULATIVE, NONE, 0),
	VM_STAT(dom.run_ns, "run_time", CUMULATIVE, SECONDS, -9),
	VM_STAT(dom.mapped, "mapped_pages", INSTANT, NONE, 0),
	VM_STAT(dom.frames, "donated_pages", INSTANT, NONE, 0),
	VM_STAT(dom.frames_free, "donated_pages_free", INSTANT, NONE, 0),
	VM_STAT(dom.vcpus, "vcpus", INSTANT, NONE, 0),
	VM_STAT(dom.leaves[0], "pages_4k", INSTANT, NONE, 0),
	VM_STAT(dom.leaves[1], "pages_2m", INSTANT, NONE, 0),
	VM_STAT(dom.leaves[2], "pages_1g", INSTANT, NONE, 0),
	VM_STAT(dom.flushes, "remote_tlb_flush_requests", CUMULATIVE, NONE, 0),
	VM_STAT(nx_lpage_splits, "nx_lpage_splits", INSTANT, NONE, 0),
};

#define VCPU_STAT(name) DESC(struct bp_vcpu_stats, name, #name, CUMULATIVE, NONE, 0)
static const struct kvm_stats_desc vcpu_descs[] = {
	VCPU_STAT(service_exits),
	VCPU_STAT(irq_exits),
	VCPU_STAT(halt_exits),
	VCPU_STAT(signal_exits),
	VCPU_STAT(io_exits),
	VCPU_STAT(mmio_exits),
	VCPU_STAT(irq_window_exits),
	VCPU_STAT(pf_taken),
	VCPU_STAT(insn_emulation),
};

/* One open file. */
struct stats {
	struct bp_vm *vm;	/* held */
	struct bp_vcpu *vcpu;	/* NULL: of the VM */
	char name[NAME_SIZE];
};

/* All that the file has, in one piece; NULL: no memory. */
static void *image(const struct stats *s, const struct kvm_stats_desc *descs, u32 n, const void *data,
		   size_t size, size_t *total)
{
	struct kvm_stats_header h = {
		.name_size = NAME_SIZE,
		.num_desc = n,
		.id_offset = sizeof(h),
		.desc_offset = sizeof(h) + NAME_SIZE,
		.data_offset = sizeof(h) + NAME_SIZE + n * sizeof(*descs),
	};
	u8 *p;

	*total = h.data_offset + size;
	p = kmalloc(*total, GFP_KERNEL);
	if (!p)
		return NULL;
	memcpy(p, &h, sizeof(h));
	memcpy(p + h.id_offset, s->name, NAME_SIZE);
	memcpy(p + h.desc_offset, descs, n * sizeof(*descs));
	memcpy(p + h.data_offset, data, size);
	return p;
}

static void *vm_image(const struct stats *s, size_t *total)
{
	struct vm_stats *st = (void *)get_zeroed_page(GFP_KERNEL);
	void *p = NULL;

	if (!st)
		return NULL;
	if (bp_hc_domain_get(s->vm->dom, BP_DOM_STATS, bp_pfn(&st->dom)) >= 0) {
		st->nx_lpage_splits = READ_ONCE(s->vm->nx.nr_regions);
		p = image(s, vm_descs, ARRAY_SIZE(vm_descs), st, sizeof(*st), total);
	}
	free_page((unsigned long)st);
	return p;
}

static ssize_t stats_read(struct file *file, char __user *to, size_t n, loff_t *pos)
{
	const struct stats *s = file->private_data;
	size_t total;
	ssize_t ret;
	void *p;

	if (s->vcpu)
		p = image(s, vcpu_descs, ARRAY_SIZE(vcpu_descs), &s->vcpu->stats,
			  sizeof(s->vcpu->stats), &total);
	else
		p = vm_image(s, &total);
	if (!p)
		return -ENOMEM;
	ret = simple_read_from_buffer(to, n, pos, p, total);
	kfree(p);
	return ret;
}

static int stats_release(struct inode *inode, struct file *file)
{
	struct stats *s = file->private_data;

	bp_vm_put(s->vm);
	kfree(s);
	return 0;
}

static const struct file_operations stats_fops = {
	.owner = THIS_MODULE,
	.read = stats_read,
	.release = stats_release,
	.llseek = noop_llseek,
};

long bp_stats_fd(struct bp_vm *vm, struct bp_vcpu *vcpu)
{
	struct stats *s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);
	struct file *file;
	int fd = -ENOMEM;

	if (!s)
		return -ENOMEM;
	s->vm = vm;
	s->vcpu = vcpu;
	if (vcpu)
		snprintf(s->name, sizeof(s->name), "kvm-%d/vcpu-%u", task_pid_nr(current), vcpu->id);
	else
		snprintf(s->name, sizeof(s->name), "kvm-%d", task_pid_nr(current));
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		goto free;
	file = anon_inode_getfile(vcpu ? "kvm-vcpu-stats" : "kvm-vm-stats", &stats_fops, s,
				  O_RDONLY);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		fd = PTR_ERR(file);
		goto free;
	}
	file->f_mode |= FMODE_PREAD;
	bp_vm_get(vm);
	fd_install(fd, file);
	return fd;
free:
	kfree(s);
	return fd;
}
