// SPDX-License-Identifier: GPL-2.0-only
/* Hyper-V's part of a VMCB; the contract is in enlight.h. */
#include "enlight.h"

#define AT	0x3e0		/* in the control area */

static_assert(AT + sizeof(struct nest_hv) == sizeof(struct vmcb_control), "it is the last of it");

struct nest_hv nest_hv(const struct vmcb_control *c)
{
	struct nest_hv hv;

	memcpy(&hv, (const u8 *)c + AT, sizeof(hv));
	return hv;
}

bool nest_hv_keeps_map(const struct nest *n, const struct vmcb_control *now, u64 gpa)
{
	return nest_hv(now).control & NEST_HV_MSR_MAP && now->clean & NEST_HV_CLEAN &&
	       n->vmcb_gpa == gpa && n->c.msrpm == now->msrpm;
}
