// SPDX-License-Identifier: GPL-2.0-only
/*
 * For people and the bedplate tool: /sys/kernel/bedplate/{version,stats,
 * domains,last_log} as text, and /dev/bedplate, which reads as Bedplate's log.  What can be
 * set: loglevel, and by weight, "DOMAIN WEIGHT", a guest's share of CPUs.
 */
#include <linux/fs.h>
#include <linux/kobject.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sysfs.h>
#include <linux/uaccess.h>

#include "channel/hypercall.h"
#include "channel/ring.h"
#include "compat.h"
#include "files.h"

static struct kobject *bp_kobj;

static ssize_t version_show(struct kobject *kobj, struct kobj_attribute *attr,
			    char *buf)
{
	return sysfs_emit(buf, "channel %u\n", BP_CHANNEL_VERSION);
}

static ssize_t stats_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	struct bp_hv_stats *s = (void *)get_zeroed_page(GFP_KERNEL);
	long ret, info = bp_hc_io_info();
	u32 io = info < 0 ? 0 : info;

	if (!s)
		return -ENOMEM;
	ret = bp_hc_domain_get(0, BP_HV_STATS, bp_pfn(s));
	if (ret >= 0)
		ret = sysfs_emit(buf,
			"pool_frames %llu\npool_free %llu\ndonated_frames %llu\n"
			"mapped_frames %llu\nshared_frames %llu\ndomains %llu\n"
			"vcpus %llu\ncpus %llu\nimage_bytes %llu\n"
			"reserved_bytes %llu\ntsc_khz %llu\nio_faults %llu\n"
			"io_unconfined %llu\n"
			"dma_confined %u\ninterrupts_remapped %u\n"
			"mitigations %#llx\nmitigations_due %#llx\n",
			s->pool_frames, s->pool_free, s->donated_frames,
			s->mapped_frames, s->shared_frames, s->domains,
			s->vcpus, s->cpus, s->image_bytes, s->reserved_bytes,
			s->tsc_khz, s->io_faults, s->io_unconfined, !!(io & BP_IO_CONFINED),
			!!(io & BP_IO_REMAPPED), s->mitigations, s->mitigations_due);
	free_page((unsigned long)s);
	return ret;
}

static int domain_line(char *buf, int at, u32 dom,
		       const struct bp_domain_stats *s)
{
	return sysfs_emit_at(buf, at,
			     "%u %llu %llu %llu %llu %llu %llu %llu\n",
			     dom, s->vcpus, s->frames, s->frames_free, s->mapped,
			     s->exits, s->service_exits, s->run_ns);
}

static ssize_t domains_show(struct kobject *kobj, struct kobj_attribute *attr,
			    char *buf)
{
	struct bp_domain_stats *s = (void *)get_zeroed_page(GFP_KERNEL);
	struct bp_vm *vm;
	unsigned long dom;
	int at;

	if (!s)
		return -ENOMEM;
	at = sysfs_emit(buf, "domain vcpus frames frames_free mapped exits "
			     "service_exits run_ns\n");
	rcu_read_lock();
	xa_for_each(&bp_vms, dom, vm)
		if (bp_hc_domain_get(dom, BP_DOM_STATS,
				     bp_pfn(s)) >= 0)
			at += domain_line(buf, at, dom, s);
	rcu_read_unlock();
	free_page((unsigned long)s);
	return at;
}

static ssize_t loglevel_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	struct bp_hv_stats *s = (void *)get_zeroed_page(GFP_KERNEL);
	long ret;

	if (!s)
		return -ENOMEM;
	ret = bp_hc_domain_get(0, BP_HV_STATS, bp_pfn(s));
	if (ret >= 0)
		ret = sysfs_emit(buf, "%llu\n", s->loglevel);
	free_page((unsigned long)s);
	return ret;
}

static ssize_t loglevel_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			      size_t n)
{
	u32 *level = (void *)get_zeroed_page(GFP_KERNEL);
	long ret;

	if (!level)
		return -ENOMEM;
	ret = kstrtou32(buf, 10, level);
	if (!ret)
		ret = bp_hc_domain_set(0, BP_HV_LOGLEVEL, bp_pfn(level));
	free_page((unsigned long)level);
	return ret ?: n;
}

/* Each vCPU's thread tells Bedplate when it next comes by. */
static ssize_t weight_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			    size_t n)
{
	struct bp_vm *vm;
	u32 dom, weight;
	char end;

	if (sscanf(buf, "%u %u %c", &dom, &weight, &end) != 2 || !weight || weight > BP_WEIGHT_MAX)
		return -EINVAL;
	rcu_read_lock();
	vm = xa_load(&bp_vms, dom);
	if (vm)
		WRITE_ONCE(vm->weight, weight);
	rcu_read_unlock();
	return vm ? n : -ENOENT;
}

static struct kobj_attribute version_attr = __ATTR_RO(version);
static struct kobj_attribute stats_attr = __ATTR_RO_MODE(stats, 0400);
static struct kobj_attribute domains_attr = __ATTR_RO_MODE(domains, 0400);

static struct kobj_attribute loglevel_attr = __ATTR_RW_MODE(loglevel, 0600);
static struct kobj_attribute weight_attr = __ATTR(weight, 0200, NULL, weight_store);

static struct attribute *bp_attrs[] = {
	&version_attr.attr, &stats_attr.attr, &domains_attr.attr, &loglevel_attr.attr,
	&weight_attr.attr, NULL,
};

/* The log of the boot before this one: empty if Bedplate has none. */
static ssize_t last_log_read(struct file *file, struct kobject *kobj,
			     BP_SYSFS_CONST struct bin_attribute *attr, char *to, loff_t pos,
			     size_t n)
{
	struct bp_log *log = (void *)get_zeroed_page(GFP_KERNEL);
	ssize_t ret;

	if (!log)
		return -ENOMEM;
	ret = bp_hc_log_read(pos, bp_pfn(log), BP_LOG_LAST);
	if (ret >= 0) {
		ret = min3(n, (size_t)log->len, sizeof(log->text));
		memcpy(to, log->text, ret);
	}
	free_page((unsigned long)log);
	return ret;
}

static BP_SYSFS_CONST struct bin_attribute last_log_attr =
	__BIN_ATTR(last_log, 0400, last_log_read, NULL, 0);

static BP_SYSFS_CONST struct bin_attribute *BP_SYSFS_CONST bp_bin_attrs[] = { &last_log_attr, NULL };

static const struct attribute_group bp_group = {
	.attrs = bp_attrs,
	.bin_attrs = bp_bin_attrs,
};
__ATTRIBUTE_GROUPS(bp);

/* ---- the log: a stream, from the oldest byte that is still there ---- */

static ssize_t log_read(struct file *file, char __user *to, size_t n,
			loff_t *pos)
{
	struct bp_log *log = (void *)get_zeroed_page(GFP_KERNEL);
	ssize_t ret;

	if (!log)
		return -ENOMEM;
	ret = bp_hc_log_read(*pos, bp_pfn(log), 0);
	if (ret >= 0) {
		n = min3(n, (size_t)log->len, sizeof(log->text));
		ret = copy_to_user(to, log->text, n) ? -EFAULT : n;
	}
	if (ret > 0)
		*pos = log->pos + ret;
	free_page((unsigned long)log);
	return ret;
}

static const struct file_operations log_fops = {
	.owner = THIS_MODULE,
	.read = log_read,
	.llseek = no_seek_end_llseek,
};

static struct miscdevice log_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "bedplate",
	.mode = 0400,
	.fops = &log_fops,
};

int bp_sysfs_init(void)
{
	int ret;

	bp_kobj = kobject_create_and_add("bedplate", kernel_kobj);
	if (!bp_kobj)
		return -ENOMEM;
	ret = sysfs_create_groups(bp_kobj, bp_groups);
	if (!ret)
		ret = misc_register(&log_device);
	if (ret)
		kobject_put(bp_kobj);
	return ret;
}

void bp_sysfs_exit(void)
{
	misc_deregister(&log_device);
	kobject_put(bp_kobj);
}
