// SPDX-License-Identifier: GPL-2.0-only
/* Parameters of kvm.ko that can be written while it runs, in /sys/module/kvm/parameters. */
#include <linux/kobject.h>
#include <linux/kstrtox.h>
#include <linux/sysfs.h>

#include "memory/mmu.h"
#include "memory/nx.h"
#include "running/halt_poll.h"
#include "files.h"

#define SHOW(name, format, value)						\
	static ssize_t name##_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf) \
	{									\
		return sysfs_emit(buf, format "\n", value);			\
	}

/* @set: 0 or a negative errno, from the string val. */
#define STORE(name, set)							\
	static ssize_t name##_store(struct kobject *kobj, struct kobj_attribute *attr,	\
				    const char *val, size_t n)			\
	{									\
		int ret = set;							\
		return ret ? ret : n;						\
	}									\
	static struct kobj_attribute name##_attr = __ATTR_RW(name)

SHOW(eager_page_split, "%c", READ_ONCE(bp_eager_page_split) ? 'Y' : 'N')
STORE(eager_page_split, kstrtobool(val, &bp_eager_page_split));

SHOW(nx_huge_pages, "%s", bp_nx_get())
STORE(nx_huge_pages, bp_nx_set(val));

SHOW(nx_huge_pages_recovery_ratio, "%u", READ_ONCE(bp_nx_ratio))
STORE(nx_huge_pages_recovery_ratio, bp_nx_set_recovery(&bp_nx_ratio, val));

SHOW(nx_huge_pages_recovery_period_ms, "%u", READ_ONCE(bp_nx_period_ms))
STORE(nx_huge_pages_recovery_period_ms, bp_nx_set_recovery(&bp_nx_period_ms, val));

SHOW(halt_poll_ns, "%u", READ_ONCE(bp_halt_poll_ns))
STORE(halt_poll_ns, kstrtouint(val, 0, &bp_halt_poll_ns));

const struct attribute *bp_kvm_params[] = {
	&eager_page_split_attr.attr,
	&halt_poll_ns_attr.attr,
	&nx_huge_pages_attr.attr,
	&nx_huge_pages_recovery_ratio_attr.attr,
	&nx_huge_pages_recovery_period_ms_attr.attr,
	NULL,
};
