/* SPDX-License-Identifier: GPL-2.0-only */
/* Nested page faults: local APIC page, ioeventfds, and the way to the shim. */
#ifndef HV_CORE_NPF_H
#define HV_CORE_NPF_H

#include "vcpu/vcpu.h"

/* Handle v->exit.npf of the current vCPU. */
void exit_npf(struct vcpu *v);
/*
 * Bedplate itself wants gpa of the current guest vCPU mapped, writable if
 * @write (paravirtual data): stop with an NPF exit for it.  Where there is no
 * such memory it is a mark afterwards (NPT_MARKED).
 */
void npf_want_page(struct vcpu *v, gpa_t gpa, bool write);
/*
 * The current vCPU cannot go on without it (task-state segments, PDPTEs): as
 * above, but false, and nothing done, if there is known to be no memory.
 */
bool npf_need_page(struct vcpu *v, gpa_t gpa, bool write);

#endif
