/* SPDX-License-Identifier: GPL-2.0-only */
/* CPUID as vCPUs see it. */
#ifndef HV_CORE_CPUID_H
#define HV_CORE_CPUID_H

#include "lib/types.h"
#include "lib/x86.h"

struct domain;
struct kvm_cpuid_entry2;
struct vcpu;

/*
 * The answer for a vCPU.  Domain 0 sees what cpuid_allow.h has for it;
 * a guest sees the table that its VMM set, with the bits that follow from
 * its own state (OSXSAVE, OSPKE, XSAVE size, APIC) filled in.
 */
struct cpuid vcpu_cpuid(struct vcpu *v, u32 leaf, u32 sub);
/* The instruction itself, but for RIP: of EAX and ECX, into EAX to EDX.  v is current. */
void cpuid_execute(struct vcpu *v);
/* The same bits in an entry of v->cpuid, for who reads the table. */
void cpuid_refresh(struct vcpu *v, struct kvm_cpuid_entry2 *e);
/* Note where leaves begin after v->cpuid changed. */
void cpuid_index(struct vcpu *v);

#endif
