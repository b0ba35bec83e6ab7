/* SPDX-License-Identifier: GPL-2.0-only */
/* The life of a physical CPU after boot, and how vCPUs come to it and go. */
#ifndef HV_CORE_LOOP_H
#define HV_CORE_LOOP_H

#include "vcpu/vcpu.h"

/* A physical CPU's whole life after boot: enter vCPUs, handle exits. */
noreturn void run_loop(void);

/* Exit dispatch (exit.c): act on v->exit of the current vCPU. */
void vcpu_handle_exit(struct vcpu *v);

/*
 * A stopped vCPU's shared start (vcpu_create.c): state memory, reset values,
 * scheduling.  The caller has set dom, index and home.  -ENOMEM.
 */
int vcpu_setup(struct vcpu *v, u32 apic_id, bool bsp);
void vcpu_teardown(struct vcpu *v);

/* Process a latched INIT or SIPI of the current vCPU. */
void vcpu_take_init_sipi(struct vcpu *v);

#endif
