/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which vCPU's registers a physical CPU carries (run.c).  Own CPU only.
 * A vCPU that leaves RUNNING is switched out first: from the moment that
 * its state changes, another CPU may have it.
 */
#ifndef HV_CORE_SWITCH_H
#define HV_CORE_SWITCH_H

struct cpu;
struct vcpu;

/* Save the current vCPU, if any; ->current becomes NULL. */
void cpu_switch_out(struct cpu *c);
/* Load v, which is RUNNING here; ->current becomes v. */
void cpu_switch_in(struct cpu *c, struct vcpu *v);

#endif
