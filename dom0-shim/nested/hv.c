// SPDX-License-Identifier: GPL-2.0-only
/* Hyper-V's enlightenments for a guest hypervisor: a copy of its MSR map, and L2's flushes. */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "compat.h"
#include "memory/gmem.h"
#include "running/hv.h"
#include "running/run.h"
#include "nested.h"

#define MAP_SIZE	0x2000

static_assert(sizeof(struct nest_hv) == sizeof(struct hv_vmcb_enlightenments));
static_assert(NEST_EXIT_HV == HV_SVM_EXITCODE_ENL);

static bool wants(struct bp_vcpu *vcpu, u32 what)
{
	return bp_hv_rules(vcpu) && nest_hv(&vcpu->nest->n.c).control & what;
}

/* ---- the MSR permission map ---- */

/* What is no memory is all ones. */
static int read_map(struct bp_vcpu *vcpu, u8 *to)
{
	u64 map = vcpu->nest->n.c.msrpm & PAGE_MASK;
	u32 at;
	int err;

	for (at = 0; at < MAP_SIZE; at += PAGE_SIZE) {
		err = bp_vcpu_read(vcpu, map + at, to + at, PAGE_SIZE);
		if (err == -EINTR)
			return err;
		if (err)
			memset(to + at, 0xff, PAGE_SIZE);
	}
	return 0;
}

int bp_nest_msr_byte(struct bp_vcpu *vcpu, u32 at)
{
	struct bp_nest *nest = vcpu->nest;
	int err;

	if (!wants(vcpu, NEST_HV_MSR_MAP))
		return bp_nest_map_byte(vcpu, (nest->n.c.msrpm & PAGE_MASK) + at);
	if (!nest->map)
		nest->map = kvmalloc(MAP_SIZE, GFP_KERNEL_ACCOUNT);
	if (!nest->map)
		return bp_nest_map_byte(vcpu, (nest->n.c.msrpm & PAGE_MASK) + at);
	if (!nest->map_read) {
		err = read_map(vcpu, nest->map);
		if (err)
			return err;
		nest->map_read = true;
	}
	return nest->map[at];
}

/* ---- flushes ---- */

int bp_nest_hv_call(struct bp_vcpu *vcpu)
{
	return wants(vcpu, NEST_HV_FLUSH) ? bp_hv_exit_direct(vcpu) : -ENOENT;
}

int bp_nest_flush_locked(struct bp_vcpu *vcpu)
{
	u32 locks;
	u64 gpa;
	int err;

	if (!bp_nest_in_guest(vcpu) || !wants(vcpu, NEST_HV_FLUSH))
		return 0;
	gpa = nest_hv(&vcpu->nest->n.c).assist;
	if (offset_in_page(gpa) > PAGE_SIZE - sizeof(locks))
		return -EFAULT;
	err = bp_vcpu_read(vcpu, gpa, &locks, sizeof(locks));
	return err ? bp_gmem_error(err, -EFAULT) : !!locks;
}

int bp_nest_flush_exit(struct bp_vcpu *vcpu)
{
	return bp_nest_vmexit(vcpu, NEST_EXIT_HV, NEST_HV_AFTER_FLUSH, 0);
}
