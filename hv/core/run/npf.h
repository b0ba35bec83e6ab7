/* SPDX-License-Identifier: GPL-2.0-only */
/* Nested page faults: local APIC page, ioeventfds, and the way to the shim. */
#ifndef HV_CORE_NPF_H
#define HV_CORE_NPF_H

#include "guest/pv.h"
#include "vcpu/vcpu.h"

/* Handle v->exit.npf of the current vCPU. */
void exit_npf(struct vcpu *v);
/*
 * The current vCPU cannot go on without gpa, which it reads (PDPTEs): as
 * npf_want_page(), but false, and nothing done, if there is known to be no
 * memory, or a device.
 */
bool npf_need_page(struct vcpu *v, gpa_t gpa);

#endif
