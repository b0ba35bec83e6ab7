/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Many CPUs with the real scheduler, timers, vCPU states and virtual local APICs, and many
 * vCPUs that have nothing else.  One tick of the TSC is one nanosecond.
 */
#ifndef TESTS_UNIT_SCALE_RIG_H
#define TESTS_UNIT_SCALE_RIG_H

#include "hv/core/apic/vlapic_priv.h"
#include "hv/core/machine/cpu.h"
#include "hv/core/memory/domain.h"
#include "hv/core/vcpu/run.h"
#include "hv/core/vcpu/vcpu.h"

#define RIG_CPUS	64
#define RIG_DOMS	256
#define RIG_VCPUS	1024

extern struct cpu *rig_cpu[RIG_CPUS], *rig_here;
extern struct domain rig_dom[RIG_DOMS];
extern struct vcpu *rig_vcpu[RIG_VCPUS];
extern u64 rig_ipis;			/* kicks sent to other CPUs */
extern u64 rig_hardware[RIG_CPUS];	/* when the CPU's timer is due; 0: not */
extern u64 rig_windows;			/* times that interrupts were let in */

/*
 * @cpus CPUs; @vcpus vCPUs in domains of @each, dealt out in turn, all of them HALTED, APICs
 * enabled in x2APIC mode, without timers.
 */
void rig_make(u32 cpus, u32 vcpus, u32 each);
/* HALTED becomes RUNNABLE on its queue, on its CPU. */
void rig_runnable(struct vcpu *v);
/* What the run loop does: another vCPU; NULL: none. */
struct vcpu *rig_take(struct cpu *c);
/* RUNNING becomes HALTED, or RUNNABLE. */
void rig_halt(struct cpu *c, struct vcpu *v);
void rig_preempt(struct cpu *c, struct vcpu *v);
/* RUNNABLE becomes HALTED. */
void rig_dequeue(struct vcpu *v);
/* RUNNABLE, and its thread is on another CPU now. */
void rig_move(struct vcpu *v, struct cpu *to);
/* It takes and ends what is pending. */
void rig_eat(struct vcpu *v);
u32 rig_random(u32 below);

#endif
