// SPDX-License-Identifier: GPL-2.0-only
/* DOMAIN_GET and DOMAIN_SET: clock, statistics, supported CPUID and MSRs. */
#include <linux/kvm.h>

#include "hv/core/guest/msr.h"
#include "hv/core/guest/pci_cfg.h"
#include "hv/core/guest/pv.h"
#include "hv/core/lib/errno.h"
#include "hv/core/lib/printf.h"
#include "hv/core/lib/string.h"
#include "hv/core/lib/x86.h"
#include "hv/core/machine/cpu.h"
#include "hv/core/machine/log.h"
#include "hv/core/machine/memmap.h"
#include "hv/core/machine/tsc.h"
#include "hv/core/memory/domain.h"
#include "hv/core/memory/dommem.h"
#include "hv/core/memory/frames.h"
#include "hv/core/vcpu/speculation.h"
#include "hv/core/vcpu/vcpu.h"
#include "hv/iommu/iommu.h"
#include "server.h"

extern char image_start[], image_end[];

static s64 get_clock(struct domain *d, void *buf)
{
	struct kvm_clock_data c;

	memset(&c, 0, sizeof(c));
	c.host_tsc = rdtsc();
	spin_lock(&d->lock);
	c.clock = pv_clock_ns(d, c.host_tsc);
	spin_unlock(&d->lock);
	c.flags = (tsc_alike ? KVM_CLOCK_TSC_STABLE : 0) | KVM_CLOCK_HOST_TSC;
	memcpy(buf, &c, sizeof(c));
	return sizeof(c);
}

static s64 set_clock(struct domain *d, const void *buf)
{
	struct kvm_clock_data c;

	memcpy(&c, buf, sizeof(c));
	spin_lock(&d->lock);
	pv_clock_set(d, c.clock, rdtsc());
	spin_unlock(&d->lock);
	return 0;
}

static void add_leaves(struct bp_domain_stats *s, const struct npt_root *root)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(root->leaves); i++)
		s->leaves[i] += root->leaves[i];
	s->mapped += npt_mapped(root);
}

static s64 get_domain_stats(struct domain *d, void *buf)
{
	struct bp_domain_stats s;
	u32 i, r;

	memset(&s, 0, sizeof(s));
	spin_lock(&d->lock);
	s.frames = d->pool.total;
	s.frames_free = d->pool.nr_free;
	add_leaves(&s, &d->npt);
	add_leaves(&s, &d->smm);
	s.flushes = READ_ONCE(d->tlb_gen);
	for (i = 0; i < d->nr_vcpus; i++) {
		struct vcpu *v = domain_vcpu(d, i);

		if (!v)
			continue;
		s.vcpus++;
		s.run_ns += tsc_to_ns(v->sched.runtime);
		s.service_exits += v->service_exits;
		for (r = 0; r < VM_EXIT_REASONS; r++)
			s.exits += v->exits[r];
	}
	spin_unlock(&d->lock);
	memcpy(buf, &s, sizeof(s));
	return sizeof(s);
}

static s64 get_hv_stats(void *buf)
{
	struct bp_hv_stats s;
	struct frame_stats f;
	u32 i, id, due;

	memset(&s, 0, sizeof(s));
	frames_stats(&f);
	s.pool_frames = pool_total;
	s.pool_free = pool_free;
	s.donated_frames = f.donated;
	s.mapped_frames = f.mapped;
	s.shared_frames = f.shared;
	s.domains = domain_count();
	s.cpus = nr_cpus;
	s.image_bytes = image_end - image_start;
	for (i = 0; i < nr_bp_ranges; i++)
		s.reserved_bytes += bp_ranges[i].end - bp_ranges[i].start;
	s.tsc_khz = tsc_khz;
	s.io_faults = iommu_fault_count();
	s.io_unconfined = pci_cfg_unconfined;
	s.mitigations = spec_state(&due);
	s.mitigations_due = due;
	s.loglevel = log_level;
	for (id = 1; id < MAX_DOMAINS; id++) {
		struct domain *d = domain_get(id);

		if (!d)
			continue;
		s.vcpus += READ_ONCE(d->nr_alive);
		domain_put(d);
	}
	memcpy(buf, &s, sizeof(s));
	return sizeof(s);
}

static s64 get_exit_names(char *buf)
{
	s64 n = 0;
	u32 i;

	for (i = 0; i < VM_EXIT_REASONS; i++)
		n += bp_snprintf(buf + n, PAGE_SIZE - n, "%s\n", vm_exit_name(i));
	return n;
}

static s64 get_cpuid(void *buf)
{
	struct kvm_cpuid2 *c = buf;

	c->nent = supported_cpuid(c->entries,
				  (PAGE_SIZE - sizeof(*c)) / sizeof(c->entries[0]));
	c->padding = 0;
	return sizeof(*c);
}

static s64 get_msr_list(void *buf)
{
	struct kvm_msr_list *l = buf;

	l->nmsrs = msr_list_len;
	memcpy(l->indices, msr_list, msr_list_len * sizeof(u32));
	return sizeof(*l);
}

static s64 get_msr_features(void *buf)
{
	struct kvm_msrs *m = buf;
	u32 i, n = 0;
	u64 val;

	for (i = 0; i < msr_features_len; i++) {
		if (msr_feature(msr_features[i], &val))
			continue;
		m->entries[n++] = (struct kvm_msr_entry){
			.index = msr_features[i], .data = val,
		};
	}
	m->nmsrs = n;
	return sizeof(*m);
}

s64 domain_state_get(struct domain *d, u32 cls, void *buf)
{
	if (d) {
		switch (cls) {
		case BP_DOM_CLOCK:
			return get_clock(d, buf);
		case BP_DOM_STATS:
			return get_domain_stats(d, buf);
		case BP_DOM_BOOT_CPU:
			*(u32 *)buf = d->boot_apic_id;
			return sizeof(u32);
		}
		return -EINVAL;
	}
	switch (cls) {
	case BP_HV_CPUID:
		return get_cpuid(buf);
	case BP_HV_MSR_LIST:
		return get_msr_list(buf);
	case BP_HV_MSR_FEATURES:
		return get_msr_features(buf);
	case BP_HV_EXIT_NAMES:
		return get_exit_names(buf);
	case BP_HV_STATS:
		return get_hv_stats(buf);
	case BP_HV_TSC_KHZ:
		*(u32 *)buf = tsc_khz;
		return sizeof(u32);
	}
	return -EINVAL;
}

/* What vCPUs are created with: the first one settles it. */
static s64 set_for_vcpus(struct domain *d, u32 *to, const u32 *buf)
{
	s64 ret = -EBUSY;

	spin_lock(&d->lock);
	if (!d->nr_vcpus) {
		*to = READ_ONCE(*buf);
		ret = 0;
	}
	spin_unlock(&d->lock);
	return ret;
}

static s64 set_loglevel(const u32 *buf)
{
	u32 level = READ_ONCE(*buf);

	if (level > LOG_DEBUG)
		return -EINVAL;
	WRITE_ONCE(log_level, level);
	return 0;
}

s64 domain_state_set(struct domain *d, u32 cls, const void *buf)
{
	if (!d)
		return cls == BP_HV_LOGLEVEL ? set_loglevel(buf) : -EINVAL;
	switch (cls) {
	case BP_DOM_CLOCK:
		return set_clock(d, buf);
	case BP_DOM_BOOT_CPU:
		return set_for_vcpus(d, &d->boot_apic_id, buf);
	case BP_DOM_APIC_BUS:
		return set_for_vcpus(d, &d->apic_bus_ns, buf);
	}
	return -EINVAL;
}
