/* SPDX-License-Identifier: GPL-2.0-only */
/* Hardware task switches, where they exit. */
#ifndef HV_CORE_EXIT_TASK_H
#define HV_CORE_EXIT_TASK_H

struct vcpu;

/*
 * Handler of VM_EXIT_TASK_SWITCH of the current vCPU.  The service VM gets #GP with
 * the selector, as from any CPU in long mode: Linux makes no such switch, and what
 * ran before it in 32-bit mode has no reason to.
 */
void exit_task_switch(struct vcpu *v);

#endif
