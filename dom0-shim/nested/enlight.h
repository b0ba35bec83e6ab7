/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a guest hypervisor that knows Hyper-V says in its VMCBs where hardware leaves the place to
 * software (TLFS 16).  Pure; also runs on the host.
 */
#ifndef BEDPLATE_NESTED_ENLIGHT_H
#define BEDPLATE_NESTED_ENLIGHT_H

#include "vmcb.h"

/* ->control */
#define NEST_HV_FLUSH		BIT(0)	/* L2's flushes of TLBs by hypercalls need not exit */
#define NEST_HV_MSR_MAP		BIT(1)	/* NEST_HV_CLEAN tells of the MSR permission map */

/* A clean bit of software's: nothing has changed of what NEST_HV_* speak of. */
#define NEST_HV_CLEAN		BIT(31)

/* Why L2 ends without an intercept, with this as EXITINFO1: it has flushed TLBs. */
#define NEST_EXIT_HV		0xf0000000
#define NEST_HV_AFTER_FLUSH	1

struct nest_hv {
	u32 control;
	u32 vp_id;		/* of L2's, as L1 counts them */
	u64 vm_id;
	u64 assist;		/* the partition assist page, whose first word is a count of locks */
	u64 reserved;
};

/* Only for a guest that makes Hyper-V's hypercalls; to others the place means nothing. */
struct nest_hv nest_hv(const struct vmcb_control *c);

/*
 * What was read of the MSR permission map in @n's time, is it good for VMRUN of @now at @gpa?
 * @n is as the VMRUN before has left it.
 */
bool nest_hv_keeps_map(const struct nest *n, const struct vmcb_control *now, u64 gpa);

#endif
