/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The special registers of a vCPU: what a CPU accepts in them, whoever made
 * it, and what INIT leaves there.  Pure; for the back ends and for reset.
 */
#ifndef HV_CORE_SREGS_H
#define HV_CORE_SREGS_H

#include "lib/types.h"

struct cpu_limits;
struct kvm_sregs;

/*
 * The state that follows INIT (SDM vol. 3, table 10-1; APM vol. 2, table
 * 14-1).  TR is busy, of 32 bits: with one of 16 a CPU may refuse long mode (SDM
 * vol. 3, 10.8.5).  Zero in *s: what is not the back end's (APIC base, CR8, the
 * bitmap).
 */
void sregs_init(struct kvm_sregs *s);

/*
 * Could a CPU be in this state?  0 or -EINVAL.  Control registers, EFER and
 * what long mode wants of CS; segments are not looked at otherwise.
 */
int sregs_check(const struct cpu_limits *l, const struct kvm_sregs *s);

/*
 * WRMSR of EFER: 0, and in *val what it holds then; -EINVAL raises #GP.  LMA is
 * not for software to change, LME not while paging is on (SDM vol. 3, 4.1.2;
 * APM vol. 2, 3.1.7).
 */
int efer_write(const struct cpu_limits *l, u64 cr0, u64 old, u64 *val);

/* Eight memory types (SDM vol. 3, 12.12.2): 2 and 3 are reserved, so is 8 on. */
bool pat_valid(u64 pat);

#endif
