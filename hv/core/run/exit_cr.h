/* SPDX-License-Identifier: GPL-2.0-only */
/* MOV to control registers that exit. */
#ifndef HV_CORE_EXIT_CR_H
#define HV_CORE_EXIT_CR_H

#include "lib/types.h"

struct vcpu;

/* Handlers of exits, of the current vCPU. */
void exit_cr0(struct vcpu *v);
void exit_cr4(struct vcpu *v);
void exit_cr8(struct vcpu *v);

#endif
