// SPDX-License-Identifier: GPL-2.0-only
/*
 * What programs look at before they open /dev/kvm: /sys/module/kvm and the
 * vendor's module with their parameters, and the processor's flag in
 * /proc/cpuinfo.
 *
 * The folders have a file "initstate", too, so that modprobe takes the modules for
 * loaded and leaves Linux's own alone; the kernel itself then refuses a module of
 * that name.  Where kvm.ko is loaded already, its folder stands.  Each parameter says
 * what Bedplate does; those of params.c can be written.
 */
#include <linux/cpuhotplug.h>
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <asm/processor.h>

#include "running/nest.h"
#include "files.h"

struct param {
	struct kobj_attribute attr;
	const char *value;
};

struct lookalike {
	struct kobject kobj;	/* the module's folder */
	struct kobject *params;
};

static ssize_t param_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", container_of(attr, struct param, attr)->value);
}

#define PARAM(_name, _value) { \
	.attr = { .attr = { .name = _name, .mode = 0444 }, .show = param_show }, \
	.value = _value, \
}

static struct param initstate = PARAM("initstate", "live");

static struct param kvm_params[] = {
	PARAM("enable_pmu", "N"),
	PARAM("enable_vmware_backdoor", "N"),
	PARAM("force_emulation_prefix", "0"),
	PARAM("halt_poll_ns_grow", "2"),	/* as hv/core/vcpu/halt.c has it */
	PARAM("halt_poll_ns_grow_start", "10000"),
	PARAM("halt_poll_ns_shrink", "2"),
	PARAM("ignore_msrs", "N"),
	PARAM("kvmclock_periodic_sync", "N"),
	PARAM("mmio_caching", "Y"),
	PARAM("report_ignored_msrs", "N"),
	PARAM("tdp_mmu", "Y"),
	PARAM("tsc_tolerance_ppm", "250"),
	PARAM("vector_hashing", "N"),
	{ }
};

static struct param amd_params[] = {
	PARAM("nested", "0"),		/* the first: bp_kvm_module_init() */
	PARAM("avic", "N"),
	PARAM("npt", "Y"),
	PARAM("sev", "N"),
	PARAM("sev_es", "N"),
	PARAM("sev_snp", "N"),
	PARAM("tsc_scaling", "0"),
	{ }
};

static struct param intel_params[] = {
	PARAM("allow_smaller_maxphyaddr", "N"),
	PARAM("ept", "Y"),
	PARAM("nested", "N"),
	PARAM("pml", "N"),
	PARAM("sgx", "N"),
	PARAM("unrestricted_guest", "Y"),
	{ }
};

static struct lookalike *modules[2];	/* kvm, and the vendor's */

static void release(struct kobject *kobj)
{
	kfree(container_of(kobj, struct lookalike, kobj));
}

static const struct kobj_type lookalike_type = {
	.sysfs_ops = &kobj_sysfs_ops,
	.release = release,
};

static int add_params(struct lookalike *m, struct param *p, const struct attribute **more)
{
	int ret = sysfs_create_file(&m->kobj, &initstate.attr.attr);

	m->params = kobject_create_and_add("parameters", &m->kobj);
	if (!m->params)
		return -ENOMEM;
	for (; !ret && p->value; p++)
		ret = sysfs_create_file(m->params, &p->attr.attr);
	return ret || !more ? ret : sysfs_create_files(m->params, more);
}

static void remove(struct lookalike *m)
{
	if (!m)
		return;
	kobject_put(m->params);
	kobject_put(&m->kobj);
}

/* NULL: the kernel has a module of that name. */
static struct lookalike *add(const char *name, struct param *params,
			     const struct attribute **more)
{
	struct kset *all = THIS_MODULE->mkobj.kobj.kset;
	struct kobject *there = kset_find_obj(all, name);
	struct lookalike *m;
	int ret;

	if (there) {
		kobject_put(there);
		return NULL;
	}
	m = kzalloc(sizeof(*m), GFP_KERNEL);
	if (!m)
		return ERR_PTR(-ENOMEM);
	m->kobj.kset = all;
	ret = kobject_init_and_add(&m->kobj, &lookalike_type, NULL, "%s", name);
	if (!ret)
		ret = add_params(m, params, more);
	if (!ret)
		return m;
	remove(m);
	return ERR_PTR(ret);
}

/* ---- /proc/cpuinfo ---- */

static bool is_amd(void)
{
	return boot_cpu_data.x86_vendor == X86_VENDOR_AMD ||
	       boot_cpu_data.x86_vendor == X86_VENDOR_HYGON;
}

/*
 * The bit that CPUID shows to user space and hides from the kernel (hv/core/guest/
 * cpuid.c): only what is printed changes, no code of the kernel asks later.
 */
static int show_flag(unsigned int cpu)
{
	set_bit(is_amd() ? X86_FEATURE_SVM : X86_FEATURE_VMX,
		(unsigned long *)cpu_data(cpu).x86_capability);
	return 0;
}

static int hide_flag(unsigned int cpu)
{
	clear_bit(is_amd() ? X86_FEATURE_SVM : X86_FEATURE_VMX,
		  (unsigned long *)cpu_data(cpu).x86_capability);
	return 0;
}

static enum cpuhp_state flag_state;

int bp_kvm_module_init(void)
{
	int ret;

	amd_params[0].value = bp_nest_offered() ? "1" : "0";
	modules[0] = add("kvm", kvm_params, bp_kvm_params);
	if (IS_ERR(modules[0]))
		return PTR_ERR(modules[0]);
	modules[1] = is_amd() ? add("kvm_amd", amd_params, NULL) :
				add("kvm_intel", intel_params, NULL);
	ret = PTR_ERR_OR_ZERO(modules[1]);
	if (ret)
		goto remove_kvm;
	ret = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "bedplate:cpuinfo", show_flag, hide_flag);
	if (ret < 0)
		goto remove_vendor;
	flag_state = ret;
	return 0;

remove_vendor:
	remove(modules[1]);
remove_kvm:
	remove(modules[0]);
	return ret;
}

void bp_kvm_module_exit(void)
{
	cpuhp_remove_state(flag_state);
	remove(modules[1]);
	remove(modules[0]);
}
