/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A domain of four vCPUs with their virtual local APICs and nothing else: time is
 * the test's, kicks and level-triggered EOIs are counted.
 */
#ifndef TESTS_UNIT_VLAPIC_RIG_H
#define TESTS_UNIT_VLAPIC_RIG_H

#include "hv/core/memory/domain.h"
#include "hv/core/lib/errno.h"
#include "hv/core/machine/tsc.h"
#include "hv/core/apic/vlapic_priv.h"

#define N	4

extern struct domain dom;
extern struct vcpu v[N];
extern u32 kicked[N], level_eois, changed, lvt_writes;	/* kicked: notified as well */
extern u32 notified[N];
extern u8 last_eoi;

/* Fresh APICs, enabled, IDs 0 to 3, the first the boot CPU's; a guest's. */
int rig_setup(void **state);
/* Time passes; whatever timer of vCPU 0 is due fires, at its deadline. */
void pass(u64 ticks);
void enable(struct vcpu *w);
void to_x2apic(struct vcpu *w);
/* Of all vCPUs those where the vector is pending, a bit each; it is taken and ended. */
u32 hits(u8 vector);
/* A register that must be readable; whether a vector is pending, in service. */
u32 reg(struct vcpu *w, u32 offset);
bool irr(struct vcpu *w, u8 vector);
bool isr(struct vcpu *w, u8 vector);

#endif
