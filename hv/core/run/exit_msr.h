/* SPDX-License-Identifier: GPL-2.0-only */
/* RDMSR and WRMSR: made here, or told to the shim where v->rules say so. */
#ifndef HV_CORE_EXIT_MSR_H
#define HV_CORE_EXIT_MSR_H

#include "lib/types.h"

struct vcpu;

void exit_rdmsr(struct vcpu *v);
void exit_wrmsr(struct vcpu *v);
/* v->msr_go: the shim has looked at the access.  False: v has stopped once more. */
bool exit_msr_go(struct vcpu *v);

#endif
